/** Streaming DEFLATE decoder (RFC 1951): what was decoded before a cut or a fault is kept, and the end of the data is known. */
import { type Bytes, EMPTY } from '../base/bytes.ts';
import type { ByteQueue } from './byte-queue.ts';

// Differs: not DecompressionStream, which throws away decoded bytes when its input is cut, and in browsers refuses a
// second gzip member. A capture whose writer was killed is exactly such a file.

export type InflateStep =
  | { readonly kind: 'output'; readonly bytes: Bytes }
  | { readonly kind: 'need-input' }
  /** The last block has ended; the queue stands at the byte after it. */
  | { readonly kind: 'done' }
  | { readonly kind: 'fault'; readonly message: string; readonly cut: boolean };

const WINDOW_BYTES = 32_768;
const OUTPUT_BYTES = 131_072;
const LONGEST_MATCH = 258;
/** A literal or match takes at most 15 + 5 + 15 + 13 bits; up to 7 bits of the first byte may be used up. */
const SYMBOL_BITS = 48;
const SYMBOL_BYTES = 7;
/** A dynamic block's header takes at most 17 + 19 × 3 + 320 × 14 bits. */
const BLOCK_HEADER_BYTES = 570;

const LENGTH_BASE = [
  3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258,
];
const LENGTH_EXTRA = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];
const DISTANCE_EXTRA = [
  0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13,
];
const DISTANCE_BASE = DISTANCE_EXTRA.map((_, i) => (i < 2 ? i + 1 : ((2 + (i & 1)) << ((i >> 1) - 1)) + 1));
const CODE_LENGTH_ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/** `entries[next bits]` is `symbol << 4 | bits used`; 0 where no code begins so. */
interface HuffmanTable {
  readonly entries: Uint16Array;
  readonly mask: number;
}

/** Undefined for a code that no encoder makes: over-subscribed, or incomplete with more than one symbol. */
function huffmanTable(lengths: Uint8Array): HuffmanTable | undefined {
  const counts = new Uint16Array(16);
  let symbols = 0;
  let longest = 0;
  for (const length of lengths) {
    if (length === 0) continue;
    counts[length] = (counts[length] ?? 0) + 1;
    symbols++;
    if (length > longest) longest = length;
  }
  const nextCode = new Uint16Array(16);
  let code = 0;
  for (let bits = 1; bits <= longest; bits++) {
    nextCode[bits] = code;
    code += counts[bits] ?? 0;
    if (code > 1 << bits) return undefined;
    if (bits < longest) code <<= 1;
  }
  if (symbols > 1 && code !== 1 << longest) return undefined;
  const entries = new Uint16Array(1 << longest);
  for (const [symbol, length] of lengths.entries()) {
    if (length === 0) continue;
    const own = nextCode[length] ?? 0;
    nextCode[length] = own + 1;
    let reversed = 0;
    for (let bit = 0; bit < length; bit++) reversed |= ((own >>> bit) & 1) << (length - 1 - bit);
    for (let i = reversed; i < entries.length; i += 1 << length) entries[i] = (symbol << 4) | length;
  }
  return { entries, mask: entries.length - 1 };
}

/** RFC 1951 §3.2.6. */
const FIXED_LITERALS = huffmanTable(
  Uint8Array.from({ length: 288 }, (_, i) => (i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8)),
);
const FIXED_DISTANCES = huffmanTable(new Uint8Array(32).fill(5));

type Mode = 'block' | 'stored' | 'codes' | 'done';

const NEED_INPUT: InflateStep = { kind: 'need-input' };
const CUT: InflateStep = { kind: 'fault', message: 'the compressed data ends early', cut: true };

function fault(message: string): InflateStep {
  return { kind: 'fault', message, cut: false };
}

/** One DEFLATE stream. Give it the same queue at each step. */
export class Inflater {
  #mode: Mode = 'block';
  #lastBlock = false;
  #storedLeft = 0;
  #literals: HuffmanTable | undefined;
  #distances: HuffmanTable | undefined;
  /** Bits of the queue's first byte that are used up, 0 to 7. */
  #usedBits = 0;
  #out: Bytes = EMPTY;
  #outAt = 0;
  /** Bytes before this in `#out` were handed out. */
  #handedOut = 0;

  step(input: ByteQueue): InflateStep {
    for (;;) {
      if (this.#outAt + LONGEST_MATCH > this.#out.length) {
        if (this.#outAt > this.#handedOut) return this.#handOut();
        this.#newBuffer();
      }
      const stopped = this.#advance(input);
      if (stopped === undefined) continue;
      // What is decoded goes out before the reason for stopping.
      return this.#outAt > this.#handedOut ? this.#handOut() : stopped;
    }
  }

  #handOut(): InflateStep {
    const bytes = this.#out.subarray(this.#handedOut, this.#outAt);
    this.#handedOut = this.#outAt;
    return { kind: 'output', bytes };
  }

