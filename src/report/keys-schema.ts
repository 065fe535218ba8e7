/** JSON Schema (2020-12) of what `wgwhy keys --json` prints: complete and strict. A new field is a new version. */
import {
  DIALECT,
  INPUT_KINDS,
  index,
  list,
  natural,
  oneOf,
  problem,
  publicKey,
  record,
  text,
  texts,
} from './schema.ts';

const frame = { type: 'integer', minimum: 1 } as const;
const orNull = <T extends Record<string, unknown>>(schema: T) => ({ anyOf: [schema, { type: 'null' }] }) as const;
const state = oneOf('opens', 'closed', 'absent');
const data = record({ messages: natural, opened: natural, cut: natural });

const entry = record(
  {
    kind: oneOf('private', 'public', 'preshared', 'ephemeral', 'traffic'),
    publicKey: orNull(publicKey),
    index: orNull(index),
    where: texts,
    psks: texts,
    opens: record({ madeFor: natural, initiations: natural, responses: natural, data: natural }),
  },
  { secret: publicKey },
);

const handshake = record({
  indices: { type: 'array', prefixItems: [index, orNull(index)], minItems: 2, maxItems: 2, items: false },
  initiator: text,
  responder: text,
  frames: record({ initiation: orNull(frame), response: orNull(frame) }),
  initiation: state,
  response: state,
  psk: orNull(text),
  data,
  missing: orNull(record({ key: text }, { because: text })),
});

export const keysSchema = {
  $schema: DIALECT,
  $id: 'wgwhy/keys/1',
  title: 'Which keys wgwhy knows, what they open and what is missing',
  ...record({
    schema: { const: 'wgwhy/keys/1' },
    tool: text,
    inputs: list(
      record({
        id: text,
        name: text,
        kind: oneOf(...INPUT_KINDS),
      }),
    ),
    keys: list(entry),
    captures: list(
      record({
        input: text,
        handshakes: list(handshake),
        orphans: list(record({ index, from: text, to: text, frame, data })),
        data,
      }),
    ),
    missing: list(
      record(
        { key: text, handshakes: natural, data: natural, at: list(record({ input: text, frame })) },
        { because: text },
      ),
    ),
    problems: list(problem),
  }),
} as const;
