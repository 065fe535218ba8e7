/** Data packets to sessions: which index, whose, in what order; re-keyed on roaming by counter continuity. */
import type { Endpoint } from '../base/address.ts';
import { REPLAY_WINDOW } from '../wg/constants.ts';
import { POLICIES } from '../wg/policy.ts';
import { CounterRuns, RUNS_LIMIT } from './counter-runs.ts';
import { type EndpointNames, pairId } from './liveness.ts';
import { noteAnswer, noteSent } from './stall.ts';
import type { Exchange, Half, Seen, Session } from './timeline.ts';

/** A counter may fall behind the greatest by the replay window, and jump ahead by what a capture may have lost. */
const BEHIND = 8192;
const AHEAD = 1_000_000;
/** Of all implementations; what is beyond each is counted for the question of how another would have decided. */
const WINDOWS = [...new Set(Object.values(POLICIES).map(({ windowBits }) => windowBits))];
const LEAST_WINDOW = Math.min(...WINDOWS);
const EVIDENCE = 12;
const LATELY_LIMIT = 1000;
/** Sessions kept per capture; the oldest confirmed ones are folded away beyond it. */
export const SESSIONS_LIMIT = 10_000;
/** Indices are random: more sessions that share one are no WireGuard, and the latest are the ones that may go on. */
const NAMESAKES = 16;
/** Addresses of its two ends under which a session is found at once, the latest. */
const PLACES = 64;

export interface Placed {
  readonly session: Session;
  readonly half: Half;
  /** `initiator` when the packet goes to the responder's index. */
  readonly by: 'initiator' | 'responder' | 'unknown';
  readonly moved: boolean;
}

export class Sessions {
  readonly all: Session[] = [];
  retired = 0;
  /** `canonical owner#index` → session. */
  private readonly byOwner = new Map<string, Session>();
  /** What {@link place} found for an index, as long as nothing has changed: most packets go where the one before went. */
  private readonly lately = new Map<
    number,
    { readonly to: Endpoint; readonly session: Session; readonly names: number }
  >();
  private readonly byIndex = new Map<number, Session[]>();
  /** Under which keys of {@link byOwner} a session stands. */
  private readonly keys = new Map<Session, string[]>();
  private readonly names: EndpointNames;

  constructor(names: EndpointNames) {
    this.names = names;
  }

  /** A response was seen: from now on both indices are known. */
  open(exchange: Exchange, responderIndex: number, response: Seen): Session {
    const session: Session = {
      capture: exchange.capture,
      exchange,
      pair: exchange.pair,
      initiatorIndex: exchange.initiatorIndex,
      responderIndex,
      toResponder: undefined,
      toInitiator: undefined,
    };
    this.register(session, this.names.of(response.from), responderIndex);
    this.register(session, this.names.of(exchange.initiator), exchange.initiatorIndex);
    this.push(session);
    return session;
  }

  private push(session: Session): void {
    this.all.push(session);
    if (this.all.length <= SESSIONS_LIMIT) return;
    this.lately.clear();
    for (const old of this.all.splice(0, SESSIONS_LIMIT / 10)) {
      this.retired++;
      for (const key of this.keys.get(old) ?? []) if (this.byOwner.get(key) === old) this.byOwner.delete(key);
      this.keys.delete(old);
      for (const index of [old.initiatorIndex, old.responderIndex]) {
        if (index === undefined) continue;
        const rest = (this.byIndex.get(index) ?? []).filter((other) => other !== old);
        if (rest.length === 0) this.byIndex.delete(index);
        else this.byIndex.set(index, rest);
      }
    }
  }

  private register(session: Session, owner: string, index: number): void {
    this.lately.delete(index);
    const key = `${owner}#${index}`;
    this.byOwner.set(key, session);
    const keys = this.keys.get(session);
    if (keys === undefined) this.keys.set(session, [key]);
    else if (!keys.includes(key)) {
      keys.push(key);
      const oldest = keys.length > PLACES ? keys.shift() : undefined;
      if (oldest !== undefined && this.byOwner.get(oldest) === session) this.byOwner.delete(oldest);
    }
    const list = this.byIndex.get(index);
    if (list === undefined) this.byIndex.set(index, [session]);
    else if (!list.includes(session)) {
      list.push(session);
      if (list.length > NAMESAKES) list.shift();
    }
  }

  /** Finds or makes the direction that this data packet belongs to. */
  place(seen: Seen): Placed {
    const lately = this.lately.get(seen.receiver);
    if (lately !== undefined && lately.to === seen.to && lately.names === this.names.changes)
      return this.into(lately.session, seen, false);
    const owner = this.names.of(seen.to);
    const exact = this.byOwner.get(`${owner}#${seen.receiver}`);
    if (exact !== undefined) {
      if (this.lately.size >= LATELY_LIMIT) this.lately.clear();
      this.lately.set(seen.receiver, { to: seen.to, session: exact, names: this.names.changes });
      return this.into(exact, seen, false);
    }
    const roamed = this.byIndex.get(seen.receiver)?.findLast((session) => this.continues(session, seen));
    if (roamed !== undefined) {
      this.register(roamed, owner, seen.receiver);
      return this.into(roamed, seen, true);
    }
    const orphan: Session = {
      capture: seen.at.capture,
      exchange: undefined,
      pair: pairId(this.names.of(seen.from), owner),
      initiatorIndex: undefined,
      responderIndex: seen.receiver,
      toResponder: undefined,
      toInitiator: undefined,
    };
    this.register(orphan, owner, seen.receiver);
    this.push(orphan);
    return this.into(orphan, seen, false);
  }

