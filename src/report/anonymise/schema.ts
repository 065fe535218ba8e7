/** JSON Schema (2020-12) of what `wgwhy anonymise --json` says: complete and strict. A new field is a new version. */
import { DIALECT, list, natural, oneOf, problem, record, text } from '../schema.ts';
import type { Anonymised } from './anonymise.ts';

export const ANONYMISED = 'wgwhy/anonymised/1';

const difference = record({
  rule: text,
  severity: oneOf('error', 'warning', 'info'),
  certainty: oneOf('proven', 'deduced', 'suspected'),
  frames: list({ type: 'string', pattern: '^.+:[1-9][0-9]*$' }),
});

export const anonymisedSchema = {
  $schema: DIALECT,
  $id: ANONYMISED,
  title: 'What was written anew, and which findings are lost by it',
  ...record({
    schema: { const: ANONYMISED },
    folder: text,
    files: list(
      record(
        { from: text, name: text, kind: oneOf('capture', 'wg-conf', 'key-log', 'traffic-keys', 'public-key') },
        { frames: natural, emptied: natural, leftOut: list({ type: 'integer', minimum: 1 }) },
      ),
    ),
    withheld: list(record({ name: text, kind: text })),
    initiations: record({ remade: natural, closed: natural }),
    resealed: natural,
    findings: record({ same: natural, lost: list(difference), added: list(difference) }),
    problems: list(problem),
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
