/** JSON Schema (2020-12) of `wgwhy trace --json` and `wgwhy vectors`: complete and strict. A new field is a new version. */
import { DIALECT, natural, publicKey, text } from './schema.ts';

const hex = { type: 'string', pattern: '^([0-9a-f]{2})*$' } as const;
const hash = { type: 'string', pattern: '^[0-9a-f]{64}$' } as const;
/** Hexadecimal, or what stands for a secret. */
const shown = { type: 'string', pattern: '^(([0-9a-f]{2})*|#[0-9a-f]{8}|zero|empty)$' } as const;
/** 32 bytes in base64, as a configuration writes them. */
const base64Key = publicKey;

/** An object that may have these, and nothing else. */
function some<P extends Record<string, unknown>>(properties: P, required: readonly (keyof P)[] = []) {
  return { type: 'object', additionalProperties: false, required, properties } as const;
}

const each = <const T extends readonly string[], V>(names: T, value: V) =>
  Object.fromEntries(names.map((name) => [name, value]));

const INITIATION = [
  'hash_after_responder_static',
  'ck_after_e',
  'hash_after_e',
  'ck_after_es',
  'key_static',
  'initiator_static_pub',
  'hash_after_s',
  'ck_after_ss',
  'key_timestamp',
  'timestamp',
  'hash_after_t',
  'mac1_key',
  'mac1',
] as const;
const RESPONSE = [
  'ck_after_e',
  'hash_after_e',
  'ck_after_ee',
  'ck_after_se',
  'ck_after_psk',
  'tau',
  'key_empty',
  'hash_after_psk',
  'hash_final',
  'transport_key_initiator_to_responder',
  'transport_key_responder_to_initiator',
  'mac1_key',
  'mac1',
] as const;
const CONSTANTS = ['initial_chaining_key', 'initial_hash'] as const;
const DH = ['dh_es', 'dh_ss', 'dh_ee', 'dh_se'] as const;
const STATICS = [
  'initiator_static_public',
  'initiator_static_private',
  'responder_static_public',
  'responder_static_private',
  'initiator_ephemeral_private',
  'responder_ephemeral_private',
  'psk',
] as const;
const TRACED_KEYS = [...STATICS, 'initiator_ephemeral_public', 'responder_ephemeral_public'] as const;
const MADE_KEYS = [...STATICS, 'psk_other'] as const;

const oneCase = some(
  {
    id: text,
    at: { enum: ['initiator', 'responder'] },
    packet: hex,
    length: natural,
    expect: { enum: ['ACCEPT', 'RESP_EMPTY_AEAD'] },
  },
  ['id', 'at', 'packet', 'length'],
);
const cases = { type: 'array', items: oneCase } as const;

const place = {
  message: { enum: ['initiation', 'response', 'data'] },
  token: text,
} as const;
const end = { missing: { type: 'array', items: text }, refused: text } as const;
const nullable = (value: object) => ({ anyOf: [value, { type: 'null' }] }) as const;
const state = some({ ck: shown, h: hash, k: nullable(shown), n: nullable({ const: 0 }) }, ['ck', 'h', 'k', 'n']);
const value = some({ symbol: text, formula: text, value: shown }, ['symbol', 'value']);
const step = some({ ...place, spec: text, values: { type: 'array', items: value }, state, ...end }, [
  'message',
  'token',
  'spec',
  'values',
]);
const steps = { type: 'array', items: step } as const;

export const traceSchema = {
  $schema: DIALECT,
  $id: 'wgwhy/trace/1',
  title: 'The Noise transcript of one handshake, in the layout of test vectors',
  ...some(
    {
      schema: { const: 'wgwhy/trace/1' },
      source: text,
      note: text,
      secrets: { enum: ['shown', 'fingerprints'] },
      keys: some(each(TRACED_KEYS, hash)),
      keys_base64: some(each(TRACED_KEYS, base64Key)),
      initiator_index: natural,
      responder_index: natural,
      constants: some(each(CONSTANTS, hash)),
      dh: some(each(DH, shown)),
      /** Plain Noise has whole messages beside these: `message_0`. */
      trace_initiation: some(each([...INITIATION, 'message_0'], shown)),
      trace_response: some(each([...RESPONSE, 'message_1'], shown)),
      trace_data: {
        type: 'object',
        additionalProperties: false,
        patternProperties: { '^(plaintext|message_[0-9]+)$': shown },
      },
      cases,
      psk: text,
      steps,
      stopped: some({ ...place, ...end }, ['message', 'token']),
      other: some({ psk: text, steps }, ['psk', 'steps']),
      first_difference: nullable(some({ ...place, symbol: text }, ['message', 'token', 'symbol'])),
    },
    [
      'schema',
      'source',
      'note',
      'secrets',
      'keys',
      'keys_base64',
      'constants',
      'dh',
      'trace_initiation',
      'trace_response',
      'cases',
      'psk',
      'steps',
    ],
  ),
} as const;

const MADE_REQUIRED = {
  schema: { const: 'wgwhy/vectors/1' },
  source: text,
  note: text,
  seed: text,
  keys: some(each(MADE_KEYS, hash), MADE_KEYS),
  keys_base64: some(each(MADE_KEYS, base64Key), MADE_KEYS),
  initiator_index: natural,
  responder_index: natural,
  unix_time: natural,
  tai64n: { type: 'string', pattern: '^[0-9a-f]{24}$' },
  constants: some(each(CONSTANTS, hash), CONSTANTS),
  dh: some(each(DH, hash), DH),
  trace_initiation: some(each(INITIATION, hex), INITIATION),
  trace_response: some(each(RESPONSE, hex), RESPONSE),
  trace_response_psk_other: some(each(RESPONSE, hex), RESPONSE),
  trace_response_psk_missing_on_responder: some(each(RESPONSE, hex), RESPONSE),
  inner_ping: hex,
  cases,
} as const;

export const vectorsSchema = {
  $schema: DIALECT,
  $id: 'wgwhy/vectors/1',
  title: 'A fresh handshake with every intermediate value',
  ...some(MADE_REQUIRED, [
    'schema',
    'source',
    'note',
    'seed',
    'keys',
    'keys_base64',
    'initiator_index',
    'responder_index',
    'unix_time',
    'tai64n',
    'constants',
    'dh',
    'trace_initiation',
    'trace_response',
    'trace_response_psk_other',
    'trace_response_psk_missing_on_responder',
    'inner_ping',
    'cases',
  ]),
} as const;
