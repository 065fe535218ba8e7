/** Cookies: what a responder under load binds an address with, and the reply that carries it (wp §5.4.7). */
import type { Endpoint } from '../base/address.ts';
import { type Bytes, putU16be } from '../base/bytes.ts';
import { fail, ok, type Result } from '../base/result.ts';
import type { Crypto } from '../crypto/port.ts';
import type { Drop } from './drop.ts';
import { type CookieReply, encodeCookieReply } from './message/cookie-reply.ts';

/** Address ‖ port big-endian, the kernel's form. Only the responder itself ever reads it, so forms need not agree. */
export function cookieSource(from: Endpoint): Bytes {
  const out = new Uint8Array(from.ip.length + 2);
  out.set(from.ip);
  putU16be(out, from.ip.length, from.port);
  return out;
}

/** Mac(R_m, source), 16 bytes: R_m is the responder's secret of these two minutes. */
export function cookieFor(crypto: Crypto, secret: Bytes, source: Bytes): Bytes {
  return crypto.mac(secret, source);
}

export interface CookieReplyInput {
  /** `cookieKey` of the responder. */
  readonly key: Bytes;
  /** Sender index of the refused message. */
  readonly receiver: number;
  /** 24 random bytes. */
  readonly nonce: Bytes;
  readonly cookie: Bytes;
  /** MAC1 of the refused message: binds the reply to it. */
  readonly mac1: Bytes;
}

/** The whole 64-byte message. */
export function sealCookieReply(crypto: Crypto, input: CookieReplyInput): Bytes {
  const { key, receiver, nonce, cookie, mac1 } = input;
  return encodeCookieReply({ receiver, nonce, sealedCookie: crypto.xseal(key, nonce, mac1, cookie) });
}

/** The cookie. `mac1` is that of the last message sent to the owner of `key`. */
export function openCookieReply(crypto: Crypto, key: Bytes, message: CookieReply, mac1: Bytes): Result<Bytes, Drop> {
  const cookie = crypto.xopen(key, message.nonce, mac1, message.sealedCookie);
  return cookie === undefined ? fail({ kind: 'cookie-unsealable' }) : ok(cookie);
}
