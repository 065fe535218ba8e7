/** Only one direction of a flow is in the capture, although the protocol shows that there was another. */

import { indexText } from '../../analyze/merge.ts';
import type { FrameId, PairId, Session, Timeline } from '../../analyze/timeline.ts';
import { msBetween } from '../../base/time.ts';
import { captureLinux, captureRouterOs } from '../advice.ts';
import { captureSubject, noisePairs, portOf } from '../capture-evidence.ts';
import { defineRule } from '../rule.ts';

/** A round trip before the first frame may have taken the other half of a handshake with it. */
const START_MS = 2000;
/** Who sends data and hears nothing begins a new handshake after 15 s and a jitter (wp §6.5): silence longer than this is not heard by us only. */
const HEARS_MS = 20_000;

interface OneSided {
  readonly from: string;
  readonly to: string;
  readonly packets: number;
  readonly because: string;
  readonly frames: readonly FrameId[];
  readonly certainty: 'proven' | 'deduced';
}

export const captureOneSided = defineRule({
  name: 'capture-one-sided',
  severity: 'info',
  on: 'capture',
  group: 'capture',
  spec: 'wp §6.5',
  hides: ['handshake-not-captured'],
  explain: {
    what: 'the capture holds one direction of a flow, and that direction could not be as it is without the other',
    why: 'the answers exist and were not captured (a filter on source or destination, a mirror port of one direction, routing that differs each way): that they are missing here says nothing about the tunnel',
    fix: 'capture on the WireGuard host itself, with a filter on `port`, not on `src port` or `dst port`',
  },
  check(timeline, world) {
    const flows = [...oneSided(timeline, noisePairs(timeline, world))];
    const [first, ...rest] = flows;
    if (first === undefined) return undefined;
    return {
      facts: {
        from: first.from,
        to: first.to,
        packets: first.packets,
        because: first.because,
        flows: flows.length,
        port: portOf(timeline, world),
      },
      certainty: first.certainty,
      frames: flows.flatMap(({ frames }) => frames),
      subject: captureSubject(timeline),
      notes: [
        'that an answer is missing from this capture proves nothing: no finding rests on it',
        ...rest.slice(0, 4).map(({ from, to, because }) => `also ${from} → ${to}: ${because}`),
      ],
    };
  },
  message: ({ from, to, because }) =>
    `only packets from ${from} to ${to} are in the capture, none of the other direction, which there must be: ${because}`,
  fix: ({ port }) => ({ linux: [captureLinux(port)], routeros: [captureRouterOs(port)] }),
});

function* oneSided(timeline: Timeline, noise: ReadonlySet<PairId>): Generator<OneSided> {
  const heard = whoIsWrittenTo(timeline);
  const reported = new Set<string>();
  for (const found of evidence(timeline, noise)) {
    if (heard.has(found.from) || reported.has(`${found.from} ${found.to}`)) continue;
    reported.add(`${found.from} ${found.to}`);
    yield found;
  }
}

/** Ends that anybody at all writes to, in whatever form: for them the capture has two directions. */
function whoIsWrittenTo(timeline: Timeline): Set<string> {
  const out = new Set<string>();
  for (const [pair, counts] of timeline.directions) {
    const [a = '', b = ''] = pair.split(' ~ ');
    if ((counts.get(a) ?? 0) > 0) out.add(b);
    if ((counts.get(b) ?? 0) > 0) out.add(a);
  }
  const odd = [timeline.variants.values(), timeline.foreign.values(), timeline.malformed];
  for (const flows of odd) for (const { to } of flows) out.add(timeline.duplicates.nat.get(to.text) ?? to.text);
  return out;
}

/** What noise answers and what it sends proves nothing about another end. */
function* evidence(timeline: Timeline, noise: ReadonlySet<PairId>): Generator<OneSided> {
  const begun = (at: FrameId): boolean =>
    timeline.timed && timeline.first !== undefined && msBetween(timeline.first.time, at.time) > START_MS;
  for (const { initiation, responses, responderName, initiatorName, pair } of timeline.exchanges) {
    const [response] = responses;
    if (initiation !== undefined || response === undefined || noise.has(pair) || !begun(response.seen.at)) continue;
    yield {
      ...flow(timeline, responderName, initiatorName),
      because: `it answers initiation ${indexText(response.seen.receiver)}, which is not here`,
      frames: [response.seen.at],
      certainty: 'proven',
    };
  }
  const handshaking = new Set(timeline.exchanges.map(({ pair }) => pair));
  for (const session of timeline.sessions) {
    if (noise.has(session.pair)) continue;
    for (const half of [session.toResponder, session.toInitiator]) {
      if (half === undefined || half.runs.low !== 0 || !begun(half.first)) continue;
      // one lone packet may be anybody's probe
      if (half.packets < 2 && !handshaking.has(session.pair)) continue;
      const ends = endsOf(session, timeline);
      if (ends === undefined) continue;
      yield {
        ...flow(timeline, ends.from, ends.to),
        because: `data begins at counter 0 for index ${indexText(half.index)}, which only the other end can have named`,
        frames: [half.first],
        certainty: 'deduced',
      };
    }
  }
  for (const silence of timeline.silences) {
    if (silence.initiations.length > 0 || silence.heardBefore !== undefined || !timeline.timed) continue;
    const ms = msBetween(silence.start.time, silence.lastSent.time);
    if (ms < HEARS_MS || silence.packets < 3) continue;
    const [a = '', b = ''] = silence.pair.split(' ~ ');
    yield {
      ...flow(timeline, silence.senderName, silence.senderName === a ? b : a),
      because: `it goes on for ${Math.round(ms / 1000)} s without a new handshake, so it hears the other end`,
      frames: silence.frames,
      certainty: 'deduced',
    };
  }
}

/** The end that is seen and the one that is not; undefined when both are. */
function endsOf({ pair }: Session, timeline: Timeline): { from: string; to: string } | undefined {
  const [a = '', b = ''] = pair.split(' ~ ');
  const counts = timeline.directions.get(pair);
  const fromA = (counts?.get(a) ?? 0) > 0;
  const fromB = (counts?.get(b) ?? 0) > 0;
  if (fromA === fromB) return undefined;
  return fromA ? { from: a, to: b } : { from: b, to: a };
}

function flow(timeline: Timeline, from: string, to: string): Pick<OneSided, 'from' | 'to' | 'packets'> {
  const pair = from < to ? `${from} ~ ${to}` : `${to} ~ ${from}`;
  return { from, to, packets: timeline.directions.get(pair)?.get(from) ?? 0 };
}
