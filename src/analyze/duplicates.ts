/** Recognises further views of one datagram: `-i any`, a bridge and its port, both sides of a NAT. */
import { type Bytes, equal, u32le } from '../base/bytes.ts';
import { msBetween } from '../base/time.ts';
import type { MessageKind } from '../wg/drop.ts';
import type { Seen } from './timeline.ts';

/** Two sightings of the same bytes closer than this are one datagram. */
export const SAME_DATAGRAM_MS = 50;
/** Or closer than this when the second is evidently the first one hop further on. */
export const FORWARDED_MS = 1000;
/** Sightings remembered, per capture. */
const MEMORY = 4096;

function sameDatagram(first: Seen, again: Seen): boolean {
  const gap = Math.abs(msBetween(first.at.time, again.at.time));
  if (gap <= SAME_DATAGRAM_MS) return true;
  if (gap > FORWARDED_MS) return false;
  const hop = first.ttl !== again.ttl;
  const passed = first.direction !== undefined && again.direction !== undefined && first.direction !== again.direction;
  const translated = (first.from.text === again.from.text) !== (first.to.text === again.to.text);
  return hop || passed || translated;
}

/** The bytes before the MACs, which a program that turns one form into another must make anew. */
const MACS_AT: Readonly<Record<MessageKind, number>> = { initiation: 116, response: 60, 'cookie-reply': 64, data: 16 };

/** The same datagram once more, or the same message in another form; `before` has the same fingerprint. */
export function isAgain(before: Seen, seen: Seen): boolean {
  if (!sameDatagram(before.copies[before.copies.length - 1] ?? before, seen)) return false;
  return seen.kind === 'data' || before.wire?.variant !== seen.wire?.variant || equal(before.bytes, seen.bytes);
}

/** Equal for copies and other forms of one message, and hardly ever for others. */
function hashOf({ kind, bytes, sender, receiver, counter, length }: Seen): number {
  let hash = Math.imul(receiver ^ length, 0x9e37_79b1) ^ sender;
  if (kind === 'data') return Math.imul(hash ^ counter, 0x85eb_ca6b) ^ firstWord(bytes);
  for (let at = 8; at + 4 <= bytes.length && at < 40; at += 4) hash = Math.imul(hash ^ u32le(bytes, at), 0x85eb_ca6b);
  return hash;
}

/** Of what is sealed: what tells a message from another with the same counter. */
function firstWord(bytes: Bytes): number {
  return u32le(bytes, Math.min(MACS_AT.data, bytes.length - 4)) | 0;
}

function sameMessage(a: Seen, b: Seen): boolean {
  if (a.kind !== b.kind || a.receiver !== b.receiver || a.sender !== b.sender) return false;
  if (a.kind === 'data') return a.counter === b.counter && a.length === b.length;
  return equal(a.bytes.subarray(0, MACS_AT[a.kind]), b.bytes.subarray(0, MACS_AT[b.kind]));
}

const BUCKETS = 2 * MEMORY;
const NONE = -1;

/** A ring of recent sightings, and chains of them by hash. Of data it keeps no bytes: the hash has their first word. */
export class RecentSightings {
  readonly #ring: (Seen | undefined)[] = new Array<Seen | undefined>(MEMORY).fill(undefined);
  readonly #hash = new Int32Array(MEMORY);
  /** First bytes of what is sealed. */
  readonly #word = new Int32Array(MEMORY);
  readonly #next = new Int32Array(MEMORY).fill(NONE);
  readonly #heads = new Int32Array(BUCKETS).fill(NONE);
  #at = 0;

  /** The latest sighting of this message. */
  find(seen: Seen): Seen | undefined {
    const hash = hashOf(seen) | 0;
    const word = seen.kind === 'data' ? firstWord(seen.bytes) : 0;
    for (let slot = this.#heads[bucketOf(hash)] ?? NONE; slot !== NONE; slot = this.#next[slot] ?? NONE) {
      if (this.#hash[slot] !== hash || this.#word[slot] !== word) continue;
      const known = this.#ring[slot];
      if (known !== undefined && sameMessage(known, seen)) return known;
    }
    return undefined;
  }

  /** Keeps the object; of data it must have its bytes still. */
  add(seen: Seen): void {
    const slot = this.#at;
    this.#at = (slot + 1) % MEMORY;
    if (this.#ring[slot] !== undefined) this.#unlink(slot);
    const hash = hashOf(seen) | 0;
    const bucket = bucketOf(hash);
    this.#ring[slot] = seen;
    this.#hash[slot] = hash;
    this.#word[slot] = seen.kind === 'data' ? firstWord(seen.bytes) : 0;
    this.#next[slot] = this.#heads[bucket] ?? NONE;
    this.#heads[bucket] = slot;
  }

  #unlink(slot: number): void {
    const bucket = bucketOf(this.#hash[slot] ?? 0);
    const after = this.#next[slot] ?? NONE;
    if (this.#heads[bucket] === slot) {
      this.#heads[bucket] = after;
      return;
    }
    let at = this.#heads[bucket] ?? NONE;
    while (at !== NONE && this.#next[at] !== slot) at = this.#next[at] ?? NONE;
    if (at !== NONE) this.#next[at] = after;
  }
}

function bucketOf(hash: number): number {
  return (hash ^ (hash >>> 15)) & (BUCKETS - 1);
}
