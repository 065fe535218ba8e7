/** Every capture of the lab from every vantage that its truth file speaks of: the root cause, and nothing untrue beside it. */

import { describe, expect, test } from 'vitest';
import { nodeCrypto } from '../../src/crypto/node.ts';
import { factsOfFrames } from './frames.ts';
import { type Frames, judge, judgeFrames } from './judge.ts';
import { diagnoseLab, LAB_CASES, LAB_FOLDERS, labFile } from './lab.ts';

/** What is not said yet, since its rule belongs to a later step. Must be emptied as the rules come. */
const LATER: Readonly<Record<string, readonly string[]>> = {
  // rule source-not-allowed: needs the inner packets
  'lab-more/allowedips-server-drops both': ['allowedips-missing-address stands first, not source-not-allowed'],
  // data are compared by length only
  'lab-more/corrupted-data both': ['nothing stands first, not modified-in-transit'],
};

/** The first set as a user runs it; the larger one with the faster X25519. */
const cryptoFor = (folder: string) => (folder.startsWith('lab/') ? {} : { crypto: nodeCrypto });

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
    const report = await diagnoseLab(one, cryptoFor(folder));
    expect(judge(report, one.view)).toEqual(LATER[one.id] ?? []);

    const captures = new Map<string, Awaited<ReturnType<typeof factsOfFrames>>>();
    for (const { id, name, kind } of report.inputs) {
      if (kind === 'capture') captures.set(id, await factsOfFrames(labFile(name)));
    }
    expect(judgeFrames(report, captures satisfies Frames)).toEqual([]);
    expect(report.problems).toEqual([]);
  });
});
