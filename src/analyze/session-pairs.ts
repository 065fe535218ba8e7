/** One direction of a session as two captures saw it: which packets left one end and never arrived at the other. */
import { oncePer } from '../base/once-per.ts';
import { compareTime, type Time } from '../base/time.ts';
import { brackets } from './clocks.ts';
import type { CounterRuns, Run } from './counter-runs.ts';
import type { FrameId, Half, Timeline } from './timeline.ts';
import type { SessionView, Tunnel, World } from './world.ts';

/** A direction of a session in one capture. */
export interface Place {
  readonly view: SessionView;
  readonly half: Half;
}

/** Counters low to high, inclusive, of one length or a range of them. */
export interface Span {
  readonly low: number;
  readonly high: number;
  readonly lengthLow: number;
  readonly lengthHigh: number;
  /** Frames of the sender's capture that are known to hold one of them. */
  readonly frames: readonly FrameId[];
  /** Not before, not after: where the run began and ended. */
  readonly first: FrameId;
  readonly last: FrameId;
}

export interface HalfPair {
  readonly sent: Place;
  readonly received: Place;
  /** Left while the receiver's capture was running, and are not in it. Empty when the runs were too coarse to tell. */
  readonly lost: readonly Span[];
  readonly lostCount: number;
  /** Counters of the sender's capture that could be compared. */
  readonly compared: number;
  /** Both captures hold every counter one by one. */
  readonly exact: boolean;
}

/** Kept clear of the ends of a capture: a packet near them may have fallen outside. */
const MARGIN_NS = 1_000_000_000n;
const known = new WeakMap<Tunnel, readonly HalfPair[]>();

/** Each direction that two captures hold: seen nearest to its sender, and nearest to its receiver. */
export function halfPairs(tunnel: Tunnel, world: World): readonly HalfPair[] {
  let pairs = known.get(tunnel);
  if (pairs === undefined) {
    pairs = world.timelines.length < 2 ? [] : findPairs(tunnel, world);
    known.set(tunnel, pairs);
  }
  return pairs;
}

/** Both directions of a session that carried anything. */
export function placesOf(view: SessionView): Place[] {
  const { toResponder, toInitiator } = view.session;
  return [toResponder, toInitiator].filter((half) => half !== undefined).map((half) => ({ view, half }));
}

/** Canonical names of the end that sends and the end that owns the index. */
export function endNames({ view, half }: Place): { readonly sender: string; readonly owner: string } {
  const { exchange, pair, toResponder } = view.session;
  if (exchange !== undefined) {
    const { initiatorName, responderName } = exchange;
    return half === toResponder
      ? { sender: initiatorName, owner: responderName }
      : { sender: responderName, owner: initiatorName };
  }
  const [a = '', b = ''] = pair.split(' ~ ');
  return half.sender.text === a || half.owner.text === b ? { sender: a, owner: b } : { sender: b, owner: a };
}

/** Where the capture stands for this direction. */
export function sideOf(place: Place): 'sender' | 'receiver' | 'unknown' {
  const { localName } = place.view;
  const { sender, owner } = endNames(place);
  if (localName === undefined) return 'unknown';
  return localName === sender ? 'sender' : localName === owner ? 'receiver' : 'unknown';
}

/** Why packets may be missing from a capture that did reach the host; undefined: no sign of it. */
export function mayMiss(timeline: Timeline): string | undefined {
  if (timeline.damage.length > 0) return 'the capture is damaged';
  if (timeline.skipped.has('fragment-incomplete'))
    return 'the capture holds IP fragments without the rest of their packet';
  if (timeline.skipped.has('cut')) return 'the capture cut frames before the UDP header';
  return timeline.retired > 0 ? 'the capture is too large for all of its sessions to be kept' : undefined;
}

const directions = oncePer<Tunnel, ReadonlyMap<number, readonly Place[]>>((tunnel) => {
  const byIndex = new Map<number, Place[]>();
  for (const view of tunnel.sessions) {
    for (const place of placesOf(view)) {
      const places = byIndex.get(place.half.index);
      if (places === undefined) byIndex.set(place.half.index, [place]);
      // one view of each capture: a second one is another session with the same index, or what retiring left of it
      else if (!places.some((other) => other.view.timeline === view.timeline) && overlaps(places[0], place))
        places.push(place);
    }
  }
  return byIndex;
});

function findPairs(tunnel: Tunnel, world: World): HalfPair[] {
  const out: HalfPair[] = [];
  for (const all of directions(tunnel).values()) {
    const places = [...all].sort((a, b) => nearness(a, b, world));
    const [sent, received] = [places[0], places[places.length - 1]];
    // an order that nothing shows is none
    if (sent === undefined || received === undefined || nearness(sent, received, world) >= 0) continue;
    const beside = places.filter((place) => place !== received && nearness(sent, place, world) < 0);
    out.push(comparePlaces(sent, received, beside, world));
  }
  return out;
}

/** Of the same direction in other captures: those farther from its sender, the farthest first. */
export function fartherPlaces(place: Place, tunnel: Tunnel, world: World): Place[] {
  const all = directions(tunnel).get(place.half.index) ?? [];
  if (all.length < 2 || !all.some(({ half }) => half === place.half)) return [];
  return all.filter((other) => nearness(place, other, world) < 0).sort((a, b) => nearness(b, a, world));
}

