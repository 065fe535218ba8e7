/** The system's programs: what they print, how they fail, and what is not repeated of them. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { hasProgram, runCommand, SetupError, systemEnv } from '../../../src/io/up/system.ts';

const folder = mkdtempSync(join(tmpdir(), 'wgwhy-system-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const sh = (script: string) => ({ argv: ['sh', '-c', script] });

test('gives what a program prints, and the program what it reads', async () => {
  expect(await runCommand(sh('echo "$PATH"; printf ü'))).toBe(`${systemEnv()['PATH']}\nü`);
  expect(await runCommand({ argv: ['cat'], input: 'a\nb' })).toBe('a\nb');
  expect(await runCommand({ argv: ['cat'] })).toBe('');
  expect(await runCommand({ argv: ['true'], input: 'x'.repeat(1 << 20) })).toBe('');
});

test('a program that fails says why in its own words', async () => {
  const failed = runCommand(sh('echo no; echo because >&2; exit 3'));
  await expect(failed).rejects.toThrow(SetupError);
  await expect(failed).rejects.toMatchObject({
    message: 'sh -c echo no; echo because >&2; exit 3 failed (3)',
    said: 'because',
  });
  await expect(runCommand(sh('kill -9 $$'))).rejects.toThrow('failed (ended by a signal)');
  await expect(runCommand({ argv: ['no-such-program'] })).rejects.toThrow('there is no program no-such-program');
});

test('a hook is not repeated, since it may hold a secret', async () => {
  const failed = runCommand({ argv: ['sh', '-c', 'false secret'], hook: 'PostUp (line 7)' });
  await expect(failed).rejects.toMatchObject({ message: 'PostUp (line 7) failed (1)', said: '' });
});

test('what a hook leaves running is not waited for', async () => {
  const pid = join(folder, 'pid');
  await runCommand({ argv: ['sh', '-c', `sleep 600 & echo $! >${pid}`], hook: 'PostUp (line 1)' });
  process.kill(Number(readFileSync(pid, 'utf8')));
});

test('programs are found, also where a plain su does not look', async () => {
  expect(await hasProgram('sh')).toBe(true);
  expect(await hasProgram('no-such-program')).toBe(false);
  expect(systemEnv()['PATH']?.split(':').slice(-2)).toEqual(['/usr/sbin', '/sbin']);
});
