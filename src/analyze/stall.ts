/** Recognises one large message that is sent again and again with growing gaps while small ones pass: a black hole’s shadow. */
import { msBetween } from '../base/time.ts';
import { WIRE_SIZE } from './classify.ts';
import type { FrameId, Half, Seen } from './timeline.ts';

/** The same size again, each time after about twice the wait: a TCP sender that hears nothing (RFC 6298 §5.5). */
export interface Stall {
  /** Wire length of the repeated message, bytes. */
  readonly length: number;
  readonly sent: FrameId[];
  /** Small messages that were answered before the latest repetition: the other end was alive all the while. */
  smallAnswered: number;
  answers: number;
  asked: boolean;
}

/** Smaller messages pass any path: nobody has an MTU below 576 (RFC 791 §3.1). */
export const LARGE_BYTES = 500;
/** A repetition, its first and two more, each after a longer wait. */
const REPETITIONS = 4;
/** Messages closer together than this left as one burst: no retransmission timer is that short. */
const BURST_MS = 100;
/** A wait to the one before it, of a timer that doubles (RFC 6298 §5.5). */
export const DOUBLING = { least: 1.7, most: 2.4 };
const SENT_KEPT = 12;
const STALLS_KEPT = 3;

/** Stalls that are evident: repeated often enough, and small messages were answered meanwhile. */
export function evidentStalls(half: Half): readonly Stall[] {
  const open = half.stall;
  return [...(half.stalls ?? []), ...(open !== undefined && evident(open) ? [open] : [])];
}

function evident({ sent, smallAnswered }: Stall): boolean {
  return sent.length >= REPETITIONS && smallAnswered > 0;
}

/** `half` carried this message. */
export function noteSent(half: Half, seen: Seen): void {
  const { stall } = half;
  if (seen.length < LARGE_BYTES) {
    if (stall !== undefined && seen.length > WIRE_SIZE.data) stall.asked = true;
    return;
  }
  if (stall === undefined || stall.length !== seen.length || !repeats(stall, seen)) {
    end(half);
    half.stall = { length: seen.length, sent: [seen.at], smallAnswered: 0, answers: 0, asked: false };
  }
}

/** Takes the message into the stall if it came when a retransmission would come. */
function repeats(stall: Stall, seen: Seen): boolean {
  const { sent } = stall;
  const last = sent[sent.length - 1];
  const before = sent[sent.length - 2];
  if (last === undefined) return false;
  const gap = msBetween(last.time, seen.at.time);
  if (before === undefined) {
    if (gap < BURST_MS) sent[0] = seen.at;
    else sent.push(seen.at);
  } else {
    const growth = gap / msBetween(before.time, last.time);
    if (!(growth >= DOUBLING.least && growth <= DOUBLING.most)) return false;
    if (sent.length < SENT_KEPT) sent.push(seen.at);
    else sent[sent.length - 1] = seen.at;
  }
  stall.smallAnswered = stall.answers;
  return true;
}

/** The other direction of `half` carried this message: an answer to something small, or to the large one after all. */
export function noteAnswer(half: Half, seen: Seen): void {
  const { stall } = half;
  if (stall === undefined || seen.length <= WIRE_SIZE.data) return;
  if (!stall.asked) {
    half.stall = undefined;
    return;
  }
  stall.asked = false;
  stall.answers++;
}

function end(half: Half): void {
  const { stall } = half;
  if (stall === undefined || !evident(stall)) return;
  half.stalls ??= [];
  if (half.stalls.length < STALLS_KEPT) half.stalls.push(stall);
}
