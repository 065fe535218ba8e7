/** JSON Schema (2020-12) of the report and of the events: complete and strict. A new field is a new version. */

export const DIALECT = 'https://json-schema.org/draft/2020-12/schema';

export const text = { type: 'string' } as const;
export const natural = { type: 'integer', minimum: 0 } as const;
export const texts = { type: 'array', items: text } as const;
const wholeNumber = { type: 'string', pattern: '^-?[0-9]+$' } as const;
export const index = { type: 'string', pattern: '^0x[0-9a-f]{8}$' } as const;
export const publicKey = { type: 'string', pattern: '^[A-Za-z0-9+/]{43}=$' } as const;
/** RFC 3339 with nanoseconds in UTC; `@seconds.nanoseconds` outside the years 1 to 9999; empty where there is none. */
const time = {
  type: 'string',
  pattern: '^([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{9}Z|@-?[0-9]+\\.[0-9]{9})?$',
} as const;
const counters = { type: 'object', additionalProperties: natural } as const;

/** An object that has all of `required`, may have `optional`, and nothing else. */
export function record<R extends Record<string, unknown>, O extends Record<string, unknown> = Record<never, never>>(
  required: R,
  optional?: O,
) {
  return {
    type: 'object',
    additionalProperties: false,
    required: Object.keys(required),
    properties: { ...required, ...optional },
  } as const;
}

export const list = <T>(items: T) => ({ type: 'array', items }) as const;
export const oneOf = <const T extends readonly string[]>(...values: T) => ({ enum: values }) as const;
const reference = (name: string) => ({ $ref: `#/$defs/${name}` }) as const;

export const frameRef = record({ input: text, frame: { type: 'integer', minimum: 1 }, time });
const fact = { anyOf: [{ type: ['string', 'number', 'boolean', 'null'] }, texts] } as const;
/** A place where an input cannot be used, or a remark about one that can. */
export const problemFields = [
  { input: text, message: text },
  { line: natural, column: natural, offset: natural, hint: text, remark: { const: true } },
] as const;
export const problem = record(...problemFields);
const verdict = oneOf('accepted', 'refused', 'undecided');

const edit = record(
  { input: text, line: { type: 'integer', minimum: 1 }, kind: oneOf('replace', 'insert-after', 'delete') },
  { text },
);
const finding = record(
  {
    rule: { type: 'string', pattern: '^[a-z0-9]+(-[a-z0-9]+)*$' },
    severity: oneOf('error', 'warning', 'info'),
    certainty: oneOf('proven', 'deduced', 'suspected'),
    subject: text,
    frames: list(reference('frameRef')),
    facts: { type: 'object', additionalProperties: fact },
    ruledOut: list(record({ rule: text, because: text, frames: list(reference('frameRef')) })),
    missing: list(record({ key: text, wouldSettle: text })),
    message: text,
    notes: texts,
    fix: record({}, { linux: texts, routeros: texts }),
  },
  { edits: list(edit) },
);

export const INPUT_KINDS = [
  'capture',
  'wg-conf',
  'key-log',
  'traffic-keys',
  'public-key',
  'wg-show',
  'routeros',
  'log',
  'host',
  'pasted',
] as const;

const input = record(
  { id: text, name: text, kind: oneOf(...INPUT_KINDS) },
  {
    label: text,
    format: text,
    sha256: { type: 'string', pattern: '^[0-9a-f]{64}$' },
    frames: natural,
    from: time,
    to: time,
    vantage: oneOf('initiator', 'responder', 'between', 'unknown'),
  },
);

const nullableWhole = { anyOf: [wholeNumber, { type: 'null' }] } as const;
const clockOffset = record({
  from: text,
  to: text,
  offsetNs: nullableWhole,
  boundNs: { type: 'array', prefixItems: [nullableWhole, nullableWhole], minItems: 2, items: false },
  matched: natural,
});

const step = record(
  {
    frame: reference('frameRef'),
    from: text,
    to: text,
    label: text,
    verdict: oneOf('accepted', 'refused', 'undecided', 'none'),
  },
  { note: text, said: list(record({ input: text, line: natural, speaker: text, text })) },
);

