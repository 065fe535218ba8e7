/** The column layout of RouterOS 7 prints: cells are told by what lies under which heading. */

export interface Column {
  /** Lower case. */
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

export interface Cell {
  readonly name: string;
  readonly text: string;
  /** From 0. */
  readonly at: number;
}

/** No print has nearly as many. */
export const MOST_COLUMNS = 100;

/** `Columns: INTERFACE, PUBLIC-KEY, …`: the names in full, since the headings below may be cut. */
export function columnNames(text: string): readonly string[] {
  return text
    .replace(/^\s*Columns:/i, '')
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '')
    .slice(0, MOST_COLUMNS);
}

/** A line of headings: `#  NAME  MTU`, or the first name itself where items have no numbers. */
export function columnHeadings(text: string, names: readonly string[]): readonly Column[] | undefined {
  if (!/^\s*(?:#\s+)?[A-Z][A-Za-z0-9-]*(?:\s+[A-Z][A-Za-z0-9-]*)*\s*$/.test(text)) return undefined;
  const words = [...text.matchAll(/[A-Z][A-Za-z0-9-]*/g)].slice(0, MOST_COLUMNS);
  const inFull = names.length === words.length;
  if (!inFull && !/^\s*#\s/.test(text)) return undefined;
  return words.map((word, i) => ({
    name: (inFull ? names[i] : undefined) ?? word[0].toLowerCase(),
    start: word.index,
    end: word.index + word[0].length,
  }));
}

function under(columns: readonly Column[], start: number, end: number): Column[] {
  return columns.filter((column) => column.start < end && start < column.end);
}

function nearest(columns: readonly Column[], start: number): Column | undefined {
  return columns.findLast((column) => column.start <= start) ?? columns[0];
}

/** Cells stand two spaces apart; a single space may be part of a value, as in `874 062`. */
export function rowCells(text: string, from: number, columns: readonly Column[]): Cell[] {
  const cells: Cell[] = [];
  for (const chunk of text.slice(from).matchAll(/\S+(?: \S+)*/g)) {
    const at = from + chunk.index;
    const over = under(columns, at, at + chunk[0].length);
    if (over.length < 2 || !chunk[0].includes(' ')) {
      const name = (over[0] ?? nearest(columns, at))?.name;
      if (name !== undefined) cells.push({ name, text: chunk[0], at });
      continue;
    }
    // Cells that ran together: each word goes where it lies.
    for (const word of chunk[0].matchAll(/\S+/g)) {
      const start = at + word.index;
      const column = under(columns, start, start + word[0].length)[0] ?? nearest(columns, start);
      if (column !== undefined) cells.push({ name: column.name, text: word[0], at: start });
    }
  }
  return cells;
}
