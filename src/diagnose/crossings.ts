/** Crossing initiations: both ends began within one round trip, so each took the other's and forgot its own. */

import type { MergedExchange } from '../analyze/merge.ts';
import { type Attempt, isConfirmed, type Tunnel } from '../analyze/world.ts';
import { oncePer } from '../base/once-per.ts';
import { msBetween } from '../base/time.ts';

/** A round trip of more than this and the two are no crossing. */
const ROUND_TRIP_MS = 3000;
/** Exchanges after one that are looked at: more do not fit into a round trip. */
const NEAREST = 4;

export interface Crossing {
  readonly a: MergedExchange;
  readonly b: MergedExchange;
}

/** Two initiations in opposite directions, the second sent before the answer to the first was seen; neither was confirmed. */
export const findCrossings = oncePer<Tunnel, readonly Crossing[]>(collect);

/** Exchanges whose initiation met one of the other end: their silence needs no other reason. */
export const crossedExchanges = oncePer<Tunnel, ReadonlySet<MergedExchange>>(
  (tunnel) => new Set(findCrossings(tunnel).flatMap(({ a, b }) => [a, b])),
);

/** Every initiation of it did. */
export function onlyCrossings({ tunnel, exchanges }: Attempt): boolean {
  const crossed = crossedExchanges(tunnel);
  return crossed.size > 0 && exchanges.every((merged) => crossed.has(merged));
}

function collect(tunnel: Tunnel): Crossing[] {
  const out: Crossing[] = [];
  const ends = new Map(
    tunnel.attempts.flatMap((attempt) => attempt.exchanges.map((merged) => [merged, attempt.initiator] as const)),
  );
  // exchanges are in order of time, so only the nearest few can cross
  for (const [i, a] of tunnel.exchanges.entries()) {
    for (const b of tunnel.exchanges.slice(i + 1, i + 1 + NEAREST)) {
      const [x, y] = [ends.get(a), ends.get(b)];
      if (x !== undefined && y !== undefined && x !== y && crosses(a, b)) out.push({ a, b });
    }
  }
  return out;
}

function crosses(a: MergedExchange, b: MergedExchange): boolean {
  if (isConfirmed(a) && isConfirmed(b)) return false;
  return a.views.some(({ exchange: x, timeline }) => {
    const y = b.views.find((view) => view.timeline === timeline)?.exchange;
    if (x.initiation === undefined || y?.initiation === undefined) return false;
    const [first, second] = msBetween(x.initiation.at.time, y.initiation.at.time) >= 0 ? [x, y] : [y, x];
    const gap =
      first.initiation === undefined || second.initiation === undefined
        ? Number.POSITIVE_INFINITY
        : msBetween(first.initiation.at.time, second.initiation.at.time);
    const answer = first.responses[0]?.seen;
    const before =
      answer === undefined || second.initiation === undefined
        ? answer !== undefined
        : msBetween(second.initiation.at.time, answer.at.time) >= 0;
    return gap <= ROUND_TRIP_MS && before;
  });
}
