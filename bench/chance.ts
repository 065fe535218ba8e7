/** Chance that is the same on every run, and the check that a benchmark does what it measures. */
import type { Bytes } from '../src/base/bytes.ts';

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
