/**
 * Sealing and opening with vectors. Poly1305 needs none, so its blocks go along with the runs of ChaCha20: of what has been
 * sealed by then, or, when opening, of all there is, the key stream waiting at AHEAD until the tag has verified.
 */
import { run } from './chacha-simd';
import { AHEAD, AHEAD_BYTES, STREAM, TEXT } from './layout';
import { ending, start, verify } from './message';
import { absorb, finish } from './poly1305';

/** Key stream that comes with the one-time key: three blocks of text. */
const FIRST = 192;

/** The bytes at `stream` onto those at `at`, and zeros to `stream`; whole vectors, for what lies behind the text is nobody's. */
// @ts-ignore: decorator
@inline
function onto(stream: usize, at: usize, length: i32, really: bool): void {
  for (let i = 0; i < length; i += 16) {
    if (really) v128.store(at + i, v128.xor(v128.load(at + i), v128.load(stream + i)));
    v128.store(stream + i, i64x2(0, 0));
  }
}

/** The one-time key, and what is left of the key stream that came with it. */
// @ts-ignore: decorator
@inline
function forget(): void {
  for (let at = STREAM; at < STREAM + 256; at += 16) v128.store(at, i64x2(0, 0));
}

export function seal(key: usize, n0: u32, n1: u32, n2: u32, adLength: i32, length: i32): void {
  run(key, 0, n0, n1, n2, STREAM, false, 0, 0);
  start(STREAM, adLength);
  onto(STREAM + 64, TEXT, min(length, FIRST), true);
  let from = TEXT;
  let counter: u32 = 4;
  const end = TEXT + length;
  for (let at = TEXT + FIRST; at < end; at += 256) {
    from = run(key, counter, n0, n1, n2, at, true, from, at);
    counter += 4;
  }
  absorb(from, TEXT + ending(adLength, length) - from);
  finish(STREAM, TEXT + length);
  forget();
}

export function open(key: usize, n0: u32, n1: u32, n2: u32, adLength: i32, length: i32): i32 {
  const low = load<u64>(TEXT + length);
  const high = load<u64>(TEXT + length, 8);
  run(key, 0, n0, n1, n2, STREAM, false, 0, 0);
  start(STREAM, adLength);
  let from = TEXT;
  const end = TEXT + ending(adLength, length);
  const ahead = min(length - FIRST, AHEAD_BYTES);
  let counter: u32 = 4;
  for (let at = 0; at < ahead; at += 256) {
    from = run(key, counter, n0, n1, n2, AHEAD + at, false, from, end);
    counter += 4;
  }
  if (from < end) absorb(from, end - from);
  const right = verify(STREAM, low, high);
  onto(STREAM + 64, TEXT, min(length, FIRST), right);
  onto(AHEAD, TEXT + FIRST, (ahead + 255) & ~255, right);
  if (right) {
    for (let at = AHEAD_BYTES; at < length - FIRST; at += 256) {
      run(key, counter, n0, n1, n2, TEXT + FIRST + at, true, 0, 0);
      counter += 4;
    }
  }
  forget();
  return i32(right);
}
