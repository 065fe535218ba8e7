/** Session indices: random, unique on this device, and each names one handshake or one session (wp §5.4.2). */
import { type Random, randomU32 } from './random.ts';

/** Random tries before counting on from the last: never reached with real randomness and fewer than 2^31 entries. */
const TRIES = 32;

export class IndexTable<E> {
  readonly #random: Random;
  /** By the index as a signed number: those stay unboxed in the engine, so that a look-up per packet costs nothing. */
  readonly #entries = new Map<number, E>();

  constructor(random: Random) {
    this.#random = random;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** An index that nobody has. It is taken only when something is {@link set} there. */
  fresh(): number {
    let index = randomU32(this.#random, 'index');
    for (let tries = 1; this.#entries.has(index | 0); tries++) {
      index = tries < TRIES ? randomU32(this.#random, 'index') : (index + 1) >>> 0;
    }
    return index;
  }

  get(index: number): E | undefined {
    return this.#entries.get(index | 0);
  }

  set(index: number, entry: E): void {
    this.#entries.set(index | 0, entry);
  }

  delete(index: number): void {
    this.#entries.delete(index | 0);
  }
}
