/** What the engine asks of chance, and what for: a driver ignores the purpose, a replay injects by it. */
import { type Bytes, u32be } from '../base/bytes.ts';

export type RandomPurpose = 'ephemeral' | 'index' | 'cookie-secret' | 'cookie-nonce' | 'jitter';

/** Fills `out` with bytes nobody can foresee. For `crypto.getRandomValues` the purpose is of no interest. */
export type Random = (out: Bytes, purpose: RandomPurpose) => void;

export function randomBytes(random: Random, length: number, purpose: RandomPurpose): Bytes {
  const out = new Uint8Array(length);
  random(out, purpose);
  return out;
}

export function randomU32(random: Random, purpose: RandomPurpose): number {
  return u32be(randomBytes(random, 4, purpose), 0);
}

/** 0 to `limit` − 1, all but evenly: good for jitter, not for keys. Asks for nothing when there is no choice. */
export function randomBelow(random: Random, limit: number, purpose: RandomPurpose): number {
  return limit <= 1 ? 0 : randomU32(random, purpose) % limit;
}
