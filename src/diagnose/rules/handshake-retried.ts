/** Attempts were lost, and a later one of the same two ends succeeded. */
import { initiationOf, isConfirmed } from '../../analyze/world.ts';
import { attemptSeconds, firstInitiation, initiationFrames, subjectOf } from '../evidence.ts';
import { defineRule } from '../rule.ts';

export const handshakeRetried = defineRule({
  name: 'handshake-retried',
  severity: 'info',
  on: 'attempt',
  group: 'wire',
  spec: 'wp §6.4',
  explain: {
    what: 'one or more initiations came to nothing, and a later handshake of the same two ends succeeded',
    why: 'a lost packet, a responder that was not up yet, or both ends beginning at once: the protocol retries every five seconds and recovers',
    fix: 'nothing has to be done when it is rare',
  },
  check(attempt) {
    const lost = attempt.exchanges.filter((merged) => !isConfirmed(merged));
    const first = firstInitiation(attempt);
    if (lost.length === 0 || first === undefined || attempt.established === undefined || attempt.outcome === 'open')
      return undefined;
    // answered unseen, as in a capture of one direction: nothing was lost
    if (!isConfirmed(attempt.established)) return undefined;
    const success = initiationOf(attempt.established);
    return {
      facts: {
        lost: lost.length,
        seconds: attemptSeconds(attempt),
        from: first.from.text,
        to: first.to.text,
        byOther: success !== undefined && attempt.outcome !== 'established',
      },
      certainty: 'proven',
      frames: [...initiationFrames(lost), ...(success === undefined ? [] : [success.at])],
      subject: subjectOf(attempt),
    };
  },
  message: ({ lost, from, to, byOther }) =>
    `${lost} initiation${lost === 1 ? '' : 's'} from ${from} to ${to} came to nothing; ${byOther ? 'another handshake of the two' : 'a retry'} succeeded`,
});
