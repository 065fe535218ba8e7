/** TAI64N: figures of wireguard-go, order, bases, what a timestamp tells about its sender. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { toHex } from '../../src/base/bytes.ts';
import { addNs, type Time } from '../../src/base/time.ts';
import {
  compareTai64n,
  describeTai64n,
  isWhitened,
  readTai64n,
  TAI64N_ZERO,
  tai64n,
  tai64nFromUnix,
  unixTime,
} from '../../src/wg/tai64n.ts';
import { dictionary, fields, flag, hex, int, loadVectors, text } from '../vectors.ts';

const unix = fields({ unix_s: int, ns: int });
const vectors = loadVectors(
  'tai64n.json',
  { name: text, t1: unix, t2: unix, t1_tai64n: hex, t2_tai64n: hex, t2_after_t1: flag },
  { bases_in_the_wild: dictionary(text) },
);

const KERNEL = { base: 10, whiten: true } as const;
const BORINGTUN = { base: 37, whiten: false } as const;

test.each(vectors.cases)('wireguard-go $name', ({ t1, t2, t1_tai64n, t2_tai64n, t2_after_t1 }) => {
  const first = tai64nFromUnix({ sec: t1.unix_s, nsec: t1.ns }, KERNEL);
  const second = tai64nFromUnix({ sec: t2.unix_s, nsec: t2.ns }, KERNEL);
  expect(first).toEqual(t1_tai64n);
  expect(second).toEqual(t2_tai64n);
  expect(compareTai64n(second, first) > 0).toBe(t2_after_t1);
});

const time = fc.record({
  sec: fc.integer({ min: -(2 ** 40), max: 2 ** 40 }),
  nsec: fc.integer({ min: 0, max: 999_999_999 }),
});

test('what goes in comes out, in the same order', () => {
  fc.assert(
    fc.property(time, time, fc.constantFrom<10 | 37>(10, 37), (a, b, base) => {
      const [x, y] = [a, b].map((t) => tai64nFromUnix(t, { base, whiten: false }));
      if (x === undefined || y === undefined) return expect.fail();
      expect(unixTime(x, base)).toEqual(a);
      expect(Math.sign(compareTai64n(x, y))).toBe(Math.sign(a.sec - b.sec || a.nsec - b.nsec));
      expect(readTai64n(x)).toEqual({ label: (1n << 62n) + BigInt(base + a.sec), nsec: a.nsec });
    }),
  );
});

test('whitening takes less than 2^24 ns off and is seen', () => {
  fc.assert(
    fc.property(time, (t) => {
      const whitened = tai64nFromUnix(t, KERNEL);
      const off = t.nsec - readTai64n(whitened).nsec;
      expect(isWhitened(whitened)).toBe(true);
      expect(off >= 0 && off < 2 ** 24).toBe(true);
    }),
  );
  expect(isWhitened(tai64nFromUnix({ sec: 0, nsec: 1 }, BORINGTUN))).toBe(false);
});

test('any 12 bytes are described, and nanoseconds beyond a second are carried', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 12, maxLength: 12 }), fc.option(time, { nil: undefined }), (bytes, at) => {
      const described = describeTai64n(tai64n(bytes), at);
      expect(described.label).toBe(toHex(bytes.slice(0, 8)));
      expect(described.time.nsec).toBeGreaterThanOrEqual(0);
      expect(described.time.nsec).toBeLessThan(1_000_000_000);
    }),
  );
  const odd = tai64nFromUnix({ sec: 100, nsec: 0 }, KERNEL);
  odd.fill(0xff, 8);
  expect(unixTime(odd, 10)).toEqual({ sec: 104, nsec: 294_967_295 });
  expect(describeTai64n(odd).family).toBe('other/unknown');
});

test('a wrong length is the caller’s bug', () => {
  expect(() => tai64n(new Uint8Array(11))).toThrow(RangeError);
});

test('zero is below everything that is sent', () => {
  expect(compareTai64n(TAI64N_ZERO, tai64nFromUnix({ sec: 0, nsec: 0 }, KERNEL))).toBeLessThan(0);
});

const NOW: Time = { sec: 1_700_000_000, nsec: 123_456_789 };
const seconds = (s: number): Time => addNs(NOW, BigInt(Math.round(s * 1e9)));

const senders = [
  ['a kernel', seconds(-0.01), KERNEL, NOW, 10, 'capture-time', 'kernel/wireguard-go/windows'],
  ['a boringtun', seconds(-0.01), BORINGTUN, NOW, 37, 'capture-time', 'boringtun family'],
  ['a kernel 12 s ahead', seconds(12), KERNEL, NOW, 10, 'capture-time', 'kernel/wireguard-go/windows'],
  ['a boringtun 12 s behind', seconds(-12), BORINGTUN, NOW, 37, 'capture-time', 'boringtun family'],
  ['a kernel from before the whitening', NOW, { base: 10, whiten: false }, NOW, 10, 'capture-time', 'other/unknown'],
  ['a kernel without a clock', { sec: 40, nsec: 9 }, KERNEL, NOW, 10, 'whitening', 'kernel/wireguard-go/windows'],
  ['a kernel, no capture time', NOW, KERNEL, undefined, 10, 'whitening', 'kernel/wireguard-go/windows'],
  ['a boringtun, no capture time', NOW, BORINGTUN, undefined, undefined, 'nothing', 'other/unknown'],
  ['a boringtun an hour off', seconds(3600), BORINGTUN, NOW, undefined, 'nothing', 'other/unknown'],
  [
    'a kernel 13.5 s ahead, between both bases',
    seconds(13.5),
    KERNEL,
    NOW,
    10,
    'whitening',
    'kernel/wireguard-go/windows',
  ],
] as const;

test.each(senders)('sender: %s', (_, clock, form, captured, base, decidedBy, family) => {
  expect(describeTai64n(tai64nFromUnix(clock, form), captured)).toMatchObject({ base, decidedBy, family });
});

test('the offset is the sender’s clock less the capture’s', () => {
  const stamp = tai64nFromUnix({ sec: NOW.sec + 2, nsec: NOW.nsec + 500_000 }, BORINGTUN);
  expect(describeTai64n(stamp, NOW)).toMatchObject({ base: 37, offsetMs: 2000.5, whitened: false });
  expect(describeTai64n(stamp)).not.toHaveProperty('offsetMs');
});
