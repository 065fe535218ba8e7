/** The answer comes after the initiator has given up waiting for it. */
import { msBetween } from '../../base/time.ts';
import { firstInitiation, subjectOf } from '../evidence.ts';
import { defineRule } from '../rule.ts';

/** After REKEY_TIMEOUT the initiator makes a new index and forgets the old one (wp §6.4). */
const TIMEOUT_MS = 5000;

export const responseLate = defineRule({
  name: 'response-late',
  severity: 'error',
  on: 'attempt',
  group: 'wire',
  spec: 'wp §6.4',
  hides: ['session-unconfirmed', 'psk-mismatch', 'no-response'],
  explain: {
    what: 'each response arrives more than five seconds after its initiation, when the initiator has already begun anew',
    why: 'with a retry the initiator gives up the old index: a response to it is an answer to nobody. The kernel and wireguard-go accept none of them; the boringtun family accepts one handshake back',
    fix: 'find what delays the packets by seconds: a saturated link with a deep queue, a sleeping modem, a proxy',
  },
  check(attempt) {
    if (attempt.outcome !== 'failed') return undefined;
    const first = firstInitiation(attempt);
    const rounds = attempt.exchanges.flatMap(({ views }) =>
      views.flatMap(({ exchange, vantage }) => {
        const { initiation, responses } = exchange;
        if (initiation === undefined || vantage === 'responder') return [];
        return responses.map(({ seen }) => ({ ms: msBetween(initiation.at.time, seen.at.time), initiation, seen }));
      }),
    );
    const [one] = rounds;
    if (first === undefined || one === undefined || rounds.some(({ ms }) => ms < TIMEOUT_MS)) return undefined;
    return {
      facts: { seconds: Math.round(one.ms / 100) / 10, responses: rounds.length, from: one.seen.from.text },
      certainty: 'proven',
      frames: rounds.flatMap(({ initiation, seen }) => [initiation.at, seen.at]),
      subject: subjectOf(attempt),
      ruledOut: [{ rule: 'psk-mismatch', because: 'the responses come too late to be looked at' }],
    };
  },
  message: ({ seconds, from }) =>
    `the response from ${from} takes ${seconds} s: after five the initiator has replaced the index it answers, and drops it`,
  fix: () => ({
    linux: [
      'mtr -u -P PORT HOST, ping HOST: where do the seconds come from?',
      'tc qdisc: fq_codel or cake instead of a deep queue',
    ],
    routeros: ['/tool ping HOST; /queue print: a queue that is full for seconds?'],
  }),
});