const otherwise = record({ kind: text, count: natural, frames: list(reference('frameRef')), linux: text, other: text });

const handshake = record(
  {
    frame: reference('frameRef'),
    id: index,
    from: text,
    to: text,
    occasion: oneOf(
      'first',
      'retry',
      'rekey-on-send',
      'rekey-on-receive',
      'silence',
      'crossing',
      'expired',
      'anew',
      'early',
      'unknown',
    ),
    attempt: { type: 'integer', minimum: 1 },
    outcome: oneOf('confirmed', 'answered', 'unanswered'),
  },
  { afterMs: natural, note: text },
);

export const reportSchema = {
  $schema: DIALECT,
  $id: 'wgwhy/report/1',
  title: 'What wgwhy found in captures and configurations',
  $defs: { frameRef, finding },
  ...record(
    {
      schema: { const: 'wgwhy/report/1' },
      tool: text,
      policy: oneOf('linux', 'wireguard-go', 'boringtun', 'gotatun'),
      inputs: list(input),
      clockOffsets: list(clockOffset),
      findings: list(reference('finding')),
      hidden: list(record({ rule: text, by: text, subject: text })),
      problems: list(problem),
      sequence: list(step),
      counts: record({
        frames: natural,
        datagrams: natural,
        skipped: counters,
        messages: counters,
        verdicts: counters,
      }),
    },
    { partly: { const: true }, handshakes: list(handshake), whatIf: list(otherwise) },
  ),
} as const;

const event = <
  N extends string,
  R extends Record<string, unknown>,
  O extends Record<string, unknown> = Record<never, never>,
>(
  name: N,
  required: R,
  optional?: O,
) => record({ schema: { const: 'wgwhy/event/1' }, event: { const: name }, ...required }, optional);

const at = reference('frameRef');
const port = { type: 'integer', minimum: 0, maximum: 65535 } as const;
const innerEnds = record(
  { from: text, to: text, protocol: { type: 'integer', minimum: 0, maximum: 255 } },
  { fromPort: port, toPort: port },
);

export const eventSchema = {
  $schema: DIALECT,
  $id: 'wgwhy/event/1',
  title: 'One line of the event stream of wgwhy',
  $defs: { frameRef, finding },
  oneOf: [
    event('frame-skipped', { at, reason: text, detail: text }),
    event(
      'message',
      { at, message: oneOf('initiation', 'response', 'cookie-reply', 'data'), from: text, to: text, length: natural },
      {
        sender: index,
        receiver: index,
        counter: { type: 'string', pattern: '^[0-9]{1,20}$' },
        mac1Owner: { anyOf: [publicKey, { type: 'null' }] },
        initiator: publicKey,
        tai64n: text,
        handshakeOk: { type: 'boolean' },
        opensWith: text,
        innerLength: natural,
        inner: innerEnds,
        verdict,
        drop: text,
        missing: texts,
      },
    ),
    event('session', {
      at,
      initiator: text,
      responder: text,
      indices: { type: 'string', pattern: '^0x[0-9a-f]{8}/0x[0-9a-f]{8}$' },
      state: oneOf('established', 'ended'),
    }),
    event('timeline', {
      input: text,
      shard: { type: 'string', pattern: '^[1-9][0-9]*/[1-9][0-9]*$' },
      tool: text,
      keys: { type: 'string', pattern: '^[0-9a-f]{16}$' },
      first: natural,
      total: { type: 'integer', minimum: 1 },
      pieces: { type: 'array', minItems: 1, items: { anyOf: [{ type: 'object' }, { type: 'array', minItems: 1 }] } },
      check: index,
    }),
    event('finding-opened', { id: text, finding: reference('finding') }, { at }),
    event('finding-superseded', { id: text, by: text, finding: reference('finding') }, { at }),
    event('finding-closed', { id: text, finding: reference('finding') }, { at }),
  ],
} as const;
