/** The machine's clock, shifted: two minutes pass at once, the time of day goes back, or all stands still. */
import type { Now } from '../../../src/base/time.ts';
import { type Clock, systemClock } from '../../../src/io/clock.ts';

interface Timer {
  readonly atMs: number;
  readonly run: () => void;
  disarm: () => void;
}

const NOT_ARMED = (): void => {};

export class ShiftedClock implements Clock {
  #shiftMs = 0;
  #wallShiftSec: number;
  #frozen: Now | undefined;
  readonly #timers = new Set<Timer>();

  /** `wallShiftSec`: how far the time of day is ahead of the machine's. */
  constructor(wallShiftSec = 0) {
    this.#wallShiftSec = wallShiftSec;
  }

  now(): Now {
    if (this.#frozen !== undefined) return this.#frozen;
    const { monoMs, wall } = systemClock.now();
    const nsec = wall.nsec + (this.#shiftMs % 1000) * 1_000_000;
    const carry = Math.floor(nsec / 1_000_000_000);
    const sec = wall.sec + Math.floor(this.#shiftMs / 1000) + carry + this.#wallShiftSec;
    return { monoMs: monoMs + this.#shiftMs, wall: { sec, nsec: Math.floor(nsec - carry * 1_000_000_000) } };
  }

  at(atMs: number, run: () => void): () => void {
    const timer: Timer = { atMs, run, disarm: NOT_ARMED };
    this.#timers.add(timer);
    this.#arm(timer);
    return () => {
      this.#timers.delete(timer);
      timer.disarm();
    };
  }

  soon(run: () => void): void {
    systemClock.soon(run);
  }

  /** So much time passes at once; what is due in it happens as soon as the event loop comes to it. */
  pass(ms: number): void {
    this.#shiftMs += ms;
    this.#armAll();
  }

  freeze(): void {
    this.#frozen ??= this.now();
    this.#armAll();
  }

  /** Goes on from where it stood. */
  thaw(): void {
    const stood = this.#frozen;
    if (stood === undefined) return;
    this.#frozen = undefined;
    this.#shiftMs -= Math.ceil(this.now().monoMs - stood.monoMs);
    this.#armAll();
  }

  #armAll(): void {
    for (const timer of this.#timers) this.#arm(timer);
  }

  #arm(timer: Timer): void {
    timer.disarm();
    timer.disarm =
      this.#frozen !== undefined
        ? NOT_ARMED
        : systemClock.at(timer.atMs - this.#shiftMs, () => {
            this.#timers.delete(timer);
            timer.run();
          });
  }
}
