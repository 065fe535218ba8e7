/** Finds sizes that a path swallows: large data leaves and never arrives while small data does. */

import {
  type HalfPair,
  halfPairs,
  mayMiss,
  type Place,
  placesOf,
  type Span,
  sideOf,
} from '../analyze/session-pairs.ts';
import { evidentStalls, LARGE_BYTES, type Stall } from '../analyze/stall.ts';
import type { Tunnel, World } from '../analyze/world.ts';
import { msBetween } from '../base/time.ts';

export interface BlackHole {
  readonly pair: HalfPair;
  /** The large ones that were lost. */
  readonly large: readonly Span[];
  readonly count: number;
  /** UDP payload of the greatest that arrived and of the least that did not, bytes. */
  readonly passed: number;
  readonly leastLost: number;
  /** The receiver’s capture may have missed them for a reason of its own. */
  readonly doubt: string | undefined;
}

const LEAST_LOST = 3;
/** Smaller losses than this beside it are the path’s usual ones. */
const SMALL_LOSS = 0.2;
/** All in less than this may have been one short interruption. */
const SPREAD_MS = 1000;
/** Small data no further than this, before and after together. */
const CLOSE_MS = 5000;

/** Shown by two captures. */
export function blackHoles(tunnel: Tunnel, world: World): BlackHole[] {
  return halfPairs(tunnel, world)
    .map(blackHole)
    .filter((hole) => hole !== undefined);
}

function blackHole(pair: HalfPair): BlackHole | undefined {
  const into = pair.received.half.runs;
  const passed = into.runs.reduce((most, run) => Math.max(most, run.lengthHigh), 0);
  const large = pair.lost.filter(({ lengthLow }) => lengthLow > passed && lengthLow >= LARGE_BYTES);
  const [first] = large;
  const last = large[large.length - 1];
  if (!pair.exact || first === undefined || last === undefined) return undefined;
  const count = sum(large);
  const small = pair.lostCount - count;
  if (count < LEAST_LOST || small > into.seen * SMALL_LOSS) return undefined;
  if (into.low >= first.low || into.high <= first.high) return undefined;
  const between = large.length > 1 && into.runs.some((run) => run.low > first.high && run.high < last.low);
  if (!between && mayBeInterruption(pair, first, last)) return undefined;
  const leastLost = large.reduce((least, { lengthLow }) => Math.min(least, lengthLow), first.lengthLow);
  return { pair, large, count, passed, leastLost, doubt: mayMiss(pair.received.view.timeline) };
}

/** Nothing at all arrived between the first and the last: then they must be many, and small data close on both sides. */
function mayBeInterruption({ received }: HalfPair, first: Span, last: Span): boolean {
  const { runs } = received.half.runs;
  const before = runs.findLast(({ high }) => high < first.low);
  const after = runs.find(({ low }) => low > last.high);
  if (before === undefined || after === undefined) return true;
  const lastedMs = msBetween(first.first.time, last.last.time);
  const silentMs = msBetween(before.last.time, after.first.time);
  return lastedMs < SPREAD_MS || silentMs - lastedMs > CLOSE_MS;
}

function sum(spans: readonly Span[]): number {
  return spans.reduce((total, { low, high }) => total + high - low + 1, 0);
}

export interface StalledPlace {
  readonly place: Place;
  readonly stall: Stall;
}

/** Fits one capture: not where it was taken at the receiver, for there the messages did arrive. */
export function stalledPlaces(tunnel: Tunnel, world: World): StalledPlace[] {
  const compared = new Set(halfPairs(tunnel, world).flatMap(({ sent, received }) => [sent.half, received.half]));
  const out: StalledPlace[] = [];
  for (const view of tunnel.sessions) {
    for (const place of placesOf(view)) {
      if (compared.has(place.half) || sideOf(place) === 'receiver') continue;
      for (const stall of evidentStalls(place.half)) out.push({ place, stall });
    }
  }
  return out;
}
