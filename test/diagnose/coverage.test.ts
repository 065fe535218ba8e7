/**
 * Every rule runs on every capture of the set, and fires exactly where vectors/findings.json says.
 * After a change that is meant: WGWHY_UPDATE_FINDINGS=1 npx vitest run test/diagnose/coverage.test.ts writes the file
 * anew; read its diff.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { rules } from '../../src/diagnose/registry.ts';
import { declaredFindings, diagnoseLab, fastCrypto, findingLines, LAB_CASES, writeFindings } from '../scenarios/lab.ts';

const UPDATE = (process.env['WGWHY_UPDATE_FINDINGS'] ?? '') !== '';

/** Rules that no capture of the set shows, and the test that shows each. */
const SHOWN_ELSEWHERE: Readonly<Record<string, string>> = {
  'capture-damaged': 'rules-capture.test.ts',
  'capture-one-sided': 'rules-capture.test.ts',
  'data-after-expiry': 'rules-session.test.ts',
  'key-missing': 'rules-capture.test.ts',
  'key-role-swap': 'rules-config.test.ts',
  'malformed-message': 'rules-capture.test.ts',
  'not-wireguard': 'rules-capture.test.ts',
  obfuscated: 'rules-capture.test.ts',
  'packet-replayed': 'rules-session.test.ts',
  'packet-too-old': 'rules-session.test.ts',
  'packet-unsealable': 'rules-session.test.ts',
  'peer-header-missing': 'rules-config.test.ts',
};

/** Shown by no test yet. Must be emptied. */
const SHOWN_NOWHERE: readonly string[] = [
  'clock-skew',
  'cookie-ignored',
  'cookie-unsealable',
  'initiation-flood',
  'key-changed',
  'mac2-invalid',
  'path-filtered',
  'response-unexpected',
  'response-unsealable',
  'timestamp-suspect',
  'timestamp-unsealable',
  'weak-shared-secret',
];

const declared = UPDATE ? {} : declaredFindings();
const found: Record<string, readonly string[]> = {};

beforeAll(async () => {
  for (const one of LAB_CASES) found[one.id] = findingLines(await diagnoseLab(one, { crypto: fastCrypto }));
  if (UPDATE) writeFindings(found);
}, 120_000);

test.skipIf(UPDATE)('every capture and vantage is declared', () => {
  expect(Object.keys(declared)).toEqual(LAB_CASES.map(({ id }) => id));
});

describe.skipIf(UPDATE)('exactly these findings', () => {
  test.each(LAB_CASES.map(({ id }) => id))('%s', (id) => expect(found[id]).toEqual(declared[id]));
});

test('every rule fires on a capture of the set or is shown by another test', () => {
  const shown = new Set(Object.values(found).flatMap((lines) => lines.filter((line) => !line.startsWith('hidden'))));
  const fires = (rule: string): boolean => [...shown].some((line) => line.endsWith(` ${rule}`));
  const nowhere = rules.map(({ name }) => name).filter((name) => !fires(name));
  expect([...Object.keys(SHOWN_ELSEWHERE), ...SHOWN_NOWHERE].sort()).toEqual(nowhere.sort());
});

test('what no test shows is said by none', () => {
  const tests = readdirSync(new URL('.', import.meta.url)).filter((name) => /^rules-.*\.test\.ts$/.test(name));
  const texts = tests.map((name) => readFileSync(new URL(name, import.meta.url), 'utf8')).join('');
  expect(SHOWN_NOWHERE.filter((rule) => new RegExp(`'${rule}'`).test(texts))).toEqual([]);
});

test.each(Object.entries(SHOWN_ELSEWHERE))('%s is shown by %s', (rule, file) => {
  expect(readFileSync(new URL(file, import.meta.url), 'utf8')).toMatch(new RegExp(`\\b${rule}\\b`));
});

test('no rule is declared that does not exist', () => {
  const names = new Set(rules.map(({ name }) => name));
  const named = Object.values(declared).flatMap((lines) =>
    lines.map((line) => line.replace(/ \(.*/, '').replace(/.* /, '')),
  );
  expect([...new Set(named)].filter((name) => !names.has(name))).toEqual([]);
});
