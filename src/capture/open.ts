/** Opens a capture from a stream of bytes: recognised by content, unpacked if gzip. */
import { type Bytes, concat, EMPTY } from '../base/bytes.ts';
import type { Problem } from '../base/problem.ts';
import { fail, ok, type Result } from '../base/result.ts';
import type { CaptureReader } from './frame.ts';
import { gunzip } from './gzip.ts';
import { readBatches, type SourceDamage } from './item-parser.ts';
import { PcapParser } from './pcap.ts';
import { PcapngParser } from './pcapng.ts';
import { notACapture, SNIFF_BYTES, sniffCapture } from './sniff.ts';

export { sniffCapture } from './sniff.ts';

/**
 * Reads no more than what says which format it is, and closes the source when it is none. Cut and damaged captures
 * open: their damage comes among the items, where it stands. `batches()` may be called once, and closes the source
 * when it ends or is left. What the source throws passes through.
 */
export async function openCapture(source: AsyncIterable<Bytes>): Promise<Result<CaptureReader, Problem>> {
  const opened = await sniffSource(source);
  if (!opened.ok) return opened;
  const { format, gzip, chunks, damage } = opened.value;
  const parser = format === 'pcapng' ? new PcapngParser() : new PcapParser();
  return ok({ format, gzip, batches: () => readBatches(chunks, parser, damage) });
}

export interface SniffedSource {
  readonly format: CaptureReader['format'];
  readonly gzip: boolean;
  /** From the first byte on, unpacked. */
  readonly chunks: AsyncIterable<Bytes>;
  /** Known once `chunks` has ended. */
  readonly damage: () => SourceDamage | undefined;
  readonly close: () => Promise<void>;
}

/** The part that every reader shares: what it is, and its bytes. */
export async function sniffSource(source: AsyncIterable<Bytes>): Promise<Result<SniffedSource, Problem>> {
  const outer = await peek(source, SNIFF_BYTES);
  const outside = sniffCapture(outer.head);
  if (outside !== 'gzip') {
    if (outside === undefined) {
      await outer.close();
      return fail(notACapture(outer.head, outer.whole));
    }
    return ok({ format: outside, gzip: false, chunks: outer.chunks(), damage: () => undefined, close: outer.close });
  }

  const unpacked = gunzip(outer.chunks());
  const inner = await peek(unpacked.chunks, SNIFF_BYTES);
  const inside = sniffCapture(inner.head);
  if (inside === undefined || inside === 'gzip') {
    await inner.close();
    if (inside === 'gzip') return fail({ message: 'gzip within gzip: not read', hint: 'unpack it first: gunzip' });
    const damage = unpacked.damage();
    const { message, hint } = notACapture(inner.head, inner.whole);
    const within = `in the gzip data: ${damage === undefined ? message : damage.message}`;
    return fail(hint === undefined || damage !== undefined ? { message: within } : { message: within, hint });
  }
  return ok({ format: inside, gzip: true, chunks: inner.chunks(), damage: unpacked.damage, close: inner.close });
}

interface Peeked {
  readonly head: Bytes;
  /** Whether `head` is all there is. */
  readonly whole: boolean;
  /** Everything, the head included; closes the source at its end. */
  readonly chunks: () => AsyncGenerator<Bytes>;
  readonly close: () => Promise<void>;
}

/** Reads until `n` bytes are here or the source has ended. */
async function peek(source: AsyncIterable<Bytes>, n: number): Promise<Peeked> {
  const iterator = source[Symbol.asyncIterator]();
  let head = EMPTY;
  let ended = false;
  while (!ended && head.length < n) {
    const step = await iterator.next();
    if (step.done === true) ended = true;
    else head = head.length === 0 ? step.value : concat(head, step.value);
  }
  const close = async (): Promise<void> => {
    if (ended) return;
    ended = true;
    await iterator.return?.();
  };
  async function* chunks(): AsyncGenerator<Bytes> {
    try {
      if (head.length > 0) yield head;
      while (!ended) {
        const step = await iterator.next();
        if (step.done === true) ended = true;
        else yield step.value;
      }
    } finally {
      await close();
    }
  }
  return { head, whole: ended, chunks, close };
}
