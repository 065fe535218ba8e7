/** A bound on expensive work per second of capture time, so that a flood of forged messages cannot stall the analysis. */
import type { Time } from '../base/time.ts';

/** MAC1 trials: about 6 µs each. */
export const MACS_PER_SECOND = 50_000;
/** Openings of initiations: one or two scalar multiplications, about 1 ms each. */
export const OPENINGS_PER_SECOND = 300;

const SET_BACKS = 100;

export class WorkBudget {
  private readonly factor: number;
  private second = Number.NaN;
  private setBacks = 0;
  private macs = 0;
  private openings = 0;

  /** `factor`: how many times the usual; infinite where every single message is asked for, and time is not. */
  constructor(factor = 1) {
    this.factor = factor;
  }

  mac(time: Time): boolean {
    this.turn(time);
    return ++this.macs <= MACS_PER_SECOND * this.factor;
  }

  dh(time: Time): boolean {
    this.turn(time);
    return ++this.openings <= OPENINGS_PER_SECOND * this.factor;
  }

  /** A clock may be set back, but a flood that goes to and fro between two dates must not be without a bound. */
  private turn(time: Time): void {
    if (time.sec === this.second) return;
    if (time.sec < this.second && ++this.setBacks > SET_BACKS) return;
    this.second = time.sec;
    this.macs = 0;
    this.openings = 0;
  }
}
