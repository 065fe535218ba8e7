/** What the parts of a device share: its keys, its tables, and the few transitions that more than one part makes. */
import type { Endpoint } from '../base/address.ts';
import type { Bytes } from '../base/bytes.ts';
import type { PrivateKey, PublicKey } from '../base/keys.ts';
import type { Now } from '../base/time.ts';
import type { Crypto } from '../crypto/port.ts';
import { AllowedIps } from './allowed-ips.ts';
import { CookieSecret } from './cookie-secret.ts';
import { Deadlines } from './deadlines.ts';
import type { Drop, DropKind, PeerId } from './drop.ts';
import { IndexTable } from './index-table.ts';
import type { KeyLogSink } from './key-log.ts';
import { LoadGauge } from './load.ts';
import { cookieKey, mac1Key } from './mac.ts';
import type { Trace } from './noise/trace.ts';
import type { Peer } from './peer.ts';
import type { Policy } from './policy.ts';
import type { Random } from './random.ts';
import { RateLimiter } from './rate-limiter.ts';
import { Session, type SessionInput } from './session.ts';
import type { DeviceEvent, Effect, Verdict } from './step.ts';

export interface DeviceOptions {
  readonly crypto: Crypto;
  readonly random: Random;
  /** The kernel's unless told. */
  readonly policy?: Policy;
  readonly keyLog?: KeyLogSink;
  /** Is told each step of every handshake, made or read, as it is done: secrets among them. */
  readonly trace?: Trace;
  /** Of the inner interface, bytes. */
  readonly mtu?: number;
}

/** What an index stands for. */
export type IndexEntry =
  | { readonly kind: 'handshake'; readonly peer: Peer }
  | { readonly kind: 'session'; readonly peer: Peer; readonly session: Session };

export interface Identity {
  readonly secret: PrivateKey;
  readonly publicKey: PublicKey;
  /** Of MACs on messages to us, and of cookie replies from us. */
  readonly mac1Key: Bytes;
  readonly cookieKey: Bytes;
}

export function identityOf(crypto: Crypto, secret: PrivateKey): Identity {
  const publicKey = crypto.publicKey(secret);
  return { secret, publicKey, mac1Key: mac1Key(crypto, publicKey), cookieKey: cookieKey(crypto, publicKey) };
}

/** A backend that does not mind an all-zero secret, for policies that do not look. */
function withZeroShared(crypto: Crypto): Crypto {
  const dh: Crypto['dh'] = (secret, remote) => crypto.dh(secret, remote) ?? new Uint8Array(32);
  return Object.assign(Object.create(crypto) as Crypto, { dh });
}

const DEFAULT_MTU = 1420;

export class Core {
  readonly crypto: Crypto;
  readonly random: Random;
  readonly policy: Policy;
  readonly keyLog: KeyLogSink | undefined;
  readonly trace: Trace | undefined;
  readonly peers = new Map<PeerId, Peer>();
  readonly index: IndexTable<IndexEntry>;
  readonly allowedIps = new AllowedIps<Peer>();
  readonly deadlines = new Deadlines<Peer>();
  readonly load: LoadGauge;
  readonly limiter: RateLimiter | undefined;
  readonly cookies: CookieSecret;
  readonly dropCounts = new Map<DropKind, number>();
  identity: Identity | undefined;
  mtu: number;

  constructor({ crypto, random, keyLog, trace, mtu, policy }: DeviceOptions & { readonly policy: Policy }) {
    this.crypto = policy.refusesZeroShared ? crypto : withZeroShared(crypto);
    this.random = random;
    this.policy = policy;
    this.keyLog = keyLog;
    this.trace = trace;
    this.mtu = mtu ?? DEFAULT_MTU;
    this.index = new IndexTable(random);
    this.load = new LoadGauge(policy.load);
    this.limiter = policy.rateLimit === undefined ? undefined : new RateLimiter(policy.rateLimit);
    this.cookies = new CookieSecret(crypto, random, policy.cookieForm);
  }

  /** The verdict on the input, counted. */
  refuse(drop: Drop): Verdict {
    this.#count(drop);
    return { kind: 'refused', drop };
  }

  /** A refusal of something else than the input. */
  drop(drop: Drop, effects: Effect[]): void {
    this.#count(drop);
    effects.push({ kind: 'drop', drop });
  }

  event(peer: Peer, event: DeviceEvent, effects: Effect[]): void {
    effects.push({ kind: 'event', peer: peer.id, event });
  }

  /** Only what is authentic moves an endpoint (wp §2.1). */
  learnEndpoint(peer: Peer, from: Endpoint, local: Endpoint | undefined, effects: Effect[]): void {
    peer.local = local;
    const was = peer.endpoint;
    if (was === from || was?.text === from.text) return;
    peer.endpoint = from;
    this.event(peer, { what: 'endpoint-learned', from: was, to: from }, effects);
  }

  /** A new session takes its place among the peer's, and its index. */
  beginSession(peer: Peer, input: SessionInput, effects: Effect[]): void {
    const session = new Session(this.crypto, this.policy, input);
    this.forget(peer.keyring.add(session));
    this.index.set(session.localIndex, { kind: 'session', peer, session });
    peer.timers.sessionDerived(input.nowMs);
    const { role, localIndex: local, remoteIndex: remote } = input;
    this.event(peer, { what: 'session-derived', role, local, remote }, effects);
  }

  /** Both sides have the session: a response came, or the first data under one that we answered. */
  completeHandshake(peer: Peer, role: Session['role'], now: Now, effects: Effect[]): void {
    peer.timers.handshakeComplete();
    peer.handshake.rowEnded();
    peer.sentLastMinute = false;
    peer.latestHandshake = now.wall;
    this.event(peer, { what: 'handshake-complete', role }, effects);
  }

  forget(sessions: readonly Session[]): void {
    for (const session of sessions) {
      this.index.delete(session.localIndex);
      session.wipe();
    }
  }

  free(indices: readonly number[]): void {
    for (const index of indices) this.index.delete(index);
  }

  /** Everything secret of a peer but what was configured (wp §6.3). The timestamp stays. */
  zeroKeys(peer: Peer): void {
    this.free(peer.handshake.clear());
    this.forget(peer.keyring.clear());
  }

  /** DH of the static keys, ready before the first handshake. */
  precompute(peer: Peer): void {
    peer.ss?.fill(0);
    peer.ss = this.identity === undefined ? undefined : this.crypto.dh(this.identity.secret, peer.publicKey);
  }

  #count({ kind }: Drop): void {
    this.dropCounts.set(kind, (this.dropCounts.get(kind) ?? 0) + 1);
  }
}
