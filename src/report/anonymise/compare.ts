/** Two reports of one story: which findings are the same, down to the frames they cite. */
import type { Certainty, Report, ReportFinding, Severity } from '../model.ts';

/** A finding of one of them that the other lacks; without its message, which may name what nobody is to read. */
export interface Difference {
  readonly rule: string;
  readonly severity: Severity;
  readonly certainty: Certainty;
  /** `a.pcap:12`, as the second calls the capture: the number is the same in both. */
  readonly frames: readonly string[];
}

export interface Compared {
  readonly same: number;
  readonly lost: readonly Difference[];
  /** Of the second one alone: it says of the anonymised files what is not true of the originals. */
  readonly added: readonly Difference[];
}

/** `names`: what an input of the first is called in the second. */
export function compareReports(first: Report, second: Report, names: ReadonlyMap<string, string>): Compared {
  const before = first.findings.map((finding) => told(finding, first, (name) => names.get(name) ?? name));
  const after = second.findings.map((finding) => told(finding, second, (name) => name));
  const left = [...after];
  const lost = before.filter((one) => {
    const at = left.findIndex((other) => sameAs(one, other));
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
  return { same: before.length - lost.length, lost, added: left };
}

function told(
  { rule, severity, certainty, frames }: ReportFinding,
  { inputs }: Report,
  nameOf: (name: string) => string,
): Difference {
  const called = new Map(inputs.map(({ id, name }) => [id, nameOf(name)]));
  return {
    rule,
    severity,
    certainty,
    frames: frames.map(({ input, frame }) => `${called.get(input) ?? input}:${frame}`),
  };
}

const sameAs = (a: Difference, b: Difference): boolean =>
  a.rule === b.rule && a.severity === b.severity && a.certainty === b.certainty && a.frames.join() === b.frames.join();
