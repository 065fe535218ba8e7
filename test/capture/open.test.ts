import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Bytes, concat, fromHex, utf8 } from '../../src/base/bytes.ts';
import type { CaptureItem } from '../../src/capture/frame.ts';
import { openCapture, sniffCapture } from '../../src/capture/open.ts';
import { pcapFile, pcapHeader, pcapRecord } from '../../src/capture/write-pcap.ts';
import { type PcapngBlock, pcapngBlock, pcapngFile } from '../../src/capture/write-pcapng.ts';
import { chunkSizes, inChunks, pcapFrames, readAll, steadyFrames } from './sources.ts';

describe('sniffing', () => {
  test.each([
    ['d4c3b2a1', 'pcap'],
    ['a1b2c3d4', 'pcap'],
    ['4d3cb2a1', 'pcap-ns'],
    ['a1b23c4d', 'pcap-ns'],
    ['34cdb2a1', 'pcap-modified'],
    ['a1b2cd34', 'pcap-modified'],
    ['0a0d0d0a1c0000004d3c2b1a', 'pcapng'],
    ['0a0d0d0a0000001c1a2b3c4d', 'pcapng'],
    ['1f8b0800', 'gzip'],
    ['0a0d0d0a1c000000', undefined],
    ['0a0d0d0a1c00000000000000', undefined],
    ['1f8b0700', undefined],
    ['1a2b3c4d', undefined],
    ['d4c3b2', undefined],
    ['', undefined],
  ])('%s is %s', (hex, format) => {
    expect(sniffCapture(fromHex(hex))).toBe(format);
  });
});

describe('what is not read', () => {
  test.each<[string, Bytes, string, string]>([
    ['zstd', fromHex('28b52ffd000000000000000000'), 'zstd', 'zstd -d'],
    ['lz4', fromHex('04224d18000000000000000000'), 'lz4', 'lz4 -d'],
    ['bzip2', utf8('BZh91AY&SY......'), 'bzip2', 'bunzip2'],
    ['xz', fromHex('fd377a585a000004e6d6b446'), 'xz', 'unxz'],
    ['zip', fromHex('504b0304140000000800000000'), 'zip', 'unzip'],
    ['snoop', utf8('snoop\0\0\0\0\0\0\u0002\0\0\0\u0004'), 'snoop', 'editcap'],
    ['ERF', fromHex('00112233445566770204002000000010'), '00112233', 'ERF'],
    ['text', utf8('12:00:01.000000 IP 192.0.2.1.51820 >'), 'text', 'tcpdump -w'],
    ['a pcapng of 8 bytes', fromHex('0a0d0d0a1c000000'), '8 bytes', ''],
    ['a pcapng after a text-mode transfer', fromHex('0a0d0d0a1c0000004d0d3c2b1a'), 'byte-order', 'binary'],
    ['three bytes', fromHex('d4c3b2'), '3 bytes', ''],
    ['nothing', new Uint8Array(0), 'empty', ''],
    ['gzip of gzip', new Uint8Array(gzipSync(gzipSync('x'))), 'gzip within gzip', 'gunzip'],
    ['gzip of text', new Uint8Array(gzipSync('hello, this is text')), 'in the gzip data: text', 'tcpdump -w'],
    ['gzip cut before its data', new Uint8Array(gzipSync('hello')).subarray(0, 12), 'ends early', ''],
  ])('%s', async (_, bytes, message, hint) => {
    for (const sizes of [[1], [1000]]) {
      const opened = await openCapture(inChunks(bytes, sizes));
      if (opened.ok) throw new Error('opened');
      expect(opened.error.message).toContain(message);
      expect(opened.error.hint ?? '').toContain(hint);
    }
  });

  test('the source is closed', async () => {
    for (const bytes of [utf8('not a capture at all'), new Uint8Array(gzipSync('not a capture at all either'))]) {
      let closed = 0;
      async function* source(): AsyncGenerator<Bytes> {
        try {
          yield bytes;
          yield bytes;
        } finally {
          closed++;
        }
      }
      expect((await openCapture(source())).ok).toBe(false);
      expect(closed).toBe(1);
    }
  });
});

