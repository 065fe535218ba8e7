/** One end has forgotten the session: data to it vanishes until the other end begins a new one. */

import { indexText } from '../../analyze/merge.ts';
import type { Place } from '../../analyze/session-pairs.ts';
import type { Session, Silence, Timeline } from '../../analyze/timeline.ts';
import type { Tunnel } from '../../analyze/world.ts';
import { compareTime, msBetween } from '../../base/time.ts';
import { REJECT_AFTER_TIME_MS } from '../../wg/constants.ts';
import { addressOf, secondsOf } from '../data-evidence.ts';
import { defineRule, type RuledOut } from '../rule.ts';
import {
  askingPlaces,
  atTarget,
  meaningful,
  moments,
  otherSide,
  refusals,
  type TunnelSilence,
} from '../silence-evidence.ts';

/** KEEPALIVE_TIMEOUT + REKEY_TIMEOUT after data without an answer a new handshake begins (wp §6.4). */
const REHANDSHAKE_MS = 15_000;
const TIMER_SLACK_MS = 750;
/** Fewer unanswered packets than this, or closer together, may be ordinary loss. */
const LEAST = { packets: 3, ms: 5000, moments: 4, answers: 3 };
/** Gaps in the counters of a capture from which on its path counts as lossy. */
const LOSSY = 2;
/** Answered at once: a path that had been down would hardly come up in just this moment. */
const AT_ONCE_MS = 2000;

export const peerRestarted = defineRule({
  name: 'peer-restarted',
  severity: 'warning',
  on: 'tunnel',
  group: 'wire',
  spec: 'wp §6.2, §6.4',
  hides: ['packet-loss'],
  explain: {
    what: 'data of a session that is still young stays unanswered; after 15 seconds its sender begins a new handshake, which is answered at once',
    why: 'sessions live in memory only: an end that was restarted does not know the index and drops the data in silence, until the sender gives the session up',
    fix: 'see why that end was restarted (service, interface or host); a change of its configuration needs no restart, `wg syncconf` keeps the sessions',
  },
  check(tunnel, world) {
    for (const each of tunnel.silences) {
      const place = forgotten(each, tunnel);
      if (place === undefined) continue;
      const { silence } = each;
      const { end } = silence;
      const [initiation] = silence.initiations;
      if (end === undefined || initiation === undefined) continue;
      const refused = refusals(silence);
      if (refused.length === 0 && moments(silence) < LEAST.moments) continue;
      const side = otherSide(each, tunnel, world);
      // what never reached it was lost on the way
      if (side !== undefined && side.lost > 0 && side.lost >= side.arrived) continue;
      if (answersLost(place, tunnel) || !worksAgain(each, tunnel)) continue;
      return {
        facts: {
          restarted: silence.target.text,
          sender: silence.sender.text,
          session: indexText(place.half.index),
          packets: silence.packets,
          silentSeconds: secondsOf(msBetween(silence.start.time, initiation.time)),
          answeredMs: Math.round(msBetween(initiation.time, end.at.time)),
          refused: refused.length,
        },
        certainty: refused.length > 0 ? 'deduced' : 'suspected',
        ...(refused.length === 0 && losesPackets(each, tunnel) ? { severity: 'info' as const } : {}),
        frames: [
          ...(silence.heardBefore === undefined ? [] : [silence.heardBefore]),
          ...silence.frames,
          ...refused.slice(0, 3).map(({ at }) => at),
          initiation,
          end.at,
        ],
        subject: `session:${indexText(place.half.index)}`,
        notes:
          refused.length > 0
            ? [`for a moment nobody was listening at ${silence.target.text}: it answered “port unreachable”`]
            : [
                'a path that was down for just that time looks nearly the same; the log or the uptime of that end would tell',
              ],
        ruledOut: ruledOut(side?.arrived ?? 0, each, place),
        missing: [
          {
            key: `the log or the uptime of WireGuard at ${silence.target.text}`,
            wouldSettle: 'whether it was restarted then',
          },
        ],
      };
    }
    return undefined;
  },
  message: ({ restarted, packets, silentSeconds, session }) =>
    `${restarted} seems to have been restarted: ${packets} data packets of session ${session} stayed unanswered for ${silentSeconds} s, the new handshake was answered at once`,
  fix: ({ restarted }) => ({
    linux: [
      `at ${restarted}: journalctl -u wg-quick@wg0 --since -1h; uptime; ip -d link show wg0`,
      'wg syncconf wg0 <(wg-quick strip wg0) applies changes without losing sessions',
    ],
    routeros: [
      `at ${restarted}: /log print where message~"wireguard" or topics~"system"; /system resource print (uptime)`,
    ],
  }),
});

