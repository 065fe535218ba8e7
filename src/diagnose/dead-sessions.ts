/** Sessions that begin as they should and bring nothing: their handshakes pass the path, their data does not. */

import type { Run } from '../analyze/counter-runs.ts';
import type { View } from '../analyze/merge.ts';
import { endNames, mayMiss, placesOf } from '../analyze/session-pairs.ts';
import { LARGE_BYTES } from '../analyze/stall.ts';
import type { Exchange, FrameId, Half, Seen, Session, Timeline } from '../analyze/timeline.ts';
import type { Tunnel, World } from '../analyze/world.ts';
import { toHex } from '../base/bytes.ts';
import { msBetween, type Time } from '../base/time.ts';
import { NEW_HANDSHAKE_TIMEOUT_MS } from '../wg/constants.ts';

/** Timers are coarse, and jitter is added. */
const EARLY_MS = 750;
const LATE_MS = 1500;
/** Where the data that the timer counts from was not seen: it may have followed the handshake by some seconds. */
const LATE_UNSEEN_MS = 5000;
/** Further apart they are no row. */
const MOST_MS = 60_000;
const AT_ONCE_MS = 2000;
/** Small messages in a session, none of which arrived: more than ordinary loss takes. */
const LEAST = { packets: 3, ms: 5000 };
/** Data packets back for one sent: less, and only a keepalive in ten seconds was to be expected, which loss may take. */
const CONVERSES = 0.5;
/** Sessions in a row; more of them where each may have lost a single packet. */
const ROW = { strong: 2, weak: 4 };
const KEEPALIVE_BYTES = 32;

export interface DeadSessions {
  /** Its data is lost; undefined: one of the two, the capture cannot tell which. */
  readonly lostFrom: Seen['from'] | undefined;
  /** Who hears nothing. */
  readonly asker: Seen['from'];
  readonly asked: Seen['from'];
  readonly sessions: number;
  readonly seconds: number;
  /** Data passes again afterwards. */
  readonly recovered: boolean;
  /** The other capture, where two show what left and did not arrive. */
  readonly missingIn: string | undefined;
  readonly bracketed: boolean;
  readonly frames: readonly FrameId[];
}

/** Of a run that reaches beyond the two moments, a share as if it were evenly spread. */
export function seenBetween(runs: readonly Run[], begin: Time, end: Time): number {
  let sum = 0;
  for (const { first, last, seen } of runs) {
    const lasts = Math.max(1, msBetween(first.time, last.time));
    const before = Math.max(0, msBetween(first.time, begin));
    const after = Math.max(0, msBetween(end, last.time));
    sum += seen * Math.max(0, 1 - (before + after) / lasts);
  }
  return sum;
}

/** A path that swallows large messages only is the matter of another rule. */
const small = ({ lengthLow }: Run): boolean => lengthLow < LARGE_BYTES;
const asks = (run: Run): boolean => run.lengthHigh > KEEPALIVE_BYTES;

interface Handshake {
  readonly initiation: Seen;
  readonly response: Seen;
  readonly initiatorName: string;
  readonly exchange: Exchange;
}

/** Those of this capture that were answered at once, in order; `undefined` for one that was not. */
function handshakesIn(tunnel: Tunnel, timeline: Timeline): (Handshake | undefined)[] {
  return tunnel.exchanges
    .flatMap(({ views }) => views.filter((view) => view.timeline === timeline))
    .flatMap(({ exchange }) =>
      exchange.initiation === undefined ? [] : [{ exchange, initiation: exchange.initiation }],
    )
    .sort((a, b) => msBetween(b.initiation.at.time, a.initiation.at.time))
    .map(({ exchange, initiation }) => {
      const response = exchange.responses[0]?.seen;
      if (response === undefined || msBetween(initiation.at.time, response.at.time) > AT_ONCE_MS) return undefined;
      return { initiation, response, initiatorName: exchange.initiatorName, exchange };
    });
}

/** From another address each time: two hosts may have one key, of which each takes the session from the other. */
function moved(of: Handshake, next: Handshake): boolean {
  return of.initiatorName === next.initiatorName && of.initiation.from.text !== next.initiation.from.text;
}

