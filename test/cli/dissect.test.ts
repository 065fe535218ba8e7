/** `wgwhy dissect`: its texts stand in test/cli/transcripts/ (see transcripts.test.ts), its JSON keeps to the schema, its filters are checked. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, describe, expect, test } from 'vitest';
import type { Dissected } from '../../src/report/dissect-model.ts';
import { dissectSchema } from '../../src/report/dissect-schema.ts';
import { amnezia, lwo, warp } from '../diagnose/forms.ts';
import { capture } from '../diagnose/traffic.ts';
import { INITIATOR, KEY_LOG, RESPONDER, SESSION } from '../report/dissect-samples.ts';
import { cli, type Ran } from './harness.ts';

const LAB = 'vectors/lab';
const folder = mkdtempSync(join(tmpdir(), 'wgwhy-dissect-'));
const keys = join(folder, 'session.keys');
writeFileSync(keys, KEY_LOG, { mode: 0o600 });
afterAll(() => rmSync(folder, { recursive: true }));

async function wgwhy(argv: readonly string[], stdin?: Uint8Array, columns: number | undefined = 110): Promise<Ran> {
  return cli(['dissect', ...argv], { columns, ...(stdin === undefined ? {} : { stdin: () => chunks(stdin) }) });
}

async function* chunks(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 1000) yield bytes.slice(at, at + 1000);
}

/** A frame in the middle claims more than there is, and the end is missing. */
function damaged(): Uint8Array {
  const bytes = new Uint8Array(readFileSync(`${LAB}/rekey-after-120/client.pcap`));
  bytes.fill(0xff, 2000, 2600);
  return bytes.slice(0, -5);
}

const session = (): Uint8Array => capture(SESSION);

describe('text', () => {
  test.each<[string, readonly string[], Uint8Array | undefined, number]>([
    ['dissect-session', ['-', keys], session(), 0],
    ['dissect-session-hex', ['-', keys, '--hex', '--type', 'data'], session(), 0],
    ['dissect-session-summary', ['-', keys, '--summary'], session(), 0],
    ['dissect-without-keys', [`${LAB}/healthy/client.pcap`, '--frames', '1-3'], undefined, 0],
    ['dissect-client-conf', [`${LAB}/healthy/client.pcap`, `${LAB}/healthy/client.conf`, '--summary'], undefined, 0],
    [
      'dissect-cut',
      [`${LAB}/snaplen-96/client.pcap`, `${LAB}/snaplen-96/client.conf`, '--frames', '1,3'],
      undefined,
      0,
    ],
    ['dissect-damaged', ['-', `${LAB}/rekey-after-120/client.conf`, '--summary', '--type', 'handshake'], damaged(), 0],
    ['dissect-none', [`${LAB}/healthy/client.pcap`, '--type', 'malformed'], undefined, 1],
    [
      'dissect-forms',
      ['-', keys, '--type', 'initiation'],
      capture([
        ...SESSION.flatMap(warp([1, 2, 3])),
        ...later(200, SESSION.flatMap(lwo(RESPONDER, INITIATOR))),
        ...later(400, SESSION.flatMap(amnezia({ serverKey: RESPONDER, clientKey: INITIATOR }))),
      ]),
      0,
    ],
  ])('%s', async (name, argv, stdin, code) => {
    const ran = await wgwhy(argv, stdin);
    expect([ran.code, ran.stderr]).toEqual([code, '']);
    await expect(ran.stdout).toMatchFileSnapshot(`transcripts/${name}.txt`);
  });

  test('lines are as wide as the terminal, and never less than 80', async () => {
    for (const columns of [20, 80, 200]) {
      const { stdout } = await wgwhy(['-', keys], session(), columns);
      const widest = Math.max(...stdout.split('\n').map((line) => [...line].length));
      expect(widest).toBeLessThanOrEqual(Math.max(80, columns) + 20);
    }
  });

  test('what is wrong with a file of keys stands on stderr', async () => {
    const { code, stdout, stderr } = await wgwhy(['-', 'package.json', '--summary'], session());
    expect(code).toBe(0);
    expect(stdout).not.toContain('package.json');
    expect(stderr).toContain('package.json: this is JSON, which is not read');
  });
});

function later<T extends { readonly at: number }>(by: number, sent: readonly T[]): T[] {
  return sent.map((one) => ({ ...one, at: one.at + by }));
}

