import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Bytes, concat, putU32le } from '../../src/base/bytes.ts';
import type { CaptureItem } from '../../src/capture/frame.ts';
import { pcapFile, pcapHeader } from '../../src/capture/write-pcap.ts';
import { pcapngFile } from '../../src/capture/write-pcapng.ts';
import { openWithPcapParser } from '../../src/io/pcap-parser-reader.ts';
import { chunkSizes, inChunks, pcapFrames, readAll, steadyFrames } from '../capture/sources.ts';

const OPTIONS = { linkType: 1 };
const read = (bytes: Bytes, sizes?: readonly number[]) => readAll(bytes, sizes, openWithPcapParser);

describe('sound files', () => {
  const variants = [false, true].flatMap((nanoseconds) =>
    [false, true].flatMap((bigEndian) => [false, true].map((gzip) => ({ nanoseconds, bigEndian, gzip }))),
  );
  test.each(variants)('the same items as our own reader: %o', async ({ nanoseconds, bigEndian, gzip }) => {
    await fc.assert(
      fc.asyncProperty(pcapFrames(nanoseconds), chunkSizes, async (frames, sizes) => {
        const plain = pcapFile({ linkType: 276, fcsBytes: 4, nanoseconds, bigEndian }, frames);
        const bytes = gzip ? new Uint8Array(gzipSync(plain)) : plain;
        const { items, reader } = await read(bytes, sizes);
        const own = await readAll(bytes);
        expect(items).toEqual(own.items);
        expect(items.length).toBe(frames.length);
        expect([reader.format, reader.gzip]).toEqual([own.reader.format, own.reader.gzip]);
      }),
      { numRuns: 20 },
    );
  });

  test('batches are bounded', async () => {
    const opened = await openWithPcapParser(inChunks(pcapFile(OPTIONS, steadyFrames(1200))));
    if (!opened.ok) throw new Error(opened.error.message);
    const sizes: number[] = [];
    for await (const batch of opened.value.batches()) sizes.push(batch.length);
    expect(sizes).toEqual([512, 512, 176]);
  });
});

test.each([
  ['pcapng', pcapngFile([{ kind: 'section' }]), 'only classic pcap'],
  ['modified', Uint8Array.of(0x34, 0xcd, 0xb2, 0xa1, 0, 0, 0, 0, 0, 0, 0, 0), 'only classic pcap'],
  ['nothing', new Uint8Array(0), 'empty'],
])('%s is refused', async (_, bytes, message) => {
  const opened = await openWithPcapParser(inChunks(bytes));
  if (opened.ok) throw new Error('opened');
  expect(opened.error.message).toContain(message);
});

describe('damage that pcap-parser keeps silent about', () => {
  const frames = steadyFrames(3, 50);
  const whole = pcapFile(OPTIONS, frames);

  test('a cut file, at every length', async () => {
    for (let length = 12; length < whole.length; length++) {
      const { damage } = await read(whole.subarray(0, length), [11]);
      const own = await readAll(whole.subarray(0, length));
      const place = ({ kind, offset, framesBefore }: (typeof damage)[number]) => ({ kind, offset, framesBefore });
      expect(damage.map(place)).toEqual(own.damage.map(place));
    }
  });

  test('a captured length of 4 GB: refused at its header, and nothing more is asked for', async () => {
    const header = new Uint8Array(16);
    putU32le(header, 8, 0xffff_ffff);
    let asked = 0;
    async function* source(): AsyncGenerator<Bytes> {
      yield concat(whole, header);
      for (;;) {
        asked++;
        yield new Uint8Array(65_536);
      }
    }
    const opened = await openWithPcapParser(source());
    if (!opened.ok) throw new Error(opened.error.message);
    const items: CaptureItem[] = [];
    for await (const batch of opened.value.batches()) items.push(...batch);
    expect(asked).toBe(0);
    expect(items.length).toBe(4);
    expect(items[3]).toMatchObject({
      kind: 'damage',
      damage: { kind: 'bad-record', offset: whole.length, framesBefore: 3 },
    });
  });

  test('a version it does not support', async () => {
    const header = pcapHeader(OPTIONS);
    header[4] = 9;
    header[6] = 9;
    const { items } = await read(concat(header, whole.subarray(24)));
    expect(items).toMatchObject([{ kind: 'damage', damage: { kind: 'bad-record', offset: 0 } }]);
  });

  test('a cut .gz keeps its frames', async () => {
    const file = pcapFile(OPTIONS, steadyFrames(100));
    const packed = new Uint8Array(gzipSync(file, { level: 0 })).subarray(0, 6000);
    const { frames: kept, damage } = await read(packed, [500]);
    expect(kept.length).toBe(Math.floor((6000 - 15 - 24) / 116));
    expect(damage).toMatchObject([{ kind: 'gzip-truncated', offset: 6000 - 15 }]);
  });

  test('any bytes behind a header: no throw, and chunks make no difference', async () => {
    const record = fc.record({ captured: fc.integer({ min: 0, max: 60 }), body: fc.uint8Array({ maxLength: 60 }) });
    const bytes = fc.array(record, { maxLength: 10 }).map((records) =>
      concat(
        pcapHeader(OPTIONS),
        ...records.map(({ captured, body }) => {
          const header = new Uint8Array(16);
          putU32le(header, 8, captured);
          return concat(header, body);
        }),
      ),
    );
    await fc.assert(
      fc.asyncProperty(bytes, chunkSizes, async (file, sizes) => {
        expect((await read(file, sizes)).items).toEqual((await read(file)).items);
      }),
    );
  });
});
