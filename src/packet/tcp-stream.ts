/** One direction of a TCP connection, put in order in bounded memory: retransmissions and overlaps dropped, gaps waited for. */
import { type Bytes, copy, EMPTY } from '../base/bytes.ts';
import { msBetween, type Time } from '../base/time.ts';
import type { Datagram } from './datagram.ts';
import { beginsFrame, FrameSplitter } from './tcp-frames.ts';

/** What a datagram of the stream is said to have come in. */
type Carrier = Omit<Datagram, 'bytes' | 'length'>;

export interface Segment {
  readonly sequence: number;
  readonly bytes: Bytes;
  /** On the wire. */
  readonly length: number;
  readonly carrier: Carrier;
}

/** Segments that wait for one before them. */
const WAITING_LIMIT = 64;
const WAITING_BYTES = 256 * 1024;
/** A lost segment is sent again sooner than this (RFC 6298 §2.4): later it is the capture that lost it. */
const WAITING_MS = 1500;

export class TcpStream {
  readonly #frames = new FrameSplitter();
  /** The next byte's number; undefined while it is not known where a frame begins. */
  #next: number | undefined;
  /** In order of sequence, all of them beyond `#next`. */
  readonly #waiting: Segment[] = [];
  #waitingBytes = 0;

  /** Datagrams that this segment completes, and those that it released, into `out`. */
  push(segment: Segment, out: Datagram[]): void {
    const late = this.#waiting[0];
    if (late !== undefined && isOld(late, segment)) this.#jump(out);
    if (this.#next === undefined) {
      if (!beginsFrame(segment.bytes, 0, segment.bytes.length)) return;
      this.#next = segment.sequence;
    }
    if (ahead(segment, this.#next) > 0) {
      this.#hold(segment, this.#next);
      if (this.#waiting.length > WAITING_LIMIT || this.#waitingBytes > WAITING_BYTES) this.#jump(out);
      return;
    }
    this.#take(segment, out);
    this.#drain(out);
  }

  /** Nothing more comes: what waits is read from where a frame begins. */
  flush(out: Datagram[]): void {
    while (this.#waiting.length > 0) this.#jump(out);
  }

  #take({ sequence, bytes, length, carrier }: Segment, out: Datagram[]): void {
    if (this.#next === undefined) return;
    const seen = (this.#next - sequence) | 0;
    if (seen >= length) return;
    this.#next = (sequence + length) >>> 0;
    const fresh = bytes.subarray(Math.min(seen, bytes.length));
    const missing = length - Math.max(seen, bytes.length);
    this.#frames.feed(fresh, missing, (frame, size) => {
      out.push({ ...carrier, bytes: frame, length: size });
    });
    if (!this.#frames.inStep) this.#lose();
  }

  #drain(out: Datagram[]): void {
    for (let first = this.#waiting[0]; first !== undefined; first = this.#waiting[0]) {
      if (this.#next === undefined || ahead(first, this.#next) > 0) return;
      this.#waiting.shift();
      this.#waitingBytes -= first.bytes.length;
      this.#take(first, out);
    }
  }

  #hold(segment: Segment, next: number): void {
    const distance = ahead(segment, next);
    const after = this.#waiting.findIndex((other) => ahead(other, next) >= distance);
    const at = after < 0 ? this.#waiting.length : after;
    const known = this.#waiting[at];
    if (known !== undefined && known.sequence === segment.sequence && known.length >= segment.length) return;
    const { carrier } = segment;
    const frame = { ...carrier.frame, bytes: EMPTY };
    this.#waiting.splice(at, 0, { ...segment, bytes: copy(segment.bytes), carrier: { ...carrier, frame } });
    this.#waitingBytes += segment.bytes.length;
  }

  /** Over the gap, to the first segment that begins a frame. */
  #jump(out: Datagram[]): void {
    this.#lose();
    for (let first = this.#waiting.shift(); first !== undefined; first = this.#waiting.shift()) {
      this.#waitingBytes -= first.bytes.length;
      if (!beginsFrame(first.bytes, 0, first.bytes.length)) continue;
      this.#next = first.sequence;
      this.#take(first, out);
      this.#drain(out);
      if (this.#next !== undefined) return;
    }
  }

  #lose(): void {
    this.#next = undefined;
    this.#frames.restart();
  }
}

/** How far beyond the byte that is next, modulo 2^32. */
function ahead({ sequence }: Segment, next: number): number {
  return (sequence - next) | 0;
}

function isOld({ carrier }: Segment, now: Segment): boolean {
  const [since, until]: (Time | undefined)[] = [carrier.frame.time, now.carrier.frame.time];
  return since !== undefined && until !== undefined && msBetween(since, until) > WAITING_MS;
}
