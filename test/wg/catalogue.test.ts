/** The table of exits is whole in both directions: reasons, drop kinds, findings. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { DROP_OF_REASON, FINDING_OF_DROP, OWN_REASONS } from '../../src/wg/catalogue.ts';
import { SHARED_ABSENT, shared } from '../shared.ts';
import { dictionary, fields, list, type Reader, readVectors, text } from '../vectors.ts';
import { corpusCases } from './corpus.ts';

const place: Reader<unknown> = list(text);
const reason = { code: text, stage: text, condition: text, state_change: text, diagnosis: text };
const places = { kernel: place, wireguard_go: place, boringtun: place, gotatun: place };
const { reasons } = readVectors(
  new URL('../../vectors/drop_reasons.json', import.meta.url),
  fields({
    source: text,
    note: text,
    revisions: dictionary(text),
    order: text,
    reasons: list(fields({ ...reason, ...places })),
  }),
);
const sorted = (values: Iterable<string>): string[] => [...new Set(values)].sort();

test('every collected reason is in the table, and the table has no other', () => {
  expect(reasons).toHaveLength(41);
  const collected = reasons.map(({ code }) => code);
  expect(sorted([...collected, ...OWN_REASONS])).toEqual(sorted(Object.keys(DROP_OF_REASON)));
  expect(OWN_REASONS.filter((code) => collected.includes(code))).toEqual([]);
});

test('every kind stands for a reason, and only a race for none', () => {
  const named = Object.values(DROP_OF_REASON).filter((kind) => kind !== 'race');
  expect(sorted(named)).toEqual(sorted(Object.keys(FINDING_OF_DROP)));
  const races = Object.entries(DROP_OF_REASON).filter(([, kind]) => kind === 'race');
  expect(races.map(([code]) => code)).toEqual(['RESP_STATE_RACE']);
});

test('the corpus expects no reason that is not in the table', () => {
  const expected = sorted(corpusCases.flatMap(({ wanted }) => Object.values(wanted)));
  expect(expected.filter((code) => !(code in DROP_OF_REASON) && !code.startsWith('ACCEPT'))).toEqual([]);
});

describe.skipIf(SHARED_ABSENT)('findings', () => {
  test('each is in the catalogue of findings', () => {
    const catalogue = readFileSync(shared('FINDINGS.md'), 'utf8');
    const missing = Object.values(FINDING_OF_DROP).filter((name) => !new RegExp(`\\b${name}\\b`).test(catalogue));
    expect(missing).toEqual([]);
  });
});
