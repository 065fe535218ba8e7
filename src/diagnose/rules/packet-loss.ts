/** Packets of a session that never arrived: gaps in its counters, where they were received. */

import {
  type HalfPair,
  halfPairs,
  mayMiss,
  type Place,
  placesOf,
  type Span,
  sideOf,
} from '../../analyze/session-pairs.ts';
import type { FrameId } from '../../analyze/timeline.ts';
import type { Tunnel, World } from '../../analyze/world.ts';
import { msBetween } from '../../base/time.ts';
import { blackHoles } from '../black-hole.ts';
import { addressOf } from '../data-evidence.ts';
import { tunnelSubject } from '../evidence.ts';
import { defineRule } from '../rule.ts';

/** From so many packets and so large a share on, it costs (per direction). */
const WARN = { packets: 20, share: 0.01 };
/** A gap like this is one interruption, not the usual loss of a path. */
const INTERRUPTION = { packets: 5, ms: 5000 };
/** A counter that leaps further is forged or foreign: no capture lost that many at once. */
const LEAP = 1_000_000;
/** So many gaps of one packet each between single packets. */
const ALTERNATIONS = 8;
const FRAMES = 12;

interface Loss {
  readonly flow: string;
  /** Address of the sender. */
  readonly from: string;
  lost: number;
  /** Of them, in interruptions. */
  interrupted: number;
  sent: number;
  reordered: number;
  readonly frames: FrameId[];
}

export const packetLoss = defineRule({
  name: 'packet-loss',
  severity: 'info',
  on: 'tunnel',
  group: 'wire',
  spec: 'wp §5.4.6',
  explain: {
    what: 'counters of a session are missing where its packets arrive: each data message has the next counter, so a gap is a packet that got lost',
    why: 'WireGuard repeats nothing: what is lost here is lost to the connections inside, and TCP slows down for it from about one in a hundred',
    fix: 'look for the lossy link: Wi-Fi, a full uplink, a policer, a slow CPU; a ping to the endpoint outside the tunnel shows the same loss',
  },
  check(tunnel, world) {
    const known = new Map<string, Loss>();
    const doubtful = new Map<string, Loss>();
    const reasons = new Set<string>();
    const paired = collectPairs(tunnel, world, known);
    for (const view of tunnel.sessions) {
      for (const place of placesOf(view)) {
        if (paired.has(place.half)) continue;
        const side = sideOf(place);
        if (side === 'sender') continue; // its own capture lost them
        const miss = mayMiss(view.timeline);
        const shared = everyOther(place);
        if (miss !== undefined) reasons.add(miss);
        else if (side === 'unknown') reasons.add('nothing shows that this was captured where the packets arrive');
        else if (shared)
          reasons.add(
            'every other counter is missing: its sender may write to two addresses in turn, as it does when two hosts have one key',
          );
        addGaps(miss === undefined && side === 'receiver' && !shared ? known : doubtful, place);
      }
    }
    const sure = [...known.values()].filter(({ lost }) => lost > 0);
    const losses = sure.length > 0 ? sure : [...doubtful.values()].filter(({ lost }) => lost > 0);
    if (losses.length === 0) return undefined;
    const proven = sure.length > 0;
    const interrupted = losses.some((loss) => loss.interrupted > 0);
    return {
      facts: {
        lost: total(losses, 'lost'),
        sent: total(losses, 'sent'),
        percent: percent(losses),
        inInterruptions: total(losses, 'interrupted'),
        reordered: total(losses, 'reordered'),
        proven,
        from: losses[0]?.from ?? 'ENDPOINT_ADDRESS',
        flows: losses.map((loss) => `${loss.flow}: ${loss.lost} of ${loss.sent} (${percent([loss])} %)`),
      },
      certainty: proven ? 'proven' : 'suspected',
      ...(proven && losses.some(costs) ? { severity: 'warning' as const } : {}),
      frames: losses.flatMap(({ frames }) => frames),
      subject: tunnelSubject(tunnel),
      notes: [
        ...losses.map((loss) => `${loss.flow}: ${loss.lost} of ${loss.sent} packets lost, ${percent([loss])} %`),
        ...(interrupted
          ? ['gaps of five packets and five seconds at least are counted as interruptions, apart from the usual loss']
          : []),
        ...(proven
          ? ['a capture that drops frames shows the same gaps: tcpdump says at its end how many it dropped']
          : [...reasons]),
        'reordered packets are not lost, and of what came before the first packet seen nothing is known',
      ],
    };
  },
  message: ({ lost, sent, percent: share, inInterruptions, proven }) =>
    `${proven ? '' : 'it looks as if '}${lost} of ${sent} data packets (${share} %) never arrived${inInterruptions === 0 ? '' : inInterruptions === lost ? ', all of them in interruptions' : `, ${inInterruptions} of them in interruptions`}`,
  fix: ({ from }) => ({
    linux: [
      `mtr --udp ${from}, or ping -i 0.2 -c 500 ${from} (outside the tunnel)`,
      'ip -s link show; nstat -az UdpRcvbufErrors; ethtool -S DEV shows what this host itself drops',
    ],
    routeros: [
      `/ping ${from} interval=200ms count=500`,
      '/interface print stats-detail; /queue simple print stats; /tool profile',
    ],
  }),
});

