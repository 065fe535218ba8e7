/** What is said of byte arrays is said of their bytes, wherever they stand, and of nothing that is not one. */
import { expect, test } from 'vitest';

const bytes = Uint8Array.of(1, 2, 3);

test('equal bytes, of any memory', () => {
  expect(Uint8Array.of(0, 1, 2, 3).subarray(1)).toEqual(bytes);
  expect([{ bytes: bytes.slice() }]).toEqual([{ bytes }]);
  expect(bytes).toStrictEqual(bytes.slice());
});

test.each<[string, unknown]>([
  ['another byte', Uint8Array.of(1, 2, 4)],
  ['one less', Uint8Array.of(1, 2)],
  ['one more', Uint8Array.of(1, 2, 3, 0)],
  ['none', new Uint8Array()],
  ['a list', [1, 2, 3]],
  ['other words', Uint16Array.of(1, 2, 3)],
  ['a Buffer', Buffer.from(bytes)],
  ['nothing', undefined],
])('%s is not equal', (_, other) => {
  expect(other).not.toEqual(bytes);
  expect(bytes).not.toEqual(other);
  expect({ in: [other] }).not.toEqual({ in: [bytes] });
  expect({ in: [bytes], more: 1 }).not.toMatchObject({ in: [other] });
});
