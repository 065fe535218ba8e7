/** Large data vanishes on the way while small data passes, and nobody says so. */

import { indexText } from '../../analyze/merge.ts';
import type { FrameId } from '../../analyze/timeline.ts';
import type { Tunnel, World } from '../../analyze/world.ts';
import { type Endpoint, formatIp } from '../../base/address.ts';
import { type BlackHole, blackHoles, type StalledPlace, stalledPlaces } from '../black-hole.ts';
import { IPV6_LEAST_MTU, mtuEdits, mtuFix, overhead, pppoeNote, sumText } from '../mtu.ts';
import { defineRule, type Found } from '../rule.ts';

type MtuFacts = {
  readonly from: string;
  readonly to: string;
  readonly proven: boolean;
  readonly messages: number;
  /** UDP payload, bytes. */
  readonly greatestPassed: number | null;
  readonly leastLost: number;
  readonly outerPassed: number | null;
  readonly outerLost: number;
  readonly outerHeaders: number;
  readonly tunnelOverhead: number;
  readonly mtu: number;
};

const ICMP_FILTERED =
  'an ICMP “fragmentation needed” or “packet too big” may have been filtered on the path, or left out by the filter of the capture';

export const mtuBlackhole = defineRule<'tunnel', MtuFacts>({
  name: 'mtu-blackhole',
  severity: 'error',
  on: 'tunnel',
  group: 'wire',
  spec: 'RFC 2923 §2.1',
  explain: {
    what: 'data messages above some size leave one end and never reach the other, smaller ones before and after them do',
    why: 'a link on the way has a smaller MTU and the ICMP error that would say so is filtered: handshakes, pings and short answers work, downloads and pages hang',
    fix: 'set the MTU of the tunnel to the path MTU less 60 bytes over IPv4 or 80 over IPv6, clamp the MSS of forwarded TCP, and let ICMP errors through',
  },
  check(tunnel, world) {
    const found = blackHoles(tunnel, world).map((hole) => fromPair(hole, tunnel, world));
    return found.length > 0 ? found : stalledPlaces(tunnel, world).map(fromStall);
  },
  message(facts) {
    const { from, to, proven, messages, greatestPassed, leastLost, outerLost, outerHeaders, mtu } = facts;
    const sum = `${leastLost} + ${outerHeaders} = ${outerLost} bytes outside`;
    return proven
      ? `data of ${leastLost} bytes and more from ${from} never reaches ${to} (${messages} lost), up to ${greatestPassed} bytes it does: ${sum} is too much for the path; try MTU ${mtu}`
      : `${from} sends the same ${leastLost} bytes to ${to} ${messages} times with growing gaps and without an answer, while small data is answered: ${sum} may be too much for the path; try MTU ${mtu}`;
  },
  fix: ({ mtu, to }) => mtuFix(mtu, to),
});

function fromPair(hole: BlackHole, tunnel: Tunnel, world: World): Found<MtuFacts> {
  const { pair, large, count, passed, leastLost, doubt } = hole;
  const { sent, received } = pair;
  const { session, timeline } = sent.view;
  const facts = factsOf(sent.half.sender, sent.half.owner, { proven: true, messages: count, passed, leastLost });
  const fragmented = sent.half.fragmented.length > 0;
  const frames: FrameId[] = large.flatMap((span) => span.frames);
  for (const run of received.half.runs.runs.slice(0, 4)) frames.push(run.first);
  return {
    facts,
    edits: mtuEdits(session.pair, timeline, tunnel, world, facts.mtu),
    certainty: doubt === undefined ? 'proven' : 'suspected',
    frames,
    subject: `session:${indexText(sent.half.index)}`,
    notes: [
      ...arithmetic(sent.half.owner, passed, leastLost),
      ...(fragmented ? ['some of them leave as IP fragments: a device on the way drops those'] : []),
      ...(doubt === undefined ? [] : [`${doubt}, so the large packets may have arrived unseen`]),
      ICMP_FILTERED,
    ],
    ruledOut: [
      {
        rule: 'packet-loss',
        because: `no message above ${passed} bytes arrived, ${received.half.runs.seen} of at most that size did, before and after them`,
      },
    ],
  };
}

function fromStall({ place: { half }, stall }: StalledPlace): Found<MtuFacts> {
  return {
    facts: factsOf(half.sender, half.owner, {
      proven: false,
      messages: stall.sent.length,
      passed: null,
      leastLost: stall.length,
    }),
    certainty: 'suspected',
    frames: stall.sent,
    subject: `session:${indexText(half.index)}`,
    notes: [
      ...arithmetic(half.owner, null, stall.length),
      `${stall.smallAnswered} smaller messages were answered in between`,
      'an inner host that ignores just this connection looks the same',
      ICMP_FILTERED,
    ],
    missing: [{ key: 'a capture on the other end at the same time', wouldSettle: 'whether the large messages arrive' }],
  };
}

interface Sizes {
  readonly proven: boolean;
  readonly messages: number;
  readonly passed: number | null;
  readonly leastLost: number;
}

function factsOf(from: Endpoint, to: Endpoint, { proven, messages, passed, leastLost }: Sizes): MtuFacts {
  const { outer, tunnel } = overhead(to);
  return {
    from: from.text,
    to: to.text,
    proven,
    messages,
    greatestPassed: passed,
    leastLost,
    outerPassed: passed === null ? null : passed + outer,
    outerLost: leastLost + outer,
    outerHeaders: outer,
    tunnelOverhead: tunnel,
    mtu: fittingMtu(passed ?? 0, leastLost, outer, tunnel),
  };
}

/** What surely fits: as large as what passed, or 1280 where a path of that much is not excluded. */
function fittingMtu(passed: number, leastLost: number, outer: number, tunnel: number): number {
  const shown = passed + outer - tunnel;
  const safe = IPV6_LEAST_MTU + tunnel < leastLost + outer ? IPV6_LEAST_MTU : 0;
  const fits = Math.max(shown, safe);
  return fits > 0 ? fits : leastLost + outer - tunnel - 16;
}

/** The sum, and between which sizes the path ends. */
function arithmetic(to: Endpoint, passed: number | null, leastLost: number): string[] {
  const { outer, tunnel } = overhead(to);
  const least = passed === null ? '' : `at least ${passed + outer} and `;
  return [
    `${sumText(leastLost, to)}; the path to ${formatIp(to.ip)} carries ${least}less than ${leastLost + outer}; tunnel MTU = path MTU − ${tunnel}`,
    ...pppoeNote(passed === null ? 0 : passed + outer, leastLost + outer),
  ];
}
