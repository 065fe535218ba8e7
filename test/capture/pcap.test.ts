import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Bytes, concat, concatAll, fromHex, putU32le } from '../../src/base/bytes.ts';
import { ByteQueue } from '../../src/capture/byte-queue.ts';
import { PcapParser, recordTime, splitLinkWord } from '../../src/capture/pcap.ts';
import { type PcapFrame, pcapFile, pcapHeader, pcapRecord } from '../../src/capture/write-pcap.ts';
import { chunkSizes, pcapFrames, readAll, steadyFrames } from './sources.ts';

const OPTIONS = { linkType: 101 };

function rawRecord(sec: number, fraction: number, captured: number, wire: number, body: Bytes): Bytes {
  const out = new Uint8Array(16 + body.length);
  for (const [i, value] of [sec, fraction, captured, wire].entries()) putU32le(out, 4 * i, value);
  out.set(body, 16);
  return out;
}

/** `steadyFrames` with `garbage` before record `before`. */
function withGarbage(frames: readonly PcapFrame[], garbage: Bytes, before: number): Bytes {
  const records = frames.map((frame) => pcapRecord(OPTIONS, frame));
  return concat(pcapHeader(OPTIONS), concatAll(records.slice(0, before)), garbage, concatAll(records.slice(before)));
}

describe('sound files', () => {
  const variants = [
    { nanoseconds: false, bigEndian: false },
    { nanoseconds: false, bigEndian: true },
    { nanoseconds: true, bigEndian: false },
    { nanoseconds: true, bigEndian: true },
  ];
  test.each(variants)('what is written is read: %o', async (variant) => {
    await fc.assert(
      fc.asyncProperty(pcapFrames(variant.nanoseconds), chunkSizes, async (frames, sizes) => {
        const bytes = pcapFile({ ...variant, linkType: 276, fcsBytes: 4 }, frames);
        const { items } = await readAll(bytes, sizes);
        const wanted = frames.map((frame, i) => ({
          kind: 'frame',
          frame: { number: i + 1, linkType: 276, interfaceId: 0, fcsBytes: 4, ...frame },
        }));
        expect(items).toEqual(wanted);
      }),
      { numRuns: 40 },
    );
  });

  test('a file of only its header has no frames and no damage', async () => {
    expect((await readAll(pcapHeader(OPTIONS))).items).toEqual([]);
  });

  test('link-type word', () => {
    expect(splitLinkWord(0x2400_0001)).toEqual({ linkType: 1, fcsBytes: 4 });
    expect(splitLinkWord(0xf400_0001)).toEqual({ linkType: 1, fcsBytes: 30 });
    expect(splitLinkWord(0x2000_0114)).toEqual({ linkType: 276, fcsBytes: 0 });
  });

  test('fractions of a second or more are carried', () => {
    expect(recordTime(10, 1_000_000, false)).toEqual({ sec: 11, nsec: 0 });
    expect(recordTime(10, 0xffff_ffff, false)).toEqual({ sec: 10 + 4294, nsec: 967_295_000 });
    expect(recordTime(10, 4_000_000_001, true)).toEqual({ sec: 14, nsec: 1 });
  });

  test('a fraction that is too great, in a file that is otherwise sound', async () => {
    const body = new Uint8Array(20);
    const bytes = concat(
      pcapHeader(OPTIONS),
      rawRecord(1000, 1_500_000, 20, 20, body),
      rawRecord(1002, 0, 20, 20, body),
      rawRecord(1002, 2_000_000, 20, 20, body),
    );
    const { frames, damage } = await readAll(bytes);
    expect(frames.map((frame) => frame.time)).toEqual([
      { sec: 1001, nsec: 500_000_000 },
      { sec: 1002, nsec: 0 },
      { sec: 1004, nsec: 0 },
    ]);
    expect(damage).toEqual([]);
  });

  test('a wire length below the captured one is raised to it', async () => {
    const { frames, damage } = await readAll(concat(pcapHeader(OPTIONS), rawRecord(5, 0, 20, 0, new Uint8Array(20))));
    expect(frames.map((frame) => frame.wireLength)).toEqual([20]);
    expect(damage).toEqual([]);
  });

  test('before version 2.4 the lengths may stand the other way round', async () => {
    const bytes = pcapHeader(OPTIONS);
    bytes[6] = 3;
    const { frames } = await readAll(concat(bytes, rawRecord(5, 0, 60, 20, new Uint8Array(20))));
    expect(frames.map((frame) => [frame.bytes.length, frame.wireLength])).toEqual([[20, 60]]);
  });

  test('modified records: 24 bytes of header, and a packet type', async () => {
    const record = (packetType: number): Bytes => {
      const out = new Uint8Array(24 + 4);
      for (const [i, value] of [1000, 7, 4, 4, 2, 0x0008].entries()) putU32le(out, 4 * i, value);
      out[22] = packetType;
      return out;
    };
    const header = pcapHeader(OPTIONS);
    header.set(fromHex('34cdb2a1'));
    const { frames, damage, reader } = await readAll(concat(header, record(0), record(4), record(3)));
    expect(reader.format).toBe('pcap-modified');
    expect(frames.map((frame) => [frame.bytes.length, frame.direction])).toEqual([
      [4, 'in'],
      [4, 'out'],
      [4, undefined],
    ]);
    expect(damage).toEqual([]);
  });

  test('a clock that jumps by decades is no damage', async () => {
    const body = new Uint8Array(30).fill(0xff);
    const times = [60, 1_700_000_000, 61, 1_700_000_001];
    const bytes = pcapFile(
      OPTIONS,
      times.map((sec) => ({ time: { sec, nsec: 0 }, bytes: body })),
    );
    const { frames, damage } = await readAll(bytes, [7]);
    expect(frames.map((frame) => frame.time?.sec)).toEqual(times);
    expect(damage).toEqual([]);
  });

  test('a large snaplen allows large records, and a small one does not forbid them', async () => {
    const big = { time: { sec: 1, nsec: 0 }, bytes: new Uint8Array(300_000).fill(1), wireLength: 300_000 };
    expect((await readAll(pcapFile({ linkType: 1, snaplen: 500_000 }, [big]))).frames.length).toBe(1);
    const refused = await readAll(pcapFile({ linkType: 1 }, [big]));
    expect(refused.frames.length).toBe(0);
    expect(refused.damage).toMatchObject([{ kind: 'bad-record', offset: 24 }]);
    const small = { ...big, bytes: big.bytes.subarray(0, 1000), wireLength: 1000 };
    expect((await readAll(pcapFile({ linkType: 1, snaplen: 96 }, [small]))).frames.length).toBe(1);
  });
});

