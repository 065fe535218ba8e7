/** Every capture of the lab anonymised, from every vantage. */
import { test } from 'vitest';
import { expectTheSameStory } from '../../scenarios/anonymised.ts';
import { LAB_CASES } from '../../scenarios/lab.ts';

test.each(LAB_CASES.map((one) => [one.id, one] as const))('%s', async (_, one) => {
  await expectTheSameStory(one);
});
