/** Wrapping, harmless characters, short times. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { absolute, formatSeconds, parseNs, relative } from '../../src/report/text-time.ts';
import { pad, painter, sanitise, sanitiseAll, widthOf, wrap } from '../../src/report/text-wrap.ts';

test.each([
  ['a plain text', 'a plain text'],
  ['\u001b[31m', '\\u{1b}[31m'],
  ['a\nb\tc\u0000', 'a\\u{a}b\\u{9}c\\u{0}'],
  ['\u009b2J', '\\u{9b}2J'],
  ['\u202egpj.exe', '\\u{202e}gpj.exe'],
  ['\u200b\u2066\ufeff', '\\u{200b}\\u{2066}\\u{feff}'],
  ['\ud800', '\\u{d800}'],
  ['größer 😀 鍵', 'größer 😀 鍵'],
])('sanitise %j', (text, wanted) => {
  expect(sanitise(text)).toBe(wanted);
});

test('sanitiseAll reaches keys and lists, and keeps what is no text', () => {
  expect(sanitiseAll({ 'a\n': ['\u0007', 1, null, true, { b: '\r' }] })).toEqual({
    'a\\u{a}': ['\\u{7}', 1, null, true, { b: '\\u{d}' }],
  });
});

test('wrap hangs, and keeps a long word whole', () => {
  expect(wrap('one two three four', 10, '- ')).toEqual(['- one two', '  three', '  four']);
  expect(wrap('a abcdefghijklmnop b', 8)).toEqual(['a', 'abcdefghijklmnop', 'b']);
  expect(wrap('', 10, 'x ')).toEqual(['x']);
});

test('wrap loses nothing but spaces', () => {
  fc.assert(
    fc.property(fc.string(), fc.integer({ min: 1, max: 40 }), (text, width) => {
      const words = (s: string) => s.split(' ').filter((word) => word !== '');
      expect(wrap(text.replaceAll('\n', ' '), width).flatMap(words)).toEqual(words(text.replaceAll('\n', ' ')));
    }),
  );
});

test('pad counts code points', () => {
  expect(pad('😀', 3)).toBe('😀  ');
  expect(widthOf('a…😀')).toBe(3);
});

test('paint is there or not', () => {
  expect(painter(true)('red', 'x')).toBe('\u001b[1;31mx\u001b[0m');
  expect(painter(false)('red', 'x')).toBe('x');
});

describe('times', () => {
  test.each([
    ['1970-01-01T00:00:01.000000002Z', 1_000_000_002n],
    ['1969-12-31T23:59:59.999999999Z', -1n],
    ['@253402300800.000000001', 253_402_300_800_000_000_001n],
    ['', undefined],
    ['2026-13-41T99:99:99.000000000Z', undefined],
    ['2026-11-21T02:00:37Z', undefined],
  ])('parseNs %j', (text, wanted) => {
    expect(parseNs(text)).toBe(wanted);
  });

  test.each([
    [0n, '0.000 s'],
    [12_345_678_901n, '12.345 s'],
    [-1n, '-0.001 s'],
    [-1_500_000_000n, '-1.500 s'],
    [99_999_999_999_999n, '99999.999 s'],
    [-1_000_000_000_000_000_000n, '-11574.0 d'],
  ])('formatSeconds %d', (ns, wanted) => {
    expect(formatSeconds(ns)).toBe(wanted);
  });

  test('relative and absolute', () => {
    const start = '2026-11-21T02:00:37.000000000Z';
    expect(relative('2026-11-21T02:00:42.125000000Z', start)).toBe('+5.125 s');
    expect(relative('2026-11-21T02:00:36.000000000Z', start)).toBe('-1.000 s');
    expect(relative('', start)).toBeUndefined();
    expect(relative(start, undefined)).toBeUndefined();
    expect(absolute('2026-11-21T02:00:42.125000789Z')).toBe('2026-11-21 02:00:42.125000 UTC');
    expect(absolute('@1.000000000')).toBe('@1.000000000');
  });
});
