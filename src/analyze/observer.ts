/** A passive reader with whatever keys were handed over: the engine's own pieces, asked what they would have decided. */
import { toBase64 } from '../base/base64.ts';
import { type Bytes, equal, isZero, toHex } from '../base/bytes.ts';
import { type PublicKey, publicKey } from '../base/keys.ts';
import { msBetween } from '../base/time.ts';
import type { Crypto, OpenAhead } from '../crypto/port.ts';
import type { Datagram } from '../packet/datagram.ts';
import { openCookieReply } from '../wg/cookie.ts';
import { cookieKey, verifyMac1, verifyMac2 } from '../wg/mac.ts';
import { decodeCookieReply } from '../wg/message/cookie-reply.ts';
import { decodeInitiation } from '../wg/message/initiation.ts';
import { decodeResponse } from '../wg/message/response.ts';
import { consumeInitiation, type InitiationConsumed } from '../wg/noise/initiation.ts';
import { prepareResponse } from '../wg/noise/response.ts';
import {
  observedInitiationKeys,
  observedResponseKeys,
  type PeerShared,
  type SharedOrMissing,
  sharedBy,
} from '../wg/noise/shared.ts';
import { FRESH_GATE, gateAfter, KERNEL_FLOOD_RULE, refuseTimestamp, type TimestampGate } from '../wg/timestamp-gate.ts';
import type { Receiver } from './inner/pair.ts';
import { type KeySet, type KnownKey, type KnownPsk, NO_PSK } from './key-set.ts';
import type { Observer, Opened, TransportKeys } from './observe.ts';
import { Receivers } from './receivers.ts';
import { SessionKeys } from './session-keys.ts';
import type { CookieSight, InitiationSight, Mac1Owner, Mac2State, ResponseSight, Verdict } from './sight.ts';
import type { Exchange, Seen } from './timeline.ts';
import { dropForForm } from './unwrap/reads.ts';
import type { Unwrapped } from './unwrap/unwrapped.ts';
import { Unwrapper } from './unwrap/unwrapper.ts';
import { WorkBudget } from './work-budget.ts';

type Consumed = InitiationConsumed<PeerShared<SharedOrMissing>>;

/** A cookie lives two minutes (wp §6.6). */
const COOKIE_MS = 120_000;
const COOKIES_KEPT = 1000;
/** A scalar multiplication each: what alters messages on the way does so from the first one on. */
const ALTERED_TRIES = 8;

interface OpenedCookie {
  readonly cookie: Bytes;
  readonly reply: Seen;
  readonly responder: KnownKey;
}

export class KeyedObserver implements Observer {
  private readonly crypto: Crypto;
  private readonly keys: KeySet;
  private readonly budget: WorkBudget;
  private readonly sessionKeys: SessionKeys;
  private readonly receivers: Receivers;
  private readonly unwrapper: Unwrapper;
  /** `responder/initiator` → what the responder must have accepted. */
  private readonly gates = new Map<string, TimestampGate>();
  private readonly consumed = new WeakMap<Seen, Consumed>();
  private readonly shared = new Map<string, SharedOrMissing>();
  private readonly likely = new Map<string, KnownKey>();
  private readonly alteredTried = new Map<string, number>();
  private readonly cookies: OpenedCookie[] = [];
  private readonly between: (a: PublicKey, b: PublicKey) => SharedOrMissing;

  constructor(crypto: Crypto, keys: KeySet, budget = new WorkBudget(), ahead?: OpenAhead) {
    this.crypto = crypto;
    this.keys = keys;
    this.budget = budget;
    this.sessionKeys = new SessionKeys(crypto, keys, ahead);
    this.receivers = new Receivers(keys);
    this.unwrapper = new Unwrapper(crypto, keys);
    this.between = sharedBy(crypto, (key) => {
      const text = toBase64(key);
      return keys.publics.get(text)?.private ?? keys.ephemerals.get(text)?.private;
    });
  }

  unwrap(datagram: Datagram): Unwrapped | undefined {
    return this.unwrapper.unwrap(datagram);
  }

