/** The built command with threads that open for it: every line of its events, and its report, are those of one thread. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { captureOf } from '../../bench/workshop.ts';

const WGWHY = 'dist/cli/main.js';
const PACKETS = 30_000;

function run(files: readonly string[], ...options: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, [WGWHY, 'diagnose', ...files, ...options], {
    encoding: 'utf8',
    maxBuffer: 1 << 30,
  });
  expect([status, stderr]).toEqual([0, '']);
  return stdout;
}

test('a capture, packed and not, by one to four threads', () => {
  const { pcap, keys, frames } = captureOf(PACKETS, 'imix');
  const alone = run([pcap, keys], '--ndjson', '--jobs', '1');
  expect(alone.split('\n').filter((line) => line.includes('"inner":{'))).toHaveLength(PACKETS);
  expect(alone.split('\n').length).toBeGreaterThan(frames);
  for (const jobs of ['2', '4']) expect(run([pcap, keys], '--ndjson', '--jobs', jobs) === alone).toBe(true);
  expect(run([pcap, keys], '--json', '--jobs', '3')).toBe(run([pcap, keys], '--json', '--jobs', '1'));
  const packed = `${pcap}.gz`;
  writeFileSync(packed, gzipSync(readFileSync(pcap), { level: 1 }));
  expect(run([packed, keys], '--ndjson', '--jobs', '2') === run([packed, keys], '--ndjson', '--jobs', '1')).toBe(true);
});

test('several captures at once, one of them with a hole, and one from a pipe in small pieces', () => {
  const { pcap, keys } = captureOf(PACKETS, 1420);
  const bytes = readFileSync(pcap);
  const holed = `${pcap}.holed`;
  const half = bytes.length >> 1;
  writeFileSync(holed, Buffer.concat([bytes.subarray(0, half), Buffer.alloc(9 << 20), bytes.subarray(half)]));
  const packed = `${pcap}.gz`;
  writeFileSync(packed, gzipSync(bytes, { level: 1 }));
  for (const files of [
    [pcap, keys, holed],
    [packed, holed, keys, pcap],
  ]) {
    const alone = run(files, '--ndjson', '--jobs', '1');
    expect(alone.split('\n').length).toBeGreaterThan(1.5 * PACKETS);
    expect(run(files, '--ndjson', '--jobs', '2') === alone).toBe(true);
  }
  const pipe = `${pcap}.pipe`;
  rmSync(pipe, { force: true });
  execFileSync('mkfifo', [pipe]);
  const writer = spawn('dd', [`if=${pcap}`, `of=${pipe}`, 'bs=500', 'status=none']);
  const piped = run([pipe, keys], '--ndjson', '--jobs', '2');
  writer.kill();
  expect(piped === run([pcap, keys], '--ndjson', '--jobs', '1')).toBe(true);
});
