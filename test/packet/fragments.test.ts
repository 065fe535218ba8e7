/** Reassembly: any order, copies, lies, and floods. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { concat } from '../../src/base/bytes.ts';
import type { Frame } from '../../src/capture/frame.ts';
import type { Datagram, Decoded, Skip } from '../../src/packet/datagram.ts';
import { Decoder } from '../../src/packet/decode.ts';
import {
  be16,
  be32,
  brief,
  bytes,
  type Extension,
  ethernet,
  fragmentExtension,
  frame,
  ipv4,
  ipv6,
  split,
  tzsp,
  udp,
  V4,
  V6,
} from './build.ts';

const payload = Uint8Array.from({ length: 1000 }, (_, i) => i % 251);
const packet = udp(V4, payload);
const part = (at: number, end: number, id = 1, data = packet): Uint8Array =>
  ipv4(V4, data.subarray(at, end), { id, fragmentAt: at, more: end < data.length });

function decodeAll(frames: readonly Uint8Array[], decoder = new Decoder()): Decoded[] {
  return [...frames.flatMap((data, i) => decoder.decode(frame(101, data, { number: i + 1 }))), ...decoder.flush()];
}

const datagrams = (all: readonly Decoded[]): Datagram[] => all.filter((found) => found.kind === 'datagram');
const lost = (all: readonly Decoded[]): Skip[] =>
  all.filter((found) => found.kind === 'skip').filter((found) => found.reason === 'fragment-incomplete');

test('two fragments make one datagram, with the facts of the first', () => {
  const first = ipv4(V4, packet.subarray(0, 800), { id: 9, more: true, ttl: 60, tos: 0x88 });
  const last = ipv4(V4, packet.subarray(800), { id: 9, fragmentAt: 800, ttl: 61, tos: 0 });
  for (const order of [
    [first, last],
    [last, first],
  ]) {
    const all = decodeAll(order);
    expect(all.map(brief)).toEqual(['fragment-pending: waits for the other fragments', 'datagram']);
    expect(all[1]).toMatchObject({
      bytes: payload,
      length: 1000,
      fragments: 2,
      ipLength: 820,
      ttl: 60,
      tos: 0x88,
      ipId: 9,
      checksum: 'ok',
      frame: { number: 2 },
      path: ['raw', 'ipv4'],
    });
  }
});

test('IPv6 extension headers within the fragments', () => {
  const options: Extension = [60, bytes(0, 1, 4, 0, 0, 0, 0)];
  const body = concat(bytes(17), options[1], udp(V6, payload));
  const frames = split(body, [20, 60]).map(({ at, more, part: piece }) =>
    // Only the first fragment's next header counts (RFC 8200 §4.5).
    ipv6(V6, piece, { protocol: at === 0 ? 60 : 17, extensions: [fragmentExtension(at, more, 0x12345678)] }),
  );
  const [found] = datagrams(decodeAll(frames.reverse()));
  expect(found).toMatchObject({ bytes: payload, fragments: 3, ipId: 0x12345678, dontFragment: true, checksum: 'ok' });
});

test('a fragment within fragments is refused', () => {
  const body = concat(bytes(17), fragmentExtension(0, false, 1)[1], udp(V6, payload));
  const frames = split(body, [20]).map(({ at, more, part: piece }) =>
    ipv6(V6, piece, { protocol: 44, extensions: [fragmentExtension(at, more, 2)] }),
  );
  expect(decodeAll(frames).map(brief)[1]).toMatch(/^ip-malformed: a fragment within fragments/);
});

describe('copies', () => {
  const [a, b, c] = [part(0, 400), part(400, 800), part(800, packet.length)];

  test.each([
    ['one after the other', [a, b, c, a, b, c], 2, 0],
    ['each twice', [a, a, b, b, c, c], 2, 0],
    ['each four times', [c, c, c, c, a, a, a, a, b, b, b, b], 4, 0],
    ['five times are one too many', [c, c, c, c, c, a, a, a, a, a, b, b, b, b], 4, 0],
    ['one fragment twice', [a, a, b, c], 1, 0],
    ['split in another way by a router', [a, part(0, 200), b, part(200, 400), c, b, c], 2, 0],
    ['a fragment within another', [part(0, 800), part(200, 400), c], 1, 0],
  ])('%s', (_, frames, count, gone) => {
    const all = decodeAll(frames);
    expect(datagrams(all).map((d) => d.bytes)).toEqual(Array(count).fill(payload));
    expect(lost(all).length).toBe(gone);
  });
});

describe('lies', () => {
  const other = packet.slice();
  other[500] = 0;
  const a = part(0, 400);
  const b = part(400, 800);
  const c = part(800, packet.length);

  test.each([
    ['other octets in the same place', [a, b, part(400, 800, 1, other), c], /disagree/],
    ['other octets in an overlap', [a, b, part(480, 560, 1, other), c], /disagree/],
    ['two ends', [a, c, ipv4(V4, packet.subarray(400, 480), { id: 1, fragmentAt: 400 }), b], /disagree/],
    [
      'octets behind the end',
      [a, part(400, 480), ipv4(V4, packet.subarray(400, 440), { id: 1, fragmentAt: 400 }), c],
      /disagree/,
    ],
    [
      'more behind the last',
      [c, ipv4(V4, packet.subarray(0, 400), { id: 1, fragmentAt: 1200, more: true }), a, b],
      /disagree/,
    ],
  ])('%s: the packet is given up once', (_, frames, why) => {
    const all = decodeAll(frames);
    expect(datagrams(all)).toEqual([]);
    expect(lost(all)[0]?.detail).toMatch(why);
    expect(
      lost(all)
        .slice(1)
        .map((s) => s.detail),
    ).toEqual(
      lost(all)
        .slice(1)
        .map(() => 'belongs to a packet that was given up'),
    );
    expect(all.length).toBe(frames.length);
  });

  test.each([
    ['no payload', ipv4(V4, bytes(), { fragmentAt: 8 }), /without payload/],
    ['a length that is no multiple of 8', ipv4(V4, packet.subarray(0, 12), { more: true }), /multiple of 8/],
    ['beyond 65535', ipv4(V4, packet.subarray(0, 16), { fragmentAt: 65528 }), /65535/],
  ])('%s', (_, data, detail) => {
    const [found] = decodeAll([data]);
    expect(found).toMatchObject({ kind: 'skip', reason: 'ip-malformed', detail: expect.stringMatching(detail) });
  });

  test('more fragments than a real packet has', () => {
    const big = new Uint8Array(8 * 200);
    const all = decodeAll(Array.from({ length: 200 }, (_, i) => part(8 * i, 8 * i + 8, 1, big)));
    expect(datagrams(all)).toEqual([]);
    expect(lost(all)[0]?.detail).toMatch(/too many fragments/);
  });
});

test('what never became whole is told with what was there', () => {
  const six = ipv6(V6, udp(V6, payload).subarray(0, 80), { extensions: [fragmentExtension(0, true, 7)] });
  const all = decodeAll([part(0, 400, 1), part(400, 800, 2), part(0, 400, 3), part(800, 1008, 3), six]);
  expect(lost(all).map((skip) => skip.detail)).toEqual([
    'UDP from 192.0.2.1:40000 to 198.51.100.2:51820, id 1: 1 fragment, 400 octets, the last is missing',
    'UDP from 192.0.2.1 to 198.51.100.2, id 2: 1 fragment, 400 octets, the first is missing',
    'UDP from 192.0.2.1:40000 to 198.51.100.2:51820, id 3: 2 fragments, 608 of 1008 octets, one between is missing',
    'UDP from [2001:db8::1]:40000 to [2001:db8::2]:51820, id 7: 1 fragment, 80 octets, the last is missing',
  ]);
  expect(lost(all).map((skip) => skip.frame.number)).toEqual([1, 2, 4, 5]);
  expect(lost(all).every((skip) => skip.frame.bytes.length === 0)).toBe(true);
});

test('flush forgets', () => {
  const decoder = new Decoder();
  decoder.decode(frame(101, part(0, 400)));
  expect(decoder.flush().length).toBe(1);
  expect([decoder.flush(), decoder.pending]).toEqual([[], 0]);
});

describe('age', () => {
  const at = (sec: number, data: Uint8Array, nsec = 0): Frame => frame(101, data, { time: { sec, nsec } });

  test('30 seconds are waited, not more', () => {
    const decoder = new Decoder();
    decoder.decode(at(100, part(0, 400)));
    expect(datagrams(decoder.decode(at(130, part(400, 1008)))).length).toBe(1);
    decoder.decode(at(200, part(0, 400)));
    const late = decoder.decode(at(230, part(400, 1008), 1));
    expect(late.map((found) => found.kind === 'skip' && found.reason)).toEqual([
      'fragment-incomplete',
      'fragment-pending',
    ]);
  });

  test('any later frame tells that the time is over', () => {
    const decoder = new Decoder();
    decoder.decode(at(100, part(0, 400)));
    expect(decoder.decode(at(131, ipv4(V4, packet))).map(brief)).toEqual([
      expect.stringMatching(/^fragment-incomplete/),
      'datagram',
    ]);
    expect(decoder.pending).toBe(0);
  });

  test('without times, frames are counted', () => {
    const decoder = new Decoder({ fragments: { maxAgeFrames: 10 } });
    const timeless = (data: Uint8Array): Frame => frame(101, data, { time: undefined });
    decoder.decode(timeless(part(0, 400)));
    for (let i = 0; i < 10; i++) expect(decoder.decode(timeless(ipv4(V4, packet))).length).toBe(1);
    expect(decoder.decode(timeless(ipv4(V4, packet))).length).toBe(2);
  });

  test('what fragments disagreed about is forgotten as well, without a second word', () => {
    const decoder = new Decoder();
    const other = packet.slice().fill(0);
    decoder.decode(at(100, part(0, 400)));
    decoder.decode(at(100, part(0, 400, 1, other)));
    expect(decoder.decode(at(131, part(0, 400))).map(brief)).toEqual([
      'fragment-pending: waits for the other fragments',
    ]);
  });
});

describe('floods', () => {
  test('first fragments: never more pending than allowed, each lost one told once', () => {
    const decoder = new Decoder({ fragments: { maxPending: 16 } });
    let told = 0;
    for (let i = 0; i < 2000; i++) {
      told += lost(decoder.decode(frame(101, part(0, 400, i)))).length;
      expect(decoder.pending).toBeLessThanOrEqual(16);
    }
    expect(told + lost(decoder.flush()).length).toBe(2000);
  });

  test('bytes: the oldest make room', () => {
    const decoder = new Decoder({ fragments: { maxBytes: 4000 } });
    const all = Array.from({ length: 20 }, (_, i) => decoder.decode(frame(101, part(0, 800, i)))).flat();
    expect(decoder.pending).toBe(4);
    expect(lost(all).length).toBe(16);
    expect(datagrams(decoder.decode(frame(101, part(800, 1008, 19)))).length).toBe(1);
  });

  test('one packet alone above the limit is given up', () => {
    const decoder = new Decoder({ fragments: { maxBytes: 100 } });
    expect(lost(decoder.decode(frame(101, part(0, 800)))).length).toBe(1);
    expect(decoder.pending).toBe(0);
  });
});

test('cut fragments still give the start of the payload and its length', () => {
  const decoder = new Decoder();
  const cut = (data: Uint8Array): Frame => frame(101, data.subarray(0, 96), { wireLength: data.length });
  decoder.decode(cut(part(0, 400)));
  const [found] = datagrams(decoder.decode(cut(part(400, 1008))));
  expect(found).toMatchObject({
    bytes: payload.subarray(0, 96 - 28),
    length: 1000,
    fragments: 2,
    checksum: 'unverifiable',
  });
  const none = (data: Uint8Array): Frame => frame(101, data.subarray(0, 22), { wireLength: data.length });
  decoder.decode(none(part(0, 400)));
  expect(decoder.decode(none(part(400, 1008))).map(brief)).toEqual([expect.stringMatching(/^cut/)]);
});

test('a TZSP stream whose datagrams were fragmented', () => {
  const ends = { ...V4, sourcePort: 37008, destinationPort: 37008 };
  const outer = udp(ends, tzsp(ethernet(0x86dd, ipv6(V6, udp(V6, payload)))));
  const frames = split(outer, [60]).map(({ at, more, part: piece }) =>
    ipv4(ends, piece, { id: 3, fragmentAt: at, more }),
  );
  const [found] = datagrams(decodeAll(frames));
  expect(found).toMatchObject({
    bytes: payload,
    fragments: 1,
    path: ['raw', 'ipv4', 'udp', 'tzsp', 'ethernet', 'ipv6'],
  });
});

test('what fragments say is that of the same packet in one piece', () => {
  const cuts = fc.array(fc.integer({ min: 1, max: 200 }), { maxLength: 6 });
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 16, maxLength: 1600 }),
      cuts,
      fc.boolean(),
      fc.infiniteStream(fc.nat()),
      fc.array(fc.nat(), { maxLength: 4 }),
      (data, places, six, random, again) => {
        const ends = six ? V6 : V4;
        const parts = split(udp(ends, data), places).map(({ at, more, part: piece }) =>
          six
            ? ipv6(V6, piece, { extensions: [fragmentExtension(at, more, 77)] })
            : ipv4(V4, piece, { id: 77, fragmentAt: at, more }),
        );
        const copies = again.flatMap((n) => parts[n % parts.length] ?? []);
        const keyed = [...parts, ...copies].map((one): [number, Uint8Array] => [random.next().value, one]);
        const shuffled = keyed.sort((a, b) => a[0] - b[0]).map(([, one]) => one);
        const found = datagrams(decodeAll(shuffled));
        expect(found.length).toBeGreaterThanOrEqual(1);
        for (const one of found) {
          expect(one).toMatchObject({ bytes: data, length: data.length, fragments: parts.length, checksum: 'ok' });
          expect([one.from.port, one.to.port]).toEqual([ends.sourcePort, ends.destinationPort]);
        }
      },
    ),
  );
});

test('big identifications and addresses do not mix packets up', () => {
  const id = (n: number): Uint8Array => concat(bytes(0), be16(1), be32(n));
  const ids = [1, 2 ** 16 + 1, 2 ** 31 + 1];
  const body = udp(V6, payload);
  const firsts = ids.map((n) => ipv6(V6, body.subarray(0, 80), { extensions: [[44, id(n)]] }));
  const decoder = new Decoder();
  for (const data of firsts) decoder.decode(frame(101, data));
  const swapped = { ...V6, source: V6.destination, destination: V6.source };
  decoder.decode(frame(101, ipv6(swapped, body.subarray(0, 80), { extensions: [[44, id(1)]] })));
  expect(decoder.pending).toBe(4);
});

test('what is kept is a copy, of a Node Buffer too (whose slice is a view)', () => {
  const decoder = new Decoder();
  const whole = Buffer.from(ipv4(V4, packet));
  const before = datagrams(decoder.decode(frame(101, whole)))[0];
  const first = Buffer.from(part(0, 400));
  decoder.decode(frame(101, first));
  whole.fill(0);
  first.fill(0);
  expect(before?.from.ip).toEqual(V4.source);
  expect(datagrams(decoder.decode(frame(101, Buffer.from(part(400, 1008)))))[0]?.bytes).toEqual(payload);
});
