/** Properties of the whole decoder: whatever was packed comes out, and no octets make it throw. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { concat } from '../../src/base/bytes.ts';
import type { Decoded } from '../../src/packet/datagram.ts';
import { Decoder } from '../../src/packet/decode.ts';
import {
  bytes,
  type Ends,
  type Extension,
  ethernet,
  fragmentExtension,
  frame,
  ipv4,
  ipv6,
  pppoe,
  split,
  tzsp,
  udp,
  vlan,
} from './build.ts';

const LINK_TYPES = [0, 1, 9, 12, 14, 50, 51, 101, 108, 113, 128, 228, 229, 276, 147, 65535];

const address = (size: 4 | 16): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: size, maxLength: size });
const port = fc.integer({ min: 0, max: 65535 }).filter((n) => n !== 37008);
const ends = (size: 4 | 16): fc.Arbitrary<Ends> =>
  fc.record({ source: address(size), destination: address(size), sourcePort: port, destinationPort: port });

const extension: fc.Arbitrary<Extension> = fc.oneof(
  fc
    .tuple(fc.constantFrom(0, 60, 135, 139, 140), fc.integer({ min: 0, max: 3 }))
    .map(([protocol, units]): Extension => [protocol, concat(bytes(units), new Uint8Array(units * 8 + 6))]),
  fc.integer({ min: 1, max: 5 }).map((units): Extension => [51, concat(bytes(units), new Uint8Array(units * 4 + 6))]),
);

const network = fc.boolean().chain((six) =>
  fc.record({
    six: fc.constant(six),
    ends: ends(six ? 16 : 4),
    payload: fc.uint8Array({ maxLength: 600 }),
    options: fc.integer({ min: 0, max: 10 }),
    extensions: fc.array(extension, { maxLength: 3 }),
    cuts: fc.array(fc.integer({ min: 1, max: 80 }), { maxLength: 4 }),
    id: fc.integer({ min: 0, max: 0xffff }),
    tags: fc.array(fc.integer({ min: 0, max: 4095 }), { maxLength: 3 }),
    ppp: fc.boolean(),
    mirrored: fc.boolean(),
    padding: fc.integer({ min: 0, max: 20 }),
    order: fc.infiniteStream(fc.nat(1000)),
  }),
);

test('any datagram in any wrapping, in pieces, out of order, with copies', () => {
  fc.assert(
    fc.property(network, (n) => {
      const whole = udp(n.ends, n.payload);
      const parts = split(whole, n.cuts);
      const packets = parts.map(({ at, more, part }) => {
        if (!n.six)
          return ipv4(n.ends, part, { id: n.id, fragmentAt: at, more, options: new Uint8Array(n.options * 4) });
        const fragment = parts.length > 1 ? [fragmentExtension(at, more, n.id)] : [];
        return ipv6(n.ends, part, { extensions: [...n.extensions, ...fragment] });
      });
      const frames = packets.map((packet) => {
        let type = n.six ? 0x86dd : 0x0800;
        let data = packet;
        if (n.ppp) {
          data = pppoe(n.six ? 0x57 : 0x21, data);
          type = 0x8864;
        }
        for (const tag of n.tags) {
          data = vlan(tag, type, data);
          type = 0x8100;
        }
        data = concat(ethernet(type, data), new Uint8Array(n.padding));
        return n.mirrored ? tzsp(data) : data;
      });
      const doubled = [...frames, ...frames].map((data): [number, Uint8Array] => [n.order.next().value, data]);
      doubled.sort((a, b) => a[0] - b[0]);
      const decoder = new Decoder();
      const all = doubled.flatMap(([, data]) => decoder.decode(frame(n.mirrored ? 128 : 1, data)));
      const found = all.filter((one) => one.kind === 'datagram');
      expect([...found.map((one) => one.kind)]).toEqual(['datagram', 'datagram']);
      for (const one of found) {
        expect(one).toMatchObject({
          bytes: n.payload,
          length: n.payload.length,
          fragments: parts.length,
          checksum: 'ok',
        });
        expect([one.from.ip, one.from.port]).toEqual([n.ends.source, n.ends.sourcePort]);
        expect([one.to.ip, one.to.port]).toEqual([n.ends.destination, n.ends.destinationPort]);
        const link = [...n.tags].reverse().map((tag) => `vlan ${tag}`);
        const carried = [
          ...(n.mirrored ? ['tzsp'] : []),
          'ethernet',
          ...link,
          ...(n.ppp ? ['pppoe'] : []),
          n.six ? 'ipv6' : 'ipv4',
        ];
        expect(one.path).toEqual(carried);
      }
      expect(decoder.flush()).toEqual([]);
    }),
  );
});

/** What holds for every result, whatever went in. */
function holds(found: Decoded, captured: number): void {
  if (found.kind === 'datagram') {
    expect(found.bytes.length).toBeLessThanOrEqual(found.length);
    expect(found.length).toBeGreaterThanOrEqual(0);
  } else if (found.kind === 'icmp-error') {
    expect(found.quoted.bytes.length).toBeLessThanOrEqual(Math.min(found.quoted.length, captured));
  } else expect(found.detail).not.toBe('');
}

