/** AllowedIPs of one peer lie within those of another one: the longer prefix takes its part. */
import type { ConfEntry } from '../../analyze/key-set.ts';
import type { Prefix } from '../../base/address.ts';
import { equal } from '../../base/bytes.ts';
import { networkText, prefixIndex } from '../../base/prefix.ts';
import type { WgPeer } from '../../config/wg-conf.ts';
import { fileSubject, placeOf, settings } from '../config-evidence.ts';
import { defineRule, type Facts, type Found } from '../rule.ts';

/** Inner prefixes named, and outer ones told per file. */
const LISTED = 6;
const OUTER = 10;

interface NestedFacts extends Facts {
  readonly outer: string;
  readonly place: string;
  readonly inner: readonly string[];
  readonly more: number;
}

export const allowedipsNested = defineRule({
  name: 'allowedips-nested',
  severity: 'info',
  on: 'files',
  group: 'config',
  spec: 'wp §2',
  explain: {
    what: 'a prefix in the AllowedIPs of one peer lies within a shorter one of another peer of the same interface',
    why: 'nothing is wrong with it: the longest prefix decides, so the inner addresses go to the second peer and are taken from it alone; it is a fault only where the whole network was meant for the first',
    fix: 'leave it where it is meant; else give each peer prefixes that do not meet',
  },
  check: (world): Found<NestedFacts>[] => settings(world).flatMap(nested),
  message({ outer, place, inner, more }) {
    const list = `${inner.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
    const one = inner.length + more === 1;
    return `${outer} at ${place} contains ${list}: ${one ? 'that one belongs' : 'those belong'} to ${one ? 'another peer' : 'other peers'}`;
  },
  fix: ({ outer }) => ({
    linux: [`to see who has what of ${outer}: wg show INTERFACE allowed-ips`],
    routeros: ['/interface wireguard peers print proplist=interface,public-key,allowed-address'],
  }),
});

interface Allowed {
  readonly peer: WgPeer;
  readonly prefix: Prefix;
  readonly line: number;
}

function nested(entry: ConfEntry): Found<NestedFacts>[] {
  const all = entry.conf.peers.flatMap((peer) =>
    peer.allowedIps.map(({ value, line }): Allowed => ({ peer, prefix: value, line })),
  );
  // a single address contains nothing, and a default route everything
  const outer = prefixIndex(all.filter(({ prefix: { ip, bits } }) => bits > 0 && bits < ip.length * 8));
  const within = new Map<Allowed, Allowed[]>();
  for (const one of all) {
    for (const around of outer.covering(one.prefix.ip)) {
      if (around.prefix.bits >= one.prefix.bits || samePeer(around.peer, one.peer)) continue;
      const list = within.get(around);
      if (list === undefined) within.set(around, [one]);
      else list.push(one);
    }
  }
  return [...within].slice(0, OUTER).map(([around, inner]) => ({
    facts: {
      outer: networkText(around.prefix),
      place: placeOf(entry, around.line),
      inner: inner.slice(0, LISTED).map(({ prefix, line }) => `${networkText(prefix)} (line ${line})`),
      more: Math.max(0, inner.length - LISTED),
    },
    certainty: 'proven',
    frames: [],
    subject: fileSubject(entry),
  }));
}

function samePeer(a: WgPeer, b: WgPeer): boolean {
  if (a === b) return true;
  return a.publicKey !== undefined && b.publicKey !== undefined && equal(a.publicKey.value, b.publicKey.value);
}
