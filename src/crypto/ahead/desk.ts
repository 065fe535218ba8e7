/** The reader's side of shared memory in which helpers on other threads open messages before they are asked for. */
import { type Bytes, copy } from '../../base/bytes.ts';
import { AEAD_KEY_BYTES, type AheadKey, type OpenAhead, TAG } from '../port.ts';
import {
  BANK_BYTES,
  BANK_JOBS,
  jobAt,
  KEYS_AT,
  MEMORY_BYTES,
  NUMBERS,
  OPENED_AT,
  ROOM_AT,
  SEALED_AT,
  SLOTS,
  STATE,
  WORD,
  wordsOf,
} from './layout.ts';

/** So many new messages before helpers that sleep are called. */
const CALL_AFTER = 16;
/** At a message that somebody has in hand: about as long as it takes to open it. */
const LOOKS = 200;
/** How long a message may take that somebody has in hand, before this gives up on helpers altogether, milliseconds. */
const PATIENCE_MS = 5000;

class DeskKey implements AheadKey {
  readonly key: Bytes;
  /** In which round of keys, and where in the memory, it stands. */
  round = -1;
  slot = 0;

  constructor(key: Bytes) {
    this.key = copy(key);
  }

  wipe(): void {
    this.key.fill(0);
    // in the shared memory it stays until the desk closes: a message of the batch that is filled may still name it
    this.round = -1;
  }
}

export class Desk implements OpenAhead {
  readonly #after: number;
  readonly #start: (memory: SharedArrayBuffer) => void;
  readonly #patienceMs: number;
  readonly #memory = new SharedArrayBuffer(MEMORY_BYTES);
  readonly #words = wordsOf(this.#memory);
  readonly #bytes: Bytes = new Uint8Array(this.#memory);
  #frames = 0;
  #state: 'waits' | 'started' | 'lost' | 'closed' = 'waits';
  /** Numbers of jobs: where the batch begins that is read, where the one that is filled, and where it ends. */
  #reading = 0;
  #filling = 0;
  #end = 0;
  #called = 0;
  /** Which half of the bytes is being filled, and how much of it is. */
  #bank = 0;
  #used = 0;
  #round = 0;
  #slots = 0;
  #keyNumber = 0;

  /** Lets helpers `start` on its memory once more than `after` frames were read: what is smaller is over before they have begun. */
  constructor(after: number, start: (memory: SharedArrayBuffer) => void, patienceMs = PATIENCE_MS) {
    this.#after = after;
    this.#start = start;
    this.#patienceMs = patienceMs;
  }

  /** For what is read of a file: messages that stand here need not be copied. */
  get room(): Bytes {
    return this.#bytes.subarray(ROOM_AT);
  }

  key(key: Bytes): AheadKey {
    return new DeskKey(key);
  }

  begin(frames: number): boolean {
    if (this.#state === 'lost' || this.#state === 'closed') return false;
    this.#frames += frames;
    if (this.#state === 'waits' && this.#frames > this.#after) {
      this.#state = 'started';
      this.#start(this.#memory);
    }
    return Atomics.load(this.#words, WORD.helpers) > 0;
  }

  offer(key: AheadKey, low: number, high: number, bytes: Bytes, at: number, length: number): number | undefined {
    const number = this.#end;
    if (((number - this.#filling) | 0) >= BANK_JOBS || this.#used + length > BANK_BYTES || length < TAG)
      return undefined;
    if (!(key instanceof DeskKey) || !this.#placed(key)) return undefined;
    const words = this.#words;
    const job = jobAt(number);
    words[job + 1] = key.slot;
    words[job + 2] = low;
    words[job + 3] = high;
    words[job + 4] = this.#sealedAt(bytes, at, length);
    words[job + 5] = length;
    words[job + 6] = OPENED_AT + this.#bank * BANK_BYTES + this.#used;
    this.#used += length;
    Atomics.store(words, job, STATE.ready);
    this.#end = (number + 1) | 0;
    if (((this.#end - this.#called) | 0) >= CALL_AFTER) this.call();
    return number;
  }

  call(): void {
    if (this.#called === this.#end) return;
    this.#called = this.#end;
    Atomics.store(this.#words, WORD.end, this.#end);
    this.#wake();
  }

  result(number: number): Bytes | false | undefined {
    const words = this.#words;
    const job = jobAt(number);
    let state = Atomics.load(words, job);
    if (state === STATE.ready) state = Atomics.compareExchange(words, job, STATE.ready, STATE.withdrawn);
    for (let looks = 0; state === STATE.taken && looks < LOOKS; looks++) state = Atomics.load(words, job);
    if (state === STATE.closed) return false;
    if (state !== STATE.opens) return undefined;
    const at = words[job + 6] ?? 0;
    return this.#bytes.subarray(at, at + (words[job + 5] ?? 0) - TAG);
  }

  turn(): void {
    for (let number = this.#reading; number !== this.#filling; number = (number + 1) | 0) this.#take(jobAt(number));
    this.#reading = this.#filling;
    this.#filling = this.#end;
    this.#bank = 1 - this.#bank;
    this.#used = 0;
    // no slot is given anew while a job may still name it
    if (this.#slots < SLOTS || this.#reading !== this.#filling) return;
    this.#slots = 0;
    this.#round++;
  }

  close(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#bytes.fill(0, KEYS_AT);
    Atomics.store(this.#words, WORD.stop, 1);
    this.#wake();
  }

  /** Whoever is about to sleep sees another signal than before, and does not. */
  #wake(): void {
    Atomics.add(this.#words, WORD.signal, 1);
    if (Atomics.load(this.#words, WORD.asleep) > 0) Atomics.notify(this.#words, WORD.signal);
  }

  /** A copy where it stands elsewhere. */
  #sealedAt(bytes: Bytes, at: number, length: number): number {
    if (bytes.buffer === this.#memory) return bytes.byteOffset + at;
    const copied = SEALED_AT + this.#bank * BANK_BYTES + this.#used;
    this.#bytes.set(bytes.subarray(at, at + length), copied);
    return copied;
  }

  #placed(key: DeskKey): boolean {
    if (key.round === this.#round) return true;
    if (this.#slots === SLOTS) return false;
    key.slot = this.#slots++;
    key.round = this.#round;
    this.#bytes.set(key.key, KEYS_AT + key.slot * AEAD_KEY_BYTES);
    Atomics.store(this.#words, NUMBERS + key.slot, ++this.#keyNumber);
    return true;
  }

  /** Nobody touches it any more when this is done. */
  #take(job: number): void {
    const words = this.#words;
    const state = Atomics.load(words, job);
    if (state === STATE.ready) Atomics.compareExchange(words, job, STATE.ready, STATE.withdrawn);
    for (let looks = 0; Atomics.load(words, job) === STATE.taken && looks < 100 * LOOKS; looks++);
    let patience = this.#state === 'lost' ? 0 : this.#patienceMs;
    while (Atomics.load(words, job) === STATE.taken && patience-- > 0) Atomics.wait(words, job, STATE.taken, 1);
    // whoever died over it may still come back to it: this memory is not used again
    if (patience < 0) this.#state = 'lost';
  }
}
