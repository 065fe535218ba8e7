/** An unanswered initiation with a date that looks wrong, while the greater one is not in the capture. */

import type { InitiationSight } from '../../analyze/sight.ts';
import { initiationOf } from '../../analyze/world.ts';
import { equal } from '../../base/bytes.ts';
import { msBetween } from '../../base/time.ts';
import { compareTai64n, describeTai64n, type Tai64n } from '../../wg/tai64n.ts';
import { dateText, initiationFrames, sightAtResponder, spanText, subjectOf, unanswered } from '../evidence.ts';
import { clockNotes } from '../host-notes.ts';
import { defineRule } from '../rule.ts';

const YEAR_2018 = 1_514_764_800;
const BEHIND_MS = 60_000;

export const timestampSuspect = defineRule({
  name: 'timestamp-suspect',
  severity: 'warning',
  on: 'attempt',
  group: 'wire',
  fromSilence: true,
  spec: 'wp §5.1',
  hides: ['clock-skew'],
  explain: {
    what: 'unanswered initiations carry a timestamp far behind the time of the capture, or from before WireGuard was in the kernel',
    why: 'if the responder has accepted a later timestamp from this key before the capture began, it drops these as replays',
    fix: 'set the initiator’s clock, or make the responder forget the peer (remove and add it); a capture that holds the last good handshake would prove it',
  },
  check(attempt, world) {
    const before = attempt.before === undefined ? undefined : sightAtResponder(attempt.before);
    const suspicious = unanswered(attempt).filter((merged) => {
      const sight = sightAtResponder(merged);
      const seen = initiationOf(merged);
      if (sight?.timestamp === undefined || seen === undefined || sight.verdict.kind === 'refused') return false;
      if (before !== undefined && acceptedLess(before, sight.identity, sight.timestamp)) return false;
      const { time } = describeTai64n(sight.timestamp, seen.at.time);
      return time.sec < YEAR_2018 || msBetween(time, seen.at.time) >= BEHIND_MS;
    });
    const [first] = suspicious;
    const seen = first === undefined ? undefined : initiationOf(first);
    const timestamp = first === undefined ? undefined : sightAtResponder(first)?.timestamp;
    if (seen === undefined || timestamp === undefined) return undefined;
    const { time } = describeTai64n(timestamp, seen.at.time);
    return {
      facts: { timestamp: dateText(time), behind: spanText(msBetween(time, seen.at.time)), from: seen.from.text },
      certainty: 'suspected',
      frames: initiationFrames(suspicious),
      subject: subjectOf(attempt),
      notes: [
        'a constant skew alone does no harm: it matters only if the responder has accepted a later timestamp of this key before',
        ...clockNotes(world, first === undefined ? undefined : sightAtResponder(first)?.identity),
      ],
      missing: [
        {
          key: 'a capture that begins before the last working handshake',
          wouldSettle: 'whether a greater timestamp was accepted',
        },
      ],
    };
  },
  message: ({ timestamp, behind, from }) =>
    `the initiations from ${from} are stamped ${timestamp}, ${behind} behind the capture: the responder drops them if it has accepted a later one`,
  fix: () => ({
    linux: [
      'on the initiator: timedatectl set-ntp true',
      'on the responder, so that it forgets: remove and add the peer',
    ],
    routeros: ['on the initiator: /system clock print; /system ntp client set enabled=yes servers=…'],
  }),
});

/** The tunnel began with a lesser timestamp of this key: the one that the responder holds is no reason to refuse this one. */
function acceptedLess(before: InitiationSight, identity: InitiationSight['identity'], timestamp: Tai64n): boolean {
  if (before.identity === undefined || identity === undefined || before.timestamp === undefined) return false;
  return equal(before.identity, identity) && compareTai64n(before.timestamp, timestamp) < 0;
}
