/** The packet inside: header checks, addresses, ECN, and the padding around it. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Bytes, putU16be } from '../../src/base/bytes.ts';
import {
  addressText,
  claimedLength,
  destinationAt,
  isIp,
  outerTos,
  refuseInner,
  sourceAt,
} from '../../src/wg/inner-packet.ts';
import { paddedLength } from '../../src/wg/send-data.ts';
import { ipv4, net } from './harness.ts';

function ipv6(from: string, to: string, size: number): Bytes {
  const packet = new Uint8Array(size);
  packet[0] = 0x60;
  putU16be(packet, 4, size - 40);
  packet.set(net(from).ip, 8);
  packet.set(net(to).ip, 24);
  return packet;
}

const V4 = ipv4('10.0.0.1', '10.0.0.2', 28);
const V6 = ipv6('2001:db8::1', '2001:db8::2', 48);
const with16 = (packet: Bytes, at: number, value: number): Bytes => {
  const out = packet.slice();
  putU16be(out, at, value);
  return out;
};

test.each<readonly [string, Bytes, number, unknown]>([
  ['IPv4', V4, 28, undefined],
  ['IPv4 with padding', V4, 32, undefined],
  ['IPv6', V6, 48, undefined],
  ['nothing of a header', V4, 19, { kind: 'inner-too-short', expected: 20, actual: 19 }],
  ['IPv6 without its whole header', V6, 39, { kind: 'inner-too-short', expected: 40, actual: 39 }],
  ['neither', new Uint8Array(40).fill(0x55), 40, { kind: 'inner-version', version: 5 }],
  ['IPv4 longer than what came', V4, 27, { kind: 'inner-length', claimed: 28, actual: 27 }],
  ['IPv4 shorter than its header', with16(V4, 2, 19), 28, { kind: 'inner-length', claimed: 19, actual: 28 }],
  ['IPv4 that is a header only', with16(V4, 2, 20), 28, undefined],
  ['IPv6 longer than what came', V6, 47, { kind: 'inner-length', claimed: 48, actual: 47 }],
])('%s', (_, packet, length, wanted) => {
  const drop = refuseInner(packet, length, 'p', true);
  expect(drop).toEqual(wanted === undefined ? undefined : { peer: 'p', ...(wanted as object) });
});

test('addresses and lengths of both versions', () => {
  expect(
    [V4, V6].map((packet) => [addressText(packet, sourceAt(packet)), addressText(packet, destinationAt(packet))]),
  ).toEqual([
    ['10.0.0.1', '10.0.0.2'],
    ['2001:db8::1', '2001:db8::2'],
  ]);
  expect([claimedLength(V4), claimedLength(V6)]).toEqual([28, 48]);
});

test('ECN: what was met inside is not repeated outside', () => {
  const tos = (packet: Bytes, value: number): number => {
    const out = packet.slice();
    if (packet === V4) out[1] = value;
    else {
      out[0] = 0x60 | (value >> 4);
      out[1] = value << 4;
    }
    return outerTos(out);
  };
  for (const packet of [V4, V6])
    expect([0xfc, 0xfd, 0xfe, 0xff].map((value) => tos(packet, value))).toEqual([0, 1, 2, 2]);
});

test('no bytes make a check throw', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), fc.boolean(), (packet, least) => {
      const drop = refuseInner(packet, packet.length, 'p', least);
      if (isIp(packet, packet.length)) expect(['inner-length', undefined]).toContain(drop?.kind);
      else expect(['inner-too-short', 'inner-version']).toContain(drop?.kind);
    }),
  );
});

test.each([
  [0, 1420, 0],
  [1, 1420, 16],
  [16, 1420, 16],
  [1405, 1420, 1408],
  [1409, 1420, 1420],
  [1420, 1420, 1420],
  [1421, 1420, 1436],
  [2840, 1420, 2840],
  [2850, 1420, 2856],
  [33, 0, 48],
])('%i bytes at an MTU of %i are padded to %i', (length, mtu, wanted) => {
  expect(paddedLength(length, mtu)).toBe(wanted);
});

test('padding: never less, below 16 more, and within the MTU what fits it', () => {
  fc.assert(
    fc.property(fc.nat(3000), fc.integer({ min: 16, max: 2000 }), (length, mtu) => {
      const padded = paddedLength(length, mtu);
      expect(padded).toBeGreaterThanOrEqual(length);
      expect(padded - length).toBeLessThan(16);
      if (length <= mtu) expect(padded).toBeLessThanOrEqual(mtu);
    }),
  );
});
