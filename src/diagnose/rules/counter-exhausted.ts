/** Data with a counter beyond the last that a session may use: no receiver takes it. */
import { indexText } from '../../analyze/merge.ts';
import { endNames, placesOf } from '../../analyze/session-pairs.ts';
import { REJECT_AFTER_MESSAGES } from '../../wg/constants.ts';
import { defineRule, type Facts, type Found } from '../rule.ts';

/** As a number it is not exact; what is below by thousands is far from it all the same. */
const LAST_COUNTER = REJECT_AFTER_MESSAGES.high * 2 ** 32 + REJECT_AFTER_MESSAGES.low;

interface ExhaustedFacts extends Facts {
  readonly index: string;
  readonly from: string;
  readonly packets: number;
  readonly opened: boolean;
}

export const counterExhausted = defineRule<'session', ExhaustedFacts>({
  name: 'counter-exhausted',
  severity: 'warning',
  on: 'session',
  group: 'wire',
  spec: 'wp §6.2',
  explain: {
    what: 'data whose counter is beyond REJECT_AFTER_MESSAGES, 2⁶⁴ − 2¹³ − 1',
    why: 'a counter is never used twice under one key, so at the end of its range a session is over: the receiver drops what comes then; no sender gets there by counting, so its counter began wrong, or somebody else wrote the packet',
    fix: 'update WireGuard on the sending end and let it make a new handshake; if its packets do not open, look for who else sends to this port',
  },
  check({ view, tunnel }): Found<ExhaustedFacts>[] {
    const { session, timeline } = view;
    return placesOf(view).flatMap((place) => {
      const { half } = place;
      const { sender } = endNames(place);
      const late = half.runs.runs.filter(({ high }) => high >= LAST_COUNTER);
      if (late.length === 0) return [];
      const proof = tunnel.inner
        .filter((each) => each.timeline === timeline && each.inner.pair === session.pair)
        .flatMap(({ inner }) => inner.ends.flatMap(({ name, exhausted }) => (name === sender ? exhausted : [])));
      const opened = proof.length > 0 && half.opened > 0;
      return [
        {
          facts: {
            index: indexText(half.index),
            from: half.sender.text,
            // counters that large are not told apart as numbers
            packets: Math.max(
              proof.length,
              late.reduce((sum, run) => sum + run.seen, 0),
            ),
            opened,
          },
          certainty: opened ? ('proven' as const) : ('suspected' as const),
          frames: opened ? proof : late.map(({ last }) => last),
          subject: `session:${indexText(half.index)}`,
          notes: opened
            ? []
            : ['nothing here opens them, and anybody can write a counter: it may be no data of this session at all'],
        },
      ];
    });
  },
  message: ({ index, from, packets }) =>
    `${packets} data message${packets === 1 ? '' : 's'} from ${from} in session ${index} ${packets === 1 ? 'has a counter' : 'have counters'} beyond the last that a session may use: nobody takes that`,
  fix: () => ({
    linux: ['on the sending end: systemctl restart wg-quick@wg0; wg --version; modinfo wireguard | grep version'],
    routeros: ['on the sending end: /interface wireguard disable [find]; /interface wireguard enable [find]'],
  }),
});
