/** ChaCha20-Poly1305 and XChaCha20’s subkey over one memory, in place: the layout is that of layout.ts. */
import { streamScalar, xorBytes, xorScalar } from './chacha-scalar';
import { streamSimd, xorSimd } from './chacha-simd';
import { AD, STREAM, SUBKEY, TAG_AT, TEXT } from './layout';
import { absorb, absorbPadded, begin, finish } from './poly1305';
import { subkey } from './hchacha';

/** Key stream that comes with the one-time key: three blocks of text. */
const FIRST = 192;

// @ts-ignore: decorator
@inline
function stream(key: usize, n0: u32, n1: u32, n2: u32): void {
  if (ASC_FEATURE_SIMD) streamSimd(key, n0, n1, n2, STREAM);
  else streamScalar(key, n0, n1, n2, STREAM);
}

/** Text from its first byte, of which the key stream of the first three blocks is there. */
// @ts-ignore: decorator
@inline
function crypt(key: usize, n0: u32, n1: u32, n2: u32, length: i32): void {
  if (length <= FIRST) {
    xorBytes(STREAM + 64, TEXT, length);
    return;
  }
  xorBytes(STREAM + 64, TEXT, FIRST);
  if (ASC_FEATURE_SIMD) xorSimd(key, 4, n0, n1, n2, TEXT + FIRST, length - FIRST, STREAM);
  else xorScalar(key, 4, n0, n1, n2, TEXT + FIRST, length - FIRST, STREAM);
}

/** The tag of the ciphertext at TEXT to `out` (RFC 8439 §2.8). The one-time key is forgotten. */
// @ts-ignore: decorator
@inline
function tag(adLength: i32, length: i32, out: usize): void {
  begin(ONE_TIME);
  if (adLength > 0) absorbPadded(AD, adLength, SPARE);
  absorbPadded(TEXT, length, SPARE);
  store<u64>(SPARE, <u64>adLength);
  store<u64>(SPARE, <u64>length, 8);
  absorb(SPARE, 16);
  finish(ONE_TIME, out);
  memory.fill(SPARE, 0, 48);
}

const SPARE: usize = 304;
const ONE_TIME: usize = 320;

/** `length` bytes at TEXT become ciphertext, the tag stands behind them. The nonce is n0 ‖ n1 ‖ n2. */
export function seal(key: usize, n0: u32, n1: u32, n2: u32, adLength: i32, length: i32): void {
  stream(key, n0, n1, n2);
  memory.copy(ONE_TIME, STREAM, 32);
  crypt(key, n0, n1, n2, length);
  tag(adLength, length, TEXT + length);
  memory.fill(STREAM, 0, 256);
}

/** `length` bytes of ciphertext at TEXT, and the tag behind them. 1: they are now the plaintext; 0: nothing was changed. */
export function open(key: usize, n0: u32, n1: u32, n2: u32, adLength: i32, length: i32): i32 {
  stream(key, n0, n1, n2);
  memory.copy(ONE_TIME, STREAM, 32);
  tag(adLength, length, TAG_AT);
  const differ =
    (load<u64>(TAG_AT) ^ load<u64>(TEXT + length)) | (load<u64>(TAG_AT, 8) ^ load<u64>(TEXT + length, 8));
  memory.fill(TAG_AT, 0, 16);
  if (differ === 0) crypt(key, n0, n1, n2, length);
  memory.fill(STREAM, 0, 256);
  return differ === 0 ? 1 : 0;
}

/** HChaCha20 of the key and the 16 bytes at AD, to SUBKEY (draft-irtf-cfrg-xchacha §2.2). */
export function hchacha(key: usize): void {
  subkey(key, AD, SUBKEY);
}
