/** From timelines and keys to the report: the end of every run, whatever the timelines were read from. */
import type { KeySet } from '../analyze/key-set.ts';
import type { Timeline } from '../analyze/timeline.ts';
import type { At } from '../analyze/vantage.ts';
import { buildWorld } from '../analyze/world.ts';
import type { Problem } from '../base/problem.ts';
import { rules } from '../diagnose/registry.ts';
import { type Outcome, runRules } from '../diagnose/run.ts';
import { buildReport } from './build.ts';
import type { Input } from './inputs.ts';
import type { InputKind, PolicyName, Report } from './model.ts';
import { scrubber, secretTeller } from './scrub.ts';

export interface InputProblem extends Problem {
  readonly input: string;
}

export interface Diagnosis {
  readonly report: Report;
  /** False when no source could be used at all: exit code 2. */
  readonly usable: boolean;
  /** Whether a line of a file tells a secret: it must not be shown. */
  readonly tellsSecret?: (line: string) => boolean;
}

export interface Read {
  readonly tool: string;
  readonly policy: PolicyName;
  readonly inputs: readonly Input[];
  readonly keys: KeySet;
  readonly at: ReadonlyMap<string, At>;
  readonly timelines: readonly Timeline[];
  readonly problems: readonly InputProblem[];
  /** There is more than this, elsewhere: no rule could judge it. */
  readonly partly?: boolean;
}

/** With these alone there is nothing to judge. */
const ONLY_KEYS: ReadonlySet<InputKind> = new Set<InputKind>(['key-log', 'traffic-keys', 'public-key']);

export function conclude(read: Read): Diagnosis & { readonly outcome: Outcome } {
  const { tool, policy, inputs, keys, at, timelines, partly = false } = read;
  const problems = [...read.problems];
  for (const { name, retired } of timelines) {
    if (retired === 0) continue;
    const message = `${retired} older handshakes and sessions were folded away to keep memory bounded: they are counted, not judged`;
    problems.push({
      input: name,
      message,
      hint: 'cut the capture to the time in question, e.g. with editcap -A … -B …',
    });
  }
  const world = buildWorld(timelines, keys, at);
  const outcome = runRules(partly ? [] : rules, world);
  const used = inputs.filter(({ kind, id }) => kind !== 'capture' || timelines.some((t) => t.capture === id));
  const report = scrubber(keys)(buildReport({ tool, policy, inputs: used, world, outcome, problems, partly }));
  const usable = report.inputs.some(({ kind }) => !ONLY_KEYS.has(kind));
  return { report, usable, tellsSecret: secretTeller(keys), outcome };
}
