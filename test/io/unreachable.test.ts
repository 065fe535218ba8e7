/** ICMP errors for this machine's own packets: what they quote, their sums, and what is not answered. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Bytes, concat, equal, u16be } from '../../src/base/bytes.ts';
import { unreachable } from '../../src/io/unreachable.ts';
import { Decoder } from '../../src/packet/decode.ts';
import { be16, be32, bytes, fragmentExtension, internetChecksum, ipv4, ipv6, udp, V4, V6 } from '../packet/build.ts';

const PAYLOAD = Uint8Array.from({ length: 1400 }, (_, i) => i);
const four = ipv4(V4, udp(V4, PAYLOAD));
const six = ipv6(V6, udp(V6, PAYLOAD));

function decoded(packet: Bytes) {
  const frame = { number: 1, time: undefined, linkType: 101, bytes: packet, wireLength: packet.length, interfaceId: 0 };
  return new Decoder().decode({ ...frame, fcsBytes: 0 });
}

describe('answered', () => {
  test('IPv4: host unreachable, with 8 bytes beyond the header', () => {
    const answer = unreachable(four) ?? expect.fail('no answer');
    expect(answer).toHaveLength(20 + 8 + 28);
    expect(internetChecksum(answer.subarray(0, 20))).toBe(0);
    expect(internetChecksum(answer.subarray(20))).toBe(0);
    expect(answer.subarray(28)).toEqual(four.subarray(0, 28));
    expect(decoded(answer)).toEqual([
      expect.objectContaining({
        kind: 'icmp-error',
        error: 'host-unreachable',
        from: V4.destination,
        to: V4.source,
        quoted: expect.objectContaining({ length: PAYLOAD.length }),
      }),
    ]);
  });

  test('IPv4 with options: they are quoted too', () => {
    const packet = ipv4(V4, udp(V4, PAYLOAD), { options: bytes(1, 1, 1, 1, 1, 1, 1, 0) });
    const answer = unreachable(packet) ?? expect.fail('no answer');
    expect(answer.subarray(28)).toEqual(packet.subarray(0, 36));
  });

  test('IPv6: address unreachable, with as much as fits the least MTU', () => {
    const answer = unreachable(six) ?? expect.fail('no answer');
    expect(answer).toHaveLength(1280);
    const length = answer.length - 40;
    const pseudo = concat(answer.subarray(8, 40), be32(length), be32(58));
    expect(internetChecksum(concat(pseudo, answer.subarray(40)))).toBe(0);
    expect(decoded(answer)).toEqual([
      expect.objectContaining({ kind: 'icmp-error', type: 1, code: 3, from: V6.destination, to: V6.source }),
    ]);
  });

  test.each<[string, Bytes]>([
    ['an echo request', ipv4(V4, bytes(8, 0, 0, 0, 0, 1, 0, 1), { protocol: 1 })],
    ['an echo reply', ipv4(V4, bytes(0, 0, 0, 0, 0, 1, 0, 1), { protocol: 1 })],
    ['the first of several fragments', ipv4(V4, udp(V4, PAYLOAD), { more: true })],
    ['a header and nothing more', ipv4(V4, bytes())],
    ['an echo request of IPv6', ipv6(V6, bytes(128, 0, 0, 0, 0, 1, 0, 1), { protocol: 58 })],
    ['an IPv6 header and nothing more', ipv6(V6, bytes())],
  ])('%s', (_, packet) => {
    expect(unreachable(packet)).toBeDefined();
  });
});

const group4 = { source: V4.source, destination: bytes(224, 0, 0, 251) };
const group6 = { source: V6.source, destination: concat(bytes(0xff, 2), new Uint8Array(13), bytes(1)) };

describe('not answered', () => {
  test.each<[string, Bytes]>([
    ['nothing at all', bytes()],
    ['half a header', four.subarray(0, 19)],
    ['half a header of IPv6', six.subarray(0, 39)],
    ['a header that says it is shorter than it can be', concat(bytes(0x44), four.subarray(1))],
    ['a header that says it is longer than the packet', concat(bytes(0x4f), four.subarray(1, 40))],
    ['another version', concat(bytes(0x55), four.subarray(1))],
    ['an ICMP error', ipv4(V4, concat(bytes(3, 1), be16(0), be32(0), four.subarray(0, 28)), { protocol: 1 })],
    ['an ICMPv6 error', ipv6(V6, concat(bytes(1, 3), be16(0), be32(0), six.subarray(0, 60)), { protocol: 58 })],
    ['a later fragment', ipv4(V4, PAYLOAD, { fragmentAt: 1480 })],
    ['the last fragment, at a multiple of 2048', ipv4(V4, PAYLOAD, { fragmentAt: 2048 })],
    ['a packet to a group', ipv4(group4, udp(V4, PAYLOAD))],
    ['a broadcast', ipv4({ source: V4.source, destination: bytes(255, 255, 255, 255) }, udp(V4, PAYLOAD))],
    ['a packet from nobody', ipv4({ source: bytes(0, 0, 0, 0), destination: V4.destination }, udp(V4, PAYLOAD))],
    ['a packet to a group of IPv6', ipv6(group6, udp(V6, PAYLOAD))],
    ['a packet from nobody in IPv6', ipv6({ ...V6, source: new Uint8Array(16) }, udp(V6, PAYLOAD))],
    ['an answer to another', unreachable(four) ?? expect.fail()],
    ['an answer to another in IPv6', unreachable(six) ?? expect.fail()],
  ])('%s', (_, packet) => {
    expect(unreachable(packet)).toBeUndefined();
  });

  test('a later fragment of IPv6 is no part of the rule: its header is whole', () => {
    const packet = ipv6(V6, PAYLOAD, { extensions: [fragmentExtension(1448, false, 7)] });
    expect(unreachable(packet)).toBeDefined();
  });
});

test('any octets: no error, the packet as it was, and an answer that is right', () => {
  const begins = fc.constantFrom(0x45, 0x46, 0x4f, 0x60, 0x6f, 0x00);
  fc.assert(
    fc.property(begins, fc.uint8Array({ maxLength: 1500, size: 'max' }), (first, rest) => {
      const packet = concat(bytes(first), rest);
      const before = packet.slice();
      const answer = unreachable(packet);
      expect(equal(packet, before)).toBe(true);
      if (answer === undefined) return;
      const v4 = first >>> 4 === 4;
      expect(answer.length).toBeLessThanOrEqual(v4 ? 576 : 1280);
      expect(v4 ? u16be(answer, 2) : 40 + u16be(answer, 4)).toBe(answer.length);
      expect(unreachable(answer)).toBeUndefined();
      const quoted = answer.subarray(v4 ? 28 : 48);
      expect(equal(quoted, packet.subarray(0, quoted.length))).toBe(true);
    }),
  );
});