/** Another end made a handshake meanwhile that may be of the same key: it takes the session over. */
function takenOver(timeline: Timeline, { exchange, response }: Handshake, end: Time): boolean {
  const own = exchange.sight?.identity;
  return timeline.exchanges.some(({ pair, responderName, initiation, responses, sight }) => {
    if (pair === exchange.pair || responderName !== exchange.responderName) return false;
    if (initiation === undefined || responses.length === 0) return false;
    const { time } = initiation.at;
    if (msBetween(response.at.time, time) < 0 || msBetween(time, end) < 0) return false;
    return own === undefined || sight?.identity === undefined || toHex(own) === toHex(sight.identity);
  });
}

/** All data of one end of the tunnel in a capture. */
function runsOf(tunnel: Tunnel, timeline: Timeline, sender: string): Run[] {
  return tunnel.sessions
    .filter((view) => view.timeline === timeline)
    .flatMap(placesOf)
    .filter((place) => endNames(place).sender === sender)
    .flatMap(({ half }) => half.runs.runs);
}

/** Where the data is lost as seen from the capture: on the way to it, beyond it, or one of the two. */
type Where = 'before' | 'behind' | 'either';

interface Dead {
  readonly where: Where;
  readonly strong: boolean;
}

/**
 * One capture shows it by the timer of who hears nothing: KEEPALIVE_TIMEOUT + REKEY_TIMEOUT after its first data it
 * begins anew (wp §6.4). Only an answer that it took stops its retries after five seconds; and what AllowedIPs or a
 * firewall inside drop would still bring a keepalive back in ten (wp §6.5).
 */
