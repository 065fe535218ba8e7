/** Packets of a session that never arrived: gaps in its counters, where they were received. */

import {
  fartherPlaces,
  type HalfPair,
  halfPairs,
  mayMiss,
  type Place,
  placesOf,
  type Span,
  sideOf,
} from '../../analyze/session-pairs.ts';
import type { FrameId, Timeline } from '../../analyze/timeline.ts';
import type { Tunnel, World } from '../../analyze/world.ts';
import { blackHoles } from '../black-hole.ts';
import { everyOther, type Gap, gapsOf, INTERRUPTION, isLong, mayHold, type OwnLoss, ownLoss } from '../counter-gaps.ts';
import { addressOf } from '../data-evidence.ts';
import { tunnelSubject } from '../evidence.ts';
import { defineRule } from '../rule.ts';

/** From so many packets and so large a share on, it costs (per direction). */
const WARN = { packets: 20, share: 0.01 };
/** A capture drops most where most comes at once: what is lost on the path stands out only above so many times its own rate. */
const OWN_TIMES = 10;
/** A capture that dropped frames at the rate of the gaps would miss so many of what certainly passed it. */
const TELLING = 3;
const FRAMES = 12;
const CUT = 'frames that the capture cut stand before the gaps, each long enough for several messages (UDP GSO)';

