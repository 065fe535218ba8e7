/**
 * Every capture of the lab from every vantage that its truth file speaks of: the root cause, nothing untrue beside it, and
 * exactly what vectors/findings.json says (test/diagnose/coverage.test.ts writes it anew).
 */

import { describe, expect, test } from 'vitest';
import { nodeCrypto } from '../../src/crypto/node.ts';
import { factsOfFrames } from './frames.ts';
import { type Frames, judge, judgeFrames } from './judge.ts';
import { declaredFindings, diagnoseLab, findingLines, LAB_CASES, LAB_FOLDERS, type LabCase, labFile } from './lab.ts';

/** What is not said yet, since its rule belongs to a later step. Must be emptied as the rules come. */
const LATER: Readonly<Record<string, readonly string[]>> = {
  // data are compared by length only
  'lab-more/corrupted-data both': ['nothing stands first, not modified-in-transit'],
};

const declared = declaredFindings();

/** One view of the first set as who calls the library runs it; the others with the faster X25519, as the command does. */
const cryptoFor = ({ folder, vantage }: LabCase) =>
  folder.startsWith('lab/') && vantage === 'both' ? {} : { crypto: nodeCrypto };

const factsByName = new Map<string, ReturnType<typeof factsOfFrames>>();

/** Of a capture that several vantages share. */
function factsOf(name: string): ReturnType<typeof factsOfFrames> {
  const facts = factsByName.get(name) ?? factsOfFrames(labFile(name));
  factsByName.set(name, facts);
  return facts;
}

test('the set is whole', () => {
  expect(LAB_FOLDERS.length).toBeGreaterThanOrEqual(65);
  expect(LAB_CASES.length).toBeGreaterThanOrEqual(194);
  const ids = LAB_CASES.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  expect(Object.keys(LATER).filter((id) => !ids.includes(id))).toEqual([]);
});

describe.each(LAB_FOLDERS)('%s', { timeout: 60_000 }, (folder) => {
  const cases = LAB_CASES.filter((one) => one.folder === folder).map((one) => [one.vantage, one] as const);
  test.each(cases)('%s', async (_, one) => {
    const report = await diagnoseLab(one, cryptoFor(one));
    expect(judge(report, one.view)).toEqual(LATER[one.id] ?? []);
    expect(findingLines(report)).toEqual(declared[one.id]);

    const captures = new Map<string, Awaited<ReturnType<typeof factsOfFrames>>>();
    for (const { id, name, kind } of report.inputs) {
      if (kind === 'capture') captures.set(id, await factsOf(name));
    }
    expect(judgeFrames(report, captures satisfies Frames)).toEqual([]);
    expect(report.problems).toEqual([]);
  });
});