export function deadInOne(tunnel: Tunnel, timeline: Timeline): DeadSessions | undefined {
  const { until } = timeline;
  if (!timeline.timed || until === undefined || mayMiss(timeline) !== undefined) return undefined;
  const local = tunnel.sessions.find((view) => view.timeline === timeline)?.localName;
  const shakes = handshakesIn(tunnel, timeline);
  if (shakes.length <= ROW.strong) return undefined;
  const data = new Map<string, Run[]>();
  const dataOf = (name: string): Run[] => {
    const known = data.get(name) ?? runsOf(tunnel, timeline, name);
    data.set(name, known);
    return known;
  };
  const names = tunnel.exchanges.flatMap(({ views }) =>
    views.flatMap(({ exchange, timeline: of }) =>
      of === timeline ? [exchange.initiatorName, exchange.responderName] : [],
    ),
  );
  const otherThan = (name: string): string => names.find((each) => each !== name) ?? name;

  /** What `asker` heard of the session that `of` began, until it began the next one or the capture ended. */
  const judge = (of: Handshake, asker: string, next: Time | undefined): Dead | undefined => {
    const begin = of.response.at.time;
    const end = next ?? until;
    const other = otherThan(asker);
    const gapMs = msBetween(begin, end);
    if (next !== undefined && (gapMs < NEW_HANDSHAKE_TIMEOUT_MS - EARLY_MS || gapMs > MOST_MS)) return undefined;
    const inTime = (runs: readonly Run[]) => seenBetween(runs, begin, end);
    const asking = dataOf(asker).filter(asks);
    const first = asking.find(({ last }) => msBetween(begin, last.time) > 0)?.first.time;
    const exact = first !== undefined && msBetween(begin, first) >= 0 && msBetween(first, end) > 0;
    const spentMs = msBetween(exact ? first : begin, end);
    const asked = Math.round(inTime(asking));
    if (next !== undefined) {
      const late = NEW_HANDSHAKE_TIMEOUT_MS + (exact ? LATE_MS : LATE_UNSEEN_MS);
      if (spentMs < NEW_HANDSHAKE_TIMEOUT_MS - EARLY_MS || spentMs > late) return undefined;
    }
    // an initiator that sleeps or leaves after its handshake sends nothing either: only its next one shows more
    if (asked === 0) return next === undefined || local === asker ? undefined : { where: 'before', strong: true };
    const back = dataOf(other);
    const heard = Math.round(inTime(back));
    if (heard > 0) {
      const lost = Math.round(inTime(back.filter(small)));
      if (next === undefined || local === asker || lost === 0) return undefined;
      return { where: 'behind', strong: lost >= LEAST.packets };
    }
    // at the other end’s own capture it is that end that sends nothing
    if (local === other || !asking.some((run) => small(run) && inTime([run]) > 0)) return undefined;
    if (next === undefined && (spentMs < NEW_HANDSHAKE_TIMEOUT_MS - EARLY_MS || asked < LEAST.packets))
      return undefined;
    const before = (runs: readonly Run[]) =>
      runs.filter((run) => asks(run) && msBetween(run.last.time, begin) > 0).reduce((n, { seen }) => n + seen, 0);
    const spoke = before(back);
    const converses =
      spoke >= LEAST.packets && spoke >= CONVERSES * (before(asking) - unansweredAt(asking, back, begin));
    return { where: 'either', strong: converses && asked >= LEAST.packets };
  };

  /** Data that was lost is seen after the last handshake; beyond this capture only the timer that does not fire tells. */
  const passesAgain = (where: Where | undefined, { response, initiatorName }: Handshake): boolean => {
    const begin = response.at.time;
    if (where !== 'behind') {
      const lost = dataOf(where === 'before' ? initiatorName : otherThan(initiatorName));
      return Math.round(seenBetween(lost, begin, until)) > 0;
    }
    const first = dataOf(initiatorName).find((run) => asks(run) && msBetween(begin, run.first.time) > 0)?.first.time;
    const next = shakes.find((shake) => shake !== undefined && msBetween(begin, shake.initiation.at.time) > 0);
    const end = next?.initiation.at.time ?? until;
    return first !== undefined && msBetween(first, end) > NEW_HANDSHAKE_TIMEOUT_MS + LATE_MS;
  };

  let best: DeadSessions | undefined;
  let row: { of: Handshake; dead: Dead; asker: Handshake }[] = [];
  const close = (): void => {
    const [first, last] = [row[0], row.at(-1)];
    const strong = row.filter(({ dead }) => dead.strong).length;
    if (first !== undefined && last !== undefined && (strong >= ROW.strong || row.length >= ROW.weak)) {
      const { asker } = last;
      const [from, to] = [asker.initiation.from, asker.initiation.to];
      const wheres = new Set(row.filter(({ dead }) => dead.strong || strong === 0).map(({ dead }) => dead.where));
      const where = wheres.size === 1 ? [...wheres][0] : 'either';
      best = {
        lostFrom: where === 'before' ? from : where === 'behind' ? to : undefined,
        asker: from,
        asked: to,
        sessions: row.length,
        seconds: Math.round(msBetween(first.of.initiation.at.time, asker.initiation.at.time) / 1000),
        recovered: passesAgain(where, asker),
        missingIn: undefined,
        bracketed: false,
        frames: [...row.map(({ of }) => of), ...(asker === last.of ? [] : [asker])].flatMap((shake) => [
          shake.initiation.at,
          shake.response.at,
        ]),
      };
    }
    row = [];
  };
  for (const [i, of] of shakes.entries()) {
    const next = shakes[i + 1];
    const asker = next ?? of;
    const last = i === shakes.length - 1;
    const dead =
      of === undefined || asker === undefined || (next === undefined && !last)
        ? undefined
        : judge(of, asker.initiatorName, next?.initiation.at.time);
    if (of === undefined || asker === undefined || dead === undefined) close();
    else if (moved(of, asker) || takenOver(timeline, of, next?.initiation.at.time ?? until)) close();
    else if (row.length > 0 && row.at(-1)?.asker.initiatorName !== asker.initiatorName) {
      close();
      row = [{ of, dead, asker }];
    } else row.push({ of, dead, asker });
  }
  close();
  return best;
}

