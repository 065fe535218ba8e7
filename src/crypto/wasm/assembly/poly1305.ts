/** Poly1305 (RFC 8439 §2.5) in five limbs of 26 bits: products and their sums stay below 2^60. */

const MASK: u64 = 0x3ffffff;
/** 2^128, in the highest limb. */
const HIGH: u64 = 1 << 24;

let r0: u64 = 0, r1: u64 = 0, r2: u64 = 0, r3: u64 = 0, r4: u64 = 0;
let h0: u64 = 0, h1: u64 = 0, h2: u64 = 0, h3: u64 = 0, h4: u64 = 0;

/** `r`, clamped (§2.5.1). */
export function begin(key: usize): void {
  const low = load<u64>(key) & 0x0ffffffc0fffffff;
  const high = load<u64>(key, 8) & 0x0ffffffc0ffffffc;
  r0 = low & MASK;
  r1 = (low >> 26) & MASK;
  r2 = ((low >> 52) | (high << 12)) & MASK;
  r3 = (high >> 14) & MASK;
  r4 = high >> 40;
  h0 = 0; h1 = 0; h2 = 0; h3 = 0; h4 = 0;
}

/** Whole blocks; `length` is a multiple of 16. */
export function absorb(at: usize, length: i32): void {
  const a0 = r0, a1 = r1, a2 = r2, a3 = r3, a4 = r4;
  const b1 = a1 * 5, b2 = a2 * 5, b3 = a3 * 5, b4 = a4 * 5;
  let g0 = h0, g1 = h1, g2 = h2, g3 = h3, g4 = h4;
  const end = at + length;
  while (at < end) {
    const low = load<u64>(at);
    const high = load<u64>(at, 8);
    g0 += low & MASK;
    g1 += (low >> 26) & MASK;
    g2 += ((low >> 52) | (high << 12)) & MASK;
    g3 += (high >> 14) & MASK;
    g4 += (high >> 40) | HIGH;
    const d0 = g0 * a0 + g1 * b4 + g2 * b3 + g3 * b2 + g4 * b1;
    let d1 = g0 * a1 + g1 * a0 + g2 * b4 + g3 * b3 + g4 * b2;
    let d2 = g0 * a2 + g1 * a1 + g2 * a0 + g3 * b4 + g4 * b3;
    let d3 = g0 * a3 + g1 * a2 + g2 * a1 + g3 * a0 + g4 * b4;
    let d4 = g0 * a4 + g1 * a3 + g2 * a2 + g3 * a1 + g4 * a0;
    d1 += d0 >> 26;
    d2 += d1 >> 26;
    d3 += d2 >> 26;
    d4 += d3 >> 26;
    g0 = (d0 & MASK) + (d4 >> 26) * 5;
    g1 = (d1 & MASK) + (g0 >> 26);
    g0 &= MASK;
    g2 = d2 & MASK;
    g3 = d3 & MASK;
    g4 = d4 & MASK;
    at += 16;
  }
  h0 = g0; h1 = g1; h2 = g2; h3 = g3; h4 = g4;
}

/** All of it, the last block filled up with zeros (§2.8). `spare` is 16 bytes to work in. */
export function absorbPadded(at: usize, length: i32, spare: usize): void {
  const whole = length & ~15;
  absorb(at, whole);
  const rest = length - whole;
  if (rest === 0) return;
  store<u64>(spare, 0);
  store<u64>(spare, 0, 8);
  memory.copy(spare, at + whole, rest);
  absorb(spare, 16);
}

/** Adds `s` and gives the tag's two halves to `out`; forgets the state. */
export function finish(key: usize, out: usize): void {
  h2 += h1 >> 26; h1 &= MASK;
  h3 += h2 >> 26; h2 &= MASK;
  h4 += h3 >> 26; h3 &= MASK;
  h0 += (h4 >> 26) * 5; h4 &= MASK;
  h1 += h0 >> 26; h0 &= MASK;
  // h − p, taken where it is not negative
  let g0 = h0 + 5;
  let g1 = h1 + (g0 >> 26); g0 &= MASK;
  let g2 = h2 + (g1 >> 26); g1 &= MASK;
  let g3 = h3 + (g2 >> 26); g2 &= MASK;
  const g4 = h4 + (g3 >> 26) - (1 << 26); g3 &= MASK;
  const keep: u64 = <u64>(<i64>g4 >> 63);
  const f0 = (h0 & keep) | (g0 & ~keep);
  const f1 = (h1 & keep) | (g1 & ~keep);
  const f2 = (h2 & keep) | (g2 & ~keep);
  const f3 = (h3 & keep) | (g3 & ~keep);
  const f4 = (h4 & keep) | (g4 & ~keep);
  const low = f0 | (f1 << 26) | (f2 << 52);
  const high = (f2 >> 12) | (f3 << 14) | (f4 << 40);
  const sLow = load<u64>(key, 16);
  const sum = low + sLow;
  store<u64>(out, sum);
  store<u64>(out, high + load<u64>(key, 24) + <u64>(sum < low), 8);
  r0 = 0; r1 = 0; r2 = 0; r3 = 0; r4 = 0;
  h0 = 0; h1 = 0; h2 = 0; h3 = 0; h4 = 0;
}
