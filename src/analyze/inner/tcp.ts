/** One direction of a TCP connection: what is sent again and never acknowledged, and what never came at all. */
import { LARGE_BYTES } from '../stall.ts';
import type { FrameId } from '../timeline.ts';
import { type InnerReader, TCP_ACK, TCP_FIN, TCP_SYN } from './read.ts';

/** A large segment that is sent again without ever being acknowledged. */
export interface Again {
  readonly sequence: number;
  /** Bytes of its inner packet. */
  readonly length: number;
  /** Sent again: once more than this in all. */
  times: number;
  readonly frames: FrameId[];
  /** Packets of the other direction since it was first sent again: the other host is there. */
  heard: number;
}

/** Sequence numbers that were passed over and have not come since. */
export interface Hole {
  from: number;
  readonly to: number;
  readonly at: FrameId;
}

export interface TcpSide {
  /** Maximum segment size that this end announces in its SYN. */
  mss: number | undefined;
  synAt: FrameId | undefined;
  syns: number;
  /** The sequence number after the greatest that was seen. */
  next: number | undefined;
  /** Large segments sent again, whether they arrived in the end or not. */
  sentAgain: number;
  again: Again | undefined;
  hole: Hole | undefined;
}

const FRAMES_KEPT = 8;

export function newTcpSide(): TcpSide {
  return {
    mss: undefined,
    synAt: undefined,
    syns: 0,
    next: undefined,
    sentAgain: 0,
    again: undefined,
    hole: undefined,
  };
}

/** `own` sent the segment in `reader`, `other` is the opposite direction. */
export function noteSegment(own: TcpSide, other: TcpSide, reader: InnerReader, at: FrameId): void {
  const { flags, sequence } = reader;
  const syn = (flags & TCP_SYN) !== 0;
  if (syn) {
    own.syns++;
    own.synAt ??= at;
    own.mss ??= reader.segmentSize();
  }
  const length = reader.payloadLength;
  const end = (sequence + length + (syn ? 1 : 0) + ((flags & TCP_FIN) !== 0 ? 1 : 0)) | 0;
  if (other.again !== undefined) other.again.heard++;
  if ((flags & TCP_ACK) !== 0) acknowledge(other, reader.acknowledged);
  if (own.next === undefined) {
    own.next = end;
    return;
  }
  const beyond = (sequence - own.next) | 0;
  if (beyond > 0) own.hole ??= { from: own.next, to: sequence, at };
  else if (own.hole !== undefined) fill(own, own.hole, sequence, end);
  if (((end - own.next) | 0) > 0) own.next = end;
  else if (length >= LARGE_BYTES) sentAgain(own, sequence, reader.packet.ipLength, at);
}

function acknowledge(side: TcpSide, upTo: number): void {
  if (side.again !== undefined && ((upTo - side.again.sequence) | 0) > 0) side.again = undefined;
  // it came by a way that was not captured
  if (side.hole !== undefined && ((upTo - side.hole.to) | 0) >= 0) side.hole = undefined;
}

function fill(side: TcpSide, hole: Hole, from: number, end: number): void {
  if (((from - hole.from) | 0) > 0 || ((end - hole.from) | 0) <= 0) return;
  hole.from = end;
  if (((hole.to - end) | 0) <= 0) side.hole = undefined;
}

function sentAgain(side: TcpSide, sequence: number, length: number, at: FrameId): void {
  side.sentAgain++;
  side.again ??= { sequence, length, times: 0, frames: [], heard: 0 };
  const { again } = side;
  if (again.sequence !== sequence) return;
  again.times++;
  if (again.frames.length < FRAMES_KEPT) again.frames.push(at);
}
