import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Bytes, concat, putU16le, putU32be, putU32le, utf8 } from '../../src/base/bytes.ts';
import { ByteQueue } from '../../src/capture/byte-queue.ts';
import { PcapngParser } from '../../src/capture/pcapng.ts';
import { BIG, BLOCK, blockTime, type Clock, LITTLE, readInterface } from '../../src/capture/pcapng-blocks.ts';
import { type PcapngBlock, pcapngBlock, pcapngFile } from '../../src/capture/write-pcapng.ts';
import { chunkSizes, readAll } from './sources.ts';

const SECTION: PcapngBlock = { kind: 'section' };
const ETHERNET: PcapngBlock = { kind: 'interface', linkType: 1 };

function packet(i: number, size = 60): PcapngBlock {
  const time = { sec: 1_700_000_000 + i, nsec: i };
  return { kind: 'packet', time, bytes: new Uint8Array(size).fill(0xe0 + (i % 16)) };
}

/** A block of any type around a body whose length is a multiple of 4, little endian. */
function rawBlock(type: number, body: Bytes): Bytes {
  const out = new Uint8Array(12 + body.length);
  putU32le(out, 0, type);
  putU32le(out, 4, out.length);
  out.set(body, 8);
  putU32le(out, out.length - 4, out.length);
  return out;
}

function interfaceWith(...options: readonly (readonly [number, Bytes])[]): Bytes {
  const parts: Bytes[] = [Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0)];
  for (const [code, value] of options) {
    const out = new Uint8Array(4 + ((value.length + 3) & ~3));
    putU16le(out, 0, code);
    putU16le(out, 2, value.length);
    out.set(value, 4);
    parts.push(out);
  }
  return rawBlock(BLOCK.interface, concat(...parts));
}

describe('sound files', () => {
  const anyPacket = fc.record({
    sec: fc.integer({ min: 0, max: 0x1_ffff_ffff }),
    nsec: fc.integer({ min: 0, max: 999_999_999 }),
    bytes: fc.uint8Array({ maxLength: 60 }),
    cut: fc.integer({ min: 0, max: 70_000 }),
    interfaceId: fc.integer({ min: 0, max: 1 }),
    direction: fc.constantFrom('in', 'out', undefined),
  });
  const anySection = fc.record({ big: fc.boolean(), packets: fc.array(anyPacket, { maxLength: 12 }) });

  test('what is written is read, over several sections', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anySection, { minLength: 1, maxLength: 4 }), chunkSizes, async (sections, sizes) => {
        const parts: Bytes[] = [];
        const wanted: unknown[] = [];
        let number = 0;
        for (const [s, { big, packets }] of sections.entries()) {
          const second: PcapngBlock = { kind: 'interface', linkType: 276, fcsBytes: 4, name: 'wan', snaplen: 96 };
          const blocks: PcapngBlock[] = [SECTION, ETHERNET, second];
          for (const { sec, nsec, bytes, cut, interfaceId, direction } of packets) {
            const way = direction === undefined ? {} : { direction };
            const common = { bytes, time: { sec, nsec }, wireLength: bytes.length + cut, ...way };
            blocks.push({ kind: 'packet', interfaceId, ...common });
            number++;
            const where = {
              interfaceId: 2 * s + interfaceId,
              linkType: [1, 276][interfaceId],
              fcsBytes: 4 * interfaceId,
            };
            wanted.push({ kind: 'frame', frame: { number, ...where, ...common } });
          }
          parts.push(pcapngFile(blocks, big));
        }
        expect((await readAll(concat(...parts), sizes)).items).toEqual(wanted);
      }),
      { numRuns: 60 },
    );
  });

  test.each([false, true])('secrets and simple packets, big endian: %s', async (big) => {
    const data = utf8('LOCAL_STATIC_PRIVATE_KEY=…\n');
    const bytes = new Uint8Array(96).fill(7);
    const file = pcapngFile(
      [
        SECTION,
        { kind: 'secrets', secretsType: 0x5747_4b4c, data },
        { kind: 'interface', linkType: 101, snaplen: 96 },
        { kind: 'packet', time: undefined, bytes, wireLength: 1400 },
        { kind: 'packet', time: undefined, bytes: bytes.subarray(0, 33) },
      ],
      big,
    );
    const { items } = await readAll(file, [5]);
    const simple = { time: undefined, linkType: 101, interfaceId: 0, fcsBytes: 0 };
    expect(items).toEqual([
      { kind: 'secrets', secretsType: 0x5747_4b4c, data },
      { kind: 'frame', frame: { ...simple, number: 1, bytes, wireLength: 1400 } },
      { kind: 'frame', frame: { ...simple, number: 2, bytes: bytes.subarray(0, 33), wireLength: 33 } },
    ]);
  });

  test('blocks that are not read are passed over', async () => {
    const file = concat(
      pcapngFile([SECTION, ETHERNET, packet(0)]),
      rawBlock(BLOCK.statistics, new Uint8Array(40)),
      rawBlock(0x4444_4444, new Uint8Array(8)),
      rawBlock(BLOCK.customNoCopy, new Uint8Array(4)),
      pcapngBlock(packet(1)),
    );
    const { frames, damage } = await readAll(file, [9]);
    expect([frames.length, damage]).toEqual([2, []]);
  });

  test('a length that is no multiple of 4 is taken if both agree', async () => {
    const body = new Uint8Array(5);
    const file = concat(pcapngFile([SECTION, ETHERNET]), rawBlock(BLOCK.custom, body), pcapngBlock(packet(1)));
    const { frames, damage } = await readAll(file);
    expect([frames.length, damage]).toEqual([1, []]);
  });

  test.each([
    [Uint8Array.of(4), 4],
    [Uint8Array.of(32), 4],
    [Uint8Array.of(16), 2],
    [Uint8Array.of(0), 0],
  ])('FCS length option %o is %i octets', (value, octets) => {
    expect(readInterface(interfaceWith([13, value]), LITTLE).fcsBytes).toBe(octets);
  });

  test('flags of a packet name the FCS, and override the interface', async () => {
    const flags = concat(Uint8Array.of(2, 0, 4, 0), Uint8Array.of((6 << 5) | 1, 0, 0, 0));
    const fixed = new Uint8Array(20);
    putU32le(fixed, 12, 4);
    putU32le(fixed, 16, 4);
    const enhanced = rawBlock(BLOCK.enhancedPacket, concat(fixed, Uint8Array.of(1, 2, 3, 4), flags));
    const { frames } = await readAll(concat(pcapngBlock(SECTION), interfaceWith([13, Uint8Array.of(4)]), enhanced));
    expect(frames).toMatchObject([{ fcsBytes: 6, direction: 'in' }]);
  });

  test('options that run past their block end there', () => {
    const block = interfaceWith([9, Uint8Array.of(9)], [14, new Uint8Array(8).fill(0xff)]);
    putU16le(block, 26, 4000);
    expect(readInterface(block, LITTLE).clock).toEqual({
      perSecond: 1_000_000_000,
      perSecondExact: 1_000_000_000n,
      offsetSec: 0,
    });
  });
});

