/** Byte access against DataView and Buffer. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  ascii,
  compareBytes,
  concat,
  equal,
  equalSecret,
  fromHex,
  isZero,
  putU16be,
  putU16le,
  putU32be,
  putU32le,
  putU64le,
  toHex,
  u8,
  u16be,
  u16le,
  u32be,
  u32le,
  u64be,
  u64le,
  utf8,
} from '../../src/base/bytes.ts';

const bytes = fc.uint8Array({ maxLength: 24 });
const eight = fc.uint8Array({ minLength: 8, maxLength: 8 });

test('reads agree with DataView at every offset', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 12, maxLength: 12 }), fc.integer({ min: 0, max: 4 }), (b, at) => {
      const view = new DataView(b.buffer, b.byteOffset, b.length);
      expect([u8(b, at), u16be(b, at), u16le(b, at), u32be(b, at), u32le(b, at)]).toEqual([
        view.getUint8(at),
        view.getUint16(at),
        view.getUint16(at, true),
        view.getUint32(at),
        view.getUint32(at, true),
      ]);
      expect([u64be(b, at), u64le(b, at)]).toEqual([view.getBigUint64(at), view.getBigUint64(at, true)]);
    }),
  );
});

test('reads past the end give zero bits', () => {
  expect([u8(new Uint8Array(0), 3), u32le(new Uint8Array([1]), 0), u16be(new Uint8Array([1]), 0)]).toEqual([0, 1, 256]);
});

test('what is put is read back, and only its own bytes change', () => {
  fc.assert(
    fc.property(eight, eight, (old, value) => {
      const cases: readonly [number, (b: Uint8Array) => void, (b: Uint8Array) => number | bigint, number | bigint][] = [
        [2, (b) => putU16be(b, 0, u16be(value, 0)), (b) => u16be(b, 0), u16be(value, 0)],
        [2, (b) => putU16le(b, 0, u16be(value, 0)), (b) => u16le(b, 0), u16be(value, 0)],
        [4, (b) => putU32be(b, 0, u32be(value, 0)), (b) => u32be(b, 0), u32be(value, 0)],
        [4, (b) => putU32le(b, 0, u32be(value, 0)), (b) => u32le(b, 0), u32be(value, 0)],
        [8, (b) => putU64le(b, 0, u32le(value, 0), u32le(value, 4)), (b) => u64le(b, 0), u64le(value, 0)],
      ];
      for (const [size, put, get, wanted] of cases) {
        const b = old.slice();
        put(b);
        expect(get(b)).toBe(wanted);
        expect(b.subarray(size)).toEqual(old.subarray(size));
      }
    }),
  );
});

test('concat, equality and order agree with Buffer', () => {
  fc.assert(
    fc.property(bytes, bytes, (a, b) => {
      expect(Buffer.from(concat(a, b))).toEqual(Buffer.concat([a, b]));
      expect(equal(a, b)).toBe(Buffer.compare(a, b) === 0);
      expect(equalSecret(a, b)).toBe(Buffer.compare(a, b) === 0);
      expect(Math.sign(compareBytes(a, b))).toBe(Buffer.compare(a, b));
      expect(equal(a, a.slice()) && equalSecret(a, a.slice())).toBe(true);
    }),
  );
  expect(concat()).toEqual(new Uint8Array(0));
});

test('one changed bit is unequal', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 64 }), fc.nat(), (a, n) => {
      const b = a.slice();
      const at = (n >>> 3) % a.length;
      b[at] = (b[at] ?? 0) ^ (1 << (n & 7));
      expect([equal(a, b), equalSecret(a, b)]).toEqual([false, false]);
    }),
  );
});

test('isZero', () => {
  expect([isZero(new Uint8Array(0)), isZero(new Uint8Array(32)), isZero(Uint8Array.of(0, 0, 1))]).toEqual([
    true,
    true,
    false,
  ]);
});

test('hexadecimal is Buffer’s, both ways, and strict', () => {
  fc.assert(
    fc.property(bytes, (b) => {
      expect(toHex(b)).toBe(Buffer.from(b).toString('hex'));
      expect(fromHex(toHex(b).toUpperCase())).toEqual(b);
    }),
  );
  for (const text of ['0', 'zz', '0x00', ' 00']) expect(() => fromHex(text)).toThrow(RangeError);
});

test('utf8', () => {
  expect(utf8('é€')).toEqual(fromHex('c3a9e282ac'));
});

test('ASCII is what UTF-8 makes of it, and nothing else is taken', () => {
  const printable = fc.string({ unit: fc.integer({ min: 0, max: 0x7f }).map((code) => String.fromCharCode(code)) });
  fc.assert(
    fc.property(printable, (text) => {
      expect(ascii(text)).toEqual(utf8(text));
    }),
  );
  for (const text of ['ü', 'a\u0080', '\u{1f511}']) expect(() => ascii(text)).toThrow(RangeError);
});
