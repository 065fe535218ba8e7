/** An end behind NAT that is reached only through its own packets, and sends none when idle. */
import type { ConfEntry } from '../../analyze/key-set.ts';
import type { FrameId } from '../../analyze/timeline.ts';
import type { World } from '../../analyze/world.ts';
import { formatIp } from '../../base/address.ts';
import { scopeOf } from '../../base/address-scope.ts';
import { toBase64 } from '../../base/base64.ts';
import type { WgPeer } from '../../config/wg-conf.ts';
import { type End, fileSubject, placeOf, settingPairs } from '../config-evidence.ts';
import { countersOf } from '../counter-evidence.ts';
import type { Edit } from '../edit.ts';
import { setEndpoint } from '../endpoint-evidence.ts';
import { routerOf, staticWan } from '../ros-evidence.ts';
import { defineRule, type Facts, type Found } from '../rule.ts';

interface KeepaliveFacts extends Facts {
  readonly place: string;
  readonly end: string;
  readonly other: string;
  /** How the NAT shows. */
  readonly shownBy: string;
  readonly key: string;
}

export const keepaliveMissingBehindNat = defineRule({
  name: 'keepalive-missing-behind-nat',
  severity: 'info',
  on: 'files',
  group: 'config',
  spec: 'wp §6.5',
  explain: {
    what: 'an end is behind NAT, the other one has no Endpoint for it, and it has no PersistentKeepalive',
    why: 'nothing is wrong while it is the one that begins: but after 30 to 180 s of silence the NAT forgets the way back, and the other end cannot reach it until it sends again',
    fix: 'set PersistentKeepalive = 25 on the end behind NAT, if the other one is to reach it at any time; below 10 s where a router forgets UDP that fast',
  },
  check: (world): Found<KeepaliveFacts>[] =>
    settingPairs(world).flatMap(({ lister, listed, peer, back }) => [
      ...judge(lister, listed, peer, back, world),
      ...judge(listed, lister, back, peer, world),
    ]),
  message: ({ place, end, other, shownBy }) =>
    `${end} is behind NAT (${shownBy}) and has no PersistentKeepalive for ${other} (${place}): after a while of silence ${other} cannot reach it`,
  fix: ({ key, place }) => ({
    linux: [
      `in the [Peer] at ${place}: PersistentKeepalive = 25`,
      `at once, until restart: wg set INTERFACE peer ${key} persistent-keepalive 25`,
    ],
    routeros: [`/interface wireguard peers set [find public-key="${key}"] persistent-keepalive=25s`],
  }),
});

/** `peer` is what `end` has for `other`. */
function judge(end: End, other: End, peer: WgPeer, back: WgPeer, world: World): Found<KeepaliveFacts>[] {
  if ((peer.persistentKeepalive?.value ?? 0) > 0 || peer.endpoint === undefined) return [];
  if (setEndpoint(other.entry, back) !== undefined) return [];
  const nat = byCounters(end, world) ?? byRouter(end.entry) ?? byCaptures(end, world);
  if (nat === undefined) return [];
  const line = peer.persistentKeepalive?.line ?? peer.endpoint.line;
  const edit: Edit = {
    input: end.entry.input,
    line,
    kind: peer.persistentKeepalive === undefined ? 'insert-after' : 'replace',
    text: 'PersistentKeepalive = 25',
  };
  return [
    {
      facts: {
        place: placeOf(end.entry, line),
        end: end.entry.name,
        other: other.entry.name,
        shownBy: nat.text,
        key: other.own.text,
      },
      certainty: nat.frames.length > 0 ? 'proven' : 'deduced',
      frames: nat.frames,
      subject: fileSubject(end.entry),
      edits: end.entry.origin.kind === 'wg-quick' ? [edit] : [],
    },
  ];
}

interface Nat {
  readonly text: string;
  readonly frames: readonly FrameId[];
}

/** It listens on one port, and the other end knows it at another one. */
function byCounters({ entry, own }: End, world: World): Nat | undefined {
  const port = entry.conf.interface.listenPort?.value ?? 0;
  if (port === 0) return undefined;
  for (const status of world.keys.confs) {
    const peer = status.own === own ? undefined : status.peers.get(own.text);
    const counters = peer === undefined ? undefined : countersOf(status).get(peer);
    const learned = peer?.endpoint;
    if (counters === undefined || counters.rx.bytes === 0 || learned === undefined || status.origin.kind !== 'wg-show')
      continue;
    if (learned.value.port === port) continue;
    const text = `it listens on port ${port}, and ${placeOf(status, learned.line)} has it at port ${learned.value.port}`;
    return { text, frames: [] };
  }
  return undefined;
}

function byRouter(entry: ConfEntry): Nat | undefined {
  const router = routerOf(entry);
  const wan = router === undefined ? undefined : staticWan(router.config);
  if (wan === undefined || !['private', 'shared'].includes(scopeOf(wan.address.value.ip))) return undefined;
  return { text: `its way out is ${formatIp(wan.address.value.ip)}, ${placeOf(entry, wan.line)}`, frames: [] };
}

/** One initiation of it, seen to come from two places. */
function byCaptures({ own }: End, world: World): Nat | undefined {
  for (const { views } of world.exchanges) {
    const seen = views.flatMap(({ exchange }) => exchange.initiation ?? []);
    const [first] = seen;
    const other = seen.find(({ from }) => from.text !== first?.from.text);
    if (first === undefined || other === undefined) continue;
    const by = views.some(
      ({ exchange: { sight, responses } }) =>
        (sight?.identity !== undefined && toBase64(sight.identity) === own.text) ||
        responses.some((response) => response.sight.mac1.kind === 'known' && response.sight.mac1.key === own),
    );
    if (by) return { text: `${first.from.text} is seen as ${other.from.text}`, frames: [first.at, other.at] };
  }
  return undefined;
}
