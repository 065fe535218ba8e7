/** A live run: captures that still grow, judged again and again as if they ended now. */

import type { Timeline } from '../analyze/timeline.ts';
import { addNs, compareTime, msBetween, type Time } from '../base/time.ts';
import type { CaptureItem, CaptureReader } from '../capture/frame.ts';
import type { Outcome } from '../diagnose/run.ts';
import type { CaptureRun } from './capture-run.ts';
import type { FindingEvent } from './event.ts';
import { frameRef } from './frame-events.ts';
import { LiveFindings } from './live-findings.ts';
import type { FrameRef } from './model.ts';
import { untilAborted } from './until-aborted.ts';

/** What a live run needs of the world around it. */
export interface LiveOptions {
  /** A clock that never goes back, milliseconds. */
  monoMs(): number;
  /** Calls back about once a second, until what it returns is called: silence grows while nothing is read. */
  everySecond(tick: () => void): () => void;
  /** Ends the reading: what was read until then is judged and reported. */
  readonly signal?: AbortSignal;
  /** How long something must have changed before it is told, milliseconds; two seconds unless given. */
  readonly settleMs?: number;
}

export interface LiveCapture {
  readonly reader: CaptureReader;
  readonly run: CaptureRun;
}

/** Judging takes at most a fifth of the time, and rests at least this long: less than a tick, so that none is missed. */
const LEAST_INTERVAL_MS = 500;
const SHARE = 5;

/**
 * How late frames may come that were captured before now: libpcap hands a buffer over after a second at most. A stream
 * that proves to be later is given the time it takes, up to a bound: a clock that was set back must not end all judging.
 */
const LATENESS_MS = 2000;
const MOST_LATENESS_MS = 60_000;

const timeIn = (item: CaptureItem | undefined): Time | undefined =>
  item?.kind === 'frame' ? item.frame.time : undefined;
const hasTime = (item: CaptureItem): boolean => timeIn(item) !== undefined;

/** A capture that is being read, and how far it is known to have lasted. */
class Growing {
  readonly run: CaptureRun;
  /** When its latest batch came, by the monotonic clock. */
  #arrivedMs = 0;
  #latenessMs = LATENESS_MS;
  #last: Time | undefined;
  /** The moment it was last taken to have lasted to; undefined once a frame came after that. */
  #claimed: Time | undefined;
  #ended = false;

  constructor(run: CaptureRun) {
    this.run = run;
  }

  take(batch: readonly CaptureItem[], nowMs: number): void {
    this.run.take(batch);
    const first = timeIn(batch.find(hasTime));
    if (first === undefined) return;
    if (this.#claimed !== undefined && compareTime(first, this.#claimed) < 0) {
      const late = this.#latenessMs + msBetween(first, this.#claimed);
      this.#latenessMs = Math.min(late, MOST_LATENESS_MS);
    }
    this.#claimed = undefined;
    this.#last = timeIn(batch.findLast(hasTime));
    this.#arrivedMs = nowMs;
  }

  end(): void {
    this.run.end();
    this.#ended = true;
  }

  /** Time goes on although nothing was read. */
  wait(nowMs: number): void {
    const quietMs = nowMs - this.#arrivedMs - this.#latenessMs;
    if (this.#ended || this.#last === undefined || quietMs <= 0) return;
    this.#claimed = addNs(this.#last, BigInt(Math.floor(quietMs * 1e6)));
  }

  timeline(): Timeline {
    return this.run.timeline(this.#claimed);
  }
}

export class LiveRun {
  readonly #judge: (timelines: readonly Timeline[]) => Outcome;
  readonly #options: LiveOptions;
  readonly #emit: ((event: FindingEvent) => void) | undefined;
  readonly #findings: LiveFindings;
  readonly #captures: Growing[] = [];
  #latest: Growing | undefined;
  #nextMs = 0;

  constructor(
    judge: (timelines: readonly Timeline[]) => Outcome,
    options: LiveOptions,
    emit: ((event: FindingEvent) => void) | undefined,
  ) {
    this.#judge = judge;
    this.#options = options;
    this.#emit = emit;
    this.#findings = new LiveFindings(options.settleMs);
  }

  /** Reads all captures at once, to their ends or until it is stopped: then gives their timelines, in the same order. */
  async read(captures: readonly LiveCapture[]): Promise<readonly Timeline[]> {
    const readings = captures.map(({ reader, run }) => {
      const growing = new Growing(run);
      this.#captures.push(growing);
      return this.#readOne(reader, growing);
    });
    let stop = (): void => {};
    const failed = new Promise<never>((_, reject) => {
      stop = this.#options.everySecond(() => {
        try {
          for (const capture of this.#captures) capture.wait(this.#options.monoMs());
          this.#evaluate();
        } catch (error) {
          reject(error);
        }
      });
    });
    try {
      await Promise.race([Promise.all(readings), failed]);
    } finally {
      stop();
    }
    return this.#timelines();
  }

  /** The outcome that the report is made of: what was not told yet is told now. */
  end(outcome: Outcome): void {
    this.#tell(outcome, true);
  }

  async #readOne(reader: CaptureReader, growing: Growing): Promise<void> {
    const { signal, monoMs } = this.#options;
    const batches = signal === undefined ? reader.batches() : untilAborted(reader.batches(), signal);
    for await (const batch of batches) {
      growing.take(batch, monoMs());
      this.#latest = growing;
      this.#evaluate();
    }
    growing.end();
  }

  #timelines(): readonly Timeline[] {
    return this.#captures.map((capture) => capture.timeline());
  }

  #evaluate(): void {
    const { monoMs } = this.#options;
    const beganMs = monoMs();
    if (this.#emit === undefined || beganMs < this.#nextMs) return;
    this.#tell(this.#judge(this.#timelines()), false);
    const endedMs = monoMs();
    this.#nextMs = endedMs + Math.max(LEAST_INTERVAL_MS, (endedMs - beganMs) * (SHARE - 1));
  }

  #tell(outcome: Outcome, last: boolean): void {
    const events = this.#findings.update(outcome, this.#options.monoMs(), this.#moment(), last);
    for (const event of events) this.#emit?.(event);
  }

  #moment(): FrameRef | undefined {
    const { last, until } = this.#latest?.timeline() ?? {};
    return last === undefined || until === undefined ? undefined : frameRef({ ...last, time: until });
  }
}
