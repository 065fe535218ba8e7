/** What the two container parsers have in common, and the loop that turns chunks into batches of items. */
import type { Bytes } from '../base/bytes.ts';
import { ByteQueue } from './byte-queue.ts';
import type { CaptureDamage, CaptureItem } from './frame.ts';

/** A resumable parser: it takes what is in the queue and remembers where it stopped. */
export interface ItemParser {
  /** The next item; undefined when it needs more bytes, or when the queue has ended and all is read. */
  next(input: ByteQueue): CaptureItem | undefined;
}

/** Records and blocks claiming more than this many bytes are damage, whatever the header's snaplen says. */
export const MAX_RECORD_BYTES = 16 * 1024 * 1024;

/** Most items handed out at once. */
export const BATCH_ITEMS = 512;

/** What cut the bytes short before they reached the parser. */
export interface SourceDamage {
  readonly kind: 'gzip-truncated' | 'gzip-damaged';
  readonly message: string;
  /** In the uncompressed bytes. */
  readonly offset: number;
  /** Nothing was read behind `offset`, so that the last record seems cut too. */
  readonly cut: boolean;
}

/**
 * Batches of at most {@link BATCH_ITEMS}. A batch ends with its chunk, so that a live pipe is not held back, and each chunk
 * has one, be it empty: when the next chunk is asked for, only the last batch may still be in use, and it stands in the chunk
 * before. What the source throws (a disk's error, say) passes through; the bytes themselves never make it throw.
 */
export async function* readBatches(
  chunks: AsyncIterable<Bytes>,
  parser: ItemParser,
  sourceDamage: () => SourceDamage | undefined,
): AsyncGenerator<readonly CaptureItem[]> {
  const input = new ByteQueue();
  let frames = 0;
  for await (const chunk of chunks) {
    if (chunk.length === 0) continue;
    input.push(chunk);
    let batch = takeBatch(parser, input);
    do {
      for (const item of batch) if (item.kind === 'frame') frames++;
      yield batch;
      batch = takeBatch(parser, input);
    } while (batch.length > 0);
  }
  input.finish();
  const cut = sourceDamage();
  for (;;) {
    const batch = takeBatch(parser, input);
    if (batch.length === 0) break;
    for (const item of batch) if (item.kind === 'frame') frames++;
    const kept = cut?.cut === true ? batch.filter((item) => !isCutEnd(item)) : batch;
    if (kept.length > 0) yield kept;
  }
  if (cut === undefined) return;
  const { kind, message, offset } = cut;
  yield [{ kind: 'damage', damage: { kind, message, offset, framesBefore: frames } }];
}

function takeBatch(parser: ItemParser, input: ByteQueue): CaptureItem[] {
  const batch: CaptureItem[] = [];
  while (batch.length < BATCH_ITEMS) {
    const item = parser.next(input);
    if (item === undefined) break;
    batch.push(item);
  }
  return batch;
}

/** A cut record at the end of a cut .gz is the same damage told twice. */
function isCutEnd(item: CaptureItem): boolean {
  return item.kind === 'damage' && (item.damage.kind === 'truncated-record' || item.damage.kind === 'truncated-header');
}

/** Damage that is not reported yet, because where reading goes on is still being looked for. */
export interface Lost {
  readonly kind: CaptureDamage['kind'];
  /** The kind if readable records follow: then it was not the end of the file that was missing. */
  readonly kindIfResumed: CaptureDamage['kind'];
  readonly message: string;
  readonly offset: number;
  readonly framesBefore: number;
}

export function damageItem(lost: Lost, resumedAt: number | undefined): CaptureItem {
  const { message, offset, framesBefore } = lost;
  if (resumedAt === undefined) {
    return { kind: 'damage', damage: { kind: lost.kind, message, offset, framesBefore } };
  }
  return { kind: 'damage', damage: { kind: lost.kindIfResumed, message, offset, framesBefore, resumedAt } };
}
