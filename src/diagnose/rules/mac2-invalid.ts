/** The retry carries a MAC2 that the responder must refuse. */
import type { Mac2State } from '../../analyze/sight.ts';
import { isAnswered } from '../../analyze/world.ts';
import { cookiesOf, firstInitiation, initiationFrames, retriesAfterCookie, subjectOf } from '../evidence.ts';
import { defineRule } from '../rule.ts';

export const mac2Invalid = defineRule({
  name: 'mac2-invalid',
  severity: 'error',
  on: 'attempt',
  group: 'wire',
  spec: 'wp §5.4.7',
  hides: ['no-response', 'under-load-cookie'],
  explain: {
    what: 'the retry carries a MAC2 that does not verify for the cookie it was given, or one that was issued to another address, or one that has expired',
    why: 'a cookie is bound to the address and port it was sent to and to a secret that changes every two minutes: a NAT that changes the port between the two makes it worthless',
    fix: 'look for a NAT that gives each packet another port, or for two uplinks that are used in turn',
  },
  check(attempt) {
    const first = firstInitiation(attempt);
    if (attempt.outcome !== 'failed' || first === undefined || attempt.exchanges.some(isAnswered)) return undefined;
    const retries = retriesAfterCookie(attempt, 'any').filter(({ view }) => refused(view.exchange.sight?.mac2));
    const [one] = retries;
    const how = one === undefined ? undefined : one.view.exchange.sight?.mac2;
    if (how === undefined) return undefined;
    return {
      facts: { from: first.from.text, how, retries: retries.length },
      certainty: 'proven' as const,
      frames: [
        ...cookiesOf(attempt).map(({ seen }) => seen.at),
        ...initiationFrames(retries.map(({ merged }) => merged)),
      ],
      subject: subjectOf(attempt),
    };
  },
  message: ({ from, how }) =>
    `the retry from ${from} carries a MAC2 that the responder refuses: ${how === 'other-address' ? 'its cookie was issued to another address or port' : how === 'expired' ? 'its cookie is older than 120 s' : 'it does not fit the cookie'}`,
});

function refused(mac2: Mac2State | undefined): boolean {
  return mac2 === 'invalid' || mac2 === 'other-address' || mac2 === 'expired';
}
