/** Transport data in the caller's buffers, under one direction's key (wp §5.4.6). Padding and counters are the caller's. */
import { type Bytes, putU32le, putU64le, u32le } from '../base/bytes.ts';
import { type AeadKey, TAG } from '../crypto/port.ts';
import { TYPE } from './constants.ts';
import { DATA } from './message/data.ts';

/** Where the plaintext stands before a message is sealed in its place, bytes. */
export const HEADROOM = DATA.size;
/** What a message is longer than its plaintext, bytes. */
export const OVERHEAD = DATA.size + TAG;

/**
 * Makes a message of the `plainLength` bytes that stand in `out` from {@link HEADROOM}; 0 for a keepalive. It begins at
 * 0 and ends `plainLength` + {@link OVERHEAD}, which is returned. Throws RangeError when `out` is too small.
 */
export function sealInPlace(
  key: AeadKey,
  receiver: number,
  low: number,
  high: number,
  out: Bytes,
  plainLength: number,
): number {
  key.sealInto(low, high, out, HEADROOM, plainLength, out, HEADROOM);
  putU32le(out, DATA.type.at, TYPE.data);
  putU32le(out, DATA.receiver.at, receiver);
  putU64le(out, DATA.counter.at, low, high);
  return plainLength + OVERHEAD;
}

/**
 * Opens a whole data message into `out` from 0; `out` may be `bytes` itself. False when it does not open, and `out` is
 * then as it was. The replay window comes after (kernel receive.c).
 */
export function openInto(key: AeadKey, bytes: Bytes, out: Bytes): boolean {
  const low = u32le(bytes, DATA.counter.at);
  const high = u32le(bytes, DATA.counter.at + 4);
  return key.openInto(low, high, bytes, DATA.size, bytes.length - DATA.size, out, 0);
}
