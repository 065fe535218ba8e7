/** RouterOS script text to statements: continuation lines, quoted strings with escapes, brackets, comments. */
import { mayHoldKey } from '../secret-text.ts';
import { type Line, type Located, ProblemList } from '../text.ts';
import { type Place, type RosField, rosField } from './fields.ts';

export type RosPart =
  | ({ readonly kind: 'word' } & Located<string>)
  | { readonly kind: 'field'; readonly field: RosField }
  /** `[find …]`: the parts between the brackets. */
  | { readonly kind: 'brackets'; readonly parts: readonly RosPart[]; readonly line: number; readonly column: number }
  /** `{…}`, `(…)`, `$name`, or brackets within brackets: its text is not kept. */
  | { readonly kind: 'code'; readonly line: number; readonly column: number };

export interface RosStatement {
  readonly line: number;
  readonly parts: readonly RosPart[];
  /** The comment line right above. */
  readonly remark?: Located<string>;
}

const NAME = /[A-Za-z0-9!.][A-Za-z0-9._-]*/y;
const SPACE = /[ \t]/;
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', _: ' ', a: '', b: '', f: '', v: '' };
const CLOSING: Readonly<Record<string, string>> = { '{': '}', '(': ')', '[': ']' };
const CURLY_QUOTES = /[\u201c-\u201f]/;
const LONGEST_REMARK = 200;

/** Walks over the characters of some lines; used for one text and thrown away. */
class ScriptReader {
  readonly problems = new ProblemList();
  readonly #lines: readonly Line[];
  #index = 0;
  #at = 0;

  constructor(lines: readonly Line[]) {
    this.#lines = lines;
  }