  /** A fresh buffer, as views into the old one are in use; it begins with the window. */
  #newBuffer(): void {
    const window = this.#out.subarray(Math.max(0, this.#outAt - WINDOW_BYTES), this.#outAt);
    this.#out = new Uint8Array(WINDOW_BYTES + OUTPUT_BYTES);
    this.#out.set(window);
    this.#outAt = window.length;
    this.#handedOut = window.length;
  }

  /** Undefined: call again, after making room for output. */
  #advance(input: ByteQueue): InflateStep | undefined {
    switch (this.#mode) {
      case 'block':
        return this.#blockHeader(input);
      case 'stored':
        return this.#stored(input);
      case 'codes':
        return this.#codes(input);
      case 'done':
        return { kind: 'done' };
    }
  }

  /** Takes `bits` from bit position `bit`, counted from the queue's first byte; what is not there reads as 0. */
  #peek(input: ByteQueue, bit: number, bits: number): number {
    const { front, end } = input;
    const at = input.at + (bit >>> 3);
    const low = at < end ? (front[at] ?? 0) : 0;
    const middle = at + 1 < end ? (front[at + 1] ?? 0) : 0;
    const high = at + 2 < end ? (front[at + 2] ?? 0) : 0;
    return ((low | (middle << 8) | (high << 16)) >>> (bit & 7)) & ((1 << bits) - 1);
  }

  #moveTo(input: ByteQueue, bit: number): void {
    input.skip(bit >>> 3);
    this.#usedBits = bit & 7;
  }

  #endBlock(input: ByteQueue): void {
    this.#mode = this.#lastBlock ? 'done' : 'block';
    if (this.#lastBlock && this.#usedBits > 0) this.#moveTo(input, 8);
  }

  #blockHeader(input: ByteQueue): InflateStep | undefined {
    if (!input.ensure(BLOCK_HEADER_BYTES, true) && !input.ended) {
      // The short kinds need not wait: a stream may pause behind them.
      const kind = this.#peek(input, this.#usedBits + 1, 2);
      if (input.available < 6 || kind === 2) return NEED_INPUT;
    }
    const bits = (input.end - input.at) * 8;
    let bit = this.#usedBits;
    const last = this.#peek(input, bit, 1) === 1;
    const kind = this.#peek(input, bit + 1, 2);
    bit += 3;
    if (bit > bits) return CUT;
    if (kind === 3) return fault('a block of the reserved kind');
    if (kind === 0) {
      bit = (bit + 7) & ~7;
      if (bit + 32 > bits) return CUT;
      const length = this.#peek(input, bit, 16);
      if ((length ^ this.#peek(input, bit + 16, 16)) !== 0xffff) return fault('a stored block whose length is damaged');
      this.#storedLeft = length;
      this.#mode = 'stored';
      bit += 32;
    } else if (kind === 1) {
      this.#literals = FIXED_LITERALS;
      this.#distances = FIXED_DISTANCES;
      this.#mode = 'codes';
    } else {
      const after = this.#dynamicCodes(input, bit, bits);
      if (typeof after !== 'number') return after;
      bit = after;
      this.#mode = 'codes';
    }
    this.#lastBlock = last;
    this.#moveTo(input, bit);
    return undefined;
  }

  /** Reads the two codes (RFC 1951 §3.2.7) and gives the bit position after them. */
  #dynamicCodes(input: ByteQueue, bit: number, bits: number): number | InflateStep {
    const literals = this.#peek(input, bit, 5) + 257;
    const distances = this.#peek(input, bit + 5, 5) + 1;
    const codeLengths = this.#peek(input, bit + 10, 4) + 4;
    bit += 14;
    const meta = new Uint8Array(19);
    for (let i = 0; i < codeLengths; i++, bit += 3) meta[CODE_LENGTH_ORDER[i] ?? 0] = this.#peek(input, bit, 3);
    if (bit > bits) return CUT;
    const table = huffmanTable(meta);
    if (literals > 286 || distances > 30 || table === undefined) return fault('a block with impossible code lengths');

    const lengths = new Uint8Array(literals + distances);
    for (let i = 0; i < lengths.length; ) {
      const entry = table.entries[this.#peek(input, bit, 15) & table.mask] ?? 0;
      bit += entry & 15;
      if (bit > bits) return CUT;
      if (entry === 0) return fault('a code length that is not in its code');
      const symbol = entry >>> 4;
      if (symbol < 16) {
        lengths[i++] = symbol;
        continue;
      }
      const extra = symbol === 16 ? 2 : symbol === 17 ? 3 : 7;
      const repeat = this.#peek(input, bit, extra) + (symbol === 18 ? 11 : 3);
      bit += extra;
      if (bit > bits) return CUT;
      if (i + repeat > lengths.length || (symbol === 16 && i === 0))
        return fault('code lengths that run past their end');
      lengths.fill(symbol === 16 ? (lengths[i - 1] ?? 0) : 0, i, i + repeat);
      i += repeat;
    }
    this.#literals = huffmanTable(lengths.subarray(0, literals));
    this.#distances = huffmanTable(lengths.subarray(literals));
    if (lengths[256] === 0 || this.#literals === undefined || this.#distances === undefined) {
      return fault('a block with an impossible code');
    }
    return bit;
  }

  #stored(input: ByteQueue): InflateStep | undefined {
    if (this.#storedLeft === 0) {
      this.#endBlock(input);
      return undefined;
    }
    if (!input.ensure(1)) return input.ended ? CUT : NEED_INPUT;
    const room = this.#out.length - this.#outAt;
    const length = Math.min(this.#storedLeft, input.end - input.at, room);
    this.#out.set(input.front.subarray(input.at, input.at + length), this.#outAt);
    this.#outAt += length;
    this.#storedLeft -= length;
    input.skip(length);
    return undefined;
  }

  #codes(input: ByteQueue): InflateStep | undefined {
    const { entries: literals, mask: literalMask } = this.#literals ?? { entries: new Uint16Array(1), mask: 0 };
    const { entries: distances, mask: distanceMask } = this.#distances ?? { entries: new Uint16Array(1), mask: 0 };
    const out = this.#out;
    const roomEnd = out.length - LONGEST_MATCH;
    if (!input.ensure(SYMBOL_BYTES, true) && !input.ended) return NEED_INPUT;

    const { front, at: base } = input;
    const bits = (input.end - base) * 8;
    const stopAt = input.ended && input.end - base === input.available ? bits : bits - SYMBOL_BITS;
    let bit = this.#usedBits;
    let outAt = this.#outAt;
    let stopped: InflateStep | undefined;
    while (bit <= stopAt && outAt <= roomEnd) {
      // 17 bits or more; behind the end of the input they are zeros, which the checks against `bits` catch.
      let at = base + (bit >>> 3);
      let ahead = ((front[at] ?? 0) | ((front[at + 1] ?? 0) << 8) | ((front[at + 2] ?? 0) << 16)) >>> (bit & 7);
      const entry = literals[ahead & literalMask] ?? 0;
      let used = entry & 15;
      const symbol = entry >>> 4;
      if (entry === 0 || bit + used > bits) {
        stopped = bits - bit < 15 ? CUT : fault('a symbol that is not in its code');
        break;
      }
      if (symbol < 256) {
        out[outAt++] = symbol;
        bit += used;
        continue;
      }
      if (symbol === 256) {
        this.#outAt = outAt;
        this.#moveTo(input, bit + used);
        this.#endBlock(input);
        return undefined;
      }
      const lengthExtra = LENGTH_EXTRA[symbol - 257] ?? 0;
      const length = (LENGTH_BASE[symbol - 257] ?? 0) + this.#peek(input, bit + used, lengthExtra);
      used += lengthExtra;
      at = base + ((bit + used) >>> 3);
      ahead = ((front[at] ?? 0) | ((front[at + 1] ?? 0) << 8) | ((front[at + 2] ?? 0) << 16)) >>> ((bit + used) & 7);
      const distanceEntry = distances[ahead & distanceMask] ?? 0;
      if (distanceEntry === 0) {
        stopped = bits - bit - used < 15 ? CUT : fault('a distance that is not in its code');
        break;
      }
      used += distanceEntry & 15;
      const distanceExtra = DISTANCE_EXTRA[distanceEntry >>> 4] ?? 0;
      const distance = (DISTANCE_BASE[distanceEntry >>> 4] ?? 0) + this.#peek(input, bit + used, distanceExtra);
      used += distanceExtra;
      if (bit + used > bits) {
        stopped = CUT;
        break;
      }
      if (symbol > 285 || distanceEntry >>> 4 > 29 || distance > outAt) {
        stopped = fault('a match that points nowhere');
        break;
      }
      for (let i = 0; i < length; i++, outAt++) out[outAt] = out[outAt - distance] ?? 0;
      bit += used;
    }
    this.#outAt = outAt;
    this.#moveTo(input, bit);
    return stopped;
  }
}
