/** What was counted, as a table for people: Markdown that reads as it is. */
import { ASSUMPTIONS, milliseconds, type Rate, rate } from './estimate.ts';
import type { Counts } from './guest.ts';

export interface Row {
  readonly subject: string;
  /** Of the packet inside; 0 for what has none. */
  readonly bytes: number;
  readonly by: string;
  readonly counts: Counts;
  /** What 1.0 is: the kernel's assembly for the same bytes. */
  readonly base?: number;
}

export interface Outcome {
  readonly date: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly rows: readonly Row[];
  readonly notes: readonly string[];
}

const whole = (value: number): string => Math.round(value).toLocaleString('en');

/** A few more or fewer per packet are of the two runs, not of the code. */
function rounded(fp: number): string {
  return fp < 0.5 ? '0' : fp < 10 ? fp.toFixed(1) : whole(fp);
}

function range({ likely, least, greatest }: Rate): string {
  const digits = likely < 10 ? 2 : 0;
  return `${likely.toFixed(digits)} (${least.toFixed(digits)} to ${greatest.toFixed(digits)})`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((_, i) => Math.max(...[head, ...rows].map((cells) => cells[i]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join(' | ')} |`;
  const rule = `|${widths.map((width, i) => (i === 0 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`)).join('|')}|`;
  return [line(head), rule, ...rows.map(line)].join('\n');
}

const PACKETS = ['', 'instructions', 'per byte', 'floating point', 'x kernel', 'Mbit/s with an FPU', 'Mbit/s without'];

function packetRow({ by, bytes, counts, base }: Row): readonly string[] {
  const ratio = base === undefined ? '' : (counts.all / base).toFixed(2);
  const rates = [rate(bytes, counts, true), rate(bytes, counts, false)].map(range);
  return [by, whole(counts.all), (counts.all / bytes).toFixed(1), rounded(counts.fp), ratio, ...rates];
}

const WHOLES = ['', 'instructions', 'floating point', 'ms with an FPU', 'ms without'];

function wholeRow({ by, counts }: Row): readonly string[] {
  const times = [milliseconds(counts, true), milliseconds(counts, false)].map((ms) => ms.toFixed(ms < 100 ? 1 : 0));
  return [by, whole(counts.all), rounded(counts.fp), ...times];
}

export function markdown({ date, versions, rows, notes }: Outcome): string {
  const subjects = [...new Set(rows.map((row) => row.subject))];
  const sections = subjects.map((subject) => {
    const own = rows.filter((row) => row.subject === subject);
    const packets = own.every(({ bytes }) => bytes > 0);
    return `## ${subject}\n\n${packets ? table(PACKETS, own.map(packetRow)) : table(WHOLES, own.map(wholeRow))}`;
  });
  return [
    `# MT7621A, ${date}`,
    notes.map((note) => `- ${note}`).join('\n'),
    ...sections,
    `## Assumed\n\n${ASSUMPTIONS.map((line) => `- ${line}`).join('\n')}`,
    `## Versions\n\n${Object.entries(versions)
      .map(([name, version]) => `- ${name} ${version}`)
      .join('\n')}\n`,
  ].join('\n\n');
}
