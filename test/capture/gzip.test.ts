import { constants, deflateRawSync, gzipSync, inflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Bytes, concat, concatAll, utf8 } from '../../src/base/bytes.ts';
import { crc32, gunzip } from '../../src/capture/gzip.ts';
import type { SourceDamage } from '../../src/capture/item-parser.ts';
import { pcapFile } from '../../src/capture/write-pcap.ts';
import { chunkSizes, inChunks, readAll, steadyFrames } from './sources.ts';

async function unpack(
  bytes: Bytes,
  sizes?: readonly number[],
): Promise<{ out: Bytes; damage: SourceDamage | undefined }> {
  const { chunks, damage } = gunzip(inChunks(bytes, sizes));
  const parts: Bytes[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  return { out: concatAll(parts), damage: damage() };
}

/** What zlib makes of it; undefined where it finds damage. */
function inflated(bytes: Bytes): Bytes | undefined {
  try {
    return inflateRawSync(bytes);
  } catch {
    return undefined;
  }
}

const zip = (bytes: Bytes, options = {}): Bytes => new Uint8Array(gzipSync(bytes, options));

/** Repetitive and random parts, so that every kind of block and code comes up. */
const anyData = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 3000 }),
      fc
        .tuple(fc.uint8Array({ minLength: 1, maxLength: 20 }), fc.integer({ min: 1, max: 3000 }))
        .map(([unit, times]) => Uint8Array.from({ length: unit.length * times }, (_, i) => unit[i % unit.length] ?? 0)),
      fc.string({ maxLength: 500 }).map(utf8),
    ),
    { maxLength: 6 },
  )
  .map(concatAll);

const anyEncoder = fc.record({
  level: fc.integer({ min: 0, max: 9 }),
  strategy: fc.constantFrom(
    constants.Z_DEFAULT_STRATEGY,
    constants.Z_FIXED,
    constants.Z_HUFFMAN_ONLY,
    constants.Z_RLE,
    constants.Z_FILTERED,
  ),
  memLevel: fc.integer({ min: 1, max: 9 }),
});

describe('sound data', () => {
  test('what zlib packs is unpacked', async () => {
    await fc.assert(
      fc.asyncProperty(anyData, anyEncoder, chunkSizes, async (data, encoder, sizes) => {
        const { out, damage } = await unpack(zip(data, encoder), sizes);
        expect(damage).toBeUndefined();
        expect(Buffer.compare(out, data)).toBe(0);
      }),
      { numRuns: 80 },
    );
  });

  test('distances up to the whole window, across output buffers', async () => {
    const unit = Uint8Array.from({ length: 32_768 }, (_, i) => (i * 2_654_435_761) >>> 13);
    const data = concatAll(Array.from({ length: 12 }, () => unit));
    const { out, damage } = await unpack(zip(data, { level: 9 }), [10_000]);
    expect(damage).toBeUndefined();
    expect(Buffer.compare(out, data)).toBe(0);
  });

  test('several members, one of them empty, and zeros behind them', async () => {
    const members = [utf8('one'), new Uint8Array(0), new Uint8Array(100_000)];
    const packed = concat(...members.map((member) => zip(member)), new Uint8Array(512));
    for (const sizes of [[1], [100_000]]) {
      const { out, damage } = await unpack(packed, sizes);
      expect(damage).toBeUndefined();
      expect(Buffer.compare(out, concat(...members))).toBe(0);
    }
  });

  test('every header field is passed over', async () => {
    const data = utf8('abcabcabc');
    const plain = zip(data);
    const header = Uint8Array.of(0x1f, 0x8b, 8, 31, 0, 0, 0, 0, 0, 3);
    const extra = Uint8Array.of(3, 0, 9, 9, 9);
    const packed = concat(header, extra, utf8('name\0'), utf8('comment\0'), Uint8Array.of(0, 0), plain.subarray(10));
    for (const sizes of [[1], [1000]]) expect(await unpack(packed, sizes)).toEqual({ out: data, damage: undefined });
  });

  test('crc32', () => {
    expect(crc32(utf8('123456789'))).toBe(0xcbf4_3926);
    expect(crc32(utf8('6789'), crc32(utf8('12345')))).toBe(0xcbf4_3926);
  });
});

