/** The key of the session is known and yet data does not open with it. */
import { indexText } from '../../analyze/merge.ts';
import { placesOf } from '../../analyze/session-pairs.ts';
import { defineRule, type Found } from '../rule.ts';

type Unsealable = {
  readonly index: string;
  readonly from: string;
  readonly to: string;
  readonly failed: number;
  readonly opened: number;
};

export const packetUnsealable = defineRule<'session', Unsealable>({
  name: 'packet-unsealable',
  severity: 'warning',
  on: 'session',
  group: 'wire',
  spec: 'wp §5.4.6',
  explain: {
    what: 'data messages whose authentication fails under the key of their session',
    why: 'a changed bit, a forged packet or a wrong key: the receiver drops them in silence and cannot tell which',
    fix: 'if a few fail, something on the way changes bytes (a faulty link, memory or offload); if most fail, the key that was handed over is of another session',
  },
  check({ view }) {
    const found: Found<Unsealable>[] = [];
    for (const { half } of placesOf(view)) {
      if (half.unsealableCount === 0) continue;
      const most = half.unsealableCount > half.opened;
      found.push({
        facts: {
          index: indexText(half.index),
          from: half.sender.text,
          to: half.owner.text,
          failed: half.unsealableCount,
          opened: half.opened,
        },
        certainty: 'proven',
        ...(most ? { severity: 'error' as const } : {}),
        frames: half.unsealable,
        subject: `session:${indexText(half.index)}`,
        notes:
          most && half.opened === 0
            ? ['none of this direction opens: a key of another session with the same index looks the same']
            : [],
      });
    }
    return found;
  },
  message: ({ index, from, to, failed, opened }) =>
    `${failed} data packets of session ${index} from ${from} to ${to} fail authentication, ${opened} open`,
  fix: () => ({
    linux: ['ethtool -K DEV rx off tx off gro off gso off (then capture again); ethtool -S DEV shows frame errors'],
    routeros: ['/interface ethernet print stats (rx-fcs-error); /interface wireguard peers print stats'],
  }),
});