describe('times', () => {
  const clock = (resolution: number, offset = 0n): Clock => {
    const value = new Uint8Array(8);
    new DataView(value.buffer).setBigInt64(0, offset, true);
    return readInterface(interfaceWith([9, Uint8Array.of(resolution)], [14, value]), LITTLE).clock;
  };

  test('agree with exact arithmetic at every resolution', () => {
    const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 255 }), u32, u32, (resolution, high, low) => {
        const units = (BigInt(high) << 32n) | BigInt(low);
        const rate = (resolution & 0x80) !== 0 ? 2n ** BigInt(resolution & 0x7f) : 10n ** BigInt(resolution);
        expect(blockTime(clock(resolution), high, low)).toEqual({
          sec: Number(units / rate),
          nsec: Number(((units % rate) * 1_000_000_000n) / rate),
        });
      }),
      {
        numRuns: 1000,
        examples: [
          [9, 0xffff_ffff, 0xffff_ffff],
          [6, 0xffff_ffff, 0xffff_ffff],
          [0x80 | 23, 0xffff_ffff, 0xffff_ffff],
        ],
      },
    );
  });

  test('an offset is added, and may be negative', () => {
    expect(blockTime(clock(6, 1_532_126_000n), 0, 1_500_000)).toEqual({ sec: 1_532_126_001, nsec: 500_000_000 });
    expect(blockTime(clock(6, -10n), 0, 1_500_000)).toEqual({ sec: -9, nsec: 500_000_000 });
  });

  test('big endian offset', () => {
    const block = new Uint8Array(36);
    putU32be(block, 4, 36);
    block.set([0, 14, 0, 8, 0, 0, 0, 0, 0, 0, 0, 9], 16);
    expect(readInterface(block, BIG).clock.offsetSec).toBe(9);
  });
});

