/** ChaCha20 (RFC 8439 §2.3), one block at a time, for machines without vectors. */

const C0: u32 = 0x61707865;
const C1: u32 = 0x3320646e;
const C2: u32 = 0x79622d32;
const C3: u32 = 0x6b206574;

/** The block of this counter to `out`; where `xor`, onto what stands there. */
// @ts-ignore: decorator
@inline
function block(key: usize, counter: u32, n0: u32, n1: u32, n2: u32, out: usize, xor: bool): void {
  const k0 = load<u32>(key), k1 = load<u32>(key, 4), k2 = load<u32>(key, 8), k3 = load<u32>(key, 12);
  const k4 = load<u32>(key, 16), k5 = load<u32>(key, 20), k6 = load<u32>(key, 24), k7 = load<u32>(key, 28);
  let x0 = C0, x1 = C1, x2 = C2, x3 = C3;
  let x4 = k0, x5 = k1, x6 = k2, x7 = k3, x8 = k4, x9 = k5, x10 = k6, x11 = k7;
  let x12 = counter, x13 = n0, x14 = n1, x15 = n2;
  for (let i = 0; i < 10; i++) {
    x0 += x4; x12 = rotl<u32>(x12 ^ x0, 16); x8 += x12; x4 = rotl<u32>(x4 ^ x8, 12);
    x1 += x5; x13 = rotl<u32>(x13 ^ x1, 16); x9 += x13; x5 = rotl<u32>(x5 ^ x9, 12);
    x2 += x6; x14 = rotl<u32>(x14 ^ x2, 16); x10 += x14; x6 = rotl<u32>(x6 ^ x10, 12);
    x3 += x7; x15 = rotl<u32>(x15 ^ x3, 16); x11 += x15; x7 = rotl<u32>(x7 ^ x11, 12);
    x0 += x4; x12 = rotl<u32>(x12 ^ x0, 8); x8 += x12; x4 = rotl<u32>(x4 ^ x8, 7);
    x1 += x5; x13 = rotl<u32>(x13 ^ x1, 8); x9 += x13; x5 = rotl<u32>(x5 ^ x9, 7);
    x2 += x6; x14 = rotl<u32>(x14 ^ x2, 8); x10 += x14; x6 = rotl<u32>(x6 ^ x10, 7);
    x3 += x7; x15 = rotl<u32>(x15 ^ x3, 8); x11 += x15; x7 = rotl<u32>(x7 ^ x11, 7);
    x0 += x5; x15 = rotl<u32>(x15 ^ x0, 16); x10 += x15; x5 = rotl<u32>(x5 ^ x10, 12);
    x1 += x6; x12 = rotl<u32>(x12 ^ x1, 16); x11 += x12; x6 = rotl<u32>(x6 ^ x11, 12);
    x2 += x7; x13 = rotl<u32>(x13 ^ x2, 16); x8 += x13; x7 = rotl<u32>(x7 ^ x8, 12);
    x3 += x4; x14 = rotl<u32>(x14 ^ x3, 16); x9 += x14; x4 = rotl<u32>(x4 ^ x9, 12);
    x0 += x5; x15 = rotl<u32>(x15 ^ x0, 8); x10 += x15; x5 = rotl<u32>(x5 ^ x10, 7);
    x1 += x6; x12 = rotl<u32>(x12 ^ x1, 8); x11 += x12; x6 = rotl<u32>(x6 ^ x11, 7);
    x2 += x7; x13 = rotl<u32>(x13 ^ x2, 8); x8 += x13; x7 = rotl<u32>(x7 ^ x8, 7);
    x3 += x4; x14 = rotl<u32>(x14 ^ x3, 8); x9 += x14; x4 = rotl<u32>(x4 ^ x9, 7);
  }
  put(out, 0, x0 + C0, x1 + C1, x2 + C2, x3 + C3, xor);
  put(out, 16, x4 + k0, x5 + k1, x6 + k2, x7 + k3, xor);
  put(out, 32, x8 + k4, x9 + k5, x10 + k6, x11 + k7, xor);
  put(out, 48, x12 + counter, x13 + n0, x14 + n1, x15 + n2, xor);
}

// @ts-ignore: decorator
@inline
function put(out: usize, at: usize, a: u32, b: u32, c: u32, d: u32, xor: bool): void {
  const to = out + at;
  if (xor) {
    store<u32>(to, load<u32>(to) ^ a);
    store<u32>(to, load<u32>(to, 4) ^ b, 4);
    store<u32>(to, load<u32>(to, 8) ^ c, 8);
    store<u32>(to, load<u32>(to, 12) ^ d, 12);
  } else {
    store<u32>(to, a);
    store<u32>(to, b, 4);
    store<u32>(to, c, 8);
    store<u32>(to, d, 12);
  }
}

/** Blocks 0 to 3 to `out`. */
export function streamScalar(key: usize, n0: u32, n1: u32, n2: u32, out: usize): void {
  for (let i: u32 = 0; i < 4; i++) block(key, i, n0, n1, n2, out + (<usize>i << 6), false);
}

/** The key stream from block `counter` onto `length` bytes, which begin a block; `spare` is 64 bytes to work in. */
export function xorScalar(key: usize, counter: u32, n0: u32, n1: u32, n2: u32, at: usize, length: i32, spare: usize): void {
  while (length >= 64) {
    block(key, counter, n0, n1, n2, at, true);
    counter++;
    at += 64;
    length -= 64;
  }
  if (length === 0) return;
  block(key, counter, n0, n1, n2, spare, false);
  xorBytes(spare, at, length);
}

/** `length` bytes of `stream` onto those at `at`. */
export function xorBytes(stream: usize, at: usize, length: i32): void {
  while (length >= 8) {
    store<u64>(at, load<u64>(at) ^ load<u64>(stream));
    at += 8;
    stream += 8;
    length -= 8;
  }
  while (length > 0) {
    store<u8>(at, load<u8>(at) ^ load<u8>(stream));
    at++;
    stream++;
    length--;
  }
}
