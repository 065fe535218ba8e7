/** Who speaks and who stays silent, per pair of endpoints: the ground of every finding about a vanished peer. */
import type { Endpoint } from '../base/address.ts';
import { msBetween } from '../base/time.ts';
import type { FrameId, IcmpSeen, PairId, Seen, Silence } from './timeline.ts';

/**
 * A live peer answers data within KEEPALIVE_TIMEOUT (10 s), if only with a keepalive (wp §6.5): shorter silences
 * mean nothing. The margin is a round trip.
 */
export const SILENCE_MS = 10_500;
/** An answer to what was sent, and no packet that came of itself. */
const ANSWER_MS = 2000;
const FRAMES_KEPT = 12;
const SILENCES_KEPT = 2000;

/** Of most silences, which last for a packet. */
const NO_FRAMES: FrameId[] = [];
const NO_ERRORS: IcmpSeen[] = [];

interface PairState {
  /** Packets of each end; of `directions`. */
  readonly counts: Map<string, number>;
  /** When each end was last heard, by canonical endpoint. */
  readonly heard: Map<string, FrameId>;
  /** undefined where nothing is open: taking entries out and putting them back, packet by packet, is dear. */
  readonly open: Map<string, Silence | undefined>;
  /** The latest packet of either end. */
  latest: FrameId | undefined;
  /** By who asked: the longest pause after which the other end answered at once. */
  readonly survivedMs: Map<string, number>;
}

export class Liveness {
  private readonly ended: Silence[] = [];
  readonly directions = new Map<PairId, Map<string, number>>();
  private readonly pairs = new Map<PairId, PairState>();

  /** `asks` is data that a live peer would answer; `attempt` an initiation. */
  packet(pair: PairId, from: string, to: string, seen: Seen, what: 'asks' | 'attempt' | 'other'): void {
    const state = this.state(pair);
    const { counts } = state;
    counts.set(from, (counts.get(from) ?? 0) + 1);

    const waiting = state.open.get(to);
    if (waiting !== undefined) this.close(state, to, waiting, seen);

    const own = state.open.get(from);
    if (own !== undefined) {
      own.lastSent = seen.at;
      if (what === 'asks') own.packets++;
      if (what === 'attempt') {
        own.initiationCount++;
        if (own.initiations.length === 0) own.initiations = [];
        if (own.initiations.length < FRAMES_KEPT) own.initiations.push(seen.at);
      }
      if (own.frames.length < FRAMES_KEPT) own.frames.push(seen.at);
    } else if (what === 'asks') state.open.set(from, this.begin(pair, state, seen, from, to));
    state.heard.set(from, seen.at);
    if (state.latest === undefined || msBetween(state.latest.time, seen.at.time) > 0) state.latest = seen.at;
  }

  /** What this end of the pair was heard of last. */
  lastOf(pair: PairId, name: string): FrameId | undefined {
    return this.pairs.get(pair)?.heard.get(name);
  }

  icmp(pair: PairId, sender: string, error: IcmpSeen): void {
    const silence = this.pairs.get(pair)?.open.get(sender);
    if (silence === undefined || silence.icmp.length >= FRAMES_KEPT) return;
    if (silence.icmp.length === 0) silence.icmp = [];
    silence.icmp.push(error);
  }

  /** Those that ended and mattered, and those that last. Changes nothing: it may be asked at any time. */
  get silences(): readonly Silence[] {
    const lasting = [...this.pairs.values()].flatMap(({ open }) => [...open.values()].flatMap((one) => one ?? []));
    return [...this.ended, ...lasting.slice(0, SILENCES_KEPT)];
  }

  private state(pair: PairId): PairState {
    let state = this.pairs.get(pair);
    if (state === undefined) {
      state = { counts: new Map(), heard: new Map(), open: new Map(), latest: undefined, survivedMs: new Map() };
      this.pairs.set(pair, state);
      this.directions.set(pair, state.counts);
      if (this.pairs.size > 20_000) this.forgetOldest();
    }
    return state;
  }

