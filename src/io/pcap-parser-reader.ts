/** The npm package pcap-parser behind our CaptureReader: fed by hand, so that its events, limits and silences are ours to handle. */
import { EventEmitter } from 'node:events';
import { createRequire } from 'node:module';
import { type Bytes, concatAll, u8 } from '../base/bytes.ts';
import type { Problem } from '../base/problem.ts';
import { fail, ok, type Result } from '../base/result.ts';
import type { CaptureDamage, CaptureItem, CaptureReader } from '../capture/frame.ts';
import { BATCH_ITEMS, type SourceDamage } from '../capture/item-parser.ts';
import { type SniffedSource, sniffSource } from '../capture/open.ts';
import { captureLimit, PCAP_HEADER_BYTES, recordTime, splitLinkWord } from '../capture/pcap.ts';

const RECORD_HEADER_BYTES = 16;

// The package has no types, and an ambient declaration would not reach those who use ours.
interface GlobalHeader {
  readonly snapshotLength: number;
  readonly linkLayerType: number;
}

interface PacketHeader {
  readonly timestampSeconds: number;
  readonly timestampMicroseconds: number;
  readonly capturedLength: number;
  readonly originalLength: number;
}

interface Parser {
  on(event: 'globalHeader', listener: (header: GlobalHeader) => void): void;
  on(event: 'packetHeader', listener: (header: PacketHeader) => void): void;
  on(event: 'packet', listener: (packet: { readonly header: PacketHeader; readonly data: Bytes }) => void): void;
  on(event: 'error', listener: (error: Error) => void): void;
}

interface PcapParserModule {
  parse(source: EventEmitter): Parser;
}

/** What pcap-parser takes for a readable stream. Nothing flows but what {@link Session.feed} emits. */
class FakeSource extends EventEmitter {
  pause(): void {}
  resume(): void {}
}

/**
 * As `openCapture`, for classic pcap, plain or gzip. Frames are those of `openCapture` on every sound file; after
 * damage this reader ends where that one searches on.
 */
export async function openWithPcapParser(source: AsyncIterable<Bytes>): Promise<Result<CaptureReader, Problem>> {
  const opened = await sniffSource(source);
  if (!opened.ok) return opened;
  const { format, gzip } = opened.value;
  if (format === 'pcapng' || format === 'pcap-modified') {
    await opened.value.close();
    const message = format === 'pcapng' ? 'a pcapng file' : 'a pcap file with modified record headers';
    return fail({
      message: `${message}: pcap-parser reads only classic pcap`,
      offset: 0,
      hint: 'use the built-in reader',
    });
  }
  return ok({ format, gzip, batches: () => batches(opened.value) });
}

async function* batches(source: SniffedSource): AsyncGenerator<readonly CaptureItem[]> {
  const session = new Session(source.format === 'pcap-ns');
  for await (const chunk of source.chunks) {
    session.push(chunk);
    yield* inBatches(session.take());
    if (session.failed) return;
  }
  session.finish(source.damage());
  yield* inBatches(session.take());
}

function* inBatches(items: readonly CaptureItem[]): Generator<readonly CaptureItem[]> {
  for (let at = 0; at < items.length; at += BATCH_ITEMS) yield items.slice(at, at + BATCH_ITEMS);
}

class Session {
  readonly #source = new FakeSource();
  readonly #nanoseconds: boolean;
  #items: CaptureItem[] = [];
  #frames = 0;
  #linkType = 0;
  #fcsBytes = 0;
  #maxCaptured = 0;
  #failed = false;
  /** Chunks that do not yet make up what the parser can go on with. */
  #held: Bytes[] = [];
  #heldBytes = 0;
  #fed = 0;
  /** Bytes of all that the parser has taken apart, and of what it takes next. */
  #consumed = 0;
  #next = PCAP_HEADER_BYTES;
  #magicPassed = false;

