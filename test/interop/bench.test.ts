/** Every subject of the benchmarks runs, once and shortly: that figures come out, not which. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { beforeAll, expect, test } from 'vitest';
import { obstacle } from './obstacle.ts';

const why = obstacle(['iperf3', 'tshark', 'tcpdump', 'python3']);
const SUBJECTS = [
  'aead',
  'x25519',
  'blake2s',
  'handshake',
  'engine',
  'replay',
  'allowed-ips',
  'decode',
  'capture',
  'analyze',
  'growth',
  'tunnel',
];

function node(...argv: string[]) {
  return spawnSync(process.execPath, argv, { encoding: 'utf8', timeout: 120_000, maxBuffer: 1 << 26 });
}

beforeAll(() => {
  const { status, stdout } = node('node_modules/typescript/bin/tsc', '-p', 'tsconfig.bench.json');
  if (status !== 0) throw new Error(stdout);
}, 120_000);

test.skipIf(why !== undefined).each(SUBJECTS)(
  `%s${why === undefined ? '' : ` (${why})`}`,
  { timeout: 120_000 },
  (subject) => {
    expect(existsSync('dist/cli/main.js')).toBe(true);
    const { status, stdout, stderr } = node('dist-bench/bench/run.js', '--quick', '--json', subject);
    expect([status, stderr]).toEqual([0, '--quick: one round only, these figures mean nothing\n']);
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.length).toBeGreaterThan(0);
    for (const line of lines) {
      expect(line).toMatchObject({
        name: expect.stringContaining(`${subject}/`),
        node: process.versions.node,
        cpu: expect.any(String),
      });
      for (const figure of [line.hz, line.p50, line.p99, line.ratio[0]]) expect(figure).toBeGreaterThan(0);
    }
  },
);

test('there are no others', () => {
  const { status, stderr } = node('dist-bench/bench/run.js', 'nothing');
  expect(status).toBe(2);
  expect(stderr).toBe(`no such subject: nothing; there are ${SUBJECTS.join(', ')}\n`);
});
