/** Cuts what comes over a control socket into requests: each ends with an empty line, wherever the pieces were cut. */

/** The lines of a request without the empty one, or that they were too many to keep. */
export type RawRequest = { readonly kind: 'request'; readonly text: string } | { readonly kind: 'too-large' };

const LF = 0x0a;
const CR = 0x0d;

/**
 * Keeps no more than `maxBytes`. Of a larger request the rest is passed over and not refused at once: `wg` writes all
 * of it before it reads, and closing on it would end it by SIGPIPE, without a word.
 */
export class RequestCutter {
  readonly #maxBytes: number;
  #kept: Uint8Array[] = [];
  #keptBytes = 0;
  #tooLarge = false;
  /** Of the line under way, which may have begun in an earlier piece. */
  #lineBytes = 0;
  #lastByte = LF;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** What was begun and not ended is kept for the next piece; what is never ended is never done. */
  *push(piece: Uint8Array): Generator<RawRequest> {
    let start = 0;
    for (let from = 0; ; ) {
      const at = piece.indexOf(LF, from);
      if (at < 0) {
        if (piece.length > from) {
          this.#lineBytes += piece.length - from;
          this.#lastByte = piece[piece.length - 1] ?? LF;
        }
        break;
      }
      const bytes = this.#lineBytes + at - from;
      const last = at > from ? piece[at - 1] : this.#lastByte;
      this.#lineBytes = 0;
      from = at + 1;
      if (bytes > 1 || (bytes === 1 && last !== CR)) continue;
      this.#keep(piece.subarray(start, at));
      start = from;
      yield this.#take();
    }
    this.#keep(piece.subarray(start));
  }

  #keep(bytes: Uint8Array): void {
    if (this.#keptBytes + bytes.length > this.#maxBytes) {
      this.#tooLarge = true;
      this.#kept = [];
    }
    if (this.#tooLarge || bytes.length === 0) return;
    this.#kept.push(bytes);
    this.#keptBytes += bytes.length;
  }

  #take(): RawRequest {
    const request: RawRequest = this.#tooLarge
      ? { kind: 'too-large' }
      : { kind: 'request', text: Buffer.concat(this.#kept).toString('latin1').replace(/\r$/, '') };
    this.#kept = [];
    this.#keptBytes = 0;
    this.#tooLarge = false;
    return request;
  }
}
