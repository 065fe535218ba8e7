/** The report for people: the verdict first, then its proof, what to do, and only then everything else. */
import type { Report, ReportFinding } from './model.ts';
import { sequenceLines } from './sequence.ts';
import { bullets, findingDetails, findingInShort } from './text-finding.ts';
import { inputLines, problemLines } from './text-inputs.ts';
import { framesInWords, makePage, type Page, section, type TextOptions } from './text-page.ts';
import { headline } from './text-verdict.ts';
import { sanitiseAll, wrap } from './text-wrap.ts';

export type { TextOptions } from './text-page.ts';

/** Ends with a line feed. Text from files is made harmless: no control character but our own colours gets out. */
export function renderText(report: Report, options: TextOptions = {}): string {
  const safe = sanitiseAll(report);
  const page = makePage(report, options);
  const { tone, label, text, notes, cause } = headline(safe);
  const [first = '', ...rest] = wrap(text, page.width, `${label}: `, '  ');
  const lines = [
    page.paint(tone, `${label}:`) + first.slice(label.length + 1),
    ...rest,
    ...bullets(page, notes),
    ...(cause === undefined ? [] : findingDetails(page, cause)),
    ...otherFindings(
      page,
      safe.findings.filter((finding) => finding !== cause),
      cause !== undefined,
    ),
    ...section(page, 'hidden by sharper findings', hiddenLines(page, safe.hidden)),
    ...section(page, 'messages', sequenceLines(page, safe)),
    ...section(page, `what ${safe.policy} would have done otherwise`, otherwiseLines(page, safe)),
    ...section(page, 'inputs', safe.inputs.length === 0 ? [] : inputLines(page, safe)),
    ...section(page, 'problems in files', problemLines(page, safe.problems)),
    ...footer(page, safe, cause ?? safe.findings[0]),
  ];
  return `${lines.join('\n')}\n`;
}

/** Its last part alone, for whoever is told the rest otherwise; empty where there is none. */
export function renderProblems(report: Report, options: TextOptions = {}): string {
  const safe = sanitiseAll(report);
  const page = makePage(report, options);
  return section(page, 'problems in files', problemLines(page, safe.problems))
    .map((line) => `${line}\n`)
    .join('')
    .trimStart();
}

function otherFindings(page: Page, findings: readonly ReportFinding[], further: boolean): string[] {
  const lines = findings.flatMap((finding) => {
    const short = findingInShort(page, finding);
    return page.verbose ? [...short, ...findingDetails(page, finding).slice(2), ''] : short;
  });
  return section(page, further ? 'also found' : 'worth knowing', lines.at(-1) === '' ? lines.slice(0, -1) : lines);
}

/** Nothing where the kernel’s own rules were asked for. */
function otherwiseLines(page: Page, { policy, whatIf }: Report): string[] {
  if (whatIf === undefined) return [];
  if (whatIf.length === 0) return bullets(page, ['nothing of what these captures show']);
  return bullets(
    page,
    whatIf.map(({ count, linux, other, frames }) => {
      const where = frames.length === 0 ? '' : ` (${framesInWords(page, frames)}${count > frames.length ? ', …' : ''})`;
      return `${count} ${count === 1 ? 'message' : 'messages'}${where}: the kernel ${linux}; ${policy} ${other}`;
    }),
  );
}

function hiddenLines(page: Page, hidden: Report['hidden']): string[] {
  return page.verbose
    ? bullets(
        page,
        hidden.map(({ rule, by, subject }) => `${rule} by ${by}, ${subject}`),
      )
    : [];
}

/** What more there is to ask for. */
function footer(page: Page, { findings, hidden }: Report, first: ReportFinding | undefined): string[] {
  const hints: string[] = [];
  if (first !== undefined) hints.push(`"wgwhy rules ${first.rule}" explains the finding`);
  if (!page.verbose && (hidden.length > 0 || findings.length > 1)) hints.push('--verbose shows everything');
  return hints.length === 0 ? [] : ['', ...wrap(hints.join('; '), page.width).map((line) => page.paint('dim', line))];
}
