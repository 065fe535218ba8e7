/** The `name=value` text of one item of a RouterOS print, wrapped over lines as the terminal was wide. */
import type { Line } from '../text.ts';
import { type Place, type RosField, rosField } from './fields.ts';

const FIELD = /([a-z][a-z0-9.-]*)=/y;
/** All that {@link WORD} stops at, or nothing would ever end. */
const SPACE = /\s*/y;
const WORD = /\S+/y;

/** In terse prints values stand without quotation marks, so a comment is only over where one of these begins. */
const AFTER_COMMENT = new Set([
  'interface',
  'name',
  'mtu',
  'listen-port',
  'private-key',
  'public-key',
  'preshared-key',
  'endpoint-address',
  'endpoint-port',
  'current-endpoint-address',
  'current-endpoint-port',
  'allowed-address',
  'persistent-keepalive',
  'responder',
  'is-responder',
  'client-address',
  'client-endpoint',
  'rx',
  'tx',
  'last-handshake',
  'chain',
  'action',
  'address',
  'network',
  'list',
  'dst-address',
  'src-address',
  'gateway',
  'disabled',
]);

interface OpenField {
  readonly name: string;
  readonly place: Place;
  /** Joined in the end: a value may be wrapped over very many lines. */
  readonly parts: string[];
  /** The last character so far; empty where there is none. */
  last: string;
  /** The closing quotation mark has not come yet. */
  quoted: boolean;
}

function append(field: OpenField, text: string): void {
  if (text === '') return;
  field.parts.push(text);
  field.last = text.slice(-1);
}

function pastSpace(text: string, at: number): number {
  SPACE.lastIndex = at;
  return at + (SPACE.exec(text)?.[0].length ?? 0);
}

/** Puts fields together from several lines; used for one item and thrown away. */
export class PrintedFields {
  readonly #done: OpenField[] = [];
  readonly #byName = new Map<string, OpenField>();
  #last: OpenField | undefined;

  comment(text: string, place: Place): void {
    if (text !== '') append(this.#open('comment', place), text);
    this.#last = undefined;
  }

  /** A cell of a table, or more of one. */
  cell(name: string, value: string, place: Place): void {
    const before = this.#byName.get(name);
    if (before === undefined) append(this.#open(name, place), value);
    else append(before, `${before.last === '' || before.last === ',' ? '' : ','}${value}`);
  }

  #open(name: string, place: Place): OpenField {
    const field = { name, place, parts: [], last: '', quoted: false };
    this.#done.push(field);
    if (!this.#byName.has(name)) this.#byName.set(name, field);
    this.#last = field;
    return field;
  }

  line({ number, text }: Line, from: number): void {
    let at = pastSpace(text, from);
    while (at < text.length) {
      at = this.#last?.quoted === true ? this.#quoted(this.#last, text, at) : this.#token(number, text, at);
      at = pastSpace(text, at);
    }
  }

  #token(number: number, text: string, at: number): number {
    if (text.startsWith(';;;', at)) {
      this.comment(text.slice(at + 3).trim(), { line: number, column: at + 4 });
      return text.length;
    }
    FIELD.lastIndex = at;
    const name = FIELD.exec(text)?.[1];
    if (name !== undefined && (this.#last?.name !== 'comment' || AFTER_COMMENT.has(name))) {
      const start = at + name.length + 1;
      const quoted = text[start] === '"';
      const field = this.#open(name, { line: number, column: start + (quoted ? 2 : 1) });
      field.quoted = quoted;
      return quoted ? this.#quoted(field, text, start + 1) : this.#bare(field, text, start);
    }
    // More of a value that was wrapped, or that holds spaces in a terse print.
    const field = this.#last;
    if (field === undefined) return text.length;
    if (field.last !== '' && field.last !== ',') append(field, ' ');
    return this.#bare(field, text, at);
  }

  #bare(field: OpenField, text: string, at: number): number {
    WORD.lastIndex = at;
    const word = WORD.exec(text)?.[0] ?? '';
    append(field, word);
    return at + word.length;
  }

  #quoted(field: OpenField, text: string, from: number): number {
    let at = from;
    let value = field.last === '' ? '' : ' ';
    for (; at < text.length; at++) {
      const c = text[at] ?? '';
      if (c === '"') {
        field.quoted = false;
        append(field, value);
        return at + 1;
      }
      if (c === '\\' && at + 1 < text.length) at++;
      value += text[at] ?? '';
    }
    append(field, value.trimEnd());
    return at;
  }

  done(): readonly RosField[] {
    return this.#done.map(({ name, parts, place }) => rosField(name, parts.join(''), place));
  }
}
