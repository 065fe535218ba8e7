/** Everything that is known, in the shapes that rules ask about: tunnels, attempts, exchanges, sessions, captures. */
import { countBefore } from '../base/sorted.ts';
import { addNs, compareTime, msBetween, type Time } from '../base/time.ts';
import { bestOffset, brackets, type ClockOffset, clockOffset } from './clocks.ts';
import type { InnerPair } from './inner/pair.ts';
import type { KeySet } from './key-set.ts';
import { type MergedExchange, mergeExchanges, type View } from './merge.ts';
import { isNoise } from './noise.ts';
import type { OneWay } from './one-way.ts';
import type { Seen, Session, Silence, Timeline } from './timeline.ts';
import { type At, type Vantage, VantageMap } from './vantage.ts';

/** Capture after an initiation before its silence means anything: REKEY_TIMEOUT and a second (wp §6.4). */
export const SILENCE_AFTER_MS = 6000;
/** Initiations further apart than this are not retries of each other: a retry follows after 5.0 to 5.34 s. */
export const ATTEMPT_GAP_MS = 20_000;

export type Outcome =
  /** one of its exchanges was confirmed by data */
  | 'established'
  /** the same two ends were confirmed by another handshake meanwhile, as when both begin at once */
  | 'parallel'
  /** it failed, and a later one succeeded */
  | 'recovered'
  /** the capture ends before silence means anything */
  | 'open'
  | 'failed';

/** Initiations of one end to the other, from the first to the one that succeeds or the last retry. */
export interface Attempt {
  readonly tunnel: Tunnel;
  readonly exchanges: MergedExchange[];
  /** Whether any exchange of it was confirmed, and what happened otherwise. */
  outcome: Outcome;
  /** Id of the initiating end. */
  readonly initiator: string;
  /** The exchange that established the tunnel, in it or after it. */
  established: MergedExchange | undefined;
  /** The latest confirmed exchange of the tunnel before it began. */
  before: MergedExchange | undefined;
}

export interface SessionView {
  readonly session: Session;
  readonly timeline: Timeline;
  /** Which end is local. */
  readonly localName: string | undefined;
}

/** Two ends, over all captures. */
export interface Tunnel {
  readonly id: string;
  readonly exchanges: MergedExchange[];
  readonly attempts: Attempt[];
  readonly sessions: SessionView[];
  readonly silences: {
    readonly silence: Silence;
    readonly timeline: Timeline;
    readonly localName: string | undefined;
  }[];
  readonly inner: InnerView[];
  readonly oneWays: {
    readonly oneWay: OneWay;
    readonly timeline: Timeline;
    readonly localName: string | undefined;
  }[];
}

/** What the keys open of a tunnel's data in one capture. */
export interface InnerView {
  readonly inner: InnerPair;
  readonly timeline: Timeline;
  readonly localName: string | undefined;
}

export type Coverage = 'bracketed' | 'presumed' | 'empty' | 'outside';

export interface World {
  readonly timelines: readonly Timeline[];
  readonly keys: KeySet;
  readonly tunnels: readonly Tunnel[];
  /** Those of them that are none: see {@link isNoise}. */
  readonly noise: readonly Tunnel[];
  readonly exchanges: readonly MergedExchange[];
  readonly clocks: readonly ClockOffset[];
  readonly vantages: ReadonlyMap<string, VantageMap>;
  readonly at: ReadonlyMap<string, At>;
  /** A moment of one capture in the clock of another, and how far that may be off, nanoseconds. */
  translate(moment: Time, from: string, to: string): { readonly time: Time; readonly slackNs: bigint } | undefined;
  /** Was `timeline` running at this moment of capture `from`? */
  covers(timeline: Timeline, moment: Time, from: string): Coverage;
}

export function buildWorld(timelines: readonly Timeline[], keys: KeySet, at: ReadonlyMap<string, At>): World {
  const vantages = new Map(timelines.map((t) => [t.capture, new VantageMap(t, at.get(t.capture))]));
  const vantageOf = (t: Timeline, e: { pair: string; initiatorName: string }): Vantage =>
    vantages.get(t.capture)?.of(e.pair, e.initiatorName) ?? 'unknown';
  const exchanges = mergeExchanges(timelines, vantageOf);
  const clocks: ClockOffset[] = [];
  for (const [i, from] of timelines.entries()) {
    for (const to of timelines.slice(i + 1)) {
      const offset = clockOffset(from, to, exchanges);
      if (offset !== undefined) clocks.push(offset);
    }
  }
  const base = { timelines, keys, exchanges, clocks, vantages, at };
  const translate: World['translate'] = (moment, from, to) => translateTime(clocks, moment, from, to);
  const reference = (view: View | undefined): Time => {
    const seen = view?.exchange.initiation ?? view?.exchange.responses[0]?.seen;
    if (view === undefined || seen === undefined) return { sec: 0, nsec: 0 };
    const first = timelines[0]?.capture ?? view.timeline.capture;
    return translate(seen.at.time, view.timeline.capture, first)?.time ?? seen.at.time;
  };
  for (const { views } of exchanges) views.sort(byPath);
  exchanges.sort((a, b) => compareTime(reference(a.views[0]), reference(b.views[0])));
  const tunnels = buildTunnels(timelines, exchanges, vantages, reference);
  const covers: World['covers'] = (timeline, moment, from) => {
    if (timeline.frames === 0) return 'empty';
    const there = translate(moment, from, timeline.capture);
    if (there !== undefined)
      return brackets(timeline, there.time, there.slackNs + 100_000_000n) ? 'bracketed' : 'outside';
    return brackets(timeline, moment, 0n) ? 'presumed' : 'outside';
  };
  return { ...base, tunnels, noise: tunnels.filter(isNoise), translate, covers };
}

