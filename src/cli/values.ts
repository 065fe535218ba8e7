/** Values of options that need more than a list of choices: public keys and vantage points. */
import { Option } from 'commander';
import { decodeKeyText } from '../base/base64.ts';
import type { DiagnoseOptions } from '../report/diagnose.ts';
import { UsageError } from './environment.ts';

type Vantages = NonNullable<DiagnoseOptions['at']>;
type Vantage = Exclude<Vantages, ReadonlyMap<string, unknown>>;

const VANTAGES: readonly Vantage[] = ['initiator', 'responder', 'between'];
const asVantage = (text: string): Vantage | undefined => VANTAGES.find((vantage) => vantage === text);

const collect = (value: string, before: readonly string[] = []): readonly string[] => [...before, value];

/** For `parsePublicKeys`. */
export const publicKeyOption = (): Option =>
  new Option('--public-key <NAME=KEY>', 'a public key that is in no file; repeatable').argParser(collect);

/** For `parseVantages`. */
export const vantageOption = (): Option =>
  new Option(
    '--at <WHERE>',
    'where a capture was taken: initiator, responder or between; NAME=WHERE for one file; repeatable',
  ).argParser(collect);

/** `NAME=KEY`, each name once. */
export function parsePublicKeys(values: readonly string[]): readonly string[] {
  const names = new Set<string>();
  for (const value of values) {
    const cut = value.indexOf('=');
    const name = value.slice(0, Math.max(0, cut));
    if (name === '') throw new UsageError('--public-key is given as NAME=KEY', 'for example server=…');
    if (names.has(name)) throw new UsageError(`--public-key gives the name "${name}" twice`);
    names.add(name);
    const key = decodeKeyText(value.slice(cut + 1));
    if (key instanceof Uint8Array) continue;
    const faults: Record<typeof key.kind, string> = {
      length: 'a key has 44 characters',
      padding: 'a key ends with "="',
      character: 'a key is base64: letters, digits, "+" and "/"',
      'trailing-bits': 'its last characters are not those of 32 bytes: one was mistyped',
    };
    throw new UsageError(`--public-key ${name}=… is not a key: ${faults[key.kind]}`);
  }
  return values;
}

/** One vantage for all files, or by file; a file may be named by its path or by the last part of it. */
export function parseVantages(values: readonly string[], paths: readonly string[]): Vantages | undefined {
  let general: Vantage | undefined;
  const named = new Map<string, Vantage>();
  for (const value of values) {
    const cut = value.lastIndexOf('=');
    const vantage = asVantage(value.slice(cut + 1));
    if (vantage === undefined) throw new UsageError(`--at ${value}: the place is one of ${VANTAGES.join(', ')}`);
    if (cut === -1) {
      if (general !== undefined && general !== vantage)
        throw new UsageError('--at is given twice for all files', 'for one file: NAME=WHERE');
      general = vantage;
    } else {
      named.set(fileNamed(value.slice(0, cut), paths), vantage);
    }
  }
  if (named.size === 0) return general;
  if (general !== undefined) for (const path of paths) if (!named.has(path)) named.set(path, general);
  return named;
}

function fileNamed(name: string, paths: readonly string[]): string {
  if (paths.includes(name)) return name;
  const [path, ...others] = paths.filter((candidate) => candidate.endsWith(`/${name}`));
  if (path === undefined) throw new UsageError(`--at ${name}=…: no such file was given`, `given: ${paths.join(', ')}`);
  if (others.length > 0)
    throw new UsageError(`--at ${name}=… fits ${others.length + 1} files`, 'give more of the path');
  return path;
}

const MOST_JOBS = 64;

/** Threads, from 1. */
export function parseJobs(value: string): number {
  const jobs = /^[1-9][0-9]?$/.test(value) ? Number(value) : 0;
  if (jobs >= 1 && jobs <= MOST_JOBS) return jobs;
  throw new UsageError(`--jobs ${value}: a number from 1 to ${MOST_JOBS} is wanted`);
}

const SHARES = 65_536;

/** `K/N`, K from 1. */
export function parseShare(value: string): NonNullable<DiagnoseOptions['share']> {
  const [, k, n] = /^([1-9][0-9]{0,4})\/([1-9][0-9]{0,4})$/.exec(value) ?? [];
  const [share, of] = [Number(k) - 1, Number(n)];
  if (!(share < of && of <= SHARES)) {
    throw new UsageError('--shard is given as K/N, K from 1 to N', 'for example --shard 1/4, 2/4, 3/4 and 4/4');
  }
  return { share, of };
}