function costs({ lost, interrupted, sent }: Loss): boolean {
  const usual = lost - interrupted;
  return usual >= WARN.packets && usual >= WARN.share * (sent - interrupted);
}

function total(losses: readonly Loss[], what: 'lost' | 'sent' | 'interrupted' | 'reordered'): number {
  return losses.reduce((sum, loss) => sum + loss[what], 0);
}

function percent(losses: readonly Loss[]): number {
  return Math.round((10_000 * total(losses, 'lost')) / Math.max(1, total(losses, 'sent'))) / 100;
}

function lossOf(into: Map<string, Loss>, { half }: Place): Loss {
  const flow = `${half.sender.text} → ${half.owner.text}`;
  let loss = into.get(flow);
  if (loss === undefined) {
    loss = { flow, from: addressOf(half.sender.text), lost: 0, interrupted: 0, sent: 0, reordered: 0, frames: [] };
    into.set(flow, loss);
  }
  return loss;
}

/** Two captures know what was sent; what a black hole swallows is told by its own rule. */
function collectPairs(tunnel: Tunnel, world: World, into: Map<string, Loss>): Set<Place['half']> {
  const holes = new Map(blackHoles(tunnel, world).map((hole) => [hole.pair, hole]));
  const handled = new Set<Place['half']>();
  for (const pair of halfPairs(tunnel, world)) {
    if (!pair.exact || mayMiss(pair.received.view.timeline) !== undefined || everyOther(pair.received)) continue;
    handled.add(pair.sent.half).add(pair.received.half);
    const swallowed = holes.get(pair)?.count ?? 0;
    if (pair.lostCount <= swallowed) continue;
    const loss = lossOf(into, pair.received);
    loss.lost += pair.lostCount - swallowed;
    loss.sent += pair.compared - swallowed;
    loss.reordered += pair.received.half.reordered;
    loss.interrupted += Math.min(interruptions(pair), pair.lostCount - swallowed);
    keepFrames(
      loss,
      pair.lost.slice(0, FRAMES).flatMap((span) => around(pair, span)),
    );
  }
  return handled;
}

function interruptions({ lost, received }: HalfPair): number {
  let sum = 0;
  for (const { low, high } of lost) {
    if (high - low + 1 < INTERRUPTION.packets) continue;
    const { runs } = received.half.runs;
    const before = runs.findLast((run) => run.high < low);
    const after = runs.find((run) => run.low > high);
    // nothing after it: the interruption lasts to the end
    if (
      before === undefined ||
      after === undefined ||
      msBetween(before.last.time, after.first.time) >= INTERRUPTION.ms
    ) {
      sum += high - low + 1;
    }
  }
  return sum;
}

/** The lost ones themselves where a frame of the sender’s capture is known to hold one, else those that arrived beside them. */
function around({ received }: HalfPair, { low, high, frames }: Span): readonly FrameId[] {
  if (frames.length > 0) return frames;
  const { runs } = received.half.runs;
  const beside = [runs.findLast((run) => run.high < low)?.last, runs.find((run) => run.low > high)?.first];
  return beside.filter((frame) => frame !== undefined);
}

function addGaps(into: Map<string, Loss>, place: Place): void {
  const loss = lossOf(into, place);
  const { runs } = place.half.runs;
  loss.sent += place.half.runs.seen;
  loss.reordered += place.half.reordered;
  for (const [i, run] of runs.entries()) {
    const inside = run.high - run.low + 1 - run.seen;
    if (inside > 0 && inside < LEAP) add(loss, inside, false, [run.first, run.last]);
    const next = runs[i + 1];
    const gap = next === undefined ? 0 : next.low - run.high - 1;
    if (next === undefined || gap <= 0 || gap >= LEAP) continue;
    const long = gap >= INTERRUPTION.packets && msBetween(run.last.time, next.first.time) >= INTERRUPTION.ms;
    add(loss, gap, long, [run.last, next.first]);
  }
}

/** One packet here, one elsewhere: chance does not lose packets in step. */
function everyOther({ half }: Place): boolean {
  const { runs } = half.runs;
  const gaps = runs.length - 1;
  if (gaps < ALTERNATIONS || half.runs.coarse) return false;
  const inStep = runs.filter((run, i) => run.seen === 1 && (runs[i + 1]?.low ?? run.high + 2) === run.high + 2).length;
  return inStep >= 0.8 * runs.length;
}

function add(loss: Loss, count: number, interruption: boolean, around: readonly FrameId[]): void {
  loss.lost += count;
  loss.sent += count;
  if (interruption) loss.interrupted += count;
  keepFrames(loss, around);
}

function keepFrames(loss: Loss, frames: readonly FrameId[]): void {
  for (const frame of frames) if (loss.frames.length < FRAMES) loss.frames.push(frame);
}
