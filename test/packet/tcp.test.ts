/** Datagrams carried in TCP: put in order, split, and told from every other stream. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { concat, toHex } from '../../src/base/bytes.ts';
import type { Decoded } from '../../src/packet/datagram.ts';
import { Decoder } from '../../src/packet/decode.ts';
import { segment } from '../diagnose/forms.ts';
import { CLIENT_END, data, initiation, response, SERVER_END } from '../diagnose/traffic.ts';
import { be16, frame } from './build.ts';

const FIRST = 1000;
const framed = (message: Uint8Array): Uint8Array => concat(be16(message.length), message);

interface Part {
  readonly at: number;
  readonly bytes: Uint8Array;
  readonly flags?: number;
  /** Bytes of the packet that the capture kept. */
  readonly kept?: number;
  readonly sec?: number;
}

/** Segments of one direction; `at` is the offset in the stream. */
function decode(parts: readonly Part[], first = FIRST, decoder = new Decoder()): Decoded[] {
  const all = parts.flatMap(({ at, bytes, flags, kept, sec = 1 }, i) => {
    const packet = segment(CLIENT_END, SERVER_END, first + at, bytes, flags);
    const time = { sec, nsec: i };
    const whole = frame(101, packet, { number: i + 1, time });
    return decoder.decode(
      kept === undefined ? whole : { ...whole, bytes: packet.subarray(0, kept), wireLength: packet.length },
    );
  });
  return [...all, ...decoder.flush()];
}

const brief = (found: readonly Decoded[]): string[] =>
  found.map((one) =>
    one.kind === 'datagram'
      ? `${one.frame.number}: ${toHex(one.bytes.subarray(0, 9))} ${one.bytes.length}/${one.length}`
      : one.kind === 'skip'
        ? one.reason
        : one.kind,
  );
const told = (message: Uint8Array, number: number): string =>
  `${number}: ${toHex(message.subarray(0, 9))} ${message.length}/${message.length}`;

const A = initiation(1);
const B = data(7, 0, 96);
const C = data(7, 1, 200);
const D = data(7, 2, 64);
const stream = concat(...[A, B, C, D].map(framed));
const ends = [1, 2, 3, 4].map((n) => concat(...[A, B, C, D].slice(0, n).map(framed)).length);
const [endA = 0, endB = 0, endC = 0, endD = 0] = ends;
const part = (from: number, to: number): Part => ({ at: from, bytes: stream.subarray(from, to) });

const CASES: readonly (readonly [string, readonly Part[], readonly string[]])[] = [
  [
    'one frame in each segment',
    [part(0, endA), part(endA, endB), part(endB, endC)],
    [told(A, 1), told(B, 2), told(C, 3)],
  ],
  ['two frames in one', [part(0, endB), part(endB, endD)], [told(A, 1), told(B, 1), told(C, 2), told(D, 2)]],
  [
    'one frame over three',
    [part(0, 60), part(60, 61), part(61, endA)],
    ['stream-pending', 'stream-pending', told(A, 3)],
  ],
  ['its length cut in two', [part(0, endA + 1), part(endA + 1, endB)], [told(A, 1), told(B, 2)]],
  ['sent again, whole', [part(0, endA), part(0, endA), part(endA, endB)], [told(A, 1), 'stream-pending', told(B, 3)]],
  [
    'sent again in other pieces',
    [part(0, endA), part(100, endB), part(endA, endC)],
    [told(A, 1), told(B, 2), told(C, 3)],
  ],
  [
    'out of order',
    [part(0, endA), part(endB, endC), part(endA, endB)],
    [told(A, 1), 'stream-pending', told(B, 3), told(C, 2)],
  ],
  [
    'out of order, and one twice',
    [part(0, endA), part(endB, endC), part(endB, endC), part(endA, endB)],
    [told(A, 1), 'stream-pending', 'stream-pending', told(B, 4), told(C, 2)],
  ],
  [
    'lost for good: read on at the end from where a frame begins',
    [part(0, endA), part(endB, endC), part(endC, endD)],
    [told(A, 1), 'stream-pending', 'stream-pending', told(C, 2), told(D, 3)],
  ],
  [
    'lost for good, the next begins in the middle of a frame',
    [part(0, endA), part(endA + 20, endC), part(endC, endD)],
    [told(A, 1), 'stream-pending', 'stream-pending', told(D, 3)],
  ],
  [
    'lost, and two seconds later nobody waits any more',
    [part(0, endA), part(endB, endC), { ...part(endC, endD), sec: 4 }],
    [told(A, 1), 'stream-pending', told(C, 2), told(D, 3)],
  ],
  ['without payload, and not of UDP', [part(0, endA), { at: endA, bytes: new Uint8Array(0) }], [told(A, 1), 'not-udp']],
  ['a capture that begins in the middle', [part(20, endA), part(endA, endB)], ['not-udp', told(B, 2)]],
  [
    'another connection of the same ends',
    [part(0, 60), { at: 5000, bytes: new Uint8Array(0), flags: 2 }, { ...part(0, endA), at: 5001 }],
    ['stream-pending', 'not-udp', told(A, 3)],
  ],
  [
    'the stream becomes something else',
    [part(0, endA), { at: endA, bytes: new Uint8Array(300).fill(0x61) }, { ...part(0, endA), at: endA + 300 }],
    [told(A, 1), 'stream-pending', told(A, 3)],
  ],
];

