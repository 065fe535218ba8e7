/** The items of one menu of an export: what `add` made, with what `set`, `enable`, `disable` and `remove` did to it. */
import type { Located, ProblemList } from '../text.ts';
import { findField, type RosField, type RosRow, rosField } from './fields.ts';
import { MOST_FIELDS, type RosEntry, type RosScript, type RosTarget } from './script.ts';

interface DraftRow {
  readonly line: number;
  readonly remark?: Located<string>;
  fields: RosField[];
}

const HINT = 'hand over the whole /export, which shows what it comes to';

/** Later settings take the place of earlier ones of the same name. */
function merged(before: readonly RosField[], later: readonly RosField[]): RosField[] {
  const out = [...before];
  const places = new Map(out.map(({ name }, i) => [name, i]));
  for (const field of later) {
    const at = places.get(field.name);
    if (at !== undefined) out[at] = field;
    else if (out.length < MOST_FIELDS) places.set(field.name, out.push(field) - 1);
  }
  return out;
}

function holds(row: DraftRow, condition: RosField): boolean {
  const field = findField(row.fields, condition.name);
  return condition.kind === 'text' && field?.kind === 'text' && field.value === condition.value;
}

/** Those that are meant, or undefined where that cannot be told from here. */
function selected(rows: readonly DraftRow[], target: RosTarget): DraftRow[] | undefined {
  if (target.kind === 'find') {
    return target.exact
      ? rows.filter((row) => target.conditions.every((condition) => holds(row, condition)))
      : undefined;
  }
  const found: DraftRow[] = [];
  for (const item of target.items) {
    const named = rows.filter((row) => {
      const name = findField(row.fields, 'name');
      return name?.kind === 'text' && name.value === item;
    });
    const numbered = /^\*?[0-9]{1,6}$/.test(item) ? rows[Number(item)] : undefined;
    if (named.length === 0 && numbered === undefined) return undefined;
    found.push(...(named.length > 0 ? named : numbered === undefined ? [] : [numbered]));
  }
  return found;
}

/** Menus whose items are there from the beginning, so that exports only `set` them by name. */
const BUILT_IN = new Set(['ip service']);

/** Menus are read up to here: far above any router's, and small enough for every change to look at every item. */
const MAX_ITEMS = 20_000;
const MAX_CHANGES = 2_000;
/** Items that changes look at, all together. */
const MAX_LOOKS = 2_000_000;

/** How many items an entry has to look at: each name and each condition is looked for in all of them. */
function looks({ action, target }: RosEntry, rows: number): number {
  if (action === 'add' || target === undefined) return 0;
  return rows * (1 + (target.kind === 'find' ? target.conditions.length : target.items.length));
}

/** In place, and without its rows as arguments of a call: there may be more than a stack holds. */
function keep(rows: DraftRow[], wanted: (row: DraftRow) => boolean): void {
  let kept = 0;
  for (const row of rows) if (wanted(row)) rows[kept++] = row;
  rows.length = kept;
}

/** Changes `rows` as the entry says. */
function apply(rows: DraftRow[], entry: RosEntry, problems: ProblemList): void {
  const place = { line: entry.line, column: 1 };
  if (entry.action === 'add') {
    const remark = entry.remark === undefined ? {} : { remark: entry.remark };
    rows.push({ line: entry.line, fields: [...entry.fields], ...remark });
    return;
  }
  if (entry.action === 'move') {
    problems.add(place, 'what is moved here keeps its place in this reading', HINT);
    return;
  }
  const change: readonly RosField[] =
    entry.action === 'set'
      ? entry.fields
      : entry.action === 'enable' || entry.action === 'disable'
        ? [rosField('disabled', entry.action === 'disable' ? 'yes' : 'no', place)]
        : [];
  if ((change.length === 0 && entry.action !== 'remove') || entry.target === undefined) return;
  const meant = selected(rows, entry.target);
  if (entry.action === 'remove') {
    // Scripts clear away what may be there before they add: nothing to remove is no fault.
    const gone = new Set(meant);
    if (gone.size > 0) keep(rows, (row) => !gone.has(row));
  } else if (BUILT_IN.has(entry.path) && meant === undefined && entry.target.kind === 'items') {
    for (const name of entry.target.items)
      rows.push({ line: entry.line, fields: [rosField('name', name, place), ...change] });
  } else if (meant === undefined || meant.length === 0) {
    problems.add(place, 'this changes something that is not in this text', HINT);
  } else for (const row of meant) row.fields = merged(row.fields, change);
}

/** In the order in which they were added. */
export function rowsOf(script: RosScript, path: string, problems: ProblemList): readonly RosRow[] {
  const rows: DraftRow[] = [];
  let changes = 0;
  let looked = 0;
  for (const entry of script.entries) {
    if (entry.path !== path) continue;
    if (entry.action !== 'add') changes++;
    looked += looks(entry, rows.length);
    if (rows.length >= MAX_ITEMS || changes > MAX_CHANGES || looked > MAX_LOOKS) {
      problems.add({ line: entry.line, column: 1 }, `there is more under /${path} than is read from here on`);
      break;
    }
    apply(rows, entry, problems);
  }
  return rows.map((row, number) => ({ ...row, number }));
}

/** A menu that is one set of settings, such as `/system ntp client`; undefined where nothing is set. */
export function settingsOf(script: RosScript, path: string): RosRow | undefined {
  let row: { line: number; fields: RosField[] } | undefined;
  for (const entry of script.entries) {
    if (entry.path !== path || entry.action !== 'set' || entry.target !== undefined) continue;
    row = { line: row?.line ?? entry.line, fields: merged(row?.fields ?? [], entry.fields) };
  }
  return row === undefined ? undefined : { ...row, number: 0 };
}
