/** BLAKE2s (RFC 7693), its keyed form and HMAC over it, of what stands at TEXT. */
import { DIGEST, KEY_BLOCK, TEXT } from './layout';

const IV0: u32 = 0x6a09e667, IV1: u32 = 0xbb67ae85, IV2: u32 = 0x3c6ef372, IV3: u32 = 0xa54ff53a;
const IV4: u32 = 0x510e527f, IV5: u32 = 0x9b05688c, IV6: u32 = 0x1f83d9ab, IV7: u32 = 0x5be0cd19;
const BLOCK: i32 = 64;

/** The block at `at` into the state (§3.2); `total` bytes so far, it included; `last` is all ones for the last, or 0. */
function compress(at: usize, total: u32, last: u32): void {
  let v0 = load<u32>(DIGEST), v1 = load<u32>(DIGEST, 4), v2 = load<u32>(DIGEST, 8), v3 = load<u32>(DIGEST, 12);
  let v4 = load<u32>(DIGEST, 16), v5 = load<u32>(DIGEST, 20), v6 = load<u32>(DIGEST, 24), v7 = load<u32>(DIGEST, 28);
  let v8 = IV0, v9 = IV1, v10 = IV2, v11 = IV3, v12 = IV4 ^ total, v13 = IV5, v14 = IV6 ^ last, v15 = IV7;
  // ten times, without a loop: build.mjs writes it out, with the word of the block that word(i) is in each round (§2.7)
  for (let i = 0; i < 10; i++) {
    v0 += v4 + word(0); v12 = rotr<u32>(v12 ^ v0, 16); v8 += v12; v4 = rotr<u32>(v4 ^ v8, 12);
    v1 += v5 + word(2); v13 = rotr<u32>(v13 ^ v1, 16); v9 += v13; v5 = rotr<u32>(v5 ^ v9, 12);
    v2 += v6 + word(4); v14 = rotr<u32>(v14 ^ v2, 16); v10 += v14; v6 = rotr<u32>(v6 ^ v10, 12);
    v3 += v7 + word(6); v15 = rotr<u32>(v15 ^ v3, 16); v11 += v15; v7 = rotr<u32>(v7 ^ v11, 12);
    v0 += v4 + word(1); v12 = rotr<u32>(v12 ^ v0, 8); v8 += v12; v4 = rotr<u32>(v4 ^ v8, 7);
    v1 += v5 + word(3); v13 = rotr<u32>(v13 ^ v1, 8); v9 += v13; v5 = rotr<u32>(v5 ^ v9, 7);
    v2 += v6 + word(5); v14 = rotr<u32>(v14 ^ v2, 8); v10 += v14; v6 = rotr<u32>(v6 ^ v10, 7);
    v3 += v7 + word(7); v15 = rotr<u32>(v15 ^ v3, 8); v11 += v15; v7 = rotr<u32>(v7 ^ v11, 7);
    v0 += v5 + word(8); v15 = rotr<u32>(v15 ^ v0, 16); v10 += v15; v5 = rotr<u32>(v5 ^ v10, 12);
    v1 += v6 + word(10); v12 = rotr<u32>(v12 ^ v1, 16); v11 += v12; v6 = rotr<u32>(v6 ^ v11, 12);
    v2 += v7 + word(12); v13 = rotr<u32>(v13 ^ v2, 16); v8 += v13; v7 = rotr<u32>(v7 ^ v8, 12);
    v3 += v4 + word(14); v14 = rotr<u32>(v14 ^ v3, 16); v9 += v14; v4 = rotr<u32>(v4 ^ v9, 12);
    v0 += v5 + word(9); v15 = rotr<u32>(v15 ^ v0, 8); v10 += v15; v5 = rotr<u32>(v5 ^ v10, 7);
    v1 += v6 + word(11); v12 = rotr<u32>(v12 ^ v1, 8); v11 += v12; v6 = rotr<u32>(v6 ^ v11, 7);
    v2 += v7 + word(13); v13 = rotr<u32>(v13 ^ v2, 8); v8 += v13; v7 = rotr<u32>(v7 ^ v8, 7);
    v3 += v4 + word(15); v14 = rotr<u32>(v14 ^ v3, 8); v9 += v14; v4 = rotr<u32>(v4 ^ v9, 7);
  }
  store<u32>(DIGEST, load<u32>(DIGEST) ^ v0 ^ v8);
  store<u32>(DIGEST, load<u32>(DIGEST, 4) ^ v1 ^ v9, 4);
  store<u32>(DIGEST, load<u32>(DIGEST, 8) ^ v2 ^ v10, 8);
  store<u32>(DIGEST, load<u32>(DIGEST, 12) ^ v3 ^ v11, 12);
  store<u32>(DIGEST, load<u32>(DIGEST, 16) ^ v4 ^ v12, 16);
  store<u32>(DIGEST, load<u32>(DIGEST, 20) ^ v5 ^ v13, 20);
  store<u32>(DIGEST, load<u32>(DIGEST, 24) ^ v6 ^ v14, 24);
  store<u32>(DIGEST, load<u32>(DIGEST, 28) ^ v7 ^ v15, 28);
}

/** Of `length` bytes; behind them 64 are overwritten. `parameters` are the first word of the parameter block (§2.5). */
function digest(at: usize, length: i32, parameters: u32): void {
  store<u32>(DIGEST, IV0 ^ parameters);
  store<u32>(DIGEST, IV1, 4);
  store<u32>(DIGEST, IV2, 8);
  store<u32>(DIGEST, IV3, 12);
  store<u32>(DIGEST, IV4, 16);
  store<u32>(DIGEST, IV5, 20);
  store<u32>(DIGEST, IV6, 24);
  store<u32>(DIGEST, IV7, 28);
  memory.fill(at + length, 0, BLOCK);
  let done = BLOCK;
  for (; done < length; done += BLOCK) {
    compress(at, done, 0);
    at += BLOCK;
  }
  compress(at, length, 0xffffffff);
}

/** 32 bytes of digest, fanout and depth 1, no key. */
const PLAIN: u32 = 0x01010020;

/** `length` bytes at TEXT. */
export function hash(length: i32): void {
  digest(TEXT, length, PLAIN);
  memory.fill(TEXT, 0, length);
}

/** As many at TEXT, under a key at KEY_BLOCK that is filled up with zeros; 16 bytes of digest. */
export function mac(keyLength: i32, length: i32): void {
  digest(KEY_BLOCK, BLOCK + length, 0x01010010 | (keyLength << 8));
  memory.fill(KEY_BLOCK, 0, BLOCK + length);
}

// @ts-ignore: decorator
@inline
function flip(pattern: u64): void {
  for (let i: usize = 0; i < 64; i += 8) store<u64>(KEY_BLOCK + i, load<u64>(KEY_BLOCK + i) ^ pattern);
}

/** HMAC (RFC 2104 §2) of as many at TEXT, under a key at KEY_BLOCK that is filled up with zeros. */
export function hmac(length: i32): void {
  flip(0x3636363636363636);
  digest(KEY_BLOCK, BLOCK + length, PLAIN);
  flip(0x3636363636363636 ^ 0x5c5c5c5c5c5c5c5c);
  memory.fill(TEXT, 0, length);
  memory.copy(TEXT, DIGEST, 32);
  digest(KEY_BLOCK, BLOCK + 32, PLAIN);
  memory.fill(KEY_BLOCK, 0, BLOCK + 32);
}