describe('damage', () => {
  const blocks = [SECTION, ETHERNET, ...Array.from({ length: 8 }, (_, i) => packet(i))];
  const parts = blocks.map((block) => pcapngBlock(block));
  const offsets = parts.map((_, i) => parts.slice(0, i).reduce((sum, part) => sum + part.length, 0));
  const file = concat(...parts);
  const seconds = (list: readonly { readonly time: { readonly sec: number } | undefined }[]): unknown[] =>
    list.map(({ time }) => (time === undefined ? undefined : time.sec - 1_700_000_000));

  test.each([1, 3, 4, 17, 1000])('%i bytes of garbage between blocks', async (length) => {
    const at = offsets[5] ?? 0;
    const garbage = new Uint8Array(length).fill(0x5a);
    const { frames, damage } = await readAll(concat(file.subarray(0, at), garbage, file.subarray(at)), [50]);
    expect(seconds(frames)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(damage).toMatchObject([{ kind: 'bad-block', offset: at, framesBefore: 3, resumedAt: at + length }]);
  });

  test.each([
    ['leading length', 4],
    ['trailing length', 88],
    ['captured length', 20],
    ['interface', 8],
  ])('a wrong %s costs that packet', async (_, field) => {
    const at = offsets[5] ?? 0;
    const bytes = file.slice();
    bytes[at + field] = (bytes[at + field] ?? 0) ^ 0x40;
    const { frames, damage } = await readAll(bytes, [50]);
    expect(seconds(frames)).toEqual([0, 1, 2, 4, 5, 6, 7]);
    expect(damage).toMatchObject([{ kind: 'bad-block', offset: at, framesBefore: 3, resumedAt: offsets[6] }]);
  });

  test('cut at every length, the damage says where', async () => {
    for (let length = 12; length < file.length; length += 5) {
      const { frames, damage } = await readAll(file.subarray(0, length), [41]);
      const whole = offsets.findLastIndex((offset) => offset <= length);
      const offset = offsets[whole] ?? 0;
      expect(frames.length).toBe(Math.max(0, whole - 2));
      expect(damage).toMatchObject(offset === length ? [] : [{ kind: 'truncated-record', offset }]);
      expect(damage.length).toBe(offset === length ? 0 : 1);
    }
  });

  test('packets without an interface are one damage, up to the next section', async () => {
    const orphans = pcapngFile([SECTION, packet(0), packet(1), packet(2)]);
    const { frames, damage } = await readAll(concat(orphans, file), [64]);
    expect(frames.length).toBe(8);
    expect(damage).toMatchObject([{ kind: 'bad-block', offset: 28, framesBefore: 0, resumedAt: orphans.length }]);
    expect(damage[0]?.message).toContain('interface 0');
  });

  test('a later section header with a broken byte-order magic', async () => {
    const broken = pcapngBlock(SECTION, true);
    broken[8] = 0;
    const { frames, damage } = await readAll(concat(file, broken, file));
    expect(frames.length).toBe(16);
    expect(damage).toMatchObject([{ kind: 'bad-block', offset: file.length, resumedAt: file.length + 28 }]);
  });

  test('a block that claims a gigabyte is not waited for', async () => {
    const huge = rawBlock(BLOCK.custom, new Uint8Array(4));
    putU32le(huge, 4, 2 ** 30);
    const { frames, damage } = await readAll(concat(file, huge, pcapngBlock(packet(9))), [64]);
    expect(frames.length).toBe(9);
    expect(damage).toMatchObject([{ kind: 'bad-block', offset: file.length, resumedAt: file.length + 16 }]);
  });
});

test('hostile bytes: linear however they are cut', () => {
  // Every fourth place begins a block of a known type that ends far ahead.
  const hostile = new Uint8Array(600_000);
  for (let at = 0; at < hostile.length; at += 8) {
    putU32le(hostile, at, BLOCK.enhancedPacket);
    putU32le(hostile, at + 4, 200_000);
  }
  const bytes = concat(pcapngFile([SECTION, ETHERNET]), new Uint8Array(12), hostile);
  for (const chunk of [100, 65_536]) {
    const parser = new PcapngParser();
    const queue = new ByteQueue();
    let items = 0;
    const drain = (): void => {
      while (parser.next(queue) !== undefined) items++;
    };
    for (let at = 0; at < bytes.length; at += chunk) {
      queue.push(bytes.subarray(at, at + chunk));
      drain();
    }
    queue.finish();
    drain();
    expect(queue.available).toBe(0);
    expect(items).toBe(1);
    expect(queue.copied).toBeLessThan(6 * bytes.length);
  }
});
