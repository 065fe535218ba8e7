/** What `wg show` and a RouterOS print count for a peer, and which handshake messages the counts are made of. */

import type { ConfEntry } from '../analyze/key-set.ts';
import type { World } from '../analyze/world.ts';
import { equalSecret } from '../base/bytes.ts';
import { ZERO_PSK } from '../base/keys.ts';
import { oncePer } from '../base/once-per.ts';
import type { ByteCount } from '../config/quantities.ts';
import type { WgPeer } from '../config/wg-conf.ts';
import type { WgStatusPeer } from '../config/wg-status.ts';
import { INITIATION } from '../wg/message/initiation.ts';
import { RESPONSE } from '../wg/message/response.ts';

/** Received bytes are counted only once a message is authenticated, sent ones always (kernel receive.c, send.c). */
export interface Counters {
  readonly entry: ConfEntry;
  readonly peer: WgPeer;
  /** Where the counts stand. */
  readonly line: number;
  readonly rx: ByteCount;
  readonly tx: ByteCount;
  /** Age of the last handshake, or the least that it can be; `never` where there was none. */
  readonly handshake: 'never' | { readonly ageMs: number | undefined };
}

const NOTHING: ByteCount = { bytes: 0, uncertaintyBytes: 0 };

/** Of every peer of this end; empty where the text does not count. */
export const countersOf = oncePer<ConfEntry, ReadonlyMap<WgPeer, Counters>>(
  (entry) => new Map(read(entry).map((counters) => [counters.peer, counters])),
);

function read(entry: ConfEntry): Counters[] {
  const { origin, conf } = entry;
  if (origin.kind === 'wg-show') {
    // junk and padding of AmneziaWG change every size
    if (origin.status.amnezia.length > 0) return [];
    const { peers } = origin.status;
    const latest = peers.reduce(
      (most, { latestHandshake: at }) => (at?.value.kind === 'at' ? Math.max(most, at.value.sec) : most),
      0,
    );
    return conf.peers.flatMap((peer, i) => {
      const status = peers[i];
      return status === undefined ? [] : [ofStatus(entry, peer, status, latest)];
    });
  }
  if (origin.kind !== 'routeros') return [];
  return conf.peers.flatMap((peer, i): Counters[] => {
    const { rx, tx, lastHandshakeMs } = origin.end.peers[i] ?? {};
    if (rx === undefined || tx === undefined) return [];
    const handshake = lastHandshakeMs === undefined ? 'never' : { ageMs: lastHandshakeMs.value };
    return [{ entry, peer, line: rx.line, rx: rx.value, tx: tx.value, handshake }];
  });
}

/** `latest`: the last handshake of all peers, seconds since 1970; the text is not older than that. */
function ofStatus(entry: ConfEntry, peer: WgPeer, status: WgStatusPeer, latest: number): Counters {
  const { latestHandshake, rx, tx, line } = status;
  const at = latestHandshake?.value;
  const ageMs = at?.kind === 'ago' ? at.ageMs : at?.kind === 'at' ? (latest - at.sec) * 1000 : undefined;
  return {
    entry,
    peer,
    line: rx?.line ?? line,
    rx: rx?.value ?? NOTHING,
    tx: tx?.value ?? NOTHING,
    handshake: at === undefined ? 'never' : { ageMs },
  };
}

/** How many messages of `size` bytes make up this count; undefined where it is no multiple, or too rough to tell. */
function multiple({ bytes, uncertaintyBytes }: ByteCount, size: number): number | undefined {
  const n = Math.round(bytes / size);
  return n > 0 && uncertaintyBytes * 4 < size && Math.abs(n * size - bytes) <= uncertaintyBytes ? n : undefined;
}

/** Initiations sent, where nothing else was and nothing was taken in. */
export function onlyInitiated({ rx, tx, handshake }: Counters): number | undefined {
  return handshake === 'never' && rx.bytes === 0 ? multiple(tx, INITIATION.size) : undefined;
}

/** Initiations taken and answered, and initiations of its own, where no session came of any. */
export function onlyAnswered({ rx, tx, handshake }: Counters): { answered: number; initiated: number } | undefined {
  const answered = handshake === 'never' ? multiple(rx, INITIATION.size) : undefined;
  if (answered === undefined) return undefined;
  const rest = { ...tx, bytes: tx.bytes - answered * RESPONSE.size };
  if (Math.abs(rest.bytes) <= rest.uncertaintyBytes) return { answered, initiated: 0 };
  const initiated = multiple(rest, INITIATION.size);
  return initiated === undefined ? undefined : { answered, initiated };
}

/** What the other end counts for this one. */
export type OtherSide =
  /** it runs, and has no peer with this end's key */
  { readonly kind: 'unlisted'; readonly entry: ConfEntry } | { readonly kind: 'counted'; readonly counters: Counters };

/** The other end's own counts, where its status was handed over too. */
export function otherSide({ entry, peer }: Counters, world: World): OtherSide | undefined {
  const theirs = peer.publicKey === undefined ? undefined : world.keys.find(peer.publicKey.value);
  if (theirs === undefined || entry.own === undefined) return undefined;
  for (const other of world.keys.confs) {
    if (other.own !== theirs || other === entry || !runs(other)) continue;
    const back = other.peers.get(entry.own.text);
    if (back === undefined) return { kind: 'unlisted', entry: other };
    const counters = countersOf(other).get(back);
    if (counters !== undefined) return { kind: 'counted', counters };
  }
  return undefined;
}

/** It shows what runs, not what is set. */
function runs(entry: ConfEntry): boolean {
  return entry.origin.kind === 'wg-show' || countersOf(entry).size > 0;
}

/** Whether two ends have the same PSK for each other; `unknown` where either text keeps it to itself. */
export function pskOfBoth(here: Counters, there: Counters): 'same' | 'differs' | 'unknown' {
  if (here.peer.hidesPsk === true || there.peer.hidesPsk === true) return 'unknown';
  const [a, b] = [here, there].map(({ peer }) => peer.presharedKey?.value ?? ZERO_PSK);
  return a !== undefined && b !== undefined && equalSecret(a, b) ? 'same' : 'differs';
}
