/** The simulation of test/wg with thousands of seeds and every view: `WGWHY_SIM_SEEDS=5000-9999 npm run test:long`. */
import { expect, test } from 'vitest';
import { checkFault, checkWeather, VIEWS } from '../simulation/check.ts';
import { FAULTS } from '../simulation/faulty.ts';
import { seeds } from '../simulation/seeds.ts';

/** Each weather for longer than in the everyday suite, so from the first on. */
const FROM = 0;
const SEEDS = 3000;
const SHOWN = 40;

test.each(['wild', 'clean', 'rough'] as const)('%s network', async (weather) => {
  const faults: string[] = [];
  for (const seed of seeds(SEEDS, FROM)) {
    if (faults.length < SHOWN) faults.push(...(await checkWeather(seed, weather, VIEWS)));
  }
  expect(faults).toEqual([]);
});

test.each(FAULTS.map((fault) => [fault.name, fault] as const))('%s', async (_, fault) => {
  const faults: string[] = [];
  for (const seed of seeds(SEEDS / 10, FROM)) {
    if (faults.length < SHOWN) faults.push(...(await checkFault(fault, seed, VIEWS)));
  }
  expect(faults).toEqual([]);
});
