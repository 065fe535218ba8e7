/** The paper's numbers and labels under the paper's names. Where implementations differ, policies say so, not this file. */
import { ascii, type Bytes } from '../base/bytes.ts';

/** A 64-bit counter as two unsigned 32-bit halves, so that no packet costs a bigint. */
export interface Counter {
  readonly low: number;
  readonly high: number;
}

/** Protocol name of the handshake (wp §5.4). */
export const CONSTRUCTION: Bytes = ascii('Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s');
/** Prologue of the handshake (wp §5.4). */
export const IDENTIFIER: Bytes = ascii('WireGuard v1 zx2c4 Jason@zx2c4.com');
/** (wp §5.4) */
export const LABEL_MAC1: Bytes = ascii('mac1----');
/** (wp §5.4) */
export const LABEL_COOKIE: Bytes = ascii('cookie--');

/** Message types, a u32le on the wire: one byte and three reserved zeros (wp §5.4). */
export const TYPE = { initiation: 1, response: 2, 'cookie-reply': 3, data: 4 } as const;

/** BLAKE2s output and chaining key, bytes (wp §5.4). */
export const HASH_BYTES = 32;
/** MAC1, MAC2 and cookie, bytes (wp §5.4.4). */
export const MAC_BYTES = 16;
/** XChaCha20-Poly1305 nonce of a cookie reply, bytes (wp §5.4.7). */
export const COOKIE_NONCE_BYTES = 24;
/** Secret R_m behind the cookies, bytes: the longest BLAKE2s key (wp §5.4.7). */
export const COOKIE_SECRET_BYTES = 32;
/** Both the secret R_m and a received cookie are used for two minutes (wp §5.4.4, §5.4.7). */
export const COOKIE_LIFETIME_MS = 120_000;

/** 2^60 (wp §6.1). */
export const REKEY_AFTER_MESSAGES: Counter = { low: 0, high: 0x1000_0000 };
/** 2^64 − 2^13 − 1 (wp §6.1). */
export const REJECT_AFTER_MESSAGES: Counter = { low: 0xffff_dfff, high: 0xffff_ffff };
/** (wp §6.1) */
export const REKEY_AFTER_TIME_MS = 120_000;
/** (wp §6.1) */
export const REJECT_AFTER_TIME_MS = 180_000;
/** (wp §6.1) */
export const REKEY_ATTEMPT_TIME_MS = 90_000;
/** (wp §6.1) */
export const REKEY_TIMEOUT_MS = 5_000;
/** Added to REKEY_TIMEOUT: 0 to 333 ms (wp §6.1). */
export const REKEY_TIMEOUT_JITTER_MAX_MS = 333;
/** (wp §6.1) */
export const KEEPALIVE_TIMEOUT_MS = 10_000;
/** KEEPALIVE_TIMEOUT + REKEY_TIMEOUT without an answer to data: a new handshake (wp §6.4). */
export const NEW_HANDSHAKE_TIMEOUT_MS = KEEPALIVE_TIMEOUT_MS + REKEY_TIMEOUT_MS;
/** An initiator that receives under a session this old makes the next one (wp §6.2). */
export const REKEY_ON_RECEIVE_AFTER_MS = REJECT_AFTER_TIME_MS - KEEPALIVE_TIMEOUT_MS - REKEY_TIMEOUT_MS;
/** Everything secret is forgotten this long after the last session was derived (wp §6.3). */
export const ZERO_KEYS_AFTER_MS = 3 * REJECT_AFTER_TIME_MS;
/** TOS of handshake messages of Linux: AF41 (kernel messages.h). */
export const HANDSHAKE_TOS = 0x88;
/** Least time between two accepted initiations of one peer: the kernel's and wireguard-go's 50 a second. */
export const INITIATION_MIN_GAP_MS = 20;

/** Plaintexts are padded with zeros to a multiple of this, bytes (wp §5.4.6). */
export const PADDING_MULTIPLE = 16;

/** How far behind the greatest counter one may be and still be taken: 8192 bits less one 64-bit word (wp §5.4.6, RFC 6479). */
export const REPLAY_WINDOW = 8128;
