/** One finding in the text report: in full for the root cause, in short for the others. */
import type { Fact, ReportFinding, Severity } from './model.ts';
import { frameLines, framesInWords, type Page, section } from './text-page.ts';
import { pad, type Tone, widthOf, wrap } from './text-wrap.ts';

const CERTAINTY: Readonly<Record<ReportFinding['certainty'], string>> = {
  proven: 'proven: a key or a protocol fact shows it',
  deduced: 'deduced: all other reasons were ruled out',
  suspected: 'suspected: a pattern fits, other causes can look the same',
};

export const TONES: Readonly<Record<Severity, Tone>> = { error: 'red', warning: 'yellow', info: 'dim' };

/** A fix that begins like this, or goes on like this after "…: ", is a command: it is never broken, so that it can be copied. */
const COMMAND =
  /^(\$ |# |\/|(sudo|wg|wg-quick|ip|nft|iptables|ip6tables|tcpdump|sysctl|systemctl|timedatectl|chronyc|date|ping|ss|journalctl|wgwhy) )/;

/** A fact with a longer name stands below it. */
const NAME_COLUMNS = 28;

const KEY = /(?<![A-Za-z0-9+/=])([A-Za-z0-9+/]{6})[A-Za-z0-9+/]{34}([A-Za-z0-9+/]{3}=)(?![A-Za-z0-9+/=])/g;

/** Everything below the sentence: what happened, proof, what was ruled out, what to do, what is missing. */
export function findingDetails(page: Page, finding: ReportFinding): string[] {
  const { rule, severity, certainty, subject } = finding;
  return [
    ...wrap(`${severity} ${rule}, ${subject}`, page.width, '  ', '    ').map((line) => page.paint('dim', line)),
    ...wrap(CERTAINTY[certainty], page.width, '  ', '    ').map((line) => page.paint('dim', line)),
    ...section(page, 'what happened', bullets(page, finding.notes)),
    ...section(page, 'proof', [...factLines(page, finding), ...frameLines(page, finding.frames)]),
    ...section(page, 'ruled out', ruledOut(page, finding)),
    ...section(page, 'what to do', fixes(page, finding.fix)),
    ...section(page, 'what is missing', missing(page, finding)),
  ];
}

/** The sentence, how sure it is, and where. */
export function findingInShort(page: Page, finding: ReportFinding): string[] {
  const { severity, rule, certainty, frames, message } = finding;
  const where = frames.length === 0 ? '' : `; ${framesInWords(page, frames)}`;
  const [first = '', ...rest] = wrap(`${rule}: ${message}`, page.width, `  ${pad(severity, 7)}  `);
  return [
    first.replace(severity, (word) => page.paint(TONES[severity], word)),
    ...rest,
    ...wrap(`${certainty}${where}`, page.width, ' '.repeat(11)).map((line) => page.paint('dim', line)),
  ];
}

export function bullets(page: Page, sentences: readonly string[]): string[] {
  return sentences.flatMap((sentence) => wrap(sentence, page.width, '  - '));
}

function ruledOut(page: Page, finding: ReportFinding): string[] {
  return finding.ruledOut.flatMap(({ rule, because, frames }) => {
    const where = frames.length === 0 ? '' : ` (${framesInWords(page, frames)})`;
    return wrap(`${rule}: ${because}${where}`, page.width, '  - ');
  });
}

function missing(page: Page, finding: ReportFinding): string[] {
  return finding.missing.flatMap(({ key, wouldSettle }) =>
    wrap(`${key}: would settle ${wouldSettle}`, page.width, '  - '),
  );
}

function fixes(page: Page, fix: ReportFinding['fix']): string[] {
  const lines: string[] = [];
  for (const [system, steps] of [
    ['Linux', fix.linux ?? []],
    ['RouterOS', fix.routeros ?? []],
  ] as const) {
    if (steps.length === 0) continue;
    lines.push(`  ${system}`);
    for (const step of steps) lines.push(...fixLines(page.width, step));
  }
  return lines;
}

/** One step of what to do. */
export function fixLines(width: number, step: string): string[] {
  if (COMMAND.test(step)) return [`      ${step}`];
  const cut = step.indexOf(': ');
  const command = step.slice(cut + 2);
  const whole = wrap(step, width, '    - ');
  if (whole.length === 1 || cut === -1 || !COMMAND.test(command)) return whole;
  return [...wrap(step.slice(0, cut + 1), width, '    - '), `      ${command}`];
}

/** Facts by name; public keys shortened unless everything is asked for. */
function factLines(page: Page, finding: ReportFinding): string[] {
  const said = finding.message.toLowerCase();
  const rows = Object.entries(finding.facts)
    .filter(([, fact]) => page.verbose || worthALine(fact, said))
    .map(([name, fact]) => [words(name), factInWords(page, fact)] as const);
  const wide = Math.min(NAME_COLUMNS, Math.max(0, ...rows.map(([name]) => widthOf(name))));
  return rows.flatMap(([name, text]) => {
    if (widthOf(name) <= wide) return wrap(text, page.width, `  ${pad(name, wide)}  `);
    return [...wrap(name, page.width, '  '), ...wrap(text, page.width, ' '.repeat(wide + 4))];
  });
}

/** What the sentence says already, and what is only a switch for its wording, is left to --verbose and --json. */
function worthALine(fact: Fact, said: string): boolean {
  if (fact === null || typeof fact === 'boolean' || fact === '') return false;
  if (typeof fact === 'number') return !new RegExp(`(^|[^0-9.])${fact}($|[^0-9.])`).test(said);
  if (typeof fact === 'object') return fact.some((part) => worthALine(part, said));
  return !said.includes(fact.toLowerCase());
}

function factInWords(page: Page, fact: Fact): string {
  if (fact === null) return 'unknown';
  if (typeof fact === 'boolean') return fact ? 'yes' : 'no';
  const text = typeof fact === 'object' ? fact.join(', ') : String(fact);
  return page.verbose ? text : text.replace(KEY, '$1…$2');
}

/** `mac1Owner` → `mac1 owner`. */
const words = (name: string): string =>
  name.replace(/([a-z0-9])([A-Z])/g, (_, a: string, b: string) => `${a} ${b.toLowerCase()}`);
