/** What Poly1305 is given (RFC 8439 §2.8): additional data and ciphertext, both filled up with zeros, and their lengths. */
import { AD, TAG_AT, TEXT } from './layout';
import { absorb, begin, finish } from './poly1305';

/** Zeros behind what is not a multiple of 16 bytes; the length that is. */
// @ts-ignore: decorator
@inline
function padded(at: usize, length: i32): i32 {
  store<u64>(at + length, 0);
  store<u64>(at + length, 0, 8);
  return (length + 15) & ~15;
}

/** Under the one-time key: the additional data, of which there are none in data messages. */
// @ts-ignore: decorator
@inline
export function start(oneTime: usize, adLength: i32): void {
  begin(oneTime);
  if (adLength > 0) absorb(AD, padded(AD, adLength));
}

/** Writes behind the text what belongs there; how many bytes there are to absorb from TEXT on. */
// @ts-ignore: decorator
@inline
export function ending(adLength: i32, length: i32): i32 {
  const end = padded(TEXT, length);
  store<u64>(TEXT + end, <u64>adLength);
  store<u64>(TEXT + end, <u64>length, 8);
  return end + 16;
}

/** Is the tag this one? */
// @ts-ignore: decorator
@inline
export function verify(oneTime: usize, low: u64, high: u64): bool {
  finish(oneTime, TAG_AT);
  const differ = (load<u64>(TAG_AT) ^ low) | (load<u64>(TAG_AT, 8) ^ high);
  store<u64>(TAG_AT, 0);
  store<u64>(TAG_AT, 0, 8);
  return differ === 0;
}
