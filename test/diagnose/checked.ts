/** What is said of texts without any capture, each kind told by its content: findings as sentences. */
import { expect } from 'vitest';
import { utf8 } from '../../src/base/bytes.ts';
import { nodeCrypto } from '../../src/crypto/node.ts';
import { diagnose } from '../../src/report/diagnose.ts';
import type { Report, ReportFinding } from '../../src/report/model.ts';

/** File name to its text. */
export type Texts = Readonly<Record<string, string>>;

export async function checkTexts(texts: Texts): Promise<Report> {
  const sources = Object.entries(texts).map(([name, text]) => ({
    name,
    async *open() {
      yield utf8(text);
    },
  }));
  return (await diagnose(sources, { crypto: nodeCrypto })).report;
}

/** `error proven key-mismatch: …` */
export function sentence({ severity, certainty, rule, message }: ReportFinding): string {
  return `${severity} ${certainty} ${rule}: ${message}`;
}

/** What is said of the router around a tunnel has tests of its own. */
const OF_THE_ROUTER = /^ros-/;

export async function findingsOf(texts: Texts): Promise<ReportFinding[]> {
  return (await checkTexts(texts)).findings.filter(({ rule }) => !OF_THE_ROUTER.test(rule));
}

export async function told(texts: Texts): Promise<string[]> {
  return (await findingsOf(texts)).map(sentence);
}

/** `b 7: PublicKey = …`, `b after 8: …`, `b 9 out` */
export function editLines({ edits = [] }: ReportFinding): string[] {
  return edits.map(({ input, line, kind, text = '' }) =>
    kind === 'delete' ? `${input} ${line} out` : `${input} ${kind === 'replace' ? line : `after ${line}`}: ${text}`,
  );
}

/** A table's row: the sentences of all findings, and the edits of all of them where there are any. */
export type Case = readonly [title: string, texts: Texts, wanted: readonly string[], edits?: readonly string[]];

/** For `test.each`, which takes no optional columns. */
export function rows(cases: readonly Case[]): (readonly [string, Texts, readonly string[], readonly string[]])[] {
  return cases.map(([title, texts, wanted, edits = []]) => [title, texts, wanted, edits]);
}

export async function judge(texts: Texts, wanted: readonly string[], edits: readonly string[]): Promise<void> {
  const findings = await findingsOf(texts);
  expect(findings.map(sentence)).toEqual(wanted);
  expect(findings.flatMap(editLines)).toEqual(edits);
  for (const { fix, subject } of findings) {
    expect(subject).toMatch(/^file:/);
    expect([fix.linux?.length, fix.routeros?.length]).not.toContain(0);
  }
}
