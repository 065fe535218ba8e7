/**
 * `npm run bench -- [--quick] [--json] [subject...]`: runs the subjects and prints a table, or one JSON line a task.
 * What is left out, and why, is said on standard error.
 */
import { cpus } from 'node:os';
import { aead } from './aead.ts';
import { allowedIps } from './allowed-ips.ts';
import { analyze } from './analyze.ts';
import { blake2s } from './blake2s.ts';
import { capture, countFrames } from './capture.ts';
import { decode } from './decode.ts';
import { engine } from './engine.ts';
import { growth } from './growth.ts';
import { handshake } from './handshake.ts';
import { measure, type Plan } from './measure.ts';
import { replay } from './replay.ts';
import type { Row, Subject } from './subject.ts';
import { tunnel } from './tunnel.ts';
import { x25519 } from './x25519.ts';

const SUBJECTS: readonly Subject[] = [
  aead,
  x25519,
  blake2s,
  handshake,
  engine,
  replay,
  allowedIps,
  decode,
  capture,
  analyze,
  growth,
  tunnel,
];

const FULL: Plan = {
  rounds: 9,
  options: { time: 60, iterations: 3, warmupTime: 20, warmupIterations: 3, throws: true },
};
/** Proves that everything runs; its figures mean nothing. */
const QUICK: Plan = { rounds: 1, options: { time: 1, iterations: 1, warmup: false, throws: true } };

const HEAD = ['', 'ns/op', 'op/s', 'MB/s', 'MiB', 'ratio', 'of the rounds'];

function cells({ task, hz, p50, bytes, peakMiB, ratio: [median, least, greatest] }: Row): readonly string[] {
  return [
    `  ${task}`,
    p50.toFixed(p50 < 100 ? 1 : 0),
    Math.round(hz).toLocaleString('en'),
    bytes === undefined ? '' : String(Math.round((bytes / p50) * 1000)),
    peakMiB === undefined ? '' : peakMiB.toFixed(0),
    `${median.toFixed(2)}x`,
    `${least.toFixed(2)}-${greatest.toFixed(2)}`,
  ];
}

function table(rows: readonly (readonly string[])[]): string {
  const widths = HEAD.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
      .join('  ')
      .trimEnd();
  return `${rows.map(line).join('\n')}\n\n`;
}

function jsonLine(subject: string, { group, task, hz, p50, p99, peakMiB, ratio }: Row): string {
  const name = [subject, group, task].join('/').replace(/ /g, '-');
  const machine = { node: process.versions.node, cpu: cpus()[0]?.model ?? 'unknown' };
  return `${JSON.stringify({ name, hz, p50, p99, ...(peakMiB === undefined ? {} : { peakMiB }), ratio, ...machine })}\n`;
}

async function runSubject(
  { name, groups, rows: own }: Subject,
  plan: Plan,
  quick: boolean,
  json: boolean,
): Promise<void> {
  const rows: (readonly string[])[] = [[name.toUpperCase(), ...HEAD.slice(1)]];
  let group = '';
  const show = (row: Row): void => {
    if (json) process.stdout.write(jsonLine(name, row));
    if (row.group !== group) rows.push([row.group]);
    group = row.group;
    rows.push(cells(row));
  };
  for (const each of (await groups?.(quick)) ?? []) for (const row of await measure(each, plan)) show(row);
  for (const row of (await own?.(plan.rounds, quick)) ?? []) show(row);
  if (!json) process.stdout.write(table(rows));
}

const words = process.argv.slice(2);
const options = ['--quick', '--json'];
const [quick, json] = options.map((option) => words.includes(option));
const names = words.filter((word) => !options.includes(word));
const unknown = names.filter((name) => !SUBJECTS.some((subject) => subject.name === name));
if (words[0] === '--count-frames') {
  await countFrames(words[1] ?? '', words[2] ?? '');
} else if (unknown.length > 0) {
  const known = SUBJECTS.map((subject) => subject.name).join(', ');
  process.stderr.write(`no such subject: ${unknown.join(', ')}; there are ${known}\n`);
  process.exitCode = 2;
} else {
  for (const subject of SUBJECTS) {
    if (names.length > 0 && !names.includes(subject.name)) continue;
    const obstacle = subject.obstacle?.();
    if (obstacle !== undefined) process.stderr.write(`${subject.name} is left out: it needs ${obstacle}\n`);
    else await runSubject(subject, quick === true ? QUICK : FULL, quick === true, json === true);
  }
  if (json !== true)
    process.stdout.write(
      'ratio: how many times as fast as the first of its group; median, least and greatest of the rounds\n',
    );
  if (quick === true) process.stderr.write('--quick: one round only, these figures mean nothing\n');
}
