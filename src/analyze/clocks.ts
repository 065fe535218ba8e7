/** Clock offset of two captures and their order on the path, from the messages that both of them hold. */
import { nsBetween, type Time } from '../base/time.ts';
import type { MergedExchange } from './merge.ts';
import type { Seen, Timeline } from './timeline.ts';

export interface ClockOffset {
  readonly from: string;
  readonly to: string;
  /** Nanoseconds to add to a time of `from` to get the time of `to`; undefined where only one direction matched. */
  readonly offsetNs: bigint | undefined;
  /** It lies between these: a message cannot arrive before it is sent. */
  readonly low: bigint | undefined;
  readonly high: bigint | undefined;
  readonly matched: number;
  /** Which of the two is nearer to the end that initiated the first matched exchange. */
  readonly nearer: 'from' | 'to' | undefined;
}

interface Match {
  /** Time in `to` less time in `from`. */
  readonly delta: bigint;
  /** Sent by the end that initiated the first matched exchange. */
  readonly forward: boolean;
  readonly hops: number;
}

export function clockOffset(
  from: Timeline,
  to: Timeline,
  exchanges: readonly MergedExchange[],
): ClockOffset | undefined {
  const matches = collect(from, to, exchanges);
  if (matches.length === 0) return undefined;
  const forward = matches.filter((m) => m.forward).map((m) => m.delta);
  const backward = matches.filter((m) => !m.forward).map((m) => m.delta);
  const nearer = nearerByHops(matches) ?? nearerByClock(forward, backward);
  // with `from` nearer: forward deltas are offset + delay, backward ones offset − delay
  const above = nearer === 'to' ? backward : forward;
  const below = nearer === 'to' ? forward : backward;
  const high = nearer === undefined || above.length === 0 ? undefined : minOf(above);
  const low = nearer === undefined || below.length === 0 ? undefined : maxOf(below);
  const offsetNs = high === undefined || low === undefined ? undefined : (high + low) / 2n;
  return { from: from.capture, to: to.capture, offsetNs, low, high, matched: matches.length, nearer };
}

function collect(from: Timeline, to: Timeline, exchanges: readonly MergedExchange[]): Match[] {
  const out: Match[] = [];
  let first: string | undefined;
  for (const { views } of exchanges) {
    const a = views.find((view) => view.timeline === from)?.exchange;
    const b = views.find((view) => view.timeline === to)?.exchange;
    if (a === undefined || b === undefined) continue;
    first ??= a.initiatorName;
    const byInitiator = a.initiatorName === first;
    const pairs: [Seen | undefined, Seen | undefined, boolean][] = [
      [a.initiation, b.initiation, byInitiator],
      [a.responses[0]?.seen, b.responses[0]?.seen, !byInitiator],
      [a.confirmed, b.confirmed, byInitiator],
      [a.replied, b.replied, !byInitiator],
    ];
    for (const [x, y, forward] of pairs) {
      if (x === undefined || y === undefined || x.counter !== y.counter || x.sender !== y.sender) continue;
      out.push({ delta: nsBetween(x.at.time, y.at.time), forward, hops: x.ttl - y.ttl });
    }
  }
  return out;
}

/** A TTL only falls on the way. */
function nearerByHops(matches: readonly Match[]): 'from' | 'to' | undefined {
  let sum = 0;
  for (const { hops, forward } of matches) sum += Math.sign(forward ? hops : -hops);
  return sum === 0 ? undefined : sum > 0 ? 'from' : 'to';
}

/** Both directions together show it: forward delays are on one side of the offset, backward ones on the other. */
function nearerByClock(forward: readonly bigint[], backward: readonly bigint[]): 'from' | 'to' | undefined {
  if (forward.length === 0 || backward.length === 0) return undefined;
  if (minOf(forward) > maxOf(backward)) return 'from';
  return minOf(backward) > maxOf(forward) ? 'to' : undefined;
}

const minOf = (list: readonly bigint[]): bigint => list.reduce((a, b) => (b < a ? b : a));
const maxOf = (list: readonly bigint[]): bigint => list.reduce((a, b) => (b > a ? b : a));

/** Beyond this no delay is assumed where only one direction bounds the offset. */
const ASSUMED_DELAY_NS = 1_000_000_000n;

/** The best single figure for an offset, and how far it may be off, nanoseconds. */
export function bestOffset(offset: ClockOffset): { readonly ns: bigint; readonly slack: bigint } | undefined {
  if (offset.offsetNs !== undefined && offset.low !== undefined && offset.high !== undefined) {
    const half = (offset.high - offset.low) / 2n;
    return { ns: offset.offsetNs, slack: half < 0n ? -half : half };
  }
  const bound = offset.high ?? offset.low;
  return bound === undefined ? undefined : { ns: bound, slack: ASSUMED_DELAY_NS };
}

/** Does `timeline` hold frames before and after this moment of its own clock, with `marginNs` to spare? */
export function brackets(timeline: Timeline, moment: Time, marginNs: bigint): boolean {
  const { first, until } = timeline;
  if (first === undefined || until === undefined) return false;
  return nsBetween(first.time, moment) >= marginNs && nsBetween(moment, until) >= marginNs;
}