function total(linkType: number, data: Uint8Array, missing: number, fcsBytes: number): void {
  const decoder = new Decoder();
  const all = decoder.decode(frame(linkType, data, { wireLength: data.length + missing, fcsBytes }));
  expect(all.length).toBe(1);
  for (const found of all) holds(found, data.length);
  expect(decoder.flush().length).toBeLessThanOrEqual(1);
}

test('no octets make it throw', () => {
  fc.assert(
    fc.property(fc.constantFrom(...LINK_TYPES), fc.uint8Array({ maxLength: 120 }), fc.nat(40), fc.nat(8), total),
    { numRuns: 1500 },
  );
});

test('no damage to a good frame makes it throw', () => {
  const damage = fc.array(fc.tuple(fc.nat(200), fc.nat(255)), { maxLength: 6 });
  const good = fc.record({
    six: fc.boolean(),
    ppp: fc.boolean(),
    icmp: fc.boolean(),
    more: fc.boolean(),
    mirrored: fc.boolean(),
  });
  fc.assert(
    fc.property(good, damage, fc.nat(160), fc.nat(40), (g, places, keep, missing) => {
      const port = g.mirrored ? 37008 : 51820;
      const address = new Uint8Array(g.six ? 16 : 4).fill(1);
      const both: Ends = { source: address, destination: address, sourcePort: port, destinationPort: port };
      const inner = ethernet(
        0x0800,
        ipv4({ source: bytes(1, 2, 3, 4), destination: bytes(5, 6, 7, 8) }, new Uint8Array(30)),
      );
      const plain = udp(both, g.mirrored ? tzsp(inner) : new Uint8Array(32));
      const pack = (body: Uint8Array, protocol: number, more: boolean): Uint8Array =>
        g.six
          ? ipv6(both, body, { protocol, extensions: more ? [fragmentExtension(0, true, 1)] : [] })
          : ipv4(both, body, { protocol, more });
      const quote = concat(bytes(g.six ? 1 : 3, 4, 0, 0, 0, 0, 0, 0), pack(plain, 17, false));
      const packet = g.icmp ? pack(quote, g.six ? 58 : 1, g.more) : pack(plain, 17, g.more);
      const data = g.ppp
        ? ethernet(0x8864, pppoe(g.six ? 0x57 : 0x21, packet))
        : ethernet(g.six ? 0x86dd : 0x0800, packet);
      for (const [at, value] of places) if (at < data.length) data[at] = value;
      total(1, data.subarray(0, data.length - (keep < 80 ? keep : 0)), missing, 0);
    }),
    { numRuns: 1500 },
  );
});

test('one decoder over any frames: results and memory stay bounded', () => {
  const decoder = new Decoder({ fragments: { maxPending: 8, maxBytes: 2000 } });
  const part = fc.record({
    id: fc.nat(20),
    at: fc.nat(12),
    more: fc.boolean(),
    size: fc.integer({ min: 0, max: 12 }),
    fill: fc.nat(1),
  });
  let frames = 0;
  let results = 0;
  fc.assert(
    fc.property(fc.array(part, { maxLength: 30 }), (parts) => {
      for (const { id, at, more, size, fill } of parts) {
        const both = { source: bytes(1, 2, 3, 4), destination: bytes(5, 6, 7, 8) };
        const data = ipv4(both, new Uint8Array(size * 8).fill(fill), { id, fragmentAt: at * 8, more });
        results += decoder.decode(frame(101, data)).length;
        frames++;
        expect(decoder.pending).toBeLessThanOrEqual(8);
      }
    }),
  );
  expect(results + decoder.flush().length).toBeLessThanOrEqual(2 * frames);
});
