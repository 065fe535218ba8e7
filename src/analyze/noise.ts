/** Who sends initiations and is no initiator: scanners, fuzzers, whatever else an open port hears of the internet. */
import { isZero } from '../base/bytes.ts';
import { msBetween } from '../base/time.ts';
import type { Exchange, Half, Seen, Timeline } from './timeline.ts';
import type { Tunnel } from './world.ts';

/** REKEY_TIMEOUT and the latest retry after it, each with what a path may add or take. */
const RETRY_MS = { least: 4500, most: 6500 } as const;
/** Who has not tried again until then does not wait for an answer: three retries are not lost without the rest. */
const WAITED_MS = 20_000;
/** No session sends more than that in the three minutes it lasts. */
const COUNTER_LIMIT = 2 ** 40;

interface Asked {
  readonly exchange: Exchange;
  readonly initiation: Seen;
  readonly timeline: Timeline;
}

/**
 * Nothing of it was ever authentic, nothing came back, and it does not do what every initiator does: try again after
 * five seconds with a new index and a new ephemeral. Nobody waits for an answer there.
 */
export function isNoise(tunnel: Tunnel): boolean {
  const asked = tunnel.exchanges.flatMap(({ views }) =>
    views.flatMap(({ exchange, timeline, vantage }): (Asked & { local: boolean })[] =>
      exchange.initiation === undefined
        ? []
        : [{ exchange, initiation: exchange.initiation, timeline, local: vantage === 'initiator' }],
    ),
  );
  if (asked.length === 0 || asked.some(({ local, timeline }) => local || !timeline.timed)) return false;
  if (asked.some(isAuthentic) || asked.some(isHeard)) return false;
  if (tunnel.sessions.some(({ session }) => [session.toResponder, session.toInitiator].some(isStream))) return false;
  const captures = new Set(asked.map(({ timeline }) => timeline));
  return [...captures].every((capture) => breaksClock(asked.filter(({ timeline }) => timeline === capture)));
}

function isAuthentic({ exchange: { sight }, initiation }: Asked): boolean {
  return initiation.cut || sight?.mac1.kind === 'known' || sight?.alteredFor !== undefined;
}

/** The asked end sent anything at all. */
function isHeard({ exchange: { pair, initiatorName, responses, cookies }, timeline }: Asked): boolean {
  if (responses.length > 0 || cookies.length > 0) return true;
  const counts = timeline.directions.get(pair) ?? new Map<string, number>();
  return [...counts].some(([name, packets]) => name !== initiatorName && packets > 0);
}

/** The first message of a session, or several with counters that one comes to. */
function isStream(half: Half | undefined): boolean {
  if (half === undefined || half.index === 0) return false;
  const { low } = half.runs;
  return low === 0 || (low < COUNTER_LIMIT && half.packets - half.replayed > 1);
}

/** In one capture. */
function breaksClock(asked: readonly Asked[]): boolean {
  const fresh = asked.filter(({ initiation }) => !isBlank(initiation));
  const gaps = fresh.slice(1).map(({ initiation }, i) => {
    const before = fresh[i]?.initiation;
    return before === undefined || before.sender === initiation.sender
      ? 0
      : msBetween(before.at.time, initiation.at.time);
  });
  if (gaps.some((ms) => ms >= RETRY_MS.least && ms <= RETRY_MS.most)) return false;
  const odd = fresh.length < asked.length || asked.some(({ exchange }) => exchange.replays.length > 0);
  if (odd || gaps.some((ms) => ms < RETRY_MS.least)) return true;
  const [last] = fresh.slice(-1);
  const until = last?.timeline.until;
  return last !== undefined && until !== undefined && msBetween(last.initiation.at.time, until) > WAITED_MS;
}

/** No ephemeral is zero: what fills a message with zeros has made no key. */
function isBlank({ bytes }: Seen): boolean {
  return isZero(bytes.subarray(8, 40));
}
