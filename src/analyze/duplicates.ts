/** Recognises further views of one datagram: `-i any`, a bridge and its port, both sides of a NAT. */
import type { Endpoint } from '../base/address.ts';
import { type Bytes, EMPTY, equal, u32le } from '../base/bytes.ts';
import { msBetween } from '../base/time.ts';
import type { MessageKind } from '../wg/drop.ts';
import type { Seen, WireForm } from './timeline.ts';

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
const DIRECTIONS: readonly Seen['direction'][] = [undefined, 'in', 'out'];
const directionCode = (direction: Seen['direction']): number =>
  direction === undefined ? 0 : direction === 'in' ? 1 : 2;

/** What is compared of a sighting of data, as columns: objects that live for thousands of packets are dear to collect. */
class DataColumns {
  readonly receiver = new Int32Array(MEMORY);
  readonly length = new Int32Array(MEMORY);
  readonly counter = new Float64Array(MEMORY);
  readonly frame = new Float64Array(MEMORY);
  readonly sec = new Float64Array(MEMORY);
  readonly nsec = new Int32Array(MEMORY);
  readonly ttl = new Uint8Array(MEMORY);
  readonly direction = new Uint8Array(MEMORY);
  readonly from: (Endpoint | undefined)[] = new Array<Endpoint | undefined>(MEMORY).fill(undefined);
  readonly to: (Endpoint | undefined)[] = new Array<Endpoint | undefined>(MEMORY).fill(undefined);
  readonly wire: (WireForm | undefined)[] = new Array<WireForm | undefined>(MEMORY).fill(undefined);
  /** Of those that came again: the copies. */
  readonly copies = new Map<number, Seen[]>();

  put(slot: number, seen: Seen): void {
    this.receiver[slot] = seen.receiver | 0;
    this.length[slot] = seen.length;
    this.counter[slot] = seen.counter;
    this.frame[slot] = seen.at.frame;
    this.sec[slot] = seen.at.time.sec;
    this.nsec[slot] = seen.at.time.nsec;
    this.ttl[slot] = seen.ttl;
    this.direction[slot] = directionCode(seen.direction);
    this.from[slot] = seen.from;
    this.to[slot] = seen.to;
    this.wire[slot] = seen.wire;
    if (this.copies.size > 0) this.copies.delete(slot);
  }

  is(slot: number, { receiver, length, counter }: Seen): boolean {
    return this.receiver[slot] === (receiver | 0) && this.length[slot] === length && this.counter[slot] === counter;
  }

  /** As much of it as is asked of the first of two sightings. What is put into its copies stays there. */
  get(slot: number, again: Seen): Seen {
    let copies = this.copies.get(slot);
    if (copies === undefined) {
      copies = [];
      this.copies.set(slot, copies);
    }
    const time = { sec: this.sec[slot] ?? 0, nsec: this.nsec[slot] ?? 0 };
    return {
      ...again,
      bytes: EMPTY,
      at: { capture: again.at.capture, frame: this.frame[slot] ?? 0, time },
      from: this.from[slot] ?? again.from,
      to: this.to[slot] ?? again.to,
      ttl: this.ttl[slot] ?? 0,
      direction: DIRECTIONS[this.direction[slot] ?? 0],
      wire: this.wire[slot],
      copies,
    };
  }
}

/**
 * A ring of recent sightings, and chains of them by hash. Handshake messages are kept as they are. Of data, which has no
 * bytes any more when it is looked for, the hash has the first word; `keepsData`: the very objects are wanted back.
 */
export class RecentSightings {
  readonly #keepsData: boolean;
  readonly #ring: (Seen | undefined)[] = new Array<Seen | undefined>(MEMORY).fill(undefined);
  readonly #data = new DataColumns();
  readonly #used = new Uint8Array(MEMORY);
  readonly #hash = new Int32Array(MEMORY);
  /** First bytes of what is sealed. */
  readonly #word = new Int32Array(MEMORY);
  readonly #next = new Int32Array(MEMORY).fill(NONE);
  readonly #heads = new Int32Array(BUCKETS).fill(NONE);
  #at = 0;
  /** What was looked for last, which is added next, and its hash. */
  #sought: Seen | undefined;
  #soughtHash = 0;

  constructor(keepsData: boolean) {
    this.#keepsData = keepsData;
  }

  /** The latest sighting of this message. */
  find(seen: Seen): Seen | undefined {
    const hash = hashOf(seen) | 0;
    this.#sought = seen;
    this.#soughtHash = hash;
    const isData = seen.kind === 'data';
    const word = isData ? firstWord(seen.bytes) : 0;
    for (let slot = this.#heads[bucketOf(hash)] ?? NONE; slot !== NONE; slot = this.#next[slot] ?? NONE) {
      if (this.#hash[slot] !== hash || this.#word[slot] !== word) continue;
      const known = this.#ring[slot];
      if (known === undefined) {
        if (isData && this.#data.is(slot, seen)) return this.#data.get(slot, seen);
      } else if (sameMessage(known, seen)) return known;
    }
    return undefined;
  }

  /** Of data it must have its bytes still. */
  add(seen: Seen): void {
    const slot = this.#at;
    this.#at = (slot + 1) % MEMORY;
    if (this.#used[slot] === 1) this.#unlink(slot);
    this.#used[slot] = 1;
    const hash = this.#sought === seen ? this.#soughtHash : hashOf(seen) | 0;
    this.#sought = undefined;
    const bucket = bucketOf(hash);
    const isData = seen.kind === 'data';
    const asObject = !isData || this.#keepsData;
    this.#ring[slot] = asObject ? seen : undefined;
    if (!asObject) this.#data.put(slot, seen);
    this.#hash[slot] = hash;
    this.#word[slot] = isData ? firstWord(seen.bytes) : 0;
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
