/** Data that goes one way only: its receiver takes it, says so with keepalives, and never sends data of its own. */
import type { Endpoint } from '../base/address.ts';
import { msBetween, type Time } from '../base/time.ts';
import { KEEPALIVE_TIMEOUT_MS } from '../wg/constants.ts';
import { WIRE_SIZE } from './classify.ts';
import { DOUBLING } from './stall.ts';
import type { FrameId, PairId, Seen } from './timeline.ts';

/** From the first data of one end that the other does not answer, to the first data of the other, or the end. */
export interface OneWay {
  readonly pair: PairId;
  readonly senderName: string;
  readonly sender: Endpoint;
  readonly target: Endpoint;
  readonly first: FrameId;
  last: FrameId;
  packets: number;
  readonly frames: FrameId[];
  /** Data messages of the other end before it. */
  readonly answersBefore: number;
  /**
   * Keepalives of the other end, each KEEPALIVE_TIMEOUT after data: only who took that data and had nothing to send
   * sends one (wp §6.5).
   */
  readonly taken: FrameId[];
  /** The most messages in a row that repeat as questions do: of one size, at even intervals (ping) or doubling ones (TCP). */
  asking: number;
  /** UDP payload of these, bytes, and the interval of the last two. */
  askingLength: number;
  askingMs: number;
  /** Data of the other end that ended it. */
  end: FrameId | undefined;
}

/** Of an end that has sent data: what its current one-way stretch is made of. */
interface State {
  data: number;
  current: OneWay | undefined;
  /** First data that the other end has sent nothing since. */
  owed: Time | undefined;
  readonly rhythm: Rhythm;
}

/** Recognises repetition: each message of the length of the one before, and each gap as long, or twice as long. */
interface Rhythm {
  length: number;
  last: Time | undefined;
  gapMs: number;
  kind: 'even' | 'doubling' | undefined;
  count: number;
}

const FRAMES_KEPT = 12;
const KEPT = 500;
const PAIRS_LIMIT = 20_000;
/** A keepalive is due after ten seconds; before it data may have been owed for one more, as timers are set anew. */
const DUE_MS = { least: KEEPALIVE_TIMEOUT_MS - 1100, most: KEEPALIVE_TIMEOUT_MS + 1600 };
/** Shorter gaps are bursts. */
const LEAST_GAP_MS = 150;
const EVEN = 0.05;

export class OneWays {
  readonly #pairs = new Map<PairId, Map<string, State>>();
  readonly #ended: OneWay[] = [];

  packet(pair: PairId, from: string, to: string, seen: Seen): void {
    let states = this.#pairs.get(pair);
    if (states === undefined) {
      if (this.#pairs.size >= PAIRS_LIMIT) return;
      states = new Map();
      this.#pairs.set(pair, states);
    }
    const carries = seen.kind === 'data' && seen.length > WIRE_SIZE.data;
    const other = states.get(to);
    if (other !== undefined) this.#heard(other, seen, carries);
    if (!carries) return;
    let own = states.get(from);
    if (own === undefined) {
      own = { data: 0, current: undefined, owed: undefined, rhythm: newRhythm() };
      states.set(from, own);
    }
    own.data++;
    own.owed ??= seen.at.time;
    own.current ??= begin(pair, from, seen, other?.data ?? 0);
    extend(own.current, own.rhythm, seen);
  }

  /** Those that ended and meant something, and those that last. */
  get all(): readonly OneWay[] {
    const lasting = [...this.#pairs.values()].flatMap((states) =>
      [...states.values()].flatMap(({ current }) => (current !== undefined && means(current) ? [current] : [])),
    );
    return [...this.#ended, ...lasting];
  }

  /** The other end sent this message. */
  #heard(state: State, seen: Seen, carries: boolean): void {
    const { current, owed } = state;
    if (current !== undefined && carries) {
      state.current = undefined;
      state.rhythm.count = 0;
      state.rhythm.last = undefined;
      current.end = seen.at;
      if (means(current) && this.#ended.length < KEPT) this.#ended.push(current);
    } else if (current !== undefined && owed !== undefined && seen.kind === 'data') {
      const afterMs = msBetween(owed, seen.at.time);
      const due = afterMs >= DUE_MS.least && afterMs <= DUE_MS.most;
      if (due && current.taken.length < FRAMES_KEPT) current.taken.push(seen.at);
    }
    state.owed = undefined;
  }
}

function means({ packets, taken }: OneWay): boolean {
  return packets > 2 && taken.length > 0;
}

function begin(pair: PairId, senderName: string, seen: Seen, answersBefore: number): OneWay {
  return {
    pair,
    senderName,
    sender: seen.from,
    target: seen.to,
    first: seen.at,
    last: seen.at,
    packets: 0,
    frames: [],
    answersBefore,
    taken: [],
    asking: 0,
    askingLength: 0,
    askingMs: 0,
    end: undefined,
  };
}

function newRhythm(): Rhythm {
  return { length: 0, last: undefined, gapMs: 0, kind: undefined, count: 0 };
}

function extend(stretch: OneWay, rhythm: Rhythm, seen: Seen): void {
  stretch.packets++;
  stretch.last = seen.at;
  if (stretch.frames.length < FRAMES_KEPT) stretch.frames.push(seen.at);
  beat(rhythm, seen);
  if (rhythm.count <= stretch.asking) return;
  stretch.asking = rhythm.count;
  stretch.askingLength = seen.length;
  stretch.askingMs = rhythm.gapMs;
}

function beat(rhythm: Rhythm, { at, length }: Seen): void {
  const gapMs = rhythm.last === undefined || length !== rhythm.length ? 0 : msBetween(rhythm.last, at.time);
  const kind = rhythm.count < 2 ? undefined : likeness(rhythm.gapMs, gapMs);
  if (gapMs < LEAST_GAP_MS) rhythm.count = 1;
  else if (rhythm.count < 2) rhythm.count = 2;
  else if (kind === undefined || (rhythm.count > 2 && kind !== rhythm.kind)) rhythm.count = 2;
  else rhythm.count++;
  rhythm.kind = kind;
  rhythm.length = length;
  rhythm.last = at.time;
  rhythm.gapMs = gapMs;
}

function likeness(beforeMs: number, gapMs: number): Rhythm['kind'] {
  const growth = gapMs / beforeMs;
  if (Math.abs(growth - 1) <= EVEN) return 'even';
  return growth >= DOUBLING.least && growth <= DOUBLING.most ? 'doubling' : undefined;
}