const RANK: Readonly<Record<Vantage, number>> = { initiator: 0, between: 1, unknown: 1, responder: 2 };

/** From the initiator to the responder: where it was taken if known, else by the hops the initiation has made. */
function byPath(a: View, b: View): number {
  const rank = RANK[a.vantage] - RANK[b.vantage];
  if (rank !== 0 && a.vantage !== 'unknown' && b.vantage !== 'unknown') return rank;
  const ttl = (b.exchange.initiation?.ttl ?? 0) - (a.exchange.initiation?.ttl ?? 0);
  return ttl === 0 ? rank : ttl;
}

function translateTime(clocks: readonly ClockOffset[], moment: Time, from: string, to: string) {
  if (from === to) return { time: moment, slackNs: 0n };
  for (const clock of clocks) {
    const best = bestOffset(clock);
    if (best === undefined) continue;
    if (clock.from === from && clock.to === to) return { time: addNs(moment, best.ns), slackNs: best.slack };
    if (clock.from === to && clock.to === from) return { time: addNs(moment, -best.ns), slackNs: best.slack };
  }
  return undefined;
}

/** Joins names of one end over captures. */
class Ends {
  private readonly parent = new Map<string, string>();

  find(node: string): string {
    let root = node;
    for (let up = this.parent.get(root); up !== undefined; up = this.parent.get(root)) root = up;
    return root;
  }

  join(a: string, b: string): void {
    const ra = this.find(a);
    const rb = this.find(b);
    if (ra !== rb) this.parent.set(rb, ra);
  }
}

const node = (capture: string, name: string): string => `${capture}|${name}`;

function buildTunnels(
  timelines: readonly Timeline[],
  exchanges: readonly MergedExchange[],
  vantages: ReadonlyMap<string, VantageMap>,
  reference: (view: View | undefined) => Time,
): Tunnel[] {
  const ends = new Ends();
  for (const { views } of exchanges) {
    const [first, ...rest] = views;
    if (first === undefined) continue;
    for (const { exchange } of rest) {
      ends.join(
        node(first.exchange.capture, first.exchange.initiatorName),
        node(exchange.capture, exchange.initiatorName),
      );
      ends.join(
        node(first.exchange.capture, first.exchange.responderName),
        node(exchange.capture, exchange.responderName),
      );
    }
  }
  const tunnels = new Map<string, Tunnel>();
  const tunnelOf = (capture: string, pair: string): Tunnel => {
    const [a = '', b = ''] = pair.split(' ~ ');
    const id = [ends.find(node(capture, a)), ends.find(node(capture, b))].sort().join(' ~ ');
    let tunnel = tunnels.get(id);
    if (tunnel === undefined) {
      tunnel = { id, exchanges: [], attempts: [], sessions: [], silences: [], inner: [], oneWays: [] };
      tunnels.set(id, tunnel);
    }
    return tunnel;
  };
  for (const merged of exchanges) {
    const view = merged.views[0];
    if (view !== undefined) tunnelOf(view.exchange.capture, view.exchange.pair).exchanges.push(merged);
  }
  for (const timeline of timelines) {
    const local = (pair: string) => vantages.get(timeline.capture)?.local(pair).name;
    for (const session of timeline.sessions) {
      tunnelOf(timeline.capture, session.pair).sessions.push({ session, timeline, localName: local(session.pair) });
    }
    for (const silence of timeline.silences) {
      tunnelOf(timeline.capture, silence.pair).silences.push({ silence, timeline, localName: local(silence.pair) });
    }
    for (const oneWay of timeline.oneWays) {
      tunnelOf(timeline.capture, oneWay.pair).oneWays.push({ oneWay, timeline, localName: local(oneWay.pair) });
    }
    for (const inner of timeline.inner.values()) {
      tunnelOf(timeline.capture, inner.pair).inner.push({ inner, timeline, localName: local(inner.pair) });
    }
  }
  const all = [...tunnels.values()];
  for (const tunnel of all) collectAttempts(tunnel, ends, reference);
  return all;
}

