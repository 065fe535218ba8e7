/** Addresses against Node's own parser, URL serialiser and BlockList. */
import { BlockList, isIP, SocketAddress } from 'node:net';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  endpoint,
  formatIp,
  formatPrefix,
  inPrefix,
  maskIp,
  parseEndpoint,
  parseIp,
  parsePrefix,
} from '../../src/base/address.ts';
import { anyText } from '../any-text.ts';

const ip4 = fc.uint8Array({ minLength: 4, maxLength: 4 });
/** Zeros are frequent, so that compression is exercised. */
const ip6 = fc
  .array(fc.oneof(fc.constant(0), fc.constant(0xffff), fc.integer({ min: 0, max: 0xffff })), {
    minLength: 8,
    maxLength: 8,
  })
  .map((groups) => Uint8Array.from(groups.flatMap((g) => [g >>> 8, g & 255])));
const ip = fc.oneof(ip4, ip6);
const family = (bytes: Uint8Array): 'ipv4' | 'ipv6' => (bytes.length === 4 ? 'ipv4' : 'ipv6');
/** Strings that nearly are addresses. */
const nearly = fc.oneof(
  fc.string({ unit: fc.constantFrom(...'0123456789abfF:.'), maxLength: 24 }),
  fc.ipV6(),
  fc.ipV4Extended(),
  fc
    .tuple(
      fc.array(fc.constantFrom('0', '1', 'ffff', '00ab', '1.2.3.4', '', '12345', '01'), { maxLength: 9 }),
      fc.constantFrom(':', '.'),
    )
    .map(([parts, by]) => parts.join(by)),
);

test.each([
  ['1.2.3.4', true],
  ['1.2.3', false],
  ['01.2.3.4', false],
  ['1.2.3.256', false],
  ['0x1.2.3.4', false],
  ['1.2.3.4 ', false],
  ['', false],
  ['::', true],
  [':', false],
  [':::', false],
  ['1::', true],
  ['::1.2.3.4', true],
  ['1.2.3.4::', false],
  ['1:1.2.3.4::2', false],
  ['::1.2.3', false],
  ['::1.2.3.4:5', false],
  ['1:2:3:4:5:6:7::', true],
  ['1:2:3:4:5:6:7::8', false],
  ['1:2:3:4:5:6:1.2.3.4', true],
  ['1:2:3:4:5:6:7:1.2.3.4', false],
  ['1::2::3', false],
  ['12345::', false],
  ['fe80::1%eth0', false],
])('parseIp(%j) is an address: %s', (text, valid) => {
  expect(parseIp(text) !== undefined).toBe(valid);
});

test('parseIp accepts exactly what Node accepts, without zones', () => {
  fc.assert(
    fc.property(nearly, (text) => {
      expect(parseIp(text)?.length ?? 0).toBe([0, 4, 16][isIP(text) === 4 ? 1 : isIP(text) === 6 ? 2 : 0]);
    }),
    { numRuns: 2000 },
  );
});

test('parseIp never throws', () => {
  fc.assert(fc.property(anyText(), (text) => void parseIp(text)));
});

test('formatIp and parseIp are inverse', () => {
  fc.assert(fc.property(ip, (bytes) => void expect(parseIp(formatIp(bytes))).toEqual(bytes)));
});

test('formatIp writes IPv6 as the URL standard does, but for mapped addresses (RFC 5952 §5)', () => {
  fc.assert(
    fc.property(ip6, (bytes) => {
      const text = formatIp(bytes);
      if (text.includes('.')) expect(text.startsWith('::ffff:')).toBe(true);
      else expect(`[${text}]`).toBe(new URL(`http://[${text}]/`).hostname);
    }),
  );
});

