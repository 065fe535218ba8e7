/** Echo packets against known bytes and their own reader; sums against a slow twin. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseIp } from '../../src/base/address.ts';
import { type Bytes, copy, toHex } from '../../src/base/bytes.ts';
import { echoRequest, leastEchoSize, readEchoAnswer } from '../../src/io/echo.ts';
import { echoSizes, outerLength } from '../../src/io/path-mtu.ts';

const ip = (text: string): Bytes => parseIp(text) ?? expect.fail(text);
const V4 = { from: ip('10.0.0.2'), to: ip('10.0.0.1') };
const V6 = { from: ip('fd00::2'), to: ip('fd00::1') };

/** Ones' complement sum, word by word (RFC 1071 §1). Right packets sum to 0xffff with their checksum in place. */
function sumOf(bytes: Bytes): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) {
    sum += ((bytes[i] ?? 0) << 8) | (bytes[i + 1] ?? 0);
    sum = (sum & 0xffff) + (sum >>> 16);
  }
  return sum;
}

/** Worked by hand: 4500+001e+4000+4001+0a00+0002+0a00+0001 = d922, complement 26dd; 0800+1234+0005+0809 = 2242, ddbd. */
test('an IPv4 echo, byte by byte', () => {
  const packet = echoRequest({ ...V4, id: 0x1234, sequence: 5, size: 30 });
  expect(toHex(packet)).toBe(`4500001e00004000400126dd0a0000020a000001${'0800ddbd12340005'}0809`);
});

test.each([V4, V6])('every size and number sums up', (ends) => {
  const least = leastEchoSize(ends.to.length);
  const header = ends.to.length === 4 ? 20 : 40;
  fc.assert(
    fc.property(fc.nat(0xffff), fc.nat(0xffff), fc.integer({ min: least, max: 2000 }), (id, sequence, size) => {
      const packet = echoRequest({ ...ends, id, sequence, size });
      expect(packet).toHaveLength(size);
      const icmp = packet.subarray(header);
      if (header === 20) {
        expect(sumOf(packet.subarray(0, 20))).toBe(0xffff);
        expect(sumOf(icmp)).toBe(0xffff);
      } else {
        const pseudo = new Uint8Array(40 + icmp.length);
        pseudo.set(packet.subarray(8, 40));
        pseudo.set([0, 0, icmp.length >>> 8, icmp.length, 0, 0, 0, 58], 32);
        pseudo.set(icmp, 40);
        expect(sumOf(pseudo)).toBe(0xffff);
      }
    }),
  );
});

describe('answers', () => {
  const reply = (ends: typeof V4, id = 7): Bytes => {
    const packet = echoRequest({ from: ends.to, to: ends.from, id, sequence: 3, size: 90 });
    packet[ends.to.length === 4 ? 20 : 40] = ends.to.length === 4 ? 0 : 129;
    return packet;
  };

  test.each([V4, V6])('a reply', (ends) => {
    expect(readEchoAnswer(reply(ends), { to: ends.to, id: 7 })).toEqual({ kind: 'reply', sequence: 3, size: 90 });
    expect(readEchoAnswer(reply(ends), { to: ends.from, id: 7 })).toBeUndefined();
    expect(readEchoAnswer(reply(ends, 8), { to: ends.to, id: 7 })).toBeUndefined();
    expect(
      readEchoAnswer(echoRequest({ ...ends, id: 7, sequence: 1, size: 90 }), { to: ends.to, id: 7 }),
    ).toBeUndefined();
  });

  test('an error', () => {
    const error = copy(reply(V4));
    error.set([3, 13], 20);
    expect(readEchoAnswer(error, { to: V4.to, id: 7 })).toEqual({ kind: 'error', from: '10.0.0.1', type: 3, code: 13 });
    const six = copy(reply(V6));
    six.set([2, 0], 40);
    expect(readEchoAnswer(six, { to: V6.to, id: 7 })).toEqual({ kind: 'error', from: 'fd00::1', type: 2, code: 0 });
  });

  test('anything at all', () => {
    const wild = fc.uint8Array({ maxLength: 120 }).map((bytes) => {
      if (bytes[0] !== undefined && (bytes[1] ?? 0) & 1) bytes[0] = bytes[0] & 1 ? 0x45 : 0x60;
      return bytes;
    });
    fc.assert(fc.property(wild, (bytes) => void readEchoAnswer(bytes, { to: V4.to, id: 7 })));
  });
});

test('what cannot be is the caller’s bug', () => {
  expect(() => echoRequest({ from: V4.from, to: V6.to, id: 1, sequence: 1, size: 100 })).toThrow(RangeError);
  expect(() => echoRequest({ ...V4, id: 1, sequence: 1, size: 27 })).toThrow(RangeError);
});

describe('path MTU', () => {
  test.each([
    [1420, 4, 1480],
    [1420, 6, 1500],
    [1400, 4, 1468],
    [1328, 4, 1388],
    [1329, 4, 1404],
  ] as const)('inner %i in IPv%i is outer %i', (inner, family, outer) => {
    expect(outerLength(inner, 1420, family)).toBe(outer);
  });

  test('sizes grow up to the MTU, and are few', () => {
    fc.assert(
      fc.property(fc.integer({ min: 28, max: 65_535 }), fc.constantFrom(28, 48), (mtu, least) => {
        const sizes = echoSizes(mtu, least);
        expect(sizes.length).toBeLessThan(60);
        expect(sizes.at(-1)).toBe(mtu >= least ? mtu : undefined);
        for (const [i, size] of sizes.entries())
          expect(size).toBeGreaterThan(i === 0 ? least - 1 : (sizes[i - 1] ?? 0));
      }),
    );
  });
});