  private continues(session: Session, seen: Seen): boolean {
    const half = session.responderIndex === seen.receiver ? session.toResponder : session.toInitiator;
    const ends = session.pair.split(' ~ ');
    const knownEnd = ends.includes(this.names.of(seen.from)) || ends.includes(this.names.of(seen.to));
    if (!knownEnd) return false;
    if (half === undefined) return seen.counter < BEHIND;
    return seen.counter > half.runs.high - BEHIND && seen.counter < half.runs.high + AHEAD;
  }

  private into(session: Session, seen: Seen, moved: boolean): Placed {
    const toResponder = session.responderIndex === seen.receiver;
    let half = toResponder ? session.toResponder : session.toInitiator;
    if (half === undefined) {
      half = newHalf(seen, runsFor(this.all.length));
      if (toResponder) session.toResponder = half;
      else session.toInitiator = half;
      const exchange = session.exchange;
      const known = exchange === undefined ? seen.from : toResponder ? exchange.initiator : exchange.responder;
      half.wandered = known.text !== seen.from.text;
      if (this.names.of(known) !== this.names.of(seen.from)) this.move(half, known, seen);
    } else if (half.sender.text !== seen.from.text) {
      if (this.names.of(half.sender) !== this.names.of(seen.from)) this.move(half, half.sender, seen);
      half.sender = seen.from;
      half.wandered = true;
    }
    if (moved && this.names.of(half.owner) !== this.names.of(seen.to)) this.names.same(half.owner, seen.to, false);
    half.owner = seen.to;
    record(half, seen);
    noteSent(half, seen);
    const reverse = toResponder ? session.toInitiator : session.toResponder;
    if (reverse !== undefined) noteAnswer(reverse, seen);
    const by = session.exchange === undefined ? 'unknown' : toResponder ? 'initiator' : 'responder';
    return { session, half, by, moved };
  }

  private move(half: Half, from: Seen['from'], seen: Seen): void {
    if (half.moves.length < EVIDENCE) half.moves.push({ at: seen.at, from, to: seen.from, counter: seen.counter });
    this.names.same(from, seen.from, false);
  }
}

/** Of each direction, where so many sessions are kept: all of them together must not fill the memory. */
function runsFor(sessions: number): number {
  if (sessions < 1000) return RUNS_LIMIT;
  return sessions < 4000 ? RUNS_LIMIT / 8 : RUNS_LIMIT / 32;
}

function newHalf(seen: Seen, mostRuns: number): Half {
  return {
    index: seen.receiver,
    owner: seen.to,
    sender: seen.from,
    runs: new CounterRuns(mostRuns),
    packets: 0,
    keepalives: 0,
    bytes: 0,
    greatestLength: 0,
    first: seen.at,
    last: seen.at,
    replayed: 0,
    tooOld: 0,
    beyond: new Map(),
    reordered: 0,
    fragmented: [],
    cut: 0,
    opened: 0,
    unsealable: [],
    unsealableCount: 0,
    moves: [],
    wandered: false,
    ttlLow: seen.ttl,
    ttlHigh: seen.ttl,
  };
}

function record(half: Half, seen: Seen): void {
  half.packets++;
  half.bytes += seen.length;
  half.last = seen.at;
  if (seen.length === 32) half.keepalives++;
  if (seen.length > half.greatestLength) half.greatestLength = seen.length;
  if (seen.cut) {
    half.cut++;
    half.leastCut = Math.min(half.leastCut ?? seen.length, seen.length);
  }
  if (seen.fragments > 1) {
    if (half.fragmented.length < EVIDENCE) half.fragmented.push(seen.at);
    half.greatestFragment = Math.max(half.greatestFragment ?? 0, seen.ipLength ?? 0);
  }
  half.ttlLow = Math.min(half.ttlLow, seen.ttl);
  half.ttlHigh = Math.max(half.ttlHigh, seen.ttl);
  if (half.runs.has(seen.counter)) half.replayed++;
  else {
    if (half.packets > 1 && seen.counter < half.runs.high) {
      half.reordered++;
      const behind = half.runs.high - seen.counter;
      if (behind > REPLAY_WINDOW) half.tooOld++;
      if (behind > LEAST_WINDOW) noteBehind(half, behind);
    }
    half.runs.add(seen.counter, seen.length, seen.at);
  }
}

function noteBehind({ beyond }: Half, behind: number): void {
  for (const bits of WINDOWS) if (behind > bits) beyond.set(bits, (beyond.get(bits) ?? 0) + 1);
}
