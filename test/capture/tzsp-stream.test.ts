/** TZSP datagrams to a capture, and what is counted on the way. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { concat, concatAll, fromHex, putU32be } from '../../src/base/bytes.ts';
import type { CaptureItem, Frame } from '../../src/capture/frame.ts';
import { openCapture } from '../../src/capture/open.ts';
import { SENDERS_LIMIT, TzspStream } from '../../src/capture/tzsp-stream.ts';

const ROUTER = '192.168.88.1';
const TIME = { sec: 1_700_000_000, nsec: 250_000_000 };

const ethernet = (...bytes: number[]): Uint8Array => concat(fromHex('0100000101'), Uint8Array.from(bytes));

function counted(count: number): Uint8Array {
  const out = fromHex('010000012804000000000155');
  putU32be(out, 6, count);
  return out;
}

async function read(bytes: Uint8Array): Promise<CaptureItem[]> {
  const opened = await openCapture(
    (async function* () {
      yield bytes;
    })(),
  );
  if (!opened.ok) throw new Error(opened.error.message);
  const out: CaptureItem[] = [];
  for await (const batch of opened.value.batches()) out.push(...batch);
  return out;
}

const framesOf = (items: readonly CaptureItem[]): Frame[] =>
  items.map((item) => {
    if (item.kind !== 'frame') throw new Error(`${item.kind} in what we wrote`);
    return item.frame;
  });

test('the frames, with the time they came, their whole length, and one interface for each sender and kind', async () => {
  const stream = new TzspStream();
  const parts = [
    stream.begin(),
    stream.take(ethernet(1, 2, 3), ROUTER, TIME),
    stream.take(fromHex('01000001290205dc01aabb'), ROUTER, { sec: TIME.sec, nsec: 251_000_000 }),
    stream.take(ethernet(4), '10.0.0.1', TIME),
    stream.take(fromHex('0100001201cc'), ROUTER, TIME),
  ];
  const frames = framesOf(await read(concatAll(parts)));
  expect(
    frames.map(({ interfaceId, linkType, wireLength, bytes }) => [interfaceId, linkType, wireLength, [...bytes]]),
  ).toEqual([
    [0, 1, 3, [1, 2, 3]],
    [0, 1, 1500, [0xaa, 0xbb]],
    [1, 1, 1, [4]],
    [2, 105, 1, [0xcc]],
  ]);
  expect(frames[1]?.time).toEqual({ sec: TIME.sec, nsec: 251_000_000 });
});

test('what has no frame is counted by its reason', () => {
  const stream = new TzspStream();
  const datagrams = ['01040000', '01040000', '0109000001ff', '0100006301ff', '00', '0100000101ff'];
  const added = datagrams.map((hex) => stream.take(fromHex(hex), ROUTER, TIME).length > 0);
  expect(added).toEqual([false, false, false, false, false, true]);
  expect(stream.senders).toMatchObject([{ address: ROUTER, datagrams: 6, frames: 1, lost: 0, late: 0 }]);
  expect([...(stream.senders[0]?.refused ?? [])]).toEqual([
    ['TZSP keepalive', 2],
    ['TZSP type 9', 1],
    ['TZSP encapsulation 99', 1],
    ['TZSP of 1 bytes', 1],
  ]);
});

describe('gaps, where the sender counts', () => {
  test.each([
    ['none', [7, 8, 9], 0, 0],
    ['two are missing', [7, 8, 11], 2, 0],
    ['one comes late after all', [7, 9, 8, 10], 0, 1],
    ['twice the same', [7, 7, 8], 0, 1],
    ['around the end of the numbers', [0xffff_fffe, 0xffff_ffff, 0, 2], 1, 0],
    ['the sender began anew', [500_000, 1, 2, 4], 1, 0],
  ])('%s', (_, counts, lost, late) => {
    const stream = new TzspStream();
    for (const count of counts) stream.take(counted(count), ROUTER, TIME);
    expect(stream.senders).toMatchObject([{ lost, late, frames: counts.length }]);
  });

  test('for each sender of its own', () => {
    const stream = new TzspStream();
    for (const count of [1, 2, 3]) {
      stream.take(counted(count), 'a', TIME);
      stream.take(counted(count + 100), 'b', TIME);
    }
    expect(stream.senders.map(({ lost }) => lost)).toEqual([0, 0]);
  });
});

test('a flood of senders and of reasons is bounded', () => {
  const stream = new TzspStream();
  for (let i = 0; i < 1000; i++) stream.take(ethernet(1), `10.0.${i >> 8}.${i & 255}`, TIME);
  expect([stream.senders.length, stream.crowded]).toEqual([SENDERS_LIMIT, 1000 - SENDERS_LIMIT]);
  for (let type = 6; type < 256; type++) stream.take(Uint8Array.of(1, type, 0, 1, 1), '10.0.0.0', TIME);
  const { refused } = stream.senders[0] ?? {};
  expect(refused?.size).toBeLessThan(50);
  expect([...(refused?.values() ?? [])].reduce((a, b) => a + b)).toBe(250);
});

test('any datagrams: what comes out is a capture without damage', async () => {
  const datagram = fc.oneof(
    fc.uint8Array({ maxLength: 40 }),
    fc.uint8Array({ maxLength: 60 }).map((rest) => concat(fromHex('0100000101'), rest)),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(datagram, fc.constantFrom('a', 'b', 'c'))), async (all) => {
      const stream = new TzspStream();
      const bytes = concatAll([stream.begin(), ...all.map(([one, from]) => stream.take(one, from, TIME))]);
      const frames = framesOf(await read(bytes));
      expect(frames.length).toBe(stream.senders.reduce((sum, sender) => sum + sender.frames, 0));
    }),
    { numRuns: 50 },
  );
});
