/** Our numbers are the paper's. */
import { expect, test } from 'vitest';
import * as constants from '../../src/wg/constants.ts';
import { fields, list, type Reader, readVectors, text } from '../vectors.ts';

const cell: Reader<readonly string[]> = list(text);
const table = readVectors(
  new URL('../../vectors/constants.json', import.meta.url),
  fields({ source: text, note: text, columns: list(text), rows: list(cell) }),
);

const column = (name: string, header: string): string => {
  const row = table.rows.find(([first]) => first === name) ?? expect.fail(name);
  return row[table.columns.indexOf(header)] ?? expect.fail(header);
};

test.each([
  ['REKEY_AFTER_TIME_s', 'paper', constants.REKEY_AFTER_TIME_MS / 1000],
  ['REJECT_AFTER_TIME_s', 'paper', constants.REJECT_AFTER_TIME_MS / 1000],
  ['REKEY_ATTEMPT_TIME_s', 'paper', constants.REKEY_ATTEMPT_TIME_MS / 1000],
  ['REKEY_TIMEOUT_s', 'paper', constants.REKEY_TIMEOUT_MS / 1000],
  ['KEEPALIVE_TIMEOUT_s', 'paper', constants.KEEPALIVE_TIMEOUT_MS / 1000],
  ['COOKIE_SECRET_s', 'paper', constants.COOKIE_LIFETIME_MS / 1000],
  ['PADDING', 'paper', constants.PADDING_MULTIPLE],
  ['INITIATION_MIN_GAP_ms', 'kernel', constants.INITIATION_MIN_GAP_MS],
  ['REPLAY_WINDOW', 'wireguard_go', constants.REPLAY_WINDOW],
])('%s, %s', (name, header, ours) => {
  expect(column(name, header)).toBe(String(ours));
});

test('limits and jitter', () => {
  const whole = ({ low, high }: constants.Counter): bigint => (BigInt(high) << 32n) | BigInt(low);
  expect(column('REKEY_AFTER_MESSAGES', 'paper')).toBe('2^60');
  expect(whole(constants.REKEY_AFTER_MESSAGES)).toBe(2n ** 60n);
  expect(column('REJECT_AFTER_MESSAGES', 'paper')).toBe('2^64-2^13-1');
  expect(whole(constants.REJECT_AFTER_MESSAGES)).toBe(2n ** 64n - 2n ** 13n - 1n);
  expect(column('REKEY_JITTER_ms', 'paper')).toBe(`0..${constants.REKEY_TIMEOUT_JITTER_MAX_MS}`);
});
