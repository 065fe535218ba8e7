/** A trace as a table for a terminal: public values whole, secrets by fingerprint, a second run beside the first. */
import { toHex } from '../base/bytes.ts';
import { type Paint, pad, painter, sanitise, widthOf, wrap } from './text-wrap.ts';
import type { Figures, TraceDocument } from './trace-document.ts';
import { firstDifference, sameValue, type TraceRow, type TraceValue } from './trace-rows.ts';
import { missingText } from './trace-run.ts';

export interface TraceTextOptions {
  /** Columns; 130 unless given, of which a line of the table takes 125. */
  readonly width?: number;
  readonly colour?: boolean;
  /** Else secrets are shown as fingerprints. */
  readonly showSecrets?: boolean;
}

interface Page {
  readonly width: number;
  readonly paint: Paint;
  readonly showSecrets: boolean;
}

const DEFAULT_WIDTH = 130;
const LEAST_WIDTH = 60;

const TOKEN = 8;
const SYMBOL = 22;
const FORMULA = 29;
const INDENT = 2 + TOKEN;
/** A hash, a key: what most values are. */
const USUAL_HEX = 64;
const LONGEST_HEX = 96;
const SHORT_HEX = 16;
const BESIDE = 20;
const MARK = 2;

/** What a value looks like where there is room for all of it, and where two stand side by side. */
interface Shown {
  readonly whole: string;
  readonly short: string;
}

export function renderTrace(document: TraceDocument, given: TraceTextOptions = {}): string {
  const options: Page = {
    width: Math.max(LEAST_WIDTH, given.width ?? DEFAULT_WIDTH),
    paint: painter(given.colour === true),
    showSecrets: given.showSecrets === true,
  };
  const { title, parties, runs, expected } = document;
  const lines = [options.paint('bold', sanitise(title))];
  for (const { symbol, text } of parties) lines.push(...wrap(sanitise(text), options.width, `  ${pad(symbol, TOKEN)}`));
  lines.push(...table(document, options));
  const [first, second] = runs;
  const wanting = first.rows.find(({ missing }) => missing !== undefined)?.missing ?? [];
  for (const hint of hintsFor(wanting)) lines.push(...wrap(hint, options.width, '  '));
  if (second !== undefined) lines.push('', ...comparison(first.rows, second.rows, options));
  if (expected !== undefined) lines.push('', ...verdict(document, expected, options));
  else if (!options.showSecrets && runs.some((run) => run?.rows.some(hasSecret)))
    lines.push('', ...wrap(LEGEND, options.width).map((line) => options.paint('dim', line)));
  return `${lines.join('\n')}\n`;
}

const LEGEND =
  '# stands for a secret: equal values have equal fingerprints. A value that a token does not name is as it was before.';

const hasSecret = ({ values }: TraceRow): boolean => values.some(({ secrecy }) => secrecy !== 'public');

function table({ runs, fingerprints, expected, frames }: TraceDocument, options: Page): string[] {
  const { paint, showSecrets } = options;
  const [first, second] = runs;
  const difference = second === undefined ? undefined : firstDifference(first.rows, second.rows);
  const shown = (value: TraceValue): Shown => {
    const hex = toHex(value.bytes);
    if (value.secrecy === 'public' || showSecrets)
      return { whole: cutHex(hex, LONGEST_HEX), short: cutHex(hex, SHORT_HEX) };
    const name = fingerprints(value);
    return { whole: name, short: name };
  };
  const lines: string[] = [];
  let message = '';
  let section = '';
  const count = Math.max(first.rows.length, second?.rows.length ?? 0);
  for (let at = 0; at < count; at++) {
    const [row, other] = [first.rows[at], second?.rows[at]];
    const any = row ?? other;
    if (any === undefined) continue;
    if (any.message !== message) {
      message = any.message;
      section = any.spec;
      lines.push('', paint('bold', sectionTitle(any, frames?.[any.message])));
      if (second !== undefined && !showSecrets && any.message !== 'initiation')
        lines.push(columns(runs, options.width));
    }
    const values = Math.max(row?.values.length ?? 0, other?.values.length ?? 0);
    for (let i = 0; i < values; i++) {
      const value = row?.values[i];
      const beside = other?.values[i];
      const some = value ?? beside;
      if (some === undefined) continue;
      const head = `  ${pad(i === 0 ? any.token : '', TOKEN)}${pad(some.symbol, SYMBOL)}${pad(some.formula ?? '', FORMULA)}`;
      if (second === undefined || message === 'initiation') {
        const cite = i === 0 && any.spec !== section ? any.spec : '';
        lines.push(...single(head, [shown(some).whole, cite].join('   ').trimEnd(), options));
        if (value !== undefined) lines.push(...unlike(any, value, expected, shown, options));
        continue;
      }
      const same = sameValue(value, beside);
      const mark = difference?.row === at && difference.value === i ? '← the first that differs' : same ? '' : '≠';
      lines.push(...twice(head, value && shown(value), beside && shown(beside), mark, options));
    }
    const ends = [row && endOf(row), other && endOf(other)];
    for (const [which, end] of ends.entries()) {
      if (end === undefined || (which === 1 && end === ends[0])) continue;
      const whose = second === undefined || ends[0] === ends[1] ? '' : ` (${runs[which]?.name ?? ''})`;
      const head = `  ${pad(values === 0 ? any.token : '', TOKEN)}`;
      lines.push(...wrap(end + whose, options.width, head).map((line) => paint('red', line)));
    }
  }
  return lines;
}

