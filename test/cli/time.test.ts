/** `wgwhy time` on captures of the lab: transcripts, JSON by its schema, the SVG, and what it says without the key. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, describe, expect, test } from 'vitest';
import { timeText } from '../../src/cli/time-text.ts';
import { clocksSchema } from '../../src/report/time/json.ts';
import { cli, type Ran } from './harness.ts';

const LAB = 'vectors/lab';
const folder = mkdtempSync(join(tmpdir(), 'wgwhy-time-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function time(argv: readonly string[], stdin?: Uint8Array): Promise<Ran> {
  const given = stdin === undefined ? {} : { stdin: () => once(stdin) };
  return cli(['time', ...argv], { columns: 100, ...given });
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

const KEYS = `${LAB}/kernel-clock-reset/server.conf`;
const CAPTURE = `${LAB}/kernel-clock-reset/server.pcap`;

describe('text', () => {
  test.each([
    ['time-clock-reset', [CAPTURE, KEYS], 1],
    ['time-two', ['rekey-after-120/server.pcap', 'rekey-after-120/server.conf'].map((file) => `${LAB}/${file}`), 0],
    [
      'time-narrow',
      [
        'vectors/lab-more/duplicate-client-key/server.pcap',
        'vectors/lab-more/duplicate-client-key/server.conf',
        '--width',
        '70',
      ],
      0,
    ],
  ] as const)('%s', async (name, argv, code) => {
    const ran = await time(argv);
    expect([ran.code, ran.stderr]).toEqual([code, '']);
    await expect(ran.stdout).toMatchFileSnapshot(`transcripts/${name}.txt`);
  });

  test('missing keys: which one would open them', async () => {
    const none = await time([CAPTURE]);
    const client = await time([`${LAB}/rekey-after-120/client.pcap`, `${LAB}/rekey-after-120/client.conf`]);
    expect([none.code, none.stdout, client.code, client.stdout]).toEqual([2, '', 2, '']);
    await expect(none.stderr + client.stderr).toMatchFileSnapshot('transcripts/time-no-key.txt');
  });

  test('a damaged capture, from standard input', async () => {
    const bytes = new Uint8Array(readFileSync(CAPTURE));
    const ran = await time(['-', KEYS], bytes.slice(0, -5));
    expect([ran.code, ran.stderr]).toEqual([1, '']);
    await expect(ran.stdout).toMatchFileSnapshot('transcripts/time-damaged.txt');
  });

  test.each([
    ['no file', []],
    ['too narrow', [CAPTURE, '--width', '10']],
    ['no such file', [`${CAPTURE}x`]],
    ['no capture', ['package.json']],
  ])('wrong usage: %s', async (_, argv) => {
    const ran = await time(argv);
    expect([ran.code, ran.stdout]).toEqual([2, '']);
    expect(ran.stderr).not.toBe('');
  });
});

/** More than fit as arguments on the stack. */
const MANY = 200_000;

test('a flood from many addresses: the first and the last are told', () => {
  const closed = Array.from({ length: MANY }, (_, i) => ({
    capture: 'flood.pcap',
    from: `198.51.100.1:${i}`,
    count: 1,
    firstFrame: i + 1,
    missing: 'the private key of its responder',
  }));
  const lines = timeText({ captures: ['flood.pcap'], senders: [], closed, problems: [] }, 200).split('\n');
  expect(lines).toHaveLength(42);
  expect(lines[20]).toBe(`… and ${MANY - 40} more (--json lists them)`);
  expect(lines[40]).toContain(`frame ${MANY} stays closed`);
});

test('--json, by its schema', async () => {
  const ajv = new Ajv2020({ allErrors: true, strict: true, allowUnionTypes: true });
  const valid = ajv.compile(clocksSchema);
  const remarked = join(folder, 'remarked.conf');
  writeFileSync(remarked, readFileSync(KEYS, 'utf8').replace('[Interface]', '[Interface]\nMTU = 1380'));
  expect(JSON.parse((await time([CAPTURE, remarked, '--json'])).stdout).problems).toMatchObject([{ remark: true }]);
  for (const argv of [[CAPTURE, KEYS], [CAPTURE], [CAPTURE, remarked]]) {
    const { stdout } = await time([...argv, '--json']);
    expect(valid(JSON.parse(stdout)), ajv.errorsText(valid.errors)).toBe(true);
  }
  const [sender] = JSON.parse((await time([CAPTURE, KEYS, '--json'])).stdout).senders;
  expect([sender.base, sender.whitened, sender.notGreater.map((one: { frame: number }) => one.frame)]).toEqual([
    10,
    4,
    [7, 8, 9],
  ]);
});

test('--svg', async () => {
  const path = join(folder, 'clocks.svg');
  expect((await time([CAPTURE, KEYS, '--svg', path])).code).toBe(1);
  const svg = readFileSync(path, 'utf8');
  expect(svg.match(/<circle /g)?.length).toBe(4);
  expect(svg.match(/fill="#c00"/g)?.length).toBe(3);
  expect(svg.replace(/<\/?[a-z]+( [a-zA-Z-]+="[^"<>&]*")*\/?>/g, '')).not.toMatch(/[<>]/);
  expect((await time([CAPTURE, KEYS, '--svg', join(folder, 'none', 'c.svg')])).code).toBe(2);
});
