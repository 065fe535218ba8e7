/** The registry as a whole: names, pages, and what hides what. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { rules } from '../../src/diagnose/registry.ts';
import { SHARED_ABSENT, shared } from '../shared.ts';

const names = rules.map(({ name }) => name);
const files = readdirSync(fileURLToPath(new URL('../../src/diagnose/rules/', import.meta.url)));

test('one rule, one file, one name', () => {
  expect(new Set(names).size).toBe(names.length);
  expect(files.map((file) => file.replace(/\.ts$/, '')).sort()).toEqual([...names].sort());
});

test('what is hidden exists', () => {
  expect(
    rules.flatMap(({ name, hides = [] }) =>
      hides.filter((other) => !names.includes(other)).map((other) => `${name} > ${other}`),
    ),
  ).toEqual([]);
});

test('hiding has no cycle', () => {
  const below = new Map(rules.map(({ name, hides = [] }) => [name, hides]));
  const cycles: string[] = [];
  const walk = (name: string, path: readonly string[]): void => {
    if (path.includes(name)) cycles.push([...path.slice(path.indexOf(name)), name].join(' > '));
    else for (const next of below.get(name) ?? []) walk(next, [...path, name]);
  };
  for (const name of names) walk(name, []);
  expect([...new Set(cycles)]).toEqual([]);
});

describe.each(rules.map((rule) => [rule.name, rule] as const))('%s', (_, { explain, fromSilence, on }) => {
  test.each(Object.entries(explain))('the page says %s in plain words', (_part, sentence) => {
    expect(sentence).not.toMatch(/\.$/);
    expect(sentence).toMatch(
      /^(?:[^A-Z]|[A-Z0-9]{2}|WireGuard|RouterOS|Linux|AllowedIPs|PersistentKeepalive|Endpoint)/,
    );
    expect(sentence.length).toBeGreaterThan(30);
  });
  test('silence is judged over attempts', () => {
    if (fromSilence === true) expect(on).toBe('attempt');
  });
});

/** Where the catalogue has no name for it: an implementation’s own words in a log, what no tunnel is behind. */
const ADDED = new Set(['log-refusal', 'port-not-listening', 'stray-initiations']);

/** First cells of the tables and the plain lists of the catalogue. */
function catalogue(): string[] {
  const text = readFileSync(shared('FINDINGS.md'), 'utf8');
  return [...text.matchAll(/\b[a-z0-9]+(?:-[a-z0-9]+)*\b/g)].map(([name]) => name);
}

test.skipIf(SHARED_ABSENT)('names are those of the catalogue', () => {
  const known = new Set(catalogue());
  expect(names.filter((name) => !known.has(name) && !ADDED.has(name))).toEqual([]);
});
