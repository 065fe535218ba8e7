/** RouterOS prints of every layout (detail, terse, columns, `name: value`) to rows. */
import { type Pasted, pastedLines } from '../pasted.ts';
import type { Line } from '../text.ts';
import type { RosRow } from './fields.ts';
import { type Column, columnHeadings, columnNames, MOST_COLUMNS, rowCells } from './print-columns.ts';
import { PrintedFields } from './print-fields.ts';

export interface RosPrintRows {
  readonly line: number;
  readonly layout: 'items' | 'columns' | 'settings';
  readonly rows: readonly RosRow[];
}

/** ` 0  R name="wg1"`, `12 X ;;; office`, ` 0`. */
const ITEM = /^\s{0,6}(\d{1,6})((?:\s+[A-Za-z*+]{1,6}(?![^\s]))*)(?:\s+|$)(?=;;;|[a-z][a-z0-9.-]*=|$)/;
const SETTING = /^\s*([a-z][a-z0-9-]*): ?(.*)$/;
const LEGEND = /^\s*(?:[A-Za-z*+] - [A-Za-z-]+[,;]?\s*)+$/;
const MAX_ROWS = 20_000;

interface OpenRow {
  readonly line: number;
  readonly number: number;
  readonly flags: string;
  readonly fields: PrintedFields;
}

/** Follows the layout from line to line; used for one text and thrown away. */
class PrintReader {
  readonly tables: RosPrintRows[] = [];
  #rows: OpenRow[] = [];
  #line = 1;
  #layout: RosPrintRows['layout'] = 'items';
  #names: readonly string[] = [];
  #namesOpen = false;
  #columns: readonly Column[] | undefined;
  #numbered = false;
  /** A comment of the item that follows, as column prints place it. */
  #comment: { readonly text: string; readonly line: number; readonly column: number } | undefined;

  #close(): void {
    if (this.#rows.length > 0) {
      const rows = this.#rows.map(({ fields, ...row }) => ({ ...row, fields: fields.done() }));
      this.tables.push({ line: this.#line, layout: this.#layout, rows });
    }
    this.#rows = [];
    this.#layout = 'items';
    this.#names = [];
    this.#namesOpen = false;
    this.#columns = undefined;
    this.#comment = undefined;
  }

  line(line: Line): void {
    const { text, number } = line;
    if (text.trim() === '' || text.startsWith('-- [')) return;
    if (/^\s*Flags:/.test(text)) this.#close();
    else if (/^\s*Columns:/i.test(text)) {
      if (this.#columns !== undefined || this.#rows.length > 0) this.#close();
      this.#names = columnNames(text);
      this.#namesOpen = /,\s*$/.test(text);
    } else if (this.#namesOpen) {
      this.#names = [...this.#names, ...columnNames(text)].slice(0, MOST_COLUMNS);
      this.#namesOpen = /,\s*$/.test(text);
    } else if (LEGEND.test(text) && this.#rows.length === 0) return;
    else this.#content(line);
    if (this.#rows.length === 0) this.#line = number;
  }

  #content(line: Line): void {
    const { text, number } = line;
    const headings =
      this.#rows.length === 0 || this.#columns === undefined ? columnHeadings(text, this.#names) : undefined;
    if (headings !== undefined) {
      if (this.#rows.length > 0) this.#close();
      this.#columns = headings;
      this.#layout = 'columns';
      this.#numbered = /^\s*#/.test(text);
    } else if (this.#columns !== undefined) this.#row(line, this.#columns);
    else {
      const item = ITEM.exec(text);
      const setting = SETTING.exec(text);
      if (item !== null) this.#item(item, line);
      else if (setting !== null && (this.#layout === 'settings' || this.#rows.length === 0)) {
        this.#layout = 'settings';
        const [, name = '', value = ''] = setting;
        const fields = this.#rows.at(-1)?.fields ?? this.#open(number, 0, '').fields;
        fields.cell(name, value.trim(), { line: number, column: text.length - value.length + 1 });
      } else this.#rows.at(-1)?.fields.line(line, 0);
    }
  }

  #open(line: number, number: number, flags: string): OpenRow {
    const row = { line, number, flags, fields: new PrintedFields() };
    if (this.#rows.length < MAX_ROWS) this.#rows.push(row);
    return row;
  }

  #item(match: RegExpExecArray, line: Line): void {
    const [all, digits, flags = ''] = match;
    // Terse prints have no heading: counting from 0 again is a new one.
    if (this.#layout === 'settings' || (this.#layout === 'items' && Number(digits) === 0)) this.#close();
    this.#open(line.number, Number(digits), flags.replace(/\s+/g, '')).fields.line(line, all.length);
  }

  #row(line: Line, columns: readonly Column[]): void {
    const { text, number } = line;
    if (text.trimStart().startsWith(';;;')) {
      const at = text.indexOf(';;;') + 3;
      this.#comment = { text: text.slice(at).trim(), line: number, column: at + 1 };
      return;
    }
    const item = this.#numbered ? ITEM.exec(text) : null;
    if (item !== null) {
      // RouterOS 6 writes ` 0  D ;;; comment` and the cells on the next line.
      this.#item(item, line);
      return;
    }
    const first = columns[0]?.start ?? 0;
    const lead = this.#numbered ? /^\s*(\d{1,6})(?=\s)/.exec(text) : null;
    const inLead = lead !== null && lead[0].length <= Math.max(first, 3);
    // Dynamic routes have flags and no number.
    const flagged = /^\s*[A-Za-z*+]{1,6}\s*$/.test(text.slice(0, first));
    if (this.#numbered && !inLead && !flagged) {
      this.#cells(this.#rows.at(-1), text, 0, number, columns);
      return;
    }
    const from = inLead ? (lead?.[0].length ?? 0) : 0;
    const flags = this.#numbered ? (/^[\sA-Za-z*+]*/.exec(text.slice(from, Math.max(from, first)))?.[0] ?? '') : '';
    const row = this.#open(number, inLead ? Number(lead?.[1]) : this.#rows.length, flags.replace(/\s+/g, ''));
    if (this.#comment !== undefined) row.fields.comment(this.#comment.text, this.#comment);
    this.#comment = undefined;
    this.#cells(row, text, from + flags.length, number, columns);
  }

  #cells(row: OpenRow | undefined, text: string, from: number, line: number, columns: readonly Column[]): void {
    for (const cell of rowCells(text, from, columns)) {
      row?.fields.cell(cell.name, cell.text, { line, column: cell.at + 1 });
    }
  }

  done(): readonly RosPrintRows[] {
    this.#close();
    return this.tables;
  }
}

/** Never throws. Lines that belong to no table are passed over. */
export function rosPrintRows(text: Pasted): readonly RosPrintRows[] {
  const reader = new PrintReader();
  for (const line of pastedLines(text)) reader.line(line);
  return reader.done();
}
