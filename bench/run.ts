/**
 * `npm run bench -- [--quick] [subject...]`: runs the subjects and prints a table. Tasks of a group take turns in several
 * rounds, and each ratio is the median of the rounds' ratios: a machine that is busy for a while spoils times, not ratios.
 */
import { Bench, type BenchOptions } from 'tinybench';
import { aead } from './aead.ts';
import { allowedIps } from './allowed-ips.ts';
import { decode } from './decode.ts';
import { handshake } from './handshake.ts';
import { replay } from './replay.ts';
import type { Group, Subject, Task } from './subject.ts';

const SUBJECTS: readonly Subject[] = [aead, handshake, replay, allowedIps, decode];

interface Plan {
  readonly rounds: number;
  readonly options: BenchOptions;
}

const FULL: Plan = {
  rounds: 7,
  options: { time: 60, iterations: 3, warmupTime: 20, warmupIterations: 3, throws: true },
};
/** Proves that everything runs; its figures mean nothing. */
const QUICK: Plan = { rounds: 1, options: { time: 1, iterations: 1, warmup: false, throws: true } };

const HEAD = ['task', 'ns/op', 'op/s', 'MB/s', 'ratio'];

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >>> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** Nanoseconds per operation of each task, in the group's order. */
async function round({ tasks }: Group, options: BenchOptions): Promise<readonly number[]> {
  const bench = new Bench(options);
  for (const { name, run } of tasks) bench.add(name, run, { async: false });
  await bench.run();
  return tasks.map(({ name, ops }) => {
    const result = bench.getTask(name)?.result;
    if (result?.state !== 'completed') throw new Error(`${name}: ${result?.state ?? 'not run'}`);
    return (result.latency.p50 * 1e6) / ops;
  });
}

function row({ name, bytes }: Task, ns: number, ratio: number): readonly string[] {
  const rate = bytes === undefined ? '' : String(Math.round((bytes / ns) * 1000));
  const digits = ns < 100 ? 1 : 0;
  return [`  ${name}`, ns.toFixed(digits), Math.round(1e9 / ns).toLocaleString('en'), rate, `${ratio.toFixed(2)}x`];
}

async function measure(group: Group, { rounds, options }: Plan): Promise<readonly (readonly string[])[]> {
  const times: (readonly number[])[] = [];
  for (let i = 0; i < rounds; i++) times.push(await round(group, options));
  const rows = group.tasks.map((task, i) => {
    const own = times.map((each) => each[i] ?? Number.NaN);
    return row(task, median(own), median(own.map((ns, r) => (times[r]?.[0] ?? Number.NaN) / ns)));
  });
  return [[group.name], ...rows];
}

function table(rows: readonly (readonly string[])[]): string {
  const widths = HEAD.map((_, column) => Math.max(...rows.map((cells) => cells[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
      .join('  ')
      .trimEnd();
  return `${rows.map(line).join('\n')}\n`;
}

const words = process.argv.slice(2);
const quick = words.includes('--quick');
const names = words.filter((word) => word !== '--quick');
const unknown = names.filter((name) => !SUBJECTS.some((subject) => subject.name === name));
if (unknown.length > 0) {
  const known = SUBJECTS.map((subject) => subject.name).join(', ');
  process.stderr.write(`no such subject: ${unknown.join(', ')}; there are ${known}\n`);
  process.exitCode = 2;
} else {
  const plan = quick ? QUICK : FULL;
  for (const subject of SUBJECTS) {
    if (names.length > 0 && !names.includes(subject.name)) continue;
    const rows: (readonly string[])[] = [[subject.name.toUpperCase(), ...HEAD.slice(1)]];
    for (const group of subject.groups()) rows.push(...(await measure(group, plan)));
    process.stdout.write(`${table(rows)}\n`);
  }
  process.stdout.write('ratio: how many times as fast as the first of its group (noble, for backends)\n');
  if (quick) process.stdout.write('--quick: one round only, these figures mean nothing\n');
}
