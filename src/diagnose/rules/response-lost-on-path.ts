/** Two captures: the response left the responder and never reached the place of the other capture. */
import type { View } from '../../analyze/merge.ts';
import type { Seen, Timeline } from '../../analyze/timeline.ts';
import { isConfirmed, type World } from '../../analyze/world.ts';
import { attemptFrames, capturesWithout, firstInitiation, subjectOf } from '../evidence.ts';
import { defineRule } from '../rule.ts';

export const responseLostOnPath = defineRule({
  name: 'response-lost-on-path',
  severity: 'error',
  on: 'attempt',
  group: 'wire',
  fromSilence: true,
  hides: ['session-unconfirmed', 'no-response', 'psk-mismatch', 'rekey-failed', 'handshake-lost-periodically'],
  explain: {
    what: 'the response is in the capture near the responder and not in the one near the initiator',
    why: 'something on the way back drops it: a stateful firewall that does not know the flow, asymmetric routing, a NAT without a mapping',
    fix: 'look at the way back: the first device after the responder’s capture point that keeps state, and the route it takes to the initiator',
  },
  check(attempt, world) {
    const first = firstInitiation(attempt);
    // a response that is in every capture of its exchange did pass: then the way back is open
    const passed = attempt.exchanges.some(
      ({ views }) => views.length > 1 && views.every(({ exchange }) => exchange.responses.length > 0),
    );
    const lost = (passed ? [] : attempt.exchanges)
      .filter((m) => !isConfirmed(m))
      .flatMap((merged) => {
        const answered = merged.views.filter(({ exchange }) => exchange.responses.length > 0);
        const seen = answered[0]?.exchange.responses[0]?.seen;
        if (seen === undefined) return [];
        const without = [
          ...merged.views.filter(({ exchange }) => exchange.responses.length === 0).map(({ timeline }) => timeline),
          ...capturesWithout(merged, attempt, world),
        ];
        const proof = without
          .map((timeline) => ({ timeline, proven: covered(seen, timeline, world) }))
          .filter(({ proven }) => proven !== undefined);
        const best = proof.find(({ proven }) => proven === true) ?? proof[0];
        return best === undefined ? [] : [{ seen, view: answered[0] as View, ...best }];
      });
    const [one] = lost;
    if (first === undefined || one === undefined) return undefined;
    const proven = lost.some((l) => l.proven === true);
    return {
      facts: {
        from: one.seen.from.text,
        to: one.seen.to.text,
        seenIn: one.view.timeline.name,
        missingIn: one.timeline.name,
        responses: lost.length,
        port: first.to.port,
      },
      certainty: proven ? 'proven' : 'deduced',
      frames: [...lost.map(({ seen }) => seen.at), ...attemptFrames(attempt, 'initiations')],
      subject: subjectOf(attempt),
      notes: proven
        ? [`${one.timeline.name} has frames before and after the moment at which the response would have passed it`]
        : [],
      ruledOut: [
        { rule: 'psk-mismatch', because: 'the initiator never gets a response that it could refuse' },
        {
          rule: 'wrong-responder-key',
          because: 'the responder answers: it accepted the initiations',
          frames: lost.map(({ seen }) => seen.at).slice(0, 3),
        },
      ],
    };
  },
  message: ({ responses, from, seenIn, missingIn }) =>
    `${responses} response${responses === 1 ? '' : 's'} of ${from} left the place of ${seenIn} and never reached that of ${missingIn}: the way back drops them`,
  fix: ({ from, port }) => ({
    linux: [
      'on the responder: ip route get INITIATOR: does it leave by the interface that the initiation came in on?',
      `on routers between: conntrack -L -p udp | grep ${from}; nft list ruleset`,
      'sysctl net.ipv4.conf.all.rp_filter: 2 where routing is asymmetric',
    ],
    routeros: [
      '/ip firewall connection print where protocol=udp',
      `/ip firewall filter print stats where chain=forward: does a rule drop what comes from port ${port}?`,
    ],
  }),
});

/** true: bracketed on both sides · false: the times suggest it · undefined: cannot be judged. */
function covered(seen: Seen, timeline: Timeline, world: World): boolean | undefined {
  const coverage = world.covers(timeline, seen.at.time, seen.at.capture);
  return coverage === 'bracketed' ? true : coverage === 'presumed' || coverage === 'empty' ? false : undefined;
}
