/** A response that answers nothing that was asked, or answers twice. */
import { msBetween } from '../../base/time.ts';
import { defineRule } from '../rule.ts';

/** Near the beginning of a capture its initiation was simply not captured. */
const START_MS = 6000;

export const responseUnexpected = defineRule({
  name: 'response-unexpected',
  severity: 'info',
  on: 'exchange',
  group: 'wire',
  explain: {
    what: 'a response names an index for which no initiation was seen, or a second response came for one initiation',
    why: 'the initiator drops both: the first because nobody asked, the second because the index already belongs to a session',
    fix: 'nothing has to be done; if it is many, look for duplicated packets or a capture that misses one direction',
  },
  check({ merged }) {
    const [view] = merged.views;
    if (view === undefined) return undefined;
    const { exchange, timeline } = view;
    const [first, second] = exchange.responses;
    if (first === undefined) return undefined;
    if (exchange.initiation === undefined && merged.views.every((v) => v.exchange.initiation === undefined)) {
      const start = timeline.first;
      if (start === undefined || msBetween(start.time, first.seen.at.time) < START_MS) return undefined;
      // a capture of one direction holds no initiation at all
      if (!timeline.directions.get(exchange.pair)?.has(exchange.initiatorName)) return undefined;
      return {
        facts: { from: first.seen.from.text, index: merged.id, second: false as boolean },
        certainty: 'proven',
        frames: [first.seen.at],
        subject: `handshake:${merged.id}`,
      };
    }
    if (second === undefined) return undefined;
    return {
      facts: { from: second.seen.from.text, index: merged.id, second: true as boolean },
      certainty: 'proven',
      frames: exchange.responses.map(({ seen }) => seen.at),
      subject: `handshake:${merged.id}`,
    };
  },
  message: ({ from, index, second }) =>
    second
      ? `${from} answered the initiation ${index} more than once: the initiator takes the first that opens`
      : `${from} answers ${index}, an initiation that is not in the capture`,
});
