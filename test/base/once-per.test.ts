import { expect, test } from 'vitest';
import { oncePer } from '../../src/base/once-per.ts';

test('oncePer works out one value for each object', () => {
  let made = 0;
  const doubled = oncePer(({ of }: { readonly of: number }) => ({ value: of * 2, made: ++made }));
  const [one, other] = [{ of: 1 }, { of: 1 }];
  expect([doubled(one), doubled(other), doubled(one)]).toEqual([
    { value: 2, made: 1 },
    { value: 2, made: 2 },
    { value: 2, made: 1 },
  ]);
});
