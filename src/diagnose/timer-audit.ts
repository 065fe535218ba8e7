/** Why each handshake began: which timer of the protocol was due, as far as a capture shows it (wp §6.2, §6.4, §6.5). */

import type { MergedExchange, View } from '../analyze/merge.ts';
import type { Exchange, Seen, Timeline } from '../analyze/timeline.ts';
import { type Attempt, isAnswered, isConfirmed, type Tunnel } from '../analyze/world.ts';
import { oncePer } from '../base/once-per.ts';
import { compareTime, msBetween } from '../base/time.ts';
import {
  NEW_HANDSHAKE_TIMEOUT_MS,
  REJECT_AFTER_TIME_MS,
  REKEY_AFTER_TIME_MS,
  REKEY_ON_RECEIVE_AFTER_MS,
  REKEY_TIMEOUT_MS,
} from '../wg/constants.ts';
import { findCrossings } from './crossings.ts';

export type Occasion =
  /** no session and no attempt of its initiator before it in the capture */
  | 'first'
  /** REKEY_TIMEOUT after an initiation that brought nothing */
  | 'retry'
  /** REKEY_AFTER_TIME was over when its initiator sent something */
  | 'rekey-on-send'
  /** REJECT_AFTER_TIME was near when its initiator received something */
  | 'rekey-on-receive'
  /** KEEPALIVE_TIMEOUT + REKEY_TIMEOUT after data that nothing came back for */
  | 'silence'
  /** the other end began at the same moment */
  | 'crossing'
  /** there was something to send, and the session before was over */
  | 'expired'
  /** earlier attempts brought no session, and the last was given up */
  | 'anew'
  /** the session before was younger than any timer asks for */
  | 'early'
  /** the handshake before was not captured, or the capture has no times */
  | 'unknown';

export interface Audited {
  readonly merged: MergedExchange;
  readonly initiation: Seen;
  readonly occasion: Occasion;
  /** Of an attempt: 1 is the first, 20 the last that Linux makes. */
  readonly attempt: number;
  /** Since the session before (rekeys, expired, early), the initiation before (retry), or the data (silence). */
  readonly afterMs: number | undefined;
  readonly outcome: 'confirmed' | 'answered' | 'unanswered';
}

/** MAX_TIMER_HANDSHAKES and the first and the last (kernel timers.c); boringtun counts 90 s instead. */
const ATTEMPTS = 20;
/** Timers tick, and a message needs its way to the capture. */
const EARLY_MS = 500;
const LATE_MS = 1200;

/** Every initiation of a tunnel in order of time. */
export const auditOf = oncePer<Tunnel, readonly Audited[]>(audit);

function audit(tunnel: Tunnel): Audited[] {
  const place = new Map<MergedExchange, { readonly attempt: Attempt; readonly index: number }>();
  for (const attempt of tunnel.attempts) {
    for (const [index, merged] of attempt.exchanges.entries()) place.set(merged, { attempt, index });
  }
  const crossing = new Set(findCrossings(tunnel).flatMap(({ a, b }) => [a, b]));
  const births = new Births(tunnel);
  const began = new Set<string>();
  return tunnel.exchanges.flatMap((merged): Audited[] => {
    const view = merged.views.find(({ exchange }) => exchange.initiation !== undefined);
    const initiation = view?.exchange.initiation;
    const at = place.get(merged);
    if (view === undefined || initiation === undefined || at === undefined) return [];
    const begun = beginning(view, initiation, at, began.has(at.attempt.initiator), births);
    began.add(at.attempt.initiator);
    const occasion = crossing.has(merged) ? ('crossing' as const) : begun.occasion;
    const outcome = isConfirmed(merged) ? 'confirmed' : isAnswered(merged) ? 'answered' : 'unanswered';
    return [{ merged, initiation, attempt: at.index + 1, outcome, ...begun, occasion }];
  });
}

type Begun = Pick<Audited, 'occasion' | 'afterMs'>;

function beginning(
  { exchange, timeline }: View,
  initiation: Seen,
  { attempt, index }: { readonly attempt: Attempt; readonly index: number },
  later: boolean,
  births: Births,
): Begun {
  if (!timeline.timed) return { occasion: 'unknown', afterMs: undefined };
  const before = attempt.exchanges[index - 1]?.views.find((view) => view.timeline === timeline)?.exchange.initiation;
  const gapMs = before === undefined ? undefined : msBetween(before.at.time, initiation.at.time);
  if (gapMs !== undefined && gapMs >= REKEY_TIMEOUT_MS - EARLY_MS) return { occasion: 'retry', afterMs: gapMs };
  const session = births.before(timeline, initiation);
  if (session === undefined) {
    if (gapMs !== undefined) return { occasion: 'early', afterMs: gapMs };
    if (births.olderData(timeline, initiation)) return { occasion: 'unknown', afterMs: undefined };
    return { occasion: later ? 'anew' : 'first', afterMs: undefined };
  }
  const silentMs = silenceBefore(exchange, initiation, timeline);
  if (silentMs !== undefined) return { occasion: 'silence', afterMs: silentMs };
  const ageMs = msBetween(session.time, initiation.at.time);
  return { occasion: byAge(ageMs, session.initiatorName === exchange.initiatorName, exchange), afterMs: ageMs };
}

