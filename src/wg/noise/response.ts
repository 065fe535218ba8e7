/** The second message of IKpsk2, `← e, ee, se, psk, {}`, and the transport keys, both directions (wp §5.4.3, §5.4.5). */
import { type Bytes, copy, EMPTY } from '../../base/bytes.ts';
import { type PresharedKey, type PrivateKey, type PublicKey, presharedKey, publicKey } from '../../base/keys.ts';
import { fail, ok, type Result } from '../../base/result.ts';
import type { Crypto } from '../../crypto/port.ts';
import type { DhToken, Drop } from '../drop.ts';
import { encodeResponse, type Response } from '../message/response.ts';
import type { Transcript } from './initiation.ts';
import type { ResponseKeys, Shared, SharedOrMissing, Undecided } from './shared.ts';
import type { SymmetricState } from './symmetric-state.ts';
import type { Trace } from './trace.ts';

/** Named by direction, so that it does not matter whose side they were derived on (wp §5.4.5). */
export interface TransportKeys {
  readonly initiatorToResponder: Bytes;
  readonly responderToInitiator: Bytes;
}

export interface ResponseInput {
  readonly sender: number;
  /** E_r */
  readonly ephemeral: PrivateKey;
  readonly psk: PresharedKey;
}

export interface ResponseCreated {
  /** 92 bytes, both MACs still zero. */
  readonly bytes: Bytes;
  readonly keys: TransportKeys;
}

/** What a response is read against. */
type Asked = Pick<Transcript, 'noise' | 'ephemeral' | 'identity'>;

const MESSAGE = 'response';

function split(noise: SymmetricState, trace: Trace | undefined): TransportKeys {
  const [initiatorToResponder, responderToInitiator] = noise.split();
  trace?.({
    message: MESSAGE,
    kind: 'split',
    initiatorToResponder: copy(initiatorToResponder),
    responderToInitiator: copy(responderToInitiator),
    state: noise.snapshot(),
  });
  return { initiatorToResponder, responderToInitiator };
}

const dhStep = (token: 'ee' | 'se', initiator: PublicKey, responder: PublicKey, shared: SharedOrMissing) => {
  const kept = shared instanceof Uint8Array ? copy(shared) : shared;
  return { message: MESSAGE, kind: 'dh', token, initiator, responder, shared: kept } as const;
};

const sealedStep = (plain: Bytes | undefined, sealed: Bytes) =>
  ({ message: MESSAGE, kind: 'sealed', field: 'payload', plain: plain && copy(plain), sealed: copy(sealed) }) as const;

function mixPsk(noise: SymmetricState, psk: PresharedKey, trace: Trace | undefined): void {
  if (trace === undefined) noise.mixKeyAndHash(psk);
  else {
    let tau = EMPTY;
    noise.mixKeyAndHash(psk, (seen) => {
      tau = copy(seen);
    });
    trace({ message: MESSAGE, kind: 'psk', psk: presharedKey(copy(psk)), tau, state: noise.snapshot() });
  }
}

export interface ResponseWritten {
  readonly ephemeral: PublicKey;
  readonly sealedPayload: Bytes;
  readonly keys: TransportKeys;
}

/** `← e, ee, se, psk` and a payload, then the keys; fails and leaves the transcript as {@link createResponse} does. */
export function writeResponse(
  crypto: Crypto,
  transcript: Asked,
  input: Pick<ResponseInput, 'ephemeral' | 'psk'>,
  payload: Bytes,
  trace?: Trace,
): Result<ResponseWritten, Drop> {
  const ephemeral = crypto.publicKey(input.ephemeral);
  const noise = transcript.noise.clone();
  noise.mixEphemeral(ephemeral); // e
  trace?.({ message: MESSAGE, kind: 'ephemeral', ephemeral, state: noise.snapshot() });
  const ee = crypto.dh(input.ephemeral, transcript.ephemeral);
  if (ee !== undefined) noise.mixKey(ee); // ee
  trace?.({ ...dhStep('ee', transcript.ephemeral, ephemeral, ee), state: noise.snapshot() });
  if (ee === undefined) return weak(noise, 'ee');
  ee.fill(0);
  const se = crypto.dh(input.ephemeral, transcript.identity);
  if (se !== undefined) noise.mixKey(se); // se
  trace?.({ ...dhStep('se', transcript.identity, ephemeral, se), state: noise.snapshot() });
  if (se === undefined) return weak(noise, 'se');
  se.fill(0);
  mixPsk(noise, input.psk, trace); // psk
  const sealedPayload = noise.sealAndHash(payload); // {}
  trace?.({ ...sealedStep(payload, sealedPayload), state: noise.snapshot() });
  const keys = split(noise, trace);
  noise.wipe();
  return ok({ ephemeral, sealedPayload, keys });
}

