/**
 * Which moment of a capture a log line speaks of: its clock may be of any zone, lack the year or the day, or count from
 * the start of the machine. What both saw tells: the initiations and responses that the log names.
 */
import { countBefore } from '../base/sorted.ts';
import { msBetween, type Time } from '../base/time.ts';
import type { LogEvent } from '../config/log/event.ts';
import type { LogTime } from '../config/log/time.ts';
import type { MessageKind } from '../wg/drop.ts';
import type { Seen, Timeline } from './timeline.ts';

/** A log laid beside a capture. */
export interface LogView {
  readonly timeline: Timeline;
  /** Milliseconds after the capture’s first frame, for each event that has a time. */
  readonly at: ReadonlyMap<LogEvent, number>;
  /** The message that an event speaks of. */
  readonly frames: ReadonlyMap<LogEvent, Seen>;
  /** All handshake messages of the capture, in the order of time. */
  readonly messages: readonly { readonly seen: Seen; readonly ms: number }[];
}

/** Zones are whole quarters of an hour away from UTC. */
const QUARTER_MS = 900_000;
const FARTHEST_ZONE_MS = 14 * 3_600_000;
/** How far the clocks of two machines in step, or of a log and a capture of one machine, are apart at most. */
const SKEW_MS = 2000;
/** Most logs have whole seconds, cut off. */
const CUT_MS = 1000;
const SLACK_MS = 150;
const DAY_MS = 86_400_000;
/** Of each, for the search: a handshake takes a handful of lines. */
const MOST_EVENTS = 200;
const MOST_FRAMES = 600;

interface Told {
  readonly event: LogEvent;
  readonly kind: MessageKind;
  readonly ms: number;
}

interface Shown {
  readonly seen: Seen;
  readonly ms: number;
}

/** undefined where nothing shows that they belong together, or where two ways of laying them are as good. */
export function alignLog(log: readonly LogEvent[], timeline: Timeline): LogView | undefined {
  const { first, timed } = timeline;
  if (first === undefined || !timed) return undefined;
  const naive = naiveTimes(log, first.time);
  const told = log.flatMap((event): Told[] => {
    const kind = messageOf(event);
    const ms = naive.get(event);
    return kind === undefined || ms === undefined ? [] : [{ event, kind, ms }];
  });
  const shown = messagesOf(timeline, first.time);
  const counted = log.some(({ time }) => time?.kind === 'boot');
  const offset = bestOffset(told.slice(0, MOST_EVENTS), shown.slice(0, MOST_FRAMES), counted);
  if (offset === undefined) return undefined;
  const frames = new Map<LogEvent, Seen>();
  for (const one of told) {
    const seen = firstFitting(shown, one, offset);
    if (seen !== undefined) frames.set(one.event, seen);
  }
  return { timeline, frames, messages: shown, at: new Map([...naive].map(([event, ms]) => [event, ms + offset])) };
}

/** The first message of that kind at the moment of the event: of those in order of time only these few are looked at. */
function firstFitting(shown: readonly Shown[], { kind, ms }: Told, offset: number): Seen | undefined {
  const moment = ms + offset;
  const from = countBefore(shown, (one) => one.ms - moment >= -SLACK_MS);
  for (let i = from; i < shown.length; i++) {
    const one = shown[i];
    if (one === undefined || !fits(one.ms - moment)) return undefined;
    if (one.seen.kind === kind) return one.seen;
  }
  return undefined;
}

const fits = (lateMs: number): boolean => lateMs >= -SLACK_MS && lateMs <= CUT_MS + SLACK_MS;

/** Milliseconds after `start`, as though every clock were UTC, and boot were 1970. */
function naiveTimes(log: readonly LogEvent[], start: Time): Map<LogEvent, number> {
  const out = new Map<LogEvent, number>();
  const day = Math.floor(start.sec / 86_400) * 86_400;
  const year = new Date(start.sec * 1000).getUTCFullYear();
  let midnights = 0;
  let before = 0;
  for (const event of log) {
    const { time } = event;
    if (time === undefined) continue;
    let ms = plainMs(time, start, day, year);
    if (time.kind === 'clock') {
      if (ms < before - DAY_MS / 2) midnights++;
      before = ms;
      ms += midnights * DAY_MS;
    }
    out.set(event, ms);
  }
  return out;
}

