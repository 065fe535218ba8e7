/** What the TAI64N timestamps of one sender tell of its clock, held against the times of the capture. */
import { u32be } from '../../base/bytes.ts';
import { extent } from '../../base/extent.ts';
import { msBetween, nsBetween, type Time } from '../../base/time.ts';
import {
  compareTai64n,
  describeTai64n,
  isWhitened,
  type SenderFamily,
  type Tai64n,
  type Tai64nBase,
  unixTime,
} from '../../wg/tai64n.ts';

export interface ClockSample {
  readonly frame: number;
  /** When it was captured. */
  readonly time: Time;
  readonly timestamp: Tai64n;
}

export interface Jump {
  /** Indices into the samples: between these two. */
  readonly after: number;
  readonly at: number;
  readonly byMs: number;
}

export interface NotGreater {
  readonly at: number;
  /** The greatest before it. */
  readonly than: number;
  /** 0: the very same timestamp. */
  readonly byMs: number;
}

export type Drift =
  | { readonly kind: 'measured'; readonly ppm: number; readonly errorPpm: number }
  /** None larger than that can be seen. */
  | { readonly kind: 'below'; readonly ppm: number }
  | { readonly kind: 'unknown'; readonly because: 'few' | 'short' | 'untimed' };

export interface Clock {
  readonly base: Tai64nBase | undefined;
  readonly decidedBy: 'capture-time' | 'whitening' | 'nothing';
  /** How many of the samples are whitened. */
  readonly whitened: number;
  readonly family: SenderFamily;
  /** Every timestamp is a multiple of it; undefined where one sample alone says nothing. */
  readonly resolutionNs: number | undefined;
  /** Sender's clock less the capture's for each sample, by the base, or by 10 where there is none. */
  readonly offsetsMs: readonly number[];
  readonly drift: Drift;
  readonly jumps: readonly Jump[];
  /** Timestamps that a responder which took the ones before would refuse. */
  readonly notGreater: readonly NotGreater[];
}

/** 2^24 ns: what the kernel and wireguard-go round down to. */
export const WHITENED_NS = 0x100_0000;
const RESOLUTIONS_NS: readonly number[] = [1_000_000_000, WHITENED_NS, 1_000_000, 1000, 1];

/** Of a path that is late, and of a clock of 500 ppm, which is worse than what machines have. */
const JUMP_MS = 250;
const WORST_PPM = 500;
const LEAST_FOR_DRIFT = 3;
const LEAST_SPAN_MS = 30_000;

export function clockOf(samples: readonly ClockSample[]): Clock {
  const described = samples.map(({ timestamp, time }) => describeTai64n(timestamp, isTimed(time) ? time : undefined));
  const best =
    described.find(({ decidedBy }) => decidedBy === 'capture-time') ??
    described.find(({ decidedBy }) => decidedBy === 'whitening');
  const whitened = samples.filter(({ timestamp }) => isWhitened(timestamp)).length;
  // one in 2^24 is whitened by chance: a base that this decided is none where the others are not
  const sure = best?.decidedBy === 'whitening' && whitened < samples.length ? undefined : best;
  const base = sure?.base;
  const offsetsMs = samples.map(({ timestamp, time }) => msBetween(time, unixTime(timestamp, base ?? 10)));
  const jumps = jumpsOf(samples, offsetsMs);
  return {
    base,
    decidedBy: sure?.decidedBy ?? 'nothing',
    whitened,
    family: sure?.family ?? 'other/unknown',
    resolutionNs: resolutionOf(samples),
    offsetsMs,
    drift: driftOf(samples, offsetsMs, jumps),
    jumps,
    notGreater: notGreaterOf(samples),
  };
}

/** Captures without times say 1970. */
const isTimed = ({ sec, nsec }: Time): boolean => sec !== 0 || nsec !== 0;

