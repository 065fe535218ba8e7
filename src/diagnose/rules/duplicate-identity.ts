/** One static key in two places: each handshake of the one throws the other out. */

import type { MergedExchange } from '../../analyze/merge.ts';
import type { FrameId } from '../../analyze/timeline.ts';
import { initiationOf, type World } from '../../analyze/world.ts';
import { toBase64 } from '../../base/base64.ts';
import { keyName } from '../evidence.ts';
import { defineRule } from '../rule.ts';

/** There, away and back again: a roaming device does not return to an address by chance. */
const ALTERNATIONS = 2;

export const duplicateIdentity = defineRule({
  name: 'duplicate-identity',
  severity: 'error',
  on: 'files',
  group: 'wire',
  spec: 'wp §2.1',
  hides: ['rekey-failed', 'peer-restarted', 'packet-loss'],
  explain: {
    what: 'handshakes with one static key come from two places in turn',
    why: 'a responder keeps one endpoint and one session per key: each handshake of one device takes the tunnel away from the other, and the later timestamp of one makes the other’s a replay',
    fix: 'give each device a key pair and an address of its own, and each key a [Peer] section',
  },
  check(world) {
    return [...placesByKey(world).values()].flatMap(({ visits, identity, frames }) => {
      const order = visits.filter((place, i) => place !== visits[i - 1]);
      const places = [...new Set(order)];
      const returns = order.length - places.length;
      if (places.length < 2 || returns < ALTERNATIONS - 1 || order.length < 3) return [];
      return [
        {
          facts: { key: identity, places, alternations: order.length - 1 },
          certainty: 'proven' as const,
          frames,
          subject: `tunnel:${identity}`,
          notes: ['each place makes handshakes of its own: one roaming device would carry its session along'],
        },
      ];
    });
  },
  message: ({ key, places, alternations }) =>
    `${key} is used in ${places.length} places, ${places.join(' and ')}, which take the tunnel from each other (${alternations} changes)`,
  fix: () => ({
    linux: [
      'on the second device: wg genkey | tee private | wg pubkey, and a [Peer] with its own AllowedIPs on the responder',
    ],
    routeros: ['/interface wireguard add makes a new key; add it as a peer of its own with its own allowed-address'],
  }),
});

function placesByKey(world: World): Map<string, { identity: string; visits: string[]; frames: FrameId[] }> {
  const out = new Map<string, { identity: string; visits: string[]; frames: FrameId[] }>();
  for (const merged of world.exchanges) {
    const seen = initiationOf(merged);
    const sight = merged.views.map(({ exchange }) => exchange.sight).find((s) => s?.identity !== undefined);
    if (seen === undefined || sight?.identity === undefined || sight.mac1.kind !== 'known' || unknownThere(merged))
      continue;
    const key = `${toBase64(sight.identity)}>${sight.mac1.key.text}`;
    const entry = out.get(key) ?? { identity: keyName(world, sight.identity), visits: [], frames: [] };
    entry.visits.push(seen.from.text);
    if (entry.frames.length < 24) entry.frames.push(seen.at);
    out.set(key, entry);
  }
  return out;
}

/** An initiation that the responder does not take changes nothing there. */
function unknownThere({ views }: MergedExchange): boolean {
  return views.some(
    ({ exchange }) => exchange.sight?.verdict.kind === 'refused' && exchange.sight.verdict.drop.kind === 'unknown-peer',
  );
}
