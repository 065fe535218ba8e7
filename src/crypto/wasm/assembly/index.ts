/** ChaCha20-Poly1305, XChaCha20’s subkey and BLAKE2s over one memory, in place: the layout is that of layout.ts. */
import * as scalar from './aead-scalar';
import * as simd from './aead-simd';
import { subkey } from './hchacha';
import { AD, SUBKEY } from './layout';

/** `length` bytes at TEXT become ciphertext, the tag stands behind them. The nonce is n0 ‖ n1 ‖ n2. */
export function seal(key: usize, n0: u32, n1: u32, n2: u32, adLength: i32, length: i32): void {
  if (ASC_FEATURE_SIMD) simd.seal(key, n0, n1, n2, adLength, length);
  else scalar.seal(key, n0, n1, n2, adLength, length);
}

/** `length` bytes of ciphertext at TEXT, and the tag behind them. 1: they are now the plaintext; 0: they are as they were. */
export function open(key: usize, n0: u32, n1: u32, n2: u32, adLength: i32, length: i32): i32 {
  if (ASC_FEATURE_SIMD) return simd.open(key, n0, n1, n2, adLength, length);
  return scalar.open(key, n0, n1, n2, adLength, length);
}

/** HChaCha20 of the key and the 16 bytes at AD, to SUBKEY (draft-irtf-cfrg-xchacha §2.2). */
export function hchacha(key: usize): void {
  subkey(key, AD, SUBKEY);
}

export { hash, hmac, mac } from './blake2s';
