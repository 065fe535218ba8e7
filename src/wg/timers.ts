/** The timers of one peer as deadlines: who armed what until when. Acting on them is the device's (wp §6, kernel timers.c). */
import { KEEPALIVE_TIMEOUT_MS, NEW_HANDSHAKE_TIMEOUT_MS, REKEY_TIMEOUT_MS, ZERO_KEYS_AFTER_MS } from './constants.ts';
import type { Policy } from './policy.ts';
import { type Random, randomBelow } from './random.ts';

/** In the order in which timers of one peer fire when they are due at the same time. */
export const TIMER_NAMES = [
  'retransmit-handshake',
  'send-keepalive',
  'new-handshake',
  'zero-keys',
  'persistent-keepalive',
] as const;
export type TimerName = (typeof TIMER_NAMES)[number];

const RETRANSMIT = 0;
const KEEPALIVE = 1;
const NEW_HANDSHAKE = 2;
const ZERO_KEYS = 3;
const PERSISTENT = 4;

const OFF = Number.POSITIVE_INFINITY;

export class Timers {
  readonly #policy: Policy;
  readonly #random: Random;
  readonly #at = new Float64Array(TIMER_NAMES.length).fill(OFF);
  #persistentMs = 0;
  #needsAnotherKeepalive = false;
  #receivedAtMs = Number.NEGATIVE_INFINITY;

  constructor(policy: Policy, random: Random) {
    this.#policy = policy;
    this.#random = random;
  }

  /** When the first of them is due; Infinity for none. */
  get earliestMs(): number {
    let earliest = OFF;
    // Asked after every packet: counted, since an iterator may cost an allocation.
    for (let i = 0; i < this.#at.length; i++) earliest = Math.min(earliest, this.#at[i] ?? OFF);
    return earliest;
  }

  /** The timer that is due at {@link earliestMs}. */
  get earliest(): TimerName | undefined {
    const at = this.earliestMs;
    return at === OFF ? undefined : TIMER_NAMES[this.#at.indexOf(at)];
  }

  deadline(timer: TimerName): number | undefined {
    const at = this.#at[TIMER_NAMES.indexOf(timer)] ?? OFF;
    return at === OFF ? undefined : at;
  }

  /** 0 switches it off. The running deadline is the caller's: a keepalive sent now arms it. */
  set persistentKeepaliveMs(ms: number) {
    this.#persistentMs = ms;
    if (ms === 0) this.#at[PERSISTENT] = OFF;
  }

  get persistentKeepaliveMs(): number {
    return this.#persistentMs;
  }

  /** A data packet went out: an answer is due, a keepalive at the least (wp §6.4). */
  dataSent(nowMs: number): void {
    if (this.#isOn(NEW_HANDSHAKE)) return;
    const from = this.#policy.silenceFrom === 'first-unanswered' ? nowMs : Math.min(nowMs, this.#receivedAtMs);
    this.#arm(NEW_HANDSHAKE, Math.max(nowMs, from + NEW_HANDSHAKE_TIMEOUT_MS + this.#jitter()), nowMs);
  }

  /** A data packet came in: we answer within KEEPALIVE_TIMEOUT, with a keepalive at the least (wp §6.5). */
  dataReceived(nowMs: number): void {
    if (this.#isOn(KEEPALIVE)) this.#needsAnotherKeepalive = true;
    else this.#arm(KEEPALIVE, nowMs + KEEPALIVE_TIMEOUT_MS, nowMs);
  }

  /** Anything authenticated went out, handshakes too. */
  authenticatedSent(nowMs: number): void {
    this.#at[KEEPALIVE] = OFF;
    this.#traversed(nowMs);
  }

  /** Anything authenticated came in, handshakes too. */
  authenticatedReceived(nowMs: number): void {
    this.#at[NEW_HANDSHAKE] = OFF;
    this.#receivedAtMs = nowMs;
    this.#traversed(nowMs);
  }

  /** An initiation went out (wp §6.4). */
  handshakeInitiated(nowMs: number): void {
    this.#arm(RETRANSMIT, nowMs + REKEY_TIMEOUT_MS + this.#jitter(), nowMs);
  }

  handshakeComplete(): void {
    this.#at[RETRANSMIT] = OFF;
  }

  sessionDerived(nowMs: number): void {
    this.#arm(ZERO_KEYS, nowMs + ZERO_KEYS_AFTER_MS, nowMs);
  }

  /** No keepalive any more; what is left of keys goes in time. */
  gaveUp(nowMs: number): void {
    this.#at[KEEPALIVE] = OFF;
    if (!this.#isOn(ZERO_KEYS)) this.sessionDerived(nowMs);
  }

  /** Takes it off before it is acted on. A fixed persistent keepalive goes straight on again. */
  fired(timer: TimerName, nowMs: number): void {
    this.#at[TIMER_NAMES.indexOf(timer)] = OFF;
    if (timer === 'persistent-keepalive' && this.#policy.persistentKeepalive === 'fixed') this.#armPersistent(nowMs);
  }

  /** After the keepalive that 'send-keepalive' stands for: data that came meanwhile wants one more. */
  keepaliveFired(nowMs: number): void {
    if (!this.#needsAnotherKeepalive) return;
    this.#needsAnotherKeepalive = false;
    this.#arm(KEEPALIVE, nowMs + KEEPALIVE_TIMEOUT_MS, nowMs);
  }

  #traversed(nowMs: number): void {
    if (this.#policy.persistentKeepalive === 'after-traffic' || !this.#isOn(PERSISTENT)) this.#armPersistent(nowMs);
  }

  #armPersistent(nowMs: number): void {
    if (this.#persistentMs > 0) this.#arm(PERSISTENT, nowMs + this.#persistentMs, nowMs);
  }

  #isOn(timer: number): boolean {
    return this.#at[timer] !== OFF;
  }

  #jitter(): number {
    return randomBelow(this.#random, this.#policy.jitterBelowMs, 'jitter');
  }

  #arm(timer: number, atMs: number, nowMs: number): void {
    const { tickMs } = this.#policy;
    this.#at[timer] = tickMs === 0 ? atMs : Math.max(Math.ceil(atMs / tickMs), Math.floor(nowMs / tickMs) + 1) * tickMs;
  }
}
