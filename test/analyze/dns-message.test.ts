/** DNS messages: names, pointers, what is cut, and any bytes at all (RFC 1035 §4.1). */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readDns } from '../../src/analyze/inner/dns-message.ts';
import { concat, utf8 } from '../../src/base/bytes.ts';
import { be16, be32, bytes } from '../packet/build.ts';

const header = (questions: number, answers = 0): Uint8Array =>
  concat(be16(7), be16(0x0100), be16(questions), be16(answers), be16(0), be16(0));
const label = (text: string): Uint8Array => concat(bytes(text.length), utf8(text));
const TAIL = concat(be16(1), be16(1));

test.each<[string, Uint8Array, readonly string[], boolean]>([
  ['a name', concat(header(1), label('a'), label('bc'), bytes(0), TAIL), ['a.bc'], true],
  ['the root', concat(header(1), bytes(0), TAIL), ['.'], true],
  ['a pointer back', concat(header(2), label('x'), bytes(0), TAIL, label('y'), be16(0xc00c), TAIL), ['x', 'y.x'], true],
  [
    'what is not printable, and a dot',
    concat(header(1), bytes(3, 0x2e, 7, 0x5c), bytes(0), TAIL),
    ['\\046\\007\\092'],
    true,
  ],
  ['a pointer to itself', concat(header(1), be16(0xc00c), TAIL), [], false],
  ['a pointer ahead', concat(header(1), be16(0xc012), TAIL, label('x'), bytes(0)), [], false],
  ['two that point at each other', concat(header(1), label('a'), be16(0xc00c), TAIL), [], false],
  ['a name that is cut', concat(header(1), bytes(9, 97)), [], false],
  [
    'a name that is too long',
    concat(header(1), ...Array.from({ length: 5 }, () => label('x'.repeat(63))), bytes(0), TAIL),
    [],
    false,
  ],
  ['more claimed than there', concat(header(3), label('a'), bytes(0), TAIL), ['a'], false],
])('%s', (_, message, names, whole) => {
  const read = readDns(message);
  expect(read?.questions.map(({ name }) => name)).toEqual(names);
  expect(read?.whole).toBe(whole);
});

test('an answer that is longer than the message is not read', () => {
  const answer = concat(bytes(0), be16(1), be16(1), be32(5), be16(4), bytes(192, 0, 2));
  expect(readDns(concat(header(0, 1), answer))?.answers).toEqual([]);
  expect(readDns(concat(header(0, 1), answer, bytes(1)))?.answers).toEqual([
    { name: '.', type: 1, at: 12, length: 15, ttl: 5, value: '192.0.2.1' },
  ]);
});

test('any bytes are read without an error, and in places that are there', () => {
  const counted = fc.uint8Array({ maxLength: 300 }).map((rest) =>
    concat(
      header(3, 3),
      rest.map((byte) => (byte > 200 ? 0xc0 : byte % 70)),
    ),
  );
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 100 }), counted), (message) => {
      const read = readDns(message);
      if (read === undefined) {
        expect(message.length).toBeLessThan(12);
        return;
      }
      for (const { at, length, name } of [...read.questions, ...read.answers]) {
        expect(at + length).toBeLessThanOrEqual(message.length);
        expect(name).toMatch(/^[\x21-\x7e]+$/);
      }
    }),
    { numRuns: 500 },
  );
});
