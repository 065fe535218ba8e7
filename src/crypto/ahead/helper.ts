/** The helper's side: opens what stands in the shared memory, message by message, until it is told to end. */
import type { Bytes } from '../../base/bytes.ts';
import { AEAD_KEY_BYTES, type AeadKey, type Crypto } from '../port.ts';
import { jobAt, KEYS_AT, NUMBERS, SLOTS, STATE, WORD, wordsOf } from './layout.ts';

/** For more to do, before it sleeps: to be woken takes longer than many looks. */
const LOOKS = 300;

interface Held {
  readonly number: number;
  readonly key: AeadKey;
}

export class Helper {
  readonly #crypto: Crypto;
  readonly #words: Int32Array;
  readonly #bytes: Bytes;
  readonly #held: (Held | undefined)[] = Array.from({ length: SLOTS }, () => undefined);

  constructor(memory: SharedArrayBuffer, crypto: Crypto) {
    this.#crypto = crypto;
    this.#words = wordsOf(memory);
    this.#bytes = new Uint8Array(memory);
    Atomics.add(this.#words, WORD.helpers, 1);
  }

  /** Blocks its thread; returns when it is told to end, with no key left. */
  serve(): void {
    const words = this.#words;
    while (Atomics.load(words, WORD.stop) === 0) {
      const signal = Atomics.load(words, WORD.signal);
      for (let looks = 0; looks < LOOKS; looks++) if (this.openNext()) looks = 0;
      Atomics.add(words, WORD.asleep, 1);
      Atomics.wait(words, WORD.signal, signal);
      Atomics.sub(words, WORD.asleep, 1);
    }
    for (const held of this.#held) held?.key.wipe();
    this.#held.fill(undefined);
  }

  /** False where nothing waits. */
  openNext(): boolean {
    const words = this.#words;
    const number = Atomics.load(words, WORD.next);
    if (((Atomics.load(words, WORD.end) - number) | 0) <= 0) return false;
    if (Atomics.compareExchange(words, WORD.next, number, (number + 1) | 0) !== number) return true;
    const job = jobAt(number);
    if (Atomics.compareExchange(words, job, STATE.ready, STATE.taken) !== STATE.ready) return true;
    const word = (n: number): number => words[job + n] ?? 0;
    const [low, high] = [word(2) >>> 0, word(3) >>> 0];
    const opens = this.#keyIn(word(1)).openInto(low, high, this.#bytes, word(4), word(5), this.#bytes, word(6));
    Atomics.store(words, job, opens ? STATE.opens : STATE.closed);
    return true;
  }

  #keyIn(slot: number): AeadKey {
    const number = Atomics.load(this.#words, NUMBERS + slot);
    const held = this.#held[slot];
    if (held?.number === number) return held.key;
    held?.key.wipe();
    const at = KEYS_AT + slot * AEAD_KEY_BYTES;
    const key = this.#crypto.aeadKey(this.#bytes.subarray(at, at + AEAD_KEY_BYTES));
    this.#held[slot] = { number, key };
    return key;
  }
}