describe('one direction', () => {
  test.each(CASES)('%s', (_, parts, wanted) => {
    expect(brief(decode(parts))).toEqual(wanted);
  });

  test.each(CASES)('%s, where sequence numbers wrap', (_, parts, wanted) => {
    expect(brief(decode(parts, 2 ** 32 - 100))).toEqual(wanted);
  });
});

test('what the datagram is said to be', () => {
  const [found] = decode([part(0, endA)]);
  expect(found).toMatchObject({
    kind: 'datagram',
    from: { text: '10.99.1.2:51821' },
    to: { text: '203.0.113.10:51820' },
    length: 148,
    fragments: 1,
    checksum: 'unverifiable',
    path: ['raw', 'ipv4', 'tcp'],
  });
});

test('cut by the capture: handed out as far as it came, and read on behind it', () => {
  const header = 40;
  const parts = [
    { ...part(0, endA), kept: header + 62 },
    { ...part(endA, endB), kept: header + 30 },
    part(endB, endC),
    // the second of two frames lies in what is missing
    { ...part(endC, endD), kept: header + 40 },
  ];
  expect(decode(parts).map((one) => (one.kind === 'datagram' ? [one.bytes.length, one.length] : one.kind))).toEqual([
    [60, 148],
    [28, 96],
    [200, 200],
    [38, 64],
  ]);
  const two = [{ ...part(0, endB), kept: header + 62 }, part(endB, endC)];
  expect(
    decode(two).map((one) =>
      one.kind === 'datagram' ? [one.bytes.length, one.length] : one.kind === 'skip' ? one.reason : '',
    ),
  ).toEqual(['stream-pending', [200, 200]]);
});

test('both directions of several connections at once', () => {
  const decoder = new Decoder();
  const other = { ip: [10, 99, 1, 3], port: 4000 } as const;
  const found = [
    segment(CLIENT_END, SERVER_END, 10, framed(A)),
    segment(other, SERVER_END, 500, framed(initiation(9))),
    segment(SERVER_END, CLIENT_END, 77, framed(response(2, 1))),
    segment(SERVER_END, other, 78, framed(response(3, 9))),
    segment(other, SERVER_END, 650, framed(D)),
    segment(CLIENT_END, SERVER_END, 160, framed(B)),
  ].flatMap((packet) => decoder.decode(frame(101, packet)));
  expect(found.map((one) => (one.kind === 'datagram' ? `${one.from.text} ${one.length}` : one.kind))).toEqual([
    '10.99.1.2:51821 148',
    '10.99.1.3:4000 148',
    '203.0.113.10:51820 92',
    '203.0.113.10:51820 92',
    '10.99.1.3:4000 64',
    '10.99.1.2:51821 96',
  ]);
});

