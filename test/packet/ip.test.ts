/** IP and UDP headers: what is refused, what is put up with, and the checksum. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { concat } from '../../src/base/bytes.ts';
import { Decoder } from '../../src/packet/decode.ts';
import {
  be16,
  bytes,
  datagram,
  type Extension,
  ethernet,
  fragmentExtension,
  frame,
  internetChecksum,
  ipv4,
  ipv6,
  only,
  skipped,
  udp,
  V4,
  V6,
} from './build.ts';

const payload = bytes(1, 2, 3, 4, 5);
const plain = udp(V4, payload);
const decode = (data: Uint8Array) => new Decoder().decode(frame(101, data));

function changed(data: Uint8Array, at: number, ...values: readonly number[]): Uint8Array {
  const out = data.slice();
  out.set(values, at);
  return out;
}

const hopByHop: Extension = [0, bytes(0, 1, 4, 0, 0, 0, 0)];

test.each<[string, Uint8Array, string, RegExp]>([
  ['IPv4 header length 16', changed(ipv4(V4, plain), 0, 0x44), 'ip-malformed', /header length 16/],
  [
    'IPv4 header length beyond the frame',
    changed(ipv4(V4, plain).subarray(0, 24), 0, 0x4f),
    'ip-malformed',
    /IPv4 header/,
  ],
  ['IPv4 total length below the header', ipv4(V4, plain, { total: 19 }), 'ip-malformed', /total length 19/],
  ['half an IPv4 header', ipv4(V4, plain).subarray(0, 12), 'ip-malformed', /IPv4 header/],
  ['half an IPv6 header', ipv6(V6, plain).subarray(0, 39), 'ip-malformed', /IPv6 header/],
  [
    'an extension header beyond the packet',
    ipv6(V6, plain, { extensions: [[60, bytes(200, 0, 0, 0, 0, 0, 0)]] }),
    'ip-malformed',
    /extension/,
  ],
  ['half an extension header', ipv6(V6, bytes(17, 0, 0), { protocol: 60 }), 'ip-malformed', /extension/],
  ['17 extension headers', ipv6(V6, plain, { extensions: Array(17).fill(hopByHop) }), 'ip-malformed', /16/],
  ['TCP', ipv4(V4, plain, { protocol: 6 }), 'not-udp', /^TCP$/],
  ['TCP over IPv6', ipv6(V6, plain, { protocol: 6 }), 'not-udp', /^TCP$/],
  ['ESP', ipv6(V6, plain, { protocol: 50 }), 'not-udp', /ESP/],
  ['a protocol without name', ipv4(V4, plain, { protocol: 200 }), 'not-udp', /200/],
  ['ICMPv6 in IPv4', ipv4(V4, plain, { protocol: 58 }), 'not-udp', /ICMPv6/],
  ['ICMP in IPv6', ipv6(V6, plain, { protocol: 1 }), 'not-udp', /ICMP/],
  ['fragments of TCP', ipv4(V4, plain, { protocol: 6, fragmentAt: 8 }), 'not-udp', /TCP/],
  ['half a UDP header', ipv4(V4, plain.subarray(0, 7)), 'udp-malformed', /UDP header/],
  ['UDP length 7', ipv4(V4, changed(plain, 4, 0, 7)), 'udp-malformed', /length 7/],
  ['UDP length beyond IP', ipv4(V4, changed(plain, 4, 0, 14)), 'udp-malformed', /length 14 in an IP payload of 13/],
])('skips %s', (_, data, reason, detail) => {
  const found = skipped(decode(data));
  expect(found.detail).toMatch(detail);
  expect(found.reason).toBe(reason);
});

test('IPv4 facts', () => {
  const options = bytes(7, 7, 4, 0, 0, 0, 0, 0);
  const found = datagram(decode(ipv4(V4, plain, { id: 0x3101, options, df: true, ttl: 63, tos: 0x88 })));
  expect(found).toMatchObject({
    ipId: 0x3101,
    dontFragment: true,
    ttl: 63,
    tos: 0x88,
    fragments: 1,
    ipLength: 41,
    length: 5,
  });
});

test('IPv6 facts', () => {
  const found = datagram(decode(ipv6(V6, udp(V6, payload), { ttl: 63, tos: 0x88 })));
  expect(found).toMatchObject({
    ipId: 0,
    dontFragment: true,
    ttl: 63,
    tos: 0x88,
    fragments: 1,
    ipLength: 53,
    length: 5,
  });
});

test('an atomic fragment is a whole packet (RFC 6946)', () => {
  const found = datagram(decode(ipv6(V6, udp(V6, payload), { extensions: [fragmentExtension(0, false, 0xfedcba98)] })));
  expect(found).toMatchObject({ ipId: 0xfedcba98, fragments: 1, bytes: payload });
});

test('a length of 0 means the rest of the frame', () => {
  expect(datagram(decode(ipv4(V4, plain, { total: 0 })))).toMatchObject({ length: 5, ipLength: 33, checksum: 'ok' });
  expect(datagram(decode(ipv6(V6, udp(V6, payload), { length: 0 })))).toMatchObject({ length: 5, ipLength: 53 });
  const implied = datagram(decode(ipv4(V4, changed(plain, 4, 0, 0))));
  expect(implied).toMatchObject({ length: 5, bytes: payload, checksum: 'unverifiable' });
});

test('what follows the UDP length is no payload', () => {
  const found = datagram(decode(ipv4(V4, concat(plain, bytes(9, 9, 9)))));
  expect([found.bytes, found.length, found.checksum]).toEqual([payload, 5, 'ok']);
});

test('an IP length beyond the frame counts as cut', () => {
  const found = datagram(decode(ipv4(V4, udp(V4, new Uint8Array(64))).subarray(0, 60)));
  expect([found.bytes.length, found.length, found.checksum]).toEqual([32, 64, 'unverifiable']);
});

test('an empty payload is a datagram', () => {
  expect(datagram(decode(ipv4(V4, udp(V4, bytes()))))).toMatchObject({ length: 0, checksum: 'ok' });
});

describe('checksum', () => {
  const six = udp(V6, payload);
  test.each([
    ['ok', ipv4(V4, plain)],
    ['ok', ipv6(V6, six)],
    ['ok', ipv4(V4, udp(V4, bytes(1, 2, 3, 4)))],
    ['bad', ipv4(V4, changed(plain, 12, 9))],
    ['bad', ipv6(V6, changed(six, 12, 9))],
    ['bad', ipv4({ ...V4, source: bytes(192, 0, 2, 3) }, plain)],
    ['absent', ipv4(V4, udp(V4, payload, 0))],
    ['bad', ipv6(V6, udp(V6, payload, 0))],
    // Only the pseudo-header's sum: left to the card (offload).
    [
      'bad',
      ipv4(V4, udp(V4, payload, 0xffff - internetChecksum(concat(V4.source, V4.destination, bytes(0, 17), be16(13))))),
    ],
    ['unverifiable', ipv6(V6, six, { extensions: [[43, bytes(0, 4, 1, 0, 0, 0, 0)]] }).fill(0xaa, 24, 40)],
    ['ok', ipv6(V6, six, { extensions: [[43, bytes(0, 4, 0, 0, 0, 0, 0)]] })],
    ['bad', ipv6(V6, six, { extensions: [[43, bytes(0, 4, 0, 0, 0, 0, 0)]] }).fill(0xaa, 24, 40)],
  ] as const)('%s', (verdict, data) => {
    expect(datagram(decode(data)).checksum).toBe(verdict);
  });

  test('agrees with the plain way for any payload', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(0xffff), (data, value) => {
        const right = udp(V4, data);
        const claimed = udp(V4, data, value);
        const wanted = value === 0 ? 'absent' : value === (right[6] ?? 0) * 256 + (right[7] ?? 0) ? 'ok' : 'bad';
        expect(datagram(decode(ipv4(V4, right))).checksum).toBe('ok');
        expect(datagram(decode(ipv4(V4, claimed))).checksum).toBe(wanted);
      }),
    );
  });

  test('a sum that comes out as zero is sent as ffff (RFC 768)', () => {
    const data = udp(V4, bytes(0, 0), 0);
    const sum = internetChecksum(concat(V4.source, V4.destination, bytes(0, 17), be16(10), data));
    expect(datagram(decode(ipv4(V4, udp(V4, be16(sum), 0xffff)))).checksum).toBe('ok');
  });
});

test('padding behind a short packet is no payload', () => {
  const data = concat(ethernet(0x0800, ipv4(V4, udp(V4, bytes(7)))), new Uint8Array(17).fill(0xee));
  expect(only(new Decoder().decode(frame(1, data)))).toMatchObject({ kind: 'datagram', bytes: bytes(7), ipLength: 29 });
});
