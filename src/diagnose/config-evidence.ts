/** What rules on configurations ask: which files mean each other, and whether a capture shows that a pair works. */

import type { ConfEntry, KnownKey } from '../analyze/key-set.ts';
import type { MergedExchange } from '../analyze/merge.ts';
import type { FrameId } from '../analyze/timeline.ts';
import { isConfirmed, type World } from '../analyze/world.ts';
import { type IpBytes, inPrefix, type Prefix } from '../base/address.ts';
import { toBase64 } from '../base/base64.ts';
import type { WgPeer } from '../config/wg-conf.ts';

/** A file with its own key. */
export interface End {
  readonly entry: ConfEntry;
  readonly own: KnownKey;
}

/** `lister` has the key of `listed` as a [Peer]. */
export interface Listing {
  readonly lister: End;
  readonly listed: End;
  readonly peer: WgPeer;
  /** The entry the other way; undefined where there is none. */
  readonly back: WgPeer | undefined;
}

export function fileSubject(entry: ConfEntry): string {
  return `file:${entry.name}`;
}

export function ends(world: World): End[] {
  return world.keys.confs.flatMap((entry) => (entry.own === undefined ? [] : [{ entry, own: entry.own }]));
}

/** Every [Peer] that is the own key of another file. Work: the sum of all peers. */
export function listings(world: World): Listing[] {
  const byKey = new Map<string, End[]>();
  for (const end of ends(world)) {
    const list = byKey.get(end.own.text);
    if (list === undefined) byKey.set(end.own.text, [end]);
    else list.push(end);
  }
  const out: Listing[] = [];
  for (const lister of ends(world)) {
    for (const [key, peer] of lister.entry.peers) {
      if (key === lister.own.text) continue;
      for (const listed of byKey.get(key) ?? []) {
        out.push({ lister, listed, peer, back: listed.entry.peers.get(lister.own.text) });
      }
    }
  }
  return out;
}

/** Listings both ways, each pair of files once. */
export function mutualPairs(world: World): (Listing & { readonly back: WgPeer })[] {
  const order = new Map(world.keys.confs.map((entry, i) => [entry, i]));
  return listings(world).flatMap((listing) => {
    const { back, lister, listed } = listing;
    const first = (order.get(lister.entry) ?? 0) < (order.get(listed.entry) ?? 0);
    return back !== undefined && first ? [{ ...listing, back }] : [];
  });
}

const confirmedIn = new WeakMap<World, Map<string, MergedExchange>>();

/** A handshake of these two keys that data followed, in any capture: what ran fits, whatever the files say. */
export function confirmedBetween(world: World, a: KnownKey, b: KnownKey): MergedExchange | undefined {
  let known = confirmedIn.get(world);
  if (known === undefined) {
    known = confirmedPairs(world);
    confirmedIn.set(world, known);
  }
  return known.get(pairKey(a.text, b.text));
}

function confirmedPairs(world: World): Map<string, MergedExchange> {
  const out = new Map<string, MergedExchange>();
  for (const merged of world.exchanges) {
    if (!isConfirmed(merged)) continue;
    let responder: string | undefined;
    let initiator: string | undefined;
    for (const { exchange } of merged.views) {
      const { sight, responses } = exchange;
      if (sight?.mac1.kind === 'known') responder ??= sight.mac1.key.text;
      if (sight?.identity !== undefined) initiator ??= toBase64(sight.identity);
      for (const response of responses) {
        if (response.sight.mac1.kind === 'known') initiator ??= response.sight.mac1.key.text;
      }
    }
    if (responder === undefined || initiator === undefined) continue;
    const key = pairKey(responder, initiator);
    if (!out.has(key)) out.set(key, merged);
  }
  return out;
}

const pairKey = (a: string, b: string): string => (a < b ? `${a} ${b}` : `${b} ${a}`);

/** Frames of the handshake, as proof that the pair works. */
export function framesOf(merged: MergedExchange): FrameId[] {
  return merged.views.flatMap(({ exchange }) => {
    const { initiation, responses, confirmed, replied } = exchange;
    return [initiation, responses[0]?.seen, confirmed ?? replied].flatMap((seen) => seen?.at ?? []);
  });
}

/** How a finding of two files changes when a capture shows them working: the file is not what ran. */
export function unlessConfirmed(world: World, a: KnownKey, b: KnownKey) {
  const merged = confirmedBetween(world, a, b);
  if (merged === undefined) return { frames: [] as FrameId[], notes: [] as string[] };
  const notes = [`handshake ${merged.id} of this pair succeeded all the same: the file is not what ran then`];
  return { severity: 'info' as const, frames: framesOf(merged), notes };
}

/** The host parts of an end's own addresses. */
export function ownAddresses({ entry }: End): IpBytes[] {
  return entry.conf.interface.addresses.map(({ value }) => value.ip);
}

export function covered(ip: IpBytes, peer: WgPeer): boolean {
  return peer.allowedIps.some(({ value }) => inPrefix(ip, value));
}

/** A single address, as peers of a server usually have it. */
export function isHost({ ip, bits }: Prefix): boolean {
  return bits === ip.length * 8;
}

/** `server.conf line 9` */
export function placeOf(entry: ConfEntry, line: number | undefined): string {
  return line === undefined ? entry.name : `${entry.name} line ${line}`;
}

/** A public key setting that holds what is a private key elsewhere must never be shown: see key-role-swap. */
export function secretKeys(world: World): Set<string> {
  return new Set(
    world.keys.confs.flatMap(({ conf }) => conf.interface.privateKey?.value ?? []).map((key) => toBase64(key)),
  );
}
