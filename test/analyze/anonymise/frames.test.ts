/** Frames of every kind: whatever they hold, one comes out for each that goes in, and nothing of a payload with it. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AddressMap } from '../../../src/analyze/anonymise/addresses.ts';
import { DataMap } from '../../../src/analyze/anonymise/data.ts';
import { FrameVeil, type VeiledFrame } from '../../../src/analyze/anonymise/frames.ts';
import { Handshakes } from '../../../src/analyze/anonymise/handshakes.ts';
import { KeyMap } from '../../../src/analyze/anonymise/keys.ts';
import { Learned } from '../../../src/analyze/anonymise/learn.ts';
import { Veil } from '../../../src/analyze/anonymise/veil.ts';
import { KeySet } from '../../../src/analyze/key-set.ts';
import { toHex } from '../../../src/base/bytes.ts';
import type { Frame } from '../../../src/capture/frame.ts';
import { nodeCrypto } from '../../../src/crypto/node.ts';
import { Decoder } from '../../../src/packet/decode.ts';
import { data, initiation } from '../../diagnose/traffic.ts';
import {
  ethernet,
  fragmentExtension,
  frame,
  ipv4,
  ipv6,
  pppoe,
  split,
  tzsp,
  udp,
  V4,
  V6,
  vlan,
} from '../../packet/build.ts';

function veilOf(frames: readonly Frame[]): VeiledFrame[] {
  const veil = new Veil(nodeCrypto, Uint8Array.of(1));
  const keys = new KeySet(nodeCrypto);
  const map = new KeyMap(nodeCrypto, veil, []);
  const learned = new Learned();
  const decoder = new Decoder();
  for (const one of frames) for (const decoded of decoder.decode(one)) learned.add(decoded);
  const addresses = new AddressMap(veil, learned.met(keys));
  const handshakes = new Handshakes({ crypto: nodeCrypto, keys, map, veil, shiftSec: 0 }, learned.messages.values());
  const veils = { veil, addresses, handshakes, data: new DataMap(nodeCrypto, addresses, veil), flows: learned.flows };
  const target = new FrameVeil(veils, 0);
  return [...frames.flatMap((one) => target.take(one)), ...target.flush()];
}

const ETHERNET = 1;
const numbered = (linkType: number, packets: readonly Uint8Array[]): Frame[] =>
  packets.map((one, i) => frame(linkType, one, { number: i + 1, time: { sec: 1 + i, nsec: 0 } }));

/** Of each frame what it is decoded to: kind, kind of message and its index. */
function kinds(frames: readonly (Frame | VeiledFrame)[]): string[] {
  const decoder = new Decoder();
  const all = frames.flatMap((one) => [...decoder.decode({ fcsBytes: 0, ...one })]);
  return [...all, ...decoder.flush()].map((one) => {
    if (one.kind === 'datagram')
      return `${one.length} ${one.checksum} ${toHex(one.bytes.subarray(0, 8))} ${one.path.join()}`;
    return one.kind === 'skip' ? one.reason : `${one.error} ${toHex(one.quoted.bytes.subarray(0, 8))}`;
  });
}

const whole = ipv4(V4, udp(V4, initiation(7)));

describe('around the packet', () => {
  test.each([
    ['Ethernet', ETHERNET, ethernet(0x0800, whole)],
    ['a VLAN', ETHERNET, ethernet(0x8100, vlan(7, 0x0800, whole))],
    ['PPPoE', ETHERNET, ethernet(0x8864, pppoe(0x21, whole, 3))],
    ['nothing', 101, whole],
    ['IPv6', 101, ipv6(V6, udp(V6, initiation(7)))],
  ])('%s', (_, linkType, packet) => {
    const before = numbered(linkType, [packet]);
    const after = veilOf(before);
    expect(kinds(after)).toEqual(kinds(before));
    expect(after[0]?.bytes.length).toBe(packet.length);
  });

  test('a mirrored frame, an IPv6 header that may hold anything, TCP: number and time only', () => {
    const sniffer = { ...V4, destinationPort: 37_008 };
    const packets = [
      ipv4(sniffer, udp(sniffer, tzsp(ethernet(0x0800, whole)))),
      ipv4(V4, new Uint8Array(40), { protocol: 6 }),
      ipv6(V6, udp(V6, initiation(7)), { extensions: [[0, new Uint8Array(7)]] }),
    ];
    const after = veilOf(numbered(101, packets));
    expect(after.map(({ number, bytes: left }) => [number, left.length])).toEqual([
      [1, 0],
      [2, 0],
      [3, 0],
    ]);
  });
});

describe('fragments', () => {
  const message = udp(V4, data(9, 5, 800));
  const parts = split(message, [20, 60]).map(({ at, more, part }) => ipv4(V4, part, { fragmentAt: at, more, id: 77 }));
  const order = (...indices: readonly number[]): Frame[] =>
    numbered(101, [...indices.map((i) => parts[i] ?? whole), whole]);

  test.each([
    ['in order', order(0, 1, 2)],
    ['in any order', order(2, 0, 1)],
    ['one twice', order(0, 0, 1, 2)],
    ['one missing', order(0, 2)],
    ['the first missing', order(1, 2)],
    [
      'of IPv6',
      numbered(
        101,
        split(udp(V6, data(9, 5, 800)), [20]).map(({ at, more, part }) =>
          ipv6(V6, part, { extensions: [fragmentExtension(at, more, 5)] }),
        ),
      ),
    ],
  ])('%s', (_, frames) => {
    const after = veilOf(frames);
    expect(after.map(({ number, bytes: left }) => [number, left.length])).toEqual(
      frames.map(({ number, bytes: left }) => [number, left.length]),
    );
    expect(kinds(after)).toEqual(kinds(frames));
    expect(shared(frames, after)).toEqual([]);
  });
});

/** Eight bytes behind all headers that are in both. */
function shared(before: readonly Frame[], after: readonly VeiledFrame[]): string[] {
  const windows = (list: readonly { readonly bytes: Uint8Array }[], from: number): string[] =>
    list.flatMap(({ bytes: one }) =>
      Array.from({ length: Math.max(0, one.length - from - 7) }, (_, i) => toHex(one.subarray(from + i, from + i + 8))),
    );
  const left = new Set(windows(after, 0));
  return windows(before, 80).filter((one) => !/^0+$/.test(one) && left.has(one));
}

test('any bytes: one frame for each, and what is no message is gone', () => {
  const linkType = fc.constantFrom(0, 1, 101, 113, 228, 276, 12);
  const odd = fc
    .tuple(
      fc.constantFrom(whole, parts4(), ethernet(0x0800, whole)),
      fc.array(fc.tuple(fc.nat(200), fc.nat(255)), { maxLength: 6 }),
      fc.nat(200),
    )
    .map(([packet, changes, cut]) => {
      const out = packet.slice();
      for (const [at, value] of changes) if (at < out.length) out[at] = value;
      return out.slice(0, Math.max(1, out.length - (cut > 150 ? cut - 150 : 0)));
    });
  const any = fc.oneof(odd, fc.uint8Array({ minLength: 0, maxLength: 120 }));
  fc.assert(
    fc.property(linkType, fc.array(any, { minLength: 1, maxLength: 6 }), (link, packets) => {
      const after = veilOf(numbered(link, packets));
      expect(after.map(({ number }) => number)).toEqual(packets.map((_, i) => i + 1));
    }),
    { numRuns: 100 },
  );
});

const parts4 = (): Uint8Array => ipv4(V4, udp(V4, data(9, 5, 200)).subarray(0, 96), { more: true, id: 3 });
