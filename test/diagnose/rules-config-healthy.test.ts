/** Where nothing is wrong, nothing is said to be: no error, no warning, and every line is read. */
import { expect, test } from 'vitest';
import { checkTexts, sentence } from './checked.ts';
import { HEALTHY_TEXTS } from './healthy.ts';

test('the table is wide', () => {
  expect(HEALTHY_TEXTS.length).toBeGreaterThanOrEqual(25);
  expect(new Set(HEALTHY_TEXTS.map(([title]) => title)).size).toBe(HEALTHY_TEXTS.length);
});

test.each(HEALTHY_TEXTS)('%s', async (_, texts) => {
  const { findings, problems, inputs } = await checkTexts(texts);
  expect(findings.filter(({ severity }) => severity !== 'info').map(sentence)).toEqual([]);
  expect(problems).toEqual([]);
  expect(inputs.map(({ name }) => name)).toEqual(Object.keys(texts));
});

test('keys that were taken out before the file was shown: named as places, and no fault', async () => {
  const [, texts] = HEALTHY_TEXTS[0] ?? [];
  const berlin = (texts?.['berlin.conf'] ?? '').replace(/(PrivateKey|PresharedKey) = .*/g, '$1 = (hidden)');
  const { findings, problems } = await checkTexts({ 'berlin.conf': berlin });
  expect(findings.map(sentence)).toEqual([]);
  expect(problems.map(({ line, column }) => [line, column])).toEqual([
    [3, 14],
    [13, 16],
  ]);
});
