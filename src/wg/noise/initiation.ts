/** The first message of IKpsk2, `→ e, es, s, ss, {t}`, both directions (wp §5.4.2). */
import type { Bytes } from '../../base/bytes.ts';
import { type PrivateKey, type PublicKey, publicKey } from '../../base/keys.ts';
import { fail, ok, type Result } from '../../base/result.ts';
import type { Crypto } from '../../crypto/port.ts';
import { CONSTRUCTION, IDENTIFIER } from '../constants.ts';
import type { Drop } from '../drop.ts';
import { encodeInitiation, type Initiation } from '../message/initiation.ts';
import { type Tai64n, tai64n } from '../tai64n.ts';
import type { InitiationKeys, PeerShared, SharedOrMissing, Undecided } from './shared.ts';
import { SymmetricState, type Trace } from './symmetric-state.ts';

/** What a response continues from, on either side: owned by the holder, who wipes `noise` when it is done. */
export interface Transcript {
  /** Hash and chaining key after the initiation; never changed by reading or making a response. */
  readonly noise: SymmetricState;
  /** The initiator's session index: the receiver of the response. */
  readonly sender: number;
  /** E_i */
  readonly ephemeral: PublicKey;
  /** S_i */
  readonly identity: PublicKey;
}

export interface InitiationInput {
  /** S_i, both halves. */
  readonly local: { readonly secret: PrivateKey; readonly publicKey: PublicKey };
  /** S_r */
  readonly remote: PublicKey;
  /** E_i */
  readonly ephemeral: PrivateKey;
  readonly sender: number;
  readonly timestamp: Tai64n;
  /** DH(S_i, S_r) where the caller has it ready. */
  readonly ss?: Bytes;
}

export interface InitiationCreated extends Transcript {
  /** 148 bytes, both MACs still zero. */
  readonly bytes: Bytes;
}

function start(crypto: Crypto, responder: PublicKey, trace: Trace | undefined): SymmetricState {
  const noise = SymmetricState.start(crypto, CONSTRUCTION, IDENTIFIER);
  noise.mixHash(responder);
  trace?.('responder static', noise.snapshot());
  return noise;
}

/** Fails with `weak-shared-secret` only, when the configured S_r is a point of low order. */
export function createInitiation(
  crypto: Crypto,
  input: InitiationInput,
  trace?: Trace,
): Result<InitiationCreated, Drop> {
  const { local, remote, sender } = input;
  const noise = start(crypto, remote, trace);
  const ephemeral = crypto.publicKey(input.ephemeral);
  noise.mixEphemeral(ephemeral); // e
  trace?.('e', noise.snapshot());
  const es = crypto.dh(input.ephemeral, remote);
  if (es === undefined) return fail({ kind: 'weak-shared-secret', token: 'es' });
  noise.mixKey(es); // es
  es.fill(0);
  trace?.('es', noise.snapshot());
  const sealedStatic = noise.sealAndHash(local.publicKey); // s
  trace?.('s', noise.snapshot());
  const ss = input.ss ?? crypto.dh(local.secret, remote);
  if (ss === undefined) return fail({ kind: 'weak-shared-secret', token: 'ss' });
  noise.mixKey(ss); // ss
  trace?.('ss', noise.snapshot());
  const sealedTimestamp = noise.sealAndHash(input.timestamp); // {t}
  trace?.('t', noise.snapshot());
  const bytes = encodeInitiation({ sender, ephemeral, sealedStatic, sealedTimestamp });
  return ok({ bytes, noise, sender, ephemeral, identity: local.publicKey });
}

export interface InitiationConsumed<P> extends Transcript {
  readonly kind: 'initiation-consumed';
  /** What the keys answered for the identity. */
  readonly peer: P;
  readonly timestamp: Tai64n;
}

/**
 * Opens an initiation, in the kernel's order. MAC1 comes before (`verifyMac1`), the age of the timestamp after
 * (`refuseTimestamp`). Keys that can answer `missing` add {@link Undecided}: with es missing nothing is opened, with
 * ss missing the identity is. Nothing that is returned refers to the message's buffer.
 */
export function consumeInitiation<P extends PeerShared>(
  crypto: Crypto,
  keys: InitiationKeys<P>,
  message: Initiation,
  trace?: Trace,
): Result<InitiationConsumed<P>, Drop>;
export function consumeInitiation<P extends PeerShared<SharedOrMissing>>(
  crypto: Crypto,
  keys: InitiationKeys<P, SharedOrMissing>,
  message: Initiation,
  trace?: Trace,
): Result<InitiationConsumed<P> | Undecided, Drop>;
export function consumeInitiation<P extends PeerShared<SharedOrMissing>>(
  crypto: Crypto,
  keys: InitiationKeys<P, SharedOrMissing>,
  message: Initiation,
  trace?: Trace,
): Result<InitiationConsumed<P> | Undecided, Drop> {
  const noise = start(crypto, keys.responder, trace);
  noise.mixEphemeral(message.ephemeral); // e
  trace?.('e', noise.snapshot());
  const es = keys.es(message.ephemeral);
  if (es === 'missing') return ok({ kind: 'undecided', missing: ['es'] });
  if (es === undefined) return fail({ kind: 'weak-shared-secret', token: 'es' });
  noise.mixKey(es); // es
  trace?.('es', noise.snapshot());
  const opened = noise.openAndHash(message.sealedStatic); // s
  if (opened === undefined) return fail({ kind: 'static-unsealable' });
  trace?.('s', noise.snapshot());
  const identity = publicKey(opened);

  const peer = keys.peer(identity);
  if (peer === undefined) return fail({ kind: 'unknown-peer', identity });
  const { ss } = peer;
  if (ss === 'missing') return ok({ kind: 'undecided', missing: ['ss'], identity });
  if (ss === undefined) return fail({ kind: 'weak-shared-secret', token: 'ss' });
  noise.mixKey(ss); // ss
  trace?.('ss', noise.snapshot());
  const timestamp = noise.openAndHash(message.sealedTimestamp); // {t}
  if (timestamp === undefined) return fail({ kind: 'timestamp-unsealable', identity });
  trace?.('t', noise.snapshot());
  return ok({
    kind: 'initiation-consumed',
    peer,
    identity,
    timestamp: tai64n(timestamp),
    noise,
    sender: message.sender,
    ephemeral: publicKey(message.ephemeral.slice()),
  });
}
