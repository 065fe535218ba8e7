/** ChaCha20 (RFC 8439 §2.3), four blocks side by side: word i of all four is one vector. */
import { block } from './poly1305';

// @ts-ignore: decorator
@inline
function rotl16(x: v128): v128 {
  return v128.shuffle<u8>(x, x, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13);
}

/** Not a shuffle: V8 has an instruction that swaps halves, but would set up this order of bytes anew each time. */
// @ts-ignore: decorator
@inline
function rotl8(x: v128): v128 {
  return v128.or(i32x4.shl(x, 8), i32x4.shr_u(x, 24));
}

// @ts-ignore: decorator
@inline
function rotl12(x: v128): v128 {
  return v128.or(i32x4.shl(x, 12), i32x4.shr_u(x, 20));
}

// @ts-ignore: decorator
@inline
function rotl7(x: v128): v128 {
  return v128.or(i32x4.shl(x, 7), i32x4.shr_u(x, 25));
}

/** Four rows of one word each to four columns of one block each, 16 bytes of every block, to `out` and every 64 bytes on. */
// @ts-ignore: decorator
@inline
function put(out: usize, a: v128, b: v128, c: v128, d: v128, xor: bool): void {
  const ab0 = v128.shuffle<u32>(a, b, 0, 4, 1, 5);
  const cd0 = v128.shuffle<u32>(c, d, 0, 4, 1, 5);
  const ab1 = v128.shuffle<u32>(a, b, 2, 6, 3, 7);
  const cd1 = v128.shuffle<u32>(c, d, 2, 6, 3, 7);
  const s0 = v128.shuffle<u64>(ab0, cd0, 0, 2);
  const s1 = v128.shuffle<u64>(ab0, cd0, 1, 3);
  const s2 = v128.shuffle<u64>(ab1, cd1, 0, 2);
  const s3 = v128.shuffle<u64>(ab1, cd1, 1, 3);
  if (xor) {
    v128.store(out, v128.xor(v128.load(out), s0));
    v128.store(out, v128.xor(v128.load(out, 64), s1), 64);
    v128.store(out, v128.xor(v128.load(out, 128), s2), 128);
    v128.store(out, v128.xor(v128.load(out, 192), s3), 192);
  } else {
    v128.store(out, s0);
    v128.store(out, s1, 64);
    v128.store(out, s2, 128);
    v128.store(out, s3, 192);
  }
}

/**
 * Blocks `counter` to `counter` + 3 to the 256 bytes at `out`; where `xor`, onto what stands there. Along with them up to 20
 * blocks of Poly1305, two and two, from `from` on and before `end`: the one keeps the vectors busy, the other the rest. Gives
 * where Poly1305 is now.
 */