/** Only who began a session renews it; the other waits until it is over (wp §6.2). */
function byAge(ageMs: number, own: boolean, { spokeBefore }: Exchange): Occasion {
  if (ageMs >= REJECT_AFTER_TIME_MS - EARLY_MS) return 'expired';
  if (!own || ageMs < REKEY_AFTER_TIME_MS - EARLY_MS) return 'early';
  if (ageMs < REKEY_ON_RECEIVE_AFTER_MS - EARLY_MS) return 'rekey-on-send';
  const { initiator, responder } = spokeBefore;
  if (responder === undefined) return 'rekey-on-send';
  return initiator === undefined || compareTime(initiator.time, responder.time) < 0
    ? 'rekey-on-receive'
    : 'rekey-on-send';
}

/** How long its data had stayed unanswered when the initiator began, where that is what the timer waits for. */
function silenceBefore({ pair, initiatorName }: Exchange, { at }: Seen, { silences }: Timeline): number | undefined {
  const silence = silences.find(
    (one) => one.pair === pair && one.senderName === initiatorName && one.initiations[0]?.frame === at.frame,
  );
  if (silence === undefined) return undefined;
  const silentMs = msBetween(silence.start.time, at.time);
  const due = silentMs >= NEW_HANDSHAKE_TIMEOUT_MS - EARLY_MS && silentMs <= NEW_HANDSHAKE_TIMEOUT_MS + LATE_MS;
  return due ? silentMs : undefined;
}

interface Birth {
  readonly time: Seen['at']['time'];
  readonly initiatorName: string;
}

/** When the sessions of a tunnel began, in each capture: with the response. */
class Births {
  readonly #births = new Map<Timeline, Birth[]>();
  readonly #orphans = new Map<Timeline, Seen['at']['time']>();

  constructor({ exchanges, sessions }: Tunnel) {
    for (const merged of exchanges) {
      if (!isConfirmed(merged)) continue;
      for (const { exchange, timeline } of merged.views) {
        const response = exchange.responses[0]?.seen;
        if (response === undefined) continue;
        const list = this.#births.get(timeline) ?? [];
        this.#births.set(timeline, list);
        list.push({ time: response.at.time, initiatorName: exchange.initiatorName });
      }
    }
    for (const { session, timeline } of sessions) {
      const first = session.exchange === undefined ? (session.toResponder ?? session.toInitiator)?.first : undefined;
      const earliest = this.#orphans.get(timeline);
      if (first !== undefined && (earliest === undefined || compareTime(first.time, earliest) < 0))
        this.#orphans.set(timeline, first.time);
    }
  }

  /** The latest that was there when this was sent. */
  before(timeline: Timeline, { at }: Seen): Birth | undefined {
    return this.#births.get(timeline)?.findLast(({ time }) => compareTime(time, at.time) < 0);
  }

  /** Data of a session whose handshake was not captured. */
  olderData(timeline: Timeline, { at }: Seen): boolean {
    const first = this.#orphans.get(timeline);
    return first !== undefined && compareTime(first, at.time) < 0;
  }
}

/** `retry 3 of 20, after 5.2 s`; nothing where there is nothing to say. */
export function occasionWords({ occasion, attempt, afterMs }: Audited): string | undefined {
  const after = afterMs === undefined ? '' : `${(afterMs / 1000).toFixed(1)} s`;
  switch (occasion) {
    case 'retry':
      return attempt <= ATTEMPTS
        ? `retry ${attempt} of ${ATTEMPTS}, after ${after}`
        : `retry ${attempt}, after ${after}`;
    case 'rekey-on-send':
      return `rekey on send, ${after} after the handshake before (due from 120 s)`;
    case 'rekey-on-receive':
      return `rekey on receive, ${after} after the handshake before (due from 165 s)`;
    case 'silence':
      return `nothing came for data sent ${after} before (due after 15 s)`;
    case 'crossing':
      return 'crosses the other end’s own initiation';
    case 'expired':
      return `the session before was over: ${after} old (ends at 180 s)`;
    case 'anew':
      return 'tried anew: no session before it';
    case 'early':
      return `${after} after the one before, and no timer asks for it: perhaps a restart`;
    case 'first':
    case 'unknown':
      return undefined;
  }
}
