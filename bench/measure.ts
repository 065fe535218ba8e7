/**
 * Tasks of a group take turns in several rounds, and each ratio is the median of the rounds' ratios: a machine that is
 * busy for a while spoils times, not ratios.
 */
import { spawn } from 'node:child_process';
import { Bench, type BenchOptions } from 'tinybench';
import type { Command, Group, Row, Task } from './subject.ts';

export interface Plan {
  readonly rounds: number;
  readonly options: BenchOptions;
}

export interface Timed {
  readonly p50: number;
  readonly p99: number;
  readonly peakMiB?: number;
}

export async function measure(group: Group, { rounds, options }: Plan): Promise<Row[]> {
  const times: (readonly Timed[])[] = [];
  for (let i = 0; i < rounds; i++) times.push(await round(group, options));
  return group.tasks.map(({ name, bytes }, i) => {
    const own = times.map((each) => each[i] ?? { p50: Number.NaN, p99: Number.NaN });
    const first = times.map((each) => each[0] ?? { p50: Number.NaN, p99: Number.NaN });
    return rowOf(group.name, name, own, first, bytes);
  });
}

/** `first` is what the ratios are against: the same rounds of the first task. */
export function rowOf(
  group: string,
  task: string,
  own: readonly Timed[],
  first: readonly Timed[],
  bytes?: number,
): Row {
  const ratios = own.map(({ p50 }, r) => (first[r]?.p50 ?? Number.NaN) / p50);
  const peaks = own.flatMap(({ peakMiB }) => peakMiB ?? []);
  const p50 = median(own.map((timed) => timed.p50));
  return {
    group,
    task,
    hz: 1e9 / p50,
    p50,
    p99: median(own.map((timed) => timed.p99)),
    ...(bytes === undefined ? {} : { bytes }),
    ...(peaks.length === 0 ? {} : { peakMiB: Math.max(...peaks) }),
    ratio: [median(ratios), Math.min(...ratios), Math.max(...ratios)],
  };
}

/** The tasks in the group's order; processes one after the other. */
async function round({ tasks }: Group, options: BenchOptions): Promise<readonly Timed[]> {
  const bench = new Bench(options);
  for (const task of tasks) if ('run' in task) bench.add(task.name, task.run, { async: false });
  await bench.run();
  const out: Timed[] = [];
  for (const task of tasks) out.push('run' in task ? inProcess(bench, task) : await ofProcess(task));
  return out;
}

function inProcess(bench: Bench, { name, ops }: Task): Timed {
  const result = bench.getTask(name)?.result;
  if (result?.state !== 'completed') throw new Error(`${name}: ${result?.state ?? 'not run'}`);
  return { p50: (result.latency.p50 * 1e6) / ops, p99: (result.latency.p99 * 1e6) / ops };
}

/** Node does not tell what memory a child used: Python does. */
const WATCH = `
import json, resource, subprocess, sys, time
start = time.monotonic()
code = subprocess.run(sys.argv[1:], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode
print(json.dumps([time.monotonic() - start, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, code]))
`;

async function ofProcess({ name, argv, ops }: Command): Promise<Timed> {
  const child = spawn('python3', ['-c', WATCH, ...argv], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  for await (const chunk of child.stdout) text += String(chunk);
  const [seconds, kib, code]: unknown[] = JSON.parse(text);
  if (typeof seconds !== 'number' || typeof kib !== 'number' || code !== 0)
    throw new Error(`${name} ended with ${code}`);
  const ns = (seconds * 1e9) / ops;
  return { p50: ns, p99: ns, peakMiB: kib / 1024 };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >>> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}
