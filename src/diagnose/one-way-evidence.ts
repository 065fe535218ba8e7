/** What rules ask of data that goes one way only: whose it is, and whether the other end ever had anything to say. */
import type { OneWay } from '../analyze/one-way.ts';
import type { FrameId, Timeline } from '../analyze/timeline.ts';
import type { Tunnel, World } from '../analyze/world.ts';
import { msBetween } from '../base/time.ts';
import { endNamed, type TunnelEnd } from './inner-evidence.ts';

/** One-way data with both ends as far as keys and files tell them. */
export interface OneWayBetween {
  readonly oneWay: OneWay;
  readonly timeline: Timeline;
  readonly sender: TunnelEnd;
  readonly receiver: TunnelEnd;
}

/** What the keys do not open: where they do, the packets themselves tell more. */
export function closedOneWays(tunnel: Tunnel, world: World): OneWayBetween[] {
  return tunnel.oneWays.flatMap(({ oneWay, timeline }) => {
    if (!timeline.timed || opens(oneWay, tunnel, timeline)) return [];
    const sender = endNamed(oneWay.senderName, timeline, tunnel, world);
    const receiver = endNamed(receiverName(oneWay), timeline, tunnel, world);
    return [{ oneWay, timeline, sender, receiver }];
  });
}

export function receiverName({ pair, senderName }: OneWay): string {
  const [a = '', b = ''] = pair.split(' ~ ');
  return a === senderName ? b : a;
}

function opens({ pair, senderName }: OneWay, tunnel: Tunnel, timeline: Timeline): boolean {
  return tunnel.inner.some(
    ({ inner, timeline: of }) =>
      of === timeline &&
      inner.pair === pair &&
      inner.ends.some(({ name, packets }) => name === senderName && packets > 0),
  );
}

/** In the whole capture the other end sent keepalives only. */
export function neverAnswers({ oneWay }: OneWayBetween): boolean {
  return oneWay.answersBefore === 0 && oneWay.end === undefined;
}

/** The data, and the keepalives that show that it was taken. */
export function oneWayFrames({ frames, taken }: OneWay): FrameId[] {
  return [...frames.slice(0, 8), ...taken.slice(0, 4)];
}

export function oneWaySeconds({ first, last }: OneWay): number {
  return Math.round(msBetween(first.time, last.time) / 1000);
}
