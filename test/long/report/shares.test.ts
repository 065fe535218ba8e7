/** Every capture of the lab in shares, from every vantage. */
import { expect, test } from 'vitest';
import { comparable, lines, sharedOut, textsOf } from '../../report/shared-out.ts';
import { LAB_CASES } from '../../scenarios/lab.ts';

test.each(LAB_CASES.map((one) => [one.id, one] as const))('%s', async (_, one) => {
  const { whole, runs, reduced } = await sharedOut(textsOf(one), 3, one);
  expect(lines(runs)).toEqual(lines([whole]));
  expect(comparable(reduced)).toEqual(comparable(whole));
});
