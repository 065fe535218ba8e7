/** The first message of IKpsk2, `→ e, es, s, ss, {t}`, both directions (wp §5.4.2). */
import { type Bytes, copy } from '../../base/bytes.ts';
import { type PrivateKey, type PublicKey, publicKey } from '../../base/keys.ts';
import { fail, ok, type Result } from '../../base/result.ts';
import type { Crypto } from '../../crypto/port.ts';
import { CONSTRUCTION, IDENTIFIER } from '../constants.ts';
import type { Drop } from '../drop.ts';
import { encodeInitiation, type Initiation } from '../message/initiation.ts';
import { type Tai64n, tai64n } from '../tai64n.ts';
import type { InitiationKeys, PeerShared, SharedOrMissing, Undecided } from './shared.ts';
import { SymmetricState } from './symmetric-state.ts';
import type { Trace } from './trace.ts';

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

/** Whose message it is, and for whom. */
interface Parties {
  /** S_i, both halves. */
  readonly local: { readonly secret: PrivateKey; readonly publicKey: PublicKey };
  /** S_r */
  readonly remote: PublicKey;
  /** E_i */
  readonly ephemeral: PrivateKey;
  /** DH(S_i, S_r) where the caller has it ready. */
  readonly ss?: Bytes;
}

export interface InitiationInput extends Parties {
  readonly sender: number;
  readonly timestamp: Tai64n;
}

export interface InitiationCreated extends Transcript {
  /** 148 bytes, both MACs still zero. */
  readonly bytes: Bytes;
}

/** The state before the first message: name, prologue, and the responder's static key (Noise §5.3). */
export function startHandshake(
  crypto: Crypto,
  responder: PublicKey,
  trace?: Trace,
  prologue: Bytes = IDENTIFIER,
): SymmetricState {
  const noise = SymmetricState.start(crypto, CONSTRUCTION, prologue);
  trace?.({ message: MESSAGE, kind: 'start', state: noise.snapshot() });
  noise.mixHash(responder);
  trace?.({ message: MESSAGE, kind: 'responder-static', responder, state: noise.snapshot() });
  return noise;
}

export interface InitiationWritten {
  readonly ephemeral: PublicKey;
  readonly sealedStatic: Bytes;
  readonly sealedPayload: Bytes;
}

/** `→ e, es, s, ss` and a payload, whatever the prologue and the payload are; fails as {@link createInitiation} does. */
export function writeInitiation(
  crypto: Crypto,
  noise: SymmetricState,
  { local, remote, ephemeral: secret, ss: ready }: Parties,
  payload: Bytes,
  trace?: Trace,
): Result<InitiationWritten, Drop> {
  const ephemeral = crypto.publicKey(secret);
  noise.mixEphemeral(ephemeral); // e
  trace?.({ message: MESSAGE, kind: 'ephemeral', ephemeral, state: noise.snapshot() });
  const es = crypto.dh(secret, remote);
  if (es !== undefined) noise.mixKey(es); // es
  trace?.({ ...dhStep('es', ephemeral, remote, es), state: noise.snapshot() });
  if (es === undefined) return fail({ kind: 'weak-shared-secret', token: 'es' });
  es.fill(0);
  const sealedStatic = noise.sealAndHash(local.publicKey); // s
  trace?.({ ...sealedStep('static', local.publicKey, sealedStatic), state: noise.snapshot() });
  const ss = ready ?? crypto.dh(local.secret, remote);
  if (ss !== undefined) noise.mixKey(ss); // ss
  trace?.({ ...dhStep('ss', local.publicKey, remote, ss), state: noise.snapshot() });
  if (ss === undefined) return fail({ kind: 'weak-shared-secret', token: 'ss' });
  const sealedPayload = noise.sealAndHash(payload); // {t}
  trace?.({ ...sealedStep('payload', payload, sealedPayload), state: noise.snapshot() });
  return ok({ ephemeral, sealedStatic, sealedPayload });
}

const MESSAGE = 'initiation';

const dhStep = (token: 'es' | 'ss', initiator: PublicKey, responder: PublicKey, shared: SharedOrMissing) => {
  const kept = shared instanceof Uint8Array ? copy(shared) : shared;
  return {
    message: MESSAGE,
    kind: 'dh',
    token,
    initiator: publicKey(copy(initiator)),
    responder,
    shared: kept,
  } as const;
};

const sealedStep = (field: 'static' | 'payload', plain: Bytes | undefined, sealed: Bytes) =>
  ({ message: MESSAGE, kind: 'sealed', field, plain: plain && copy(plain), sealed: copy(sealed) }) as const;

/** Fails with `weak-shared-secret` only, when the configured S_r is a point of low order. */
export function createInitiation(
  crypto: Crypto,
  input: InitiationInput,
  trace?: Trace,
): Result<InitiationCreated, Drop> {
  const { local, remote, sender, timestamp } = input;
  const noise = startHandshake(crypto, remote, trace);
  const written = writeInitiation(crypto, noise, input, timestamp, trace);
  if (!written.ok) return written;
  const { ephemeral, sealedStatic, sealedPayload: sealedTimestamp } = written.value;
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
  const { responder } = keys;
  const noise = startHandshake(crypto, responder, trace);
  const ephemeral = publicKey(copy(message.ephemeral));
  noise.mixEphemeral(ephemeral); // e
  trace?.({ message: MESSAGE, kind: 'ephemeral', ephemeral, state: noise.snapshot() });
  const es = keys.es(message.ephemeral);
  if (es instanceof Uint8Array) noise.mixKey(es); // es
  trace?.({ ...dhStep('es', ephemeral, responder, es), state: noise.snapshot() });
  if (es === 'missing') return ok({ kind: 'undecided', missing: ['es'] });
  if (es === undefined) return fail({ kind: 'weak-shared-secret', token: 'es' });
  const opened = noise.openAndHash(message.sealedStatic); // s
  trace?.({ ...sealedStep('static', opened, message.sealedStatic), state: noise.snapshot() });
  if (opened === undefined) return fail({ kind: 'static-unsealable' });
  const identity = publicKey(opened);

  const peer = keys.peer(identity);
  if (peer === undefined) return fail({ kind: 'unknown-peer', identity });
  const { ss } = peer;
  if (ss instanceof Uint8Array) noise.mixKey(ss); // ss
  trace?.({ ...dhStep('ss', identity, responder, ss), state: noise.snapshot() });
  if (ss === 'missing') return ok({ kind: 'undecided', missing: ['ss'], identity });
  if (ss === undefined) return fail({ kind: 'weak-shared-secret', token: 'ss' });
  const timestamp = noise.openAndHash(message.sealedTimestamp); // {t}
  trace?.({ ...sealedStep('payload', timestamp, message.sealedTimestamp), state: noise.snapshot() });
  if (timestamp === undefined) return fail({ kind: 'timestamp-unsealable', identity });
  return ok({
    kind: 'initiation-consumed',
    peer,
    identity,
    timestamp: tai64n(timestamp),
    noise,
    sender: message.sender,
    ephemeral,
  });
}