function collectAttempts(tunnel: Tunnel, ends: Ends, reference: (view: View | undefined) => Time): void {
  const latest = new Map<string, Attempt>();
  let before: MergedExchange | undefined;
  for (const merged of tunnel.exchanges) {
    const view = merged.views[0];
    if (view === undefined || initiationOf(merged) === undefined) {
      if (isConfirmed(merged)) before = merged;
      continue;
    }
    const initiator = ends.find(node(view.exchange.capture, view.exchange.initiatorName));
    let attempt = latest.get(initiator);
    const previous = attempt?.exchanges.at(-1);
    const gap =
      previous === undefined ? Number.POSITIVE_INFINITY : msBetween(reference(previous.views[0]), reference(view));
    if (attempt === undefined || previous === undefined || gap > ATTEMPT_GAP_MS || isConfirmed(previous)) {
      attempt = { tunnel, exchanges: [], outcome: 'failed', initiator, established: undefined, before };
      tunnel.attempts.push(attempt);
      latest.set(initiator, attempt);
    }
    attempt.exchanges.push(merged);
    if (isConfirmed(merged)) before = merged;
  }
  const successes = tunnel.exchanges
    .filter(isConfirmed)
    .map((merged) => ({ merged, time: reference(merged.views[0]) }));
  for (const attempt of tunnel.attempts) decideOutcome(attempt, successes, reference);
}

interface Success {
  readonly merged: MergedExchange;
  readonly time: Time;
}

/** How much earlier a parallel handshake may have begun and still be this attempt's rescue. */
const PARALLEL_MS = 1000;

/** `successes` in order of time. */
function decideOutcome(
  attempt: Attempt,
  successes: readonly Success[],
  reference: (view: View | undefined) => Time,
): void {
  const inside = attempt.exchanges.find(isConfirmed);
  if (inside !== undefined) {
    attempt.outcome = 'established';
    attempt.established = inside;
    return;
  }
  const first = reference(attempt.exchanges[0]?.views[0]);
  const last = reference(attempt.exchanges.at(-1)?.views[0]);
  const next = successes[countBefore(successes, ({ time }) => msBetween(first, time) >= -PARALLEL_MS)];
  if (next !== undefined) {
    attempt.established = next.merged;
    attempt.outcome = msBetween(last, next.time) <= SILENCE_AFTER_MS ? 'parallel' : 'recovered';
    return;
  }
  if (begunUnseen(attempt)) {
    attempt.outcome = 'established';
    attempt.established = attempt.exchanges.at(-1);
    return;
  }
  // a live initiator retries after five seconds: one that does not was answered unseen, or was stopped
  const retried = attempt.exchanges.length > 1 && !stillAlive(attempt);
  attempt.outcome = retried && attempt.exchanges.some(({ views }) => views.some(silenceMeans)) ? 'failed' : 'open';
}

/** Both ends still send data of an older session after the last initiation: nothing has failed yet. */
function stillAlive({ tunnel, exchanges }: Attempt): boolean {
  return tunnel.sessions.some(({ session, timeline }) => {
    const last = exchanges.findLast(({ views }) => views.some((view) => view.timeline === timeline));
    const seen = last?.views.find((view) => view.timeline === timeline)?.exchange.initiation;
    const { toInitiator, toResponder } = session;
    if (seen === undefined || toInitiator === undefined || toResponder === undefined) return false;
    return [toInitiator, toResponder].every((half) => msBetween(seen.at.time, half.last.time) > 0);
  });
}

/** How soon after its last initiation an initiator that was answered sends its first data. */
const FIRST_DATA_MS = 10_000;

/** Data from counter 0 on, of a session without a handshake here: the answer came by a way that was not captured. */
function begunUnseen({ tunnel, exchanges }: Attempt): boolean {
  const last = exchanges.at(-1);
  return tunnel.sessions.some(({ session, timeline }) => {
    const view = last?.views.find((v) => v.timeline === timeline);
    const seen = view?.exchange.initiation;
    const half = session.exchange === undefined ? session.toResponder : undefined;
    if (view === undefined || seen === undefined || half === undefined || half.runs.low !== 0) return false;
    const after = msBetween(seen.at.time, half.first.time);
    return half.sender.text === seen.from.text && after >= 0 && after <= FIRST_DATA_MS;
  });
}

/** Enough capture after the initiation for its silence to mean something. */
export function silenceMeans({ exchange, timeline }: View): boolean {
  const { initiation } = exchange;
  if (initiation === undefined || timeline.until === undefined || !timeline.timed) return false;
  return msBetween(initiation.at.time, timeline.until) >= SILENCE_AFTER_MS;
}

/** Data to the responder's index, or from the responder, in any capture: the initiator took a response. */
export function isConfirmed({ views }: MergedExchange): boolean {
  return views.some(({ exchange }) => exchange.confirmed !== undefined || exchange.replied !== undefined);
}

export function isAnswered({ views }: MergedExchange): boolean {
  return views.some(({ exchange }) => exchange.responses.length > 0);
}

/** The initiation as the capture nearest to the initiator saw it. */
export function initiationOf({ views }: MergedExchange): Seen | undefined {
  for (const { exchange } of views) if (exchange.initiation !== undefined) return exchange.initiation;
  return undefined;
}
