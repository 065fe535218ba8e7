/** What a benchmark is made of, the backends they compare, and chance that is the same on every run. */
import type { Bytes } from '../src/base/bytes.ts';
import { noble } from '../src/crypto/noble.ts';
import { nodeCrypto } from '../src/crypto/node.ts';
import type { Crypto } from '../src/crypto/port.ts';
import { wasmCrypto } from '../src/crypto/wasm/index.ts';

/** Something done many times over in this process. */
export interface Task {
  readonly name: string;
  /** Does the operation `ops` times, so that reading the clock does not weigh on short ones. */
  readonly run: () => void;
  readonly ops: number;
  /** Bytes that one operation handles, for a rate in MB/s. */
  readonly bytes?: number;
}

/** A whole process, whose time and greatest memory count. */
export interface Command {
  readonly name: string;
  readonly argv: readonly [string, ...string[]];
  /** Packets that it handles. */
  readonly ops: number;
  readonly bytes?: number;
}

/** Tasks that do the same thing: ratios are against the first of them, which for backends is noble. */
export interface Group {
  readonly name: string;
  readonly tasks: readonly (Task | Command)[];
}

export interface Subject {
  readonly name: string;
  /** Checked before it is timed: throws where an operation does not do what it should. `quick`: as small as can be. */
  readonly groups: (quick: boolean) => readonly Group[] | Promise<readonly Group[]>;
  /** What keeps it from running here, if anything. */
  readonly obstacle?: () => string | undefined;
}

/** The first is what ratios are against. */
export const BACKENDS: readonly Crypto[] = [
  noble,
  nodeCrypto,
  wasmCrypto('simd', nodeCrypto),
  wasmCrypto('scalar', nodeCrypto),
];

/** Wrong results are worse than slow ones, and what is never looked at may be optimised away. */
export function must(right: boolean): void {
  if (!right) throw new Error('a benchmark went wrong: its operation did not do what it should');
}

/** xorshift32: unsigned 32-bit numbers, always the same ones. */
export function numbers(seed = 0x9e37_79b9): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

export function randomBytes(next: () => number, length: number): Bytes {
  return Uint8Array.from({ length }, () => next() >>> 13);
}
