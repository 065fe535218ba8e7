/** One end goes on from another address or port, and the other end follows. */
import { indexText } from '../../analyze/merge.ts';
import { addressOf } from '../data-evidence.ts';
import { defineRule } from '../rule.ts';

export const endpointRoamed = defineRule({
  name: 'endpoint-roamed',
  severity: 'info',
  on: 'session',
  group: 'wire',
  spec: 'wp §2.1',
  explain: {
    what: 'packets of one session go on from another address or port, and the replies follow there',
    why: 'WireGuard sends to wherever the last authentic packet came from: changing networks and a NAT that gives a new port are both survived, nothing is wrong',
    fix: 'nothing to do; if it happens every few minutes on one host, look at its NAT, or at a second host with the same key',
  },
  check({ view }) {
    const { session, timeline } = view;
    for (const [half, reverse] of [
      [session.toResponder, session.toInitiator],
      [session.toInitiator, session.toResponder],
    ] as const) {
      const last = half?.moves.at(-1);
      if (half === undefined || last === undefined) continue;
      // only packets that its owner took make it follow: that is the proof
      if (reverse === undefined || reverse.owner.text !== last.to.text) continue;
      return {
        facts: {
          index: indexText(half.index),
          from: last.from.text,
          to: last.to.text,
          counter: last.counter,
          moves: half.moves.length,
          sameAddress: addressOf(last.from.text) === addressOf(last.to.text),
        },
        certainty: 'proven',
        frames: [...half.moves.map(({ at }) => at), reverse.last],
        subject: `session:${indexText(half.index)}`,
        notes: timeline.duplicates.nat.has(last.to.text)
          ? ['one of the two addresses is the other side of a NAT in this capture']
          : [],
      };
    }
    return undefined;
  },
  message: ({ index, from, to, counter, sameAddress }) =>
    `session ${index}: from counter ${counter} on it comes from ${to} instead of ${from}, and the replies follow${sameAddress ? ': only the port is new, as when a NAT makes another mapping' : ''}`,
});
