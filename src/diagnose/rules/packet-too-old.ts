/** A packet so late that the replay window has moved on: dropped, by design. */
import { indexText } from '../../analyze/merge.ts';
import { placesOf, sideOf } from '../../analyze/session-pairs.ts';
import { REPLAY_WINDOW } from '../../wg/constants.ts';
import { defineRule, type Found } from '../rule.ts';

type TooOld = { readonly index: string; readonly from: string; readonly tooOld: number; readonly packets: number };

export const packetTooOld = defineRule<'session', TooOld>({
  name: 'packet-too-old',
  severity: 'info',
  on: 'session',
  group: 'wire',
  spec: 'wp §5.4.6, RFC 6479',
  explain: {
    what: `data messages more than ${REPLAY_WINDOW} counters behind the greatest one that arrived`,
    why: 'the receiver remembers only so many counters and drops what is older, as it could not tell it from a repetition',
    fix: 'look for two paths of very different delay, or a queue that lets new packets pass old ones',
  },
  check({ view }) {
    const found: Found<TooOld>[] = [];
    for (const place of placesOf(view)) {
      const { half } = place;
      if (half.tooOld === 0 || sideOf(place) === 'sender') continue;
      found.push({
        facts: { index: indexText(half.index), from: half.sender.text, tooOld: half.tooOld, packets: half.packets },
        certainty: sideOf(place) === 'receiver' ? 'proven' : 'suspected',
        frames: [half.last],
        subject: `session:${indexText(half.index)}`,
      });
    }
    return found;
  },
  message: ({ index, from, tooOld, packets }) =>
    `${tooOld} of ${packets} data packets of session ${index} from ${from} came too late for the replay window`,
  fix: () => ({
    linux: ['ip route show to ENDPOINT_ADDRESS (one path only); tc -s qdisc show'],
    routeros: ['/ip route print where dst-address=ENDPOINT_ADDRESS/32; /queue tree print stats'],
  }),
});
