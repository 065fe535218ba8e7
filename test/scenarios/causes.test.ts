/** For every cause and every failure story: it is shown by something, and is found. */
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { rules } from '../../src/diagnose/registry.ts';
import { checkTexts } from '../diagnose/checked.ts';
import { SHARED_ABSENT, shared } from '../shared.ts';
import { CAUSES, type Case, STORIES } from './causes.ts';
import { declaredFindings } from './lab.ts';

const numbers = (letter: string, count: number): string[] =>
  Array.from({ length: count }, (_, i) => `${letter}${i + 1}`);
/** That a capture or a file cannot show them is agreed. */
const ADVICE_ONLY = ['A39', 'A47'];
/** And these are not to be shown either, for the reason in the table. */
const NOT_SHOWN = ['S23'];

test('none is left out', () => {
  expect(CAUSES.map(({ id }) => id)).toEqual(numbers('A', 48));
  expect(STORIES.map(({ id }) => id)).toEqual(numbers('S', 24));
});

test.skipIf(SHARED_ABSENT)('there are no more of them', () => {
  const rows = readFileSync(shared('reference/causes.md'), 'utf8').match(/^\| A\d+ \|/gm);
  expect(rows).toHaveLength(48);
});

test('only what is agreed is answered with advice', () => {
  const advised = [...CAUSES, ...STORIES].filter(({ cases }) => cases.some((one) => 'advice' in one));
  expect(advised.map(({ id }) => id)).toEqual([...ADVICE_ONLY, ...NOT_SHOWN]);
});

const names = new Set(rules.map(({ name }) => name));
const declared = declaredFindings();

async function found(one: Exclude<Case, { readonly advice: string }>): Promise<string[]> {
  expect(names).toContain(one.finds);
  if ('lab' in one) {
    // that the file is right, test/scenarios/lab.test.ts sees
    const lines = declared[one.lab] ?? expect.fail(`there is no ${one.lab}`);
    return lines.filter((line) => !line.startsWith('hidden')).map((line) => line.split(' ')[2] ?? '');
  }
  if ('texts' in one) return (await checkTexts(one.texts)).findings.map(({ rule }) => rule);
  const file = new URL(`../diagnose/${one.test}`, import.meta.url);
  expect(existsSync(file)).toBe(true);
  return new RegExp(`(?<![\\w-])${one.finds}(?![\\w-])`).test(readFileSync(file, 'utf8')) ? [one.finds] : [];
}

describe.each([...CAUSES, ...STORIES].map(({ id, what, cases }) => [`${id} ${what}`, cases] as const))(
  '%s',
  (_, cases) => {
    const shown = cases.filter((one): one is Exclude<Case, { readonly advice: string }> => !('advice' in one));
    test.each(shown.map((one) => [one.finds, one] as const))('%s', async (finds, one) => {
      expect(await found(one)).toContain(finds);
    });
    test('and if not, why not', () => {
      const reasons = cases.flatMap((one) => ('advice' in one ? [one.advice] : []));
      expect(reasons.length > 0).toBe(shown.length === 0);
    });
  },
);
