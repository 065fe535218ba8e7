/** The sliding window against replayed data (wp §5.4.6), in the manner of RFC 6479: a ring of words, cleared as it moves. */
import { type Counter, REJECT_AFTER_MESSAGES, REPLAY_WINDOW } from './constants.ts';
import type { Drop } from './drop.ts';

export type CounterVerdict = 'ok' | 'replayed' | 'too-old' | 'exhausted';

export interface ReplayWindowOptions {
  /**
   * How far behind the greatest counter one may be and still be taken. 8128 in the kernel and wireguard-go (8192 bits
   * less a word), 8160 in a 32-bit kernel, 1023 in boringtun, 8191 in gotatun.
   */
  readonly windowBits?: number;
  /** The first counter that is refused whatever was seen; undefined for no limit. */
  readonly rejectAfter?: Counter | undefined;
}

const WORD_BITS = 32;
const TWO_32 = 2 ** 32;
/** Words in 2^32 counters. */
const WORDS_PER_HIGH = TWO_32 / WORD_BITS;

/** Counters come as two unsigned 32-bit halves. */
export class ReplayWindow {
  readonly #windowBits: number;
  readonly #rejectAfter: Counter | undefined;
  readonly #words: Int32Array;
  #greatestLow = 0;
  #greatestHigh = 0;
  #empty = true;

  /** Throws RangeError unless 1 ≤ windowBits ≤ 2^20. */
  constructor(options: ReplayWindowOptions = {}) {
    this.#windowBits = options.windowBits ?? REPLAY_WINDOW;
    if (!Number.isInteger(this.#windowBits) || this.#windowBits < 1 || this.#windowBits > 2 ** 20) {
      throw new RangeError(`a window of ${this.#windowBits} counters`);
    }
    this.#rejectAfter = 'rejectAfter' in options ? options.rejectAfter : REJECT_AFTER_MESSAGES;
    // A power of two, and one word more than the window spans, since the ring is cleared word by word.
    const spanned = Math.ceil(this.#windowBits / WORD_BITS) + 1;
    this.#words = new Int32Array(2 ** Math.ceil(Math.log2(spanned)));
  }

  /** The greatest accepted counter; undefined before the first. */
  get greatest(): Counter | undefined {
    return this.#empty ? undefined : { low: this.#greatestLow, high: this.#greatestHigh };
  }

  /** The greatest accepted counter is the last there is. */
  get spent(): boolean {
    const next = (this.#greatestLow + 1) >>> 0;
    return !this.#empty && this.#beyond(next, next === 0 ? this.#greatestHigh + 1 : this.#greatestHigh);
  }

  /** Greatest less this one: negative when it is ahead, 0 before the first. Exact below 2^53. */
  behind(low: number, high: number): number {
    return this.#empty ? 0 : (this.#greatestHigh - high) * TWO_32 + (this.#greatestLow - low);
  }

  /** In the kernel's order: limit, age, seen. Changes nothing. */
  check(low: number, high: number): CounterVerdict {
    if (this.#beyond(low, high)) return 'exhausted';
    if (this.#empty) return 'ok';
    const behind = this.behind(low, high);
    if (behind < 0) return 'ok';
    if (behind > this.#windowBits) return 'too-old';
    return (this.#word(low) & (1 << (low & 31))) === 0 ? 'ok' : 'replayed';
  }

  /** {@link check}, and remembers a counter that is `ok`. Call it for authenticated packets only. */
  accept(low: number, high: number): CounterVerdict {
    const verdict = this.check(low, high);
    if (verdict !== 'ok') return verdict;
    if (this.#empty || this.behind(low, high) < 0) this.#moveTo(low, high);
    const at = this.#index(low);
    this.#words[at] = (this.#words[at] ?? 0) | (1 << (low & 31));
    return 'ok';
  }

  #beyond(low: number, high: number): boolean {
    const limit = this.#rejectAfter;
    return limit !== undefined && (high > limit.high || (high === limit.high && low >= limit.low));
  }

  #index(low: number): number {
    return (low >>> 5) & (this.#words.length - 1);
  }

  #word(low: number): number {
    return this.#words[this.#index(low)] ?? 0;
  }

  #moveTo(low: number, high: number): void {
    const from = this.#greatestLow >>> 5;
    const moved = (high - this.#greatestHigh) * WORDS_PER_HIGH + ((low >>> 5) - from);
    if (moved >= this.#words.length) this.#words.fill(0);
    else for (let i = 1; i <= moved; i++) this.#words[(from + i) & (this.#words.length - 1)] = 0;
    this.#greatestLow = low;
    this.#greatestHigh = high;
    this.#empty = false;
  }
}

/** The refusal a verdict stands for; undefined for `ok`. */
export function refuseCounter(verdict: CounterVerdict, behind: number): Drop | undefined {
  switch (verdict) {
    case 'ok':
      return undefined;
    case 'replayed':
      return { kind: 'counter-replayed' };
    case 'too-old':
      return { kind: 'counter-too-old', behind };
    case 'exhausted':
      return { kind: 'counter-exhausted' };
  }
}