export function run(key: usize, counter: u32, n0: u32, n1: u32, n2: u32, out: usize, xor: bool, from: usize, end: usize): usize {
  let x0 = i32x4.splat(0x61707865), x1 = i32x4.splat(0x3320646e), x2 = i32x4.splat(0x79622d32), x3 = i32x4.splat(0x6b206574);
  let x4 = v128.load32_splat(key), x5 = v128.load32_splat(key, 4), x6 = v128.load32_splat(key, 8), x7 = v128.load32_splat(key, 12);
  let x8 = v128.load32_splat(key, 16), x9 = v128.load32_splat(key, 20), x10 = v128.load32_splat(key, 24), x11 = v128.load32_splat(key, 28);
  const counters = i32x4.add(i32x4.splat(counter), i32x4(0, 1, 2, 3));
  let x12 = counters, x13 = i32x4.splat(n0), x14 = i32x4.splat(n1), x15 = i32x4.splat(n2);
  for (let i = 0; i < 10; i++) {
    x0 = i32x4.add(x0, x4); x12 = rotl16(v128.xor(x12, x0)); x1 = i32x4.add(x1, x5); x13 = rotl16(v128.xor(x13, x1));
    x2 = i32x4.add(x2, x6); x14 = rotl16(v128.xor(x14, x2)); x3 = i32x4.add(x3, x7); x15 = rotl16(v128.xor(x15, x3));
    x8 = i32x4.add(x8, x12); x4 = rotl12(v128.xor(x4, x8)); x9 = i32x4.add(x9, x13); x5 = rotl12(v128.xor(x5, x9));
    x10 = i32x4.add(x10, x14); x6 = rotl12(v128.xor(x6, x10)); x11 = i32x4.add(x11, x15); x7 = rotl12(v128.xor(x7, x11));
    x0 = i32x4.add(x0, x4); x12 = rotl8(v128.xor(x12, x0)); x1 = i32x4.add(x1, x5); x13 = rotl8(v128.xor(x13, x1));
    x2 = i32x4.add(x2, x6); x14 = rotl8(v128.xor(x14, x2)); x3 = i32x4.add(x3, x7); x15 = rotl8(v128.xor(x15, x3));
    x8 = i32x4.add(x8, x12); x4 = rotl7(v128.xor(x4, x8)); x9 = i32x4.add(x9, x13); x5 = rotl7(v128.xor(x5, x9));
    x10 = i32x4.add(x10, x14); x6 = rotl7(v128.xor(x6, x10)); x11 = i32x4.add(x11, x15); x7 = rotl7(v128.xor(x7, x11));
    x0 = i32x4.add(x0, x5); x15 = rotl16(v128.xor(x15, x0)); x1 = i32x4.add(x1, x6); x12 = rotl16(v128.xor(x12, x1));
    x2 = i32x4.add(x2, x7); x13 = rotl16(v128.xor(x13, x2)); x3 = i32x4.add(x3, x4); x14 = rotl16(v128.xor(x14, x3));
    x10 = i32x4.add(x10, x15); x5 = rotl12(v128.xor(x5, x10)); x11 = i32x4.add(x11, x12); x6 = rotl12(v128.xor(x6, x11));
    x8 = i32x4.add(x8, x13); x7 = rotl12(v128.xor(x7, x8)); x9 = i32x4.add(x9, x14); x4 = rotl12(v128.xor(x4, x9));
    x0 = i32x4.add(x0, x5); x15 = rotl8(v128.xor(x15, x0)); x1 = i32x4.add(x1, x6); x12 = rotl8(v128.xor(x12, x1));
    x2 = i32x4.add(x2, x7); x13 = rotl8(v128.xor(x13, x2)); x3 = i32x4.add(x3, x4); x14 = rotl8(v128.xor(x14, x3));
    x10 = i32x4.add(x10, x15); x5 = rotl7(v128.xor(x5, x10)); x11 = i32x4.add(x11, x12); x6 = rotl7(v128.xor(x6, x11));
    x8 = i32x4.add(x8, x13); x7 = rotl7(v128.xor(x7, x8)); x9 = i32x4.add(x9, x14); x4 = rotl7(v128.xor(x4, x9));
    if (from + 32 <= end) {
      block(from);
      block(from + 16);
      from += 32;
    }
  }
  put(out, i32x4.add(x0, i32x4.splat(0x61707865)), i32x4.add(x1, i32x4.splat(0x3320646e)), i32x4.add(x2, i32x4.splat(0x79622d32)), i32x4.add(x3, i32x4.splat(0x6b206574)), xor);
  put(out + 16, i32x4.add(x4, v128.load32_splat(key)), i32x4.add(x5, v128.load32_splat(key, 4)), i32x4.add(x6, v128.load32_splat(key, 8)), i32x4.add(x7, v128.load32_splat(key, 12)), xor);
  put(out + 32, i32x4.add(x8, v128.load32_splat(key, 16)), i32x4.add(x9, v128.load32_splat(key, 20)), i32x4.add(x10, v128.load32_splat(key, 24)), i32x4.add(x11, v128.load32_splat(key, 28)), xor);
  put(out + 48, i32x4.add(x12, counters), i32x4.add(x13, i32x4.splat(n0)), i32x4.add(x14, i32x4.splat(n1)), i32x4.add(x15, i32x4.splat(n2)), xor);
  return from;
}
