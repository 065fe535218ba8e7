/** `wgwhy diagnose`: what reaches the analysis, what comes out, which exit code, and what never gets in. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { utf8 } from '../../src/base/bytes.ts';
import { fastestOnNode } from '../../src/io/fastest-crypto.ts';
import type { DiagnoseOptions } from '../../src/report/diagnose.ts';
import { eventLine } from '../../src/report/json.ts';
import { renderText } from '../../src/report/text.ts';
import { FAILED, HEALTHY, NOTHING_READABLE, WARNED } from '../report/samples.ts';
import { cli } from './harness.ts';

const KEY = 'AbCdEfGhIjKlMnOpQrStUvWxYz0123456789+/AbCdE=';

let folder = '';
const file = (name: string): string => join(folder, name);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'wgwhy-cli-'));
  for (const name of ['a.pcap', 'b.pcap', 'wg0.conf']) writeFileSync(file(name), name);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('exit code and stream', () => {
  test.each([
    ['nothing wrong', HEALTHY, true, 0],
    ['a warning', WARNED, true, 0],
    ['an error', FAILED, true, 1],
    ['nothing usable', NOTHING_READABLE, false, 2],
    ['an error, but nothing usable', FAILED, false, 2],
  ])('%s', async (_, report, usable, wanted) => {
    const { code, stdout, stderr } = await cli(['diagnose', file('a.pcap')], { answer: { report, usable } });
    expect(code).toBe(wanted);
    expect(usable ? stdout : stderr).toBe(renderText(report));
    expect(usable ? stderr : stdout).toBe('');
  });

  test('--json is the report, also where nothing was usable', async () => {
    const { code, stdout, stderr } = await cli(['diagnose', file('a.pcap'), '--json'], {
      answer: { report: NOTHING_READABLE, usable: false },
    });
    expect(JSON.parse(stdout)).toEqual(JSON.parse(JSON.stringify(NOTHING_READABLE)));
    expect([code, stderr]).toEqual([2, '']);
  });

  test('--ndjson is the events and nothing else', async () => {
    const event = {
      schema: 'wgwhy/event/1',
      event: 'frame-skipped',
      at: { input: 'a', frame: 1, time: '' },
      reason: 'r',
      detail: '',
    } as const;
    const { code, stdout, stderr } = await cli(['diagnose', file('a.pcap'), '--ndjson'], {
      diagnose: async (_sources, options) => {
        await options.onLines?.(utf8(eventLine(event).repeat(2)));
        return { report: { ...FAILED, problems: NOTHING_READABLE.problems }, usable: true };
      },
    });
    expect(stdout).toBe(`${JSON.stringify(event)}\n`.repeat(2));
    // neither a verdict nor anything else that the events tell better
    expect(stderr).toMatch(/^problems in files\n/);
    expect(stderr).toContain('  - client.conf:3:14: a key has 44 characters');
    expect(stderr).not.toContain('nothing wrong');
    expect(code).toBe(1);
  });

  test('--json and --ndjson together are refused', async () => {
    const { code, stderr, calls } = await cli(['diagnose', file('a.pcap'), '--json', '--ndjson']);
    expect([code, calls.length]).toEqual([2, 0]);
    expect(stderr).toContain('cannot be used with');
  });
});

describe('width and colour', () => {
  const answer = { report: FAILED, usable: true };
  const terminal = { stdin: false, stdout: true, stderr: false };
  test.each([
    ['a terminal', { isTTY: terminal }, [], true],
    ['a pipe', {}, [], false],
    ['--no-color', { isTTY: terminal }, ['--no-color'], false],
    ['NO_COLOR', { isTTY: terminal, env: { NO_COLOR: '1' } }, [], false],
    ['an empty NO_COLOR', { isTTY: terminal, env: { NO_COLOR: '' } }, [], true],
    ['TERM=dumb', { isTTY: terminal, env: { TERM: 'dumb' } }, [], false],
  ])('%s', async (_, given, more, coloured) => {
    const { stdout } = await cli(['diagnose', file('a.pcap'), ...more], { ...given, answer });
    expect(stdout.includes('\u001b')).toBe(coloured);
  });

  test('the terminal says how wide', async () => {
    const { stdout } = await cli(['diagnose', file('a.pcap'), '--verbose'], { answer, columns: 72 });
    expect(stdout).toBe(renderText(FAILED, { width: 72, verbose: true }));
  });
});

describe('options reach the analysis', () => {
  const optionsOf = async (...more: string[]): Promise<DiagnoseOptions | undefined> =>
    (await cli(['diagnose', file('a.pcap'), file('b.pcap'), ...more])).calls[0]?.options;

  test('defaults', async () => {
    const options = await optionsOf();
    expect(options).toEqual({ crypto: fastestOnNode(), publicKeys: [], policy: 'linux' });
  });

  test('public keys, policy, reader', async () => {
    const options = await optionsOf(
      '--public-key',
      `server=${KEY}`,
      `--public-key=old=${KEY}`,
      '--policy',
      'boringtun',
      '--reader',
      'pcap-parser',
    );
    expect(options?.publicKeys).toEqual([`server=${KEY}`, `old=${KEY}`]);
    expect(options?.policy).toBe('boringtun');
    expect(options?.openCapture).toBeTypeOf('function');
  });

  test.each([
    [['--at', 'between'], 'between'],
    [['--at', 'a.pcap=initiator'], { 'a.pcap': 'initiator' }],
    [['--at', 'responder', '--at', 'a.pcap=initiator'], { 'a.pcap': 'initiator', 'b.pcap': 'responder' }],
  ])('%j', async (more, wanted) => {
    const at = (await optionsOf(...more))?.at;
    const named =
      typeof wanted === 'string' ? wanted : new Map(Object.entries(wanted).map(([name, where]) => [file(name), where]));
    expect(at).toEqual(named);
  });

  test('sources are named as given, once each, and read lazily', async () => {
    const { calls } = await cli(['diagnose', file('a.pcap'), file('wg0.conf'), file('a.pcap')]);
    const sources = calls[0]?.sources ?? [];
    expect(sources.map(({ name }) => name)).toEqual([file('a.pcap'), file('wg0.conf')]);
    const chunks: Uint8Array[] = [];
    for await (const chunk of sources[0]?.open() ?? []) chunks.push(chunk);
    expect(chunks).toEqual([new TextEncoder().encode('a.pcap')]);
    expect(chunks[0]?.constructor).toBe(Uint8Array);
  });

  test('- is standard input', async () => {
    async function* piped() {
      yield new Uint8Array([1, 2]);
    }
    const { code, calls } = await cli(['diagnose', '-'], { stdin: piped });
    expect([code, calls[0]?.sources[0]?.name]).toEqual([0, '-']);
    for await (const chunk of calls[0]?.sources[0]?.open() ?? []) expect(chunk).toEqual(new Uint8Array([1, 2]));
  });
});

describe('refused before any analysis', () => {
  test.each<[string, (f: typeof file) => string[], RegExp]>([
    ['no file', () => [], /missing required argument/],
    ['an unknown option', (f) => [f('a.pcap'), '--vantage'], /unknown option '--vantage'/],
    [
      'a file that is not there',
      (f) => [f('a.pcap'), f('missing.pcap')],
      /missing\.pcap: there is no such file; check the spelling/,
    ],
    ['a directory', () => [folder], /this is a directory; name the files in it/],
    ['a file below a file', (f) => [join(f('a.pcap'), 'x')], /there is no such file; a part of this path/],
    ['a policy that is none', (f) => [f('a.pcap'), '--policy', 'openbsd'], /Allowed choices are linux/],
    ['a reader that is none', (f) => [f('a.pcap'), '--reader', 'tshark'], /Allowed choices are own/],
    ['a place that is none', (f) => [f('a.pcap'), '--at', 'server'], /one of initiator, responder, between/],
    ['a place for a file that was not given', (f) => [f('a.pcap'), '--at', 'z.pcap=between'], /no such file was given/],
    ['two places for all', (f) => [f('a.pcap'), '--at', 'between', '--at', 'initiator'], /twice/],
    ['a public key without a name', (f) => [f('a.pcap'), '--public-key', 'server'], /NAME=KEY/],
    ['a short public key', (f) => [f('a.pcap'), '--public-key', 'server=AbCd='], /44 characters/],
    ['trailing bits', (f) => [f('a.pcap'), '--public-key', `server=${KEY.slice(0, 42)}F=`], /mistyped/],
    ['one name twice', (f) => [f('a.pcap'), '--public-key', `s=${KEY}`, '--public-key', `s=${KEY}`], /twice/],
  ])('%s', async (_, args, wanted) => {
    const { code, stdout, stderr, calls } = await cli(['diagnose', ...args(file)]);
    expect(stderr).toMatch(wanted);
    expect([code, stdout, calls.length]).toEqual([2, '', 0]);
  });

  test('all unreadable files are named at once', async () => {
    const { stderr } = await cli(['diagnose', file('x'), file('y'), file('a.pcap')]);
    expect(stderr).toMatch(/^wgwhy: 2 files cannot be read\n {2}.*x: there is.*\n {2}.*y: there is/);
  });

  test.skipIf(process.getuid?.() === 0)('a file that may not be read', async () => {
    writeFileSync(file('secret.pcap'), '');
    chmodSync(file('secret.pcap'), 0);
    expect((await cli(['diagnose', file('secret.pcap')])).stderr).toContain('is not permitted');
  });

  test('standard input that is a terminal', async () => {
    const { code, stderr } = await cli(['diagnose', '-'], { isTTY: { stdin: true, stdout: true, stderr: true } });
    expect([code, stderr]).toEqual([2, expect.stringContaining('standard input is a terminal')]);
  });
});

describe('secrets on the command line are refused and never repeated', () => {
  const HEX = '0123456789abcdef'.repeat(4);
  test.each([
    ['--private-key', ['--private-key', KEY]],
    ['--private-key=', [`--private-key=${KEY}`]],
    ['--psk', ['--psk', KEY]],
    ['--preshared-key', ['--preshared-key', KEY]],
    ['a bare key', [KEY]],
    ['a bare key in hexadecimal', [HEX]],
    ['--public-key without a name', ['--public-key', KEY]],
    ['--public-key=', [`--public-key=${KEY}`]],
    ['a private key as a public one', ['--public-key', `client-private=${KEY}`]],
  ])('%s', async (_, more) => {
    const { code, stdout, stderr, calls } = await cli(['diagnose', file('a.pcap'), ...more]);
    expect([code, stdout, calls.length]).toEqual([2, '', 0]);
    expect(stderr).not.toContain(KEY.slice(0, 10));
    expect(stderr).not.toContain(HEX.slice(0, 10));
    expect(stderr).toMatch(/^wgwhy: /);
  });
});

describe('progress', () => {
  const chunk = new Uint8Array(8 * 1024 * 1024);
  async function* long() {
    for (let i = 0; i < 5; i++) yield chunk;
  }
  const run = (stderrIsTTY: boolean) =>
    cli(['diagnose', '-'], {
      stdin: long,
      isTTY: { stdin: false, stdout: false, stderr: stderrIsTTY },
      diagnose: async (sources) => {
        for (const source of sources) for await (const _ of source.open());
        return { report: HEALTHY, usable: true };
      },
    });

  test('on a terminal, for long input, and gone at the end', async () => {
    const { stderr } = await run(true);
    expect(stderr).toBe('\rreading: 16 MiB\rreading: 24 MiB\rreading: 32 MiB\rreading: 40 MiB\r\u001b[K');
  });

  test('not into a file', async () => {
    expect((await run(false)).stderr).toBe('');
  });

  test('not for short files', async () => {
    const { stderr } = await cli(['diagnose', file('a.pcap')], { isTTY: { stdin: true, stdout: true, stderr: true } });
    expect(stderr).toBe('');
  });
});
