/** What the AEADs of all backends share: the counter's nonce, the length of keys, room in the caller's buffers. */
import { type Bytes, putU64le } from '../base/bytes.ts';
import { AEAD_KEY_BYTES } from './port.ts';

/** Nonce, bytes (RFC 8439 §2.8). */
const NONCE_BYTES = 12;

/** 4 zero bytes ‖ counter as u64le (wp §5.4.6); into `nonce` where one is given, whose first 4 bytes are zero. */
export function counterNonce(low: number, high: number, nonce: Bytes = new Uint8Array(NONCE_BYTES)): Bytes {
  putU64le(nonce, 4, low, high);
  return nonce;
}

export function requireAeadKey(key: Bytes): void {
  if (key.length !== AEAD_KEY_BYTES) {
    throw new RangeError(`an AEAD key is ${AEAD_KEY_BYTES} bytes, not ${key.length}`);
  }
}

/** A view of exactly these bytes; RangeError where `subarray` would silently give fewer. */
export function range(bytes: Bytes, at: number, length: number): Bytes {
  if (!(at >= 0 && length >= 0 && at + length <= bytes.length)) {
    throw new RangeError(`${length} bytes from ${at} are not inside ${bytes.length}`);
  }
  return bytes.subarray(at, at + length);
}
