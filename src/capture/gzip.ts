/** Reading gzip (RFC 1952): several members, checksums, and what was readable before a cut. */
import { type Bytes, u8, u16le, u32le } from '../base/bytes.ts';
import { ByteQueue } from './byte-queue.ts';
import { Inflater } from './inflate.ts';
import type { SourceDamage } from './item-parser.ts';

const FLAG_HEADER_CRC = 2;
const FLAG_EXTRA = 4;
const FLAG_NAME = 8;
const FLAG_COMMENT = 16;
/** File names and comments longer than this are not believed. */
const MAX_TEXT_BYTES = 4096;

export interface GunzippedSource {
  readonly chunks: AsyncIterable<Bytes>;
  /** Known once `chunks` has ended. */
  readonly damage: () => SourceDamage | undefined;
}

/** Never throws over the bytes; what the source throws passes through. */
export function gunzip(source: AsyncIterable<Bytes>): GunzippedSource {
  const members = new MemberReader();
  return { chunks: inflated(source, members), damage: () => members.damage };
}

async function* inflated(source: AsyncIterable<Bytes>, members: MemberReader): AsyncGenerator<Bytes> {
  const input = new ByteQueue();
  for await (const chunk of source) {
    if (chunk.length === 0) continue;
    input.push(chunk);
    yield* members.read(input);
    if (members.finished) return;
  }
  input.finish();
  yield* members.read(input);
}

type State = 'header' | 'data' | 'trailer' | 'finished';

class MemberReader {
  damage: SourceDamage | undefined;
  #state: State = 'header';
  #inflater = new Inflater();
  #members = 0;
  #crc = 0;
  /** Bytes of this member, modulo 2^32, and of all of them. */
  #size = 0;
  #written = 0;

  get finished(): boolean {
    return this.#state === 'finished';
  }

  /** All that can be decoded now. */
  *read(input: ByteQueue): Generator<Bytes> {
    for (;;) {
      if (this.#state === 'data') {
        const step = this.#inflater.step(input);
        if (step.kind === 'need-input') return;
        if (step.kind === 'output') {
          this.#count(step.bytes);
          yield step.bytes;
        } else if (step.kind === 'done') this.#state = 'trailer';
        else this.#stop(step.cut ? 'gzip-truncated' : 'gzip-damaged', step.message, true);
      } else {
        const went = this.#state === 'header' ? this.#header(input) : this.#state === 'trailer' && this.#trailer(input);
        if (!went) return;
      }
    }
  }

  #count(bytes: Bytes): void {
    this.#crc = crc32(bytes, this.#crc);
    this.#size = (this.#size + bytes.length) >>> 0;
    this.#written += bytes.length;
  }

  #stop(kind: SourceDamage['kind'], message: string, cut: boolean): void {
    this.#note(kind, message, cut);
    this.#state = 'finished';
  }

  /** The first damage is the one that is told; a cut is told in any case. */
  #note(kind: SourceDamage['kind'], message: string, cut: boolean): void {
    if (this.damage !== undefined && !cut) return;
    this.damage = { kind, message, offset: this.#written, cut };
  }

  /** False when nothing more can be done now. */
  #header(input: ByteQueue): boolean {
    if (input.ended && input.available === 0) {
      this.#state = 'finished';
      return false;
    }
    const length = memberHeaderLength(input);
    if (length === 'more') {
      if (!input.ended) return false;
      this.#stop('gzip-truncated', 'the compressed data ends early', true);
    } else if (length !== 'none') {
      input.skip(length);
      this.#inflater = new Inflater();
      this.#crc = 0;
      this.#size = 0;
      this.#members++;
      this.#state = 'data';
      return true;
    } else if (this.#members === 0) this.#stop('gzip-damaged', 'no gzip header', true);
    else if (u8(input.front, input.at) === 0) {
      input.skip(1); // tapes and block devices pad with zeros, and gzip takes that
      return true;
    } else this.#stop('gzip-damaged', 'bytes behind the compressed data that are not gzip were left out', false);
    return false;
  }

  #trailer(input: ByteQueue): boolean {
    if (!input.ensure(8)) {
      if (input.ended) this.#stop('gzip-truncated', 'the compressed data ends before its checksum', true);
      return false;
    }
    const { front, at } = input;
    if (u32le(front, at) !== this.#crc)
      this.#note('gzip-damaged', 'the checksum of the compressed data is wrong', false);
    else if (u32le(front, at + 4) !== this.#size)
      this.#note('gzip-damaged', 'the length of the compressed data is wrong', false);
    input.skip(8);
    this.#state = 'header';
    return true;
  }
}

/** Looks only; leaves the header in the queue. */
function memberHeaderLength(input: ByteQueue): number | 'more' | 'none' {
  if (!input.ensure(1)) return 'more';
  if (u8(input.front, input.at) !== 0x1f) return 'none';
  if (!input.ensure(10)) return 'more';
  const flags = u8(input.front, input.at + 3);
  if (u8(input.front, input.at + 1) !== 0x8b || u8(input.front, input.at + 2) !== 8 || flags >= 32) return 'none';
  let length = 10;
  if ((flags & FLAG_EXTRA) !== 0) {
    if (!input.ensure(length + 2, true)) return 'more';
    length += 2 + u16le(input.front, input.at + length);
  }
  for (const flag of [FLAG_NAME, FLAG_COMMENT]) {
    if ((flags & flag) === 0) continue;
    const limit = length + MAX_TEXT_BYTES;
    do {
      if (length >= limit) return 'none';
      if (!input.ensure(length + 1, true)) return 'more';
    } while (u8(input.front, input.at + length++) !== 0);
  }
  if ((flags & FLAG_HEADER_CRC) !== 0) length += 2;
  return input.ensure(length, true) ? length : 'more';
}

const CRC_TABLE = Int32Array.from({ length: 256 }, (_, value) => {
  for (let bit = 0; bit < 8; bit++) value = (value & 1) !== 0 ? (value >>> 1) ^ 0xedb8_8320 : value >>> 1;
  return value;
});

/** CRC-32 of gzip (RFC 1952 §8), continued from `before`. */
export function crc32(bytes: Bytes, before = 0): number {
  let crc = ~before;
  for (let i = 0; i < bytes.length; i++) crc = (crc >>> 8) ^ (CRC_TABLE[(crc ^ (bytes[i] ?? 0)) & 0xff] ?? 0);
  return ~crc >>> 0;
}
