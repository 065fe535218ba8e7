/** What stands in for the original bytes: a keyed function of them, so that equal stays equal and nothing leads back. */
import { type Bytes, concat, EMPTY, utf8 } from '../../base/bytes.ts';
import { type Crypto, TAG } from '../../crypto/port.ts';

const BLOCK_BYTES = 16;

export class Veil {
  readonly #crypto: Crypto;
  readonly #key: Bytes;

  /** Of the same seed and the same input always the same; without the seed nothing can be tried. */
  constructor(crypto: Crypto, seed: Bytes) {
    this.#crypto = crypto;
    this.#key = crypto.hash(utf8('wgwhy anonymise'), seed);
  }

  /** 32 bytes. */
  of(label: string, ...parts: readonly Bytes[]): Bytes {
    return this.#crypto.hmac(this.#key, utf8(label), ...parts);
  }

  /**
   * As many bytes as there are, block by block: where two messages have the same bytes, or one of them is cut, the
   * veiled ones have the same bytes too.
   */
  sealed(bytes: Bytes): Bytes {
    const out = new Uint8Array(bytes.length);
    for (let at = 0; at < bytes.length; at += BLOCK_BYTES) {
      const block = bytes.subarray(at, at + BLOCK_BYTES);
      out.set(this.#crypto.mac(this.#key, block).subarray(0, block.length), at);
    }
    return out;
  }

  /** The same for many bytes: `name` tells this message from others, and altered bytes of it stay altered ones. */
  stream(name: Bytes, bytes: Bytes): Bytes {
    const sealed = this.#crypto.seal(this.of('stream', name), 0, 0, EMPTY, bytes);
    return sealed.subarray(0, sealed.length - TAG);
  }

  /** One bit that depends on the first `bits` bits of `bytes` alone. */
  bit(label: string, bytes: Bytes, bits: number): 0 | 1 {
    const head = bytes.slice(0, Math.ceil(bits / 8));
    const rest = bits & 7;
    if (rest !== 0) head[head.length - 1] = (head[head.length - 1] ?? 0) & (0xff << (8 - rest));
    return ((this.of(label, concat(head, Uint8Array.of(bits)))[0] ?? 0) & 1) === 1 ? 1 : 0;
  }
}