  initiation(seen: Seen): InitiationSight {
    const mac1 = this.mac1Owner(seen);
    const ephemeral = seen.bytes.subarray(8, 40);
    const ephemeralKnown = this.keys.ephemerals.has(toBase64(ephemeral));
    const base = { mac1, ephemeralKnown, mac2: this.mac2State(seen) };
    if (mac1.kind !== 'known') {
      const missing = mac1.kind === 'none' ? ['the public key this was made for'] : [mac1.because];
      const nothing = { ...base, identity: undefined, timestamp: undefined };
      const alteredFor = mac1.kind === 'none' ? this.opensAllTheSame(seen) : undefined;
      if (alteredFor === undefined) return { ...nothing, verdict: { kind: 'undecided', missing } };
      return { ...nothing, alteredFor, verdict: { kind: 'refused', drop: { kind: 'mac1-invalid' } } };
    }
    return { ...base, ...this.openInitiation(seen, mac1.key) };
  }

  /** The hash of Noise covers neither type nor indices nor MACs: a static that opens says for whom it was made. */
  private opensAllTheSame(seen: Seen): KnownKey | undefined {
    const tried = this.alteredTried.get(seen.to.text) ?? 0;
    if (tried >= ALTERED_TRIES || this.alteredTried.size > COOKIES_KEPT) return undefined;
    this.alteredTried.set(seen.to.text, tried + 1);
    const message = decodeInitiation(seen.bytes);
    if (!message.ok) return undefined;
    for (const key of this.keys.publics.values()) {
      if (key.private === undefined) continue;
      if (!this.budget.dh(seen.at.time)) return undefined;
      const result = consumeInitiation(this.crypto, observedInitiationKeys(this.between, key.key), message.value);
      if (result.ok ? result.value.identity !== undefined : result.error.kind === 'timestamp-unsealable') return key;
    }
    return undefined;
  }

  private openInitiation(seen: Seen, responder: KnownKey): Pick<InitiationSight, 'identity' | 'timestamp' | 'verdict'> {
    const nothing = { identity: undefined, timestamp: undefined };
    const message = decodeInitiation(seen.bytes);
    if (!message.ok) return { ...nothing, verdict: { kind: 'refused', drop: message.error } };
    if (!this.budget.dh(seen.at.time))
      return { ...nothing, verdict: undecided('the bound on work per second was reached') };
    const conf = this.keys.confOf(responder);
    const keys = observedInitiationKeys(
      (a, b) => this.cachedShared(a, b),
      responder.key,
      (identity) => conf === undefined || conf.peers.has(toBase64(identity)),
    );
    const result = consumeInitiation(this.crypto, keys, message.value);
    if (!result.ok) {
      const identity = 'identity' in result.error ? result.error.identity : undefined;
      return { identity, timestamp: undefined, verdict: { kind: 'refused', drop: result.error } };
    }
    if (result.value.kind === 'undecided') {
      const { identity, missing } = result.value;
      const name = this.keys.nameOf(responder.key);
      const lacks = missing.includes('es')
        ? `the private key of ${name}, or the initiator’s ephemeral`
        : 'a static private key of either end';
      return { identity, timestamp: undefined, verdict: undecided(lacks) };
    }
    this.consumed.set(seen, result.value);
    const { identity, timestamp } = result.value;
    const gate = this.gates.get(gateKey(responder.text, identity)) ?? FRESH_GATE;
    const untimed = seen.at.time.sec === 0 && seen.at.time.nsec === 0;
    const rule = untimed ? { ...KERNEL_FLOOD_RULE, minGapMs: 0 } : KERNEL_FLOOD_RULE;
    const drop = refuseTimestamp(gate, identity, timestamp, msOf(seen), rule);
    if (drop !== undefined) return { identity, timestamp, verdict: { kind: 'refused', drop } };
    if (conf === undefined) return { identity, timestamp, verdict: undecided('the responder’s list of peers') };
    const unread = dropForForm(conf, seen.wire, 1);
    const verdict: Verdict = unread === undefined ? { kind: 'accepted' } : { kind: 'refused', drop: unread };
    return { identity, timestamp, verdict };
  }

  /** Static-static never changes: one scalar multiplication per pair of keys. */
  private cachedShared(a: PublicKey, b: PublicKey): SharedOrMissing {
    if (this.keys.find(a) === undefined || this.keys.find(b) === undefined) return this.between(a, b);
    const key = `${toHex(a)}${toHex(b)}`;
    let shared = this.shared.get(key);
    if (shared === undefined && !this.shared.has(key)) {
      shared = this.between(a, b);
      this.shared.set(key, shared);
    }
    return shared === undefined || shared === 'missing' ? shared : shared.slice();
  }

