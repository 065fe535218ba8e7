/** ICMP errors: what they report, whose datagram they quote, and how much of it. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { concat } from '../../src/base/bytes.ts';
import { Decoder } from '../../src/packet/decode.ts';
import {
  be16,
  be32,
  bytes,
  fragmentExtension,
  frame,
  icmpError,
  ipv4,
  ipv6,
  only,
  skipped,
  udp,
  V4,
  V6,
} from './build.ts';
import { decodeFile } from './read.ts';

const payload = Uint8Array.from({ length: 148 }, (_, i) => i);
const router = { source: bytes(203, 0, 113, 1), destination: V4.source };
const router6 = { source: V6.destination, destination: V6.source };
const quote4 = ipv4(V4, udp(V4, payload));
const quote6 = ipv6(V6, udp(V6, payload));
const icmp = (type: number, code: number, quote: Uint8Array, rest = be32(0)): Uint8Array =>
  concat(bytes(type, code, 0, 0), rest, quote);
const four = (type: number, code: number, quote = quote4, rest?: Uint8Array): Uint8Array =>
  ipv4(router, icmp(type, code, quote, rest), { protocol: 1 });
const six = (type: number, code: number, quote = quote6, rest?: Uint8Array): Uint8Array =>
  ipv6(router6, icmp(type, code, quote, rest), { protocol: 58 });
const decode = (data: Uint8Array, wireLength = data.length) => new Decoder().decode(frame(101, data, { wireLength }));

test.each([
  [3, 0, 'net-unreachable'],
  [3, 1, 'host-unreachable'],
  [3, 2, 'protocol-unreachable'],
  [3, 3, 'port-unreachable'],
  [3, 4, 'fragmentation-needed'],
  [3, 5, 'other-error'],
  [3, 6, 'net-unreachable'],
  [3, 7, 'host-unreachable'],
  [3, 8, 'host-unreachable'],
  [3, 9, 'admin-prohibited'],
  [3, 10, 'admin-prohibited'],
  [3, 11, 'net-unreachable'],
  [3, 12, 'host-unreachable'],
  [3, 13, 'admin-prohibited'],
  [3, 14, 'other-error'],
  [3, 255, 'other-error'],
  [11, 0, 'time-exceeded'],
  [11, 1, 'time-exceeded'],
  [12, 0, 'other-error'],
])('ICMP %i/%i is %s', (type, code, error) => {
  const found = icmpError(decode(four(type, code)));
  expect(found).toMatchObject({ error, type, code, quoted: { bytes: payload, length: 148 } });
  expect([...found.from, ...found.to]).toEqual([203, 0, 113, 1, 192, 0, 2, 1]);
  expect([found.quoted.from.text, found.quoted.to.text]).toEqual(['192.0.2.1:40000', '198.51.100.2:51820']);
});

test.each([
  [1, 0, 'net-unreachable'],
  [1, 1, 'admin-prohibited'],
  [1, 2, 'other-error'],
  [1, 3, 'host-unreachable'],
  [1, 4, 'port-unreachable'],
  [1, 5, 'admin-prohibited'],
  [1, 6, 'admin-prohibited'],
  [1, 7, 'other-error'],
  [2, 0, 'fragmentation-needed'],
  [3, 0, 'time-exceeded'],
  [4, 0, 'other-error'],
  [4, 1, 'protocol-unreachable'],
])('ICMPv6 %i/%i is %s', (type, code, error) => {
  const found = icmpError(decode(six(type, code)));
  expect(found).toMatchObject({ error, type, code, quoted: { bytes: payload, length: 148 } });
  expect([found.quoted.from.text, found.quoted.to.text]).toEqual(['[2001:db8::1]:40000', '[2001:db8::2]:51820']);
});

test('the next hop’s MTU, and only where there is one', () => {
  expect(icmpError(decode(four(3, 4, quote4, concat(be16(0), be16(1420))))).mtu).toBe(1420);
  expect(icmpError(decode(four(3, 4))).mtu).toBe(0);
  expect(icmpError(decode(six(2, 0, quote6, be32(1280)))).mtu).toBe(1280);
  expect('mtu' in icmpError(decode(four(3, 3, quote4, be32(1420))))).toBe(false);
});

test('eight octets of the datagram are enough, as RFC 792 has it', () => {
  const found = icmpError(decode(four(3, 3, quote4.subarray(0, 28))));
  expect(found.quoted).toMatchObject({ bytes: bytes(), length: 148 });
});

test('a quote the capture cut keeps what is there', () => {
  const whole = four(3, 3);
  const found = icmpError(decode(whole.subarray(0, 96), whole.length));
  expect(found.quoted).toMatchObject({ bytes: payload.subarray(0, 96 - 20 - 8 - 28), length: 148 });
  expect(skipped(decode(whole.subarray(0, 50), whole.length)).reason).toBe('cut');
  expect(skipped(decode(whole.subarray(0, 24), whole.length)).reason).toBe('cut');
});

test('extensions behind the quote are not part of it (RFC 4884)', () => {
  const extension = bytes(0x20, 0, 0, 0, 0, 8, 1, 1, 1, 2, 3, 4);
  const v4 = four(11, 0, concat(quote4.subarray(0, 128), extension), bytes(0, 32, 0, 0));
  expect(icmpError(decode(v4)).quoted.bytes).toEqual(payload.subarray(0, 100));
  const v6 = six(3, 0, concat(quote6.subarray(0, 128), extension), bytes(16, 0, 0, 0));
  expect(icmpError(decode(v6)).quoted.bytes).toEqual(payload.subarray(0, 80));
});

test('a quoted first fragment has ports; its UDP length is that of the whole', () => {
  const long = udp(V4, new Uint8Array(1600));
  const found = icmpError(decode(four(11, 1, ipv4(V4, long.subarray(0, 400), { more: true }))));
  expect(found.quoted.length).toBe(1600);
  expect(found.quoted.bytes.length).toBe(392);
  const v6 = ipv6(V6, long.subarray(0, 400), { extensions: [fragmentExtension(0, true, 7)] });
  expect(icmpError(decode(six(3, 1, v6))).quoted).toMatchObject({ length: 1600, to: { port: 51820 } });
});

test('a quote whose UDP length is 0 is as long as its IP header says', () => {
  const quote = ipv4(V4, udp(V4, payload));
  quote.set([0, 0], 24);
  expect(icmpError(decode(four(3, 3, quote))).quoted).toMatchObject({ length: 148, bytes: payload });
});

test.each<[string, Uint8Array, string]>([
  ['an echo request', ipv4(router, icmp(8, 0, payload), { protocol: 1 }), 'not-udp'],
  ['a redirect', four(5, 1), 'not-udp'],
  ['an ICMPv6 neighbour solicitation', six(135, 0), 'not-udp'],
  ['an error about TCP', four(3, 3, ipv4(V4, payload, { protocol: 6 })), 'not-udp'],
  ['an error about a later fragment', four(3, 3, ipv4(V4, payload, { fragmentAt: 8 })), 'not-udp'],
  [
    'an error about a later IPv6 fragment',
    six(1, 4, ipv6(V6, payload, { extensions: [fragmentExtension(8, false, 1)] })),
    'not-udp',
  ],
  ['an error with a quote too short', four(3, 3, quote4.subarray(0, 27)), 'not-udp'],
  ['an error without a quote', four(3, 3, bytes()), 'not-udp'],
  ['an ICMPv6 error that quotes IPv4', six(1, 4, quote4), 'not-udp'],
  ['half an ICMP header', ipv4(router, bytes(3, 3, 0), { protocol: 1 }), 'ip-malformed'],
])('skips %s', (_, data, reason) => {
  expect(skipped(decode(data)).reason).toBe(reason);
});

test('an error that came in fragments', () => {
  const whole = icmp(3, 3, quote4);
  const decoder = new Decoder();
  const parts = [
    ipv4(router, whole.subarray(0, 96), { protocol: 1, id: 5, more: true }),
    ipv4(router, whole.subarray(96), { protocol: 1, id: 5, fragmentAt: 96 }),
  ];
  expect(parts.map((part) => only(decoder.decode(frame(101, part))).kind)).toEqual(['skip', 'icmp-error']);
});

const SHARED = fileURLToPath(new URL('../../../shared/', import.meta.url));

describe.skipIf(!existsSync(SHARED))('lab captures', () => {
  test('port-unreachable: each initiation comes back in an error', async () => {
    const all = await decodeFile(`${SHARED}captures/lab/port-unreachable/client.pcap`);
    expect(all.map((found) => found.kind)).toEqual(['datagram', 'icmp-error', 'datagram', 'icmp-error']);
    for (const [i, found] of all.entries()) {
      const before = all[i - 1];
      if (found.kind !== 'icmp-error' || before?.kind !== 'datagram') continue;
      expect(found).toMatchObject({ error: 'port-unreachable', from: bytes(203, 0, 113, 10), to: bytes(10, 99, 1, 2) });
      expect(found.quoted.from.text).toBe('10.99.1.2:51821');
      expect(found.quoted.to.text).toBe('203.0.113.10:51999');
      expect(found.quoted.length).toBe(148);
      expect(found.quoted.bytes).toEqual(before.bytes);
      expect(before.bytes[0]).toBe(1);
    }
  });

  test('any-interface-on-nat-router: in before, out after translation', async () => {
    const all = await decodeFile(`${SHARED}captures/lab/any-interface-on-nat-router/client.pcap`);
    const datagrams = all.filter((found) => found.kind === 'datagram');
    expect(datagrams.length).toBe(20);
    expect(datagrams.map((d) => d.direction)).toEqual(datagrams.map((_, i) => (i % 2 === 0 ? 'in' : 'out')));
    for (const [i, d] of datagrams.entries()) if (i % 2 === 1) expect(d.bytes).toEqual(datagrams[i - 1]?.bytes);
    expect(datagrams.slice(0, 2).map((d) => d.from.text.split(':')[0])).toEqual(['10.99.1.2', '203.0.113.1']);
  });
});