  private forgetOldest(): void {
    const oldest = this.pairs.keys().next();
    if (oldest.done) return;
    for (const silence of this.pairs.get(oldest.value)?.open.values() ?? [])
      if (silence !== undefined) this.keep(silence, silence.lastSent);
    this.pairs.delete(oldest.value);
    this.directions.delete(oldest.value);
  }

  private begin(pair: PairId, state: PairState, seen: Seen, from: string, to: string): Silence {
    const { latest } = state;
    return {
      pair,
      sender: seen.from,
      target: seen.to,
      senderName: from,
      start: seen.at,
      heardBefore: state.heard.get(to),
      idleMs: latest === undefined ? 0 : msBetween(latest.time, seen.at.time),
      survivedMs: state.survivedMs.get(from) ?? 0,
      packets: 1,
      frames: [seen.at],
      initiations: NO_FRAMES,
      initiationCount: 0,
      icmp: NO_ERRORS,
      end: undefined,
      lastSent: seen.at,
    };
  }

  private close(state: PairState, sender: string, silence: Silence, heard: Seen): void {
    state.open.set(sender, undefined);
    silence.end = heard;
    const atOnce = msBetween(silence.start.time, heard.at.time) <= ANSWER_MS && heard.from.text === silence.target.text;
    if (atOnce && silence.idleMs > silence.survivedMs) state.survivedMs.set(sender, silence.idleMs);
    this.keep(silence, heard.at);
  }

  private keep(silence: Silence, until: FrameId): void {
    const long = msBetween(silence.start.time, until.time) >= SILENCE_MS;
    if ((long || silence.icmp.length > 0 || silence.end === undefined) && this.ended.length < SILENCES_KEPT) {
      this.ended.push(silence);
    }
  }
}

/** Canonical name of a pair: the same for both directions. */
export function pairId(a: string, b: string): PairId {
  return a < b ? `${a} ~ ${b}` : `${b} ~ ${a}`;
}

/** Two ends by their canonical names. */
export interface NamedPair {
  readonly id: PairId;
  readonly fromName: string;
  readonly toName: string;
}

interface KnownPair extends NamedPair {
  readonly from: Endpoint | undefined;
  readonly to: Endpoint | undefined;
}

const NO_PAIR: KnownPair = { from: undefined, to: undefined, id: '', fromName: '', toName: '' };

/** Folds the several addresses of one end (inside and outside of a NAT, before and after roaming) into one name. */
export class EndpointNames {
  /** Outer or later name → first name. */
  readonly nat = new Map<string, string>();
  private readonly names = new Map<string, string>();
  /** Goes up whenever an answer of {@link of} may have become another. */
  changes = 0;
  private latest: KnownPair = NO_PAIR;
  private earlier: KnownPair = NO_PAIR;

  of(endpoint: Endpoint): string {
    return this.names.get(endpoint.text) ?? endpoint.text;
  }

  /** The pair that these two are: what was asked last, and before that, is remembered. */
  pair(from: Endpoint, to: Endpoint): NamedPair {
    const { latest, earlier } = this;
    if (latest.from === from && latest.to === to) return latest;
    this.latest = earlier;
    this.earlier = latest;
    if (earlier.from !== from || earlier.to !== to) {
      const [fromName, toName] = [this.of(from), this.of(to)];
      this.latest = { from, to, id: pairId(fromName, toName), fromName, toName };
    }
    return this.latest;
  }

  /** `other` is the same end as `known`. */
  same(known: Endpoint, other: Endpoint, byNat: boolean): void {
    if (known.text === other.text) return;
    const name = this.of(known);
    if (name === other.text || this.names.get(other.text) === name) return;
    this.names.set(other.text, name);
    this.changes++;
    this.latest = NO_PAIR;
    this.earlier = NO_PAIR;
    if (byNat) this.nat.set(other.text, known.text);
    if (this.names.size > 50_000) {
      const oldest = this.names.keys().next();
      if (!oldest.done) {
        this.names.delete(oldest.value);
        this.nat.delete(oldest.value);
      }
    }
  }
}
