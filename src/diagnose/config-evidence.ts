/** What rules on configurations ask: which files mean each other, and whether a capture shows that a pair works. */

import type { ConfEntry, KnownKey } from '../analyze/key-set.ts';
import type { MergedExchange } from '../analyze/merge.ts';
import type { FrameId } from '../analyze/timeline.ts';
import { isConfirmed, type World } from '../analyze/world.ts';
import { type IpBytes, inPrefix, type Prefix } from '../base/address.ts';
import { toBase64 } from '../base/base64.ts';
import { oncePer } from '../base/once-per.ts';
import type { WgPeer } from '../config/wg-conf.ts';

/** A file with its own key. */
export interface End {
  readonly entry: ConfEntry;
  readonly own: KnownKey;
  /** The file keeps its own key to itself: it is the one that another file has for its address. */
  readonly presumed?: true;
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

/** Worked out once for a world; what is set stands before what runs. */
export const ends = oncePer<World, readonly End[]>((world) => {
  const { confs } = world.keys;
  const sure = confs.flatMap((entry): End[] => (entry.own === undefined ? [] : [{ entry, own: entry.own }]));
  const owned = new Set(sure.map(({ own }) => own.text));
  const set = new Set(settings(world));
  sure.sort((a, b) => Number(set.has(b.entry)) - Number(set.has(a.entry)));
  return [...sure, ...confs.flatMap((entry) => presumedEnd(entry, sure, owned, world) ?? [])];
});

/**
 * An export without show-sensitive does not tell the router's key. It is the one that the other end has for the
 * router's address, where the router has the other end's key and only one of its peers can be meant.
 */
function presumedEnd(
  entry: ConfEntry,
  sure: readonly End[],
  owned: ReadonlySet<string>,
  world: World,
): End | undefined {
  if (entry.own !== undefined || entry.conf.interface.privateKey !== undefined) return undefined;
  const addresses = entry.conf.interface.addresses.map(({ value }) => value.ip);
  const meant = new Set<string>();
  for (const other of sure) {
    if (!entry.peers.has(other.own.text)) continue;
    for (const [key, peer] of other.entry.peers) {
      if (owned.has(key) || entry.peers.has(key)) continue;
      if (addresses.some((ip) => covered(ip, peer))) meant.add(key);
    }
  }
  const [key] = meant;
  const own = meant.size === 1 && key !== undefined ? world.keys.publics.get(key) : undefined;
  return own === undefined ? undefined : { entry, own, presumed: true };
}

/** What is set; `wg show` of an end only where nothing else tells of it. */
export function settings(world: World): readonly ConfEntry[] {
  const told = new Set(world.keys.confs.flatMap(({ origin, own }) => (origin.kind === 'wg-show' ? [] : (own ?? []))));
  return world.keys.confs.filter(({ origin, own }) => origin.kind !== 'wg-show' || own === undefined || !told.has(own));
}

/** Every [Peer] that is the own key of another file; a presumed key only where both mean each other. Work: the sum of all peers. */
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
        const back = listed.entry.peers.get(lister.own.text);
        if (back === undefined && (lister.presumed === true || listed.presumed === true)) continue;
        out.push({ lister, listed, peer, back });
      }
    }
  }
  return out;
}

/** A fault that shows in what is set shows again in `wg show` of the same ends: it is told once for two keys. */
export function oncePerPair<L extends Listing, F>(
  all: readonly L[],
  judge: (listing: L) => readonly F[],
  pairOf = ({ lister, listed }: Listing): string => `${lister.own.text} ${listed.own.text}`,
): F[] {
  const told = new Set<string>();
  return all.flatMap((listing) => {
    const pair = pairOf(listing);
    if (told.has(pair)) return [];
    const found = judge(listing);
    if (found.length > 0) told.add(pair);
    return found;
  });
}

/** Listings both ways of what is set, each pair of files once. */
export function settingPairs(world: World): (Listing & { readonly back: WgPeer })[] {
  const set = new Set(settings(world));
  return mutualPairs(world).filter(({ lister, listed }) => set.has(lister.entry) && set.has(listed.entry));
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

const confirmedIn = oncePer(confirmedPairs);

/** A handshake of these two keys that data followed, in any capture: what ran fits, whatever the files say. */
export function confirmedBetween(world: World, a: KnownKey, b: KnownKey): MergedExchange | undefined {
  return confirmedIn(world).get(pairKey(a.text, b.text));
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

/** The same whichever of the two is the lister. */
export const eitherWay = ({ lister, listed }: Listing): string => pairKey(lister.own.text, listed.own.text);

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

/** The one end that has this one as its peer and is not among its own: it is meant where a key of a peer is no good. */
export function missingPeer({ own, peers }: ConfEntry, world: World): End | undefined {
  const asking = ends(world).filter(
    (end) =>
      own !== undefined &&
      end.own !== own &&
      !end.presumed &&
      end.entry.peers.has(own.text) &&
      !peers.has(end.own.text),
  );
  const [end] = asking;
  return new Set(asking.map((one) => one.own)).size === 1 ? end : undefined;
}

/** A single address, as peers of a server usually have it. */
export function isHost({ ip, bits }: Prefix): boolean {
  return bits === ip.length * 8;
}

/** `server.conf line 9`; one of several in a file is called by the line it begins at, which this one takes the place of. */
export function placeOf(entry: ConfEntry, line: number | undefined): string {
  return line === undefined ? entry.name : `${entry.name.replace(/ line \d+$/, '')} line ${line}`;
}

/** A public key setting that holds what is a private key elsewhere must never be shown: see key-role-swap. */
export function secretKeys(world: World): Set<string> {
  return new Set(
    world.keys.confs.flatMap(({ conf }) => conf.interface.privateKey?.value ?? []).map((key) => toBase64(key)),
  );
}
