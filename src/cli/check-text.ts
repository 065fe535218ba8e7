/** Findings of configurations, file by file and line by line, and the lines as they should read. */
import type { Report, ReportEdit, ReportFinding, Severity } from '../report/model.ts';
import { type Paint, sanitise, type Tone, wrap } from '../report/text-wrap.ts';
import { problemText } from './problem-text.ts';

const TONE: Readonly<Record<Severity, Tone>> = { error: 'red', warning: 'yellow', info: 'dim' };
const UNIT = { error: 'error', warning: 'warning', info: 'remark' } as const;

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
      for (const problem of said)
        out.push(...wrap(sanitise(problemText(problem.input, problem)), page.width, '  - ', '    '));
      for (const finding of found) out.push(...findingLines(finding, page));
    }
    out.push('');
  }
  const others = findings.filter((finding) => inputOf(finding, report) === undefined);
  if (others.length > 0)
    out.push('all files together', ...others.flatMap((finding) => findingLines(finding, page)), '');
  for (const problem of problems) {
    if (inputs.some(({ name }) => name === problem.input)) continue;
    out.push(...wrap(sanitise(problemText(problem.input, problem)), page.width, '', '  '));
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
