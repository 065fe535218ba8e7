/** Sealing and opening without vectors: the text in one go, and Poly1305 over it. */
import { xorScalar } from './chacha-scalar';
import { STREAM, TEXT } from './layout';
import { ending, start, verify } from './message';
import { absorb, finish } from './poly1305';

/** Up to the end of a block: what lies behind the text is nobody's. */
// @ts-ignore: decorator
@inline
function crypt(key: usize, n0: u32, n1: u32, n2: u32, length: i32): void {
  xorScalar(key, 1, n0, n1, n2, TEXT, (length + 63) >> 6);
}

/** The one-time key, and the key stream that came with it. */
// @ts-ignore: decorator
@inline
function forget(): void {
  for (let at = STREAM; at < STREAM + 64; at += 8) store<u64>(at, 0);
}

export function seal(key: usize, n0: u32, n1: u32, n2: u32, adLength: i32, length: i32): void {
  xorScalar(key, 0, n0, n1, n2, STREAM, 1);
  crypt(key, n0, n1, n2, length);
  start(STREAM, adLength);
  absorb(TEXT, ending(adLength, length));
  finish(STREAM, TEXT + length);
  forget();
}

export function open(key: usize, n0: u32, n1: u32, n2: u32, adLength: i32, length: i32): i32 {
  const low = load<u64>(TEXT + length);
  const high = load<u64>(TEXT + length, 8);
  xorScalar(key, 0, n0, n1, n2, STREAM, 1);
  start(STREAM, adLength);
  absorb(TEXT, ending(adLength, length));
  const right = verify(STREAM, low, high);
  if (right) crypt(key, n0, n1, n2, length);
  forget();
  return i32(right);
}
