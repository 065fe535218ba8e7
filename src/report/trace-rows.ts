/** A handshake's steps as rows in the paper's notation: after each token what went in and what came out (wp §5.4). */
import { type Bytes, equal } from '../base/bytes.ts';
import type { PublicKey } from '../base/keys.ts';
import type { Crypto } from '../crypto/port.ts';
import type { DhToken } from '../wg/drop.ts';
import { computeMac1, mac1Key } from '../wg/mac.ts';
import type { Snapshot, TraceStep } from '../wg/noise/trace.ts';

/** `secret` values have the entropy of a key; `guessable` ones, a PSK or a plaintext, perhaps not. */
export type Secrecy = 'public' | 'secret' | 'guessable';

export interface TraceValue {
  /** As the paper writes it: `C_i`, `κ`. */
  readonly symbol: string;
  /** What it is computed from; absent where it was given or read off the wire. */
  readonly formula?: string;
  /** Its name in the traces of a test vector: `ck_after_es`. */
  readonly figure?: string;
  readonly bytes: Bytes;
  readonly secrecy: Secrecy;
}

export interface TraceRow {
  readonly message: 'initiation' | 'response' | 'data';
  /** `e`, `es`, `{t}`, `mac1`. */
  readonly token: string;
  readonly spec: string;
  readonly values: readonly TraceValue[];
  /** The symmetric state after it; the nonce of its key is 0. */
  readonly state?: Snapshot;
  /** The keys of which one is missing: the row cannot be computed, and nothing after it. */
  readonly missing?: readonly string[];
  /** What was refused at this row. */
  readonly refused?: string;
}

export interface RowOptions {
  /** A pattern of plain Noise: any prologue, any payload. */
  readonly plain?: boolean;
}

const INITIATION = 'wp §5.4.2';
const RESPONSE = 'wp §5.4.3';
const KEYS = 'wp §5.4.5';
const MACS = 'wp §5.4.4';

/** By token: how the paper writes the DH, and the private keys that reach it. */
const DH: Readonly<Record<DhToken, readonly [symbol: string, either: string, or: string]>> = {
  es: ['DH(E_i^priv, S_r^pub)', 'E_i^priv', 'S_r^priv'],
  ss: ['DH(S_i^priv, S_r^pub)', 'S_i^priv', 'S_r^priv'],
  ee: ['DH(E_r^priv, E_i^pub)', 'E_i^priv', 'E_r^priv'],
  se: ['DH(E_r^priv, S_i^pub)', 'S_i^priv', 'E_r^priv'],
};

/** 4 zero bytes ‖ LE64(0): each handshake key seals one field (wp §5.4). */
const NONCE_ZERO = new Uint8Array(12);

const open = (symbol: string, bytes: Bytes, formula?: string, figure?: string): TraceValue =>
  value(symbol, bytes, 'public', formula, figure);

const hidden = (symbol: string, bytes: Bytes, formula?: string, figure?: string): TraceValue =>
  value(symbol, bytes, 'secret', formula, figure);

function value(symbol: string, bytes: Bytes, secrecy: Secrecy, formula?: string, figure?: string): TraceValue {
  return {
    symbol,
    ...(formula === undefined ? {} : { formula }),
    ...(figure === undefined ? {} : { figure }),
    bytes,
    secrecy,
  };
}

/** One row for each step. */
export function traceRows(steps: readonly TraceStep[], options: RowOptions = {}): TraceRow[] {
  return steps.map((step) => {
    const { message, state } = step;
    return { message, state, ...rowOf(step, options.plain === true) };
  });
}

type Told = Pick<TraceRow, 'token' | 'spec' | 'values' | 'missing' | 'refused'>;

function rowOf(step: TraceStep, plain: boolean): Told {
  const { state, message } = step;
  const first = message === 'initiation';
  const [c, h] = first ? ['C_i', 'H_i'] : ['C_r', 'H_r'];
  const spec = first ? INITIATION : RESPONSE;
  switch (step.kind) {
    case 'start': {
      const values = [
        open(c, state.chainingKey, 'Hash(Construction)', 'initial_chaining_key'),
        open(h, state.hash, `Hash(${c} ‖ ${plain ? 'prologue' : 'Identifier'})`, 'initial_hash'),
      ];
      return { token: 'start', spec, values };
    }
    case 'responder-static': {
      const hash = open(h, state.hash, `Hash(${h} ‖ S_r^pub)`, 'hash_after_responder_static');
      return { token: '← s', spec, values: [open('S_r^pub', step.responder), hash] };
    }
    case 'ephemeral': {
      const e = first ? 'E_i^pub' : 'E_r^pub';
      // up to here an initiation shows nothing that is not on the wire
      const chain = value(c, state.chainingKey, first ? 'public' : 'secret', `Kdf1(${c}, ${e})`, 'ck_after_e');
      const hash = open(h, state.hash, `Hash(${h} ‖ msg.ephemeral)`, 'hash_after_e');
      return { token: 'e', spec, values: [open(e, step.ephemeral), chain, hash] };
    }
    case 'dh':
      return dhRow(step, c, spec);
    case 'sealed':
      return sealedRow(step, h, spec, plain);
    case 'psk': {
      const values = [
        value('Q', step.psk, 'guessable'),
        hidden(c, state.chainingKey, `Kdf3(${c}, Q) 1st`, 'ck_after_psk'),
        hidden('τ', step.tau, `Kdf3(${c}, Q) 2nd`, 'tau'),
        ...(state.key === undefined ? [] : [hidden('κ', state.key, `Kdf3(${c}, Q) 3rd`, 'key_empty')]),
        open(h, state.hash, `Hash(${h} ‖ τ)`, 'hash_after_psk'),
      ];
      return { token: 'psk', spec, values };
    }
    case 'split': {
      const values = [
        hidden('T_i^send', step.initiatorToResponder, `Kdf2(${c}, ε) 1st`, 'transport_key_initiator_to_responder'),
        hidden('T_i^recv', step.responderToInitiator, `Kdf2(${c}, ε) 2nd`, 'transport_key_responder_to_initiator'),
      ];
      return { token: 'keys', spec: KEYS, values };
    }
    default:
      return step satisfies never;
  }
}

