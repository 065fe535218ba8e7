/** The same counter of a session again: the receiver drops it, by design. */
import { indexText } from '../../analyze/merge.ts';
import { placesOf, sideOf } from '../../analyze/session-pairs.ts';
import { defineRule, type Found } from '../rule.ts';

type Replayed = { readonly index: string; readonly from: string; readonly replayed: number; readonly packets: number };

export const packetReplayed = defineRule<'session', Replayed>({
  name: 'packet-replayed',
  severity: 'info',
  on: 'session',
  group: 'wire',
  spec: 'wp §5.4.6, RFC 6479',
  explain: {
    what: 'data messages with a counter that this session has carried before, too late to be a second view of the same datagram',
    why: 'each counter is taken once: a copy made by the path, or by someone, is dropped without a trace and does no harm',
    fix: 'nothing, if they are few; many point to a link or bridge that doubles packets, or to a loop',
  },
  check({ view }) {
    const found: Found<Replayed>[] = [];
    for (const place of placesOf(view)) {
      const { half } = place;
      // a sender never uses a counter twice: at its own side the capture made the copy; coarse runs only estimate
      if (half.replayed === 0 || half.runs.coarse || sideOf(place) === 'sender') continue;
      found.push({
        facts: { index: indexText(half.index), from: half.sender.text, replayed: half.replayed, packets: half.packets },
        certainty: 'proven',
        frames: [half.last],
        subject: `session:${indexText(half.index)}`,
      });
    }
    return found;
  },
  message: ({ index, from, replayed, packets }) =>
    `${replayed} of ${packets} data packets of session ${index} from ${from} are repetitions; the receiver drops them`,
  fix: () => ({
    linux: ['bridge link; ip -s link show (two paths to the same host, a mirrored port)'],
    routeros: ['/interface bridge port print; /tool sniffer quick ip-protocol=udp'],
  }),
});
