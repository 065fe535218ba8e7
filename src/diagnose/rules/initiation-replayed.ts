/** The same initiation, byte for byte, a second time: dropped by design. */
import { initiationOf } from '../../analyze/world.ts';
import { defineRule } from '../rule.ts';

/** From here on somebody or something is doing it on purpose. */
const MANY = 20;

export const initiationReplayed = defineRule({
  name: 'initiation-replayed',
  severity: 'info',
  on: 'exchange',
  group: 'wire',
  spec: 'wp §5.1',
  explain: {
    what: 'the same initiation bytes were seen again later, and not as a copy of one datagram',
    why: 'its timestamp is no longer greater than the greatest accepted one, so the responder drops it: this is what the timestamp is for',
    fix: 'nothing has to be done; if it is many, look for a looping network device or an attacker who records and repeats',
  },
  check({ merged }) {
    const replays = merged.views.flatMap(({ exchange }) => exchange.replays);
    const first = initiationOf(merged);
    if (replays.length === 0 || first === undefined) return undefined;
    const times = merged.views.reduce((sum, { exchange }) => sum + exchange.replayCount, 0);
    return {
      facts: { times, from: first.from.text, index: merged.id },
      certainty: 'proven',
      ...(times >= MANY ? { severity: 'warning' as const } : {}),
      frames: [first.at, ...replays.map(({ at }) => at)],
      subject: `handshake:${merged.id}`,
    };
  },
  message: ({ times, from, index }) =>
    `the initiation ${index} from ${from} was sent again ${times === 1 ? 'once' : `${times} times`}, byte for byte: the responder drops that by design`,
});
