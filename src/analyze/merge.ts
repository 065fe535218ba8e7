/** Several captures of one path: the same exchange in each of them becomes one, with a view per capture. */
import { toHex } from '../base/bytes.ts';
import type { Exchange, Seen, Timeline } from './timeline.ts';
import type { Vantage } from './vantage.ts';

export interface View {
  readonly exchange: Exchange;
  readonly timeline: Timeline;
  readonly vantage: Vantage;
}

/** One exchange, as every capture saw it; views in order from the initiator to the responder where that is known. */
export interface MergedExchange {
  /** `0x30d037d8`: the initiator's index. */
  readonly id: string;
  readonly views: View[];
}

/** Bytes that two captures of one initiation must share before a difference is called a modification. */
const MODIFIED_SHARES = 64;

/** Exchanges with the same index that are held against another: random indices do not have more. */
const NAMESAKES = 64;

export function indexText(index: number): string {
  return `0x${index.toString(16).padStart(8, '0')}`;
}

/** `vantageOf` answers for one timeline's exchange. */
export function mergeExchanges(
  timelines: readonly Timeline[],
  vantageOf: (timeline: Timeline, exchange: Exchange) => Vantage,
): MergedExchange[] {
  // by index and by ephemeral: what was altered on the way may be either
  const byKey = new Map<number | string, MergedExchange[]>();
  const all: MergedExchange[] = [];
  for (const timeline of timelines) {
    for (const exchange of timeline.exchanges) {
      const view = { exchange, timeline, vantage: vantageOf(timeline, exchange) };
      const keys = keysOf(exchange);
      const same = keys.flatMap((key) => byKey.get(key) ?? []).find((merged) => sameExchange(merged, exchange));
      if (same !== undefined) {
        same.views.push(view);
        continue;
      }
      const merged = { id: indexText(exchange.initiatorIndex), views: [view] };
      all.push(merged);
      for (const key of keys) {
        const list = byKey.get(key);
        if (list === undefined) byKey.set(key, [merged]);
        else if (list.length < NAMESAKES) list.push(merged);
      }
    }
  }
  return all;
}

function keysOf({ initiatorIndex, initiation }: Exchange): (number | string)[] {
  return initiation === undefined || initiation.cut
    ? [initiatorIndex]
    : [initiatorIndex, toHex(initiation.bytes.subarray(8, 40))];
}

function sameExchange(merged: MergedExchange, exchange: Exchange): boolean {
  // within one capture the tracker has already told different exchanges apart
  if (merged.views.some((view) => view.exchange.capture === exchange.capture)) return false;
  return merged.views.some(({ exchange: other }) => {
    if (other.initiation !== undefined && exchange.initiation !== undefined) {
      return sameInitiation(other.initiation, exchange.initiation);
    }
    const a = other.responses[0]?.seen;
    const b = exchange.responses[0]?.seen;
    return a !== undefined && b !== undefined && a.sender === b.sender;
  });
}

function sameInitiation(a: Seen, b: Seen): boolean {
  if (toHex(a.bytes.subarray(8, 40)) === toHex(b.bytes.subarray(8, 40))) return true;
  return a.cut || b.cut ? false : sharedBytes(a, b) >= MODIFIED_SHARES;
}

function sharedBytes(a: Seen, b: Seen): number {
  let count = 0;
  for (let i = 0; i < a.bytes.length; i++) if (a.bytes[i] === b.bytes[i]) count++;
  return count;
}

/** Offsets at which two views of one message differ; empty when they agree as far as both were captured. */
export function differingBytes(a: Seen, b: Seen): number[] {
  const out: number[] = [];
  const n = Math.min(a.bytes.length, b.bytes.length);
  for (let i = 0; i < n; i++) if (a.bytes[i] !== b.bytes[i]) out.push(i);
  return out;
}
