/** Counters that a capture does not hold, and how many of them it evidently dropped itself. */

import { WIRE_SIZE } from '../analyze/classify.ts';
import type { Run } from '../analyze/counter-runs.ts';
import { fartherPlaces, missedBy, type Place, placesOf, sideOf } from '../analyze/session-pairs.ts';
import type { FrameId, Half, Timeline } from '../analyze/timeline.ts';
import type { World } from '../analyze/world.ts';
import { grouped } from '../base/grouped.ts';
import { oncePer } from '../base/once-per.ts';
import { msBetween } from '../base/time.ts';

/** A gap like this is one interruption, not the usual loss of a path. */
export const INTERRUPTION = { packets: 5, ms: 5000 };
/** A counter that leaps further is forged or foreign: no capture lost that many at once. */
const LEAP = 1_000_000;
/** No path carries a longer message whole. */
const ONE_FRAME = 1472;
/** So many gaps of one packet each between single packets. */
const ALTERNATIONS = 8;

export interface Gap {
  readonly count: number;
  readonly interruption: boolean;
  /** The frame before it was cut, and may have held them. */
  readonly hidden: boolean;
  readonly around: readonly FrameId[];
}

export function* gapsOf({ half, view }: Place): Generator<Gap> {
  const { runs } = half.runs;
  const elsewhere = (halvesOf(view.timeline).get(half.index) ?? []).filter((other) => other !== half);
  for (const [i, run] of runs.entries()) {
    const inside = run.high - run.low + 1 - run.seen;
    if (inside > 0 && inside < LEAP)
      yield { count: inside, interruption: false, hidden: mayHold(half, run, 1), around: [run.first, run.last] };
    const next = runs[i + 1];
    const gap = next === undefined ? 0 : next.low - run.high - 1;
    if (next === undefined || gap <= 0 || gap >= LEAP) continue;
    const count = gap - heldBetween(elsewhere, run.high, next.low);
    if (count <= 0) continue;
    const interruption = count >= INTERRUPTION.packets && isLong(run.last, next.first);
    yield { count, interruption, hidden: mayHold(half, run, gap), around: [run.last, next.first] };
  }
}

/** Both ends may change their addresses at once (IPv4 to IPv6): the same index then goes on as another session. */
const halvesOf = oncePer<Timeline, ReadonlyMap<number, readonly Half[]>>(({ sessions }) =>
  grouped(
    sessions.flatMap(({ toInitiator, toResponder }) => [toInitiator ?? [], toResponder ?? []].flat()),
    ({ index }) => index,
  ),
);

function heldBetween(halves: readonly Half[], low: number, high: number): number {
  return halves
    .flatMap((half) => half.runs.runs.filter((run) => run.low > low && run.high < high))
    .reduce((sum, { seen }) => sum + seen, 0);
}

/** Where the clock went back, nothing tells how long it took. */
export function isLong(before: FrameId, after: FrameId): boolean {
  return Math.abs(msBetween(before.time, after.time)) >= INTERRUPTION.ms;
}

/** A host with UDP GSO or GRO shows several messages in one frame: of one that was cut only the first has a counter. */
export function mayHold({ leastCut }: Half, { lengthHigh }: Run, further: number): boolean {
  if (leastCut === undefined || lengthHigh < leastCut || lengthHigh < (further + 1) * WIRE_SIZE.data) return false;
  // padding makes each a multiple of 16, but for the one that fills the MTU: that is a single message
  return lengthHigh % 16 === 0 || lengthHigh > ONE_FRAME;
}

/** One packet here, one elsewhere: chance does not lose packets in step. */
export function everyOther({ half }: Place): boolean {
  const { runs } = half.runs;
  const gaps = runs.length - 1;
  if (gaps < ALTERNATIONS || half.runs.coarse) return false;
  const inStep = runs.filter((run, i) => run.seen === 1 && (runs[i + 1]?.low ?? run.high + 2) === run.high + 2).length;
  return inStep >= 0.8 * runs.length;
}

/** Packets that passed a capture for certain: sent by its own host, or held by a capture farther along. */
export interface OwnLoss {
  /** Those that are not in it, but for interruptions. */
  dropped: number;
  interrupted: number;
  held: number;
}

export const ownLoss = oncePer<World, ReadonlyMap<Timeline, OwnLoss>>((world) => {
  const out = new Map<Timeline, OwnLoss>(
    world.timelines.map((timeline) => [timeline, { dropped: 0, interrupted: 0, held: 0 }]),
  );
  for (const tunnel of world.tunnels) {
    for (const place of tunnel.sessions.flatMap(placesOf)) {
      const own = out.get(place.view.timeline);
      if (own === undefined || everyOther(place)) continue;
      if (sideOf(place) === 'sender') noteSent(own, place);
      else {
        const [farthest] = fartherPlaces(place, tunnel, world);
        if (farthest !== undefined) noteMissed(own, place, farthest);
      }
    }
  }
  return out;
});

function noteSent(own: OwnLoss, place: Place): void {
  own.held += place.half.runs.seen;
  for (const { count, interruption, hidden } of gapsOf(place)) {
    if (interruption) own.interrupted += count;
    else if (!hidden) own.dropped += count;
  }
}

function noteMissed(own: OwnLoss, place: Place, farthest: Place): void {
  // what a cut frame holds besides is no loss of the capture’s
  if (place.half.leastCut !== undefined) return;
  own.held += place.half.runs.seen;
  own.dropped += missedBy(place, farthest);
}
