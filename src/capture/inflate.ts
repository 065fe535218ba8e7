/** One DEFLATE stream (RFC 1951), unpacked by pako: what was decoded before a cut or a fault is kept, and its end is known. */
import { Z_BUF_ERROR, Z_NO_FLUSH, Z_OK, Z_STREAM_END, ZStream, zlibInflate, zlibInflateInit2 } from 'pako';
import type { Bytes } from '../base/bytes.ts';
import type { ByteQueue } from './byte-queue.ts';

// Differs: not DecompressionStream, which throws away decoded bytes when its input is cut, and in browsers refuses a
// second gzip member. A capture whose writer was killed is exactly such a file.

export type InflateStep =
  | { readonly kind: 'output'; readonly bytes: Bytes }
  | { readonly kind: 'need-input' }
  /** The last block has ended; the queue stands at the byte after it. */
  | { readonly kind: 'done' }
  | { readonly kind: 'fault'; readonly message: string; readonly cut: boolean };

const OUTPUT_BYTES = 65_536;
/** Less room than this makes a poor chunk: a new buffer is begun. */
const LEAST_ROOM = 4096;
/** zlib's word for no header and trailer around the data, and the largest window. */
const RAW_WINDOW_BITS = -15;

/** Give it the same queue at each step. A step hands out at most one buffer, so that a bomb builds up nowhere. */
export class Inflater {
  readonly #stream = new ZStream();
  #status: number = zlibInflateInit2(this.#stream, RAW_WINDOW_BITS);

  step(input: ByteQueue): InflateStep {
    if (this.#status === Z_OK) {
      const bytes = this.#inflate(input);
      // What is decoded goes out before the reason for stopping.
      if (bytes.length > 0) return { kind: 'output', bytes };
    }
    if (this.#status === Z_STREAM_END) return { kind: 'done' };
    if (this.#status !== Z_OK) return { kind: 'fault', message: this.#stream.msg, cut: false };
    if (input.ended) return { kind: 'fault', message: 'the compressed data ends early', cut: true };
    return { kind: 'need-input' };
  }

  /** Decodes until there is output, or nothing more can be done now. */
  #inflate(input: ByteQueue): Bytes {
    const stream = this.#stream;
    // Fresh buffers, as views into the old one are in use.
    if (stream.avail_out < LEAST_ROOM) {
      stream.output = new Uint8Array(OUTPUT_BYTES);
      stream.next_out = 0;
      stream.avail_out = OUTPUT_BYTES;
    }
    const from = stream.next_out;
    while (this.#status === Z_OK && stream.next_out === from) {
      input.ensure(1);
      stream.input = input.front;
      stream.next_in = input.at;
      stream.avail_in = input.end - input.at;
      const status = zlibInflate(stream, Z_NO_FLUSH);
      input.skip(stream.next_in - input.at);
      if (status === Z_BUF_ERROR) break; // no progress, which is no fault: more input may come
      this.#status = status;
    }
    return stream.output.subarray(from, stream.next_out);
  }
}