function plainMs(time: LogTime, start: Time, day: number, year: number): number {
  if (time.kind === 'clock') return msBetween(start, { sec: day + time.ofDay.sec, nsec: time.ofDay.nsec });
  if (time.kind !== 'yearless') return msBetween(start, time.time);
  const candidates = [year - 1, year, year + 1].map((one) => {
    const sec = Date.UTC(one, time.month - 1, time.day) / 1000 + time.ofDay.sec;
    return msBetween(start, { sec, nsec: time.ofDay.nsec });
  });
  return candidates.reduce((a, b) => (Math.abs(b) < Math.abs(a) ? b : a));
}

/** The message that this event is about; undefined where it is about none, or may be about several kinds. */
function messageOf({ kind, reasons }: LogEvent): MessageKind | undefined {
  switch (kind) {
    case 'initiation-sent':
    case 'initiation-received':
    case 'handshake-retried':
    case 'silence-noticed':
      return 'initiation';
    case 'response-sent':
    case 'response-received':
      return 'response';
    case 'cookie-reply-sent':
    case 'cookie-reply-received':
      return 'cookie-reply';
    case 'refused': {
      const kinds = new Set(reasons.map(kindOfReason));
      const [only] = kinds;
      return kinds.size === 1 ? only : undefined;
    }
    default:
      return undefined;
  }
}

function kindOfReason(reason: string): MessageKind | undefined {
  if (reason.startsWith('INIT_') || reason === 'NO_PRIVATE_KEY') return 'initiation';
  // a response may have a wrong MAC1, too; an initiation is what has it
  if (reason === 'MAC1_INVALID' || reason === 'RATE_LIMITED') return 'initiation';
  if (reason.startsWith('RESP_')) return 'response';
  return reason.startsWith('COOKIE_') ? 'cookie-reply' : undefined;
}

function messagesOf({ exchanges }: Timeline, start: Time): Shown[] {
  const all = exchanges.flatMap(({ initiation, replays, responses, cookies }) => [
    ...(initiation === undefined ? [] : [initiation]),
    ...replays,
    ...responses.map(({ seen }) => seen),
    ...cookies.map(({ seen }) => seen),
  ]);
  return all.map((seen) => ({ seen, ms: msBetween(start, seen.at.time) })).sort((a, b) => a.ms - b.ms);
}

/**
 * To be added to the log’s milliseconds: the difference that most events have to a message of their kind. A clock that
 * shows a time of day is off by its zone alone; one that counts from the start of the machine by anything, so it needs
 * two events at least, and one difference that fits better than all others.
 */
function bestOffset(told: readonly Told[], shown: readonly Shown[], counted: boolean): number | undefined {
  const votes = new Map<number, Map<LogEvent, number>>();
  for (const one of told) {
    for (const other of shown) {
      if (other.seen.kind !== one.kind) continue;
      const difference = other.ms - one.ms;
      if (!counted && !isZone(difference)) continue;
      const bucket = counted ? Math.floor(difference / CUT_MS) : Math.round(difference / QUARTER_MS);
      // a cut second may put two differences into neighbours
      for (const near of counted ? [bucket, bucket + 1] : [bucket]) {
        const known = votes.get(near) ?? new Map<LogEvent, number>();
        votes.set(near, known);
        if (!known.has(one.event)) known.set(one.event, difference);
      }
    }
  }
  const ranked = [...votes].sort(([a, x], [b, y]) => y.size - x.size || Math.abs(a) - Math.abs(b));
  const [best] = ranked;
  if (best === undefined) return undefined;
  const [bucket, supporters] = best;
  const differences = [...supporters.values()].sort((a, b) => a - b);
  if (!counted) {
    const rival = ranked.find(([other, { size }]) => other !== bucket && size === supporters.size);
    if (bucket !== 0 && (supporters.size < 2 || rival !== undefined)) return undefined;
    return zoneOffset(bucket, differences);
  }
  const rival = ranked.find(([other, { size }]) => Math.abs(other - bucket) > 1 && size === supporters.size);
  return supporters.size < 2 || rival !== undefined ? undefined : (differences[0] ?? 0);
}

function isZone(difference: number): boolean {
  const rest = difference - Math.round(difference / QUARTER_MS) * QUARTER_MS;
  return rest >= -SKEW_MS && rest <= CUT_MS + SKEW_MS && Math.abs(difference) <= FARTHEST_ZONE_MS + SKEW_MS + CUT_MS;
}

/** The zone alone where that fits, else with the skew that is seen. */
function zoneOffset(bucket: number, differences: readonly number[]): number {
  const zone = bucket * QUARTER_MS;
  const fitting = differences.filter((difference) => fits(difference - zone)).length;
  return fitting * 2 >= differences.length ? zone : (differences[0] ?? zone);
}
