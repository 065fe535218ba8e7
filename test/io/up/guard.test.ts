/** The guard with a real shell: what it takes back and in which order, also when the process that owns it is killed. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, watch, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { Guard } from '../../../src/io/up/guard.ts';
import type { SystemCommand } from '../../../src/io/up/plan.ts';

const folder = mkdtempSync(join(tmpdir(), 'wgwhy-guard-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let files = 0;
const fresh = (name: string): string => join(folder, `${++files}-${name}`);

const say = (file: string, ...words: readonly string[]): SystemCommand => ({
  argv: ['sh', '-c', 'printf "%s\\n" "$@" >>"$0"', file, ...words],
});
const lines = (file: string): string[] => (existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : []);

describe('released', () => {
  test('the last is taken back first, and one that fails keeps no other from it', async () => {
    const file = fresh('order');
    const guard = new Guard();
    await guard.undo(say(file, 'one'));
    await guard.undo({ argv: ['there-is-no-such-program', 'at all'] });
    await guard.undo(say(file, 'two'));
    await guard.undo({ argv: ['sh', '-c', 'exit 3'] });
    await guard.undo(say(file, 'three'));
    expect(lines(file)).toEqual([]);
    await guard.release();
    expect(lines(file)).toEqual(['three', 'two', 'one']);
  });

  test('nothing is taken back twice', async () => {
    const file = fresh('twice');
    const guard = new Guard();
    await guard.undo(say(file, 'once'));
    await Promise.all([guard.release(), guard.release()]);
    await guard.release();
    expect(lines(file)).toEqual(['once']);
  });

  test('nothing was done', async () => {
    await new Guard().release();
  });

  test('a command that reads its input does not eat the next one', async () => {
    const file = fresh('input');
    const guard = new Guard();
    await guard.undo(say(file, 'after'));
    await guard.undo({ argv: ['cat'] });
    await guard.release();
    expect(lines(file)).toEqual(['after']);
  });

  test('words arrive as they are, whatever a shell would make of them', async () => {
    const word = fc.string({ unit: 'grapheme', maxLength: 12 }).filter((text) => !/[\n\0]/.test(text));
    const odd = fc.constantFrom(
      "it's",
      '$HOME',
      '`id`',
      '\\',
      '*',
      '"',
      ' ',
      '',
      ';',
      '&',
      '-n',
      '%s',
      '\t',
      '!!',
      '#',
      '~',
    );
    const words = fc.sample(fc.array(fc.oneof(word, odd), { minLength: 1, maxLength: 20 }), { numRuns: 20, seed: 7 });
    const file = fresh('words');
    const guard = new Guard();
    for (const all of words) await guard.undo(say(file, ...all));
    await guard.release();
    expect(lines(file)).toEqual([...words].reverse().flat());
  });
});

describe('its owner', () => {
  /** Compiled, since Node does not run TypeScript by itself. */
  async function compiled(): Promise<string> {
    const out = join(folder, 'compiled');
    const options = ['--ignoreConfig', '--noCheck', '--module', 'nodenext', '--target', 'es2023', '--types', 'node'];
    const tsc = [join('node_modules', 'typescript', 'bin', 'tsc'), ...options, '--rewriteRelativeImportExtensions'];
    await promisify(execFile)(process.execPath, [...tsc, '--rootDir', 'src', '--outDir', out, 'src/io/up/guard.ts']);
    writeFileSync(join(out, 'package.json'), '{ "type": "module" }');
    return join(out, 'io', 'up', 'guard.js');
  }

  /** Says that it is there, and has one thing to take back; then it waits. */
  async function started(file: string, module: string) {
    const source = `
      import { Guard } from ${JSON.stringify(module)};
      const guard = new Guard();
      await guard.undo(${JSON.stringify(say(file, 'taken back'))});
      process.stdout.write('ready');
      setInterval(() => {}, 1 << 30);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', source], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    return child;
  }

  async function written(file: string): Promise<string[]> {
    const watcher = watch(folder);
    try {
      while (lines(file).length === 0) await once(watcher, 'change');
    } finally {
      watcher.close();
    }
    return lines(file);
  }

  test('is killed, or ends without a word', async () => {
    const module = await compiled();
    const ends = ['SIGKILL', 'SIGTERM', 'SIGINT'] as const;
    const taken = ends.map(async (signal) => {
      const file = fresh(signal);
      const child = await started(file, module);
      expect(lines(file)).toEqual([]);
      const back = written(file);
      child.kill(signal);
      expect(await back).toEqual(['taken back']);
    });
    await Promise.all(taken);
  });
});
