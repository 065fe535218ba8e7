/**
 * Makes captures: `make.js OUTPUT [--jobs N] [SCENARIO…]`; without names every scenario. Needs root on Linux.
 * `--jobs 0` makes none and only writes the truths again into the folders that are there.
 */
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process, { argv, exit, pid, stdout } from 'node:process';
import { Lab } from './network.ts';
import type { Scenario } from './scenario.ts';
import { SCENARIOS } from './scenarios.ts';
import { sleep } from './shell.ts';

/** Absence is judged over 6 s (rules of silence, b); a little more is captured. */
const TAIL_SECONDS = 9;
const open = new Set<Lab>();

/** Runs one scenario and writes its folder; the namespaces are gone afterwards, whatever happens. */
export async function makeCapture(scenario: Scenario, output: string, tag: string): Promise<void> {
  const lab = new Lab(tag, join(output, scenario.id));
  open.add(lab);
  try {
    lab.build();
    await scenario.run(lab);
    await sleep(TAIL_SECONDS);
    await lab.finish();
    writeTruth(scenario, output);
  } finally {
    await lab.close();
    open.delete(lab);
  }
  for (const name of readdirSync(lab.folder)) if (name.startsWith('.')) rmSync(join(lab.folder, name));
}

function writeTruth({ id, story, truth }: Scenario, output: string): void {
  writeFileSync(join(output, id, 'truth.json'), `${JSON.stringify({ id, story, ...truth }, null, 1)}\n`);
}

async function main(words: readonly string[]): Promise<number> {
  const jobsAt = words.indexOf('--jobs');
  const jobs = jobsAt < 0 ? 1 : Number(words[jobsAt + 1]);
  const [output, ...ids] = words.filter((_, at) => jobsAt < 0 || (at !== jobsAt && at !== jobsAt + 1));
  const unknown = ids.filter((id) => !SCENARIOS.some((scenario) => scenario.id === id));
  if (output === undefined || unknown.length > 0) {
    stdout.write(`usage: make OUTPUT [--jobs N] [SCENARIO…]; unknown: ${unknown.join(' ')}\n`);
    return 2;
  }
  const queue = SCENARIOS.filter(({ id }) => ids.length === 0 || ids.includes(id));
  if (jobs === 0) for (const scenario of queue) if (existsSync(join(output, scenario.id))) writeTruth(scenario, output);
  let failed = 0;
  const work = async (worker: number): Promise<void> => {
    for (let scenario = queue.shift(); scenario !== undefined; scenario = queue.shift()) {
      try {
        await makeCapture(scenario, output, `${pid % 1000}x${worker}`);
        stdout.write(`made ${scenario.id}\n`);
      } catch (error) {
        failed++;
        stdout.write(`failed ${scenario.id}: ${String(error)}\n`);
      }
    }
  };
  await Promise.all(Array.from({ length: jobs }, (_, worker) => work(worker)));
  return failed === 0 ? 0 : 1;
}

function leave(): void {
  for (const lab of open) lab.abandon();
}

process.on('exit', leave);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => exit(1));

if (import.meta.url === `file://${argv[1]}`) exit(await main(argv.slice(2)));
