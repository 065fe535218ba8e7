/** Poly1305 (RFC 8439 §2.5) in words of 32 bits: r is below 2^28 in each, so that four products fit into 64 bits, if h allows. */

let r0: u32 = 0, r1: u32 = 0, r2: u32 = 0, r3: u32 = 0;
/** Below 5 * 2^128; 0 between messages. */
let h0: u32 = 0, h1: u32 = 0, h2: u32 = 0, h3: u32 = 0, h4: u32 = 0;
/** The same where registers have 64 bits, each with what it has above 32 bits. */
let g0: u64 = 0, g1: u64 = 0, g2: u64 = 0, g3: u64 = 0;

/** `r`, clamped (§2.5.1): all its words but the first are multiples of 4. */
export function begin(key: usize): void {
  r0 = load<u32>(key) & 0x0fffffff;
  r1 = load<u32>(key, 4) & 0x0ffffffc;
  r2 = load<u32>(key, 8) & 0x0ffffffc;
  r3 = load<u32>(key, 12) & 0x0ffffffc;
}

/** Whole blocks; `length` is a multiple of 16, and not 0. */
// @ts-ignore: decorator
@inline
export function absorb(at: usize, length: i32): void {
  if (ASC_FEATURE_SIMD) absorbWide(at, length);
  else absorbNarrow(at, length);
}

function absorbWide(at: usize, length: i32): void {
  const end = at + length;
  do {
    block(at);
    at += 16;
  } while (at < end);
}

/**
 * One block, for registers of 64 bits. Words 0 and 2 are carried on, 1 and 3 keep what they have above 32 bits, word 3 the
 * 2^128 and more: below 1, 3, 1 and 7 times 2^32, which makes sums of products of at most 15 * 2^60. The way from one block to
 * the next is short, and that is what takes the time.
 */
// @ts-ignore: decorator
@inline
export function block(at: usize): void {
  const a0: u64 = r0, a1: u64 = r1, a2: u64 = r2, a3: u64 = r3;
  // times 2^130 / 2^128, which is 5 / 4
  const b1 = a1 + (a1 >> 2), b2 = a2 + (a2 >> 2), b3 = a3 + (a3 >> 2);
  let x0 = g0 + load<u32>(at);
  let x1 = g1 + load<u32>(at, 4);
  let x2 = g2 + load<u32>(at, 8);
  let x3 = g3 + load<u32>(at, 12) + (1 << 32);
  x1 += x0 >> 32;
  x0 &= 0xffffffff;
  x3 += x2 >> 32;
  x2 &= 0xffffffff;
  const d0 = x0 * a0 + x1 * b3 + (x2 * b2 + x3 * b1);
  const d1 = x0 * a1 + x1 * a0 + (x2 * b3 + x3 * b2);
  const d2 = x0 * a2 + x1 * a1 + (x2 * a0 + x3 * b3);
  const d3 = x0 * a3 + x1 * a2 + (x2 * a1 + x3 * a0);
  g0 = (d0 & 0xffffffff) + (d3 >> 34) * 5;
  g1 = (d1 & 0xffffffff) + (d0 >> 32);
  g2 = (d2 & 0xffffffff) + (d1 >> 32);
  g3 = (d3 & 0x3ffffffff) + (d2 >> 32);
}

// @ts-ignore: decorator
@inline
function product(a: u32, b: u32): u64 {
  return <u64>a * <u64>b;
}

