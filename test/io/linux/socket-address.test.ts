/** sockaddr and cmsghdr: there and back, octets as the kernel has them, and nothing that random ones could break. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Endpoint, endpoint } from '../../../src/base/address.ts';
import { concatAll, fromHex, toHex } from '../../../src/base/bytes.ts';
import {
  ADDRESS_BYTES,
  type Ancillary,
  int,
  readAddress,
  readAncillary,
  writeAddress,
  writeAncillary,
} from '../../../src/io/linux/socket-address.ts';
import { at } from '../../wg/harness.ts';

const written = (one: Endpoint): string => {
  const out = new Uint8Array(ADDRESS_BYTES).fill(0xee);
  return toHex(out.subarray(0, writeAddress(one, out)));
};

describe('addresses', () => {
  test.each([
    ['192.0.2.1:51820', '0200ca6cc00002010000000000000000'],
    ['[2001:db8::1]:258', '0a0001020000000020010db800000000000000000000000100000000'],
  ])('%s', (text, octets) => {
    expect(written(at(text))).toBe(octets);
    expect(readAddress(fromHex(octets))).toEqual(at(text));
  });

  test('there and back, whatever stood in the room before', () => {
    const ip = fc.oneof(fc.uint8Array({ minLength: 4, maxLength: 4 }), fc.uint8Array({ minLength: 16, maxLength: 16 }));
    const before = fc.uint8Array({ minLength: ADDRESS_BYTES, maxLength: ADDRESS_BYTES });
    fc.assert(
      fc.property(ip, fc.integer({ min: 0, max: 65_535 }), before, (bytes, port, room) => {
        const one = endpoint(bytes, port);
        writeAddress(one, room);
        expect(readAddress(room)).toEqual(one);
      }),
    );
  });

  test('its address outlives the room', () => {
    const room = new Uint8Array(ADDRESS_BYTES);
    writeAddress(at('192.0.2.1:1'), room);
    const read = readAddress(room);
    room.fill(0);
    expect(read?.ip).toEqual(Uint8Array.of(192, 0, 2, 1));
  });

  test('another family, or cut off: none', () => {
    for (const octets of ['', '02', '0100', `0200${'00'.repeat(13)}`, `0a00${'00'.repeat(25)}`, 'ff'.repeat(28)]) {
      expect(readAddress(fromHex(octets))).toBeUndefined();
    }
  });
});

describe('ancillary data', () => {
  test('octets as cmsg(3) has them', () => {
    const out = new Uint8Array(48).fill(0xee);
    const next = writeAncillary(out, 0, { level: 41, type: 67, data: int(2) });
    expect(next).toBe(24);
    expect(toHex(out.subarray(0, next))).toBe('1400000000000000290000004300000002000000' + '00000000');
    expect(writeAncillary(out, next, { level: 0, type: 1, data: int(-1) })).toBe(48);
    expect([...readAncillary(out)]).toEqual([
      { level: 41, type: 67, data: Uint8Array.of(2, 0, 0, 0) },
      { level: 0, type: 1, data: Uint8Array.of(255, 255, 255, 255) },
    ]);
  });

  const number = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
  const ancillary: fc.Arbitrary<Ancillary> = fc.record({
    level: number,
    type: number,
    data: fc.uint8Array({ maxLength: 40 }),
  });

  test('there and back, from the middle of a buffer', () => {
    fc.assert(
      fc.property(fc.array(ancillary, { maxLength: 6 }), fc.nat(7), (all, offset) => {
        const room = new Uint8Array(600).fill(0xee).subarray(offset);
        let end = 0;
        for (const one of all) end = writeAncillary(room, end, one);
        expect(end % 8).toBe(0);
        expect([...readAncillary(room.subarray(0, end))]).toEqual(all);
      }),
    );
  });

  test('what is cut off is not read, and random octets do no harm', () => {
    fc.assert(
      fc.property(
        fc.array(ancillary, { maxLength: 3 }),
        fc.uint8Array({ maxLength: 64 }),
        fc.nat(200),
        (all, rest, cut) => {
          const room = new Uint8Array(300);
          let end = 0;
          for (const one of all) end = writeAncillary(room, end, one);
          const cutOff = [...readAncillary(room.subarray(0, Math.min(end, cut)))];
          expect(all.slice(0, cutOff.length)).toEqual(cutOff);
          const followed = [...readAncillary(concatAll([room.subarray(0, end), rest]))];
          expect(followed.slice(0, all.length)).toEqual(all);
          for (const { data } of readAncillary(rest)) expect(data.length).toBeLessThanOrEqual(rest.length - 16);
        },
      ),
    );
  });
});
