/** What the two sides of a silence show: did the packets arrive, does the other end live, were its addresses translated. */

import { SILENCE_MS } from '../analyze/liveness.ts';
import { endNames, halfPairs, type Place, placesOf } from '../analyze/session-pairs.ts';
import type { FrameId, IcmpSeen, Silence, Timeline } from '../analyze/timeline.ts';
import type { Tunnel, World } from '../analyze/world.ts';
import { compareTime, msBetween, type Time } from '../base/time.ts';
import { addressOf, targetName } from './data-evidence.ts';

export interface TunnelSilence {
  readonly silence: Silence;
  readonly timeline: Timeline;
  readonly localName: string | undefined;
}

/** From the first unanswered packet to the answer, or to the end of the capture. */
export function silentMs({ silence, timeline }: TunnelSilence): number {
  const until = silence.end?.at.time ?? timeline.until ?? silence.lastSent.time;
  return msBetween(silence.start.time, until);
}

/** The capture was taken at the end that is silent: what is written to it did arrive. */
export function atTarget({ silence, localName }: TunnelSilence): boolean {
  return localName !== undefined && localName === targetName(silence);
}

/** Long enough to mean something, in a capture that has times and had heard the target before. */
export function meaningful(each: TunnelSilence): boolean {
  return each.timeline.timed && each.silence.heardBefore !== undefined && silentMs(each) >= SILENCE_MS;
}

/** The directions that carried data of the silence’s sender when it began. */
export function askingPlaces({ silence, timeline }: TunnelSilence, tunnel: Tunnel): Place[] {
  const out: Place[] = [];
  for (const view of tunnel.sessions) {
    if (view.timeline !== timeline) continue;
    for (const place of placesOf(view)) {
      if (endNames(place).sender !== silence.senderName) continue;
      const { first, last } = place.half;
      if (compareTime(first.time, silence.start.time) <= 0 && compareTime(last.time, silence.start.time) >= 0)
        out.push(place);
    }
  }
  return out;
}

export interface OtherSide {
  /** Packets of the silence that left and are not in the target’s capture, though it was running. */
  readonly lost: number;
  /** Packets of the silence that did arrive. */
  readonly arrived: number;
  /** The target has another address in its own capture. */
  readonly translated: boolean;
}

/** What a second capture, nearer to the target, holds of the silence. */
export function otherSide(each: TunnelSilence, tunnel: Tunnel, world: World): OtherSide | undefined {
  const { silence, timeline } = each;
  const asking = new Set(askingPlaces(each, tunnel).map(({ half }) => half));
  const pairs = halfPairs(tunnel, world).filter(({ sent }) => asking.has(sent.half));
  if (pairs.length === 0) return undefined;
  let lost = 0;
  let arrived = 0;
  for (const { lost: spans, received } of pairs) {
    for (const { low, high, last } of spans)
      if (compareTime(last.time, silence.start.time) >= 0) lost += high - low + 1;
    for (const run of received.half.runs.runs) {
      const there = world.translate(run.last.time, received.view.timeline.capture, timeline.capture);
      if (there !== undefined && during(there.time, silence)) arrived += run.seen;
    }
  }
  const translated = pairs.some(({ sent, received }) => sent.half.owner.text !== received.half.owner.text);
  return { lost, arrived, translated };
}

function during(time: Time, { start, lastSent }: Silence): boolean {
  return compareTime(time, start.time) >= 0 && compareTime(time, lastSent.time) <= 0;
}

/** Another capture shows packets of the target towards this sender after the silence began. */
export function livesElsewhere(each: TunnelSilence, tunnel: Tunnel, world: World): boolean {
  const { silence, timeline } = each;
  const after = (time: Time, capture: string): boolean => {
    const there = world.translate(time, capture, timeline.capture);
    return there !== undefined && msBetween(silence.start.time, there.time) > Number(there.slackNs) / 1e6;
  };
  const target = targetName(silence);
  const translated = new Set(
    halfPairs(tunnel, world).flatMap(({ sent, received }) => namesBeside(target, sent, received)),
  );
  for (const view of tunnel.sessions) {
    if (view.timeline === timeline) continue;
    for (const place of placesOf(view)) {
      if (translated.has(endNames(place).sender) && after(place.half.last.time, view.timeline.capture)) return true;
    }
  }
  return tunnel.exchanges.some(({ views }) =>
    views.some(
      ({ exchange, timeline: other }) =>
        other !== timeline &&
        exchange.initiation !== undefined &&
        translated.has(exchange.initiatorName) &&
        after(exchange.initiation.at.time, other.capture),
    ),
  );
}

/** Names of one end in the two captures of a pair, if one of them is `name`. */
function namesBeside(name: string, a: Place, b: Place): string[] {
  const [x, y] = [endNames(a), endNames(b)];
  if (x.sender === name || y.sender === name) return [x.sender, y.sender];
  return x.owner === name || y.owner === name ? [x.owner, y.owner] : [];
}

/** “Port unreachable” from the very address that was written to. */
export function refusals({ icmp, target }: Silence): IcmpSeen[] {
  return icmp.filter(
    ({ error, from, quotedTo }) =>
      error === 'port-unreachable' && from === addressOf(quotedTo.text) && from === addressOf(target.text),
  );
}

/** The target’s own capture holds that error too: the host itself sent it, no NAT in front of it. */
export function hostRefuses(each: TunnelSilence, world: World): boolean {
  const targets = new Set(refusals(each.silence).map(({ quotedTo }) => quotedTo.text));
  return world.timelines.some(
    (other) =>
      other !== each.timeline &&
      other.icmp.some(({ error, quotedTo }) => error === 'port-unreachable' && targets.has(quotedTo.text)),
  );
}

/** Packets closer together than this are one burst, which one lost answer leaves unanswered. */
const MOMENT_MS = 500;

/** At how many separate moments something was sent into the silence, counted over the frames that are kept. */
export function moments({ frames }: Silence): number {
  let count = 0;
  let last: FrameId | undefined;
  for (const frame of frames) {
    if (last !== undefined && msBetween(last.time, frame.time) < MOMENT_MS) continue;
    count++;
    last = frame;
  }
  return count;
}
