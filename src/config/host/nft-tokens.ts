/** `nft list ruleset` to words: strings, braces, line ends; comments and handles taken off. */
import type { Line } from '../text.ts';

export interface NftToken {
  /** A string has no quotation marks any more. */
  readonly text: string;
  readonly line: number;
  readonly quoted: boolean;
}

/** nft knows no escapes in strings. */
const TOKEN = /"([^"]*)"|([{},;])|([^\s{},;"]+)/g;

/** Handles (`# handle 7`) and comments begin with `#`, outside of strings. */
function withoutComment(text: string): string {
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '"') quoted = !quoted;
    else if (text[i] === '#' && !quoted) return text.slice(0, i);
  }
  return text;
}

/** A line's end is `;` like the one that is written. */
export function nftTokens(lines: readonly Line[]): readonly NftToken[] {
  const out: NftToken[] = [];
  for (const { number, text } of lines) {
    for (const [, string, mark, word] of withoutComment(text).matchAll(TOKEN)) {
      out.push({ text: string ?? mark ?? word ?? '', line: number, quoted: string !== undefined });
    }
    out.push({ text: ';', line: number, quoted: false });
  }
  return out;
}

/** Words of a rule that are quoted. */
const LONGEST_QUOTED = 100;

/** Walks over tokens; used for one text and thrown away. */
export class NftCursor {
  readonly #tokens: readonly NftToken[];
  #at = 0;

  constructor(tokens: readonly NftToken[]) {
    this.#tokens = tokens;
  }

  /** The text of the token there; a quoted one is no brace and no word of the language. */
  peek(ahead = 0): string {
    const token = this.#tokens[this.#at + ahead];
    return token === undefined ? '' : token.quoted ? `"${token.text}` : token.text;
  }

  /** What a quoted or bare token says. */
  value(ahead = 0): string {
    return this.#tokens[this.#at + ahead]?.text ?? '';
  }

  next(): string {
    const { text } = this.#tokens[this.#at] ?? { text: '' };
    this.#at++;
    return text;
  }

  /** Over what stands in braces, from the opening one on. */
  skipBlock(): void {
    let depth = 0;
    while (!this.ended) {
      const token = this.peek();
      this.#at++;
      if (token === '{') depth++;
      else if (token === '}' && --depth <= 0) return;
    }
  }

  /** Where it stands, for `since`. */
  get at(): number {
    return this.#at;
  }

  /** The words from there to here, quotation marks and all. */
  since(start: number): string {
    const words = this.#tokens.slice(start, Math.min(this.#at, start + LONGEST_QUOTED));
    return words.map(({ text, quoted }) => (quoted ? `"${text}"` : text)).join(' ');
  }

  get ended(): boolean {
    return this.#at >= this.#tokens.length;
  }

  get line(): number {
    return (this.#tokens[this.#at] ?? this.#tokens.at(-1))?.line ?? 1;
  }

  /** Items in braces without the commas; `a : b` of a map is one item of three words. Stands behind `}` then. */
  braced(): readonly (readonly string[])[] {
    const items: string[][] = [];
    let item: string[] = [];
    this.#at++;
    while (!this.ended && this.peek() !== '}') {
      const token = this.peek();
      if (token === '{') {
        // Concatenations of sets in sets are not followed.
        this.skipBlock();
        item.push('{}');
        continue;
      }
      if (token === ',') {
        items.push(item);
        item = [];
      } else if (token !== ';') item.push(this.value());
      this.#at++;
    }
    this.#at++;
    items.push(item);
    return items.filter((words) => words.length > 0);
  }
}
