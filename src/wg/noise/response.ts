/** The second message of IKpsk2, `← e, ee, se, psk, {}`, and the transport keys, both directions (wp §5.4.3, §5.4.5). */
import { type Bytes, EMPTY } from '../../base/bytes.ts';
import type { PresharedKey, PrivateKey } from '../../base/keys.ts';
import { fail, ok, type Result } from '../../base/result.ts';
import type { Crypto } from '../../crypto/port.ts';
import type { DhToken, Drop } from '../drop.ts';
import { encodeResponse, type Response } from '../message/response.ts';
import type { Transcript } from './initiation.ts';
import type { ResponseKeys, Shared, SharedOrMissing, Undecided } from './shared.ts';
import type { SymmetricState, Trace } from './symmetric-state.ts';

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

function split(noise: SymmetricState): TransportKeys {
  const [initiatorToResponder, responderToInitiator] = noise.split();
  return { initiatorToResponder, responderToInitiator };
}

/** Fails with `weak-shared-secret` only. The transcript is left as it was, its secrets the caller's to wipe. */
export function createResponse(
  crypto: Crypto,
  transcript: Transcript,
  input: ResponseInput,
  trace?: Trace,
): Result<ResponseCreated, Drop> {
  const ephemeral = crypto.publicKey(input.ephemeral);
  const ee = crypto.dh(input.ephemeral, transcript.ephemeral);
  if (ee === undefined) return fail({ kind: 'weak-shared-secret', token: 'ee' });
  const se = crypto.dh(input.ephemeral, transcript.identity);
  if (se === undefined) return fail({ kind: 'weak-shared-secret', token: 'se' });
  const noise = transcript.noise.clone();
  noise.mixEphemeral(ephemeral); // e
  trace?.('e', noise.snapshot());
  mixShared(noise, ee, se, trace); // ee, se
  ee.fill(0);
  se.fill(0);
  noise.mixKeyAndHash(input.psk); // psk
  trace?.('psk', noise.snapshot());
  const sealedEmpty = noise.sealAndHash(EMPTY); // {}
  trace?.('empty', noise.snapshot());
  const keys = split(noise);
  noise.wipe();
  const bytes = encodeResponse({ sender: input.sender, receiver: transcript.sender, ephemeral, sealedEmpty });
  return ok({ bytes, keys });
}

function mixShared(noise: SymmetricState, ee: Bytes, se: Bytes, trace: Trace | undefined): void {
  noise.mixKey(ee);
  trace?.('ee', noise.snapshot());
  noise.mixKey(se);
  trace?.('se', noise.snapshot());
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
  transcript: Pick<Transcript, 'noise'>,
  keys: ResponseKeys,
  message: Response,
  trace?: Trace,
): Result<PreparedResponse, Drop>;
export function prepareResponse(
  transcript: Pick<Transcript, 'noise'>,
  keys: ResponseKeys<SharedOrMissing>,
  message: Response,
  trace?: Trace,
): Result<PreparedResponse | Undecided, Drop>;
export function prepareResponse(
  transcript: Pick<Transcript, 'noise'>,
  keys: ResponseKeys<SharedOrMissing>,
  message: Response,
  trace?: Trace,
): Result<PreparedResponse | Undecided, Drop> {
  const ee = keys.ee(message.ephemeral);
  if (ee === undefined) return fail({ kind: 'weak-shared-secret', token: 'ee' });
  const se = keys.se(message.ephemeral);
  if (se === undefined) return fail({ kind: 'weak-shared-secret', token: 'se' });
  if (ee === 'missing' || se === 'missing') return ok({ kind: 'undecided', missing: missing({ ee, se }) });

  const noise = transcript.noise.clone();
  noise.mixEphemeral(message.ephemeral); // e
  trace?.('e', noise.snapshot());
  mixShared(noise, ee, se, trace); // ee, se
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
  noise.mixKeyAndHash(psk); // psk
  trace?.('psk', noise.snapshot());
  const empty = noise.openAndHash(message.sealedEmpty); // {}
  if (empty !== undefined) trace?.('empty', noise.snapshot());
  const result: Result<TransportKeys, Drop> =
    empty === undefined ? fail({ kind: 'empty-unsealable' }) : ok(split(noise));
  noise.wipe();
  return result;
}

/** A live initiator's reading of `← e, ee, se, psk, {}` with the one PSK it has. */
export function consumeResponse(
  transcript: Pick<Transcript, 'noise'>,
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
