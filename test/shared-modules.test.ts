/** Test files of one worker share modules and globals (vitest.config.ts): none replaces any, so that their order is no matter. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const TEST = fileURLToPath(new URL('.', import.meta.url));
/** They have workers of their own. */
const APART = /^(?:interop|long)\b/;

const BANNED: readonly RegExp[] = [
  /\bvi\s*\.\s*(?:mock|doMock|hoisted|spyOn|stub\w+|useFakeTimers|setSystemTime|resetModules)\b/,
  // a member of the process or of the global object is set or removed
  /\b(?:process|globalThis)(?:\.\w+|\[[^\]]*\])+\s*(?:[?|&]{2}|\+)?=(?![=>])/,
  /\bdelete\s+(?:process|globalThis)\b/,
  /\bprocess\s*\.\s*chdir\b/,
];

const isBanned = (text: string): boolean => BANNED.some((banned) => banned.test(text));

test('no test replaces what others use', () => {
  const files = readdirSync(TEST, { recursive: true, encoding: 'utf8' }).filter(
    (name) => name.endsWith('.ts') && !APART.test(name) && name !== 'shared-modules.test.ts',
  );
  expect(files.length).toBeGreaterThan(100);
  expect(files.filter((name) => isBanned(readFileSync(TEST + name, 'utf8')))).toEqual([]);
});

test.each([
  "vi.mock('../src/base/bytes.ts');",
  'vi.useFakeTimers();',
  "vi.spyOn(process, 'exit');",
  "process.env['TZ'] = 'UTC';",
  'process.exitCode = 1;',
  "process.chdir('/');",
  'globalThis.crypto = fake;',
  "process.env['TZ'] ??= 'UTC';",
  "delete process.env['TZ'];",
])('noticed: %s', (text) => {
  expect(isBanned(text)).toBe(true);
});

test.each([
  "const UPDATE = (process.env['X'] ?? '') !== '';",
  "if (process.env['X'] === 'y') run();",
  'const send = vi.fn();',
  'process.stdout.write(text);',
])('let be: %s', (text) => {
  expect(isBanned(text)).toBe(false);
});
