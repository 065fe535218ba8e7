/** Branded keys and wire layouts. */
import { expect, test } from 'vitest';
import { clamped, KEY_BYTES, presharedKey, privateKey, publicKey, shortKey, ZERO_PSK } from '../../src/base/keys.ts';
import { field, layout } from '../../src/base/layout.ts';

test('a key has 32 bytes, or the caller is wrong', () => {
  for (const brand of [publicKey, privateKey, presharedKey]) {
    const bytes = new Uint8Array(KEY_BYTES).fill(7);
    expect(brand(bytes)).toBe(bytes);
    for (const size of [0, 31, 33]) expect(() => brand(new Uint8Array(size))).toThrow(RangeError);
  }
});

test('shortKey shows ten of 44 characters; the zero PSK is zero', () => {
  expect(
    shortKey(publicKey(new Uint8Array(Buffer.from('c6XXmb9biL14sno30+aXE0v2HrCQ85RXdWmtxViX5B8=', 'base64')))),
  ).toBe('c6XXmb…5B8=');
  expect(ZERO_PSK).toEqual(new Uint8Array(32));
});

test('clamping makes a copy whose five bits are as X25519 has them (RFC 7748 §5)', () => {
  const bytes = new Uint8Array(32).fill(0xff);
  const scalar = clamped(bytes);
  expect([scalar[0], scalar[1], scalar[30], scalar[31]]).toEqual([0xf8, 0xff, 0xff, 0x7f]);
  expect(bytes.every((byte) => byte === 0xff)).toBe(true);
  expect(clamped(new Uint8Array(32))[31]).toBe(0x40);
  expect(clamped(scalar)).toEqual(scalar);
});

test('a layout places its fields one after another', () => {
  const l = layout({ type: 4, receiver: 4, nonce: 24, sealed: 32 });
  expect(l).toEqual({
    type: { at: 0, length: 4 },
    receiver: { at: 4, length: 4 },
    nonce: { at: 8, length: 24 },
    sealed: { at: 32, length: 32 },
    size: 64,
  });
  expect(layout({})).toEqual({ size: 0 });
});

test('a field is a view', () => {
  const bytes = Uint8Array.of(1, 2, 3, 4);
  const view = field(bytes, { at: 1, length: 2 });
  view[0] = 9;
  expect([...bytes]).toEqual([1, 9, 3, 4]);
});