/** What one end sent after it last heard the other: it says nothing of how they conversed. */
function unansweredAt(asking: readonly Run[], back: readonly Run[], until: Time): number {
  const heard = back
    .map(({ last }) => last.time)
    .filter((time) => msBetween(time, until) > 0)
    .reduce<Time | undefined>(
      (most, time) => (most === undefined || msBetween(most, time) > 0 ? time : most),
      undefined,
    );
  return heard === undefined ? 0 : seenBetween(asking, heard, until);
}

/** Two captures show it without any timer: the handshakes are in both, one end’s data only in the one nearer to it. */
export function deadBetween(tunnel: Tunnel, world: World): DeadSessions | undefined {
  for (const near of world.timelines)
    for (const far of world.timelines) {
      if (near === far || !near.timed || far.messages.data === 0 || mayMiss(far) !== undefined) continue;
      const found = lostBetween(tunnel, world, near, far);
      if (found !== undefined) return found;
    }
  return undefined;
}

type Sessions = ReadonlyMap<Exchange | undefined, Session>;

interface Both {
  readonly near: View;
  readonly far: View;
}

function lostBetween(tunnel: Tunnel, world: World, near: Timeline, far: Timeline): DeadSessions | undefined {
  const whole = tunnel.exchanges.flatMap(({ views }): Both[] => {
    const at = (timeline: Timeline) =>
      views.find(
        ({ timeline: of, exchange }) =>
          of === timeline && exchange.initiation !== undefined && exchange.responses.length > 0,
      );
    const [a, b] = [at(near), at(far)];
    return a === undefined || b === undefined ? [] : [{ near: a, far: b }];
  });
  const sessions: Sessions = new Map(tunnel.sessions.map(({ session }) => [session.exchange, session]));
  const covers = (half: Half) => world.covers(far, half.last.time, near.capture);
  const senders = whole.flatMap(({ near: { exchange } }) => [exchange.initiatorName, exchange.responderName]);
  for (const sender of new Set(senders)) {
    let row: { both: Both; half: Half }[] = [];
    let longest: typeof row = [];
    for (const both of whole) {
      const half = halfOf(sessions, both.near, sender);
      const lost =
        half !== undefined && enough(half) && halfOf(sessions, both.far, nameThere(both, sender)) === undefined;
      if (lost && covers(half) !== 'outside') row.push({ both, half });
      else row = [];
      if (row.length >= ROW.strong && row.length >= longest.length) longest = row;
    }
    const [first, last] = [longest[0], longest.at(-1)];
    if (first === undefined || last === undefined) continue;
    const since = last.both.far.exchange.initiation?.at.time;
    const later = runsOf(tunnel, far, nameThere(last.both, sender)).some(
      (run) => since !== undefined && msBetween(since, run.last.time) > 0,
    );
    const { sender: asked, owner: asker } = last.half;
    return {
      lostFrom: asked,
      asker,
      asked,
      sessions: longest.length,
      seconds: Math.round(msBetween(first.half.first.time, last.half.last.time) / 1000),
      recovered: later,
      missingIn: far.name,
      bracketed: longest.every(({ half }) => covers(half) === 'bracketed'),
      frames: longest.flatMap(({ both, half }) => [
        ...[both.near, both.far].flatMap(({ exchange }) => [
          ...(exchange.initiation === undefined ? [] : [exchange.initiation.at]),
          ...exchange.responses.slice(0, 1).map(({ seen }) => seen.at),
        ]),
        half.first,
        half.last,
      ]),
    };
  }
  return undefined;
}

function halfOf(sessions: Sessions, { exchange }: View, sender: string): Half | undefined {
  const session = sessions.get(exchange);
  return exchange.initiatorName === sender ? session?.toResponder : session?.toInitiator;
}

function nameThere({ near, far }: Both, sender: string): string {
  return near.exchange.initiatorName === sender ? far.exchange.initiatorName : far.exchange.responderName;
}

function enough({ runs, first, last }: Half): boolean {
  const count = runs.runs.filter(small).reduce((n, { seen }) => n + seen, 0);
  return count >= LEAST.packets && msBetween(first.time, last.time) >= LEAST.ms;
}
