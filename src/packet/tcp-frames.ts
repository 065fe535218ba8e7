/** Datagrams in a stream, each behind its length in two bytes (Mullvad’s udp-over-tcp); only those of WireGuard are looked for. */
import { type Bytes, copy, EMPTY, u8, u16be, u32le } from '../base/bytes.ts';

const PREFIX_BYTES = 2;
const DATA_LEAST_BYTES = 32;
const DATA_HEADER_BYTES = 16;
/** By message type; data has no one length (wp §5.4). */
const HANDSHAKE_BYTES: readonly number[] = [0, 148, 92, 64];
const DATA = 4;

/** Length, type word, and for data a counter below 2^40: seven bytes or more that are no chance. */
export function beginsFrame(bytes: Bytes, at: number, end: number): boolean {
  if (end - at < PREFIX_BYTES + 4 || u8(bytes, at + 3) !== 0) return false;
  const length = u16be(bytes, at);
  const type = u32le(bytes, at + PREFIX_BYTES);
  if (type !== DATA) return type > 0 && length === HANDSHAKE_BYTES[type];
  const header = at + PREFIX_BYTES;
  if (length < DATA_LEAST_BYTES || header + DATA_HEADER_BYTES > end) return false;
  return u32le(bytes, header + 12) >>> 8 === 0;
}

/** Splits one direction of a stream, given in order. */
export class FrameSplitter {
  /** The frame under way, with its length: what of it has come. */
  #part: Bytes = EMPTY;
  #have = 0;
  /** Of a frame that was handed out as far as it was captured: what is still to come. */
  #skip = 0;
  /** False once it was no such frame that stood where one should: nothing more is read until one begins a segment. */
  inStep = true;

  /** `missing`: how many bytes behind these were on the wire, but not captured. */
  feed(bytes: Bytes, missing: number, emit: (frame: Bytes, length: number) => void): void {
    let at = Math.min(this.#skip, bytes.length);
    this.#skip -= at;
    while (at < bytes.length && this.inStep) at = this.#next(bytes, at, emit);
    if (missing > 0 && this.inStep) this.#pass(missing, emit);
  }

  /** Forgets what was under way. */
  restart(): void {
    this.#part = EMPTY;
    this.#have = 0;
    this.#skip = 0;
    this.inStep = true;
  }

  #next(bytes: Bytes, at: number, emit: (frame: Bytes, length: number) => void): number {
    const rest = bytes.length - at;
    if (this.#have === 0) {
      const size = rest < PREFIX_BYTES ? 0 : PREFIX_BYTES + u16be(bytes, at);
      if (size > 0 && rest >= size) {
        if (!beginsFrame(bytes, at, at + size)) this.inStep = false;
        else emit(bytes.subarray(at + PREFIX_BYTES, at + size), size - PREFIX_BYTES);
        return at + size;
      }
    }
    const wanted = this.#wanted();
    const n = Math.min(wanted - this.#have, rest);
    this.#keep(bytes, at, n, wanted);
    if (this.inStep && this.#have === wanted && wanted > PREFIX_BYTES) this.#finish(emit);
    return at + n;
  }

  /** Up to where the frame under way is to be filled: first its length, then all of it. */
  #wanted(): number {
    return this.#have < PREFIX_BYTES ? PREFIX_BYTES : PREFIX_BYTES + u16be(this.#part, 0);
  }

  #keep(bytes: Bytes, at: number, n: number, wanted: number): void {
    if (this.#part.length < wanted) {
      const grown = new Uint8Array(wanted);
      grown.set(this.#part);
      this.#part = grown;
    }
    this.#part.set(bytes.subarray(at, at + n), this.#have);
    const before = this.#have;
    this.#have += n;
    if (this.#have < PREFIX_BYTES) return;
    // as soon as its header is there: what its length says may never come
    const header = Math.min(this.#wanted(), PREFIX_BYTES + DATA_HEADER_BYTES);
    if (before < header && this.#have >= header) this.inStep = beginsFrame(this.#part, 0, this.#have);
  }

  #finish(emit: (frame: Bytes, length: number) => void): void {
    emit(copy(this.#part, PREFIX_BYTES, this.#have), this.#wanted() - PREFIX_BYTES);
    this.#part = EMPTY;
    this.#have = 0;
  }

  /** The capture cut the segment: the frame under way is handed out as far as it came, if its end can be told. */
  #pass(missing: number, emit: (frame: Bytes, length: number) => void): void {
    const left = Math.min(this.#skip, missing);
    this.#skip -= left;
    missing -= left;
    if (missing === 0) return;
    const size = this.#wanted();
    if (this.#have < PREFIX_BYTES || missing > size - this.#have) {
      this.inStep = false;
      return;
    }
    this.#skip = size - this.#have - missing;
    if (this.#have >= PREFIX_BYTES + DATA_HEADER_BYTES) this.#finish(emit);
    else this.inStep = false;
  }
}
