/** Programs for mipsel under qemu, and the instructions of the guest that one operation takes. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const CACHE = join('node_modules', '.cache', 'wgwhy', 'mt7621a');

/** As count.c has them. */
export interface Counts {
  readonly all: number;
  readonly fp: number;
  readonly memory: number;
  readonly multiply: number;
}

/** Of the 1004Kc's family, and with the FPU that Debian's mipsel wants: qemu knows no 1004Kc. */
const CPU = '34Kf';
const COUNTS = /all=(\d+) fp=(\d+) memory=(\d+) multiply=(\d+)/;

export interface Ran {
  readonly counts: Counts;
  readonly output: string;
}

export function run(command: readonly string[]): Ran {
  const log = join(CACHE, 'count.log');
  const plugin = ['-cpu', CPU, '-plugin', join(CACHE, 'count.so'), '-d', 'plugin', '-D', log];
  const { status, stdout, stderr } = spawnSync(join(CACHE, 'qemu-mipsel'), [...plugin, ...command], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`${command.join(' ')} ended with ${status}\n${stderr}`);
  const [, all, fp, memory, multiply] = COUNTS.exec(readFileSync(log, 'utf8'))?.map(Number) ?? [];
  if (all === undefined || fp === undefined || memory === undefined || multiply === undefined)
    throw new Error(`${command.join(' ')}: nothing was counted`);
  return { counts: { all, fp, memory, multiply }, output: stdout.trim() };
}

/**
 * What one more operation takes: two runs that differ in nothing but how often it is done, both long enough for a compiler
 * to be done with it. The last word of `command` is how often.
 */
export function each(command: (times: number) => readonly string[], few: number, many: number): Counts {
  const [less, more] = [run(command(few)).counts, run(command(many)).counts];
  const one = (kind: keyof Counts): number => (more[kind] - less[kind]) / (many - few);
  return { all: one('all'), fp: one('fp'), memory: one('memory'), multiply: one('multiply') };
}

/**
 * Node 18 out of Debian's packages. TurboFan compiles WebAssembly at once (with one thread it would never come to that by
 * itself), and everything happens in one thread, so that two runs count the same.
 */
export function node(script: string, words: readonly string[]): readonly string[] {
  const root = join(CACHE, 'mipsel');
  const libraries = ['lib', join('usr', 'lib')].map((name) => join(root, name, 'mipsel-linux-gnu')).join(':');
  const flags = ['--single-threaded', '--no-liftoff', '--random-seed=1', '--hash-seed=1'];
  // qemu 7.2 looks for libraries elsewhere than below -L
  return [
    '-L',
    root,
    '-E',
    `LD_LIBRARY_PATH=${libraries}`,
    join(root, 'usr', 'bin', 'node'),
    ...flags,
    script,
    ...words,
  ];
}

export function quickjs(script: string, words: readonly string[]): readonly string[] {
  return [join(CACHE, 'qjs'), '--module', script, ...words];
}

/** Linux's assembly in a program of its own; `r1`: without the instructions of release 2 of MIPS32. */
export function kernel(build: 'kernel' | 'kernel-r1', words: readonly string[]): readonly string[] {
  return [join(CACHE, build), ...words];
}

/** What setup.sh has put there. */
export function versions(): Readonly<Record<string, string>> {
  const file = join(CACHE, 'versions');
  if (!existsSync(file)) return {};
  const lines = readFileSync(file, 'utf8').trim().split('\n');
  return Object.fromEntries(lines.map((line) => line.split(' ')));
}
