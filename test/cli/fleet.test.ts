/** Captures in shares, events as tables, and the report of all of them, as the command line does it. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { parquetReadObjects } from 'hyparquet';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { diagnose } from '../../src/report/diagnose.ts';
import { COLUMNS } from '../../src/report/event-columns.ts';
import { eventSchema } from '../../src/report/schema.ts';
import { cli, type Ran } from './harness.ts';

const LAB = fileURLToPath(new URL('../../vectors/lab', import.meta.url));
const CAPTURES = ['client', 'server'].map((side) => `${LAB}/psk-mismatch/${side}.pcap`);
const CONFS = ['client', 'server'].map((side) => `${LAB}/psk-mismatch/${side}.conf`);

let root = '';
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'wgwhy-fleet-'));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
const wgwhy = (...argv: readonly string[]): Promise<Ran> =>
  cli(argv, { diagnose: (sources, options) => diagnose(sources, { ...options, tool: `wgwhy ${version}` }) });

const rowsOf = (path: string) => parquetReadObjects({ file: Uint8Array.from(readFileSync(path)).buffer });

describe('shares', () => {
  const files: string[] = [];
  beforeAll(async () => {
    for (const shard of ['1/2', '2/2']) {
      const ran = await wgwhy('diagnose', ...CAPTURES, ...CONFS, '--ndjson', '--shard', shard);
      expect([ran.code, ran.stderr]).toEqual([0, '']);
      const path = join(root, `${shard[0]}.ndjson`);
      writeFileSync(path, ran.stdout);
      files.push(path);
    }
  });

  test('every line is what the schema says', () => {
    const valid = new Ajv2020({ allErrors: true, strict: true, allowUnionTypes: true }).compile(eventSchema);
    const lines = files.flatMap((file) => readFileSync(file, 'utf8').split('\n').slice(0, -1));
    for (const line of lines) expect(valid(JSON.parse(line)), JSON.stringify(valid.errors)).toBe(true);
    expect(lines.filter((line) => line.includes('"event":"timeline"')).length).toBeGreaterThanOrEqual(4);
    expect(lines.filter((line) => line.includes('"event":"message"')).length).toBe(12);
  });

  test('reduce: the report of the whole', async () => {
    const whole = await wgwhy('diagnose', ...CAPTURES, ...CONFS);
    const reduced = await wgwhy('reduce', ...files, ...CONFS);
    expect([reduced.code, reduced.stderr]).toEqual([1, '']);
    const findings = (text: string): string => text.slice(0, text.indexOf('\n  a  '));
    expect(findings(reduced.stdout)).toBe(findings(whole.stdout));
    expect(reduced.stdout).toMatch(/^ {2}a {2}client\.pcap: capture \(pcap\), taken at the initiator, 6 frames/m);
  });

  test('reduce --json and --ndjson', async () => {
    const { stdout } = await wgwhy('reduce', ...files, ...CONFS, '--json');
    expect(JSON.parse(stdout)).toMatchObject({ problems: [], counts: { frames: 12 } });
    const events = (await wgwhy('reduce', ...files, ...CONFS, '--ndjson')).stdout.split('\n').slice(0, -1);
    expect(events.map((line) => JSON.parse(line).event)).toContain('finding-opened');
  });

  test('where a capture was taken', async () => {
    const { stdout } = await wgwhy('reduce', ...files, ...CONFS, '--at', 'client.pcap=between', '--json');
    expect(JSON.parse(stdout).inputs[0]).toMatchObject({ name: 'client.pcap', vantage: 'between' });
  });

  test('a share is missing, a file is none of events', async () => {
    const [first = ''] = files;
    const one = await wgwhy('reduce', first, ...CONFS);
    expect(one.code).toBe(2);
    expect(one.stderr).toMatch(/^nothing to judge: what was captured is not here, or not all of it/);
    expect(one.stderr.replaceAll(/\s+/g, ' ')).toContain('is not here, or cannot be read: that capture is not judged');
    const none = await wgwhy('reduce', 'package.json');
    expect(none.code).toBe(2);
    expect(none.stderr).toContain('package.json');
  });
});

test('threads that cannot begin are done without', async () => {
  const args = ['diagnose', ...CAPTURES, ...CONFS, '--ndjson'];
  expect(await wgwhy(...args, '--jobs', '3')).toEqual(await wgwhy(...args));
});

test.each([
  [['--shard', '1/2'], '--shard writes events: it needs --ndjson'],
  [['--ndjson', '--shard', '3/2'], '--shard is given as K/N, K from 1 to N'],
  [['--ndjson', '--shard', '0/2'], '--shard is given as K/N, K from 1 to N'],
  [['--ndjson', '--shard', '1/x'], '--shard is given as K/N, K from 1 to N'],
  [['--ndjson', '--shard', '1/99999'], '--shard is given as K/N, K from 1 to N'],
  [['--jobs', '0'], '--jobs 0: a number from 1 to 64 is wanted'],
  [['--jobs', '65'], '--jobs 65: a number from 1 to 64 is wanted'],
  [['--jobs', '2x'], '--jobs 2x: a number from 1 to 64 is wanted'],
  [['--jobs', '2', '--live'], "option '--jobs <N>' cannot be used with option '--live'"],
  [['--json', '--shard', '1/2'], "option '--shard <K/N>' cannot be used with option '--json'"],
])('diagnose %j', async (options, said) => {
  const ran = await wgwhy('diagnose', ...CAPTURES, ...options);
  expect([ran.code, ran.stdout]).toEqual([2, '']);
  expect(ran.stderr).toContain(said);
});

test('reduce reads files', async () => {
  const { code, stderr } = await wgwhy('reduce', '-');
  expect(code).toBe(2);
  expect(stderr).toContain('reduce reads files');
});

describe('--parquet', () => {
  test('a row an event, with the fields of the lines', async () => {
    const path = join(root, 'all.parquet');
    const ran = await wgwhy('diagnose', ...CAPTURES, ...CONFS, '--ndjson', '--parquet', path);
    expect(ran.code).toBe(1);
    const events = ran.stdout
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line));
    const rows = await rowsOf(path);
    expect(rows.length).toBe(events.length);
    expect(Object.keys(rows[0] ?? {})).toEqual(COLUMNS.map(({ name }) => name));
    for (const [i, row] of rows.entries()) {
      const { at, inner = {}, finding, ...event } = events[i];
      for (const name of [
        'event',
        'message',
        'from',
        'to',
        'length',
        'sender',
        'receiver',
        'counter',
        'verdict',
        'drop',
      ])
        expect(row[name] ?? undefined, name).toBe(event[name]);
      expect(row['rule'] ?? undefined).toBe(finding?.rule);
      expect(row['innerFrom'] ?? undefined).toBe(inner.from);
      if (at === undefined) continue;
      expect([row['input'], Number(row['frame'])]).toEqual([at.input, at.frame]);
      expect(`${(row['time'] as Date).toISOString().slice(0, 20)}${String(row['nsec']).padStart(9, '0')}Z`).toBe(
        at.time,
      );
    }
  });

  test('nothing that is there is lost unasked', async () => {
    const path = join(root, 'there.parquet');
    writeFileSync(path, 'mine');
    const ran = await wgwhy('diagnose', ...CAPTURES, '--parquet', path);
    expect(ran.code).toBe(2);
    expect(ran.stderr).toContain('it is there already');
    expect(readFileSync(path, 'utf8')).toBe('mine');
    await wgwhy('diagnose', ...CAPTURES, '--parquet', path, '--force');
    expect((await rowsOf(path)).length).toBeGreaterThan(10);
  });

  test('not onto what is read', async () => {
    const path = join(root, 'capture.pcap');
    const [capture = ''] = CAPTURES;
    writeFileSync(path, readFileSync(capture));
    const ran = await wgwhy('diagnose', path, '--parquet', path, '--force');
    expect(ran.code).toBe(2);
    expect(ran.stderr).toContain('it is one of the files that are read');
    expect(existsSync(path)).toBe(true);
  });
});
