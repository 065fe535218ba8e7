/** DH by capability: who reads a handshake is asked for shared secrets, token by token, and never for a private key. */
import type { Bytes } from '../../base/bytes.ts';
import type { PrivateKey, PublicKey } from '../../base/keys.ts';
import type { Crypto } from '../../crypto/port.ts';
import type { DhToken } from '../drop.ts';
import { isLowOrder } from './low-order.ts';

/** The 32 bytes; undefined when they are all zero, as for a low-order point (RFC 7748 §6.1). */
export type Shared = Bytes | undefined;

/** As {@link Shared}, or `missing`: the keys at hand do not reach it. A live device never answers that. */
export type SharedOrMissing = Shared | 'missing';

/** An honest end of reading: no refusal, the keys at hand just do not go further. */
export interface Undecided {
  readonly kind: 'undecided';
  /** The tokens whose shared secret is out of reach. */
  readonly missing: readonly DhToken[];
  /** The initiator's static key, where the initiation opened that far. */
  readonly identity?: PublicKey;
}

/** A peer as the reader of an initiation needs it; more fields come back with the result. */
export interface PeerShared<S extends SharedOrMissing = Shared> {
  /** DH(S_i, S_r); a live responder has it ready. */
  readonly ss: S;
}

/** What reading an initiation needs, from whichever side. */
export interface InitiationKeys<P extends PeerShared<SharedOrMissing>, S extends SharedOrMissing = Shared> {
  /** S_r: for whom the message is read. */
  readonly responder: PublicKey;
  /** DH(E_i, S_r) */
  es(ephemeral: PublicKey): S;
  /** undefined when no such peer is configured. Who does not know the responder's peers answers for every identity. */
  peer(identity: PublicKey): P | undefined;
}

/** What reading a response needs, from whichever side; E_i and S_i are in the closure. */
export interface ResponseKeys<S extends SharedOrMissing = Shared> {
  /** DH(E_i, E_r) */
  ee(ephemeral: PublicKey): S;
  /** DH(S_i, E_r) */
  se(ephemeral: PublicKey): S;
}

/** A live responder's keys; `peer` finds a configured peer with its ready `ss`. */
export function responderKeys<P extends PeerShared>(
  crypto: Crypto,
  local: { readonly secret: PrivateKey; readonly publicKey: PublicKey },
  peer: (identity: PublicKey) => P | undefined,
): InitiationKeys<P> {
  return { responder: local.publicKey, es: (ephemeral) => crypto.dh(local.secret, ephemeral), peer };
}

/** Live initiator, or whoever holds its static and ephemeral private keys. */
export function initiatorKeys(crypto: Crypto, secret: PrivateKey, ephemeralSecret: PrivateKey): ResponseKeys {
  return {
    ee: (ephemeral) => crypto.dh(ephemeralSecret, ephemeral),
    se: (ephemeral) => crypto.dh(secret, ephemeral),
  };
}

/** DH between two public keys by whichever private key is known; see {@link sharedBy}. */
export type SharedBetween = (a: PublicKey, b: PublicKey) => SharedOrMissing;

/**
 * A passive reader's keys as one question. `secretOf` finds the private key of a public one, if it is known. A point of
 * low order is seen without any key, so `missing` is said of others only.
 */
export function sharedBy(crypto: Crypto, secretOf: (key: PublicKey) => PrivateKey | undefined): SharedBetween {
  return (a, b) => {
    if (isLowOrder(a) || isLowOrder(b)) return undefined;
    const mine = secretOf(a);
    if (mine !== undefined) return crypto.dh(mine, b);
    const theirs = secretOf(b);
    return theirs === undefined ? 'missing' : crypto.dh(theirs, a);
  };
}

/** A passive reader of initiations for `responder`: es and ss from whichever side's private key is known. */
export function observedInitiationKeys(
  between: SharedBetween,
  responder: PublicKey,
  isPeer: (identity: PublicKey) => boolean = () => true,
): InitiationKeys<PeerShared<SharedOrMissing>, SharedOrMissing> {
  return {
    responder,
    es: (ephemeral) => between(ephemeral, responder),
    peer: (identity) => (isPeer(identity) ? { ss: between(identity, responder) } : undefined),
  };
}

/** A passive reader of the response to an initiation with this ephemeral and this static key. */
export function observedResponseKeys(
  between: SharedBetween,
  initiation: { readonly ephemeral: PublicKey; readonly identity: PublicKey },
): ResponseKeys<SharedOrMissing> {
  return {
    ee: (ephemeral) => between(initiation.ephemeral, ephemeral),
    se: (ephemeral) => between(initiation.identity, ephemeral),
  };
}
