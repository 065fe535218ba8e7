/** Traffic keys, `--public-key` and the decoding of files. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { toBase64 } from '../../src/base/base64.ts';
import { parsePublicKeyArgument } from '../../src/config/public-key-argument.ts';
import { decodeText, lines, MAX_TEXT_BYTES } from '../../src/config/text.ts';
import { parseTrafficKeys } from '../../src/config/traffic-keys.ts';

const KEY = 'YDCttCs9e1J52/g9vEnwJJa+2x6RqaayAYMpSVQfGEY=';

describe('traffic keys', () => {
  test('as extract-keys prints them', () => {
    const { keys, problems } = parseTrafficKeys(
      `# x\n0x30d037d8 ${KEY}\r\n\n  0xAB\t${KEY}  \nSTAT ${KEY}\n0xffffffff ${KEY}`,
    );
    expect(problems).toEqual([]);
    expect(keys.map((k) => [k.index, toBase64(k.key), k.line])).toEqual([
      [0x30d037d8, KEY, 2],
      [0xab, KEY, 4],
      [0xffffffff, KEY, 6],
    ]);
  });

  test.each([
    [`30d037d8 ${KEY}`, 1, 'this line does not begin with an index', 'write 0xINDEX KEY, as extract-keys prints it'],
    [
      ` 0x130d037d8 ${KEY}`,
      2,
      'the index is not 1 to 8 hexadecimal digits',
      'write 0xINDEX KEY, as extract-keys prints it',
    ],
    ['0x1', 4, 'the key has no value', 'a key is 44 characters of base64'],
    [`0x1 ${KEY.slice(0, 43)}`, 48, "the key has 43 characters: the '=' at the end is missing", "add '=' at the end"],
    [
      `0x1  ${KEY} more`,
      50,
      'the key contains a character that base64 does not have',
      'copy the key again from where it was made',
    ],
  ])('%j', (text, column, message, hint) => {
    expect(parseTrafficKeys(text)).toEqual({ keys: [], problems: [{ message, line: 1, column, hint }] });
  });

  test('a written list is read back', () => {
    const row = fc.record({
      index: fc.integer({ min: 0, max: 0xffffffff }),
      key: fc.uint8Array({ minLength: 32, maxLength: 32 }),
    });
    fc.assert(
      fc.property(fc.array(row, { maxLength: 8 }), (rows) => {
        const { keys, problems } = parseTrafficKeys(
          rows.map((r) => `0x${r.index.toString(16).padStart(8, '0')} ${toBase64(r.key)}\n`).join(''),
        );
        expect(problems).toEqual([]);
        expect(keys).toEqual(rows.map((r, i) => ({ ...r, line: i + 1 })));
      }),
    );
  });
});

describe('--public-key', () => {
  test('NAME=KEY', () => {
    const read = parsePublicKeyArgument(` office router = ${KEY} `);
    expect(read.ok && [read.value.name, toBase64(read.value.key)]).toEqual(['office router', KEY]);
  });

  const form = "write NAME=KEY, such as office-router=KEY with the 44 characters of 'wg pubkey'";
  test.each([
    ['office', { message: "the public key has no '='", hint: form }],
    [KEY, { message: 'the public key has no name', column: 1, hint: form }],
    [`=${KEY}`, { message: 'the name before the = is empty', column: 1, hint: form }],
    [`${'x'.repeat(65)}=${KEY}`, { message: 'the name is longer than 64 characters', column: 1, hint: form }],
    [`a\u001bb=${KEY}`, { message: 'the name contains a control character', column: 1, hint: form }],
    ['office=', { message: 'the public key has no value', column: 8, hint: 'a key is 44 characters of base64' }],
    [
      `office= ${KEY.slice(0, 43)}`,
      {
        message: "the public key has 43 characters: the '=' at the end is missing",
        column: 52,
        hint: "add '=' at the end",
      },
    ],
  ])('%j is refused', (text, problem) => {
    expect(parsePublicKeyArgument(text)).toEqual({ ok: false, error: problem });
  });
});

describe('decodeText', () => {
  const sample = `[Interface]\r\nPrivateKey = ${KEY}\n# Köln`;
  const le = Buffer.from(sample, 'utf16le');
  test.each<[string, Uint8Array, string[]]>([
    ['UTF-8', Buffer.from(sample), []],
    [
      'UTF-8 with a mark',
      Buffer.concat([Buffer.of(0xef, 0xbb, 0xbf), Buffer.from(sample)]),
      ['the file begins with a byte order mark, which wg refuses'],
    ],
    [
      'UTF-16LE with a mark',
      Buffer.concat([Buffer.of(0xff, 0xfe), le]),
      ['the file is UTF-16, which wg and Wireshark cannot read'],
    ],
    [
      'UTF-16BE with a mark',
      Buffer.concat([Buffer.of(0xff, 0xfe), le]).swap16(),
      ['the file is UTF-16, which wg and Wireshark cannot read'],
    ],
    ['UTF-16LE without', le, ['the file is UTF-16, which wg and Wireshark cannot read']],
    ['UTF-16BE without', Buffer.from(le).swap16(), ['the file is UTF-16, which wg and Wireshark cannot read']],
    ['Latin-1', Buffer.from(sample, 'latin1'), ['the file is not UTF-8; it was read as Latin-1']],
  ])('%s', (_, bytes, messages) => {
    const { text, problems } = decodeText(new Uint8Array(bytes));
    expect(text).toBe(sample);
    expect(problems.map((p) => p.message)).toEqual(messages);
  });

  test('too long a file is cut', () => {
    const { text, problems } = decodeText(new Uint8Array(MAX_TEXT_BYTES + 1).fill(0x20));
    expect(text).toHaveLength(MAX_TEXT_BYTES);
    expect(problems).toHaveLength(1);
  });

  test('any UTF-8 text comes through, and no bytes throw', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme' }),
        (s) => void expect(decodeText(Buffer.from(`ab${s}`)).text).toBe(`ab${s}`),
      ),
    );
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (b) => void decodeText(b)));
  });
});

test('lines end with LF, CR LF or CR', () => {
  expect([...lines('a\nb\r\nc\r\n\rd')].map((l) => [l.number, l.text])).toEqual([
    [1, 'a'],
    [2, 'b'],
    [3, 'c'],
    [4, ''],
    [5, 'd'],
  ]);
  expect([...lines('')]).toEqual([]);
});