  private mac1Owner(seen: Seen): Mac1Owner {
    if (seen.cut) return { kind: 'untried', because: 'a capture that does not cut the message' };
    if (this.keys.publics.size === 0) return { kind: 'untried', because: 'a public key of either end' };
    const macBytes = macBytesOf(seen);
    const likely = this.likely.get(seen.to.text);
    if (likely !== undefined && verifyMac1(this.crypto, likely.mac1Key, macBytes))
      return { kind: 'known', key: likely };
    for (const key of this.keys.publics.values()) {
      if (key === likely) continue;
      if (!this.budget.mac(seen.at.time))
        return { kind: 'untried', because: 'the bound on work per second was reached' };
      if (verifyMac1(this.crypto, key.mac1Key, macBytes)) {
        this.likely.set(seen.to.text, key);
        if (this.likely.size > COOKIES_KEPT) this.likely.clear();
        return { kind: 'known', key };
      }
    }
    return { kind: 'none' };
  }

  private mac2State(seen: Seen): Mac2State {
    if (seen.cut) return 'unverified';
    if (isZero(seen.bytes.subarray(seen.bytes.length - 16))) return 'absent';
    const macBytes = macBytesOf(seen);
    const fresh = this.cookies.filter(
      ({ reply }) => msBetween(reply.at.time, seen.at.time) <= COOKIE_MS && reply.from.text === seen.to.text,
    );
    for (const { cookie, reply } of fresh) {
      if (verifyMac2(this.crypto, cookie, macBytes)) return issuedTo(reply, seen) ? 'valid' : 'other-address';
    }
    if (
      this.cookies.some(
        ({ cookie, reply }) => reply.from.text === seen.to.text && verifyMac2(this.crypto, cookie, macBytes),
      )
    )
      return 'expired';
    return fresh.some(({ reply }) => reply.to.text === seen.from.text) ? 'invalid' : 'unverified';
  }

  response(seen: Seen, exchange: Exchange): { readonly sight: ResponseSight; readonly keys?: TransportKeys } {
    const mac1 = this.mac1Owner(seen);
    const ephemeral = toBase64(seen.bytes.subarray(12, 44));
    const initiation = exchange.initiation;
    const known =
      initiation === undefined ? undefined : this.keys.ephemerals.get(toBase64(initiation.bytes.subarray(8, 40)));
    const bound = [...(known?.psks ?? []), ...(this.keys.ephemerals.get(ephemeral)?.psks ?? [])];
    const ephemeralKnown = known !== undefined || this.keys.ephemerals.has(ephemeral);
    const closed = { mac1, ephemeralKnown, handshakeOk: undefined, opensWith: undefined, tried: 0 };
    const because = (what: string) => ({ sight: { ...closed, verdict: undecided(what) } });
    if (seen.cut) return because('a capture that does not cut the message');
    const transcript = initiation === undefined ? undefined : this.consumed.get(initiation);
    const message = decodeResponse(seen.bytes);
    if (!message.ok) return { sight: { ...closed, verdict: { kind: 'refused', drop: message.error } } };
    if (transcript === undefined)
      return because(
        ephemeralKnown ? 'an initiation that opens' : 'an ephemeral private key of either end (a key log)',
      );
    const keys = observedResponseKeys(this.between, transcript);
    const prepared = prepareResponse(transcript, keys, message.value);
    if (!prepared.ok) return { sight: { ...closed, verdict: { kind: 'refused', drop: prepared.error } } };
    if (prepared.value.kind === 'undecided') {
      const lacks = prepared.value.missing.includes('ee')
        ? 'an ephemeral private key of either end (a key log)'
        : 'a static private key that fits the ephemeral';
      return because(lacks);
    }
    const first = bound.length > 0 ? bound : [NO_PSK];
    const candidates = [...first, ...this.keys.psks.filter((psk) => !first.some((f) => equal(f.psk, psk.psk)))];
    if (bound.length > 0) candidates.push(NO_PSK);
    let tried = 0;
    for (const candidate of candidates) {
      tried++;
      const opened = prepared.value.tryPsk(candidate.psk);
      if (!opened.ok) continue;
      prepared.value.wipe();
      const isBound = first.includes(candidate);
      const opensWith = { where: candidate.where, bound: isBound, psk: candidate.psk };
      const verdict = this.responseVerdict(transcript.identity, exchange, candidate, isBound);
      return { sight: { ...closed, handshakeOk: isBound, opensWith, tried, verdict }, keys: opened.value };
    }
    prepared.value.wipe();
    return {
      sight: { ...closed, handshakeOk: false, tried, verdict: { kind: 'refused', drop: { kind: 'empty-unsealable' } } },
    };
  }

