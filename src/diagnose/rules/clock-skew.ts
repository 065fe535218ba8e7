/** The initiator's clock differs from the capture's, and handshakes succeed all the same. */

import { initiationOf } from '../../analyze/world.ts';
import { describeTai64n } from '../../wg/tai64n.ts';
import { spanText, subjectOf } from '../evidence.ts';
import { defineRule } from '../rule.ts';

/** Less is the delay of packets and the whitening of timestamps. */
const SKEW_MS = 60_000;

export const clockSkew = defineRule({
  name: 'clock-skew',
  severity: 'info',
  on: 'attempt',
  group: 'wire',
  spec: 'wp §5.1',
  explain: {
    what: 'the timestamp in the initiation differs from the time of the capture, and the handshake succeeds',
    why: 'the responder compares timestamps of one key with each other and never with its own clock: a constant skew is harmless',
    fix: 'nothing has to be done; a clock that later goes back (a reboot without a battery) would be refused',
  },
  check(attempt) {
    const merged = attempt.established;
    if (merged === undefined || attempt.outcome !== 'established') return undefined;
    const seen = initiationOf(merged);
    const timestamp = merged.views.map(({ exchange }) => exchange.sight?.timestamp).find((t) => t !== undefined);
    if (seen === undefined || timestamp === undefined) return undefined;
    const { offsetMs } = describeTai64n(timestamp, seen.at.time);
    if (offsetMs === undefined || Math.abs(offsetMs) < SKEW_MS || seen.at.time.sec === 0) return undefined;
    return {
      facts: { skew: spanText(offsetMs), ahead: offsetMs > 0, from: seen.from.text },
      certainty: 'proven',
      frames: [seen.at],
      subject: subjectOf(attempt),
    };
  },
  message: ({ skew, ahead, from }) =>
    `the clock of ${from} is ${skew} ${ahead ? 'ahead of' : 'behind'} the capture’s, which is harmless: only going back would matter`,
});
