/** Cookie reply, 64 bytes (wp §5.4.7). */
import { type Bytes, putU32le, u32le } from '../../base/bytes.ts';
import { field, layout } from '../../base/layout.ts';
import { fail, ok, type Result } from '../../base/result.ts';
import { TAG } from '../../crypto/port.ts';
import { COOKIE_NONCE_BYTES, MAC_BYTES, TYPE } from '../constants.ts';
import type { Drop } from '../drop.ts';

export const COOKIE_REPLY = layout({ type: 4, receiver: 4, nonce: COOKIE_NONCE_BYTES, sealedCookie: MAC_BYTES + TAG });

/** Every field is a view into `bytes`. */
export interface CookieReply {
  readonly kind: 'cookie-reply';
  readonly receiver: number;
  readonly nonce: Bytes;
  readonly sealedCookie: Bytes;
  readonly bytes: Bytes;
}

/** Checks the length only; the type was read by {@link decodeMessage}. */
export function decodeCookieReply(bytes: Bytes): Result<CookieReply, Drop> {
  const { size, receiver, nonce, sealedCookie } = COOKIE_REPLY;
  if (bytes.length !== size) {
    return fail({ kind: 'length-mismatch', message: 'cookie-reply', expected: size, actual: bytes.length });
  }
  return ok({
    kind: 'cookie-reply',
    receiver: u32le(bytes, receiver.at),
    nonce: field(bytes, nonce),
    sealedCookie: field(bytes, sealedCookie),
    bytes,
  });
}

export function encodeCookieReply(fields: Omit<CookieReply, 'kind' | 'bytes'>): Bytes {
  const bytes = new Uint8Array(COOKIE_REPLY.size);
  putU32le(bytes, COOKIE_REPLY.type.at, TYPE['cookie-reply']);
  putU32le(bytes, COOKIE_REPLY.receiver.at, fields.receiver);
  bytes.set(fields.nonce, COOKIE_REPLY.nonce.at);
  bytes.set(fields.sealedCookie, COOKIE_REPLY.sealedCookie.at);
  return bytes;
}
