/** Classic pcap: microseconds, nanoseconds and Kuznetzov's modified records, in both byte orders, with resynchronisation. */
import { u8, u16be, u16le, u32be, u32le } from '../base/bytes.ts';
import type { Time } from '../base/time.ts';
import type { ByteQueue } from './byte-queue.ts';
import type { CaptureItem, Frame } from './frame.ts';
import { damageItem, type ItemParser, type Lost, MAX_RECORD_BYTES } from './item-parser.ts';

export const PCAP_HEADER_BYTES = 24;
export const MAGIC_MICROSECONDS = 0xa1b2c3d4;
export const MAGIC_NANOSECONDS = 0xa1b23c4d;
export const MAGIC_MODIFIED = 0xa1b2cd34;

/** libpcap's MAXIMUM_SNAPLEN: a record that claims more, in a file whose snaplen does not, is damage. */
export const USUAL_MAX_CAPTURED_BYTES = 262_144;

/** Times further apart than this are doubted, not refused: a router's clock does jump from 1970 to today. */
const NEAR_SECONDS = 30 * 86_400;
/** Consecutive believable record headers that end a search. */
const CHAIN_RECORDS = 3;

/** The link-type word: low 16 bits the type; with bit 26 set, bits 28 to 31 are the FCS length in 16-bit units. */
export function splitLinkWord(word: number): { readonly linkType: number; readonly fcsBytes: number } {
  const hasFcs = (word & 0x0400_0000) !== 0;
  return { linkType: word & 0xffff, fcsBytes: hasFcs ? (word >>> 28) * 2 : 0 };
}

/** Most captured bytes a record may claim: the header's snaplen is believed between 256 KiB and 16 MiB. */
export function captureLimit(snaplen: number): number {
  return Math.max(USUAL_MAX_CAPTURED_BYTES, Math.min(snaplen, MAX_RECORD_BYTES));
}

/** A fraction of a second or more is carried into the seconds: some writers leave it to the reader. */
export function recordTime(sec: number, fraction: number, nanoseconds: boolean): Time {
  const perSecond = nanoseconds ? 1_000_000_000 : 1_000_000;
  const scale = nanoseconds ? 1 : 1000;
  if (fraction < perSecond) return { sec, nsec: fraction * scale };
  const carry = Math.floor(fraction / perSecond);
  return { sec: sec + carry, nsec: (fraction - carry * perSecond) * scale };
}

interface FileHeader {
  readonly u32: (bytes: Uint8Array, at: number) => number;
  readonly nanoseconds: boolean;
  readonly modified: boolean;
  readonly recordHeaderBytes: number;
  readonly linkType: number;
  readonly fcsBytes: number;
  readonly maxCaptured: number;
  /** Before version 2.4 some writers put the two lengths the other way round: the lesser is then the captured one. */
  readonly lengthsMaySwap: boolean;
}

interface RecordHeader {
  readonly sec: number;
  readonly fraction: number;
  readonly captured: number;
  readonly wire: number;
}

/** Expects input that begins with one of the three magics (`sniffCapture`); any other bytes read as little-endian microseconds. */
export class PcapParser implements ItemParser {
  #header: FileHeader | undefined;
  #frames = 0;
  #lastSec: number | undefined;
  #lost: Lost | undefined;

  next(input: ByteQueue): CaptureItem | undefined {
    if (this.#header === undefined) {
      if (!input.ensure(PCAP_HEADER_BYTES)) return this.#shortHeader(input);
      this.#header = readFileHeader(input);
      input.skip(PCAP_HEADER_BYTES);
    }
    return this.#lost === undefined ? this.#record(input, this.#header) : this.#search(input, this.#header, this.#lost);
  }