function weak(noise: SymmetricState, token: 'ee' | 'se'): Result<never, Drop> {
  noise.wipe();
  return fail({ kind: 'weak-shared-secret', token });
}

/** Fails with `weak-shared-secret` only. The transcript is left as it was, its secrets the caller's to wipe. */
export function createResponse(
  crypto: Crypto,
  transcript: Transcript,
  input: ResponseInput,
  trace?: Trace,
): Result<ResponseCreated, Drop> {
  const written = writeResponse(crypto, transcript, input, EMPTY, trace);
  if (!written.ok) return written;
  const { ephemeral, sealedPayload: sealedEmpty, keys } = written.value;
  const bytes = encodeResponse({ sender: input.sender, receiver: transcript.sender, ephemeral, sealedEmpty });
  return ok({ bytes, keys });
}

/** A response read up to its PSK: the DHs are paid for, each PSK costs two KDFs more. Wipe it when done. */
export interface PreparedResponse {
  readonly kind: 'prepared';
  /** Changes nothing: any number of PSKs may be tried. A wrong one is `empty-unsealable`. */
  tryPsk(psk: PresharedKey): Result<TransportKeys, Drop>;
  wipe(): void;
}

/**
 * Reads `← e, ee, se` in the kernel's order. Keys that can answer `missing` add {@link Undecided}, which names each
 * shared secret out of reach. The transcript is left as it was; the message must live as long as PSKs are tried.
 */
export function prepareResponse(
  transcript: Asked,
  keys: ResponseKeys,
  message: Response,
  trace?: Trace,
): Result<PreparedResponse, Drop>;
export function prepareResponse(
  transcript: Asked,
  keys: ResponseKeys<SharedOrMissing>,
  message: Response,
  trace?: Trace,
): Result<PreparedResponse | Undecided, Drop>;
export function prepareResponse(
  transcript: Asked,
  keys: ResponseKeys<SharedOrMissing>,
  message: Response,
  trace?: Trace,
): Result<PreparedResponse | Undecided, Drop> {
  const ephemeral = publicKey(copy(message.ephemeral));
  const noise = transcript.noise.clone();
  noise.mixEphemeral(ephemeral); // e
  trace?.({ message: MESSAGE, kind: 'ephemeral', ephemeral, state: noise.snapshot() });
  const ee = keys.ee(message.ephemeral);
  if (ee instanceof Uint8Array) noise.mixKey(ee); // ee
  trace?.({ ...dhStep('ee', transcript.ephemeral, ephemeral, ee), state: noise.snapshot() });
  if (ee === undefined) return weak(noise, 'ee');
  const se = keys.se(message.ephemeral);
  if (ee !== 'missing') {
    if (se instanceof Uint8Array) noise.mixKey(se); // se
    trace?.({ ...dhStep('se', transcript.identity, ephemeral, se), state: noise.snapshot() });
  }
  if (se === undefined) return weak(noise, 'se');
  if (ee === 'missing' || se === 'missing') {
    noise.wipe();
    return ok({ kind: 'undecided', missing: missing({ ee, se }) });
  }
  return ok({
    kind: 'prepared',
    tryPsk: (psk) => finish(noise.clone(), psk, message, trace),
    wipe: () => noise.wipe(),
  });
}

function missing(shared: { readonly [T in DhToken]?: SharedOrMissing }): readonly DhToken[] {
  return (['ee', 'se'] as const).filter((token) => shared[token] === 'missing');
}

function finish(noise: SymmetricState, psk: PresharedKey, message: Response, trace: Trace | undefined) {
  mixPsk(noise, psk, trace); // psk
  const empty = noise.openAndHash(message.sealedEmpty); // {}
  trace?.({ ...sealedStep(empty, message.sealedEmpty), state: noise.snapshot() });
  const result: Result<TransportKeys, Drop> =
    empty === undefined ? fail({ kind: 'empty-unsealable' }) : ok(split(noise, trace));
  noise.wipe();
  return result;
}

/** A live initiator's reading of `← e, ee, se, psk, {}` with the one PSK it has. */
export function consumeResponse(
  transcript: Asked,
  keys: ResponseKeys<Shared>,
  message: Response,
  psk: PresharedKey,
  trace?: Trace,
): Result<TransportKeys, Drop> {
  const prepared = prepareResponse(transcript, keys, message, trace);
  if (!prepared.ok) return prepared;
  const result = prepared.value.tryPsk(psk);
  prepared.value.wipe();
  return result;
}