describe('cut files', () => {
  const frames = steadyFrames(3, 50);
  const whole = pcapFile(OPTIONS, frames);

  test('at every length, the damage says where', async () => {
    for (let length = 12; length < whole.length; length++) {
      const { frames: read, damage } = await readAll(whole.subarray(0, length), [11]);
      const count = Math.max(0, Math.floor((length - 24) / 66));
      expect(read.length).toBe(count);
      const offset = length < 24 ? 0 : 24 + 66 * count;
      const kind = length < 24 ? 'truncated-header' : 'truncated-record';
      const wanted = length === 24 + 66 * count ? [] : [{ kind, offset, framesBefore: count }];
      expect(damage).toMatchObject(wanted);
      expect(damage.length).toBe(wanted.length);
    }
  });
});

describe('resynchronisation', () => {
  const frames = steadyFrames(12);
  const recordBytes = 116;

  const garbage: readonly (readonly [string, Bytes])[] = [
    ['one byte', Uint8Array.of(0x41)],
    ['one zero', Uint8Array.of(0)],
    ['four zeros', new Uint8Array(4)],
    ['sixteen zeros', new Uint8Array(16)],
    ['a block of zeros', new Uint8Array(4096)],
    ['text', new TextEncoder().encode('kernel: wireguard: wg0: Handshake for peer 1 did not complete\n')],
    ['0xff', new Uint8Array(1000).fill(0xff)],
    ['another file header', pcapHeader({ linkType: 1 })],
  ];

  test.each(garbage)('%s between records', async (_, junk) => {
    for (const before of [1, 5, 11]) {
      const { frames: read, damage } = await readAll(withGarbage(frames, junk, before), [777]);
      expect(read.map((frame) => frame.time?.sec)).toEqual(frames.map((frame) => frame.time?.sec));
      const offset = 24 + before * recordBytes;
      expect(damage).toMatchObject([
        { kind: 'bad-record', offset, framesBefore: before, resumedAt: offset + junk.length },
      ]);
    }
  });

  test('any garbage: what is read are the frames, and the place where reading goes on is a record', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ minLength: 1, maxLength: 400 }),
        fc.integer({ min: 0, max: 12 }),
        chunkSizes,
        async (junk, before, sizes) => {
          const { frames: read, damage } = await readAll(withGarbage(frames, junk, before), sizes);
          const wanted = frames.map((frame) => frame.time.sec);
          // Junk that begins as a record would may be taken for one, and take a neighbour with it.
          const found = wanted.filter((sec) => read.some((frame) => frame.time?.sec === sec));
          expect(found.length).toBeGreaterThanOrEqual(11);
          expect(damage.length).toBeGreaterThanOrEqual(1);
          for (const { resumedAt } of damage) {
            if (resumedAt === undefined) continue;
            expect((resumedAt - 24 - junk.length) % recordBytes).toBe(0);
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  test('a captured length that was damaged costs one record', async () => {
    const bytes = pcapFile(OPTIONS, frames);
    const at = 24 + 4 * recordBytes;
    bytes[at + 11] = 0x7f;
    const { frames: read, damage } = await readAll(bytes, [333]);
    expect(read.length).toBe(11);
    expect(damage).toMatchObject([{ kind: 'bad-record', offset: at, framesBefore: 4, resumedAt: at + recordBytes }]);
    expect(damage[0]?.message).toContain('claims');
  });

  test('a length that reaches past the end of the file is damage, not the end', async () => {
    const bytes = pcapFile(OPTIONS, frames);
    const at = 24 + 4 * recordBytes;
    bytes.set([0, 0, 3, 0, 0, 0, 3, 0], at + 8); // 196608 bytes
    const { frames: read, damage } = await readAll(bytes, [333]);
    expect(read.length).toBe(11);
    expect(damage).toMatchObject([{ kind: 'bad-record', offset: at, resumedAt: at + recordBytes }]);
  });

  test('garbage to the end: no place to go on', async () => {
    const { frames: read, damage } = await readAll(withGarbage(frames, new Uint8Array(300).fill(0xaa), 12), [50]);
    expect(read.length).toBe(12);
    expect(damage.length).toBe(1);
    expect(damage[0]).not.toHaveProperty('resumedAt');
  });

  test('zeros to the end, as after a power cut', async () => {
    const { frames: read, damage } = await readAll(withGarbage(frames, new Uint8Array(8192), 12));
    expect(read.length).toBe(12);
    expect(damage).toMatchObject([{ kind: 'bad-record', offset: 24 + 12 * recordBytes, framesBefore: 12 }]);
  });
});

describe('work', () => {
  /** Feeds chunk after chunk and counts the bytes the queue copies. */
  function copiedFor(bytes: Bytes, chunk: number): number {
    const parser = new PcapParser();
    const queue = new ByteQueue();
    for (let at = 0; at < bytes.length; at += chunk) {
      queue.push(bytes.subarray(at, at + chunk));
      while (parser.next(queue) !== undefined);
    }
    queue.finish();
    while (parser.next(queue) !== undefined);
    expect(queue.available).toBe(0);
    return queue.copied;
  }

  test('a sound file: only what straddles two chunks is copied', () => {
    const bytes = pcapFile(OPTIONS, steadyFrames(5000));
    expect(copiedFor(bytes, 65_536)).toBeLessThan(3 * 116 * Math.ceil(bytes.length / 65_536));
    expect(copiedFor(bytes, 13)).toBeLessThan(4 * bytes.length);
  });

  test('hostile bytes: linear however they are cut', () => {
    // Every fourth byte is the beginning of a believable header whose record lies far ahead.
    const hostile = new Uint8Array(600_000);
    for (let at = 0; at < hostile.length; at += 4) putU32le(hostile, at, 200_000 + (at % 16 === 0 ? 0 : 4));
    const bytes = concat(pcapHeader(OPTIONS), new Uint8Array(16), hostile);
    for (const chunk of [100, 65_536]) expect(copiedFor(bytes, chunk)).toBeLessThan(6 * bytes.length);
  });
});
