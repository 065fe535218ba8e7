/** Chance from a seed: xoshiro128** (Blackman and Vigna), its state filled by splitmix32. Same seed, same run. */
import type { Bytes } from '../../src/base/bytes.ts';

/** Times are whole multiples of this, milliseconds: sums of them are exact in doubles. */
const QUANTUM_MS = 1 / 64;

export const quantised = (ms: number): number => Math.round(ms / QUANTUM_MS) * QUANTUM_MS;

const rotate = (x: number, by: number): number => (x << by) | (x >>> (32 - by));

export class Chance {
  readonly #state = new Uint32Array(4);

  constructor(seed: number) {
    let z = seed >>> 0;
    for (let i = 0; i < 4; i++) {
      z = (z + 0x9e37_79b9) >>> 0;
      let x = z ^ (z >>> 16);
      x = Math.imul(x, 0x21f0_aaad);
      x = Math.imul(x ^ (x >>> 15), 0x735a_2d97);
      this.#state[i] = x ^ (x >>> 15);
    }
  }

  u32(): number {
    const [a = 0, b = 0, c = 0, d = 0] = this.#state;
    const out = Math.imul(rotate(Math.imul(b, 5), 7), 9) >>> 0;
    this.#state[2] = c ^ a;
    this.#state[3] = d ^ b;
    this.#state[1] = b ^ (this.#state[2] ?? 0);
    this.#state[0] = a ^ (this.#state[3] ?? 0);
    this.#state[2] = (this.#state[2] ?? 0) ^ (b << 9);
    this.#state[3] = rotate(this.#state[3] ?? 0, 11);
    return out;
  }

  /** From 0, below 1. */
  part(): number {
    return this.u32() / 2 ** 32;
  }

  /** A whole number, both ends included. */
  whole(from: number, to: number): number {
    return from + Math.floor(this.part() * (to - from + 1));
  }

  /** Milliseconds, quantised. */
  ms(from: number, to: number): number {
    return quantised(from + this.part() * (to - from));
  }

  /** With a long tail; quantised milliseconds. */
  exponential(meanMs: number): number {
    return quantised(-meanMs * Math.log(1 - this.part()));
  }

  happens(probability: number): boolean {
    return this.part() < probability;
  }

  pick<T>(from: readonly [T, ...T[]]): T {
    return from[Math.floor(this.part() * from.length)] ?? from[0];
  }

  fill(out: Bytes): Bytes {
    for (let i = 0; i < out.length; i++) out[i] = this.u32() >>> 24;
    return out;
  }

  bytes(length: number): Bytes {
    return this.fill(new Uint8Array(length));
  }

  /** A stream of its own, so that more of one sort of chance does not change the others. */
  fork(): Chance {
    return new Chance(this.u32());
  }
}
