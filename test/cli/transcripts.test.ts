/**
 * The command line on real captures, from arguments to the last line of text. The texts stand in test/cli/transcripts/;
 * `npx vitest run test/cli/transcripts.test.ts -u` writes them anew after a change that is meant.
 */
import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import type { Environment } from '../../src/cli/environment.ts';
import { rules } from '../../src/diagnose/registry.ts';
import { diagnose } from '../../src/report/diagnose.ts';
import type { Report } from '../../src/report/model.ts';
import { eventSchema, reportSchema } from '../../src/report/schema.ts';
import { cli, type Ran } from './harness.ts';

/** From the project's root, where the tests run: what is printed is the same on every machine. */
const LAB = 'vectors/lab';

async function wgwhy(argv: readonly string[], stdin?: Uint8Array): Promise<Ran> {
  const given: Partial<Environment> = {
    rules,
    columns: 100,
    diagnose: (sources, options) => diagnose(sources, { ...options, tool: 'wgwhy 0.0.0' }),
    ...(stdin === undefined ? {} : { stdin: () => chunks(stdin) }),
  };
  return cli(argv, given);
}

async function* chunks(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 1000) yield bytes.slice(at, at + 1000);
}

const load = (path: string): Uint8Array => new Uint8Array(readFileSync(path));

const both = (name: string): string[] =>
  ['client.pcap', 'server.pcap', 'client.conf', 'server.conf'].map((file) => `${LAB}/${name}/${file}`);
const client = (name: string): string[] => [
  `${LAB}/${name}/client.pcap`,
  `${LAB}/${name}/client.conf`,
  '--at',
  'initiator',
];
const server = (name: string): string[] => [
  `${LAB}/${name}/server.pcap`,
  `${LAB}/${name}/server.conf`,
  '--at',
  'responder',
];

/** A frame in the middle claims more than there is, and the end is missing. */
function damaged(): Uint8Array {
  const bytes = load(`${LAB}/rekey-after-120/client.pcap`);
  bytes.fill(0xff, 2000, 2600);
  return bytes.slice(0, -5);
}

describe('exit code and text', () => {
  test.each([
    ['wrong-server-key-both', both('wrong-server-key'), 1],
    ['psk-mismatch-client', client('psk-mismatch'), 1],
    ['kernel-clock-reset-server', server('kernel-clock-reset'), 1],
    ['psk-mismatch-client-log', [...client('psk-mismatch'), `${LAB}/psk-mismatch/client.log`], 1],
    ['kernel-clock-reset-server-log', [...server('kernel-clock-reset'), `${LAB}/kernel-clock-reset/server.log`], 1],
    ['healthy-both', both('healthy'), 0],
    ['healthy-both-verbose', [...both('healthy'), '--verbose'], 0],
    ['snaplen-96-both', both('snaplen-96'), 0],
    ['one-file-of-no-use', [...client('healthy'), 'package.json'], 0],
  ])('%s', async (name, files, code) => {
    const ran = await wgwhy(['diagnose', ...files]);
    expect(ran.code).toBe(code);
    expect(ran.stderr).toBe('');
    await expect(ran.stdout).toMatchFileSnapshot(`transcripts/${name}.txt`);
  });

  test('damaged, from standard input', async () => {
    const ran = await wgwhy(['diagnose', '-', `${LAB}/rekey-after-120/client.conf`], damaged());
    expect(ran.code).toBe(0);
    await expect(ran.stdout).toMatchFileSnapshot('transcripts/damaged.txt');
  });

  test.each([
    ['of-no-use', ['package.json']],
    ['no-such-file', [`${LAB}/healthy/client.pcap`, `${LAB}/healthy/clinet.conf`]],
    ['no-such-option', [`${LAB}/healthy/client.pcap`, '--verbos']],
  ])('nothing that can be used: %s', async (name, argv) => {
    const ran = await wgwhy(['diagnose', ...argv]);
    expect([ran.code, ran.stdout]).toEqual([2, '']);
    await expect(ran.stderr).toMatchFileSnapshot(`transcripts/${name}.txt`);
  });
});

describe('for machines', () => {
  const ajv = new Ajv2020({ allErrors: true, strict: true, allowUnionTypes: true });
  const validReport = ajv.compile(reportSchema);
  const validEvent = ajv.compile(eventSchema);
  const names = ['wrong-server-key', 'nat-expired-silent'];

  test.each(names)('--json: %s', async (name) => {
    const { stdout, stderr, code } = await wgwhy(['diagnose', '--json', ...both(name)]);
    const report = JSON.parse(stdout) as Report;
    expect(validReport(report), ajv.errorsText(validReport.errors)).toBe(true);
    expect(stderr).toBe('');
    expect(code).toBe(report.findings.some(({ severity }) => severity === 'error') ? 1 : 0);
    expect(report.inputs.map((input) => input.name)).toEqual(both(name));
  });

  test.each(names)('--ndjson: %s', async (name) => {
    const { stdout, code } = await wgwhy(['diagnose', '--ndjson', ...both(name)]);
    const lines = stdout.split('\n');
    expect(lines.pop()).toBe('');
    const events = lines.map((line) => JSON.parse(line) as { event: string; finding?: { severity: string } });
    for (const event of events) expect(validEvent(event), ajv.errorsText(validEvent.errors)).toBe(true);
    expect(events.filter(({ event }) => event === 'message').length).toBeGreaterThanOrEqual(6);
    expect(code).toBe(events.some(({ finding }) => finding?.severity === 'error') ? 1 : 0);
  });

  test('standard input is a capture like any other', async () => {
    const [capture = '', conf = '', ...at] = server('kernel-clock-reset');
    const named = await wgwhy(['diagnose', '--json', capture, conf, ...at]);
    const piped = await wgwhy(['diagnose', '--json', '-', conf, ...at], load(capture));
    expect(piped.code).toBe(1);
    const as = (name: string): Report =>
      JSON.parse(named.stdout.replaceAll(capture, name).replaceAll('server.pcap', name));
    expect(withoutLabels(JSON.parse(piped.stdout))).toEqual(withoutLabels(as('-')));
  });

  test('--reader pcap-parser says the same', async () => {
    const own = await wgwhy(['diagnose', ...both('psk-mismatch')]);
    const other = await wgwhy(['diagnose', '--reader', 'pcap-parser', ...both('psk-mismatch')]);
    expect(other).toEqual({ ...own, calls: other.calls });
  });
});

test('rules: every rule has its page', async () => {
  for (const { name, explain } of rules) {
    const { code, stdout } = await wgwhy(['rules', name]);
    expect(code).toBe(0);
    expect(stdout.replace(/\s+/g, ' ')).toContain(explain.what.replace(/\s+/g, ' ').slice(0, 40));
  }
});

/** A file in a folder has one, standard input has not. */
function withoutLabels(report: Report): Report {
  return { ...report, inputs: report.inputs.map(({ label: _, ...input }) => input) };
}