function resolutionOf(samples: readonly ClockSample[]): number | undefined {
  if (samples.length < 2) return undefined;
  return RESOLUTIONS_NS.find((unit) => samples.every(({ timestamp }) => u32be(timestamp, 8) % unit === 0));
}

function jumpsOf(samples: readonly ClockSample[], offsetsMs: readonly number[]): Jump[] {
  const jumps: Jump[] = [];
  for (let at = 1; at < samples.length; at++) {
    const [before, here] = [samples[at - 1], samples[at]];
    if (before === undefined || here === undefined || !isTimed(here.time)) continue;
    const byMs = (offsetsMs[at] ?? 0) - (offsetsMs[at - 1] ?? 0);
    const allowed = JUMP_MS + (Math.abs(msBetween(before.time, here.time)) * WORST_PPM) / 1e6;
    if (Math.abs(byMs) > allowed) jumps.push({ after: at - 1, at, byMs });
  }
  return jumps;
}

/** By least squares over the longest stretch without a jump; not said where rounding alone could make it. */
function driftOf(samples: readonly ClockSample[], offsetsMs: readonly number[], jumps: readonly Jump[]): Drift {
  const [first] = samples;
  if (first !== undefined && !isTimed(first.time)) return { kind: 'unknown', because: 'untimed' };
  const cuts = [0, ...jumps.map(({ at }) => at), samples.length];
  let [from, to] = [0, 0];
  for (let i = 1; i < cuts.length; i++) {
    const [start = 0, end = 0] = [cuts[i - 1], cuts[i]];
    if (end - start > to - from) [from, to] = [start, end];
  }
  const part = samples.slice(from, to);
  const [start] = part;
  if (start === undefined || part.length < LEAST_FOR_DRIFT) return { kind: 'unknown', because: 'few' };
  const xs = part.map(({ time }) => msBetween(start.time, time));
  const ys = offsetsMs.slice(from, to);
  const [earliest, latest] = extent(xs);
  const span = latest - earliest;
  if (span < LEAST_SPAN_MS) return { kind: 'unknown', because: 'short' };
  const { slope, spread } = fitted(xs, ys);
  const errorPpm = (Math.max(spread, WHITENED_NS / 1e6) / span) * 1e6;
  const ppm = slope * 1e6;
  return Math.abs(ppm) > errorPpm ? { kind: 'measured', ppm, errorPpm } : { kind: 'below', ppm: errorPpm };
}

/** `spread`: between the greatest and the least distance from the line. */
function fitted(xs: readonly number[], ys: readonly number[]): { slope: number; spread: number } {
  const mean = (list: readonly number[]): number => list.reduce((sum, x) => sum + x, 0) / list.length;
  const [mx, my] = [mean(xs), mean(ys)];
  let [xy, xx] = [0, 0];
  for (const [i, x] of xs.entries()) {
    xy += (x - mx) * ((ys[i] ?? 0) - my);
    xx += (x - mx) ** 2;
  }
  const slope = xx === 0 ? 0 : xy / xx;
  const rest = xs.map((x, i) => (ys[i] ?? 0) - my - slope * (x - mx));
  const [least, most] = extent(rest);
  return { slope, spread: most - least };
}

function notGreaterOf(samples: readonly ClockSample[]): NotGreater[] {
  const out: NotGreater[] = [];
  let greatest = 0;
  for (let at = 1; at < samples.length; at++) {
    const [before, here] = [samples[greatest]?.timestamp, samples[at]?.timestamp];
    if (before === undefined || here === undefined) continue;
    if (compareTai64n(here, before) > 0) greatest = at;
    else out.push({ at, than: greatest, byMs: Number(nsBetween(unixTime(here, 10), unixTime(before, 10))) / 1e6 });
  }
  return out;
}

/** The one in the middle. */
export function medianOf(list: readonly number[]): number {
  const sorted = [...list].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  const upper = sorted[half] ?? 0;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[half - 1] ?? upper)) / 2;
}