  /** A line end is `\n`, the end of the text is empty. */
  #peek(): string {
    const line = this.#lines[this.#index];
    return line === undefined ? '' : (line.text[this.#at] ?? '\n');
  }

  #next(): void {
    const line = this.#lines[this.#index];
    if (line === undefined) return;
    if (this.#at < line.text.length) this.#at++;
    else {
      this.#index++;
      this.#at = 0;
    }
  }

  #place(): Place {
    const line = this.#lines[this.#index] ?? this.#lines.at(-1);
    return { line: line?.number ?? 1, column: this.#at + 1 };
  }

  /** At a `\` that ends its line: goes to the first text of the next one. */
  #continued(): boolean {
    const text = this.#lines[this.#index]?.text ?? '';
    if (text[this.#at] !== '\\' || text.slice(this.#at + 1).trim() !== '') return false;
    if (this.#index + 1 >= this.#lines.length) return false;
    this.#index++;
    this.#at = 0;
    this.#indentation();
    return true;
  }

  #indentation(): void {
    while (SPACE.test(this.#peek())) this.#next();
  }

  #spaces(): void {
    for (;;) {
      this.#indentation();
      if (!this.#continued()) return;
    }
  }

  *statements(): Generator<RosStatement> {
    let remark: (Located<string> & { readonly index: number }) | undefined;
    for (;;) {
      this.#spaces();
      const c = this.#peek();
      if (c === '') return;
      if (c === '\n' || c === ';') {
        this.#next();
        continue;
      }
      const place = this.#place();
      const index = this.#index;
      if (c === '#') {
        const text = (this.#lines[index]?.text.slice(this.#at + 1) ?? '').trim();
        const kept = text !== '' && text.length <= LONGEST_REMARK && !mayHoldKey(text);
        remark = kept ? { value: text, ...place, index } : undefined;
        this.#index++;
        this.#at = 0;
        continue;
      }
      const parts = this.#parts(undefined, place);
      const above = remark !== undefined && remark.index === index - 1 ? remark : undefined;
      remark = undefined;
      if (parts.length === 0) continue;
      yield above === undefined
        ? { line: place.line, parts }
        : { line: place.line, parts, remark: { value: above.value, line: above.line, column: above.column } };
    }
  }

  /** Up to the end of the statement, or to the bracket that ends it. */
  #parts(until: ']' | undefined, opened: Place): RosPart[] {
    const parts: RosPart[] = [];
    for (;;) {
      this.#spaces();
      const c = this.#peek();
      if (c === until) {
        this.#next();
        return parts;
      }
      if (c === '' || c === '\n' || (c === ';' && until === undefined)) {
        if (until !== undefined)
          this.problems.add(opened, 'this bracket is not closed on its line', 'was part of the command left out');
        return parts;
      }
      parts.push(this.#part(until !== undefined));
    }
  }

  #part(inside: boolean): RosPart {
    const place = this.#place();
    const c = this.#peek();
    if (c === '"' || CURLY_QUOTES.test(c)) {
      const { text, line, column } = this.#quoted();
      return { kind: 'word', value: text, line, column };
    }
    if (c === '[' && !inside) {
      this.#next();
      return { kind: 'brackets', parts: this.#parts(']', place), ...place };
    }
    if (c in CLOSING || c === '$') {
      this.#code();
      return { kind: 'code', ...place };
    }
    NAME.lastIndex = this.#at;
    const name = NAME.exec(this.#lines[this.#index]?.text ?? '')?.[0] ?? '';
    const after = (this.#lines[this.#index]?.text ?? '').slice(this.#at + name.length, this.#at + name.length + 2);
    if (name !== '' && after.startsWith('=')) {
      this.#at += name.length + 1;
      return { kind: 'field', field: this.#value(name) };
    }
    if (name !== '' && inside && /^(~|!=|<|>)/.test(after)) {
      this.#at += name.length + (after === '!=' ? 2 : 1);
      this.#value(name);
      return { kind: 'field', field: { kind: 'computed', name, ...place } };
    }
    return { kind: 'word', value: this.#bare(inside), ...place };
  }

  #value(name: string): RosField {
    // The export breaks a line between the sign and the value.
    while (this.#continued());
    const c = this.#peek();
    if (c === '"' || CURLY_QUOTES.test(c)) {
      const { text, line, column } = this.#quoted();
      return rosField(name, text, { line, column });
    }
    const place = this.#place();
    if (c in CLOSING || c === '$') {
      this.#code();
      return { kind: 'computed', name, ...place };
    }
    return rosField(name, this.#bare(true), place);
  }

  /** Up to white space, `;`, or a `]` when that may end it. A line may be broken in the middle. */
  #bare(mayClose: boolean): string {
    let out = '';
    for (;;) {
      const c = this.#peek();
      if (c === '\\' && this.#continued()) continue;
      if (c === '' || c === '\n' || c === ';' || SPACE.test(c) || (c === ']' && mayClose)) break;
      out += c;
      this.#next();
    }
    if (out !== '') return out;
    // A character that ends a word stands where one should begin: pass over it, or it is met for ever.
    const c = this.#peek();
    if (c === ';' || c === ']') this.#next();
    return c;
  }

  #quoted(): { readonly text: string; readonly line: number; readonly column: number } {
    const opened = this.#place();
    const curly = CURLY_QUOTES.test(this.#peek());
    if (curly) {
      this.problems.add(
        opened,
        'the quotation marks are curly ones, which RouterOS does not know',
        'write straight ones; web pages and word processors change them',
      );
    }
    this.#next();
    const { line, column } = this.#place();
    let text = '';
    for (;;) {
      const c = this.#peek();
      if (c === '\\') {
        if (this.#continued()) continue;
        this.#next();
        text += this.#escape();
      } else if (c === '' || c === '\n') {
        this.problems.add(opened, 'this quotation mark is not closed on its line', 'was part of the command left out');
        return { text, line, column };
      } else if (c === '"' || (curly && CURLY_QUOTES.test(c))) {
        this.#next();
        return { text, line, column };
      } else {
        text += c;
        this.#next();
      }
    }
  }

  /** After the backslash: `\"`, `\n`, `\_`, or two hexadecimal digits. */
  #escape(): string {
    const text = this.#lines[this.#index]?.text ?? '';
    const code = /^[0-9A-F]{2}/.exec(text.slice(this.#at, this.#at + 2))?.[0];
    if (code !== undefined) {
      this.#at += 2;
      return String.fromCharCode(Number.parseInt(code, 16));
    }
    const c = this.#peek();
    if (c === '\n' || c === '') return '';
    this.#next();
    return ESCAPES[c] ?? c;
  }

  /** Passes over `$name` and over what stands in brackets of any kind, lines included. */
  #code(): void {
    const opened = this.#place();
    if (this.#peek() === '$') {
      this.#bare(true);
      return;
    }
    const open: string[] = [];
    for (;;) {
      const c = this.#peek();
      const closing = CLOSING[c];
      if (c === '') {
        this.problems.add(opened, 'this bracket is never closed', 'was part of the script left out');
        return;
      }
      if (c === '"') {
        this.#quoted();
        continue;
      }
      if (closing !== undefined) open.push(closing);
      else if (c === open.at(-1)) open.pop();
      this.#next();
      if (open.length === 0) return;
    }
  }
}

/** Never throws. Strings that a script puts together, and the insides of code, are not kept. */
export function rosStatements(lines: readonly Line[]): {
  readonly statements: readonly RosStatement[];
  readonly problems: ProblemList;
} {
  const reader = new ScriptReader(lines);
  return { statements: [...reader.statements()], problems: reader.problems };
}
