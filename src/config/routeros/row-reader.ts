/** Reads the settings of one RouterOS item into typed values, each with its place, all faults into one list. */
import { type IpBytes, type Prefix, parseIp } from '../../base/address.ts';
import type { Bytes } from '../../base/bytes.ts';
import { type PublicKey, publicKey } from '../../base/keys.ts';
import type { Result } from '../../base/result.ts';
import { type KeyFaultKind, readKeyText } from '../key-text.ts';
import { type ByteCount, parseByteCount, parseRosDuration } from '../quantities.ts';
import { type Located, type ProblemList, withoutSpace } from '../text.ts';
import { listParts, quote, readNumber, readPort, readPrefix, type ValueFault } from '../wg-values.ts';
import { findField, type RosField, type RosRow } from './fields.ts';

type KeySetting = 'private-key' | 'public-key' | 'preshared-key';

/** Faults a rule can ask for; each has a Problem of the same line as well. */
export interface RosFault {
  readonly kind: 'key-malformed';
  readonly line: number;
  readonly column: number;
  readonly setting: KeySetting;
  readonly fault: KeyFaultKind;
  /** Line of the item that it belongs to. */
  readonly itemLine: number;
}

/** `auto` lets the router make the key, `none` says there is none. */
export type RosSecretKey<K extends Bytes> =
  | { readonly kind: 'key'; readonly key: K }
  | { readonly kind: 'auto' }
  | { readonly kind: 'none' };

/** Gathers faults over all items of a text. */
export interface RosFaults {
  readonly problems: ProblemList;
  readonly faults: RosFault[];
}

export class RowReader {
  readonly row: RosRow;
  readonly #said: RosFaults;

  constructor(row: RosRow, said: RosFaults) {
    this.row = row;
    this.#said = said;
  }

  /** The first of these names that is set to something; RouterOS renames settings now and then. */
  #field(...names: readonly string[]): RosField | undefined {
    for (const name of names) {
      const field = findField(this.row.fields, name);
      if (field !== undefined && !(field.kind === 'text' && field.value === '')) return field;
    }
    return undefined;
  }

  text(...names: readonly string[]): Located<string> | undefined {
    const field = this.#field(...names);
    return field?.kind === 'text' ? { value: field.value, line: field.line, column: field.column } : undefined;
  }

  #read<T>(read: (text: string) => Result<T, ValueFault>, ...names: readonly string[]): Located<T> | undefined {
    const found = this.text(...names);
    if (found === undefined) return undefined;
    const result = read(found.value);
    if (result.ok) return { value: result.value, line: found.line, column: found.column, raw: found.value };
    this.#refuse(names[0] ?? '', found, result.error);
    return undefined;
  }

  #refuse(name: string, place: { readonly line: number; readonly column: number }, fault: ValueFault): void {
    this.#said.problems.add({ line: place.line, column: place.column }, `${name} ${fault.predicate}`, fault.hint);
  }

  number(least: number, most: number, ...names: readonly string[]): Located<number> | undefined {
    return this.#read((text) => readNumber(text, least, most), ...names);
  }

  /** 0 is what RouterOS shows where none is set. */
  port(...names: readonly string[]): Located<number> | undefined {
    return this.#read((text) => readPort(text, 0), ...names);
  }

  yes(...names: readonly string[]): Located<boolean> | undefined {
    return this.#read(
      (text) => {
        if (text === 'yes' || text === 'true') return { ok: true, value: true };
        if (text === 'no' || text === 'false') return { ok: true, value: false };
        return { ok: false, error: { predicate: 'is neither yes nor no' } };
      },
      ...names,
    );
  }

  durationMs(...names: readonly string[]): Located<number> | undefined {
    return this.#read(
      (text) => {
        const ms = parseRosDuration(text);
        return ms === undefined
          ? { ok: false, error: { predicate: 'is not a time', hint: 'write it as 25s, 1m30s or 00:00:25' } }
          : { ok: true, value: ms };
      },
      ...names,
    );
  }

  bytes(...names: readonly string[]): Located<ByteCount> | undefined {
    return this.#read(
      (text) => {
        const count = parseByteCount(text);
        return count === undefined
          ? { ok: false, error: { predicate: 'is not a number of bytes' } }
          : { ok: true, value: count };
      },
      ...names,
    );
  }

  prefixes(...names: readonly string[]): readonly Located<Prefix>[] {
    return this.#list(readPrefix, ...names);
  }

  addresses(...names: readonly string[]): readonly Located<IpBytes>[] {
    return this.#list(
      (text) => {
        const ip = parseIp(text);
        return ip === undefined
          ? { ok: false, error: { predicate: `has something that is not an address${quote(text)}` } }
          : { ok: true, value: ip };
      },
      ...names,
    );
  }

  #list<T>(read: (text: string) => Result<T, ValueFault>, ...names: readonly string[]): readonly Located<T>[] {
    const found = this.text(...names);
    if (found === undefined) return [];
    const out: Located<T>[] = [];
    for (const part of listParts(found.value, false)) {
      const text = withoutSpace(part.text);
      const result = read(text);
      if (result.ok) out.push({ value: result.value, line: found.line, column: found.column, raw: text });
      else this.#refuse(names[0] ?? '', found, result.error);
    }
    return out;
  }

  publicKey(): Located<PublicKey> | undefined {
    const found = this.text('public-key');
    const key = found === undefined ? undefined : this.#key('public-key', withoutSpace(found.value), found);
    return found === undefined || key === undefined
      ? undefined
      : { value: publicKey(key), line: found.line, column: found.column, raw: found.value };
  }

  secretKey<K extends Bytes>(
    name: 'private-key' | 'preshared-key',
    brand: (bytes: Bytes) => K,
  ): Located<RosSecretKey<K>> | undefined {
    const field = this.#field(name);
    if (field?.kind !== 'secret') return undefined;
    const place = { line: field.line, column: field.column };
    const text = withoutSpace(field.text.reveal());
    if (text === '') return undefined;
    if (text === 'auto' || text === 'none') return { value: { kind: text }, ...place };
    const key = this.#key(name, text, place);
    return key === undefined ? undefined : { value: { kind: 'key', key: brand(key) }, ...place };
  }

  #key(
    setting: KeySetting,
    text: string,
    place: { readonly line: number; readonly column: number },
  ): Bytes | undefined {
    const key = readKeyText(text);
    if (key.ok) return key.value;
    const { kind, predicate, hint } = key.error;
    this.#refuse(setting, place, { predicate, hint });
    this.#said.faults.push({
      kind: 'key-malformed',
      line: place.line,
      column: place.column,
      setting,
      fault: kind,
      itemLine: this.row.line,
    });
    return undefined;
  }

  get disabled(): boolean {
    const field = this.#field('disabled');
    if (field?.kind === 'text') return field.value === 'yes' || field.value === 'true';
    return this.flag('X') ?? false;
  }

  /** undefined where the text is an export, which has no flags. */
  flag(letter: string): boolean | undefined {
    return this.row.flags?.includes(letter);
  }
}