  #shortHeader(input: ByteQueue): CaptureItem | undefined {
    const { available, offset } = input;
    if (!input.ended || available === 0) return undefined;
    input.skip(available);
    const message = `the file ends ${available} bytes into its ${PCAP_HEADER_BYTES}-byte header`;
    return { kind: 'damage', damage: { kind: 'truncated-header', message, offset, framesBefore: 0 } };
  }

  #record(input: ByteQueue, header: FileHeader): CaptureItem | undefined {
    const { recordHeaderBytes } = header;
    if (!input.ensure(recordHeaderBytes)) {
      if (!input.ended || input.available === 0) return undefined;
      return this.#cut(input, header, `the file ends ${input.available} bytes into a record header`);
    }
    const record = readRecordHeader(input, 0, header);
    const fault = impossible(record, header);
    if (fault !== undefined) return this.#lose(input, header, fault);

    const size = recordHeaderBytes + record.captured;
    if (!input.ensure(size)) {
      if (!input.ended) return undefined;
      const missing = size - input.available;
      return this.#cut(input, header, `the file ends ${missing} bytes before the end of a record`);
    }
    if (this.#doubtful(record, header)) {
      const followed = this.#followed(input, header, size);
      if (followed === undefined) return undefined;
      if (!followed)
        return this.#lose(input, header, 'a record header that does not make sense, and no record after it');
    }
    return { kind: 'frame', frame: this.#frame(input, header, record) };
  }

  #frame(input: ByteQueue, header: FileHeader, record: RecordHeader): Frame {
    const { front, at } = input;
    const start = at + header.recordHeaderBytes;
    const time = recordTime(record.sec, record.fraction, header.nanoseconds);
    this.#frames++;
    this.#lastSec = time.sec;
    const frame: Frame = {
      number: this.#frames,
      time,
      linkType: header.linkType,
      bytes: front.subarray(start, start + record.captured),
      wireLength: Math.max(record.wire, record.captured),
      interfaceId: 0,
      fcsBytes: header.fcsBytes,
    };
    input.skip(header.recordHeaderBytes + record.captured);
    if (!header.modified) return frame;
    const packetType = u8(front, at + 22); // as in sll_pkttype: 4 is outgoing, 3 is to someone else
    if (packetType > 4 || packetType === 3) return frame;
    return { ...frame, direction: packetType === 4 ? 'out' : 'in' };
  }

  /** Readable, but such as damage would look too. */
  #doubtful(record: RecordHeader, header: FileHeader): boolean {
    if (record.fraction >= (header.nanoseconds ? 1_000_000_000 : 1_000_000)) return true;
    if (record.captured > record.wire) return true;
    return this.#lastSec !== undefined && !near(record.sec, this.#lastSec);
  }

  /** Whether a believable header, or the end of the file, stands at `ahead`; undefined while it is not here yet. */
  #followed(input: ByteQueue, header: FileHeader, ahead: number): boolean | undefined {
    if (!input.ensure(ahead + header.recordHeaderBytes, true)) {
      if (!input.ended) return undefined;
      return true; // at most a cut header is left: nothing speaks against the record
    }
    return believable(readRecordHeader(input, ahead, header), header);
  }

  #lose(input: ByteQueue, header: FileHeader, message: string): CaptureItem | undefined {
    return this.#startSearch(input, header, 'bad-record', message);
  }

  #cut(input: ByteQueue, header: FileHeader, message: string): CaptureItem | undefined {
    return this.#startSearch(input, header, 'truncated-record', message);
  }

  #startSearch(input: ByteQueue, header: FileHeader, kind: Lost['kind'], message: string): CaptureItem | undefined {
    const { offset } = input;
    this.#lost = { kind, kindIfResumed: 'bad-record', message, offset, framesBefore: this.#frames };
    input.skip(1);
    return this.#search(input, header, this.#lost);
  }

  /** Goes on byte by byte. Each place costs a bounded number of looks, and none is looked at twice. */
  #search(input: ByteQueue, header: FileHeader, lost: Lost): CaptureItem | undefined {
    while (input.ensure(header.recordHeaderBytes, true)) {
      const found = this.#chain(input, header);
      if (found === undefined) return undefined;
      if (found) {
        this.#lost = undefined;
        return damageItem(lost, input.offset);
      }
      input.skip(1);
    }
    if (!input.ended) return undefined;
    this.#lost = undefined;
    input.skip(input.available);
    return damageItem(lost, undefined);
  }

  /** Whether records follow one another from here; undefined while too little is here to say. */
  #chain(input: ByteQueue, header: FileHeader): boolean | undefined {
    let ahead = 0;
    let last = this.#lastSec;
    let nearLast = true;
    for (let links = 0; links < CHAIN_RECORDS; links++) {
      if (!input.ensure(ahead + header.recordHeaderBytes, true)) {
        if (!input.ended) return undefined;
        return links >= 2 || (links === 1 && nearLast && input.available === ahead);
      }
      const record = readRecordHeader(input, ahead, header);
      if (record.captured > USUAL_MAX_CAPTURED_BYTES || !believable(record, header)) return false;
      if (last !== undefined && !near(record.sec, last)) {
        if (links > 0) return false;
        nearLast = false;
      }
      last = record.sec;
      ahead += header.recordHeaderBytes + record.captured;
    }
    return true;
  }
}

function near(a: number, b: number): boolean {
  return Math.abs(a - b) <= NEAR_SECONDS;
}

function readFileHeader(input: ByteQueue): FileHeader {
  const { front, at } = input;
  const big = u8(front, at) === 0xa1;
  const u32 = big ? u32be : u32le;
  const u16 = big ? u16be : u16le;
  const magic = u32(front, at);
  const modified = magic === MAGIC_MODIFIED;
  return {
    u32,
    nanoseconds: magic === MAGIC_NANOSECONDS,
    modified,
    recordHeaderBytes: modified ? 24 : 16,
    maxCaptured: captureLimit(u32(front, at + 16)),
    lengthsMaySwap: u16(front, at + 4) === 2 && u16(front, at + 6) < 4,
    ...splitLinkWord(u32(front, at + 20)),
  };
}

function readRecordHeader(input: ByteQueue, ahead: number, header: FileHeader): RecordHeader {
  const { front } = input;
  const { u32 } = header;
  const at = input.at + ahead;
  const captured = u32(front, at + 8);
  const wire = u32(front, at + 12);
  const swap = header.lengthsMaySwap && captured > wire;
  return {
    sec: u32(front, at),
    fraction: u32(front, at + 4),
    captured: swap ? wire : captured,
    wire: swap ? captured : wire,
  };
}

function impossible(record: RecordHeader, header: FileHeader): string | undefined {
  if (record.captured > header.maxCaptured) {
    return `a record claims ${record.captured} captured bytes, more than the ${header.maxCaptured} there can be`;
  }
  // What a file looks like behind the place where its machine lost power.
  if (record.wire === 0 && record.captured === 0 && record.sec === 0 && record.fraction === 0) {
    return 'a record header of zeros only';
  }
  return undefined;
}

function believable(record: RecordHeader, header: FileHeader): boolean {
  return (
    record.captured <= header.maxCaptured &&
    record.wire > 0 &&
    record.wire <= MAX_RECORD_BYTES &&
    record.captured <= record.wire &&
    record.fraction < (header.nanoseconds ? 1_000_000_000 : 1_000_000)
  );
}
