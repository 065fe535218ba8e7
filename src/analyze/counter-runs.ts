/** Counters of one direction as runs: exact while they fit, coarser when they do not, never unbounded. */
import type { FrameId } from './timeline.ts';

export interface Run {
  /** Counters low to high, inclusive. `seen` of them were there: fewer after coarsening. */
  low: number;
  high: number;
  seen: number;
  /** Wire length of the messages, least and greatest. */
  lengthLow: number;
  lengthHigh: number;
  first: FrameId;
  last: FrameId;
}

/** Runs kept per direction before neighbours are joined. */
export const RUNS_LIMIT = 512;

export class CounterRuns {
  readonly runs: Run[] = [];
  /** Joined to keep the bound: gaps inside a run are then counted, not located. */
  coarse = false;
  readonly #limit: number;

  constructor(limit = RUNS_LIMIT) {
    this.#limit = limit;
  }

  add(counter: number, length: number, at: FrameId): void {
    const last = this.runs[this.runs.length - 1];
    if (last !== undefined && counter === last.high + 1 && last.lengthLow === length && last.lengthHigh === length) {
      last.high = counter;
      last.seen++;
      last.last = at;
      return;
    }
    const fresh: Run = {
      low: counter,
      high: counter,
      seen: 1,
      lengthLow: length,
      lengthHigh: length,
      first: at,
      last: at,
    };
    if (last === undefined || counter > last.high) this.runs.push(fresh);
    else this.insert(fresh);
    if (this.runs.length > this.#limit) this.coarsen();
  }

  private insert(fresh: Run): void {
    const at = this.position(fresh.low);
    const before = this.runs[at - 1];
    if (before !== undefined && before.high >= fresh.low) {
      // inside a coarse run: one more of its missing counters was seen after all
      if (before.seen < before.high - before.low + 1) before.seen++;
      before.lengthLow = Math.min(before.lengthLow, fresh.lengthLow);
      before.lengthHigh = Math.max(before.lengthHigh, fresh.lengthHigh);
      return;
    }
    this.runs.splice(at, 0, fresh);
  }

  /** Index of the first run that starts above `counter`. */
  private position(counter: number): number {
    let low = 0;
    let high = this.runs.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.runs[middle]?.low ?? Number.POSITIVE_INFINITY) <= counter) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  private coarsen(): void {
    this.coarse = true;
    const kept: Run[] = [];
    for (let i = 0; i < this.runs.length; i += 2) {
      const a = this.runs[i];
      const b = this.runs[i + 1];
      if (a === undefined) continue;
      if (b !== undefined) {
        a.high = b.high;
        a.seen += b.seen;
        a.lengthLow = Math.min(a.lengthLow, b.lengthLow);
        a.lengthHigh = Math.max(a.lengthHigh, b.lengthHigh);
        a.last = b.last;
      }
      kept.push(a);
    }
    this.runs.splice(0, this.runs.length, ...kept);
  }

  /** Seen before, as far as the runs can tell: certain while they are exact. */
  has(counter: number): boolean {
    const run = this.runs[this.position(counter) - 1];
    return run !== undefined && counter <= run.high && run.seen === run.high - run.low + 1;
  }

  get seen(): number {
    let sum = 0;
    for (const run of this.runs) sum += run.seen;
    return sum;
  }

  get low(): number {
    return this.runs[0]?.low ?? 0;
  }

  get high(): number {
    return this.runs[this.runs.length - 1]?.high ?? -1;
  }

  /** Places where counters were left out: a run also ends where the length changes. */
  get gaps(): number {
    let count = 0;
    for (const [i, run] of this.runs.entries()) {
      const before = this.runs[i - 1];
      if (before !== undefined && run.low > before.high + 1) count++;
    }
    return count;
  }

  /** Counters between the first and the last seen that were never seen. Before the first nothing is known. */
  get missing(): number {
    return this.runs.length === 0 ? 0 : this.high - this.low + 1 - this.seen;
  }
}
