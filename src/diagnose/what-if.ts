/** Where another implementation would have decided otherwise than the kernel, as far as captures show what was decided. */

import type { Exchange, FrameId, Seen, Timeline } from '../analyze/timeline.ts';
import { VARIANT } from '../analyze/variants.ts';
import { initiationOf, type World } from '../analyze/world.ts';
import { compareTime, msBetween } from '../base/time.ts';
import { LINUX, type Policy } from '../wg/policy.ts';

export type OtherwiseKind =
  | 'initiation-flood'
  | 'weak-shared-secret'
  | 'response-late'
  | 'packet-too-old'
  | 'handshake-gave-up'
  | 'reserved-bytes';

export interface Otherwise {
  readonly kind: OtherwiseKind;
  /** Messages that would have met another fate. */
  readonly count: number;
  /** The first of them; none where only numbers were kept. */
  readonly frames: readonly FrameId[];
  /** Lower case, no full stop. */
  readonly linux: string;
  readonly other: string;
}

const FRAMES = 8;

/** Empty where both agree. Findings are judged by the kernel’s rules all the same. */
export function whatIf(world: World, policy: Policy): Otherwise[] {
  const found = [
    refusals(world, policy),
    lateResponses(world, policy),
    window(world, policy),
    retries(world, policy),
    reservedBytes(world, policy),
  ];
  return found.flat().filter(({ count }) => count > 0);
}

function refusals(world: World, policy: Policy): Otherwise[] {
  const flood: FrameId[] = [];
  const zero: FrameId[] = [];
  for (const { views } of world.exchanges) {
    // several captures of one message are one message
    const refused = views.find(({ exchange }) => exchange.sight?.verdict.kind === 'refused')?.exchange;
    const verdict = refused?.sight?.verdict;
    if (refused?.initiation === undefined || verdict?.kind !== 'refused') continue;
    const { drop } = verdict;
    const { minGapMs } = policy.flood;
    if (drop.kind === 'weak-shared-secret') zero.push(refused.initiation.at);
    if (drop.kind === 'initiation-flood' && minGapMs < LINUX.flood.minGapMs && drop.gapMs >= minGapMs)
      flood.push(refused.initiation.at);
  }
  return [
    otherwise(
      'initiation-flood',
      flood,
      'refuses an initiation less than 20 ms after the last one of that peer',
      'has no least gap between initiations and answers it',
    ),
    ...(policy.refusesZeroShared
      ? []
      : [
          otherwise(
            'weak-shared-secret',
            zero,
            'refuses a handshake whose shared secret is zero (RFC 7748 §6.1)',
            'does not look, and goes on',
          ),
        ]),
  ];
}

/** A response that comes after the next initiation, but before the one after that and before an answer to it. */
function lateResponses({ timelines }: World, policy: Policy): Otherwise[] {
  if (policy.keepsEarlierInitiation === LINUX.keepsEarlierInitiation) return [];
  const late = timelines.flatMap((timeline) =>
    inOrder(timeline).flatMap((exchanges) =>
      exchanges.flatMap(({ responses }, i) => {
        const [next, afterNext] = [exchanges[i + 1], exchanges[i + 2]];
        const replaced = next?.initiation?.at.time;
        if (replaced === undefined) return [];
        const closed = [afterNext?.initiation?.at.time, next?.responses[0]?.seen.at.time];
        return responses
          .map(({ seen }) => seen)
          .filter(
            ({ at: { time } }) =>
              compareTime(time, replaced) > 0 && closed.every((end) => end === undefined || compareTime(time, end) < 0),
          );
      }),
    ),
  );
  return [
    otherwise(
      'response-late',
      once(late),
      'has forgotten an initiation once it has sent the next, and drops the response to it',
      'keeps the one before the last, and takes the response',
    ),
  ];
}

/** The handshakes of each end with each other, oldest first. */
function inOrder({ exchanges }: Timeline): Exchange[][] {
  const lines = new Map<string, Exchange[]>();
  for (const exchange of exchanges) {
    if (exchange.initiation === undefined) continue;
    const key = `${exchange.initiatorName}/${exchange.pair}`;
    const line = lines.get(key) ?? [];
    lines.set(key, line);
    line.push(exchange);
  }
  return [...lines.values()];
}

function window({ timelines }: World, policy: Policy): Otherwise[] {
  if (policy.windowBits === LINUX.windowBits) return [];
  const byIndex = new Map<number, number>();
  for (const { sessions } of timelines) {
    for (const { toInitiator, toResponder } of sessions) {
      for (const half of [toInitiator, toResponder]) {
        if (half === undefined) continue;
        const { beyond, index } = half;
        const differ = Math.abs((beyond.get(policy.windowBits) ?? 0) - (beyond.get(LINUX.windowBits) ?? 0));
        byIndex.set(index, Math.max(differ, byIndex.get(index) ?? 0));
      }
    }
  }
  const count = [...byIndex.values()].reduce((sum, one) => sum + one, 0);
  const [linux, other] = [LINUX, policy].map(
    ({ windowBits }) => `refuses data packets that are more than ${windowBits} behind the greatest counter`,
  );
  return [{ kind: 'packet-too-old', count, frames: [], linux: linux ?? '', other: other ?? '' }];
}

function retries({ tunnels }: World, { giveUp }: Policy): Otherwise[] {
  if (giveUp.by === LINUX.giveUp.by) return [];
  const limitMs = giveUp.by === 'time' ? giveUp.ms : Number.POSITIVE_INFINITY;
  const frames = tunnels.flatMap(({ attempts }) =>
    attempts.flatMap(({ exchanges }) => {
      const seen = exchanges.flatMap((merged) => initiationOf(merged) ?? []);
      const [first] = seen;
      if (first === undefined) return [];
      return seen
        .filter(({ at }) => at.capture === first.at.capture && msBetween(first.at.time, at.time) > limitMs)
        .map(({ at }) => at);
    }),
  );
  return [
    otherwise(
      'handshake-gave-up',
      frames,
      'tries 20 times, which takes 100 to 106 s',
      `stops trying ${limitMs / 1000} s after the first initiation`,
    ),
  ];
}

function reservedBytes({ timelines }: World, { ignoresReserved }: Policy): Otherwise[] {
  if (ignoresReserved === LINUX.ignoresReserved) return [];
  const flows = timelines.flatMap(({ variants }) => [...variants.values()].filter(({ name }) => name === VARIANT.warp));
  const count = flows.reduce((sum, flow) => sum + flow.count, 0);
  return [
    {
      kind: 'reserved-bytes',
      count,
      frames: flows.slice(0, FRAMES).map(({ at }) => at),
      linux: 'drops messages whose three reserved bytes are not zero',
      other: 'reads the type alone, and takes them',
    },
  ];
}

/** Several captures of one message are one message. */
function once(seen: readonly Seen[]): FrameId[] {
  return [...new Map(seen.map(({ sender, receiver, at }) => [`${sender}/${receiver}`, at])).values()];
}

function otherwise(kind: OtherwiseKind, frames: readonly FrameId[], linux: string, other: string): Otherwise {
  return { kind, count: frames.length, frames: frames.slice(0, FRAMES), linux, other };
}
