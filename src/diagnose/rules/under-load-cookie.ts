/** The responder was under load and answered with cookies instead of responses. */
import { indexText } from '../../analyze/merge.ts';
import { isAnswered } from '../../analyze/world.ts';
import { cookiesOf, firstInitiation, initiationFrames } from '../evidence.ts';
import { defineRule } from '../rule.ts';

export const underLoadCookie = defineRule({
  name: 'under-load-cookie',
  severity: 'warning',
  on: 'attempt',
  group: 'wire',
  spec: 'wp §5.4.7',
  hides: ['no-response'],
  explain: {
    what: 'the responder answers with cookie replies: it is under load and wants the sender to prove its address first',
    why: 'a cookie reply is no response: the sender keeps the cookie and proves its address with MAC2 in its next initiation, five seconds later',
    fix: 'nothing has to be done when the retry passes; when it keeps happening, look for a flood of handshakes, or many peers behind one address',
  },
  check(attempt) {
    const cookies = cookiesOf(attempt);
    const first = firstInitiation(attempt);
    const [one] = cookies;
    if (one === undefined || first === undefined) return undefined;
    const passed = attempt.exchanges.some(isAnswered) || attempt.established !== undefined;
    const retries = attempt.exchanges.filter(({ views }) =>
      views.some(({ exchange }) => exchange.sight?.mac2 === 'valid'),
    );
    if (!passed && attempt.outcome === 'open') return undefined;
    return {
      facts: {
        cookies: cookies.length,
        from: one.seen.from.text,
        to: one.seen.to.text,
        passed,
        validRetries: retries.length,
      },
      certainty: 'proven',
      ...(passed ? { severity: 'info' as const } : {}),
      frames: [...cookies.map(({ seen }) => seen.at), ...initiationFrames(retries)],
      subject: `handshake:${indexText(one.seen.receiver)}`,
      notes: [
        retries.length > 0
          ? `${retries.length} retr${retries.length === 1 ? 'y carries' : 'ies carry'} a right MAC2`
          : 'no retry with a checked MAC2 is in the capture',
        ...(passed || retries.length === 0
          ? []
          : [
              'with a right MAC2 the responder still refuses more than 20 handshakes a second from one address (burst 5)',
            ]),
      ],
    };
  },
  message: ({ cookies, from, to, passed }) =>
    `${from} is under load: it sent ${cookies} cookie repl${cookies === 1 ? 'y' : 'ies'} to ${to} instead of a response${passed ? ', and a later initiation was answered' : ', and no later initiation was answered'}`,
  fix: () => ({
    linux: [
      'on the responder: who sends so many handshakes? tcpdump -ni any "udp[8:4] = 0x01000000"',
      'nft: limit initiations per source before they reach WireGuard',
    ],
    routeros: ['/tool torch INTERFACE port=LISTEN-PORT: which source floods?'],
  }),
});
