/** The capture kept only the beginning of WireGuard messages. */
import { captureLinux, captureRouterOs } from '../advice.ts';
import { captureSubject, messageCount, portOf } from '../capture-evidence.ts';
import { defineRule } from '../rule.ts';

export const captureTruncated = defineRule({
  name: 'capture-truncated',
  severity: 'warning',
  on: 'capture',
  group: 'capture',
  explain: {
    what: 'the capture kept fewer bytes of its frames than there were on the wire (a snap length, or headers only)',
    why: 'MAC1, the sealed keys and the tags of a handshake message are at its end: without them nothing can be checked, with no key',
    fix: 'capture again with whole frames: `tcpdump -s 0`, on RouterOS `/tool sniffer set only-headers=no`',
  },
  check(timeline, world) {
    const { handshake, handshakeCount, data, dataCount } = timeline.cut;
    const headers = timeline.skipped.get('cut');
    const unseen = messageCount(timeline) === 0 && headers !== undefined ? headers.count : 0;
    if (handshakeCount + dataCount + unseen === 0) return undefined;
    const about = { certainty: 'proven' as const, subject: captureSubject(timeline) };
    const facts = { handshakes: handshakeCount, data: dataCount, unseen, port: portOf(timeline, world) };
    if (unseen > 0 && headers !== undefined) return { ...about, facts, frames: [headers.first] };
    if (handshakeCount === 0) {
      const notes = ['the handshakes are whole: only what the data packets hold cannot be opened'];
      return { ...about, facts, frames: data, severity: 'info' as const, notes };
    }
    const notes = ['who wrote to whom, when, and with which index still counts'];
    if (dataCount > 0) notes.push(`${dataCount} data packets are cut as well`);
    return { ...about, facts, frames: handshake, notes };
  },
  message({ handshakes, data, unseen }) {
    if (handshakes > 0) {
      const which = handshakes === 1 ? '1 handshake message was' : `${handshakes} handshake messages were`;
      return `${which} cut short by the capture: nothing cryptographic can be said of them`;
    }
    if (unseen > 0)
      return `${unseen} frames were cut before their UDP header: no WireGuard can be seen in this capture`;
    return `${data} data packets were cut short by the capture: they cannot be opened`;
  },
  fix: ({ port }) => ({
    linux: [captureLinux(port)],
    routeros: [`/tool sniffer set only-headers=no`, captureRouterOs(port)],
  }),
});
