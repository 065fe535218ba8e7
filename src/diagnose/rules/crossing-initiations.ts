/** Both ends begin at once: each takes the other's initiation and so forgets its own. */

import type { MergedExchange } from '../../analyze/merge.ts';
import { initiationOf, isConfirmed, type Tunnel } from '../../analyze/world.ts';
import { msBetween } from '../../base/time.ts';
import { type Crossing, findCrossings } from '../crossings.ts';
import { initiationFrames } from '../evidence.ts';
import { defineRule } from '../rule.ts';

const OFTEN = 5;

export const crossingInitiations = defineRule({
  name: 'crossing-initiations',
  severity: 'info',
  on: 'tunnel',
  group: 'wire',
  spec: 'wp §5.4.2',
  hides: ['session-unconfirmed', 'psk-mismatch', 'no-response', 'response-late', 'responder-silent'],
  explain: {
    what: 'both ends sent an initiation within one round trip',
    why: 'each end accepts the other’s initiation and thereby drops its own, so both responses find nobody; after answering, neither may begin again for five seconds. It recovers as soon as one end is first',
    fix: 'nothing has to be done when it recovers; when it keeps happening, let only one end have an Endpoint or a PersistentKeepalive',
  },
  check(tunnel) {
    const crossings = findCrossings(tunnel);
    const [one] = crossings;
    if (one === undefined) return undefined;
    const after = tunnel.exchanges.some((merged) => isConfirmed(merged) && isAfter(one.a, merged));
    const failed =
      tunnel.attempts.every(({ outcome }) => outcome === 'failed' || outcome === 'open') &&
      !tunnel.exchanges.some(isConfirmed);
    if (!after && !failed) {
      // the capture ends too early to say that it did not recover
      return tunnel.exchanges.some(isConfirmed) ? result(crossings, 'info', true) : undefined;
    }
    if (failed && crossings.length < 2) return undefined;
    return result(
      crossings,
      failed ? 'error' : longestStreak(tunnel, crossings) >= OFTEN ? 'warning' : 'info',
      !failed,
    );
  },
  message: ({ times, recovered }) =>
    recovered
      ? `both ends began a handshake at the same time${times === 1 ? '' : `, ${times} times`}: each forgot its own for the other’s, and one of them came through later`
      : `both ends begin their handshakes at the same time, ${times} times in this capture: each forgets its own for the other’s, and no session ever begins`,
  fix: () => ({
    linux: ['remove Endpoint (or PersistentKeepalive) on the end that can be reached: then only the other one begins'],
    routeros: [
      'on the end that can be reached: /interface wireguard peers set [find …] responder=yes (is-responder before 7.17)',
    ],
  }),
});

function result(crossings: readonly Crossing[], severity: 'info' | 'warning' | 'error', recovered: boolean) {
  return {
    facts: { times: crossings.length, recovered },
    certainty: 'deduced' as const,
    severity,
    frames: initiationFrames(crossings.flatMap(({ a, b }) => [a, b])),
    subject: `handshake:${crossings[0]?.a.id ?? ''}`,
  };
}

/** Crossings in a row, without a session in between: each for itself is over after five seconds. */
function longestStreak(tunnel: Tunnel, crossings: readonly Crossing[]): number {
  const first = new Set(crossings.map(({ a }) => a));
  let streak = 0;
  let longest = 0;
  for (const merged of tunnel.exchanges) {
    if (isConfirmed(merged)) streak = 0;
    if (first.has(merged)) longest = Math.max(longest, ++streak);
  }
  return longest;
}

function isAfter(first: MergedExchange, other: MergedExchange): boolean {
  const a = initiationOf(first);
  const b = initiationOf(other);
  return a !== undefined && b !== undefined && a !== b && msBetween(a.at.time, b.at.time) > 0;
}
