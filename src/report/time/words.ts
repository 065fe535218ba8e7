/** Clocks in words: what the figures mean, and no more than so few of them can say. */
import { extent } from '../../base/extent.ts';
import { formatTime, type Time } from '../../base/time.ts';
import { unixTime } from '../../wg/tai64n.ts';
import { type Clock, type ClockSample, medianOf, type NotGreater, WHITENED_NS } from './clock.ts';

/** `+1.234 s`, `-16.8 ms`, `+3.5 d`. */
export function spanWords(ms: number): string {
  const sign = ms < 0 ? '-' : '+';
  return sign + lengthWords(Math.abs(ms));
}

function lengthWords(size: number): string {
  if (size < 1000) return `${size.toFixed(size < 100 ? 1 : 0)} ms`;
  if (size < 120_000) return `${(size / 1000).toFixed(3)} s`;
  if (size < 7_200_000) return `${(size / 60_000).toFixed(1)} min`;
  return size < 172_800_000 ? `${(size / 3_600_000).toFixed(1)} h` : `${(size / 86_400_000).toFixed(1)} d`;
}

export function resolutionWords({ resolutionNs, whitened }: Clock): string {
  switch (resolutionNs) {
    case undefined:
      return whitened === 1
        ? 'whitened, by this one: rounded down to 16.8 ms'
        : 'not whitened; one alone tells no more';
    case WHITENED_NS:
      return 'whitened: rounded down to 16.8 ms (2^24 ns), so that a clock cannot be read off the wire';
    case 1_000_000_000:
      return 'whole seconds';
    case 1_000_000:
      return 'milliseconds, not whitened';
    case 1000:
      return 'microseconds, not whitened';
    default:
      return whitened === 0
        ? 'nanoseconds, not whitened'
        : `nanoseconds; ${whitened} look whitened and the others do not`;
  }
}

export function baseWords({ base, decidedBy, family }: Clock): string {
  if (base === undefined) return 'not known: the clock is not near that of the capture; 10 s are taken below';
  const by = decidedBy === 'capture-time' ? 'by the time of the capture' : 'by the whitening';
  const who = family === 'other/unknown' ? 'the whitening fits no known family' : `as ${family} have it`;
  return `${base} s, ${by}; ${who}`;
}

/** Of a clock that was set, each stretch has its own. */
export function offsetWords({ offsetsMs, jumps }: Clock): string {
  const cuts = [0, ...jumps.map(({ at }) => at), offsetsMs.length];
  const stretches = cuts.slice(1).map((end, i) => stretchWords(offsetsMs.slice(cuts[i], end)));
  if (stretches.length <= MOST_STRETCHES) return stretches.join(', then ');
  return `${stretches[0]}, then ${stretches.length - 2} others, at last ${stretches[stretches.length - 1]}`;
}

const MOST_STRETCHES = 3;
/** Whitening takes up to 16.8 ms off, a way over the internet some tens. */
const EXPLAINED_MS = 60;

function stretchWords(offsetsMs: readonly number[]): string {
  const [low, high] = extent(offsetsMs);
  const middle = medianOf(offsetsMs);
  const range = spanWords(low) === spanWords(high) ? '' : ` (${spanWords(low)} to ${spanWords(high)})`;
  if (low >= -EXPLAINED_MS && high <= 0) return `${spanWords(middle)}${range}, which rounding down and the way explain`;
  const side = Math.abs(middle) < 1000 ? '' : `, ${middle > 0 ? 'ahead of' : 'behind'} the capture`;
  return `${spanWords(middle)}${range}${side}`;
}

export function driftWords({ drift, jumps, offsetsMs }: Clock): string {
  const where = jumps.length === 0 ? '' : ' between two jumps';
  switch (drift.kind) {
    case 'measured': {
      const aDay = spanWords(drift.ppm * 86.4);
      return `${drift.ppm > 0 ? '+' : ''}${drift.ppm.toFixed(1)} ppm, give or take ${drift.errorPpm.toFixed(1)}${where}: ${aDay} a day, which WireGuard does not mind`;
    }
    case 'below':
      return `none that can be seen: less than ${drift.ppm.toFixed(0)} ppm${where}, with such rounding over so short a time`;
    case 'unknown':
      if (drift.because === 'untimed') return 'not known: the capture has no times';
      if (drift.because === 'short') return 'not known: the timestamps lie within half a minute';
      return `not known: ${where === '' ? '' : 'with the jumps, '}${offsetsMs.length === 1 ? '1 timestamp is' : `${offsetsMs.length} timestamps are`} too few`;
  }
}

/** Each a sentence; empty where nothing happened. */
export function eventsWords(samples: readonly ClockSample[], { jumps, notGreater }: Clock): string[] {
  const frame = (at: number): number => samples[at]?.frame ?? 0;
  return [
    ...jumps.map(
      ({ after, at, byMs }) =>
        `between frames ${frame(after)} and ${frame(at)} the sender’s clock, or the capture’s, was set ${byMs < 0 ? 'back' : 'forward'} by ${lengthWords(Math.abs(byMs))}`,
    ),
    ...runs(notGreater).map((run) => {
      const [{ than }] = run;
      const [least, most] = extent(run.map(({ byMs }) => byMs));
      const these = run.map(({ at }) => frame(at));
      const shown =
        these.length > 4 ? `${these.slice(0, 3).join(', ')} … ${these[these.length - 1]}` : these.join(', ');
      const [what, is, one] =
        run.length === 1
          ? [`the timestamp of frame ${shown}`, 'is', 'it']
          : [`the timestamps of frames ${shown}`, 'are', 'them'];
      if (most === 0) return `${what} ${is} that of frame ${frame(than)} again: a responder takes ${one} once only`;
      const before = spanWords(least) === spanWords(most) ? '' : 'up to ';
      return `${what} ${is} ${before}${lengthWords(most)} before that of frame ${frame(than)}: a responder that took that one refuses ${one}, until the clock has passed it or the responder is restarted`;
    }),
  ];
}

/** One after the other before the same greatest one. */
function runs(list: readonly NotGreater[]): (readonly [NotGreater, ...NotGreater[]])[] {
  const out: [NotGreater, ...NotGreater[]][] = [];
  for (const one of list) {
    const last = out[out.length - 1];
    const [first] = last ?? [];
    if (last !== undefined && first?.than === one.than && (first.byMs === 0) === (one.byMs === 0)) last.push(one);
    else out.push([one]);
  }
  return out;
}

export function orderWords(samples: readonly ClockSample[], { notGreater }: Clock): string {
  if (samples.length < 2) return 'one timestamp alone has no order';
  if (notGreater.length === 0) return 'each is greater than all before it, as a responder demands';
  return `${notGreater.length} of ${samples.length} ${notGreater.length === 1 ? 'is' : 'are'} not greater than one before`;
}

/** By the base of the clock. */
export function sentAt({ timestamp }: ClockSample, { base }: Clock): Time {
  return unixTime(timestamp, base ?? 10);
}

export function shortTime(time: Time): string {
  return formatTime(time)
    .replace('T', ' ')
    .replace(/(\.\d{6})\d{3}Z$/, '$1');
}