  /** The initiator opens it with the PSK that it has: the configured one where that is known. */
  private responseVerdict(identity: PublicKey, exchange: Exchange, opener: KnownPsk, bound: boolean): Verdict {
    const conf = this.keys.confOf(this.keys.find(identity));
    const owner = exchange.sight?.mac1;
    const configured =
      conf === undefined || owner?.kind !== 'known' ? undefined : this.keys.configuredPsk(conf, owner.key.text);
    const fits = configured === undefined ? bound : equal(configured.psk, opener.psk);
    return fits ? { kind: 'accepted' } : { kind: 'refused', drop: { kind: 'empty-unsealable' } };
  }

  answered(exchange: Exchange): void {
    const consumed = exchange.initiation === undefined ? undefined : this.consumed.get(exchange.initiation);
    const sight = exchange.sight;
    if (consumed === undefined || exchange.initiation === undefined || sight?.mac1.kind !== 'known') return;
    const key = gateKey(sight.mac1.key.text, consumed.identity);
    // an answer to an older timestamp shows that the responder had forgotten the greater one: it was restarted
    this.gates.set(key, gateAfter(consumed.timestamp, msOf(exchange.initiation)));
    // an answer shows that the responder took it, whatever the files at hand say
    if (sight.verdict.kind !== 'accepted') sight.verdict = { kind: 'accepted' };
  }

  cookie(seen: Seen, exchange: Exchange): CookieSight {
    const refused = exchange.initiation;
    const owner = exchange.sight?.mac1;
    const message = decodeCookieReply(seen.bytes);
    if (seen.cut || refused === undefined || refused.cut)
      return { opened: undefined, verdict: undecided('the message it answers, whole') };
    if (!message.ok) return { opened: undefined, verdict: { kind: 'refused', drop: message.error } };
    if (owner?.kind !== 'known') return { opened: undefined, verdict: undecided('the public key of the responder') };
    const opened = openCookieReply(
      this.crypto,
      cookieKey(this.crypto, owner.key.key),
      message.value,
      refused.bytes.subarray(116, 132),
    );
    if (!opened.ok) return { opened: false, verdict: { kind: 'refused', drop: opened.error } };
    this.cookies.push({ cookie: opened.value, reply: seen, responder: owner.key });
    if (this.cookies.length > COOKIES_KEPT) this.cookies.shift();
    return { opened: true, verdict: { kind: 'accepted' } };
  }

  session(keys: TransportKeys, initiatorIndex: number, responderIndex: number): void {
    this.sessionKeys.add(responderIndex, keys.initiatorToResponder);
    this.sessionKeys.add(initiatorIndex, keys.responderToInitiator);
  }

  expect(datagram: Datagram): void {
    this.sessionKeys.expect(datagram);
  }

  turn(): void {
    this.sessionKeys.turn();
  }

  data(seen: Seen): Opened | undefined {
    return this.sessionKeys.open(seen);
  }

  /** What a data message holds, whether or not its counter is taken. */
  look(seen: Seen): Bytes | undefined {
    return this.sessionKeys.look(seen);
  }

  receiver(exchange: Exchange | undefined, toResponder: boolean): Receiver | undefined {
    return this.receivers.of(exchange, toResponder);
  }
}

/** Some forms change the message before the MACs are made, others after. */
function macBytesOf({ bytes, wire }: Seen): Bytes {
  return wire?.macBytes ?? bytes;
}

function undecided(...missing: readonly string[]): Verdict {
  return { kind: 'undecided', missing };
}

/** Both sides of a NAT may be in one capture: the reply then shows with either address of its receiver. */
function issuedTo(reply: Seen, { from }: Seen): boolean {
  return [reply, ...reply.copies].some(({ to }) => to.text === from.text);
}

function gateKey(responder: string, identity: PublicKey): string {
  return `${responder}/${toBase64(publicKey(identity))}`;
}

/** Milliseconds since 1970: only gaps of milliseconds are taken of it. */
function msOf(seen: Seen): number {
  return seen.at.time.sec * 1000 + seen.at.time.nsec / 1e6;
}
