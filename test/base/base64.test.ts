/** Key text against Node's own base64, and every way to be wrong. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeKeyText, toBase64 } from '../../src/base/base64.ts';
import { anyText } from '../any-text.ts';

const KEY = 'YDCttCs9e1J52/g9vEnwJJa+2x6RqaayAYMpSVQfGEY=';

test('toBase64 writes what Buffer writes', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 100 }),
      (b) => void expect(toBase64(b)).toBe(Buffer.from(b).toString('base64')),
    ),
  );
});

test('a key survives the round trip', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 32, maxLength: 32 }),
      (b) => void expect(decodeKeyText(toBase64(b))).toEqual(b),
    ),
  );
});

test('strict takes one text per key, lenient also those with trailing bits', () => {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
  const strict = [...alphabet].filter((c) => decodeKeyText(`${KEY.slice(0, 42)}${c}=`) instanceof Uint8Array);
  expect(strict.join('')).toBe('AEIMQUYcgkosw048');
  for (const c of alphabet) {
    const text = `${KEY.slice(0, 42)}${c}=`;
    expect(decodeKeyText(text, true)).toEqual(new Uint8Array(Buffer.from(text, 'base64')));
  }
});

test.each([
  ['', { kind: 'length', length: 0 }],
  [KEY.slice(0, 43), { kind: 'length', length: 43 }],
  [`${KEY}=`, { kind: 'length', length: 45 }],
  [`${KEY.slice(0, 43)}A`, { kind: 'padding' }],
  [`${KEY.slice(0, 10)}-${KEY.slice(11)}`, { kind: 'character', column: 10, character: '-' }],
  [`${KEY.slice(0, 42)}==`, { kind: 'character', column: 42, character: '=' }],
  [`${KEY.slice(0, 42)}Z=`, { kind: 'trailing-bits' }],
])('decodeKeyText(%j)', (text, fault) => {
  expect(decodeKeyText(text)).toEqual(fault);
});

test('decodeKeyText never throws', () => {
  fc.assert(
    fc.property(
      anyText({ minLength: 40, maxLength: 48 }),
      fc.boolean(),
      (text, lenient) => void decodeKeyText(text, lenient),
    ),
  );
});