/** What the key that comes with a DH is for; a response seals nothing with its. */
const KEY_FIGURE: Readonly<Partial<Record<DhToken, string>>> = { es: 'key_static', ss: 'key_timestamp' };

function dhRow(step: Extract<TraceStep, { kind: 'dh' }>, c: string, spec: string): Told {
  const { token, shared, state } = step;
  const [symbol, either, or] = DH[token];
  if (shared === 'missing') return { token, spec, values: [], missing: [either, or] };
  const zero = 'all zero, as only a public key of low order makes it: refused (RFC 7748 §6.1)';
  if (shared === undefined) return { token, spec, values: [], refused: `${symbol} is ${zero}` };
  const kdf = KEY_FIGURE[token] === undefined ? 'Kdf1' : 'Kdf2';
  const order = kdf === 'Kdf1' ? '' : ' 1st';
  const values = [
    hidden(symbol, shared, undefined, `dh_${token}`),
    hidden(c, state.chainingKey, `${kdf}(${c}, DH)${order}`, `ck_after_${token}`),
  ];
  if (kdf === 'Kdf2' && state.key !== undefined)
    values.push(hidden('κ', state.key, `Kdf2(${c}, DH) 2nd`, KEY_FIGURE[token]));
  return { token, spec, values };
}

const UNOPENED = {
  initiation: 'it was made for another S_r, or altered',
  response: 'Q is not the one it was made with, or it was altered',
} as const;

function sealedRow(step: Extract<TraceStep, { kind: 'sealed' }>, h: string, spec: string, noise: boolean): Told {
  const { message, field, plain, sealed, state } = step;
  const first = message === 'initiation';
  const [token, what, symbol, figure, after] =
    field === 'static'
      ? ['s', 'static', 'S_i^pub', 'initiator_static_pub', 'hash_after_s']
      : first
        ? [
            noise ? '{payload}' : '{t}',
            noise ? 'payload' : 'timestamp',
            noise ? 'payload' : 'Timestamp()',
            'timestamp',
            'hash_after_t',
          ]
        : [noise ? '{payload}' : '{}', noise ? 'payload' : 'empty', noise ? 'payload' : 'ε', undefined, 'hash_final'];
  const nonce = open('n', NONCE_ZERO, '0^4 ‖ LE64(0)');
  const onWire = open(`msg.${what}`, sealed, `Aead(κ, n, ${symbol}, ${h})`);
  if (plain === undefined)
    return {
      token,
      spec,
      values: [nonce, onWire],
      refused: `msg.${what} does not open with this κ and ${h}: ${UNOPENED[message]}`,
    };
  const given = plain.length === 0 && symbol === 'ε' ? [] : [open(symbol, plain, undefined, figure)];
  return { token, spec, values: [...given, nonce, onWire, open(h, state.hash, `Hash(${h} ‖ msg.${what})`, after)] };
}

/** `bytes` is the whole message as its MACs cover it, `receiver` the key of who should read it. */
export function macRow(
  crypto: Crypto,
  message: 'initiation' | 'response',
  bytes: Bytes,
  receiver: PublicKey,
): TraceRow {
  const owner = message === 'initiation' ? 'S_r^pub' : 'S_i^pub';
  const key = mac1Key(crypto, receiver);
  const wanted = computeMac1(crypto, key, bytes);
  const onWire = bytes.subarray(bytes.length - 32, bytes.length - 16);
  const values = [
    open('mac1 key', key, `Hash(Label-Mac1 ‖ ${owner})`, 'mac1_key'),
    open('msg.mac1', wanted, 'Mac(mac1 key, msg_α)', 'mac1'),
  ];
  if (equal(wanted, onWire)) return { message, token: 'mac1', spec: MACS, values };
  const refused = `the message carries another MAC1: it was made for another key, or altered`;
  return { message, token: 'mac1', spec: MACS, values: [...values, open('on the wire', onWire)], refused };
}

/** Where two traces of one message part. */
export interface Difference {
  readonly row: number;
  readonly value: number;
}

/** Whether a line of the one is that of the other. */
export function sameValue(one: TraceValue | undefined, other: TraceValue | undefined): boolean {
  return one !== undefined && other !== undefined && one.symbol === other.symbol && equal(one.bytes, other.bytes);
}

/** The first line that differs, or that only one of them has; undefined when they are the same. */
export function firstDifference(one: readonly TraceRow[], other: readonly TraceRow[]): Difference | undefined {
  for (let row = 0; row < Math.max(one.length, other.length); row++) {
    const [a, b] = [one[row], other[row]];
    const count = Math.max(a?.values.length ?? 0, b?.values.length ?? 0);
    for (let at = 0; at < count; at++) if (!sameValue(a?.values[at], b?.values[at])) return { row, value: at };
    if (a?.refused !== b?.refused || a === undefined || b === undefined) return { row, value: 0 };
  }
  return undefined;
}
