/** Devices on networks of every weather, for some minutes: 320 seeds. `WGWHY_SIM_SEEDS=17 npx vitest run test/wg/simulation.test.ts` runs one alone. */
import { describe, expect, test } from 'vitest';
import { LINUX, type Policy } from '../../src/wg/policy.ts';
import { checkFault, checkWeather, run, VIEWS } from '../simulation/check.ts';
import { FAULTS } from '../simulation/faulty.ts';
import { filesOf, reportOf } from '../simulation/files.ts';
import { planOf } from '../simulation/plan.ts';
import { seeds } from '../simulation/seeds.ts';

const TIMEOUT_MS = 120_000;
const AT_ONCE = 10;

/** Each view now and then: all of them for every seed is what the long tests do. */
const viewOf = (seed: number) => VIEWS.filter((_, i) => seed % VIEWS.length === i);

function inPortions(all: readonly number[]): (readonly [string, readonly number[]])[] {
  const out: [string, readonly number[]][] = [];
  for (let i = 0; i < all.length; i += AT_ONCE) {
    const portion = all.slice(i, i + AT_ONCE);
    out.push([`${portion[0]} to ${portion.at(-1)}`, portion]);
  }
  return out;
}

describe.each(inPortions(seeds(60)))('wild network, seeds %s', (_, portion) => {
  test('sessions come back, every rule is kept, and nothing impossible is found', { timeout: TIMEOUT_MS }, async () => {
    const faults = await Promise.all(
      portion.map((seed) => checkWeather(seed, 'wild', seed % 5 === 0 ? viewOf(seed) : [], 'brief')),
    );
    expect(faults.flat()).toEqual([]);
  });
});

describe.each(inPortions(seeds(140)))('clean network, seeds %s', (_, portion) => {
  test('the analyzer finds nothing wrong', { timeout: TIMEOUT_MS }, async () => {
    const faults = await Promise.all(portion.map((seed) => checkWeather(seed, 'clean', viewOf(seed), 'brief')));
    expect(faults.flat()).toEqual([]);
  });
});

describe.each(inPortions(seeds(120)))('rough network, seeds %s', (_, portion) => {
  test('the analyzer finds losses at most', { timeout: TIMEOUT_MS }, async () => {
    const faults = await Promise.all(portion.map((seed) => checkWeather(seed, 'rough', viewOf(seed), 'brief')));
    expect(faults.flat()).toEqual([]);
  });
});

test.each(FAULTS.map((fault) => [fault.name, fault] as const))(
  '%s: what was done is what is found',
  async (_, fault) => {
    for (const seed of seeds(2)) expect(await checkFault(fault, seed, VIEWS)).toEqual([]);
  },
);

test('the same seed gives the same bytes', () => {
  const files = [1, 1, 2].map((seed) => {
    const { plan, outcome } = run(planOf(seed, 'wild'), 'wild');
    return filesOf(plan, outcome, 'both').map(({ name, bytes }) => [name, Buffer.from(bytes).toString('base64')]);
  });
  expect(files[0]).toEqual(files[1]);
  expect(files[0]).not.toEqual(files[2]);
});

test('with the key logs the data opens, without them it does not', async () => {
  const { plan, outcome } = run(planOf(2, 'clean', 'brief'), 'clean');
  const accepted = async (keys: boolean): Promise<number> =>
    (await reportOf(filesOf(plan, outcome, 'both', keys), 'both')).counts.verdicts['accepted'] ?? 0;
  expect(await accepted(true)).toBeGreaterThan(10 * (await accepted(false)));
});

const PLAN_SEEDS = Array.from({ length: 30 }, (_, seed) => seed);

/** A device that keeps other rules is found out: otherwise the checks would be worth nothing. */
test.each<readonly [string, Partial<Policy>, RegExp]>([
  ['retries late', { jitterBelowMs: 3000 }, /retransmit-handshake was due/],
  ['gives up early', { giveUp: { by: 'retries', retries: 4 } }, /gave up after 5 initiations/],
  ['retries at once', { spacing: 'in-progress' }, /ms after a handshake message/],
  ['counts silence from the last reception', { silenceFrom: 'last-received' }, /handshake after silence not within/],
  ['sends persistent keepalives regardless', { persistentKeepalive: 'fixed' }, /persistent|keepalive/],
  ['looks at its timers now and then', { tickMs: 250 }, /was due by|not within/],
])('the rule book notices a device that %s', (_, change, fault) => {
  const policy = { ...LINUX, ...change };
  const found = PLAN_SEEDS.some((seed) => {
    const plan = planOf(seed, 'wild');
    const { faults } = run({ ...plan, hosts: plan.hosts.map((host) => ({ ...host, policy })) }, 'changed');
    return faults.some((text) => fault.test(text));
  });
  expect(found).toBe(true);
});
