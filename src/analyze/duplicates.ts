/** Recognises further views of one datagram: `-i any`, a bridge and its port, both sides of a NAT. */
import { msBetween } from '../base/time.ts';
import type { Seen } from './timeline.ts';

/** Two sightings of the same bytes closer than this are one datagram. */
export const SAME_DATAGRAM_MS = 50;
/** Or closer than this when the second is evidently the first one hop further on. */
export const FORWARDED_MS = 1000;
/** Sightings remembered, per capture. */
const MEMORY = 4096;

export function sameDatagram(first: Seen, again: Seen): boolean {
  const gap = Math.abs(msBetween(first.at.time, again.at.time));
  if (gap <= SAME_DATAGRAM_MS) return true;
  if (gap > FORWARDED_MS) return false;
  const hop = first.ttl !== again.ttl;
  const passed = first.direction !== undefined && again.direction !== undefined && first.direction !== again.direction;
  const translated = (first.from.text === again.from.text) !== (first.to.text === again.to.text);
  return hop || passed || translated;
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
