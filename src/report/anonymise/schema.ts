/** JSON Schema (2020-12) of what `wgwhy anonymise --json` says: complete and strict. A new field is a new version. */
import type { Anonymised } from './anonymise.ts';

export const ANONYMISED = 'wgwhy/anonymised/1';

const text = { type: 'string' } as const;
const natural = { type: 'integer', minimum: 0 } as const;
const list = <T>(items: T) => ({ type: 'array', items }) as const;

function record(required: Record<string, unknown>, optional: Record<string, unknown> = {}) {
  return {
    type: 'object',
    additionalProperties: false,
    required: Object.keys(required),
    properties: { ...required, ...optional },
  } as const;
}

const difference = record({
  rule: text,
  severity: { enum: ['error', 'warning', 'info'] },
  certainty: { enum: ['proven', 'deduced', 'suspected'] },
  frames: list({ type: 'string', pattern: '^.+:[1-9][0-9]*$' }),
});

export const anonymisedSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  $id: ANONYMISED,
  title: 'What was written anew, and which findings are lost by it',
  ...record({
    schema: { const: ANONYMISED },
    folder: text,
    files: list(
      record(
        { from: text, name: text, kind: { enum: ['capture', 'wg-conf', 'key-log', 'traffic-keys', 'public-key'] } },
        { frames: natural, emptied: natural, leftOut: list({ type: 'integer', minimum: 1 }) },
      ),
    ),
    withheld: list(record({ name: text, kind: text })),
    initiations: record({ remade: natural, closed: natural }),
    resealed: natural,
    findings: record({ same: natural, lost: list(difference), added: list(difference) }),
    problems: list(
      record({ input: text, message: text }, { line: natural, column: natural, offset: natural, hint: text }),
    ),
  }),
} as const;

export function anonymisedJson(folder: string, done: Anonymised): string {
  const { files, withheld, remade, closed, resealed, same, lost, added, problems } = done;
  const value = {
    schema: ANONYMISED,
    folder,
    files,
    withheld,
    initiations: { remade, closed },
    resealed,
    findings: { same, lost, added },
    problems,
  };
  return `${JSON.stringify(value, undefined, 2)}\n`;
}
