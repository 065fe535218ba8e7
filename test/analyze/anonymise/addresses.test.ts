/** Addresses for others of their kind: same scope, same networks, nobody’s own. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AddressMap, type Met } from '../../../src/analyze/anonymise/addresses.ts';
import { Veil } from '../../../src/analyze/anonymise/veil.ts';
import {
  formatIp,
  formatPrefix,
  type IpBytes,
  inPrefix,
  maskIp,
  parseIp,
  parsePrefix,
} from '../../../src/base/address.ts';
import { scopeOf } from '../../../src/base/address-scope.ts';
import { equal } from '../../../src/base/bytes.ts';
import { within } from '../../../src/base/prefix.ts';
import { nodeCrypto } from '../../../src/crypto/node.ts';

const ip = (text: string): IpBytes => {
  const read = parseIp(text);
  if (read === undefined) throw new TypeError(text);
  return read;
};
const prefix = (text: string) => {
  const read = parsePrefix(text);
  if (read === undefined) throw new TypeError(text);
  return read;
};

const veil = new Veil(nodeCrypto, Uint8Array.of(1));
const mapOf = (met: Partial<Met>): AddressMap => new AddressMap(veil, { ips: [], prefixes: [], ...met });

const HEADS = ['0a', 'ac10', 'ac1f', 'c0a8', '6440', 'a9fe', '7f', '00', 'e0', '08', 'c0', 'ff'];
const v4 = fc
  .tuple(fc.constantFrom(...HEADS), fc.uint8Array({ minLength: 4, maxLength: 4 }))
  .map(([head, tail]) => new Uint8Array([...Buffer.from(head, 'hex'), ...tail].slice(0, 4)));
const HEADS6 = [
  'fd',
  'fc00',
  'fe80000000000000',
  'fe81',
  'ff02',
  '2001',
  '20010db8',
  '2a00',
  '00000000000000000000ffff',
];
const v6 = fc
  .tuple(fc.constantFrom(...HEADS6), fc.uint8Array({ minLength: 16, maxLength: 16 }))
  .map(([head, tail]) => new Uint8Array([...Buffer.from(head, 'hex'), ...tail].slice(0, 16)));
const any = fc.oneof(v4, v6);

describe('every address', () => {
  test('keeps its scope and its length, and is mapped the same again', () => {
    fc.assert(
      fc.property(fc.array(any, { minLength: 1, maxLength: 6 }), (ips) => {
        const map = mapOf({ ips });
        for (const one of ips) {
          const mapped = map.ip(one);
          expect([mapped.length, scopeOf(mapped)]).toEqual([one.length, scopeOf(one)]);
          expect(map.ip(one.slice())).toEqual(mapped);
        }
      }),
      { numRuns: 60 },
    );
  });

  test('lies in what its network is mapped to, and others do not', () => {
    const nets = fc.tuple(any, fc.integer({ min: 1, max: 128 })).map(([one, bits]) => {
      const length = Math.min(bits, one.length * 8);
      return { ip: maskIp(one, length), bits: length };
    });
    fc.assert(
      fc.property(fc.array(nets, { minLength: 1, maxLength: 4 }), any, any, (prefixes, a, b) => {
        const map = mapOf({ ips: [a, b], prefixes });
        for (const net of prefixes) {
          const mapped = map.prefix(net);
          expect([mapped.bits, equal(maskIp(mapped.ip, mapped.bits), mapped.ip)]).toEqual([net.bits, true]);
          // what is shorter than the prefix of its kind stays, and what lies in it may not
          if (equal(mapped.ip, net.ip)) continue;
          for (const one of [a, b]) if (inPrefix(one, net)) expect(inPrefix(map.ip(one), mapped)).toBe(true);
          for (const other of prefixes) {
            if (within(other, net)) expect(within(map.prefix(other), mapped)).toBe(true);
          }
        }
      }),
      { numRuns: 60 },
    );
  });
});

test('nothing that was met stands in for anything else', () => {
  const texts = [
    '10.0.0.1',
    '10.0.1.1',
    '192.168.1.1',
    '192.168.0.7',
    '192.0.2.10',
    '203.0.113.10',
    '198.51.100.1',
    '8.8.8.8',
    '2001:db8::1',
    'fd00::5',
  ];
  const ips = texts.map(ip);
  const map = mapOf({ ips });
  const mapped = ips.map((one) => formatIp(map.ip(one)));
  expect(mapped.filter((text) => texts.includes(text))).toEqual([]);
  expect(new Set(mapped).size).toBe(texts.length);
});

test('what tells nothing stays', () => {
  const map = mapOf({});
  for (const text of ['0.0.0.0', '127.0.0.1', '255.255.255.255', '224.0.0.251', '::', '::1', 'ff02::1']) {
    expect(formatIp(map.ip(ip(text)))).toBe(text);
  }
  for (const text of ['0.0.0.0/0', '::/0', '0.0.0.0/1', '128.0.0.0/1', '2000::/3', '10.0.0.0/8', '192.168.0.0/16']) {
    expect(formatPrefix(map.prefix(prefix(text)))).toBe(text);
  }
});

test('the internet becomes the networks for documentation', () => {
  const map = mapOf({});
  expect(['8.8.8.8', '8.8.8.4', '1.1.1.1'].map((text) => formatIp(map.ip(ip(text))))).toEqual([
    '192.0.2.8',
    '192.0.2.4',
    '198.51.100.1',
  ]);
  expect(formatIp(map.ip(ip('2a00:1450:4001::1')))).toMatch(/^2001:db8:/);
});

test('host bits that were set are set', () => {
  const map = mapOf({});
  expect(formatPrefix(map.prefix(prefix('10.1.2.3/24')))).toMatch(/\.3\/24$/);
  expect(formatPrefix(map.prefix(prefix('10.1.2.0/24')))).toMatch(/\.0\/24$/);
});

test('ports: well-known ones stay, others are mapped one to one', () => {
  const map = mapOf({});
  expect([0, 53, 443, 51_820, 37_008].map((port) => map.port(port))).toEqual([0, 53, 443, 51_820, 37_008]);
  const mapped = Array.from({ length: 500 }, (_, i) => map.port(51_000 + i));
  expect(new Set(mapped).size).toBe(500);
  for (const [i, port] of mapped.entries()) expect(port === 51_000 + i || port < 1024 || port > 65_535).toBe(false);
});

test('names are numbered, cards are somebody’s own', () => {
  const map = mapOf({});
  expect(['vpn.example.net', 'b.test', 'VPN.example.net'].map((name) => map.host(name))).toEqual([
    'host1.example',
    'host2.example',
    'host1.example',
  ]);
  const mac = map.mac(Uint8Array.of(0, 0x11, 0x22, 0x33, 0x44, 0x55));
  expect([mac.length, (mac[0] ?? 0) & 3]).toEqual([6, 2]);
  expect(map.mac(new Uint8Array(6).fill(0xff))).toEqual(new Uint8Array(6).fill(0xff));
});
