/** The response comes from another address or port than the initiation was written to. */
import type { View } from '../../analyze/merge.ts';
import type { Seen } from '../../analyze/timeline.ts';
import { subjectOf } from '../evidence.ts';
import { defineRule } from '../rule.ts';

export const replyFromOtherAddress = defineRule({
  name: 'reply-from-other-address',
  severity: 'error',
  on: 'attempt',
  group: 'wire',
  hides: ['session-unconfirmed', 'psk-mismatch', 'no-response', 'response-lost-on-path'],
  explain: {
    what: 'the response has the right index and comes from another address or port than the one that was asked',
    why: 'WireGuard itself would take it and learn the new address; a stateful firewall or a NAT on the way does not know the flow and eats it',
    fix: 'make the responder answer from the address it was asked at: source address of the route, SNAT, one uplink per tunnel',
  },
  check(attempt) {
    const odd = attempt.exchanges.flatMap(({ views }) => views.flatMap(oddResponses));
    const [one] = odd;
    if (one === undefined || attempt.outcome === 'open') return undefined;
    const failed = attempt.outcome === 'failed';
    return {
      facts: { asked: one.asked.to.text, answered: one.answer.from.text, failed },
      certainty: failed ? 'deduced' : 'proven',
      ...(failed ? {} : { severity: 'info' as const }),
      frames: odd.flatMap(({ asked, answer }) => [asked.at, answer.at]),
      subject: subjectOf(attempt),
      notes: failed
        ? [
            'WireGuard does not mind the other address; what eats the response is a firewall or NAT between the capture and the initiator',
          ]
        : [],
    };
  },
  message: ({ asked, answered, failed }) =>
    failed
      ? `${asked} was asked and ${answered} answers: a stateful firewall or NAT on the way does not let that through`
      : `${asked} was asked and ${answered} answered; the initiator took it`,
  fix: ({ asked }) => ({
    linux: [
      `on the responder: ip route get INITIATOR shows the source address; it has to be ${asked}`,
      'ip route replace default via GATEWAY dev DEV src ADDRESS, or an `ip rule from ADDRESS` table for each uplink',
    ],
    routeros: [
      'mark the connection of each WAN and route its replies back the same way: /ip firewall mangle (new-connection-mark, new-routing-mark), /routing table',
    ],
  }),
});

/** Every view of the datagram has to agree: one side of a NAT shows other addresses than the other. */
function oddResponses({ exchange }: View): { asked: Seen; answer: Seen }[] {
  const asked = exchange.initiation;
  if (asked === undefined) return [];
  const targets = new Set([asked, ...asked.copies].map((seen) => seen.to.text));
  return exchange.responses
    .filter(({ seen }) => ![seen, ...seen.copies].some((view) => targets.has(view.from.text)))
    .map(({ seen }) => ({ asked, answer: seen }));
}
