/** The backends under test, what they are tried with, and their handles used from and into buffers with margins. */
import fc from 'fast-check';
import { expect } from 'vitest';
import { type Bytes, concat, isZero, toHex } from '../../src/base/bytes.ts';
import { noble } from '../../src/crypto/noble.ts';
import { nodeCrypto } from '../../src/crypto/node.ts';
import { type AeadKey, type Crypto, TAG } from '../../src/crypto/port.ts';
import { wasmCrypto } from '../../src/crypto/wasm/index.ts';

export const BACKENDS: readonly Crypto[] = [
  noble,
  nodeCrypto,
  wasmCrypto('simd', nodeCrypto),
  wasmCrypto('scalar', nodeCrypto),
];

export const shown = (bytes: Bytes | undefined): string => (bytes === undefined ? 'undefined' : toHex(bytes));

export const halves = (value: bigint): [low: number, high: number] => [
  Number(value & 0xffff_ffffn),
  Number(value >> 32n),
];
export const counting = (length: number, from = 0): Bytes => Uint8Array.from({ length }, (_, i) => from + i);
export const KEY = counting(32, 0x40);
export const NONCE24 = counting(24);
/** Around the blocks of Poly1305 (16), ChaCha20 (64), four of those (256), and the packets of the benchmarks. */
export const LENGTHS = [0, 1, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129, 255, 256, 257, 576, 1280, 1420, 9001];
export const COUNTERS: readonly (readonly [number, number])[] = [
  [0, 0],
  [1, 0],
  [0x7fff_ffff, 0],
  [0x8000_0000, 0],
  [0xffff_ffff, 0],
  [0, 1],
  [0xffff_dffe, 0xffff_ffff],
  [0xffff_ffff, 0xffff_ffff],
];

export const key32 = fc.uint8Array({ minLength: 32, maxLength: 32 });
export const half = fc.oneof(fc.integer({ min: 0, max: 0xffff_ffff }), fc.constantFrom(0, 0x8000_0000, 0xffff_ffff));
export const body = fc.oneof(
  fc.uint8Array({ maxLength: 300 }),
  fc
    .tuple(fc.constantFrom(...LENGTHS), fc.constantFrom(0, 0xff))
    .map(([length, byte]) => new Uint8Array(length).fill(byte)),
);
export const flipped = (bytes: Bytes, bit: number): Bytes => {
  const out = bytes.slice();
  const at = (bit >>> 3) % out.length;
  out[at] = (out[at] ?? 0) ^ (1 << (bit & 7));
  return out;
};

/** Through the handle, from and into buffers with margins, which must not change. */
export function sealed(key: AeadKey, low: number, high: number, plain: Bytes): Bytes {
  const out = new Uint8Array(plain.length + TAG + 10).fill(0xa5);
  key.sealInto(low, high, concat(counting(3), plain, counting(2)), 3, plain.length, out, 7);
  expect([out.subarray(0, 7), out.subarray(out.length - 3)]).toEqual([
    new Uint8Array(7).fill(0xa5),
    new Uint8Array(3).fill(0xa5),
  ]);
  return out.slice(7, -3);
}

export function opened(key: AeadKey, low: number, high: number, bytes: Bytes): Bytes | undefined {
  const length = Math.max(0, bytes.length - TAG);
  const out = new Uint8Array(length + 10).fill(0xa5);
  const ok = key.openInto(low, high, concat(counting(5), bytes, counting(4)), 5, bytes.length, out, 7);
  expect([out.subarray(0, 7), out.subarray(length + 7)]).toEqual([
    new Uint8Array(7).fill(0xa5),
    new Uint8Array(3).fill(0xa5),
  ]);
  if (!ok) expect(isZero(out.map((byte) => byte ^ 0xa5))).toBe(true);
  return ok ? out.slice(7, length + 7) : undefined;
}

/** Of low order: 0, 0 with the top bit, p with the top bit. */
export const LOW = ['00'.repeat(32), `${'00'.repeat(31)}80`, `ed${'ff'.repeat(31)}`];
/** p + 2, 2^255 − 1, 2^256 − 1, 9 with the top bit. */
export const NON_CANONICAL = [
  `ef${'ff'.repeat(30)}7f`,
  `${'ff'.repeat(31)}7f`,
  'ff'.repeat(32),
  `09${'00'.repeat(30)}80`,
];
