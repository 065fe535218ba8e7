/** What is in a capture, or on the WireGuard port, that is not WireGuard. */
import { captureLinux, captureRouterOs } from '../advice.ts';
import {
  captureSubject,
  flowFrames,
  flowLines,
  messageCount,
  portOf,
  unreadLinkTypes,
  wireGuardEnds,
} from '../capture-evidence.ts';
import { defineRule } from '../rule.ts';

const NOT_READ: Readonly<Record<string, string>> = {
  'not-ip': 'that are not IP',
  'not-udp': 'that are not UDP',
  'ip-malformed': 'with a malformed IP header',
  'udp-malformed': 'with a malformed UDP header',
  'fragment-incomplete': 'that are fragments of packets whose rest is missing',
  tzsp: 'of TZSP with nothing readable inside',
};

export const notWireguard = defineRule({
  name: 'not-wireguard',
  severity: 'info',
  on: 'capture',
  group: 'capture',
  spec: 'wp §5.4',
  explain: {
    what: 'datagrams that are not WireGuard, on the WireGuard port or in a capture that has no WireGuard at all',
    why: 'other protocols share the socket with some products (STUN, DISCO), which is harmless; a capture without any WireGuard was taken on another interface or port, or nothing came',
    fix: 'look which port WireGuard listens on (`wg show INTERFACE listen-port`) and on which interface its packets go, and capture there',
  },
  check(timeline, world) {
    if (timeline.frames === 0) return undefined;
    const wireGuard = messageCount(timeline) + timeline.variants.size > 0;
    // frames without their UDP header may be anything: capture-truncated says so
    if (!wireGuard && timeline.skipped.has('cut')) return undefined;
    const unread = unreadLinkTypes(timeline);
    const ends = wireGuardEnds(timeline);
    const all = [...timeline.foreign.values()];
    const flows = wireGuard ? all.filter(({ from, to }) => ends.has(from.text) || ends.has(to.text)) : all;
    if (wireGuard && flows.length === 0 && unread.length === 0) return undefined;
    // on the port of a configuration they are malformed-message's
    const claimed = timeline.malformed.some(({ from, to }) =>
      [from, to].some(({ port }) => world.keys.listeningOn(port).length > 0),
    );
    if (claimed && flows.length === 0 && unread.length === 0) return undefined;
    const other = flowLines(flows);
    const odd = wireGuard ? [] : timeline.malformed;
    if (odd.length > 0) other.push(`${odd.length} datagrams begin like WireGuard and have a wrong length`);
    if (!wireGuard) {
      for (const [reason, { count }] of timeline.skipped) {
        const what = NOT_READ[reason];
        if (what !== undefined) other.push(`${count} frames ${what}`);
      }
    }
    return {
      facts: {
        wireGuard,
        frames: timeline.frames,
        others: other,
        unread: unread.map(({ text }) => text),
        port: portOf(timeline, world),
      },
      certainty: 'proven',
      frames: [...unread.map(({ at }) => at), ...flowFrames(flows), ...odd.map(({ at }) => at)],
      subject: captureSubject(timeline),
      notes: [...new Set(unread.flatMap(({ text, hint }) => (hint === undefined ? [] : [`for the ${text}: ${hint}`])))],
    };
  },
  message({ wireGuard, frames, others, unread }) {
    const list = [...unread.map((text) => `${text}, which are not read`), ...others].join('; ');
    if (wireGuard) return `beside WireGuard there is ${list}`;
    const counted = frames === 1 ? '1 frame' : `${frames} frames`;
    return `there is no WireGuard in this capture of ${counted}${list === '' ? '' : `: ${list}`}`;
  },
  fix: ({ wireGuard, port }) =>
    wireGuard
      ? {}
      : {
          linux: ['wg show all listen-port', captureLinux(port)],
          routeros: ['/interface wireguard print proplist=name,listen-port', captureRouterOs(port)],
        },
});
