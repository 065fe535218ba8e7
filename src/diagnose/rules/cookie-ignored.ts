/** The initiator got a cookie it can use, and its retry does not carry it. */
import { isAnswered } from '../../analyze/world.ts';
import { LINUX } from '../../wg/policy.ts';
import { cookiesOf, firstInitiation, initiationFrames, retriesAfterCookie, subjectOf } from '../evidence.ts';
import { defineRule } from '../rule.ts';

export const cookieIgnored = defineRule({
  name: 'cookie-ignored',
  severity: 'error',
  on: 'attempt',
  group: 'wire',
  spec: 'wp §5.4.7',
  hides: ['no-response', 'under-load-cookie'],
  explain: {
    what: 'a cookie reply arrived and opens, and the next initiation within 120 seconds carries no MAC2',
    why: 'without MAC2 a responder under load answers every retry with another cookie, and never with a response',
    fix: 'a firewall behind the capture point may eat the cookie replies; an implementation without cookies (small ports) cannot pass a responder under load',
  },
  check(attempt) {
    const first = firstInitiation(attempt);
    if (attempt.outcome !== 'failed' || first === undefined || attempt.exchanges.some(isAnswered)) return undefined;
    const retries = retriesAfterCookie(attempt, 'initiator').filter(
      // the kernel itself uses no cookie for the last five seconds of its life
      ({ view, ageMs }) => ageMs <= LINUX.cookieUseMs && view.exchange.sight?.mac2 === 'absent',
    );
    const [one] = retries;
    if (one === undefined) return undefined;
    return {
      facts: { from: first.from.text, retries: retries.length },
      certainty: 'proven' as const,
      frames: [
        ...cookiesOf(attempt).map(({ seen }) => seen.at),
        ...initiationFrames(retries.map(({ merged }) => merged)),
      ],
      subject: subjectOf(attempt),
    };
  },
  message: ({ from, retries }) =>
    `${from} got a cookie and sent ${retries} further initiation${retries === 1 ? '' : 's'} without MAC2: the responder under load answers none of them`,
});
