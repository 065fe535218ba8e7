/** World and findings to the report: plain data, nothing secret, stable order. */
import type { Timeline } from '../analyze/timeline.ts';
import type { World } from '../analyze/world.ts';
import type { Finding, Outcome } from '../diagnose/run.ts';
import { type Otherwise, whatIf } from '../diagnose/what-if.ts';
import { POLICIES } from '../wg/policy.ts';
import type { InputProblem } from './conclude.ts';
import { frameRef } from './frame-events.ts';
import { handshakesOf } from './handshakes.ts';
import type { Input } from './inputs.ts';
import type { PolicyName, Report, ReportFinding, ReportInput, ReportOtherwise } from './model.ts';
import { sequenceOf } from './steps.ts';

export interface Gathered {
  readonly tool: string;
  readonly policy: PolicyName;
  readonly inputs: readonly Input[];
  readonly world: World;
  readonly outcome: Outcome;
  readonly problems: readonly InputProblem[];
  readonly partly: boolean;
}

export function buildReport({ tool, policy, inputs, world, outcome, problems, partly }: Gathered): Report {
  const handshakes = handshakesOf(world);
  return {
    schema: 'wgwhy/report/1',
    tool,
    policy,
    inputs: inputs.map((input) => reportInput(input, world)),
    clockOffsets: world.clocks.map(({ from, to, offsetNs, low, high, matched }) => ({
      from,
      to,
      offsetNs: offsetNs?.toString() ?? null,
      boundNs: [low?.toString() ?? null, high?.toString() ?? null],
      matched,
    })),
    ...(partly ? { partly: true } : {}),
    findings: outcome.findings.map(reportFinding),
    hidden: outcome.hidden,
    problems,
    sequence: sequenceOf(world, outcome.findings),
    ...(handshakes.length === 0 ? {} : { handshakes }),
    ...(policy === 'linux' ? {} : { whatIf: whatIf(world, POLICIES[policy]).map(reportOtherwise) }),
    counts: counts(world.timelines),
  };
}

function reportOtherwise({ kind, count, frames, linux, other }: Otherwise): ReportOtherwise {
  return { kind, count, frames: frames.map(frameRef), linux, other };
}

function reportInput({ id, name, label, kind }: Input, world: World): ReportInput {
  const called = label === name ? {} : { label };
  const timeline = world.timelines.find((t) => t.capture === id);
  if (timeline === undefined) return { id, name, ...called, kind };
  const { first, last, format, frames } = timeline;
  const vantage = world.at.get(id) ?? world.vantages.get(id)?.summary(timeline) ?? 'unknown';
  const extent =
    first === undefined || last === undefined ? {} : { from: frameRef(first).time, to: frameRef(last).time };
  return { id, name, ...called, kind, format, frames, vantage, ...extent };
}

export function reportFinding(finding: Finding): ReportFinding {
  const { rule, severity, certainty, subject, facts, message, notes, missing, fix } = finding;
  return {
    rule: rule.name,
    severity,
    certainty,
    subject,
    frames: finding.frames.map(frameRef),
    facts,
    ruledOut: finding.ruledOut.map(({ rule: name, because, frames }) => ({
      rule: name,
      because,
      frames: (frames ?? []).map(frameRef),
    })),
    missing,
    message,
    notes,
    fix,
    ...(finding.edits.length === 0 ? {} : { edits: finding.edits }),
  };
}

function counts(timelines: readonly Timeline[]): Report['counts'] {
  const skipped: Record<string, number> = {};
  const messages: Record<string, number> = {};
  const verdicts: Record<string, number> = {};
  let frames = 0;
  let datagrams = 0;
  for (const timeline of timelines) {
    frames += timeline.frames;
    datagrams += timeline.datagrams;
    for (const [kind, { count }] of timeline.skipped) skipped[kind] = (skipped[kind] ?? 0) + count;
    for (const [kind, count] of Object.entries(timeline.messages)) messages[kind] = (messages[kind] ?? 0) + count;
    for (const [kind, count] of Object.entries(timeline.verdicts)) verdicts[kind] = (verdicts[kind] ?? 0) + count;
  }
  return { frames, datagrams, skipped, messages, verdicts };
}
