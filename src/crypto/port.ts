/** What the engine asks of cryptography. A backend never throws on wire data: what cannot be is `undefined`. */
import type { Bytes } from '../base/bytes.ts';
import type { PrivateKey, PublicKey } from '../base/keys.ts';

/** Poly1305 tag, bytes (RFC 8439 §2.5). */
export const TAG = 16;

/** AEAD key, bytes (RFC 8439 §2.8). */
export const AEAD_KEY_BYTES = 32;

/**
 * A traffic key made ready once per session, for the per-packet path: ChaCha20-Poly1305 without additional data, nonce =
 * 4 zero bytes ‖ counter as u64le, given as two unsigned 32-bit halves (wp §5.4.6). Buffers are the caller's, and may
 * overlap in any way: in and out may be one memory. Ranges that are not inside their buffers are the caller's bug, RangeError.
 */
export interface AeadKey {
  /** Writes ciphertext ‖ tag, `plainLength` + {@link TAG} bytes, to `out` from `outAt`. */
  sealInto(
    low: number,
    high: number,
    plain: Bytes,
    plainAt: number,
    plainLength: number,
    out: Bytes,
    outAt: number,
  ): void;
  /**
   * Reads ciphertext ‖ tag, writes `sealedLength` − {@link TAG} bytes. False when the tag does not verify or there is no
   * room for one in `sealedLength`; `out` is then as it was.
   */
  openInto(
    low: number,
    high: number,
    sealed: Bytes,
    sealedAt: number,
    sealedLength: number,
    out: Bytes,
    outAt: number,
  ): boolean;
  /** Forgets the key. Using the handle afterwards is the caller's bug and throws. */
  wipe(): void;
}

export interface Crypto {
  readonly name: string;
  /** BLAKE2s-256 of the parts in order (RFC 7693), 32 bytes. */
  hash(...parts: readonly Bytes[]): Bytes;
  /** Keyed BLAKE2s with 16 bytes of output (wp §5.4.4: Mac); key 1 to 32 bytes. */
  mac(key: Bytes, ...parts: readonly Bytes[]): Bytes;
  /** HMAC-BLAKE2s (wp §5.4: Hmac), 32 bytes. */
  hmac(key: Bytes, ...parts: readonly Bytes[]): Bytes;
  publicKey(secret: PrivateKey): PublicKey;
  /** X25519; undefined when the result is all zero, as for a low-order point (RFC 7748 §6.1). */
  dh(secret: PrivateKey, remote: PublicKey): Bytes | undefined;
  /** ChaCha20-Poly1305, nonce = 4 zero bytes ‖ counter as u64le in two halves (wp §5.4.6); gives ciphertext ‖ tag. */
  seal(key: Bytes, counterLow: number, counterHigh: number, ad: Bytes, plaintext: Bytes): Bytes;
  /** undefined when the tag does not verify or the input is shorter than a tag. */
  open(key: Bytes, counterLow: number, counterHigh: number, ad: Bytes, sealed: Bytes): Bytes | undefined;
  /** XChaCha20-Poly1305 with a 24-byte nonce (wp §5.4.7). */
  xseal(key: Bytes, nonce: Bytes, ad: Bytes, plaintext: Bytes): Bytes;
  xopen(key: Bytes, nonce: Bytes, ad: Bytes, sealed: Bytes): Bytes | undefined;
  /** Copies the 32 bytes, so that the caller may wipe its own. Throws RangeError on another length. */
  aeadKey(key: Bytes): AeadKey;
}

/** A traffic key as helpers know it. */
export interface AheadKey {
  /** Nothing more is offered under it; what helpers hold of it goes when all of them end, at the latest. */
  wipe(): void;
}

/**
 * Helpers on other threads that open messages while their reader is busy with others. Two batches are in work: one is
 * offered while the one before it is asked for. What helpers find is what the reader would have found with
 * {@link AeadKey.openInto}, and where they have not begun he does it himself: the result is the same without them. For one
 * reader at a time.
 */
export interface OpenAhead {
  /** Copies the 32 bytes. */
  key(key: Bytes): AheadKey;
  /** Before a batch of so many frames is offered: whether there is anybody to help. */
  begin(frames: number): boolean;
  /** Ciphertext ‖ tag, which must stay as it is until the batch has been asked for. Its number; undefined where there is no room. */
  offer(key: AheadKey, low: number, high: number, bytes: Bytes, at: number, length: number): number | undefined;
  /** Nothing more is offered for now: whoever sleeps shall wake. */
  call(): void;
  /** What was offered under this number: its plaintext, good until the next turn; false: its tag does not verify; undefined: nobody has opened it. */
  result(number: number): Bytes | false | undefined;
  /** All of one batch was asked for: the one that was offered meanwhile is next. */
  turn(): void;
  /** Helpers end, and no key is left in the memory that was shared with them. */
  close(): void;
}