describe('other streams', () => {
  const OTHERS: readonly (readonly [string, Uint8Array])[] = [
    ['TLS', concat(Uint8Array.of(0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3), new Uint8Array(500))],
    ['HTTP', new TextEncoder().encode('GET / HTTP/1.1\r\nHost: example.org\r\n\r\n')],
    [
      'DNS in TCP',
      concat(
        be16(40),
        Uint8Array.of(4, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 7),
        new TextEncoder().encode('example'),
        new Uint8Array(20).fill(3),
      ),
    ],
    ['an initiation of the wrong length', framed(A.subarray(0, 147))],
    ['data shorter than a keepalive', framed(B.subarray(0, 31))],
    ['WARP’s reserved bytes', framed(A.map((byte, i) => (i === 2 ? 9 : byte)))],
    ['zeros', new Uint8Array(1400)],
  ];
  test.each(OTHERS)('%s stays TCP', (_, bytes) => {
    expect(
      brief(
        decode([
          { at: 0, bytes },
          { at: bytes.length, bytes },
        ]),
      ),
    ).toEqual(['not-udp', 'not-udp']);
  });

  test('random bytes never throw and are never taken for it, beside a stream that is', () => {
    const decoder = new Decoder();
    decode([part(0, endA)], FIRST, decoder);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), fc.nat(2 ** 32 - 1), fc.nat(60), (bytes, sequence, cut) => {
        const packet = segment({ ip: [10, 1, 1, 1], port: 9 }, SERVER_END, sequence, bytes);
        const found = decoder.decode({
          ...frame(101, packet),
          bytes: packet.subarray(0, packet.length - Math.min(cut, packet.length)),
        });
        expect(found.map((one) => one.kind)).toEqual(['skip']);
      }),
      { numRuns: 500 },
    );
  });
});

test('any cutting, any order, any repetition gives every datagram once, in order', () => {
  const scenario = fc.record({
    cuts: fc.array(fc.integer({ min: 1, max: stream.length - 1 }), { maxLength: 8 }),
    first: fc.nat(2 ** 32 - 1),
    swaps: fc.array(fc.nat(20), { maxLength: 6 }),
    again: fc.array(fc.nat(20), { maxLength: 4 }),
  });
  fc.assert(
    fc.property(scenario, ({ cuts, first, swaps, again }) => {
      // the first frame comes first and whole, so that the stream is known
      const edges = [...new Set([0, endA, ...cuts.filter((cut) => cut > endA), stream.length])].sort((a, b) => a - b);
      const pieces = edges.slice(1).map((to, i) => part(edges[i] ?? 0, to));
      const rest = pieces.slice(1);
      for (const swap of swaps) {
        const i = swap % Math.max(1, rest.length - 1);
        const [x, y] = [rest[i], rest[i + 1]];
        if (x !== undefined && y !== undefined) rest.splice(i, 2, y, x);
      }
      for (const one of again) {
        const repeated = rest[one % Math.max(1, rest.length)];
        if (repeated !== undefined) rest.splice(one % (rest.length + 1), 0, repeated);
      }
      const found = decode([...pieces.slice(0, 1), ...rest], first).flatMap((one) =>
        one.kind === 'datagram' ? [toHex(one.bytes)] : [],
      );
      expect(found).toEqual([A, B, C, D].map(toHex));
    }),
    { numRuns: 400 },
  );
});

test('a connection that never fills its gap holds a bounded number of segments', () => {
  const decoder = new Decoder();
  const parts = [
    part(0, endA),
    ...Array.from({ length: 200 }, (_, i): Part => ({ at: endA + 1000 + i * 130, bytes: framed(data(7, i, 128)) })),
  ];
  const found = decode(parts, FIRST, decoder);
  const counts = found.reduce((n, one) => n + (one.kind === 'datagram' ? 1 : 0), 0);
  expect(counts).toBe(201);
  const firstOut = found.findIndex((one, i) => i > 0 && one.kind === 'datagram');
  expect(firstOut).toBeLessThan(70);
});
