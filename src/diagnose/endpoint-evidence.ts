/** What rules on Endpoints ask: what is set and what was learned, and where an end really answers. */

import type { ConfEntry } from '../analyze/key-set.ts';
import type { FrameId } from '../analyze/timeline.ts';
import { initiationOf, isAnswered, type World } from '../analyze/world.ts';
import { type Endpoint, type IpBytes, parseIp } from '../base/address.ts';
import { scopeOf } from '../base/address-scope.ts';
import { toBase64 } from '../base/base64.ts';
import { equal } from '../base/bytes.ts';
import { oncePer } from '../base/once-per.ts';
import type { Located } from '../config/text.ts';
import type { ConfEndpoint, WgPeer } from '../config/wg-conf.ts';
import { placeOf } from './config-evidence.ts';
import { countersOf } from './counter-evidence.ts';
import { outerAddresses, routerOf, staticWan } from './ros-evidence.ts';

/** The Endpoint that is set: one that `wg show` prints may have been learned, unless nothing was ever taken in. */
export function setEndpoint(entry: ConfEntry, peer: WgPeer): Located<ConfEndpoint> | undefined {
  if (entry.origin.kind !== 'wg-show') return peer.endpoint;
  const counters = countersOf(entry).get(peer);
  return counters?.rx.bytes === 0 && counters.handshake === 'never' ? peer.endpoint : undefined;
}

/** Where packets to the peer go now, as far as the text shows it. */
export function currentIp(entry: ConfEntry, peer: WgPeer): IpBytes | undefined {
  if (entry.origin.kind !== 'routeros') return peer.endpoint?.value.ip;
  const row = entry.origin.end.peers[entry.conf.peers.indexOf(peer)];
  return parseIp(row?.currentEndpointAddress?.value ?? '') ?? peer.endpoint?.value.ip;
}

/** `vpn.example.net`, `203.0.113.10`, `[2001:db8::1]`: as it stands before the port. */
export function hostText(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

export function endpointText({ host, port }: ConfEndpoint): string {
  return `${hostText(host)}:${port}`;
}

export function isTo(configured: ConfEndpoint, to: { readonly ip: Uint8Array; readonly port: number }): boolean {
  return configured.port === to.port && (configured.ip === undefined || equal(configured.ip, to.ip));
}

/** Initiations for one key to one place. */
export interface Asked {
  readonly to: Endpoint;
  /** In the captures that hold unanswered ones, and in those that hold answered ones. */
  readonly unanswered: FrameId[];
  readonly answered: FrameId[];
}

const askedOf = oncePer(collect);

/** Where the initiations for a key went, by base64 of the key, and whether anything answered there. */
export function askedFor(world: World, key: string): readonly Asked[] {
  return askedOf(world).get(key) ?? [];
}

function collect(world: World): Map<string, Asked[]> {
  const out = new Map<string, Asked[]>();
  for (const merged of world.exchanges) {
    const seen = initiationOf(merged);
    const mac1 = merged.views.find(({ exchange }) => exchange.sight?.mac1.kind === 'known')?.exchange.sight?.mac1;
    if (seen === undefined || mac1?.kind !== 'known') continue;
    const list = out.get(mac1.key.text) ?? [];
    out.set(mac1.key.text, list);
    let asked = list.find(({ to }) => to.text === seen.to.text);
    if (asked === undefined) {
      asked = { to: seen.to, unanswered: [], answered: [] };
      list.push(asked);
    }
    (isAnswered(merged) ? asked.answered : asked.unanswered).push(seen.at);
  }
  return out;
}

/** Somebody answered for this key: it is a real one. */
export function hasAnswered(world: World, key: Uint8Array): boolean {
  return askedFor(world, toBase64(key)).some(({ answered }) => answered.length > 0);
}

/** A capture shows that this Endpoint is reached: initiations for the key were answered from there. */
export function isReached(world: World, key: Uint8Array, ip: IpBytes): boolean {
  return askedFor(world, toBase64(key)).some(({ to, answered }) => answered.length > 0 && equal(to.ip, ip));
}

export interface Wan {
  readonly ip: IpBytes;
  readonly place: string;
  /** Every address on what is no tunnel. */
  readonly all: readonly IpBytes[];
}

/** The public address of a router, where its export writes it down and there is but one way out. */
export function wanOf(entry: ConfEntry): Wan | undefined {
  const router = routerOf(entry);
  const wan = router === undefined ? undefined : staticWan(router.config);
  if (router === undefined || wan === undefined || scopeOf(wan.address.value.ip) !== 'global') return undefined;
  const all = outerAddresses(router.config).map(({ address }) => address.value.ip);
  return { ip: wan.address.value.ip, place: placeOf(entry, wan.line), all };
}
