/** Handshakes that go unanswered, counted for each peer until one is answered: the device begins anew with every packet. */
import type { Now } from '../base/time.ts';
import type { PeerId } from '../wg/drop.ts';

interface Unanswered {
  readonly beganMs: number;
  retries: number;
}

const WAIT_SEC = 5;
/** All of the first ones, then one in a minute. */
const FIRST_RETRIES = 3;
const THEN_EVERY = 12;

export class Retries {
  readonly #now: () => Now;
  readonly #unanswered = new Map<PeerId, Unanswered>();

  constructor(now: () => Now) {
    this.#now = now;
  }

  /** What is to be said of one more that was not answered: undefined for most of many. */
  add(peer: PeerId, name: string): string | undefined {
    const { monoMs } = this.#now();
    const known = this.#unanswered.get(peer) ?? { beganMs: monoMs - WAIT_SEC * 1000, retries: 0 };
    this.#unanswered.set(peer, known);
    const retries = ++known.retries;
    if (retries > FIRST_RETRIES && retries % THEN_EVERY !== 0) return undefined;
    const seconds = Math.round((monoMs - known.beganMs) / 1000);
    return `${name}: no answer to the handshake for ${seconds} s, try ${retries + 1}`;
  }

  /** It was answered, or nothing is tried any more. */
  end(peer: PeerId): void {
    this.#unanswered.delete(peer);
  }
}
