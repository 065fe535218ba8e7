/** A RouterOS setting in its place, and the rows that exports and print tables have in common. */
import { holdsSecret, type SecretText, secretText } from '../secret-text.ts';
import type { Located } from '../text.ts';

/** `name=value`. `column` is that of the value's first character, inside quotation marks. */
export type RosField =
  | ({ readonly kind: 'text'; readonly name: string } & Located<string>)
  | {
      readonly kind: 'secret';
      readonly name: string;
      readonly text: SecretText;
      readonly line: number;
      readonly column: number;
    }
  /** `[…]`, `(…)`, `{…}`, `$name`, or a comparison other than `=`: only the router knows what it stands for. */
  | { readonly kind: 'computed'; readonly name: string; readonly line: number; readonly column: number };

export interface Place {
  readonly line: number;
  readonly column: number;
}

export function rosField(name: string, value: string, place: Place): RosField {
  const at = { name, line: place.line, column: place.column };
  return holdsSecret(name, value) ? { kind: 'secret', ...at, text: secretText(value) } : { kind: 'text', ...at, value };
}

/** One item of a menu: an `add` of an export with what was set later, or one item of a print. */
export interface RosRow {
  /** Its first line. */
  readonly line: number;
  /** As `print` counts, from 0. */
  readonly number: number;
  /** Letters of a print's first column: X disabled, I invalid, D dynamic, R running; an export has none. */
  readonly flags?: string;
  /** In the order written. */
  readonly fields: readonly RosField[];
  /** A comment line right above, where RouterOS notes what is wrong with an item: `# pppoe-out1 not ready`. */
  readonly remark?: Located<string>;
}

/** The last of that name, as RouterOS takes it. */
export function findField(fields: readonly RosField[], name: string): RosField | undefined {
  return fields.findLast((field) => field.name === name);
}
