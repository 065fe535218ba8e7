/** Data for sessions that were set up before the capture began, or out of its sight. */
import { indexText } from '../../analyze/merge.ts';
import { captureSubject, noisePairs } from '../capture-evidence.ts';
import { defineRule } from '../rule.ts';

const LISTED = 6;

export const handshakeNotCaptured = defineRule({
  name: 'handshake-not-captured',
  severity: 'info',
  on: 'capture',
  group: 'capture',
  explain: {
    what: 'the capture holds data for sessions whose handshake it does not hold',
    why: 'nothing can be said about how they came to be, and static keys or a key log cannot open them: the session keys come out of the handshake',
    fix: 'begin the capture, then bring the tunnel up anew; without that, a rekey comes by itself after two minutes of traffic',
  },
  check(timeline, world) {
    const noise = noisePairs(timeline, world);
    const orphans = timeline.sessions.filter(({ exchange, pair }) => exchange === undefined && !noise.has(pair));
    const halves = orphans.flatMap(({ toResponder, toInitiator }) => [toResponder ?? [], toInitiator ?? []].flat());
    if (halves.length === 0) return undefined;
    const packets = halves.reduce((sum, half) => sum + half.packets, 0);
    return {
      facts: {
        indices: halves.slice(0, LISTED).map(({ index }) => indexText(index)),
        sessions: halves.length,
        packets,
      },
      certainty: 'proven',
      frames: halves.map(({ first }) => first),
      subject: captureSubject(timeline),
      notes: halves.length > LISTED ? [`${halves.length - LISTED} further indices are like this`] : [],
      missing: [
        {
          key: 'the traffic keys of these indices (contrib/extract-keys of WireGuard, on a Linux host while the session lives)',
          wouldSettle: 'what the data is',
        },
      ],
    };
  },
  message: ({ indices, packets }) =>
    `${packets === 1 ? '1 data packet belongs' : `${packets} data packets belong`} to ${indices.join(', ')}, whose handshake is not in the capture`,
  fix: () => ({
    linux: ['while capturing: wg-quick down INTERFACE && wg-quick up INTERFACE'],
    routeros: ['while capturing: /interface wireguard disable INTERFACE; /interface wireguard enable INTERFACE'],
  }),
});