describe('for machines', () => {
  const ajv = new Ajv2020({ allErrors: true, strict: true, allowUnionTypes: true });
  const valid = ajv.compile(dissectSchema);

  test.each([
    ['a session', ['-', keys], session()],
    ['a damaged capture', ['-', `${LAB}/rekey-after-120/client.conf`], damaged()],
    ['a file of no use', ['-', 'package.json'], session()],
  ])('--ndjson and --json: %s', async (_, argv, stdin) => {
    const lines = await wgwhy([...argv, '--ndjson'], stdin);
    const items = lines.stdout
      .trimEnd()
      .split('\n')
      .map((line): Dissected => JSON.parse(line));
    for (const item of items) expect(valid(item), ajv.errorsText(valid.errors)).toBe(true);
    expect(items.filter(({ kind }) => kind === 'end')).toHaveLength(1);
    const document = await wgwhy([...argv, '--json'], stdin);
    expect(JSON.parse(document.stdout)).toEqual({ schema: 'wgwhy/dissect/1', items });
    expect([lines.stderr, document.stderr, lines.code, document.code]).toEqual(['', '', 0, 0]);
  });

  test('several captures, one after the other', async () => {
    const files = ['client', 'server'].map((end) => `${LAB}/healthy/${end}.pcap`);
    const { stdout } = await wgwhy([...files, '--ndjson', '--summary']);
    const items = stdout
      .trimEnd()
      .split('\n')
      .map((line): Dissected => JSON.parse(line));
    expect(items.filter((item) => item.kind === 'capture').map(({ name }) => name)).toEqual(files);
    expect(items.every((item) => !('fields' in item))).toBe(true);
  });
});

describe('filters', () => {
  const frames = async (...argv: readonly string[]): Promise<number[]> => {
    const { stdout } = await wgwhy(['-', keys, '--summary', '--ndjson', ...argv], session());
    const items = stdout
      .trimEnd()
      .split('\n')
      .map((line): Dissected => JSON.parse(line));
    return items.flatMap((item) => (item.kind === 'message' ? [item.at.frame] : []));
  };

  test.each<[readonly string[], readonly number[]]>([
    [[], [1, 2, 3]],
    [['--frames', '2'], [2]],
    [
      ['--frames', '1,3-'],
      [1, 3],
    ],
    [['--frames', '2-2'], [2]],
    [
      ['--conversation', '203.0.113.10:51820'],
      [1, 2, 3],
    ],
    [
      ['--conversation', '203.0.113.10, 10.99.1.2:51821'],
      [1, 2, 3],
    ],
    [['--conversation', '[2001:db8::1]:5'], []],
    [
      ['--type', '2,data'],
      [2, 3],
    ],
    [
      ['--type', 'handshake'],
      [1, 2],
    ],
    [['--time', '0.005..0.015'], [2]],
    [
      ['--time', '..0.01'],
      [1, 2],
    ],
    [
      ['--time', '2023-11-14T22:13:20.010Z..'],
      [2, 3],
    ],
    [['--time', '..2023-11-14 22:13:20 UTC'], [1]],
    [
      ['--peer', RESPONDER],
      [1, 2, 3],
    ],
    [['--peer', 'nobody.conf'], []],
  ])('%j', async (argv, wanted) => {
    expect(await frames(...argv)).toEqual(wanted);
  });

  test.each<[readonly string[], RegExp]>([
    [['--frames', 'x'], /--frames x: no frame numbers\n {2}for example 7/],
    [['--frames', '9-3'], /no frame numbers/],
    [['--frames', '0'], /no frame numbers/],
    [['--conversation', 'example.org'], /--conversation example\.org: no address/],
    [['--conversation', '1.2.3.4,1.2.3.5,1.2.3.6'], /one end, or two/],
    [['--session', '0xnothing'], /up to eight hexadecimal digits/],
    [['--peer', ''], /--peer needs/],
    [['--type', 'pong'], /--type pong: there is no such type\n {2}initiation, response/],
    [['--time', '5'], /--time 5: no span of time/],
    [['--time', '..'], /no span of time/],
    [['--time', '1..yesterday'], /no span of time/],
    [['--json', '--ndjson'], /cannot be used with/],
    [['--public-key', 'nothing'], /NAME=KEY/],
  ])('wrong: %j', async (argv, said) => {
    const ran = await wgwhy(['-', ...argv], session());
    expect([ran.code, ran.stdout]).toEqual([2, '']);
    expect(ran.stderr).toMatch(said);
  });

  test.each([
    ['no capture', [`${LAB}/healthy/client.conf`], /there is no capture among these files\n {2}wgwhy check/],
    ['no capture, for machines', ['package.json', '--ndjson'], /\n {2}package\.json: this is JSON/],
    ['no such file', [`${LAB}/healthy/no.pcap`], /no\.pcap: there is no such file/],
    ['a key as an argument', ['f.pcap', RESPONDER], /argument 3 is a key, not a file/],
    ['nothing at all', [], /missing required argument 'capture'/],
  ])('of no use: %s', async (_, argv, said) => {
    const ran = await wgwhy(argv);
    expect([ran.code, ran.stdout]).toEqual([2, '']);
    expect(ran.stderr).toMatch(said);
  });
});