interface Loss {
  readonly flow: string;
  /** Address of the sender. */
  readonly from: string;
  lost: number;
  /** Of them, in interruptions. */
  interrupted: number;
  /** Of them, such as a frame that was cut may hold. */
  hidden: number;
  sent: number;
  reordered: number;
  readonly frames: FrameId[];
  /** Where it shows. */
  readonly captures: Set<Timeline>;
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
    const paired = collectPairs(tunnel, world, known, doubtful);
    for (const view of tunnel.sessions) {
      for (const place of placesOf(view)) {
        if (paired.has(place.half)) continue;
        const side = sideOf(place);
        // its own capture lost them; or what arrived is told by a capture farther along
        if (side === 'sender' || fartherPlaces(place, tunnel, world).length > 0) continue;
        const miss = mayMiss(view.timeline);
        const shared = everyOther(place);
        if (miss !== undefined) reasons.add(miss);
        else if (side === 'unknown') reasons.add('nothing shows that this was captured where the packets arrive');
        else if (shared)
          reasons.add(
            'every other counter is missing: its sender may write to two addresses in turn, as it does when two hosts have one key',
          );
        const sure = miss === undefined && side === 'receiver' && !shared;
        addGaps(sure ? known : doubtful, doubtful, place);
      }
    }
    for (const [flow, loss] of known) {
      const doubt = loss.lost === 0 ? undefined : doubtOf(loss, ownOf(loss, world));
      if (doubt === undefined) continue;
      known.delete(flow);
      doubtful.set(flow, together(loss, doubtful.get(flow)));
      reasons.add(doubt);
    }
    if ([...doubtful.values()].some(({ hidden }) => hidden > 0)) reasons.add(CUT);
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
      certainty: !proven ? 'suspected' : losses.some((loss) => dropped(ownOf(loss, world))) ? 'deduced' : 'proven',
      ...(proven && losses.some((loss) => costs(loss, ownOf(loss, world))) ? { severity: 'warning' as const } : {}),
      frames: losses.flatMap(({ frames }) => frames),
      subject: tunnelSubject(tunnel),
      notes: [
        ...losses.map((loss) => `${loss.flow}: ${loss.lost} of ${loss.sent} packets lost, ${percent([loss])} %`),
        ...(interrupted
          ? ['gaps of five packets and five seconds at least are counted as interruptions, apart from the usual loss']
          : []),
        ...(proven ? [...new Set(losses.map((loss) => heldText(ownOf(loss, world))))] : reasons),
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

function costs({ lost, interrupted, sent }: Loss, own: OwnLoss): boolean {
  const usual = lost - interrupted - ownShare(own) * (sent - interrupted);
  return usual >= WARN.packets && usual >= WARN.share * (sent - interrupted);
}

/** What the captures dropped themselves that a loss shows in. */
function ownOf({ captures }: Loss, world: World): OwnLoss {
  const sum = { dropped: 0, interrupted: 0, held: 0 };
  for (const timeline of captures) {
    const own = ownLoss(world).get(timeline);
    sum.dropped += own?.dropped ?? 0;
    sum.interrupted += own?.interrupted ?? 0;
    sum.held += own?.held ?? 0;
  }
  return sum;
}

function dropped({ dropped: frames, interrupted }: OwnLoss): boolean {
  return frames + interrupted > 0;
}

function ownShare({ dropped: frames, held }: OwnLoss): number {
  return frames / Math.max(1, frames + held);
}

/** Why these gaps may be the capture’s own: it drops about as much of what certainly passed it, or too little did to tell. */
function doubtOf({ lost, interrupted, sent }: Loss, own: OwnLoss): string | undefined {
  if (!dropped(own))
    return own.held * lost >= TELLING * sent
      ? undefined
      : 'a capture that drops frames shows the same gaps: tcpdump says at its end how many it dropped';
  if (interrupted > 0 && own.interrupted === 0) return undefined;
  return lost - interrupted <= OWN_TIMES * ownShare(own) * (sent - interrupted)
    ? `the capture itself dropped frames: ${ownText(own)}`
    : undefined;
}

function ownText({ dropped: frames, interrupted, held }: OwnLoss): string {
  const missing = frames + interrupted;
  return `of ${missing + held} packets that certainly passed it, ${missing} are not in it`;
}

/** Why the gaps are not the capture’s own. */
function heldText(own: OwnLoss): string {
  return dropped(own)
    ? `the capture dropped frames too, but far fewer: ${ownText(own)}`
    : `the capture itself dropped no frames: it holds all ${own.held} packets that certainly passed it`;
}

function total(losses: readonly Loss[], what: 'lost' | 'sent' | 'interrupted' | 'reordered'): number {
  return losses.reduce((sum, loss) => sum + loss[what], 0);
}

function percent(losses: readonly Loss[]): number {
  return Math.round((10_000 * total(losses, 'lost')) / Math.max(1, total(losses, 'sent'))) / 100;
}

function lossOf(into: Map<string, Loss>, { view, half }: Place): Loss {
  const flow = `${half.sender.text} → ${half.owner.text}`;
  let loss = into.get(flow);
  if (loss === undefined) {
    const none = { lost: 0, interrupted: 0, hidden: 0, sent: 0, reordered: 0 };
    loss = { flow, from: addressOf(half.sender.text), ...none, frames: [], captures: new Set() };
    into.set(flow, loss);
  }
  loss.captures.add(view.timeline);
  return loss;
}

function together(a: Loss, b: Loss | undefined): Loss {
  if (b === undefined) return a;
  return {
    ...a,
    lost: a.lost + b.lost,
    interrupted: a.interrupted + b.interrupted,
    hidden: a.hidden + b.hidden,
    sent: a.sent + b.sent,
    reordered: a.reordered + b.reordered,
    frames: [...a.frames, ...b.frames].slice(0, FRAMES),
    captures: new Set([...a.captures, ...b.captures]),
  };
}

/** Two captures know what was sent; what a black hole swallows is told by its own rule. */
function collectPairs(
  tunnel: Tunnel,
  world: World,
  into: Map<string, Loss>,
  doubtful: Map<string, Loss>,
): Set<Place['half']> {
  const holes = new Map(blackHoles(tunnel, world).map((hole) => [hole.pair, hole]));
  const handled = new Set<Place['half']>();
  for (const pair of halfPairs(tunnel, world)) {
    if (!pair.exact || mayMiss(pair.received.view.timeline) !== undefined || everyOther(pair.received)) continue;
    handled.add(pair.sent.half).add(pair.received.half);
    const swallowed = holes.get(pair)?.count ?? 0;
    const hidden = hiddenIn(pair);
    if (hidden > 0) add(lossOf(doubtful, pair.received), { count: hidden, hidden: true });
    const lost = pair.lostCount - swallowed - hidden;
    if (lost <= 0) continue;
    const loss = lossOf(into, pair.received);
    loss.lost += lost;
    loss.sent += pair.compared - swallowed - hidden;
    loss.reordered += pair.received.half.reordered;
    loss.interrupted += Math.min(interruptions(pair), lost);
    keepFrames(
      loss,
      pair.lost.slice(0, FRAMES).flatMap((span) => around(pair, span)),
    );
  }
  return handled;
}

/** Lost ones that a cut frame of the receiver’s capture may hold. */
function hiddenIn({ lost, received: { half } }: HalfPair): number {
  let sum = 0;
  for (const { low, high } of lost) {
    const before = half.runs.runs.findLast((run) => run.high < low);
    if (before !== undefined && mayHold(half, before, high - before.high)) sum += high - low + 1;
  }
  return sum;
}

function interruptions({ lost, received }: HalfPair): number {
  let sum = 0;
  for (const { low, high } of lost) {
    if (high - low + 1 < INTERRUPTION.packets) continue;
    const { runs } = received.half.runs;
    const before = runs.findLast((run) => run.high < low);
    const after = runs.find((run) => run.low > high);
    // nothing after it: the interruption lasts to the end
    if (before === undefined || after === undefined || isLong(before.last, after.first)) sum += high - low + 1;
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

function addGaps(into: Map<string, Loss>, doubtful: Map<string, Loss>, place: Place): void {
  const loss = lossOf(into, place);
  loss.sent += place.half.runs.seen;
  loss.reordered += place.half.reordered;
  for (const gap of gapsOf(place)) add(gap.hidden ? lossOf(doubtful, place) : loss, gap);
}

function add(
  loss: Loss,
  { count, hidden, interruption = false, around: frames = [] }: Pick<Gap, 'count' | 'hidden'> & Partial<Gap>,
): void {
  loss.lost += count;
  loss.sent += count;
  if (interruption) loss.interrupted += count;
  if (hidden) loss.hidden += count;
  keepFrames(loss, frames);
}

function keepFrames(loss: Loss, frames: readonly FrameId[]): void {
  for (const frame of frames) if (loss.frames.length < FRAMES) loss.frames.push(frame);
}
