/** Findings of configurations, file by file and line by line, and the lines as they should read. */
import type { Report, ReportEdit, ReportFinding, Severity } from '../report/model.ts';
import { type Paint, sanitise, type Tone, wrap } from '../report/text-wrap.ts';

const TONE: Readonly<Record<Severity, Tone>> = { error: 'red', warning: 'yellow', info: 'dim' };
const UNIT = { error: 'error', warning: 'warning', info: 'remark' } as const;

/** A file as it was read, for the preview. */
export interface FileText {
  readonly name: string;
  readonly input: string;
  readonly text: string;
}

interface Page {
  readonly width: number;
  readonly paint: Paint;
}

export function checkText(report: Report, page: Page): string {
  const { findings, inputs, problems } = report;
  const out: string[] = [];
  for (const { id, name } of inputs) {
    const said = problems.filter(({ input }) => input === name);
    const found = findings.filter((finding) => inputOf(finding, report) === id);
    if (said.length === 0 && found.length === 0) out.push(`${sanitise(name)}: nothing wrong was found`);
    else {
      out.push(sanitise(name));
      for (const { line, message, hint } of said) {
        const where = line === undefined ? '' : `line ${line}: `;
        out.push(
          ...wrap(sanitise(`${where}${message}${hint === undefined ? '' : `; ${hint}`}`), page.width, '  - ', '    '),
        );
      }
      for (const finding of found) out.push(...findingLines(finding, page));
    }
    out.push('');
  }
  const others = findings.filter((finding) => inputOf(finding, report) === undefined);
  if (others.length > 0)
    out.push('all files together', ...others.flatMap((finding) => findingLines(finding, page)), '');
  for (const { input, message, hint } of problems) {
    if (inputs.some(({ name }) => name === input)) continue;
    out.push(...wrap(sanitise(`${input}: ${message}${hint === undefined ? '' : `; ${hint}`}`), page.width, '', '  '));
  }
  out.push(tally(report));
  return `${out.join('\n')}\n`;
}

/** By its edit, or by the name in its subject. */
function inputOf({ subject, edits }: ReportFinding, { inputs }: Report): string | undefined {
  const byEdit = edits?.[0]?.input;
  if (byEdit !== undefined) return byEdit;
  const file = subject.startsWith('file:') ? subject.slice('file:'.length) : undefined;
  return inputs.find(({ name, label }) => file !== undefined && isOf(file, label ?? name))?.id;
}

/** `hex.rsc wireguard1` is an end that hex.rsc describes. */
const isOf = (file: string, label: string): boolean => file === label || file.startsWith(`${label} `);

function findingLines(finding: ReportFinding, { width, paint }: Page): string[] {
  const { severity, rule, message, certainty, notes, edits, fix } = finding;
  const [first = '', ...rest] = wrap(
    sanitise(`${rule}: ${message}${certainty === 'proven' ? '' : ` (${certainty})`}`),
    width - 10,
    '',
    '',
  );
  const indent = ' '.repeat(10);
  const fixes = [...(edits ?? []).flatMap(editLines), ...((edits ?? []).length > 0 ? [] : shortFix(fix))];
  return [
    `  ${paint(TONE[severity], severity.padEnd(7))} ${first}`,
    ...rest.map((line) => indent + line),
    ...notes.flatMap((note) => wrap(sanitise(note), width, `${indent}- `, `${indent}  `)),
    ...fixes.map((line) => `${indent}${paint('green', sanitise(line))}`),
  ];
}

function editLines({ line, kind, text = '' }: ReportEdit): string[] {
  if (kind === 'delete') return [`line ${line}: take it out`];
  return [`${kind === 'replace' ? `line ${line}` : `after line ${line}`}: ${text}`];
}

/** One line for each kind of machine: the whole list is a matter of `diagnose`. */
function shortFix({ linux, routeros }: ReportFinding['fix']): string[] {
  const [one] = linux ?? [];
  const [other] = routeros ?? [];
  return [...(one === undefined ? [] : [`Linux: ${one}`]), ...(other === undefined ? [] : [`RouterOS: ${other}`])];
}

function tally({ findings, inputs }: Report): string {
  const count = (severity: Severity): string => {
    const n = findings.filter((finding) => finding.severity === severity).length;
    return `${n} ${UNIT[severity]}${n === 1 ? '' : 's'}`;
  };
  const files = new Set(inputs.map(({ name }) => name)).size;
  return `${files} file${files === 1 ? '' : 's'}: ${count('error')}, ${count('warning')}, ${count('info')}`;
}

const CONTEXT = 2;
const SECRET = /((?:private|preshared)[-_]?key\s*[=:]\s*"?)[A-Za-z0-9+/]{20,}={0,2}/gi;
const COMMAND = /^(\s*(?:pre|post)(?:up|down)\s*=).*/i;

/** What a context line may show: neither keys nor the shell commands, which may hold some. */
const masked = (line: string): string => sanitise(line.replace(SECRET, '$1(hidden)').replace(COMMAND, '$1 (hidden)'));

/** As `diff -u` shows it; the files stay as they are. */
export function fixPreview({ findings }: Report, files: readonly FileText[]): string {
  const edits = findings.flatMap((finding) => finding.edits ?? []);
  return files
    .flatMap((file) =>
      fileDiff(
        file,
        edits.filter(({ input }) => input === file.input),
      ),
    )
    .join('');
}

function fileDiff({ name, text }: FileText, edits: readonly ReportEdit[]): string[] {
  const lines = text.split(/\r?\n/);
  // Two findings may mend one line; the first is the one that stands first in the report.
  const byLine = new Map<number, ReportEdit>();
  for (const edit of edits) if (!byLine.has(edit.line) && edit.line <= lines.length) byLine.set(edit.line, edit);
  if (byLine.size === 0) return [];
  const out = [`--- ${sanitise(name)}\n+++ ${sanitise(name)} (mended)\n`];
  let shift = 0;
  for (const hunk of hunks(
    [...byLine.keys()].sort((a, b) => a - b),
    lines.length,
  )) {
    const body: string[] = [];
    let added = 0;
    for (let n = hunk.from; n <= hunk.to; n++) {
      const edit = byLine.get(n);
      const old = masked(lines[n - 1] ?? '');
      if (edit === undefined) body.push(` ${old}`);
      else {
        body.push(edit.kind === 'insert-after' ? ` ${old}` : `-${old}`);
        if (edit.text !== undefined) body.push(`+${sanitise(edit.text)}`);
        added += edit.kind === 'insert-after' ? 1 : edit.kind === 'delete' ? -1 : 0;
      }
    }
    const length = hunk.to - hunk.from + 1;
    out.push(
      `@@ -${hunk.from},${length} +${hunk.from + shift},${length + added} @@\n`,
      ...body.map((line) => `${line}\n`),
    );
    shift += added;
  }
  return out;
}

function hunks(changed: readonly number[], last: number): { from: number; to: number }[] {
  const out: { from: number; to: number }[] = [];
  for (const n of changed) {
    const from = Math.max(1, n - CONTEXT);
    const to = Math.min(last, n + CONTEXT);
    const before = out.at(-1);
    if (before !== undefined && from <= before.to + 1) before.to = to;
    else out.push({ from, to });
  }
  return out;
}