  constructor(nanoseconds: boolean) {
    this.#nanoseconds = nanoseconds;
    const module = createRequire(import.meta.url)('pcap-parser') as PcapParserModule;
    const parser = module.parse(this.#source);
    parser.on('globalHeader', (header) => this.#globalHeader(header));
    parser.on('packetHeader', (header) => this.#packetHeader(header));
    parser.on('packet', ({ header, data }) => this.#packet(header, data));
    parser.on('error', (error) => this.#damage('bad-record', error.message));
  }

  get failed(): boolean {
    return this.#failed;
  }

  take(): CaptureItem[] {
    const items = this.#items;
    this.#items = [];
    return items;
  }

  /**
   * The parser copies all it holds with each chunk: a large record that comes in small chunks would cost quadratic
   * time. So chunks are held back until its next step is possible, and no longer.
   */
  push(chunk: Bytes): void {
    this.#held.push(chunk);
    this.#heldBytes += chunk.length;
    if (this.#failed || this.#fed + this.#heldBytes < this.#consumed + this.#next) return;
    const bytes = this.#held.length === 1 ? chunk : concatAll(this.#held);
    this.#held = [];
    this.#heldBytes = 0;
    this.#fed += bytes.length;
    const fed = this.#magicPassed ? bytes : this.#withMicrosecondMagic(bytes);
    this.#magicPassed = true;
    this.#source.emit('data', Buffer.from(fed.buffer, fed.byteOffset, fed.length));
  }

  finish(cut: SourceDamage | undefined): void {
    const rest = this.#fed + this.#heldBytes - this.#consumed;
    if (cut !== undefined) this.#damage(cut.kind, cut.message, cut.offset);
    else if (rest > 0 && !this.#failed) {
      const inHeader = this.#consumed === 0 && this.#next === PCAP_HEADER_BYTES;
      const missing = this.#next - rest;
      this.#damage(inHeader ? 'truncated-header' : 'truncated-record', `the file ends ${missing} bytes too early`);
    }
  }

  /** It knows no nanosecond magic: give it the other one, and read the fraction as what it is. */
  #withMicrosecondMagic(bytes: Bytes): Bytes {
    if (!this.#nanoseconds) return bytes;
    const out = bytes.slice();
    if (u8(out, 0) === 0xa1) out.set([0xa1, 0xb2, 0xc3, 0xd4]);
    else out.set([0xd4, 0xc3, 0xb2, 0xa1]);
    return out;
  }

  #globalHeader(header: GlobalHeader): void {
    this.#consumed = PCAP_HEADER_BYTES;
    this.#next = RECORD_HEADER_BYTES;
    this.#maxCaptured = captureLimit(header.snapshotLength);
    const { linkType, fcsBytes } = splitLinkWord(header.linkLayerType);
    this.#linkType = linkType;
    this.#fcsBytes = fcsBytes;
  }

  /** Comes before the body is waited for, so that a hostile length costs nothing. */
  #packetHeader({ capturedLength }: PacketHeader): void {
    if (this.#failed) return;
    if (capturedLength > this.#maxCaptured) {
      const limit = this.#maxCaptured;
      this.#damage(
        'bad-record',
        `a record claims ${capturedLength} captured bytes, more than the ${limit} there can be`,
      );
    }
    this.#next = RECORD_HEADER_BYTES + capturedLength;
  }

  #packet(header: PacketHeader, data: Bytes): void {
    if (this.#failed) return;
    this.#consumed += RECORD_HEADER_BYTES + header.capturedLength;
    this.#next = RECORD_HEADER_BYTES;
    this.#frames++;
    const frame = {
      number: this.#frames,
      time: recordTime(header.timestampSeconds, header.timestampMicroseconds, this.#nanoseconds),
      linkType: this.#linkType,
      bytes: new Uint8Array(data.buffer, data.byteOffset, data.length),
      wireLength: Math.max(header.originalLength, header.capturedLength),
      interfaceId: 0,
      fcsBytes: this.#fcsBytes,
    };
    this.#items.push({ kind: 'frame', frame });
  }

  /** Ends the reading: the parser would go on buffering. */
  #damage(kind: CaptureDamage['kind'], message: string, offset = this.#consumed): void {
    if (this.#failed) return;
    this.#failed = true;
    this.#items.push({ kind: 'damage', damage: { kind, message, offset, framesBefore: this.#frames } });
  }
}
