/** Two captures: the initiation is in the one, and never in the other. */
import type { MergedExchange } from '../../analyze/merge.ts';
import type { Timeline } from '../../analyze/timeline.ts';
import type { Coverage, World } from '../../analyze/world.ts';
import {
  addressLearned,
  capturesWithout,
  firstInitiation,
  hasIcmp,
  hasReply,
  initiationFrames,
  subjectOf,
} from '../evidence.ts';
import { defineRule } from '../rule.ts';

export const initiationLostOnPath = defineRule({
  name: 'initiation-lost-on-path',
  severity: 'error',
  on: 'attempt',
  group: 'wire',
  fromSilence: true,
  hides: [
    'no-response',
    'initiation-never-arrives',
    'responder-silent',
    'rekey-failed',
    'key-missing',
    'handshake-lost-periodically',
  ],
  explain: {
    what: 'the initiation left the side where one capture was taken and never reached the place of the other',
    why: 'something between the two drops it: a firewall, a missing port forwarding, a provider’s filter, a wrong route',
    fix: 'look at the devices between the two capture points, nearest to the second one first; a third capture between them halves the distance',
  },
  check(attempt, world) {
    const first = firstInitiation(attempt);
    if (first === undefined || hasReply(attempt) || hasIcmp(attempt) || addressLearned(attempt, world))
      return undefined;
    const lost = attempt.exchanges.flatMap((merged) => {
      const best = bestMissing(merged, capturesWithout(merged, attempt, world), world);
      return best === undefined ? [] : [{ merged, ...best }];
    });
    // an initiation that did arrive there says that the path is open: the silence is then the responder's
    const [one] = lost;
    if (one === undefined || lost.length < attempt.exchanges.length / 2) return undefined;
    const bracketed = lost.some(({ coverage }) => coverage === 'bracketed');
    const seenIn = one.merged.views.at(-1)?.timeline.name ?? '';
    const empty = one.coverage === 'empty';
    const notes: string[] = [];
    if (empty)
      notes.push(`${one.timeline.name} holds no frame at all: that it was running at the time cannot be told from it`);
    else if (!bracketed)
      notes.push(
        `the clocks of the two captures could not be compared: that ${one.timeline.name} was running at the time rests on its own times`,
      );
    return {
      facts: {
        to: first.to.text,
        port: first.to.port,
        seenIn,
        missingIn: one.timeline.name,
        initiations: lost.length,
        empty,
      },
      certainty: bracketed ? 'proven' : 'deduced',
      frames: initiationFrames(lost.map(({ merged }) => merged)),
      subject: subjectOf(attempt),
      notes,
      ruledOut: [
        { rule: 'responder-silent', because: `the initiations do not get as far as ${one.timeline.name}` },
        { rule: 'icmp-unreachable', because: 'no ICMP error came back' },
      ],
    };
  },
  message: ({ initiations, to, seenIn, missingIn, empty }) =>
    `${initiations} initiation${initiations === 1 ? '' : 's'} to ${to} passed the place of ${seenIn} and never reached that of ${missingIn}${empty ? ', which is empty' : ''}: lost in between`,
  fix: ({ port }) => ({
    linux: [
      `on every router between: nft list ruleset | grep -e ${port} -e drop; conntrack -L -p udp --dport ${port}`,
      `traceroute -U -p ${port} HOST shows how far UDP to this port gets`,
    ],
    routeros: [
      `on every router between: /ip firewall filter print stats where chain=forward; /ip firewall nat print where dst-port=${port}`,
      `/tool sniffer quick ip-protocol=udp port=${port}`,
    ],
  }),
});

const WORTH: Readonly<Record<Coverage, number>> = { bracketed: 3, presumed: 2, empty: 1, outside: 0 };

function bestMissing(
  merged: MergedExchange,
  without: readonly Timeline[],
  world: World,
): { timeline: Timeline; coverage: Coverage } | undefined {
  const seen = merged.views[0]?.exchange.initiation;
  if (seen === undefined) return undefined;
  let best: { timeline: Timeline; coverage: Coverage } | undefined;
  for (const timeline of without) {
    const coverage = world.covers(timeline, seen.at.time, seen.at.capture);
    if (WORTH[coverage] > WORTH[best?.coverage ?? 'outside']) best = { timeline, coverage };
  }
  return best;
}
