/** The command line around its commands: help, version, mistakes, defects, and the rules. */
import { expect, test } from 'vitest';
import { distance, nearest } from '../../src/cli/nearest.ts';
import { cli, RULES } from './harness.ts';

test('no command: help on stderr, exit 2', async () => {
  const { code, stdout, stderr } = await cli([]);
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toContain('Usage: wgwhy');
});

test.each([[['--help']], [['help']], [['diagnose', '--help']], [['help', 'rules']]])('help: %j', async (argv) => {
  const { code, stdout, stderr } = await cli(argv);
  expect([code, stderr]).toEqual([0, '']);
  expect(stdout).toContain('Usage: wgwhy');
});

test('the help of diagnose names every exit code', async () => {
  expect((await cli(['diagnose', '--help'])).stdout).toMatch(/Exit code: 0 .* 1 .* 2 /);
});

test('version', async () => {
  const { code, stdout } = await cli(['--version']);
  expect([code, stdout]).toEqual([0, expect.stringMatching(/^wgwhy \d+\.\d+\.\d+\n$/)]);
});

test('an unknown command, with what was perhaps meant', async () => {
  const { code, stdout, stderr } = await cli(['diagnos', 'x']);
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toMatch(/unknown command 'diagnos'\n\(Did you mean diagnose\?\)/);
});

test('a file where the command belongs', async () => {
  const { code, stderr } = await cli(['capture.pcap']);
  expect(code).toBe(2);
  expect(stderr).toContain('to analyze a file: wgwhy diagnose capture.pcap\n');
});

test('a hostile argument stays text', async () => {
  const { stderr } = await cli(['\u001b]0;owned\u0007']);
  expect(stderr).not.toMatch(/[\u001b\u0007]/);
});

test('a defect: one line, no stack, exit 2', async () => {
  const broken = { diagnose: () => Promise.reject(new TypeError('cannot read x\nof undefined')) };
  const argv = ['diagnose', new URL('harness.ts', import.meta.url).pathname];
  const { code, stdout, stderr } = await cli(argv, broken);
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toMatch(/^wgwhy: a defect in wgwhy \d[^\n]*, please report it: cannot read x[^\n]*\n$/);
  const debug = await cli(argv, { ...broken, env: { WGWHY_DEBUG: '1' } });
  expect(debug.stderr).toContain('TypeError: cannot read x');
  expect(debug.stderr).toContain('    at ');
});

test('rules: errors first, one line each', async () => {
  const { code, stdout } = await cli(['rules']);
  expect(code).toBe(0);
  expect(stdout).toBe(
    [
      'error    no-response          nothing came back',
      'error    wrong-responder-key  what it is',
      'warning  packet-loss          counters have gaps',
      'info     clock-skew           clocks differ',
      '',
    ].join('\n'),
  );
});

test('rules NAME: the page', async () => {
  const { code, stdout } = await cli(['rules', 'wrong-responder-key']);
  expect(code).toBe(0);
  expect(stdout).toBe(
    [
      'wrong-responder-key (error)',
      '',
      '  what  what it is',
      '  why   why it matters',
      '  fix   what to do',
      '  see   WireGuard paper §5.4.4',
      '',
      '  takes the place of no-response, responder-silent',
      '',
    ].join('\n'),
  );
});

test('rules --json', async () => {
  const all = JSON.parse((await cli(['rules', '--json'])).stdout);
  expect(all.map(({ name }: { name: string }) => name)).toEqual(RULES.map(({ name }) => name));
  const one = JSON.parse((await cli(['rules', 'packet-loss', '--json'])).stdout);
  expect(one).toEqual({ ...RULES[2], hides: [] });
});

test.each([
  ['wrong-responder-kye', 'did you mean wrong-responder-key?'],
  ['response', 'did you mean no-response?'],
  ['loss', 'did you mean packet-loss?'],
  ['zzzzzzzzzzzzzzzzzz', '"wgwhy rules" lists all of them'],
])('rules %s', async (name, hint) => {
  const { code, stdout, stderr } = await cli(['rules', name]);
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toContain(hint);
});

test.each([
  ['', '', 0],
  ['abc', '', 3],
  ['', 'ab', 2],
  ['kitten', 'sitting', 3],
  ['psk-mismatch', 'psk-mismacth', 2],
])('distance %j %j', (a, b, wanted) => {
  expect(distance(a, b)).toBe(wanted);
  expect(distance(b, a)).toBe(wanted);
});

test('nearest keeps to its limit, the nearest first', () => {
  const names = ['packet-replayed', 'packet-loss', 'packet-too-old', 'packet-unsealable', 'no-response'];
  expect(nearest('packet-los', names)).toEqual(['packet-loss', 'packet-too-old', 'packet-replayed']);
  expect(nearest('x'.repeat(100_000), names)).toEqual([]);
});
