/** Twenty initiations, then silence: the initiator has given up until there is new data. */

import { initiationOf } from '../../analyze/world.ts';
import { msBetween } from '../../base/time.ts';
import { attemptSeconds, firstInitiation, initiationFrames, subjectOf } from '../evidence.ts';
import { defineRule } from '../rule.ts';

/** A retry comes after 5.0 to 5.34 s; two of them missing is not chance. */
const QUIET_MS = 11_000;

export const handshakeGaveUp = defineRule({
  name: 'handshake-gave-up',
  severity: 'info',
  on: 'attempt',
  group: 'wire',
  spec: 'wp §6.4',
  explain: {
    what: 'initiations were retried for about 100 seconds (kernel, wireguard-go) or 90 (boringtun family), then stopped',
    why: 'after REKEY_ATTEMPT_TIME the initiator gives up and throws its waiting packets away, until new data for the peer begins a new attempt',
    fix: 'find out why nobody answered; the end of the retries is only its consequence',
  },
  check(attempt) {
    const first = firstInitiation(attempt);
    const last = attempt.exchanges.at(-1);
    const lastSeen = last === undefined ? undefined : initiationOf(last);
    const end = last?.views[0]?.timeline.until;
    if (attempt.outcome === 'established' || first === undefined || lastSeen === undefined || end === undefined)
      return undefined;
    const seconds = attemptSeconds(attempt);
    const byCount = attempt.exchanges.length >= 19 && attempt.exchanges.length <= 21 && seconds >= 90;
    const byTime = attempt.exchanges.length >= 16 && attempt.exchanges.length <= 18 && seconds >= 80 && seconds <= 92;
    const quiet = msBetween(lastSeen.at.time, end) >= QUIET_MS;
    // a capture file does not say how long it went on after its last frame: exactly twenty is a sign all the same
    if (!(byCount || byTime) || (!quiet && attempt.exchanges.length !== 20)) return undefined;
    return {
      facts: { initiations: attempt.exchanges.length, seconds, from: first.from.text },
      certainty: quiet ? 'proven' : 'suspected',
      frames: initiationFrames(attempt.exchanges),
      subject: subjectOf(attempt),
    };
  },
  message: ({ initiations, seconds, from }) =>
    `${from} gave up after ${initiations} initiations in ${seconds} s; it begins anew when there is data to send`,
});