const SECTIONS = {
  initiation: '→ e, es, s, ss, {t}',
  response: '← e, ee, se, psk, {}',
  data: 'transport data',
} as const;

function sectionTitle({ message, spec }: TraceRow, frame: number | undefined): string {
  return `${message}${frame === undefined ? '' : `, frame ${frame}`}   ${SECTIONS[message]}   ${spec}`;
}

function columns(runs: TraceDocument['runs'], width: number): string {
  const formula = isNarrow(width) ? 0 : FORMULA;
  const names = runs.map((run) => pad(clip(run?.name ?? '', BESIDE - 1), BESIDE));
  return `${' '.repeat(INDENT + SYMBOL + formula)}${names.join('')}`.trimEnd();
}

/** Two values side by side then stand without their formulas. */
const isNarrow = (width: number): boolean => width < INDENT + SYMBOL + FORMULA + 2 * BESIDE + MARK;

const clip = (text: string, width: number): string => (widthOf(text) > width ? `…${text.slice(1 - width)}` : text);

/** The value behind its formula, or under it where the line is too short for most of them. */
function single(head: string, value: string, { width }: Page): string[] {
  const room = width - widthOf(head);
  if (value.length <= room || room >= USUAL_HEX) return [head + value];
  return [head.trimEnd(), ' '.repeat(INDENT) + value];
}

function twice(head: string, one: Shown | undefined, other: Shown | undefined, mark: string, options: Page): string[] {
  const { showSecrets, paint } = options;
  const marked = mark === '' ? '' : paint('yellow', mark);
  const start = isNarrow(options.width) ? head.slice(0, INDENT + SYMBOL) : head;
  if (!showSecrets)
    return [`${start}${pad(one?.short ?? '–', BESIDE)}${pad(other?.short ?? '–', BESIDE)}${marked}`.trimEnd()];
  if (mark === '') return single(head, one?.whole ?? '–', options);
  const under = pad('', INDENT) + pad('', SYMBOL) + pad('', FORMULA);
  return [...single(head, one?.whole ?? '–', options), ...single(under, `${other?.whole ?? '–'} ${marked}`, options)];
}

function cutHex(hex: string, most: number): string {
  return hex.length <= most
    ? hex
    : `${hex.slice(0, most)}… ${most < USUAL_HEX ? '' : `(${hex.length / 2} bytes)`}`.trimEnd();
}

/** Where the row is the last: why. */
function endOf({ missing, refused }: TraceRow): string | undefined {
  if (missing !== undefined) return `cannot be computed: missing ${missingText(missing)}`;
  return refused === undefined ? undefined : `refused: ${refused}`;
}

/** Where such keys are to be had. */
function hintsFor(missing: readonly string[]): string[] {
  const named = (sign: string): string => missing.filter((name) => name.startsWith(sign)).join(', ');
  const [statics, ephemerals] = [named('S_'), named('E_')];
  const hints: string[] = [];
  if (ephemerals !== '') {
    const log = 'wgwhy up --key-log FILE, extract-handshakes on Linux';
    hints.push(`${ephemerals}: an ephemeral private key, which only a key log of that end has (${log})`);
  }
  if (statics.includes('^pub')) {
    const where = 'a configuration of either end has it, or --public-key server=KEY';
    hints.push(`${statics}: the public key that the initiation was made for: ${where}`);
  } else if (statics !== '') hints.push(`${statics}: PrivateKey in the [Interface] of that end’s configuration`);
  return hints;
}

function comparison(one: readonly TraceRow[], other: readonly TraceRow[], { width, paint }: Page): string[] {
  const difference = firstDifference(one, other);
  if (difference === undefined) {
    const why = one.some(({ token }) => token === 'psk')
      ? 'both PSKs are the same'
      : 'a PSK is mixed in by the token psk only, in the response (wp §5.4.3)';
    return wrap(`the two runs are the same, line by line: ${why}`, width);
  }
  const row = one[difference.row] ?? other[difference.row];
  const symbol = (row?.values[difference.value] ?? other[difference.row]?.values[difference.value])?.symbol;
  const text = `the first line that differs: ${row?.message} ${row?.token}${symbol === undefined ? '' : `, ${symbol}`}`;
  return wrap(text, width).map((line) => paint('yellow', line));
}

function unlike(
  { message }: TraceRow,
  value: TraceValue,
  expected: Figures | undefined,
  shown: (value: TraceValue) => Shown,
  options: Page,
): string[] {
  const wanted = value.figure === undefined ? undefined : expected?.get(`${message}.${value.figure}`);
  if (wanted === undefined || sameValue(value, { ...value, bytes: wanted })) return [];
  const head = `  ${pad('', TOKEN)}${pad('', SYMBOL)}${pad('≠ the file says', FORMULA)}`;
  return single(head, shown({ ...value, bytes: wanted }).whole, options).map((line) => options.paint('red', line));
}

/** The figures of a vector file against what was computed. */
function verdict(document: TraceDocument, expected: Figures, { width, paint }: Page): string[] {
  const { agreeing, unlike: differing, absent } = document.check(expected);
  const [first] = differing;
  const lines = [`${agreeing} of ${expected.size} figures of the file agree`];
  if (first !== undefined) lines.push(`the first that differs: ${first}`);
  if (absent.length > 0) lines.push(`not reached: ${absent.join(', ')}`);
  const tone = first === undefined && absent.length === 0 ? 'green' : 'red';
  return lines.flatMap((line) => wrap(line, width)).map((line) => paint(tone, line));
}
