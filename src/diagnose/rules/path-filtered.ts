/** Messages of one type vanish while those of another pass between the same two ends: something tells them apart. */
import { endNames, halfPairs } from '../../analyze/session-pairs.ts';
import { type Attempt, initiationOf, isAnswered, type Tunnel, type World } from '../../analyze/world.ts';
import type { Time } from '../../base/time.ts';
import { captureOtherEnd } from '../advice.ts';
import { type DeadSessions, deadBetween, deadInOne, seenBetween } from '../dead-sessions.ts';
import { firstInitiation, initiationFrames, subjectOf, tunnelSubject } from '../evidence.ts';
import { defineRule, type Found } from '../rule.ts';

/** Data messages of the same sender that arrive while its initiations vanish. */
const PASSING = 3;

export const pathFiltered = defineRule({
  name: 'path-filtered',
  severity: 'warning',
  on: 'tunnel',
  group: 'wire',
  spec: 'wp §6.4, §6.5',
  hides: ['session-unconfirmed', 'peer-restarted', 'packet-loss'],
  explain: {
    what: 'between two captures only messages of certain types or sizes vanish, while others of the same flow pass',
    why: 'deep packet inspection recognises WireGuard handshakes by their first byte and their exact sizes of 148 and 92 bytes',
    fix: 'try from another network; if it works there, the network in between filters WireGuard: an obfuscating transport is the way around',
  },
  check(tunnel, world) {
    const lost = tunnel.attempts
      .map((attempt) => initiationsLost(attempt, world))
      .filter((found) => found !== undefined);
    const dead = dataLost(tunnel, world);
    return dead === undefined ? lost : [dead, ...lost];
  },
  message: (facts) => {
    if ('lost' in facts)
      return `${facts.lost} initiations to ${facts.to} never reach ${facts.missingIn} while data of the same tunnel does: the path filters by type or size`;
    const { sessions, seconds, lostFrom, missingIn, asker, asked, recovered } = facts;
    const what = `${sessions} sessions in a row within ${seconds} s`;
    const again = recovered ? ', later it passed again' : '';
    if (missingIn !== null)
      return `handshakes of ${asker} and ${asked} pass, data does not: of ${what} no data of ${lostFrom} reached ${missingIn}${again}`;
    return `each new handshake of ${asker} and ${asked} succeeds, and its data is lost: ${what} brought ${asker} nothing back${again}`;
  },
  fix: (facts) => ('port' in facts ? captureOtherEnd({ port: facts.port }) : {}),
});

type InitiationFacts = { readonly lost: number; readonly missingIn: string; readonly to: string };
type DataFacts = {
  readonly sessions: number;
  readonly seconds: number;
  readonly lostFrom: string | null;
  readonly missingIn: string | null;
  readonly asker: string;
  readonly asked: string;
  readonly recovered: boolean;
  readonly port: number;
};

function dataLost(tunnel: Tunnel, world: World): Found<InitiationFacts | DataFacts> | undefined {
  const captures = [...new Set(tunnel.sessions.map(({ timeline }) => timeline))];
  const single = captures.map((timeline) => deadInOne(tunnel, timeline)).filter((found) => found !== undefined);
  // one that shows the data arrive refutes the others; what can be placed is worth more than what cannot
  const alone =
    single.length < captures.length ? undefined : (single.find(({ lostFrom }) => lostFrom !== undefined) ?? single[0]);
  const dead = deadBetween(tunnel, world) ?? alone;
  if (dead === undefined) return undefined;
  const { sessions, seconds, lostFrom, missingIn, asker, asked, recovered, bracketed, frames } = dead;
  return {
    facts: {
      sessions,
      seconds,
      lostFrom: lostFrom?.text ?? null,
      missingIn: missingIn ?? null,
      asker: asker.text,
      asked: asked.text,
      recovered,
      port: asked.port,
    },
    certainty: missingIn === undefined ? 'suspected' : bracketed ? 'proven' : 'deduced',
    // no session carries anything: the tunnel is dead
    severity: recovered ? 'warning' : 'error',
    frames,
    subject: tunnelSubject(tunnel),
    notes: notesOf(dead),
    ...(missingIn === undefined
      ? {
          ruledOut: [
            {
              rule: 'session-unconfirmed',
              because: `${asker.text} takes the answers: else it would ask again after 5 s, not 15 s after its data`,
              frames: frames.slice(0, 3),
            },
          ],
          missing: [
            {
              key: 'a capture on the other end at the same time',
              wouldSettle: 'which data leaves and does not arrive',
            },
          ],
        }
      : {}),
  };
}

function notesOf({ missingIn, lostFrom }: DeadSessions): string[] {
  if (missingIn !== undefined)
    return ['the initiations and responses of these sessions are in both captures, so the path was up'];
  return [
    lostFrom === undefined
      ? 'which direction is blocked this capture cannot tell'
      : `it is the data of ${lostFrom.text} that does not arrive`,
    'neither AllowedIPs nor a firewall inside the tunnel looks like this: what they drop is still answered with a keepalive after 10 s',
    'a firewall on one of the hosts that knows the types, an end that restarts again and again, another host with the same key that takes the session over, and answers that are all too large for the path look the same',
  ];
}

function initiationsLost(attempt: Attempt, world: World): Found<InitiationFacts> | undefined {
  const first = firstInitiation(attempt);
  const lost = attempt.exchanges.filter((merged) => !isAnswered(merged) && merged.views.length === 1);
  if (first === undefined || lost.length < 3 || attempt.outcome === 'established') return undefined;
  const here = lost[0]?.views[0]?.timeline;
  const last = lost.at(-1);
  const begin = lost[0] === undefined ? undefined : initiationOf(lost[0])?.at.time;
  const end = last === undefined ? undefined : initiationOf(last)?.at.time;
  if (here === undefined || begin === undefined || end === undefined) return undefined;
  if (lost.some(({ views }) => views[0]?.timeline !== here)) return undefined;
  const asker = lost[0]?.views[0]?.exchange.initiatorName;
  const other = halfPairs(attempt.tunnel, world).find(({ sent, received }) => {
    if (sent.view.timeline !== here || endNames(sent).sender !== asker) return false;
    const there = (time: Time): Time =>
      world.translate(time, here.capture, received.view.timeline.capture)?.time ?? time;
    return seenBetween(received.half.runs.runs, there(begin), there(end)) >= PASSING;
  })?.received.view;
  if (other === undefined) return undefined;
  return {
    facts: { lost: lost.length, missingIn: other.timeline.name, to: first.to.text },
    certainty: 'suspected',
    frames: initiationFrames(lost),
    subject: subjectOf(attempt),
    notes: ['data of the same two ends reaches the other capture in that time'],
  };
}