/** Data packets back for one sent, before it fell silent: fewer, and only keepalives were to be expected. */
const CONVERSES = 0.5;

/** The direction whose data went unanswered the way it does when the other end has forgotten the session. */
function forgotten(each: TunnelSilence, tunnel: Tunnel): Place | undefined {
  const { silence, timeline } = each;
  if (!meaningful(each) || silence.packets < LEAST.packets || silence.initiationCount !== 1) return undefined;
  const [initiation] = silence.initiations;
  if (initiation === undefined || silence.end?.kind !== 'response') return undefined;
  if (
    msBetween(initiation.time, silence.end.at.time) > AT_ONCE_MS ||
    addressOf(silence.end.from.text) !== addressOf(silence.target.text)
  )
    return undefined;
  if (msBetween(silence.start.time, initiation.time) < REHANDSHAKE_MS - TIMER_SLACK_MS) return undefined;
  const asked = silence.frames.filter((frame) => compareTime(frame.time, initiation.time) < 0);
  const lastAsked = asked.at(-1);
  if (lastAsked === undefined || msBetween(silence.start.time, lastAsked.time) < LEAST.ms) return undefined;
  return askingPlaces(each, tunnel).find(
    (place) => young(place, silence) && answeredWithData(place, silence, timeline),
  );
}

/** The new session brings data back: else it is not the old one’s fault. */
function worksAgain({ silence: { end }, timeline }: TunnelSilence, tunnel: Tunnel): boolean {
  const view = tunnel.sessions.find(
    ({ session, timeline: of }) => of === timeline && session.exchange?.responses.some(({ seen }) => seen === end),
  );
  return view?.session.toInitiator !== undefined;
}

/** The path loses packets anyway, as the gaps in what arrived here show: a lost answer is then as likely as a restart. */
function losesPackets({ timeline }: TunnelSilence, tunnel: Tunnel): boolean {
  const halves = tunnel.sessions
    .filter((view) => view.timeline === timeline)
    .flatMap(({ session }) => [session.toInitiator ?? [], session.toResponder ?? []].flat());
  return halves.reduce((sum, { runs }) => sum + runs.gaps, 0) >= LOSSY;
}

/** Another capture of the session shows more packets from the silent end than arrived here: its answer was lost. */
function answersLost({ view, half }: Place, tunnel: Tunnel): boolean {
  const back = ({ toInitiator, toResponder }: Session, toOwner: boolean) => (toOwner ? toInitiator : toResponder);
  const toOwner = half === view.session.toResponder;
  const here = back(view.session, toOwner)?.packets ?? 0;
  return tunnel.sessions.some(({ session, timeline }) => {
    const same =
      session.initiatorIndex === view.session.initiatorIndex && session.responderIndex === view.session.responderIndex;
    return timeline !== view.timeline && same && (back(session, toOwner)?.packets ?? 0) > here;
  });
}

/** The data was sent to a session that its owner should still have had. */
function young({ view }: Place, { start }: Silence): boolean {
  const begun = view.session.exchange?.responses[0]?.seen.at.time;
  // the rekey of an old session looks like this too: keep clear of it
  return begun !== undefined && msBetween(begun, start.time) < REJECT_AFTER_TIME_MS - REHANDSHAKE_MS;
}

/** The other direction was captured, so its silence means something; and it ended before this data. */
function answeredWithData({ view, half }: Place, { start, packets }: Silence, timeline: Timeline): boolean {
  const { toInitiator, toResponder } = view.session;
  const reverse = half === toResponder ? toInitiator : toResponder;
  if (view.timeline !== timeline || reverse === undefined || compareTime(reverse.last.time, start.time) > 0)
    return false;
  // who only listens answers with one keepalive in ten seconds: losing that single packet looks the same
  const before = half.packets - half.keepalives - packets;
  const answers = reverse.packets - reverse.keepalives;
  return answers >= LEAST.answers && answers >= CONVERSES * before;
}

function ruledOut(arrived: number, each: TunnelSilence, { half }: Place): RuledOut[] {
  const out: RuledOut[] = [
    { rule: 'data-after-expiry', because: 'the session was less than 180 s old', frames: [half.first] },
  ];
  if (atTarget(each) || arrived > 0)
    out.push({
      rule: 'packet-loss',
      because: 'a capture at that end holds the data: it arrived',
      frames: each.silence.frames.slice(0, 2),
    });
  return out;
}
