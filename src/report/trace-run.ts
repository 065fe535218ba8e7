/** One handshake read by the engine's own code with whatever keys there are, each step told: the rows of a trace. */
import { type Bytes, equal } from '../base/bytes.ts';
import type { PresharedKey, PrivateKey, PublicKey } from '../base/keys.ts';
import type { Crypto } from '../crypto/port.ts';
import { CONSTRUCTION, IDENTIFIER } from '../wg/constants.ts';
import type { Data } from '../wg/message/data.ts';
import { decodeInitiation } from '../wg/message/initiation.ts';
import { decodeResponse } from '../wg/message/response.ts';
import { consumeInitiation } from '../wg/noise/initiation.ts';
import { type PreparedResponse, prepareResponse } from '../wg/noise/response.ts';
import { observedInitiationKeys, observedResponseKeys, type SharedBetween, sharedBy } from '../wg/noise/shared.ts';
import { SymmetricState } from '../wg/noise/symmetric-state.ts';
import type { Trace, TraceStep } from '../wg/noise/trace.ts';
import { dataRow } from './trace-data.ts';
import { macRow, type TraceRow, traceRows } from './trace-rows.ts';

/** A whole handshake message. */
export interface TracedMessage {
  /** In plain form. */
  readonly bytes: Bytes;
  /** As the MACs cover it, where that differs. */
  readonly macBytes?: Bytes;
}

export interface NamedPsk {
  readonly psk: PresharedKey;
  /** `client.conf:9`, `no PSK (zero)`. */
  readonly where: string;
}

export interface TracedData {
  readonly message: Data;
  readonly from: 'initiator' | 'responder' | undefined;
  /** Where a file holds it and no handshake has to. */
  readonly key?: Bytes;
}

export interface TraceInput {
  /** undefined: it is not in the capture, and nothing after it can be computed. */
  readonly initiation: TracedMessage | undefined;
  readonly response?: TracedMessage | undefined;
  readonly data?: TracedData | undefined;
  /** S_r; undefined where no known key fits. */
  readonly responder: PublicKey | undefined;
  secretOf(key: PublicKey): PrivateKey | undefined;
}

const NOT_CAPTURED = 'the initiation that this answers: it is not in the capture';

/** The rows as far as the keys carry; the last one says why there is no further one, where there should be. */
export function runTrace(crypto: Crypto, input: TraceInput, psk: PresharedKey): TraceRow[] {
  const { data } = input;
  if (data !== undefined && input.response === undefined) return [dataRow(crypto, data.message, data.key, data.from)];
  const { rows, keys } = handshakeRows(crypto, input, psk);
  if (data === undefined) return rows;
  if (keys === undefined) return data.key === undefined ? rows : [dataRow(crypto, data.message, data.key, data.from)];
  const key = data.from === 'initiator' ? keys.initiatorToResponder : keys.responderToInitiator;
  return [...rows, dataRow(crypto, data.message, key, data.from)];
}

/** Whether it ends before its end. */
export function isStopped(rows: readonly TraceRow[]): boolean {
  return rows.some(({ missing, refused }) => missing !== undefined || refused !== undefined);
}

function handshakeRows(
  crypto: Crypto,
  input: TraceInput,
  psk: PresharedKey,
): { rows: TraceRow[]; keys?: Extract<TraceStep, { kind: 'split' }> | undefined } {
  const { initiation, response, responder } = input;
  const start = { message: 'initiation', spec: 'wp §5.4.2', values: [] } as const;
  if (initiation === undefined) return { rows: [{ ...start, token: 'start', missing: [NOT_CAPTURED] }] };
  const steps: TraceStep[] = [];
  const trace: Trace = (step) => steps.push(step);
  if (responder === undefined) {
    const state = SymmetricState.start(crypto, CONSTRUCTION, IDENTIFIER).snapshot();
    const rows = traceRows([{ message: 'initiation', kind: 'start', state }]);
    return { rows: [...rows, { ...start, token: '← s', missing: ['S_r^pub'] }] };
  }
  const between = sharedBy(crypto, input.secretOf);
  const consumed = readInitiation(crypto, between, responder, initiation.bytes, trace);
  const rows = traceRows(steps);
  if (consumed === undefined) return { rows };
  rows.push(macRow(crypto, 'initiation', initiation.macBytes ?? initiation.bytes, responder));
  if (response === undefined) return { rows };
  const answered: TraceStep[] = [];
  const prepared = readResponse(between, consumed, response.bytes, (step) => answered.push(step));
  prepared?.tryPsk(psk);
  prepared?.wipe();
  rows.push(...traceRows(answered));
  const keys = answered.find((step) => step.kind === 'split');
  if (keys !== undefined) rows.push(macRow(crypto, 'response', response.macBytes ?? response.bytes, consumed.identity));
  return { rows, keys };
}

function readInitiation(crypto: Crypto, between: SharedBetween, responder: PublicKey, bytes: Bytes, trace?: Trace) {
  const message = decodeInitiation(bytes);
  if (!message.ok) return undefined;
  const consumed = consumeInitiation(crypto, observedInitiationKeys(between, responder), message.value, trace);
  return consumed.ok && consumed.value.kind === 'initiation-consumed' ? consumed.value : undefined;
}

type Consumed = NonNullable<ReturnType<typeof readInitiation>>;

function readResponse(
  between: SharedBetween,
  consumed: Consumed,
  bytes: Bytes,
  trace?: Trace,
): PreparedResponse | undefined {
  const message = decodeResponse(bytes);
  if (!message.ok) return undefined;
  const prepared = prepareResponse(consumed, observedResponseKeys(between, consumed), message.value, trace);
  return prepared.ok && prepared.value.kind === 'prepared' ? prepared.value : undefined;
}

/** Who an initiation says it is from, where the keys open that far. */
export function initiatorOf(crypto: Crypto, input: TraceInput): PublicKey | undefined {
  const { initiation, responder } = input;
  if (initiation === undefined || responder === undefined) return undefined;
  return readInitiation(crypto, sharedBy(crypto, input.secretOf), responder, initiation.bytes)?.identity;
}

/** The first that opens the response; undefined when none does, or the keys do not reach that far. */
export function openingPsk(crypto: Crypto, input: TraceInput, psks: readonly NamedPsk[]): NamedPsk | undefined {
  const { initiation, response, responder } = input;
  if (initiation === undefined || response === undefined || responder === undefined) return undefined;
  const between = sharedBy(crypto, input.secretOf);
  const consumed = readInitiation(crypto, between, responder, initiation.bytes);
  const prepared = consumed && readResponse(between, consumed, response.bytes);
  const found = psks.find(({ psk }) => prepared?.tryPsk(psk).ok);
  prepared?.wipe();
  return found;
}

/** A lookup of private keys by their public ones. */
export function secretsBy(crypto: Crypto, secrets: readonly PrivateKey[]): TraceInput['secretOf'] {
  const known = secrets.map((secret) => ({ secret, own: crypto.publicKey(secret) }));
  return (key) => known.find(({ own }) => equal(own, key))?.secret;
}

/** How a row that stopped names what it lacks: `E_i^priv or S_r^priv`. */
export const missingText = (missing: readonly string[]): string => missing.join(' or ');