/** For registers of 32 bits, where 64 are two, and all that can be is done with one: every carry is carried on. */
function absorbNarrow(at: usize, length: i32): void {
  const a0 = r0, a1 = r1, a2 = r2, a3 = r3;
  const b1 = a1 + (a1 >> 2), b2 = a2 + (a2 >> 2), b3 = a3 + (a3 >> 2);
  // the lower halves of the sums of products, and their upper halves, the last of which has come round
  let l0 = h0, l1 = h1, l2 = h2, l3 = h3, l4 = h4;
  let u0: u32 = 0, u1: u32 = 0, u2: u32 = 0, u3: u32 = 0;
  const end = at + length;
  do {
    let word = load<u32>(at);
    let sum = l0 + u3;
    let carry: u32 = +(sum < u3);
    const g0 = sum + word;
    carry += +(g0 < word);
    word = load<u32>(at, 4);
    sum = l1 + u0;
    let next: u32 = +(sum < u0);
    sum += word;
    next += +(sum < word);
    const g1 = sum + carry;
    next += +(g1 < carry);
    word = load<u32>(at, 8);
    sum = l2 + u1;
    carry = +(sum < u1);
    sum += word;
    carry += +(sum < word);
    const g2 = sum + next;
    carry += +(g2 < next);
    word = load<u32>(at, 12);
    sum = l3 + u2;
    next = +(sum < u2);
    sum += word;
    next += +(sum < word);
    const g3 = sum + carry;
    next += +(g3 < carry);
    // with the 2^128 and more, below 7 * 2^32: the product of two i64 has the multiplication for it anyway
    const top = <u64>g3 | (<u64>(l4 + next + 1) << 32);
    let d = product(g0, a0) + product(g1, b3) + product(g2, b2) + top * b1;
    l0 = <u32>d;
    u0 = <u32>(d >> 32);
    d = product(g0, a1) + product(g1, a0) + product(g2, b3) + top * b2;
    l1 = <u32>d;
    u1 = <u32>(d >> 32);
    d = product(g0, a2) + product(g1, a1) + product(g2, a0) + top * b3;
    l2 = <u32>d;
    u2 = <u32>(d >> 32);
    d = product(g0, a3) + product(g1, a2) + product(g2, a1) + top * a0;
    l3 = <u32>d;
    l4 = <u32>(d >> 32);
    u3 = (l4 >> 2) + (l4 & ~3);
    l4 &= 3;
    at += 16;
  } while (at < end);
  let sum = <u64>l0 + u3;
  h0 = <u32>sum;
  sum = (sum >> 32) + l1 + u0;
  h1 = <u32>sum;
  sum = (sum >> 32) + l2 + u1;
  h2 = <u32>sum;
  sum = (sum >> 32) + l3 + u2;
  h3 = <u32>sum;
  h4 = l4 + <u32>(sum >> 32);
}

/** g to h, every carry carried on. */
function settle(): void {
  h0 = <u32>g0;
  g1 += g0 >> 32;
  h1 = <u32>g1;
  g2 += g1 >> 32;
  h2 = <u32>g2;
  g3 += g2 >> 32;
  h3 = <u32>g3;
  h4 = <u32>(g3 >> 32);
  g0 = 0; g1 = 0; g2 = 0; g3 = 0;
}

/** Adds `s` and gives the tag to `out`; forgets the state. */
export function finish(key: usize, out: usize): void {
  if (ASC_FEATURE_SIMD) settle();
  // h − p = h + 5 − 2^130, taken where it is not negative
  let sum = <u64>h0 + 5;
  const g0 = <u32>sum;
  sum = (sum >> 32) + h1;
  const g1 = <u32>sum;
  sum = (sum >> 32) + h2;
  const g2 = <u32>sum;
  sum = (sum >> 32) + h3;
  const g3 = <u32>sum;
  const take: u32 = 0 - ((h4 + <u32>(sum >> 32)) >> 2);
  sum = <u64>((h0 & ~take) | (g0 & take)) + load<u32>(key, 16);
  store<u32>(out, <u32>sum);
  sum = (sum >> 32) + ((h1 & ~take) | (g1 & take)) + load<u32>(key, 20);
  store<u32>(out, <u32>sum, 4);
  sum = (sum >> 32) + ((h2 & ~take) | (g2 & take)) + load<u32>(key, 24);
  store<u32>(out, <u32>sum, 8);
  sum = (sum >> 32) + ((h3 & ~take) | (g3 & take)) + load<u32>(key, 28);
  store<u32>(out, <u32>sum, 12);
  r0 = 0; r1 = 0; r2 = 0; r3 = 0;
  h0 = 0; h1 = 0; h2 = 0; h3 = 0; h4 = 0;
}
