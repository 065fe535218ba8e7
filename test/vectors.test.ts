/** The vector loader refuses what it does not know, and says where. */
import { expect, test } from 'vitest';
import {
  counter,
  dictionary,
  fields,
  flag,
  hex,
  int,
  list,
  loadVectors,
  oneOf,
  optional,
  pairs,
  text,
} from './vectors.ts';

const row = fields({ name: text, size: optional(int), steps: pairs(counter, oneOf('ok', 'replayed')) });

test('a whole row', () => {
  expect(row({ name: 'a', steps: [['18446744073709551615', 'ok']] }, 'row')).toEqual({
    name: 'a',
    size: undefined,
    steps: [[2n ** 64n - 1n, 'ok']],
  });
});

test.each([
  ['an unknown field', row, { name: 'a', steps: [], extra: 1 }, 'row.extra: not a known field'],
  ['an inherited name', row, { name: 'a', steps: [], toString: 1 }, 'row.toString: not a known field'],
  ['a missing field', row, { steps: [] }, 'row.name: not text'],
  ['a wrong word', row, { name: 'a', steps: [['1', 'maybe']] }, 'row.steps[0][1]: not ok | replayed'],
  ['a triple', row, { name: 'a', steps: [['1', 'ok', 2]] }, 'row.steps[0]: not a pair'],
  [
    'a counter too great',
    row,
    { name: 'a', steps: [['18446744073709551616', 'ok']] },
    'row.steps[0][0]: not a 64-bit counter',
  ],
  ['a list for a record', row, [], 'row: not a record'],
  ['a record for a list', list(int), {}, 'row: not a list'],
  ['a fraction', list(int), [1, 1.5], 'row[1]: not a whole number'],
  ['half a byte', hex, 'abc', 'row: not hexadecimal'],
  ['a word for a flag', dictionary(flag), { a: 'true' }, 'row.a: not true or false'],
])('%s', (_, reader, value, message) => {
  expect(() => (reader as (value: unknown, path: string) => unknown)(value, 'row')).toThrow(message);
});

test('a file with top-level fields that were not asked for is refused', () => {
  expect(() => loadVectors('kdf.json', { key: hex, input: hex, t0: hex, t1: hex, t2: hex })).toThrow(
    'kdf.json.constants',
  );
});