describe('damaged data', () => {
  const data = concatAll(Array.from({ length: 400 }, (_, i) => utf8(`${i * 7919} ${Math.imul(i, 2_654_435_761)}\n`)));
  const packed = zip(data);

  test('cut anywhere: all that can be known is kept', async () => {
    let before = 0;
    for (let length = 10; length < packed.length; length += 13) {
      const { out, damage } = await unpack(packed.subarray(0, length), [64]);
      expect(damage).toMatchObject({ kind: 'gzip-truncated', cut: true, offset: out.length });
      expect(Buffer.compare(out, data.subarray(0, out.length))).toBe(0);
      expect(out.length).toBeGreaterThanOrEqual(before);
      before = out.length;
    }
    expect(before).toBeGreaterThan(data.length - 200);
  });

  test.each([
    ['checksum', 8, 'checksum'],
    ['length', 4, 'length'],
  ])('a wrong %s is told, and what follows is read', async (_, fromEnd, word) => {
    const wrong = packed.slice();
    const at = wrong.length - fromEnd;
    wrong[at] = (wrong[at] ?? 0) ^ 1;
    const { out, damage } = await unpack(concat(wrong, zip(utf8('next'))));
    expect(out.length).toBe(data.length + 4);
    expect(damage).toMatchObject({ kind: 'gzip-damaged', cut: false, offset: data.length });
    expect(damage?.message).toContain(word);
  });

  test('other bytes behind the data', async () => {
    const { out, damage } = await unpack(concat(packed, utf8('rubbish')));
    expect(out.length).toBe(data.length);
    expect(damage).toMatchObject({ kind: 'gzip-damaged', cut: false });
  });

  test.each([
    ['a reserved block', [0x07]],
    ['a stored block with a wrong length', [0x01, 5, 0, 0, 0, 1, 2, 3, 4, 5]],
    ['a match before the beginning', [0x63, 0x00, 0x12, 0x00, 0x00, 0x00, 0xff, 0xff]],
  ])('%s', async (_, bytes) => {
    const header = packed.subarray(0, 10);
    const { damage } = await unpack(concat(header, Uint8Array.from(bytes), new Uint8Array(700).fill(0xff)));
    expect(damage).toMatchObject({ kind: 'gzip-damaged', cut: true });
  });

  test('a name without an end is not searched for ever', async () => {
    const header = packed.slice(0, 10);
    header[3] = 8;
    const { damage } = await unpack(concat(header, new Uint8Array(10_000).fill(0x41)), [100]);
    expect(damage).toMatchObject({ kind: 'gzip-damaged' });
  });

  test('any bytes: no throw, the same for any chunks, and zlib agrees on what is sound', async () => {
    const raw = new Uint8Array(deflateRawSync(data));
    const flips = fc.array(fc.tuple(fc.nat(raw.length - 1), fc.integer({ min: 1, max: 255 })), { maxLength: 3 });
    const mutated = flips.map((list) => {
      const copy = raw.slice();
      for (const [at, mask] of list) copy[at] = (copy[at] ?? 0) ^ mask;
      return copy;
    });
    const body = fc.oneof(mutated, fc.uint8Array({ maxLength: 900 }));
    await fc.assert(
      fc.asyncProperty(body, chunkSizes, async (bytes, sizes) => {
        const file = concat(packed.subarray(0, 10), bytes);
        const ours = await unpack(file);
        expect(await unpack(file, sizes)).toEqual(ours);
        const theirs = inflated(bytes);
        if (theirs === undefined) expect(ours.damage?.cut).toBe(true);
        else expect(Buffer.compare(ours.out.subarray(0, theirs.length), theirs)).toBe(0);
      }),
      { numRuns: 150 },
    );
  });
});

describe('captures within', () => {
  const frames = steadyFrames(200);
  const file = pcapFile({ linkType: 101 }, frames);

  test('a whole one', async () => {
    const { frames: read, damage, reader } = await readAll(zip(file), [100]);
    expect([read.length, damage, reader.gzip, reader.format]).toEqual([200, [], true, 'pcap']);
  });

  test('in two members that meet within a record', async () => {
    const { frames: read, damage } = await readAll(concat(zip(file.subarray(0, 777)), zip(file.subarray(777))));
    expect([read.length, damage]).toEqual([200, []]);
  });

  test('a cut one keeps its frames and has one damage', async () => {
    const packed = zip(file, { level: 0 });
    const { frames: read, damage } = await readAll(packed.subarray(0, 12_000), [1000]);
    expect(read.length).toBe(Math.floor((12_000 - 15 - 24) / 116));
    expect(damage).toMatchObject([{ kind: 'gzip-truncated', framesBefore: read.length, offset: 12_000 - 15 }]);
    expect(damage.length).toBe(1);
  });

  test('a wrong checksum comes last, after damage of the capture itself', async () => {
    const wrong = zip(file.subarray(0, file.length - 1));
    wrong[wrong.length - 8] = (wrong[wrong.length - 8] ?? 0) ^ 1;
    const { frames: read, damage } = await readAll(wrong);
    expect(read.length).toBe(199);
    expect(damage.map(({ kind }) => kind)).toEqual(['truncated-record', 'gzip-damaged']);
  });
});