/** Counters that passed here, for they are farther along, and are not in this capture. */
export function missedBy({ half }: Place, farther: Place): number {
  const [here, there] = [half.runs, farther.half.runs];
  if (here.coarse || there.coarse) return Math.max(0, here.missing - there.missing);
  let missed = 0;
  for (const { low, high } of without(there.runs, here.runs))
    if (low > here.low && high < here.high) missed += high - low + 1;
  return missed;
}

function overlaps(a: Place | undefined, b: Place): boolean {
  return a !== undefined && a.half.runs.low <= b.half.runs.high && b.half.runs.low <= a.half.runs.high;
}

const RANK = { sender: 0, unknown: 1, receiver: 2 } as const;

/** Negative: `a` is nearer to the sender. By vantage, then by hops, then by what the clocks say of the two captures. */
function nearness(a: Place, b: Place, world: World): number {
  const rank = RANK[sideOf(a)] - RANK[sideOf(b)];
  if (rank !== 0) return rank;
  if (a.half.ttlLow !== b.half.ttlLow) return b.half.ttlLow - a.half.ttlLow;
  const clock = world.clocks.find(({ from, to }) => sameTwo(from, to, a, b));
  const shared = world.exchanges.find(
    ({ views }) =>
      views.some((v) => v.timeline === a.view.timeline) && views.some((v) => v.timeline === b.view.timeline),
  );
  const initiator = shared?.views.find((v) => v.timeline === a.view.timeline)?.exchange.initiatorName;
  if (clock?.nearer === undefined || initiator === undefined) return 0;
  const nearerToInitiator = (clock.nearer === 'from' ? clock.from : clock.to) === a.view.timeline.capture;
  return nearerToInitiator === (endNames(a).sender === initiator) ? -1 : 1;
}

function sameTwo(from: string, to: string, a: Place, b: Place): boolean {
  const [x, y] = [a.view.timeline.capture, b.view.timeline.capture];
  return (from === x && to === y) || (from === y && to === x);
}

/** What any of those `beside` the receiver’s capture holds was not lost: that capture missed it. */
function comparePlaces(sent: Place, received: Place, beside: readonly Place[], world: World): HalfPair {
  const [out, into] = [sent.half.runs, received.half.runs];
  if (out.coarse || into.coarse) {
    const lostCount = Math.max(0, into.missing - out.missing);
    return { sent, received, lost: [], lostCount, compared: lostCount + into.seen, exact: false };
  }
  const inside = (time: Time): boolean => covered(time, sent.view.timeline, received.view.timeline, world);
  const lost: Span[] = [];
  let compared = into.seen;
  for (const span of without(out.runs, together([into, ...beside.map(({ half }) => half.runs)]))) {
    const within = span.low > into.low && span.high < into.high;
    // before the first and after the last that arrived, only the clocks tell whether the other capture was running
    if (!within && !(span.high < into.low ? inside(span.first.time) : inside(span.last.time))) continue;
    lost.push(span);
    compared += span.high - span.low + 1;
  }
  const lostCount = lost.reduce((sum, span) => sum + span.high - span.low + 1, 0);
  return { sent, received, lost, lostCount, compared, exact: true };
}

function covered(time: Time, from: Timeline, by: Timeline, world: World): boolean {
  if (!from.timed || !by.timed) return false;
  const there = world.translate(time, from.capture, by.capture);
  return there !== undefined && brackets(by, there.time, there.slackNs + MARGIN_NS);
}

type Range = Pick<Run, 'low' | 'high'>;

/** Of all that are exact, in ascending order and without overlap. */
function together(all: readonly CounterRuns[]): readonly Range[] {
  const exact = all.filter(({ coarse }) => !coarse);
  if (exact.length === 1) return exact[0]?.runs ?? [];
  const out: { low: number; high: number }[] = [];
  for (const { low, high } of exact.flatMap(({ runs }) => runs).sort((a, b) => a.low - b.low)) {
    const last = out[out.length - 1];
    if (last !== undefined && low <= last.high + 1) last.high = Math.max(last.high, high);
    else out.push({ low, high });
  }
  return out;
}

/** What `all` holds and `taken` does not; both in ascending order, without overlap. */
function* without(all: readonly Run[], taken: readonly Range[]): Generator<Span> {
  let at = 0;
  for (const run of all) {
    let low = run.low;
    while (at < taken.length && (taken[at]?.high ?? 0) < low) at++;
    for (let i = at; low <= run.high; i++) {
      const next = taken[i];
      const until = next === undefined || next.low > run.high ? run.high : next.low - 1;
      if (until >= low) yield spanOf(run, low, until);
      if (next === undefined || next.low > run.high) break;
      low = next.high + 1;
      at = i;
    }
  }
}

function spanOf(run: Run, low: number, high: number): Span {
  const { first, last, lengthLow, lengthHigh } = run;
  const frames = [...(low === run.low ? [first] : []), ...(high === run.high && high > low ? [last] : [])];
  const [early, late] = compareTime(first.time, last.time) <= 0 ? [first, last] : [last, first];
  return { low, high, lengthLow, lengthHigh, frames, first: early, last: late };
}
