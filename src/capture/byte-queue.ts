/** A pull buffer over chunks: gives views into them and copies only what straddles two of them. */
import { type Bytes, concat, EMPTY } from '../base/bytes.ts';

/**
 * The front window is `front[at, end)`; what lies behind it waits in a tail. Bytes once in a window are never
 * overwritten, so views stay good as long as the chunks do. The work is linear in the bytes pushed: an exact
 * {@link ensure} copies at most what it asks for, a greedy one grows its buffer by doubling.
 */
export class ByteQueue {
  front: Bytes = EMPTY;
  at = 0;
  end = 0;
  /** Offset of `front[at]` in the whole input, bytes. */
  offset = 0;
  /** No more chunks will come. */
  ended = false;
  /** Bytes copied so far: what the tests count instead of time. */
  copied = 0;
  #tail: Bytes = EMPTY;
  /** Whether `front` is ours to append to, up to its length. */
  #owned = false;

  get available(): number {
    return this.end - this.at + this.#tail.length;
  }

  push(chunk: Bytes): void {
    if (this.#tail.length === 0) this.#tail = chunk;
    else {
      this.copied += this.#tail.length + chunk.length;
      this.#tail = concat(this.#tail, chunk);
    }
  }

  finish(): void {
    this.ended = true;
  }

  /**
   * Makes `front[at, at + n)` contiguous; false when fewer than `n` bytes are here. `greedy` draws in all that is
   * here: for readers that look ahead by amounts they cannot name, and would otherwise creep forward by copies.
   */
  ensure(n: number, greedy = false): boolean {
    const have = this.end - this.at;
    if (have >= n) return true;
    if (this.#tail.length === 0) return false;
    if (have === 0) {
      this.front = this.#tail;
      this.at = 0;
      this.end = this.#tail.length;
      this.#tail = EMPTY;
      this.#owned = false;
      return this.end >= n;
    }
    const take = greedy ? this.#tail.length : Math.min(n - have, this.#tail.length);
    this.#append(this.#tail.subarray(0, take), greedy ? 2 * (have + take) : Math.max(n, have + take));
    this.#tail = take === this.#tail.length ? EMPTY : this.#tail.subarray(take);
    return have + take >= n;
  }

  /** Drops `n` bytes; `n` must not exceed {@link available}. */
  skip(n: number): void {
    this.offset += n;
    const have = this.end - this.at;
    if (n <= have) this.at += n;
    else {
      this.at = this.end;
      this.#tail = this.#tail.subarray(n - have);
    }
  }

  #append(bytes: Bytes, capacity: number): void {
    if (!this.#owned || this.end + bytes.length > this.front.length) {
      const have = this.end - this.at;
      const grown = new Uint8Array(capacity);
      grown.set(this.front.subarray(this.at, this.end));
      this.copied += have;
      this.front = grown;
      this.at = 0;
      this.end = have;
      this.#owned = true;
    }
    this.front.set(bytes, this.end);
    this.end += bytes.length;
    this.copied += bytes.length;
  }
}
