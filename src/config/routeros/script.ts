/** Statements to entries: which menu, which command, on what, with which settings. */
import type { Line, Located, ProblemList } from '../text.ts';
import { type RosField, rosField } from './fields.ts';
import { type RosPart, type RosStatement, rosStatements } from './tokens.ts';

/** What `set`, `remove`, `enable` and the like act on. */
export type RosTarget =
  /** `[find a=b]`; `exact` when every condition is an equality that can be checked here. */
  | { readonly kind: 'find'; readonly conditions: readonly RosField[]; readonly exact: boolean }
  /** Numbers or names. */
  | { readonly kind: 'items'; readonly items: readonly string[] };

export interface RosEntry {
  /** `ip firewall filter`, without slashes. */
  readonly path: string;
  /** `add`, `set`, `remove`, `enable`, `disable`, `move`, … */
  readonly action: string;
  readonly line: number;
  readonly fields: readonly RosField[];
  readonly target?: RosTarget;
  readonly remark?: Located<string>;
}

export interface RosScript {
  readonly entries: readonly RosEntry[];
  /** Statements of the scripting language, which are not followed. */
  readonly codeLines: readonly number[];
}

const COMMANDS = new Set([
  'add',
  'set',
  'remove',
  'unset',
  'enable',
  'disable',
  'move',
  'print',
  'export',
  'edit',
  'find',
  'get',
  'monitor',
  'reset',
  'reset-counters',
  'reset-counters-all',
]);

/** Settings of one item; no menu has a tenth of them. */
export const MOST_FIELDS = 500;
/** `/interface wireless security-profiles` and the like have three or four words. */
const DEEPEST_MENU = 12;

function namedItems(words: readonly string[]): RosTarget {
  return { kind: 'items', items: words.flatMap((word) => word.split(',')).filter((item) => item !== '') };
}

/** `[find name=x]`, `[ find where a=b and c=d ]`. */
function findTarget(parts: readonly RosPart[]): RosTarget {
  const conditions: RosField[] = [];
  let exact = true;
  for (const part of parts) {
    if (part.kind === 'field') {
      conditions.push(part.field);
      exact &&= part.field.kind === 'text';
    } else if (part.kind !== 'word' || !/^(find|where|and|&&)$|\/find$/.test(part.value)) exact = false;
  }
  return { kind: 'find', conditions, exact };
}

/** Follows the menu from statement to statement; used for one text and thrown away. */
class EntryReader {
  readonly entries: RosEntry[] = [];
  readonly codeLines: number[] = [];
  readonly #problems: ProblemList;
  #menu: readonly string[] = [];
  /** The menu of the last command: meant by a command that stands in no menu. */
  #last: readonly string[] = [];

  constructor(problems: ProblemList) {
    this.#problems = problems;
  }

  statement({ line, parts, remark }: RosStatement): void {
    const [head] = parts;
    if (head?.kind !== 'word' || head.value.startsWith(':')) {
      this.codeLines.push(line);
      return;
    }
    let base = head.value.startsWith('/') ? [] : [...this.#menu];
    let at = 0;
    let action: string | undefined;
    for (; action === undefined; at++) {
      const part = parts[at];
      if (part?.kind !== 'word') break;
      for (const step of part.value.split('/')) {
        if (step === '') continue;
        if (COMMANDS.has(step)) action = step;
        else if (step === '..') base.pop();
        else base.push(step);
      }
      // lines of something else would lead deeper and deeper
      if (base.length > DEEPEST_MENU) {
        this.codeLines.push(line);
        return;
      }
    }
    if (action === undefined) {
      // `/tool sniffer quick port=51820` and the like are commands of other kinds.
      if (at === parts.length) this.#menu = base;
      return;
    }
    if (base.length === 0 && action !== 'export') {
      this.#problems.add(
        { line, column: head.column },
        'this command stands in no menu',
        'the line that names the menu, such as /interface wireguard peers, is missing above it',
      );
      base = [...this.#last];
    }
    this.#last = base;
    this.#entry(base.join(' '), action, line, parts.slice(at), remark);
  }

  #entry(
    path: string,
    action: string,
    line: number,
    parts: readonly RosPart[],
    remark: Located<string> | undefined,
  ): void {
    const fields: RosField[] = [];
    let target: RosTarget | undefined;
    const named: string[] = [];
    for (const part of parts) {
      if (part.kind === 'brackets') target ??= findTarget(part.parts);
      else if (part.kind === 'code') target ??= { kind: 'find', conditions: [], exact: false };
      else if (part.kind === 'word') {
        // `!keepalive-timeout` unsets; `blackhole` alone is a flag; what a change names first is what it changes.
        if (part.value.startsWith('!')) continue;
        if (action !== 'add' && fields.length === 0) named.push(part.value);
        else if (fields.length < MOST_FIELDS && /^[a-z][a-z0-9-]{0,30}$/.test(part.value))
          fields.push(rosField(part.value, 'yes', part));
      } else if (part.field.name === 'numbers' && action !== 'add') {
        target ??=
          part.field.kind === 'text' ? namedItems([part.field.value]) : { kind: 'find', conditions: [], exact: false };
      } else if (fields.length < MOST_FIELDS) fields.push(part.field);
    }
    if (named.length > 0) target ??= namedItems(named);
    this.entries.push({
      path,
      action,
      line,
      fields,
      ...(target === undefined ? {} : { target }),
      ...(remark === undefined ? {} : { remark }),
    });
  }
}

/** Never throws. */
export function rosScript(lines: readonly Line[]): { readonly script: RosScript; readonly problems: ProblemList } {
  const { statements, problems } = rosStatements(lines);
  const reader = new EntryReader(problems);
  for (const statement of statements) reader.statement(statement);
  const [code] = reader.codeLines;
  if (code !== undefined) {
    problems.add(
      { line: code, column: 1 },
      'script commands are not followed',
      'what they set is missing here; the /export of the router shows it',
    );
  }
  return { script: { entries: reader.entries, codeLines: reader.codeLines }, problems };
}
