/** Timelines as events: what a run knows of a capture beyond its single messages, for `wgwhy reduce` to judge. */
import type { KeySet } from '../analyze/key-set.ts';
import { indexText } from '../analyze/merge.ts';
import type { Share } from '../analyze/sharded-tracker.ts';
import type { Timeline } from '../analyze/timeline.ts';
import { encodeTimeline, type Piece } from '../analyze/timeline-code.ts';
import { keysMark } from '../analyze/timeline-marks.ts';
import type { TimelineEvent } from './event.ts';
import { scrubber } from './scrub.ts';

/** A line is some ten kilobytes then. */
const PIECES = 200;

export function* timelineEvents(
  timeline: Timeline,
  { share, of }: Share,
  tool: string,
  keys: KeySet,
): Generator<TimelineEvent> {
  const mark = keysMark(keys);
  // before it is checked: what is hidden in it later would be damage
  const clean = scrubber(keys);
  const pieces = clean(encodeTimeline(timeline, keys));
  for (let first = 0; first < pieces.length; first += PIECES) {
    const event = {
      schema: 'wgwhy/event/1',
      event: 'timeline',
      input: timeline.capture,
      shard: `${share + 1}/${of}`,
      tool,
      keys: mark,
      first,
      total: pieces.length,
      pieces: pieces.slice(first, first + PIECES),
    } as const;
    yield { ...event, check: checkOf(event) };
  }
}

const CHECKED = ['input', 'shard', 'tool', 'keys', 'first', 'total', 'pieces'] as const;

/** Tells damage, not malice. */
export function checkOf(event: Omit<TimelineEvent, 'check' | 'schema' | 'event'>): string {
  const text = JSON.stringify(CHECKED.map((name) => event[name]));
  let hash = 0;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x0100_0193) + i;
  return indexText(hash >>> 0);
}

/** One share of a capture, as far as its events came. */
export interface Part {
  /** The file of events. */
  readonly source: string;
  readonly input: string;
  readonly shard: string;
  readonly tool: string;
  readonly keys: string;
  readonly total: number;
  readonly pieces: Piece[];
}

/** Puts the events of one file together. */
export class Parts {
  readonly all: Part[] = [];
  readonly #source: string;

  constructor(source: string) {
    this.#source = source;
  }

  /** False where it does not go on from the one before. */
  add({ input, shard, tool, keys, first, total, pieces }: TimelineEvent): boolean {
    let part = this.all.at(-1);
    if (first === 0) {
      part = { source: this.#source, input, shard, tool, keys, total, pieces: [] };
      this.all.push(part);
    }
    if (part === undefined || part.input !== input || part.shard !== shard || part.pieces.length !== first)
      return false;
    for (const piece of pieces) part.pieces.push(piece);
    return true;
  }
}

/** Undefined where a line is none. */
export function parseTimelineEvent(line: string): TimelineEvent | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  return isTimelineEvent(value) && value.check === checkOf(value) ? value : undefined;
}

/** Of a line that cannot be read: another version may have other fields. */
export function writerOf(line: string): string | undefined {
  return /"tool":"([^"\\]*)"/.exec(line)?.[1];
}

function isTimelineEvent(value: unknown): value is TimelineEvent {
  if (typeof value !== 'object' || value === null) return false;
  const {
    schema,
    event,
    input,
    shard,
    tool,
    keys,
    first,
    total,
    pieces,
  }: Partial<Record<keyof TimelineEvent, unknown>> = value;
  if (
    schema !== 'wgwhy/event/1' ||
    event !== 'timeline' ||
    ![input, tool, keys].every((text) => typeof text === 'string')
  )
    return false;
  if (typeof shard !== 'string' || !/^[1-9][0-9]{0,5}\/[1-9][0-9]{0,5}$/.test(shard)) return false;
  const [share = 0, of = 0] = shard.split('/').map(Number);
  if (share > of) return false;
  if (typeof first !== 'number' || typeof total !== 'number' || !Array.isArray(pieces)) return false;
  return pieces.every(isPiece);
}

function isPiece(piece: unknown): piece is Piece {
  if (typeof piece !== 'object' || piece === null) return false;
  return Object.values(piece).every(
    (code: unknown) =>
      ['string', 'number', 'boolean'].includes(typeof code) ||
      code === null ||
      (Array.isArray(code) && code.every((number) => typeof number === 'number')),
  );
}
