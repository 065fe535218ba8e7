import { expect, test } from 'vitest';
import { extent } from '../../src/base/extent.ts';

test('extent of lists longer than a stack', () => {
  expect(extent([3, -1, 2])).toEqual([-1, 3]);
  expect(extent(Array.from({ length: 500_000 }, (_, i) => i))).toEqual([0, 499_999]);
  expect(extent([])).toEqual([Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]);
});