describe('a live source', () => {
  const options = { linkType: 101 };
  const [first, second] = steadyFrames(2);
  if (first === undefined || second === undefined) throw new Error('two frames');

  test.each<[string, Bytes[]]>([
    ['pcap', [pcapHeader(options), pcapRecord(options, first), pcapRecord(options, second)]],
    [
      'pcapng',
      [
        pcapngFile([{ kind: 'section' }, { kind: 'interface', linkType: 101 }]),
        pcapngBlock({ kind: 'packet', ...first }),
        pcapngBlock({ kind: 'packet', ...second }),
      ],
    ],
  ])('%s: each frame is delivered before the next chunk is asked for', async (_, chunks) => {
    const log: string[] = [];
    async function* source(): AsyncGenerator<Bytes> {
      for (const [i, chunk] of chunks.entries()) {
        log.push(`chunk ${i}`);
        yield chunk;
      }
    }
    const opened = await openCapture(source());
    log.push('opened');
    if (!opened.ok) throw new Error(opened.error.message);
    for await (const batch of opened.value.batches()) {
      for (const item of batch) if (item.kind === 'frame') log.push(`frame ${item.frame.number}`);
    }
    expect(log).toEqual(['chunk 0', 'opened', 'chunk 1', 'frame 1', 'chunk 2', 'frame 2']);
  });

  test('leaving the loop closes the source', async () => {
    let closed = 0;
    async function* source(): AsyncGenerator<Bytes> {
      try {
        for (;;) yield pcapFile(options, steadyFrames(2000));
      } finally {
        closed++;
      }
    }
    const opened = await openCapture(source());
    if (!opened.ok) throw new Error(opened.error.message);
    let largest = 0;
    let batches = 0;
    for await (const batch of opened.value.batches()) {
      largest = Math.max(largest, batch.length);
      if (++batches === 3) break;
    }
    expect([largest, closed]).toEqual([512, 1]);
  });

  test('an error of the source passes through', async () => {
    async function* source(): AsyncGenerator<Bytes> {
      yield pcapFile(options, steadyFrames(1));
      throw new Error('disk on fire');
    }
    const opened = await openCapture(source());
    if (!opened.ok) throw new Error(opened.error.message);
    const read = async (): Promise<number> => {
      let frames = 0;
      for await (const batch of opened.value.batches()) frames += batch.length;
      return frames;
    };
    await expect(read()).rejects.toThrow('disk on fire');
  });
});

describe('hostile input', () => {
  const interfaces: PcapngBlock[] = [{ kind: 'section' }, { kind: 'interface', linkType: 1 }];
  const sound = fc
    .tuple(pcapFrames(true, 12), fc.constantFrom('pcap', 'pcap-be', 'pcapng', 'pcapng-be', 'gzip'))
    .map(([frames, format]) => {
      const blocks = [...interfaces, ...frames.map((frame): PcapngBlock => ({ kind: 'packet', ...frame }))];
      const pcap = pcapFile({ linkType: 1, nanoseconds: true, bigEndian: format === 'pcap-be' }, frames);
      if (format === 'gzip') return new Uint8Array(gzipSync(pcap));
      return format.startsWith('pcapng') ? pcapngFile(blocks, format === 'pcapng-be') : pcap;
    });
  const edit = fc.record({
    at: fc.nat(2000),
    remove: fc.nat(20),
    insert: fc.oneof(
      fc.uint8Array({ maxLength: 24 }),
      fc.constantFrom(new Uint8Array(16), new Uint8Array(4).fill(255)),
    ),
  });
  const mutated = fc.tuple(sound, fc.array(edit, { maxLength: 4 })).map(([bytes, edits]) =>
    edits.reduce((file, { at, remove, insert }) => {
      const place = at % (file.length + 1);
      return concat(file.subarray(0, place), insert, file.subarray(place + remove));
    }, bytes),
  );
  const magic = fc
    .constantFrom('d4c3b2a1', 'a1b23c4d', 'a1b2cd34', '0a0d0d0a1c0000004d3c2b1a', '1f8b08', '')
    .map(fromHex);
  const random = fc.tuple(magic, fc.uint8Array({ maxLength: 600 })).map(([head, rest]) => concat(head, rest));

  async function outcome(bytes: Bytes, sizes?: readonly number[]): Promise<unknown> {
    const opened = await openCapture(inChunks(bytes, sizes));
    if (!opened.ok) return opened.error;
    const items: CaptureItem[] = [];
    for await (const batch of opened.value.batches()) items.push(...batch);
    return items;
  }

  test('what begins as text is called so however much comes at once', async () => {
    const bytes = concat(utf8('13:00:01.5 IP a > b'), Uint8Array.of(0, 1, 2));
    for (const file of [bytes, new Uint8Array(gzipSync(bytes))]) {
      const whole = await outcome(file);
      expect(whole).toEqual(expect.objectContaining({ message: expect.stringMatching(/text, not a capture$/) }));
      expect(await outcome(file, [1])).toEqual(whole);
    }
  });

  test('no bytes make a reader throw or loop, and chunks make no difference', async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(mutated, random), chunkSizes, async (bytes, sizes) => {
        const whole = await outcome(bytes);
        expect(await outcome(bytes, sizes)).toEqual(whole);
        expect(await outcome(bytes, [1])).toEqual(whole);
      }),
      { numRuns: 300 },
    );
  });

  test('damage is in order and counts the frames before it', async () => {
    await fc.assert(
      fc.asyncProperty(mutated, async (bytes) => {
        const opened = await openCapture(inChunks(bytes));
        if (!opened.ok) return;
        let frames = 0;
        let reached = 0;
        for await (const batch of opened.value.batches()) {
          for (const item of batch) {
            if (item.kind === 'frame') frames++;
            if (item.kind !== 'damage') continue;
            const { offset, framesBefore, resumedAt } = item.damage;
            expect(framesBefore).toBe(frames);
            expect(offset).toBeGreaterThanOrEqual(reached);
            expect(resumedAt ?? offset + 1).toBeGreaterThan(offset);
            reached = resumedAt ?? offset;
          }
        }
      }),
      { numRuns: 200 },
    );
  });

  test('a file of nothing but section headers and interfaces', async () => {
    const { items } = await readAll(concat(...Array.from({ length: 300 }, () => pcapngFile(interfaces))), [1000]);
    expect(items).toEqual([]);
  });
});