test.each([
  ['2001:DB8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
  ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
  ['0:0:0:0:0:0:0:0', '::'],
  ['1:0:0:0:0:0:0:0', '1::'],
  ['::ffff:102:304', '::ffff:1.2.3.4'],
])('formatIp: %s is written %s', (text, canonical) => {
  expect(formatIp(parseIp(text) ?? new Uint8Array(16))).toBe(canonical);
});

describe('prefixes', () => {
  const prefix = ip.chain((bytes) =>
    fc.record({ ip: fc.constant(bytes), bits: fc.integer({ min: 0, max: bytes.length * 8 }) }),
  );
  /** An address of the same family that shares a random number of leading bits. */
  const withNeighbour = prefix.chain((p) =>
    fc.record({
      prefix: fc.constant(p),
      mask: fc.uint8Array({ minLength: p.ip.length, maxLength: p.ip.length }),
      keep: fc.integer({ min: 0, max: 128 }),
    }),
  );

  test('inPrefix agrees with BlockList', () => {
    fc.assert(
      fc.property(withNeighbour, ({ prefix: p, mask, keep }) => {
        const other = p.ip.map((b, i) => (8 * i < keep ? b : (mask[i] ?? 0)));
        const list = new BlockList();
        list.addSubnet(formatIp(p.ip), p.bits, family(p.ip));
        const wanted = list.check(new SocketAddress({ address: formatIp(other), family: family(other) }));
        expect(inPrefix(other, p)).toBe(wanted);
      }),
    );
  });

  test('maskIp clears the host bits only: its result is in the prefix, and is its own mask', () => {
    fc.assert(
      fc.property(prefix, (p) => {
        const masked = maskIp(p.ip, p.bits);
        expect(inPrefix(masked, p)).toBe(true);
        expect(maskIp(masked, p.bits)).toEqual(masked);
        const tail = [...masked]
          .map((b) => b.toString(2).padStart(8, '0'))
          .join('')
          .slice(p.bits);
        expect(tail).not.toContain('1');
      }),
    );
  });

  test('formatPrefix and parsePrefix are inverse and keep host bits', () => {
    fc.assert(fc.property(prefix, (p) => void expect(parsePrefix(formatPrefix(p))).toEqual(p)));
  });

  test('families do not match each other', () => {
    const any4 = { ip: new Uint8Array(4), bits: 0 };
    expect(inPrefix(new Uint8Array(16), any4)).toBe(false);
    expect(inPrefix(new Uint8Array(4), { ip: new Uint8Array(16), bits: 0 })).toBe(false);
    expect(inPrefix(new Uint8Array(4), any4)).toBe(true);
  });

  test.each([
    ['10.0.0.5', 32],
    ['10.0.0.5/24', 24],
    ['::1', 128],
    ['::/0', 0],
    ['10.0.0.0/33', undefined],
    ['::/129', undefined],
    ['10.0.0.0/', undefined],
    ['10.0.0.0/08', undefined],
    ['10.0.0.0/-1', undefined],
    ['10.0.0.0/8/8', undefined],
    ['/8', undefined],
    ['', undefined],
  ])('parsePrefix(%j) has length %s', (text, bits) => {
    expect(parsePrefix(text)?.bits).toBe(bits);
  });
});

describe('endpoints', () => {
  test('text is canonical and parses back', () => {
    fc.assert(
      fc.property(ip, fc.integer({ min: 0, max: 65535 }), (bytes, port) => {
        const made = endpoint(bytes, port);
        expect(parseEndpoint(made.text)).toEqual(made);
        expect(made.text.startsWith('[')).toBe(bytes.length === 16);
      }),
    );
  });

  test.each([
    '1.2.3.4',
    '1.2.3.4:',
    '1.2.3.4:65536',
    '1.2.3.4:080',
    '::1:80',
    '[::1]',
    '[1.2.3.4]:80',
    'host:80',
    '[::1]:80 ',
    '',
  ])('parseEndpoint(%j) is undefined', (text) => {
    expect(parseEndpoint(text)).toBeUndefined();
  });
});
