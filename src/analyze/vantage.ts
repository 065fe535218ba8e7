/** Where a capture was taken, from the packets themselves and never from which files came with it. */
import { msBetween } from '../base/time.ts';
import type { Exchange, PairId, SenderStats, Timeline } from './timeline.ts';

export type Vantage = 'initiator' | 'responder' | 'between' | 'unknown';
/** What the operator said. */
export type At = Exclude<Vantage, 'unknown'>;

type Locality = 'local' | 'maybe' | 'remote' | 'forwarded' | 'unseen';

/** Direction flags decide; a TTL exactly as hosts send it is a hint, any other a hop. */
function locality(stats: SenderStats | undefined): Locality {
  if (stats === undefined || stats.packets === 0) return 'unseen';
  if (stats.forwarded > 0 || (stats.in > 0 && stats.out > 0)) return 'forwarded';
  if (stats.out > 0) return 'local';
  if (stats.in > 0) return 'remote';
  return stats.initialTtl === stats.packets ? 'maybe' : 'remote';
}

export interface Local {
  /** Canonical name of the end that the capture was taken at. */
  readonly name: string | undefined;
  readonly between: boolean;
  readonly because: string;
}

const UNKNOWN: Local = {
  name: undefined,
  between: false,
  because: 'nothing in the packets shows where this was captured',
};

/** Two TTLs as sent decide nothing: one of the hosts is local, or both are neighbours of a router. */
export function inferLocal(
  a: { name: string; stats: SenderStats | undefined },
  b: { name: string; stats: SenderStats | undefined },
): Local {
  const la = locality(a.stats);
  const lb = locality(b.stats);
  if (la === 'forwarded' || lb === 'forwarded') {
    return { name: undefined, between: true, because: 'the same datagrams are seen coming in and going out' };
  }
  for (const [mine, theirs, name] of [
    [la, lb, a.name],
    [lb, la, b.name],
  ] as const) {
    if (mine === 'local' && theirs !== 'local')
      return { name, between: false, because: `packets from ${name} are marked as outgoing` };
  }
  for (const [mine, theirs, name] of [
    [la, lb, a.name],
    [lb, la, b.name],
  ] as const) {
    if (mine === 'maybe' && theirs === 'remote') {
      return {
        name,
        between: false,
        because: `packets from ${name} still have the TTL they were sent with, those to it have not`,
      };
    }
  }
  if (la === 'remote' && lb === 'remote') {
    return { name: undefined, between: true, because: 'packets of both ends have passed a router' };
  }
  return UNKNOWN;
}

/** Which end of each pair of a capture is local: inferred, or as `at` says of the end that initiates. */
export class VantageMap {
  private readonly locals = new Map<PairId, Local>();

  constructor(timeline: Timeline, at: At | undefined) {
    const byPair = new Map<PairId, Exchange[]>();
    for (const exchange of timeline.exchanges) {
      const list = byPair.get(exchange.pair);
      if (list === undefined) byPair.set(exchange.pair, [exchange]);
      else list.push(exchange);
    }
    const statsOf = mergedStats(timeline);
    for (const [pair, exchanges] of byPair) {
      const [a = '', b = ''] = pair.split(' ~ ');
      const inferred = inferLocal({ name: a, stats: statsOf.get(a) }, { name: b, stats: statsOf.get(b) });
      this.locals.set(pair, at === undefined ? inferred : told(at, exchanges, inferred));
    }
    for (const pair of timeline.directions.keys()) {
      if (this.locals.has(pair)) continue;
      const [a = '', b = ''] = pair.split(' ~ ');
      const inferred = inferLocal({ name: a, stats: statsOf.get(a) }, { name: b, stats: statsOf.get(b) });
      this.locals.set(pair, at === 'between' ? TOLD_BETWEEN : inferred);
    }
  }

  local(pair: PairId): Local {
    return this.locals.get(pair) ?? UNKNOWN;
  }

  of(pair: PairId, initiatorName: string): Vantage {
    const { name, between } = this.local(pair);
    if (between) return 'between';
    if (name === undefined) return 'unknown';
    return name === initiatorName ? 'initiator' : 'responder';
  }

  /** One word for the whole capture, as the report says it. */
  summary(timeline: Timeline): Vantage {
    const seen = new Set(timeline.exchanges.map((exchange) => this.of(exchange.pair, exchange.initiatorName)));
    const [only] = seen;
    return seen.size === 1 && only !== undefined ? only : 'unknown';
  }
}

const TOLD_BETWEEN: Local = { name: undefined, between: true, because: 'as --at says' };

/** `at` names the role of this end; where both ends initiate, the packets may say which end it is. */
function told(at: At, exchanges: readonly Exchange[], inferred: Local): Local {
  if (at === 'between') return TOLD_BETWEEN;
  const because = 'as --at says';
  // the operator names the host by its usual part; packets that show which end is local decide who that is here
  if (inferred.name !== undefined) return { ...inferred, because };
  const first = exchanges.reduce((a, b) => (msBetween(timeOf(a), timeOf(b)) < 0 ? b : a));
  return { name: at === 'initiator' ? first.initiatorName : first.responderName, between: false, because };
}

function timeOf(exchange: Exchange) {
  const seen = exchange.initiation ?? exchange.responses[0]?.seen;
  return seen?.at.time ?? { sec: 0, nsec: 0 };
}

/** By raw endpoint text, which for the first address of an end is its canonical name; NAT views are folded in. */
function mergedStats(timeline: Timeline): Map<string, SenderStats> {
  const out = new Map<string, SenderStats>();
  for (const [text, stats] of timeline.senders) {
    const name = timeline.duplicates.nat.get(text) ?? text;
    const known = out.get(name);
    if (known === undefined) {
      out.set(name, { ...stats });
      continue;
    }
    known.packets += stats.packets;
    known.in += stats.in;
    known.out += stats.out;
    known.initialTtl += stats.initialTtl;
    known.badChecksum += stats.badChecksum;
    known.forwarded += stats.forwarded;
  }
  return out;
}
