/** The same datagram was captured more than once: counted once, and the two views of a NAT give its mapping. */
import { inPrefix, type Prefix, parseEndpoint, parsePrefix } from '../../base/address.ts';
import { captureSubject } from '../capture-evidence.ts';
import { defineRule } from '../rule.ts';

/** Addresses that a NAT has on its inner side (RFC 1918, RFC 6598, RFC 4193). */
const INNER: readonly Prefix[] = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', 'fc00::/7'].flatMap(
  (text) => parsePrefix(text) ?? [],
);
const MAPPINGS = 6;

export const duplicateFrames = defineRule({
  name: 'duplicate-frames',
  severity: 'info',
  on: 'capture',
  group: 'capture',
  explain: {
    what: 'the capture holds some datagrams more than once: on a bridge and its port, on both interfaces of a router, before and after NAT',
    why: 'nothing is wrong: they are counted once, never as replays, and two views with different addresses show what the NAT made of them',
    fix: 'nothing to do; capture on one interface to have each datagram once',
  },
  check(timeline) {
    const { count, frames, nat } = timeline.duplicates;
    if (count === 0) return undefined;
    const mappings = [...nat].map(([a, b]) => mapping(a, b));
    return {
      facts: { copies: count, nat: mappings.slice(0, MAPPINGS) },
      certainty: 'proven',
      frames,
      subject: captureSubject(timeline),
      notes: mappings.slice(1, MAPPINGS),
    };
  },
  message({ copies, nat }) {
    const counted = `${copies} frames show a datagram again that was captured before: each is counted once`;
    return nat[0] === undefined ? counted : `${counted}; ${nat[0]}`;
  },
});

/** Which of two names of one end is the outer one; undecided where both could be. */
function mapping(later: string, earlier: string): string {
  const inner = [later, earlier].filter(isInner);
  if (inner.length !== 1) return `${later} and ${earlier} are the same end, on two sides of a NAT`;
  const outer = inner[0] === later ? earlier : later;
  return `${outer} is ${inner[0]} behind a NAT`;
}

function isInner(text: string): boolean {
  const ip = parseEndpoint(text)?.ip;
  return ip !== undefined && INNER.some((prefix) => inPrefix(ip, prefix));
}
