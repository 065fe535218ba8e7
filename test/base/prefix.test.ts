/** Prefixes against a twin that compares them bit by bit, and how far addresses reach. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Prefix, parseIp, parsePrefix } from '../../src/base/address.ts';
import { type AddressScope, scopeOf } from '../../src/base/address-scope.ts';
import { network, networkText, overlapping, prefixIndex, sameNetwork, within } from '../../src/base/prefix.ts';

const bitsOf = ({ ip, bits }: Prefix): string =>
  [...ip]
    .map((byte) => byte.toString(2).padStart(8, '0'))
    .join('')
    .slice(0, bits);

/** Few bits differ, so that many of them meet. */
const anyPrefix = fc.constantFrom(4, 16).chain((size) =>
  fc.record({
    ip: fc
      .array(fc.constantFrom(0, 1, 0x80), { minLength: size, maxLength: size })
      .map((bytes) => Uint8Array.from(bytes)),
    bits: fc.oneof(fc.integer({ min: 0, max: 12 }), fc.integer({ min: 0, max: size * 8 })),
  }),
);

/** Two of them, often of one address. */
const anyTwo = fc
  .tuple(anyPrefix, anyPrefix, fc.boolean())
  .map(([a, b, same]) => [a, same ? { ip: a.ip, bits: Math.min(b.bits, a.ip.length * 8) } : b] as const);

test('as bits, one beginning with the other', () => {
  const met = { within: 0, same: 0 };
  fc.assert(
    fc.property(anyTwo, ([a, b]) => {
      const [x, y] = [bitsOf(a), bitsOf(b)];
      const sameFamily = a.ip.length === b.ip.length;
      expect(within(a, b)).toBe(sameFamily && x.startsWith(y));
      expect(overlapping(a, b)).toBe(sameFamily && (x.startsWith(y) || y.startsWith(x)));
      expect(sameNetwork(a, b)).toBe(sameFamily && x === y);
      met.within += Number(within(a, b));
      met.same += Number(sameNetwork(a, b));
    }),
    { numRuns: 500, seed: 7 },
  );
  expect(Math.min(met.within, met.same)).toBeGreaterThan(5);
});

test('an index gives what covers an address, the longest first', () => {
  fc.assert(
    fc.property(fc.array(anyPrefix, { maxLength: 12 }), anyPrefix, (prefixes, { ip }) => {
      const items = prefixes.map((prefix, at) => ({ prefix, at }));
      const slow = items
        .filter(({ prefix }) => within({ ip, bits: ip.length * 8 }, prefix))
        .filter(({ prefix }, i, all) => all.findIndex((other) => sameNetwork(other.prefix, prefix)) === i)
        .sort((a, b) => b.prefix.bits - a.prefix.bits);
      expect(prefixIndex(items).covering(ip)).toEqual(slow);
    }),
  );
});

test('host bits are masked, and nothing else is', () => {
  fc.assert(
    fc.property(anyPrefix, (prefix) => {
      expect(bitsOf(network(prefix))).toBe(bitsOf(prefix));
      expect(bitsOf({ ...network(prefix), bits: prefix.ip.length * 8 }).slice(prefix.bits)).not.toContain('1');
      expect(parsePrefix(networkText(prefix))).toEqual(network(prefix));
    }),
  );
});

test.each<readonly [string, AddressScope]>([
  ['10.255.255.255', 'private'],
  ['11.0.0.0', 'global'],
  ['172.15.255.255', 'global'],
  ['172.16.0.0', 'private'],
  ['172.31.255.255', 'private'],
  ['172.32.0.0', 'global'],
  ['192.168.0.1', 'private'],
  ['192.169.0.1', 'global'],
  ['100.63.255.255', 'global'],
  ['100.64.0.0', 'shared'],
  ['100.127.255.255', 'shared'],
  ['100.128.0.0', 'global'],
  ['169.254.1.1', 'link-local'],
  ['127.0.0.53', 'loopback'],
  ['0.0.0.0', 'unspecified'],
  ['203.0.113.1', 'global'],
  ['::', 'unspecified'],
  ['::1', 'loopback'],
  ['fe80::1', 'link-local'],
  ['febf::1', 'link-local'],
  ['fec0::1', 'global'],
  ['fbff::1', 'global'],
  ['fc00::1', 'private'],
  ['fdff::1', 'private'],
  ['fe00::1', 'global'],
  ['2001:db8::1', 'global'],
])('%s is %s', (text, scope) => {
  const ip = parseIp(text);
  expect(ip === undefined ? undefined : scopeOf(ip)).toBe(scope);
});
