/** Data in a session that is too old: no receiver takes it. */

import { indexText } from '../../analyze/merge.ts';
import { placesOf } from '../../analyze/session-pairs.ts';
import type { Half } from '../../analyze/timeline.ts';
import { addNs, compareTime, msBetween, type Time } from '../../base/time.ts';
import { REJECT_AFTER_TIME_MS } from '../../wg/constants.ts';
import { secondsOf } from '../data-evidence.ts';
import { defineRule, type Found } from '../rule.ts';

const STEPPED =
  'no end goes on in a session older than 180 s, and these two do, without a gap: durations across that moment are unknown';
/** The response lies this far behind the birth of the session at most, and timers tick. */
const SLACK_MS = 5000;

type Expired = {
  readonly index: string;
  readonly from: string;
  readonly ageSeconds: number;
  readonly runs: number;
  /** Both ends go on in it. */
  readonly both: boolean;
};

export const dataAfterExpiry = defineRule<'session', Expired>({
  name: 'data-after-expiry',
  severity: 'warning',
  on: 'session',
  group: 'wire',
  spec: 'wp §6.2',
  explain: {
    what: 'data of a session whose handshake is more than 180 seconds (REJECT_AFTER_TIME) ago',
    why: 'the receiver drops it in silence; a right sender would have begun a new handshake. Seen where a host slept and its clock for timers stood still, or with a faulty implementation',
    fix: 'update WireGuard on the sending end; on a laptop let the tunnel be restarted on resume',
  },
  check({ view }) {
    const begun = view.session.exchange?.responses[0]?.seen.at.time;
    if (begun === undefined || !view.timeline.timed) return undefined;
    const limit = addNs(begun, BigInt(REJECT_AFTER_TIME_MS + SLACK_MS) * 1_000_000n);
    const found: Found<Expired>[] = [];
    const halves = placesOf(view).map(({ half }) => half);
    const both = halves.length === 2 && halves.every((half) => goesOn(half, limit));
    for (const half of halves) {
      const late = half.runs.runs.filter(({ last }) => after(last.time, limit));
      const [one] = late;
      if (one === undefined) continue;
      found.push({
        facts: {
          index: indexText(half.index),
          from: half.sender.text,
          ageSeconds: secondsOf(msBetween(begun, half.last.time)),
          runs: late.length,
          both,
        },
        certainty: both ? 'suspected' : 'proven',
        ...(both ? { severity: 'info' as const } : {}),
        frames: late.slice(0, 12).map(({ last }) => last),
        subject: `session:${indexText(half.index)}`,
        ...(both ? { notes: [STEPPED] } : {}),
      });
    }
    return found;
  },
  message: ({ index, from, ageSeconds, both }) =>
    both
      ? `session ${index} seems to go on ${ageSeconds} s after its handshake, from ${from} and back: the clock of the capture was probably set meanwhile`
      : `${from} sends data in session ${index}, ${ageSeconds} s after its handshake: nobody takes that after 180 s`,
  fix: ({ both }) => (both ? {} : FIX),
});

const FIX = {
  linux: ['systemctl restart wg-quick@wg0 on the sending end; wg --version; modinfo wireguard | grep version'],
  routeros: [
    '/interface wireguard disable [find]; /interface wireguard enable [find]; /system package update check-for-updates',
  ],
};

/** It has late data, and none is missing between the last in time and the first that is late. */
function goesOn({ runs: { runs } }: Half, limit: Time): boolean {
  const first = runs.findIndex(({ last }) => after(last.time, limit));
  const run = runs[first];
  if (run === undefined) return false;
  return after(run.first.time, limit) ? runs[first - 1]?.high === run.low - 1 : true;
}

function after(time: Time, limit: Time): boolean {
  return compareTime(time, limit) > 0;
}
