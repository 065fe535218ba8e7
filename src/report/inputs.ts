/** Sources to what they hold, by content: texts are read whole, captures stay streams. */

import type { KeySet } from '../analyze/key-set.ts';
import { type Bytes, concat, concatAll, copy } from '../base/bytes.ts';
import type { Problem } from '../base/problem.ts';
import { sniffCapture } from '../capture/sniff.ts';
import { parsePublicKeyArgument } from '../config/public-key-argument.ts';
import { MAX_TEXT_BYTES } from '../config/text.ts';
import type { InputKind } from './model.ts';
import { readText } from './read-text.ts';

/** Something to read: its kind is found out by content. `open` is called once. */
export interface Source {
  readonly name: string;
  open(): AsyncIterable<Uint8Array>;
}

export interface Input {
  readonly id: string;
  readonly name: string;
  /** As findings call it: the file's own name where that is enough. */
  readonly label: string;
  readonly kind: InputKind;
  /** Captures only, from the first byte on. */
  readonly chunks?: AsyncIterable<Bytes>;
  /** Captures that are not read after all. */
  readonly close?: () => Promise<unknown>;
}

/** For those that nobody has begun to read. */
export async function closeInputs(inputs: readonly Input[]): Promise<void> {
  for (const { close } of inputs) await close?.();
}

/** "a" to "z", then "aa". */
export function inputId(index: number): string {
  const letter = String.fromCharCode(97 + (index % 26));
  return index < 26 ? letter : inputId(Math.floor(index / 26) - 1) + letter;
}

/** The last part of each path, and as many parts before it as tell it from the others. */
export function labels(names: readonly string[]): string[] {
  return names.map((name) => {
    const parts = name.split(/[\\/]/);
    for (let n = 1; n < parts.length; n++) {
      const label = parts.slice(-n).join('/');
      if (names.every((other) => other === name || !other.endsWith(label))) return label;
    }
    return name;
  });
}

/** All of them in order, then the public keys given by hand as `NAME=KEY`; what cannot be used is told and left out. */
export async function readInputs(
  sources: readonly Source[],
  publicKeys: readonly string[],
  keys: KeySet,
  report: (input: string, problem: Problem) => void,
  firstId = 0,
): Promise<Input[]> {
  const inputs: Input[] = [];
  const named = labels(sources.map(({ name }) => name));
  for (const [i, source] of sources.entries()) {
    const label = named[i] ?? source.name;
    try {
      const told = (problem: Problem): void => report(source.name, problem);
      const input = await readInput(inputId(firstId + i), source, label, keys, told);
      if (input !== undefined) inputs.push(input);
    } catch (error) {
      await closeInputs(inputs);
      throw error;
    }
  }
  for (const argument of publicKeys) {
    const parsed = parsePublicKeyArgument(argument);
    if (!parsed.ok) {
      report('--public-key', parsed.error);
      continue;
    }
    const { key, name } = parsed.value;
    keys.addPublic(key, name);
    inputs.push({ id: inputId(firstId + sources.length + inputs.length), name, label: name, kind: 'public-key' });
  }
  return inputs;
}

const MAGIC_BYTES = 16;

/** A capture keeps its stream; a text is parsed into `keys` at once. undefined when it is neither. */
export async function readInput(
  id: string,
  source: Source,
  label: string,
  keys: KeySet,
  report: (problem: Problem) => void,
): Promise<Input | undefined> {
  const iterator = source.open()[Symbol.asyncIterator]();
  const head: Bytes[] = [];
  let size = 0;
  let ended = false;
  const more = async (): Promise<void> => {
    const step = await iterator.next();
    if (step.done === true) ended = true;
    else {
      // whoever reads a file may use the place of a chunk again
      head.push(copy(step.value));
      size += step.value.length;
    }
  };
  while (!ended && size < MAGIC_BYTES) await more();
  if (sniffCapture(concat(...head)) !== undefined) {
    const close = async (): Promise<unknown> => iterator.return?.();
    return { id, name: source.name, label, kind: 'capture', chunks: replay(head, iterator), close };
  }
  while (!ended && size <= MAX_TEXT_BYTES) await more();
  if (!ended) await iterator.return?.();
  const kind = readText(label, id, concatAll(head), keys, report);
  return kind === undefined ? undefined : { id, name: source.name, label, kind };
}

async function* replay(head: readonly Bytes[], rest: AsyncIterator<Bytes>): AsyncGenerator<Bytes> {
  try {
    yield* head;
    for (let step = await rest.next(); step.done !== true; step = await rest.next()) yield step.value;
  } finally {
    await rest.return?.();
  }
}
