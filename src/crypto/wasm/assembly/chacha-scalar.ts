/** ChaCha20 (RFC 8439 §2.3), one block at a time, for machines without vectors. */

const C0: u32 = 0x61707865;
const C1: u32 = 0x3320646e;
const C2: u32 = 0x79622d32;
const C3: u32 = 0x6b206574;

/** The key stream from block `counter` onto the `count` blocks at `at`. */
export function xorScalar(key: usize, counter: u32, n0: u32, n1: u32, n2: u32, at: usize, count: i32): void {
  const k0 = load<u32>(key), k1 = load<u32>(key, 4), k2 = load<u32>(key, 8), k3 = load<u32>(key, 12);
  const k4 = load<u32>(key, 16), k5 = load<u32>(key, 20), k6 = load<u32>(key, 24), k7 = load<u32>(key, 28);
  const end = at + (count << 6);
  while (at < end) {
    let x0 = C0, x1 = C1, x2 = C2, x3 = C3;
    let x4 = k0, x5 = k1, x6 = k2, x7 = k3, x8 = k4, x9 = k5, x10 = k6, x11 = k7;
    let x12 = counter, x13 = n0, x14 = n1, x15 = n2;
    // ten times, without a loop: build.mjs writes it out, and a compiler with few registers keeps more in them
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
    store<u32>(at, load<u32>(at) ^ (x0 + C0));
    store<u32>(at, load<u32>(at, 4) ^ (x1 + C1), 4);
    store<u32>(at, load<u32>(at, 8) ^ (x2 + C2), 8);
    store<u32>(at, load<u32>(at, 12) ^ (x3 + C3), 12);
    store<u32>(at, load<u32>(at, 16) ^ (x4 + k0), 16);
    store<u32>(at, load<u32>(at, 20) ^ (x5 + k1), 20);
    store<u32>(at, load<u32>(at, 24) ^ (x6 + k2), 24);
    store<u32>(at, load<u32>(at, 28) ^ (x7 + k3), 28);
    store<u32>(at, load<u32>(at, 32) ^ (x8 + k4), 32);
    store<u32>(at, load<u32>(at, 36) ^ (x9 + k5), 36);
    store<u32>(at, load<u32>(at, 40) ^ (x10 + k6), 40);
    store<u32>(at, load<u32>(at, 44) ^ (x11 + k7), 44);
    store<u32>(at, load<u32>(at, 48) ^ (x12 + counter), 48);
    store<u32>(at, load<u32>(at, 52) ^ (x13 + n0), 52);
    store<u32>(at, load<u32>(at, 56) ^ (x14 + n1), 56);
    store<u32>(at, load<u32>(at, 60) ^ (x15 + n2), 60);
    counter++;
    at += 64;
  }
}
