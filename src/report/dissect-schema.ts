/** JSON Schema (2020-12) of what `dissect` tells: one item, complete and strict. */
import { DISSECT_SCHEMA } from './dissect-model.ts';
import { DIALECT, frameRef, list, natural, oneOf, problemFields, record, text } from './schema.ts';

const hex = { type: 'string', pattern: '^([0-9a-f]{2})*$' } as const;
const kinds = oneOf('initiation', 'response', 'cookie-reply', 'data');
const field = { $ref: '#/$defs/field' } as const;
const value = { anyOf: [{ type: ['string', 'number', 'boolean', 'null'] }, list(text)] } as const;

const carrier = record(
  {
    path: list(text),
    ttl: natural,
    tos: natural,
    ipId: natural,
    dontFragment: { type: 'boolean' },
    fragments: natural,
    ipLength: natural,
    checksum: oneOf('ok', 'bad', 'absent', 'unverifiable'),
    datagramLength: natural,
    messageAt: natural,
  },
  { direction: oneOf('in', 'out'), frameAt: natural },
);

const place = {
  at: frameRef,
  from: text,
  to: text,
  length: natural,
  captured: natural,
  carrier,
  summary: text,
} as const;
const further = { sinceStart: { type: 'string', pattern: '^-?[0-9]+\\.[0-9]{9}$' }, fields: list(field) } as const;

const item = <
  K extends string,
  R extends Record<string, unknown>,
  O extends Record<string, unknown> = Record<never, never>,
>(
  kind: K,
  required: R,
  optional?: O,
) => record({ schema: { const: DISSECT_SCHEMA }, kind: { const: kind }, ...required }, optional);

export const dissectSchema = {
  $schema: DIALECT,
  $id: DISSECT_SCHEMA,
  title: 'One line of what wgwhy dissect tells',
  $defs: {
    field: record(
      { name: text },
      { at: natural, length: natural, bytes: hex, wire: hex, value, meaning: text, fields: list(field) },
    ),
  },
  oneOf: [
    item('capture', {
      input: text,
      name: text,
      format: oneOf('pcap', 'pcap-ns', 'pcap-modified', 'pcapng'),
      gzip: { type: 'boolean' },
    }),
    item('message', { ...place, message: kinds }, { ...further, variant: text }),
    item('malformed', { ...place, message: kinds }, further),
    item('unread', { ...place, variant: text }, further),
    item(
      'damage',
      {
        input: text,
        damage: oneOf(
          'truncated-header',
          'truncated-record',
          'bad-record',
          'bad-block',
          'gzip-truncated',
          'gzip-damaged',
        ),
        message: text,
        offset: natural,
        framesBefore: natural,
      },
      { resumedAt: natural },
    ),
    item('problem', ...problemFields),
    item('end', {
      input: text,
      frames: natural,
      found: natural,
      shown: natural,
      skipped: { type: 'object', additionalProperties: natural },
    }),
  ],
} as const;
