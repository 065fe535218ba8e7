/** Times of day keep every nanosecond. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { addNs, compareTime, formatTime, msBetween, nsBetween } from '../../src/base/time.ts';

const time = fc.record({
  sec: fc.integer({ min: -5_000_000_000, max: 5_000_000_000 }),
  nsec: fc.integer({ min: 0, max: 999_999_999 }),
});

test('adding the difference leads from one time to the other', () => {
  fc.assert(
    fc.property(time, time, (a, b) => {
      expect(addNs(a, nsBetween(a, b))).toEqual(b);
      expect(nsBetween(a, b)).toBe(-nsBetween(b, a));
      expect(Math.sign(compareTime(b, a))).toBe(Number(nsBetween(a, b) > 0n) - Number(nsBetween(a, b) < 0n));
    }),
  );
});

test('msBetween is nsBetween in milliseconds, to the nanosecond for short gaps', () => {
  fc.assert(
    fc.property(time, fc.bigInt({ min: -900_000_000_000_000n, max: 900_000_000_000_000n }), (a, ns) => {
      expect(BigInt(Math.round(msBetween(a, addNs(a, ns)) * 1e6))).toBe(ns);
    }),
  );
});

test('addNs keeps nanoseconds between 0 and 999 999 999', () => {
  expect(addNs({ sec: 0, nsec: 0 }, -1n)).toEqual({ sec: -1, nsec: 999_999_999 });
  expect(addNs({ sec: 1, nsec: 999_999_999 }, 1n)).toEqual({ sec: 2, nsec: 0 });
});

test.each([
  [{ sec: 1_532_126_321, nsec: 356_858_000 }, '2018-07-20T22:38:41.356858000Z'],
  [{ sec: 0, nsec: 1 }, '1970-01-01T00:00:00.000000001Z'],
  [{ sec: -1, nsec: 999_999_999 }, '1969-12-31T23:59:59.999999999Z'],
  [{ sec: 253_402_300_799, nsec: 0 }, '9999-12-31T23:59:59.000000000Z'],
  [{ sec: 253_402_300_800, nsec: 5 }, '@253402300800.000000005'],
  [{ sec: -62_135_596_800, nsec: 0 }, '0001-01-01T00:00:00.000000000Z'],
  [{ sec: -62_135_596_801, nsec: 0 }, '@-62135596801.000000000'],
])('formatTime(%j)', (value, text) => {
  expect(formatTime(value)).toBe(text);
});

test('formatTime never throws', () => {
  fc.assert(
    fc.property(
      fc.maxSafeInteger(),
      fc.integer({ min: 0, max: 999_999_999 }),
      (sec, nsec) => void expect(formatTime({ sec, nsec })).toContain('.'),
    ),
  );
});
