/** What the capture tests share: sources cut into chunks, and everything a reader delivers. */
import fc from 'fast-check';
import type { Bytes } from '../../src/base/bytes.ts';
import type { Problem } from '../../src/base/problem.ts';
import type { Result } from '../../src/base/result.ts';
import type { Time } from '../../src/base/time.ts';
import type { CaptureDamage, CaptureItem, CaptureReader, Frame } from '../../src/capture/frame.ts';
import { openCapture } from '../../src/capture/open.ts';
import type { PcapFrame } from '../../src/capture/write-pcap.ts';

/** Cuts `bytes` into chunks of the given sizes, over and over; without sizes one chunk. */
export async function* inChunks(bytes: Bytes, sizes: readonly number[] = []): AsyncGenerator<Bytes> {
  if (sizes.length === 0) {
    yield bytes;
    return;
  }
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = Math.max(1, sizes[i % sizes.length] ?? 1);
    yield bytes.slice(at, at + size);
    at += size;
  }
}

export interface Everything {
  readonly items: readonly CaptureItem[];
  readonly frames: readonly Frame[];
  readonly damage: readonly CaptureDamage[];
  readonly reader: CaptureReader;
}

type Open = (source: AsyncIterable<Bytes>) => Promise<Result<CaptureReader, Problem>>;

export async function readAll(bytes: Bytes, sizes?: readonly number[], open: Open = openCapture): Promise<Everything> {
  const opened = await open(inChunks(bytes, sizes));
  if (!opened.ok) throw new Error(`did not open: ${opened.error.message}`);
  const items: CaptureItem[] = [];
  for await (const batch of opened.value.batches()) items.push(...batch);
  return { items, ...sorted(items), reader: opened.value };
}

function sorted(items: readonly CaptureItem[]): { frames: Frame[]; damage: CaptureDamage[] } {
  const frames: Frame[] = [];
  const damage: CaptureDamage[] = [];
  for (const item of items) {
    if (item.kind === 'frame') frames.push(item.frame);
    else if (item.kind === 'damage') damage.push(item.damage);
  }
  return { frames, damage };
}

/** Frames as a sound capture holds them: any times, some of them cut. */
export function pcapFrames(nanoseconds: boolean, maxLength = 40): fc.Arbitrary<PcapFrame[]> {
  const frame = fc.record({
    sec: fc.integer({ min: 0, max: 0xffff_ffff }),
    fraction: fc.integer({ min: 0, max: nanoseconds ? 999_999_999 : 999_999 }),
    bytes: fc.uint8Array({ maxLength: 200 }),
    cut: fc.integer({ min: 0, max: 70_000 }),
  });
  return fc.array(frame, { maxLength }).map((list) =>
    list.map(({ sec, fraction, bytes, cut }) => ({
      time: { sec, nsec: nanoseconds ? fraction : fraction * 1000 },
      bytes,
      wireLength: Math.max(1, bytes.length + cut),
    })),
  );
}

/** Frames a second apart whose bytes hold nothing that looks like a record. */
export function steadyFrames(count: number, size = 100): (PcapFrame & { readonly time: Time })[] {
  return Array.from({ length: count }, (_, i) => ({
    time: { sec: 1_700_000_000 + i, nsec: 123_456_000 },
    bytes: new Uint8Array(size).fill(0xe0 + (i % 16)),
    wireLength: size,
  }));
}

export const chunkSizes = fc.array(fc.integer({ min: 1, max: 97 }), { minLength: 1, maxLength: 8 });
