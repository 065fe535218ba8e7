/** It works, dies, and works again, with a period. */

import type { MergedExchange } from '../../analyze/merge.ts';
import { type Attempt, initiationOf, isConfirmed, type Tunnel } from '../../analyze/world.ts';
import { msBetween } from '../../base/time.ts';
import { crossedExchanges } from '../crossings.ts';
import { initiationFrames, spanText, tunnelSubject } from '../evidence.ts';
import { defineRule } from '../rule.ts';

/** An outage is more than one lost packet. */
const LOST_TO_COUNT = 2;
/** Periods may differ by this much of themselves: retries come every five seconds. */
const TOLERANCE = 0.2;
const APART_MS = 60_000;
/** Two give one interval: nothing has repeated. */
const PERIODIC = 3;

export const handshakeLostPeriodically = defineRule({
  name: 'handshake-lost-periodically',
  severity: 'error',
  on: 'tunnel',
  group: 'wire',
  hides: [
    'rekey-failed',
    'no-response',
    'responder-silent',
    'peer-restarted',
    'peer-went-away',
    'nat-mapping-expired',
    'handshake-retried',
  ],
  explain: {
    what: 'handshakes of a working tunnel go unanswered again and again, and succeed in between',
    why: 'something in the path drops them from time to time: a stale or overlapping firewall rule, a scheduler, an address list that fills and empties, a state timeout',
    fix: 'look for what happens with that period: firewall rules with time or connection limits, scripts, a second uplink, a scheduler on a router',
  },
  check(tunnel) {
    const outages = collectOutages(tunnel);
    if (outages.length < 2) return undefined;
    const starts = outages.map(({ at }) => at.time);
    const gaps: number[] = [];
    for (const [i, start] of starts.entries()) {
      const before = starts[i - 1];
      if (before !== undefined) gaps.push(msBetween(before, start));
    }
    const mean = gaps.reduce((a, b) => a + b, 0) / gaps.length;
    if (mean < APART_MS || gaps.some((gap) => Math.abs(gap - mean) > TOLERANCE * mean)) return undefined;
    const first = outages[0];
    const periodic = outages.length >= PERIODIC;
    return {
      facts: {
        outages: outages.length,
        period: spanText(mean),
        periodSeconds: Math.round(mean / 1000),
        first: first?.id ?? '',
      },
      certainty: periodic ? 'deduced' : 'suspected',
      // the tunnel was dead twice and came back twice: it costs, and there is no period in one interval
      ...(periodic ? {} : { severity: 'warning' as const }),
      frames: outages.flatMap(({ frames }) => frames),
      subject: tunnelSubject(tunnel),
      notes: periodic ? [] : ['two outages give one interval only: a longer capture would show whether it repeats'],
      missing: [
        {
          key: 'captures on both sides of the router that is suspected',
          wouldSettle: 'which device drops the packets',
        },
      ],
    };
  },
  message: ({ outages, period }) => `the tunnel works, goes dead and works again: ${outages} outages, ${period} apart`,
  fix: () => ({
    linux: ['on routers between: nft list ruleset | grep -e limit -e meter -e hour; crontab -l; systemctl list-timers'],
    routeros: [
      '/ip firewall filter print stats where chain=input or chain=forward: stale, overlapping or time-limited rules',
      '/system scheduler print; /ip firewall address-list print where dynamic',
    ],
  }),
});

interface Outage {
  readonly id: string;
  readonly at: { readonly time: { sec: number; nsec: number } };
  readonly frames: ReturnType<typeof initiationFrames>;
}

/**
 * Lost attempts of both ends that overlap are one outage; it counts when the tunnel worked before and after it. What
 * crosses is forgotten by its own sender: no path dropped it.
 */
function collectOutages(tunnel: Tunnel): Outage[] {
  const crossed = crossedExchanges(tunnel);
  const isLost = (merged: MergedExchange): boolean => !isConfirmed(merged) && !crossed.has(merged);
  const lost = tunnel.attempts
    .map((attempt) => ({ attempt, lost: attempt.exchanges.filter(isLost) }))
    .filter(
      ({ attempt, lost: list }) =>
        list.length >= LOST_TO_COUNT && attempt.before !== undefined && attempt.established !== undefined,
    );
  const out: (Outage & { end: { sec: number; nsec: number } })[] = [];
  for (const { attempt, lost: list } of lost) {
    const first = list[0] === undefined ? undefined : initiationOf(list[0]);
    const last = lastOf(attempt);
    if (first === undefined || last === undefined) continue;
    const previous = out.at(-1);
    if (previous !== undefined && msBetween(previous.end, first.at.time) < APART_MS / 2) {
      previous.end = msBetween(previous.end, last) > 0 ? last : previous.end;
      continue;
    }
    out.push({ id: list[0]?.id ?? '', at: first.at, frames: initiationFrames(list.slice(0, 3)), end: last });
  }
  return out;
}

function lastOf(attempt: Attempt) {
  const last = attempt.exchanges.at(-1);
  return last === undefined ? undefined : initiationOf(last)?.at.time;
}
