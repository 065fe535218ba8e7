/** Reads vectors/*.json against a schema that refuses fields it does not know, so that no figure goes unused. */
import { readFileSync } from 'node:fs';
import { type Bytes, fromHex } from '../src/base/bytes.ts';

/** Gives the typed value, or throws with the path to the fault. */
export type Reader<T> = (value: unknown, path: string) => T;
type Fields = Readonly<Record<string, Reader<unknown>>>;
type Read<F extends Fields> = { readonly [K in keyof F]: ReturnType<F[K]> };

function wrong(path: string, wanted: string): never {
  throw new TypeError(`${path}: not ${wanted}`);
}

export const text: Reader<string> = (value, path) => (typeof value === 'string' ? value : wrong(path, 'text'));

export const flag: Reader<boolean> = (value, path) =>
  typeof value === 'boolean' ? value : wrong(path, 'true or false');

export const int: Reader<number> = (value, path) =>
  typeof value === 'number' && Number.isSafeInteger(value) ? value : wrong(path, 'a whole number');

export const hex: Reader<Bytes> = (value, path) => {
  try {
    return fromHex(text(value, path));
  } catch {
    return wrong(path, 'hexadecimal');
  }
};

/** A decimal string up to 2^64 − 1. */
export const counter: Reader<bigint> = (value, path) => {
  const digits = text(value, path);
  return /^[0-9]{1,20}$/.test(digits) && BigInt(digits) < 1n << 64n ? BigInt(digits) : wrong(path, 'a 64-bit counter');
};

export const oneOf =
  <const T extends string>(...words: readonly T[]): Reader<T> =>
  (value, path) =>
    words.find((word) => word === value) ?? wrong(path, words.join(' | '));

/** undefined where the field is absent. */
export const optional =
  <T>(reader: Reader<T>): Reader<T | undefined> =>
  (value, path) =>
    value === undefined ? undefined : reader(value, path);

export const list =
  <T>(reader: Reader<T>): Reader<readonly T[]> =>
  (value, path) =>
    Array.isArray(value) ? value.map((item, i) => reader(item, `${path}[${i}]`)) : wrong(path, 'a list');

export const pairs = <A, B>(first: Reader<A>, second: Reader<B>): Reader<readonly (readonly [A, B])[]> =>
  list((value, path) => {
    if (!Array.isArray(value) || value.length !== 2) return wrong(path, 'a pair');
    return [first(value[0], `${path}[0]`), second(value[1], `${path}[1]`)];
  });

function record(value: unknown, path: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return wrong(path, 'a record');
  return value as Record<string, unknown>;
}

/** Any names, values of one shape. */
export const dictionary =
  <T>(reader: Reader<T>): Reader<Readonly<Record<string, T>>> =>
  (value, path) =>
    Object.fromEntries(
      Object.entries(record(value, path)).map(([name, item]) => [name, reader(item, `${path}.${name}`)]),
    );

/** These names and no others. */
export const fields =
  <const F extends Fields>(shape: F): Reader<Read<F>> =>
  (value, path) => {
    const given = record(value, path);
    for (const name of Object.keys(given)) if (!Object.hasOwn(shape, name)) wrong(`${path}.${name}`, 'a known field');
    const read = Object.entries(shape).map(([name, reader]) => [name, reader(given[name], `${path}.${name}`)]);
    return Object.fromEntries(read) as Read<F>;
  };

const source: Reader<readonly string[]> = (value, path) =>
  Array.isArray(value) ? list(text)(value, path) : [text(value, path)];

/** A whole file of any shape, by URL: for vectors that stay outside the project. */
export function readVectors<T>(url: URL, reader: Reader<T>): T {
  return reader(JSON.parse(readFileSync(url, 'utf8')), url.pathname.replace(/.*\//, ''));
}

/** vectors/FILE: `{ source, note?, cases: [...] }` and the top-level fields of `rest`. */
export function loadVectors<const F extends Fields, const R extends Fields = Record<never, never>>(
  file: string,
  shape: F,
  rest?: R,
): {
  readonly source: readonly string[];
  readonly note: string | undefined;
  readonly cases: readonly Read<F>[];
} & Read<R> {
  const whole = fields({ ...rest, source, note: optional(text), cases: list(fields(shape)) });
  const read: unknown = readVectors(new URL(`../vectors/${file}`, import.meta.url), whole);
  return read as ReturnType<typeof loadVectors<F, R>>;
}
