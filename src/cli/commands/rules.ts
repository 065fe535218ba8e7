/** `wgwhy rules`: every finding by name, and the page of one. */
import type { Command } from 'commander';
import { lineWidth } from '../../report/text-page.ts';
import { pad, wrap } from '../../report/text-wrap.ts';
import { type Environment, EXIT, type ExitCode, UsageError } from '../environment.ts';
import { nearest } from '../nearest.ts';

/** What is shown of a rule. */
export interface RulePage {
  readonly name: string;
  readonly severity: 'error' | 'warning' | 'info';
  /** `wp §5.4.4` */
  readonly spec?: string;
  readonly explain: { readonly what: string; readonly why: string; readonly fix: string };
  /** The vaguer findings that this one takes the place of. */
  readonly hides?: readonly string[];
}

export function addRulesCommand(program: Command, environment: Environment, done: (code: ExitCode) => void): void {
  program
    .command('rules')
    .description('list every finding, or explain one')
    .argument('[name]', 'the name of a finding')
    .option('--json', 'as JSON')
    .action((name: string | undefined, { json = false }: { json?: boolean }) => {
      const { rules, stdout, columns } = environment;
      const width = lineWidth(columns);
      if (name === undefined) {
        stdout.write(json ? `${JSON.stringify(rules.map(plain), undefined, 2)}\n` : listing(rules, width));
      } else {
        const rule = rules.find((candidate) => candidate.name === name);
        if (rule === undefined) throw unknownRule(name, rules);
        stdout.write(json ? `${JSON.stringify(plain(rule), undefined, 2)}\n` : page(rule, width));
      }
      done(EXIT.fine);
    });
}

function unknownRule(name: string, rules: readonly RulePage[]): UsageError {
  const near = nearest(
    name,
    rules.map((rule) => rule.name),
  );
  const hint = near.length === 0 ? '"wgwhy rules" lists all of them' : `did you mean ${near.join(' or ')}?`;
  return new UsageError(`there is no finding called "${name}"`, hint);
}

/** The same fields whatever else a rule object holds. */
function plain({ name, severity, spec, explain, hides }: RulePage): RulePage {
  const { what, why, fix } = explain;
  return { name, severity, ...(spec === undefined ? {} : { spec }), explain: { what, why, fix }, hides: hides ?? [] };
}

/** Name, severity and one line each; errors first, each group by name. */
function listing(rules: readonly RulePage[], width: number): string {
  const order = ['error', 'warning', 'info'];
  const sorted = [...rules].sort(
    (a, b) => order.indexOf(a.severity) - order.indexOf(b.severity) || (a.name < b.name ? -1 : 1),
  );
  const wide = Math.max(0, ...sorted.map(({ name }) => name.length));
  const lines = sorted.flatMap(({ name, severity, explain }) => {
    const head = `${pad(severity, 7)}  ${pad(name, wide)}  `;
    return head.length > width / 2
      ? [head.trimEnd(), ...wrap(explain.what, width, ' '.repeat(9))]
      : wrap(explain.what, width, head);
  });
  return `${lines.join('\n')}\n`;
}

function page({ name, severity, spec, explain, hides = [] }: RulePage, width: number): string {
  const lines = [
    `${name} (${severity})`,
    '',
    ...wrap(explain.what, width, '  what  '),
    ...wrap(explain.why, width, '  why   '),
    ...wrap(explain.fix, width, '  fix   '),
    ...(spec === undefined ? [] : wrap(spec.replace(/\bwp §/g, 'WireGuard paper §'), width, '  see   ')),
    ...(hides.length === 0 ? [] : ['', ...wrap(`takes the place of ${hides.join(', ')}`, width, '  ')]),
  ];
  return `${lines.join('\n')}\n`;
}
