/** One derived key pair: two traffic keys, the counter to send with, the window to receive with, and an age (wp §5.4.5). */
import type { Bytes } from '../base/bytes.ts';
import type { AeadKey, Crypto } from '../crypto/port.ts';
import { type Counter, REJECT_AFTER_TIME_MS } from './constants.ts';
import type { TransportKeys } from './noise/response.ts';
import type { Policy } from './policy.ts';
import { ReplayWindow } from './replay.ts';
import { openInto, sealInPlace } from './transport.ts';

export type Role = 'initiator' | 'responder';

export interface SessionInput {
  readonly role: Role;
  /** Receiver index of what comes. */
  readonly localIndex: number;
  /** Receiver index of what goes. */
  readonly remoteIndex: number;
  readonly keys: TransportKeys;
  readonly nowMs: number;
  /** Of the first message, in a session that is taken up again; else 0. */
  readonly counter?: Counter;
}

const reached = (low: number, high: number, limit: Counter): boolean =>
  high > limit.high || (high === limit.high && low >= limit.low);

export class Session {
  readonly role: Role;
  readonly localIndex: number;
  readonly remoteIndex: number;
  readonly createdAtMs: number;
  readonly window: ReplayWindow;
  readonly #sending: AeadKey;
  readonly #receiving: AeadKey;
  readonly #rejectAfter: Counter | undefined;
  readonly #rekeyAfter: Counter | undefined;
  #low = 0;
  #high = 0;
  /** False after a change of keys, and when the counter has run out. */
  #sendable = true;

  /** Takes the keys over: the caller's copies are wiped. */
  constructor(crypto: Crypto, policy: Policy, { role, localIndex, remoteIndex, keys, nowMs, counter }: SessionInput) {
    this.role = role;
    this.localIndex = localIndex;
    this.remoteIndex = remoteIndex;
    this.createdAtMs = nowMs;
    this.#low = counter?.low ?? 0;
    this.#high = counter?.high ?? 0;
    const { initiatorToResponder, responderToInitiator } = keys;
    this.#sending = crypto.aeadKey(role === 'initiator' ? initiatorToResponder : responderToInitiator);
    this.#receiving = crypto.aeadKey(role === 'initiator' ? responderToInitiator : initiatorToResponder);
    initiatorToResponder.fill(0);
    responderToInitiator.fill(0);
    this.#rejectAfter = policy.rejectAfterMessages;
    this.#rekeyAfter = policy.rekeyAfterMessages;
    this.window = new ReplayWindow({ windowBits: policy.windowBits, rejectAfter: policy.rejectAfterMessages });
  }

  /** The counter of the next message. */
  get counter(): Counter {
    return { low: this.#low, high: this.#high };
  }

  ageMs(nowMs: number): number {
    return nowMs - this.createdAtMs;
  }

  /** Neither sends nor accepts any more (wp §6.2). */
  expired(nowMs: number): boolean {
    return this.ageMs(nowMs) >= REJECT_AFTER_TIME_MS;
  }

  canSend(nowMs: number): boolean {
    return this.#sendable && !this.expired(nowMs) && !this.exhausted;
  }

  get exhausted(): boolean {
    return this.#rejectAfter !== undefined && reached(this.#low, this.#high, this.#rejectAfter);
  }

  /** More than REKEY_AFTER_MESSAGES were sent (wp §6.2). */
  get wantsRekey(): boolean {
    const limit = this.#rekeyAfter;
    return limit !== undefined && reached(this.#low, this.#high, limit) && !this.#atExactly(limit);
  }

  get sendable(): boolean {
    return this.#sendable;
  }

  /** Keeps receiving, never sends again. */
  stopSending(): void {
    this.#sendable = false;
  }

  /** Seals in place (see `sealInPlace`) with the next counter. Call it only when {@link canSend}. */
  seal(out: Bytes, plainLength: number): number {
    const length = sealInPlace(this.#sending, this.remoteIndex, this.#low, this.#high, out, plainLength);
    this.#low = (this.#low + 1) >>> 0;
    if (this.#low === 0) this.#high = (this.#high + 1) >>> 0;
    return length;
  }

  /** Opens a whole message into `out` from 0. The window is asked afterwards, under the same counter. */
  open(bytes: Bytes, out: Bytes): boolean {
    return openInto(this.#receiving, bytes, out);
  }

  /** Afterwards the session must not be used. */
  wipe(): void {
    this.#sendable = false;
    this.#sending.wipe();
    this.#receiving.wipe();
  }

  #atExactly(limit: Counter): boolean {
    return this.#low === limit.low && this.#high === limit.high;
  }
}
