/** The token bucket per source behind a valid MAC2: 20 handshakes a second, 5 at once, in the kernel and wireguard-go. */
import { type Bytes, u16be, u32be } from '../base/bytes.ts';

export interface RateRule {
  /** Handshakes a second that a source gets in the long run. */
  readonly perSecond: number;
  /** Handshakes at once, for a source that was quiet. */
  readonly burst: number;
  /** How much of an IPv6 source counts: 64 in the kernel, all 128 in wireguard-go. IPv4 always counts whole. */
  readonly ipv6Bits: 64 | 128;
  /** wireguard-go passes only with more than the cost left, the kernel with as much. */
  readonly strict: boolean;
  /** Sources at once. More are refused, as in the kernel, until one has been quiet for a second. */
  readonly maxEntries: number;
}

/** A source that was quiet for longer is forgotten, as in the kernel. By then a burst of 5 at 20 a second is full again. */
const IDLE_MS = 1000;

/** Entries looked at for expiry per call: more than one, so that the table shrinks; few, so that no call is slow. */
const EXPIRE_PER_CALL = 4;

interface Bucket {
  /** Milliseconds' worth of tokens: a handshake costs 1000 / perSecond. */
  tokens: number;
  lastMs: number;
}

/** A number for IPv4, text for IPv6: they cannot be equal. */
function sourceOf(ip: Bytes, ipv6Bits: number): number | string {
  if (ip.length === 4) return u32be(ip, 0);
  const high = String.fromCharCode(u16be(ip, 0), u16be(ip, 2), u16be(ip, 4), u16be(ip, 6));
  if (ipv6Bits === 64) return high;
  return high + String.fromCharCode(u16be(ip, 8), u16be(ip, 10), u16be(ip, 12), u16be(ip, 14));
}

export class RateLimiter {
  readonly #rule: RateRule;
  readonly #costMs: number;
  /** The source quiet for longest first: each use moves a source to the end. */
  readonly #buckets = new Map<number | string, Bucket>();

  /** Throws RangeError on a rule that lets nothing through. */
  constructor(rule: RateRule) {
    if (!(rule.perSecond > 0 && rule.burst >= 1 && rule.maxEntries >= 1)) {
      throw new RangeError('a rate rule must let something through');
    }
    this.#rule = rule;
    this.#costMs = 1000 / rule.perSecond;
  }

  /** Sources remembered, at most `maxEntries`. */
  get size(): number {
    return this.#buckets.size;
  }

  /** `ip` is 4 or 16 bytes. `nowMs` is monotonic; a step back counts as no time at all. */
  allow(ip: Bytes, nowMs: number): boolean {
    this.#expire(nowMs);
    const source = sourceOf(ip, this.#rule.ipv6Bits);
    const full = this.#rule.burst * this.#costMs;
    const bucket = this.#buckets.get(source);
    if (bucket === undefined) {
      if (this.#buckets.size >= this.#rule.maxEntries) return false;
      this.#buckets.set(source, { tokens: full - this.#costMs, lastMs: nowMs });
      return true;
    }
    const tokens = Math.min(full, bucket.tokens + Math.max(0, nowMs - bucket.lastMs));
    const passes = this.#rule.strict ? tokens > this.#costMs : tokens >= this.#costMs;
    bucket.tokens = passes ? tokens - this.#costMs : tokens;
    bucket.lastMs = Math.max(nowMs, bucket.lastMs);
    this.#buckets.delete(source);
    this.#buckets.set(source, bucket);
    return passes;
  }

  #expire(nowMs: number): void {
    let looked = 0;
    for (const [source, { lastMs }] of this.#buckets) {
      if (nowMs - lastMs <= IDLE_MS || ++looked > EXPIRE_PER_CALL) return;
      this.#buckets.delete(source);
    }
  }
}
