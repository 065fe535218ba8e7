/** A cookie reply that does not open for the message it answers. */
import { isAnswered } from '../../analyze/world.ts';
import { cookiesOf, firstInitiation, initiationFrames, subjectOf } from '../evidence.ts';
import { defineRule } from '../rule.ts';

export const cookieUnsealable = defineRule({
  name: 'cookie-unsealable',
  severity: 'error',
  on: 'attempt',
  group: 'wire',
  spec: 'wp §5.4.7',
  hides: ['no-response', 'under-load-cookie'],
  explain: {
    what: 'the cookie reply does not open with the responder’s public key and the MAC1 of the initiation it names',
    why: 'it was made by a host with another key, or for another initiation, or was altered: the initiator drops it and goes on without',
    fix: 'compare the responder’s public key; look for a second host that answers on the same address',
  },
  check(attempt) {
    const first = firstInitiation(attempt);
    if (attempt.outcome !== 'failed' || first === undefined || attempt.exchanges.some(isAnswered)) return undefined;
    const bad = cookiesOf(attempt).filter(({ sight }) => sight.opened === false);
    const [one] = bad;
    if (one === undefined) return undefined;
    return {
      facts: { from: one.seen.from.text, cookies: bad.length },
      certainty: 'proven' as const,
      frames: [...bad.map(({ seen }) => seen.at), ...initiationFrames(attempt.exchanges).slice(0, 4)],
      subject: subjectOf(attempt),
    };
  },
  message: ({ from, cookies }) =>
    `the cookie repl${cookies === 1 ? 'y' : 'ies'} from ${from} cannot be opened: made with another key or for another message`,
});
