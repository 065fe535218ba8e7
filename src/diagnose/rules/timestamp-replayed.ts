/** A fresh initiation whose TAI64N is not greater than one the responder has accepted: the initiator's clock went back. */

import type { Seen } from '../../analyze/timeline.ts';
import { initiationOf, isAnswered, silenceMeans, type World } from '../../analyze/world.ts';
import { toBase64 } from '../../base/base64.ts';
import { formatTime, msBetween } from '../../base/time.ts';
import { compareTai64n, describeTai64n, type Tai64n } from '../../wg/tai64n.ts';
import { dateText, initiationFrames, keyLabel, refusedAs, spanText, subjectOf } from '../evidence.ts';
import { clockNotes } from '../host-notes.ts';
import { defineRule } from '../rule.ts';

/** Messages of one burst may overtake each other; a clock that went back keeps doing so. */
const REORDERING_MS = 1000;
const YEAR_2018 = 1_514_764_800;

export const timestampReplayed = defineRule({
  name: 'timestamp-replayed',
  severity: 'error',
  on: 'attempt',
  group: 'wire',
  spec: 'wp §5.1',
  hides: [
    'no-response',
    'responder-silent',
    'rekey-failed',
    'peer-restarted',
    'clock-skew',
    'timestamp-suspect',
    'duplicate-identity',
    'handshake-lost-periodically',
  ],
  explain: {
    what: 'a new initiation carries a timestamp that is not greater than the greatest one accepted from the same key',
    why: 'the responder keeps the greatest timestamp per peer, in memory, until the peer is removed or the interface restarts; anything not greater is a replay to it. It never reads its own clock: any constant skew is harmless, only going back is not',
    fix: 'set the initiator’s clock (NTP outside the tunnel, a battery), or make the responder forget: remove and add the peer, or restart its interface',
  },
  check(attempt, world) {
    const { refused, sight } = refusedAs(attempt, 'timestamp-replayed');
    const [first] = refused;
    const seen = first === undefined ? undefined : initiationOf(first);
    const drop =
      sight?.verdict.kind === 'refused' && sight.verdict.drop.kind === 'timestamp-replayed'
        ? sight.verdict.drop
        : undefined;
    if (first === undefined || seen === undefined || drop === undefined || sight?.mac1.kind !== 'known')
      return undefined;
    const accepted = acceptedWith(world, drop.greatest);
    const apart = accepted === undefined ? Number.POSITIVE_INFINITY : msBetween(accepted.at.time, seen.at.time);
    if (refused.length < 2 && (apart < REORDERING_MS || !first.views.some(silenceMeans))) return undefined;
    const received = describeTai64n(drop.received, seen.at.time);
    const greatest = describeTai64n(drop.greatest, accepted?.at.time);
    const back = msBetween(received.time, greatest.time);
    const notes = [
      `TAI64N ${received.label}: ${dateText(received.time)} by the ${received.base === 37 ? '+37' : '+10'} s base, ${received.whitened ? 'whitened as the kernel and wireguard-go do' : 'not whitened'}`,
      `the greatest one accepted before was ${dateText(greatest.time)}${accepted === undefined ? '' : ` (frame ${accepted.at.frame})`}`,
      'the responder goes on refusing until the initiator’s clock has passed that moment, or until it forgets the peer',
    ];
    notes.push(...clockNotes(world, sight.identity));
    if (received.time.sec < YEAR_2018)
      notes.push('such a date is what a device shows that starts without a battery-backed clock');
    if (received.base !== greatest.base && Math.abs(back) < 30_000) {
      notes.push(
        'the two timestamps have different bases (+10 and +37 s): the same key moved from one implementation family to another',
      );
    }
    if (attempt.outcome === 'parallel' || attempt.outcome === 'recovered') {
      const other = attempt.established === undefined ? undefined : initiationOf(attempt.established);
      notes.push(
        other !== undefined && other.from.text !== seen.from.text
          ? 'the tunnel came back only because the other end began a handshake of its own: the fault is still there'
          : 'a later handshake succeeded',
      );
    }
    return {
      facts: {
        received: formatTime(received.time),
        greatest: formatTime(greatest.time),
        behind: spanText(back),
        initiator: keyLabelOf(world, sight.identity),
        initiatorKey: sight.identity === undefined ? null : toBase64(sight.identity),
        responder: keyLabel(sight.mac1.key),
        initiations: refused.length,
        from: seen.from.text,
      },
      certainty: 'proven',
      frames: [...initiationFrames(refused), ...(accepted === undefined ? [] : [accepted.at])],
      subject: subjectOf(attempt),
      notes,
      ruledOut: [
        { rule: 'wrong-responder-key', because: `MAC1 is right for ${keyLabel(sight.mac1.key)}` },
        { rule: 'unknown-initiator', because: 'the static key opens and is a configured peer' },
      ],
    };
  },
  message: ({ initiator, received, greatest, behind }) =>
    `the clock of ${initiator} went back: its initiations say ${received.slice(0, 19)}, ${behind} behind ${greatest.slice(0, 19)}, which the responder has already accepted, so it drops them as replays`,
  fix: ({ initiatorKey }) => ({
    linux: [
      'on the initiator: timedatectl set-ntp true, with a time server that is reached outside the tunnel',
      `or on the responder, so that it forgets: wg set INTERFACE peer ${initiatorKey ?? 'KEY'} remove`,
      'and to have the peer back: wg syncconf INTERFACE <(wg-quick strip INTERFACE)',
    ],
    routeros: [
      'on the initiator: /system ntp client set enabled=yes servers=… (reachable outside the tunnel)',
      `or on the responder: /interface wireguard peers disable [find public-key="${initiatorKey ?? '…'}"], then enable it again`,
    ],
  }),
});

/** The answered initiation that carried this timestamp. */
function acceptedWith(world: World, timestamp: Tai64n): Seen | undefined {
  for (const merged of world.exchanges) {
    if (!isAnswered(merged)) continue;
    for (const { exchange } of merged.views) {
      const other = exchange.sight?.timestamp;
      if (other !== undefined && compareTai64n(other, timestamp) === 0) return exchange.initiation;
    }
  }
  return undefined;
}

function keyLabelOf(world: World, identity: Parameters<World['keys']['find']>[0] | undefined): string {
  const known = identity === undefined ? undefined : world.keys.find(identity);
  return known === undefined ? 'the initiator' : keyLabel(known);
}
