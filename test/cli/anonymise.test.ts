/** `wgwhy anonymise` from arguments to files: transcripts, JSON by its schema, and that the written folder is diagnosed alike. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, describe, expect, test } from 'vitest';
import { anonymisedSchema } from '../../src/report/anonymise/schema.ts';
import { diagnose } from '../../src/report/diagnose.ts';
import { cli, type Ran } from './harness.ts';

const LAB = 'vectors/lab';
const root = mkdtempSync(join(tmpdir(), 'wgwhy-anonymise-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

let count = 0;

async function anonymise(argv: readonly string[]): Promise<Ran & { readonly folder: string }> {
  const folder = join(root, String(count++));
  const ran = await cli(['anonymise', ...argv, '-o', folder], {
    columns: 100,
    diagnose: (sources, options) => diagnose(sources, options),
  });
  return { ...ran, folder };
}

const plain = (text: string, folder: string): string => text.replaceAll(folder, 'DIR').replaceAll(root, 'ROOT');
const all = (name: string): string[] =>
  ['client.pcap', 'server.pcap', 'client.conf', 'server.conf'].map((file) => `${LAB}/${name}/${file}`);

describe('text', () => {
  test.each([
    ['anonymise-both', [...all('psk-mismatch'), '--seed', 'x'], 0],
    ['anonymise-no-key', [`${LAB}/healthy/client.pcap`, '--seed', 'x', '--shift-time', '-86400'], 0],
    ['anonymise-left-out', [...all('healthy'), `${LAB}/healthy/client.log`, 'package.json', '--seed', 'x'], 0],
  ] as const)('%s', async (name, argv, code) => {
    const ran = await anonymise(argv);
    expect([ran.code, ran.stderr]).toEqual([code, '']);
    await expect(plain(ran.stdout, ran.folder)).toMatchFileSnapshot(`transcripts/${name}.txt`);
  });

  test('a damaged capture: what is lost is listed', async () => {
    const path = join(root, 'damaged.pcap');
    writeFileSync(path, readFileSync(`${LAB}/psk-mismatch/client.pcap`).subarray(0, -5));
    const ran = await anonymise([path, `${LAB}/psk-mismatch/client.conf`, '--seed', 'x']);
    expect([ran.code, ran.stderr]).toEqual([1, '']);
    await expect(plain(ran.stdout, ran.folder)).toMatchFileSnapshot('transcripts/anonymise-damaged.txt');
  });

  test('nothing of use', async () => {
    const ran = await anonymise(['package.json']);
    expect([ran.code, ran.stdout]).toEqual([2, '']);
    expect(plain(ran.stderr, ran.folder)).toContain('package.json');
  });

  test.each([
    ['no folder', ['anonymise', `${LAB}/healthy/client.pcap`]],
    ['a folder with files in it', ['anonymise', `${LAB}/healthy/client.pcap`, '-o', LAB]],
    ['a file for a folder', ['anonymise', `${LAB}/healthy/client.pcap`, '-o', 'package.json']],
    ['standard input', ['anonymise', '-', '-o', join(root, 'never')]],
    ['no seconds', ['anonymise', `${LAB}/healthy/client.pcap`, '-o', join(root, 'never'), '--shift-time', '1 day']],
    ['no such file', ['anonymise', `${LAB}/healthy/none.pcap`, '-o', join(root, 'never')]],
  ])('wrong usage: %s', async (_, argv) => {
    const ran = await cli(argv, { columns: 100 });
    expect([ran.code, ran.stdout]).toEqual([2, '']);
    expect(ran.stderr).not.toMatch(/defect/);
    expect(readdirSync(root)).not.toContain('never');
  });
});

/** Empty where there are none. */
function schemaErrors(said: unknown): string {
  const ajv = new Ajv2020({ allErrors: true, strict: true });
  const valid = ajv.compile(anonymisedSchema);
  return valid(said) ? '' : ajv.errorsText(valid.errors);
}

test('a remark on a configuration is in the JSON and in its schema', async () => {
  const conf = join(root, 'remarked.conf');
  const text = readFileSync(`${LAB}/psk-mismatch/client.conf`, 'utf8');
  writeFileSync(conf, text.replace('[Interface]', '[Interface]\nMTU = 1380\nMTU = 1380'));
  const said = JSON.parse((await anonymise([`${LAB}/psk-mismatch/client.pcap`, conf, '--json'])).stdout);
  expect(said.problems).toContainEqual(expect.objectContaining({ remark: true }));
  expect(schemaErrors(said)).toBe('');
});

test('the folder holds the files that are told of, and they are diagnosed as the originals', async () => {
  const ran = await anonymise([...all('psk-mismatch'), '--json']);
  const said = JSON.parse(ran.stdout);
  expect(schemaErrors(said)).toBe('');
  expect(readdirSync(ran.folder)).toEqual(['a.pcap', 'b.pcap', 'c.conf', 'd.conf']);
  expect(said.files.map((file: { name: string }) => file.name)).toEqual(readdirSync(ran.folder));
  expect([said.findings.lost, said.findings.added, said.findings.same > 0]).toEqual([[], [], true]);
  const given = { diagnose: (sources: Parameters<typeof diagnose>[0]) => diagnose(sources) };
  const [was, is] = [
    await cli(['diagnose', ...all('psk-mismatch'), '--json'], given),
    await cli(['diagnose', ...readdirSync(ran.folder).map((name) => join(ran.folder, name)), '--json'], given),
  ];
  const brief = ({ stdout }: Ran): unknown =>
    JSON.parse(stdout).findings.map(
      ({ rule, frames }: { rule: string; frames: { input: string; frame: number }[] }) => [
        rule,
        ...frames.map(({ input, frame }) => `${input}${frame}`),
      ],
    );
  expect(brief(is)).toEqual(brief(was));
});

test('without a seed every run gives another', async () => {
  const argv = [`${LAB}/healthy/client.pcap`];
  const [one, other] = [await anonymise(argv), await anonymise(argv)];
  expect(readFileSync(join(one.folder, 'a.pcap'))).not.toEqual(readFileSync(join(other.folder, 'a.pcap')));
});
