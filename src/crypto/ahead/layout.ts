/** The memory that a reader shares with those who open messages for it: words of 32 bits, then keys, then bytes. */
import { AEAD_KEY_BYTES } from '../port.ts';

/** Messages of one batch, as many as a batch of frames has. Two batches are in work: one is filled, one is read. */
export const BANK_JOBS = 512;
export const JOBS = 2 * BANK_JOBS;
/** What the messages of one batch hold, bytes. */
export const BANK_BYTES = 1 << 20;
/** Keys known at once. */
export const SLOTS = 4096;
/** Where whoever reads a file may put what it reads: messages need no copy then. */
export const ROOM_BYTES = 1 << 22;

/** Words. */
export const WORD = {
  /** Changes whenever there is something to do. */
  signal: 0,
  /** Jobs have numbers that go on rising, and the place of their last bits. The one that whoever is free looks at next. */
  next: 1,
  /** The first that does not stand here yet. */
  end: 2,
  /** Helpers that have begun. */
  helpers: 3,
  /** 1: they shall end. */
  stop: 4,
  /** Helpers that sleep, or are about to. */
  asleep: 5,
  jobs: 8,
} as const;

/** A job: state, slot of the key, counter in two halves, where its ciphertext ‖ tag stands, its length, where its plaintext goes. */
const JOB_WORDS = 8;
/** For each slot the number of the key in it: another number is another key. */
export const NUMBERS = WORD.jobs + JOBS * JOB_WORDS;
const WORDS = NUMBERS + SLOTS;

export const KEYS_AT = 4 * WORDS;
export const SEALED_AT = KEYS_AT + SLOTS * AEAD_KEY_BYTES;
export const OPENED_AT = SEALED_AT + 2 * BANK_BYTES;
export const ROOM_AT = OPENED_AT + 2 * BANK_BYTES;
export const MEMORY_BYTES = ROOM_AT + ROOM_BYTES;

/** Of a job. Whoever sets `taken` or `withdrawn` in place of `ready` has it; all else is written by who has it. */
export const STATE = { none: 0, ready: 1, taken: 2, opens: 3, closed: 4, withdrawn: 5 } as const;

export function wordsOf(memory: SharedArrayBuffer): Int32Array {
  return new Int32Array(memory, 0, WORDS);
}

/** The first word of the job of this number. */
export function jobAt(number: number): number {
  return WORD.jobs + (number & (JOBS - 1)) * JOB_WORDS;
}
