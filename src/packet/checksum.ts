/** The sum behind the Internet checksum (RFC 1071), fast enough to be made for every packet. */
import type { Bytes } from '../base/bytes.ts';

/** Below this, a plain loop is done before words pay off. */
const WORDS_FROM_BYTES = 32;

/** Remembers the view of the buffer it read last: making one costs more than a short sum, and frames share buffers. */
export class Summer {
  #view: DataView = new DataView(new ArrayBuffer(0));

  /**
   * A number whose remainder by 65535 is that of the sum of the 16-bit words; an odd octet at the end is padded
   * with zero. Exact: 64 KiB of 32-bit words stay below 2⁴⁷.
   */
  sum(bytes: Bytes, from: number, to: number): number {
    let sum = 0;
    let at = from;
    if (to - from >= WORDS_FROM_BYTES) {
      if (this.#view.buffer !== bytes.buffer) this.#view = new DataView(bytes.buffer);
      const view = this.#view;
      const base = bytes.byteOffset;
      // 2³² is 1 modulo 65535, as 2¹⁶ is: adding 32-bit words is adding their halves.
      for (; at + 3 < to; at += 4) sum += view.getUint32(base + at);
    }
    for (; at + 1 < to; at += 2) sum += (bytes[at] ?? 0) * 256 + (bytes[at + 1] ?? 0);
    return at < to ? sum + (bytes[at] ?? 0) * 256 : sum;
  }
}
