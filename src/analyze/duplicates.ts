/** Recognises further views of one datagram: `-i any`, a bridge and its port, both sides of a NAT. */
import { equal, toHex, u32le } from '../base/bytes.ts';
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

/** Under which a message is looked for among the recent ones. */
export function fingerprint({ kind, bytes, receiver, counter, length }: Seen): string {
  if (kind !== 'data') return toHex(bytes.subarray(0, MACS_AT[kind]));
  return `${receiver}/${counter}/${length}/${u32le(bytes, Math.min(16, bytes.length - 4))}`;
}

/** The same datagram once more, or the same message in another form; `before` has the same fingerprint. */
export function isAgain(before: Seen, seen: Seen): boolean {
  if (!sameDatagram(before.copies[before.copies.length - 1] ?? before, seen)) return false;
  return seen.kind === 'data' || before.wire?.variant !== seen.wire?.variant || equal(before.bytes, seen.bytes);
}

/** A ring of recent sightings, by a key that the message itself gives. */
export class RecentSightings {
  private readonly byKey = new Map<string, Seen>();

  find(key: string): Seen | undefined {
    return this.byKey.get(key);
  }

  add(key: string, seen: Seen): void {
    this.byKey.delete(key);
    this.byKey.set(key, seen);
    if (this.byKey.size > MEMORY) {
      const oldest = this.byKey.keys().next();
      if (!oldest.done) this.byKey.delete(oldest.value);
    }
  }
}
