/** The policies hold the collected figures, cell by cell. */
import { expect, test } from 'vitest';
import type { Counter } from '../../src/wg/constants.ts';
import * as constants from '../../src/wg/constants.ts';
import { POLICIES, type Policy, type PolicyName } from '../../src/wg/policy.ts';
import { fields, list, readVectors, text } from '../vectors.ts';

const table = readVectors(
  new URL('../../vectors/constants.json', import.meta.url),
  fields({ source: text, note: text, columns: list(text), rows: list(list(text)) }),
);
const COLUMN: Readonly<Record<PolicyName, string>> = {
  linux: 'kernel',
  'wireguard-go': 'wireguard_go',
  boringtun: 'boringtun',
  gotatun: 'gotatun',
};
const cell = (name: string, policy: PolicyName): string => {
  const row = table.rows.find(([first]) => first === name) ?? expect.fail(name);
  return row[table.columns.indexOf(COLUMN[policy])] ?? expect.fail(policy);
};

const whole = ({ low, high }: Counter): bigint => (BigInt(high) << 32n) | BigInt(low);
const limitText = (limit: Counter | undefined): string => {
  if (limit === undefined) return 'not used';
  const value = whole(limit);
  if (value === 2n ** 60n) return '2^60';
  return value === 2n ** 64n - 2n ** 13n - 1n ? '2^64-2^13-1' : `2^64-${2n ** 64n - value}`;
};
const loadText = ({ load }: Policy): string =>
  load.kind === 'queue' ? `${load.depth} of` : `${load.perSecond} handshakes/s`;
const rateText = ({ rateLimit }: Policy): string =>
  rateLimit === undefined ? 'none' : `${rateLimit.perSecond}/s burst ${rateLimit.burst}`;

/** What a cell must begin with, from the policy. */
const ROWS: Readonly<Record<string, (policy: Policy) => string>> = {
  REKEY_AFTER_MESSAGES: ({ rekeyAfterMessages }) => limitText(rekeyAfterMessages),
  REJECT_AFTER_MESSAGES: ({ rejectAfterMessages }) => limitText(rejectAfterMessages),
  REKEY_ATTEMPT_TIME_s: ({ giveUp }) => (giveUp.by === 'time' ? `${giveUp.ms / 1000}` : ''),
  COOKIE_USE_s: ({ cookieUseMs }) => `${cookieUseMs / 1000}`,
  COOKIE_SECRET_s: ({ cookieForm }) => (cookieForm.startsWith('secret') ? '120' : '128 epochs'),
  INITIATION_MIN_GAP_ms: ({ flood }) => (flood.minGapMs === 0 ? 'none' : `${flood.minGapMs}`),
  UNDER_LOAD: loadText,
  RATELIMIT_per_ip: rateText,
  // A window of so many counters reaches one less behind the greatest; the first two give that figure already.
  REPLAY_WINDOW: ({ windowBits }) => `${windowBits === 8128 ? windowBits : windowBits + 1}`,
  PADDING: ({ pads }) => (pads ? '16' : 'none'),
  STAGED_PACKETS: ({ staged }) => `${staged.limit}`,
  TAI64N_BASE: ({ tai64n }) => `unix + 2^62 + ${tai64n.base}`,
  TAI64N_GRANULARITY_ns: ({ tai64n }) => (tai64n.whiten ? '2^24' : '1'),
  HANDSHAKE_TOS: ({ setsTos }) => (setsTos ? `0x${constants.HANDSHAKE_TOS.toString(16)}` : '0'),
};

const names = Object.keys(POLICIES) as PolicyName[];
test.each(names.flatMap((policy) => Object.keys(ROWS).map((row) => [policy, row] as const)))('%s: %s', (name, row) => {
  const wanted = cell(row, name).replace('same as kernel', cell(row, 'linux'));
  const ours = ROWS[row]?.(POLICIES[name]) ?? expect.fail(row);
  expect(wanted.slice(0, ours.length)).toBe(ours);
});

test('kernel and wireguard-go give up after twenty initiations', () => {
  for (const name of ['linux', 'wireguard-go'] as const) {
    expect(POLICIES[name].giveUp).toEqual({ by: 'retries', retries: 19 });
    expect(cell('REKEY_ATTEMPT_TIME_s', 'linux')).toContain('20 initiations');
  }
});

test('each policy has its own name', () => {
  expect(names.map((name) => POLICIES[name].name)).toEqual(names);
});
