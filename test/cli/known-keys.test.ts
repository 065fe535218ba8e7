/** `wgwhy keys`: places, what opens, what is missing; secrets on request only, to the screen or to files of mode 0600. */
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Bytes } from '../../src/base/bytes.ts';
import { parseKeyLog } from '../../src/config/key-log.ts';
import { parseTrafficKeys } from '../../src/config/traffic-keys.ts';
import type { KeysReport } from '../../src/report/keys-model.ts';
import { keysSchema } from '../../src/report/keys-schema.ts';
import { keyLog } from '../diagnose/handshakes.ts';
import { CLIENT_IN, ping, pong, SERVER_IN, Tunnel } from '../diagnose/inside.ts';
import { CLIENT, conf, fittingFiles, PSK_A, PSK_B, SERVER } from '../diagnose/keys.ts';
import { capture } from '../diagnose/traffic.ts';
import { cli, type Ran } from './harness.ts';

let root = '';
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'wgwhy-keys-'));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

type Files = Readonly<Record<string, string | Bytes>>;

interface Done extends Ran {
  readonly folder: string;
  readonly out: string;
  readonly err: string;
}

/** All files, then the options, in which `:name` is a file of the folder. */
async function keys(files: Files, ...options: readonly string[]): Promise<Done> {
  const folder = mkdtempSync(join(root, 'k-'));
  const paths = Object.entries(files).map(([name, content]) => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  });
  const given = options.map((arg) => (arg.startsWith(':') ? join(folder, arg.slice(1)) : arg));
  const ran = await cli(['keys', ...paths, ...given], { columns: 100 });
  const plain = (text: string): string => text.replaceAll(`${folder}/`, '');
  return { ...ran, folder, out: plain(ran.stdout), err: plain(ran.stderr) };
}

const STATIC = `LOCAL_STATIC_PRIVATE_KEY = ${CLIENT.secret}\nREMOTE_STATIC_PUBLIC_KEY = ${SERVER.public}\n`;
const KEYS = STATIC + keyLog(0x11);

function talk(index = 0x11, at = 0, psk?: string): Tunnel {
  return new Tunnel({ index, at, ...(psk === undefined ? {} : { psk }) })
    .there(ping(CLIENT_IN, SERVER_IN))
    .back(pong(SERVER_IN, CLIENT_IN))
    .there(new Uint8Array(0));
}
const CAP = capture(talk().packets);
const WITH_PSK = fittingFiles({ clientPeer: { psk: PSK_A }, serverPeer: { psk: PSK_A } });

const everySecret = [CLIENT.secret, SERVER.secret, PSK_A, PSK_B, keyLog(0x11).trim().split(' = ')[1] ?? ''];
const leaked = (text: string): string[] => everySecret.filter((secret) => text.includes(secret.slice(0, 12)));

const CASES: readonly (readonly [string, Files, number])[] = [
  ['all-open', { 'cap.pcap': CAP, 'keys.txt': KEYS, ...fittingFiles() }, 0],
  ['confs-only', { 'cap.pcap': CAP, ...WITH_PSK }, 1],
  ['psk-in-conf', { 'cap.pcap': capture(talk(0x11, 0, PSK_A).packets), 'keys.txt': keyLog(0x11), ...WITH_PSK }, 0],
  [
    'some-missing',
    {
      'cap.pcap': capture([...talk().packets, ...talk(0x12, 130).packets, ...talk(0x13, 260).packets.slice(2)]),
      'keys.txt': KEYS,
    },
    1,
  ],
  ['psk-unknown', { 'cap.pcap': capture(talk(0x11, 0, PSK_B).packets), 'keys.txt': KEYS, ...WITH_PSK }, 1],
  ['nothing-known', { 'cap.pcap': CAP }, 1],
  ['no-capture', { 'keys.txt': KEYS, ...WITH_PSK }, 0],
  ['damaged', { 'cap.pcap': CAP.slice(0, -5), 'keys.txt': KEYS }, 1],
];

describe('transcripts', () => {
  test.each(CASES)('%s', async (name, files, code) => {
    const ran = await keys(files);
    expect([ran.code, ran.err]).toEqual([code, '']);
    expect(leaked(ran.out)).toEqual([]);
    await expect(ran.out).toMatchFileSnapshot(`transcripts/keys-${name}.txt`);
  });

  test('nothing that can be read', async () => {
    const ran = await keys({ 'notes.txt': 'remember the milk\n' });
    expect([ran.code, ran.out]).toEqual([2, '']);
    expect(ran.err).toContain('keys: none in these files');
    expect(ran.err).toContain('notes.txt: this is text of no format that is known');
  });
});

describe('--json', () => {
  const valid = new Ajv2020({ allErrors: true, strict: true, allowUnionTypes: true }).compile(keysSchema);

  test.each(CASES)('%s: by its schema, without secrets', async (_, files) => {
    const ran = await keys(files, '--json');
    const report = JSON.parse(ran.stdout) as KeysReport;
    expect([valid(report), valid.errors]).toEqual([true, null]);
    expect(leaked(ran.stdout)).toEqual([]);
    expect(report.keys.every((entry) => !('secret' in entry))).toBe(true);
  });

  test('--show-secrets: with them, each beside its key', async () => {
    const ran = await keys({ 'keys.txt': KEYS, ...WITH_PSK }, '--json', '--show-secrets');
    const report = JSON.parse(ran.stdout) as KeysReport;
    expect([valid(report), valid.errors]).toEqual([true, null]);
    const shown = new Map(report.keys.map(({ kind, publicKey, secret }) => [`${kind} ${publicKey}`, secret]));
    expect(shown.get(`private ${CLIENT.public}`)).toBe(CLIENT.secret);
    expect(shown.get(`private ${SERVER.public}`)).toBe(SERVER.secret);
    expect(shown.get('preshared null')).toBe(PSK_A);
  });
});

test('--show-secrets in text', async () => {
  const ran = await keys({ 'keys.txt': KEYS }, '--show-secrets');
  expect(ran.out).toContain(`      secret: ${CLIENT.secret}\n`);
  expect(leaked(ran.out)).toEqual([CLIENT.secret, everySecret[4]]);
});

test('a private key that stands as a public one is not shown', async () => {
  const swapped = conf({ secret: CLIENT.secret, peers: [{ key: SERVER.secret }] });
  const ran = await keys({ 'client.conf': swapped, 'server.conf': conf({ secret: SERVER.secret, peers: [] }) });
  expect(ran.out).not.toContain(SERVER.secret.slice(0, 6));
});

describe('files of keys', () => {
  const modeOf = (path: string): number => statSync(path).mode & 0o777;

  test('both, of what opens here', async () => {
    const files = { 'cap.pcap': CAP, 'keys.txt': KEYS + keyLog(0x77), ...WITH_PSK };
    const ran = await keys(files, '--key-log', ':k.txt', '--traffic-keys', ':t.txt');
    const [log, traffic] = [join(ran.folder, 'k.txt'), join(ran.folder, 't.txt')];
    expect([modeOf(log), modeOf(traffic)]).toEqual([0o600, 0o600]);
    const { keyLog: read, problems } = parseKeyLog(readFileSync(log, 'utf8'));
    expect([read.ephemerals.length, read.statics.length, problems]).toEqual([1, 1, []]);
    const made = parseTrafficKeys(readFileSync(traffic, 'utf8'));
    expect([made.keys.map(({ index }) => index).sort(), made.problems]).toEqual([[0x11, 0x111], []]);
    expect(ran.err.replace(/\n {2}/g, ' ')).toBe(
      'k.txt: 3 lines, of what opens something in the captures; Wireshark takes it as -o wg.keylog_file:FILE\nt.txt: 2 traffic keys\n',
    );
    expect(leaked(ran.out + ran.err)).toEqual([]);
    for (const path of [log, traffic]) {
      const again = await cli(['keys', join(ran.folder, 'cap.pcap'), path]);
      expect([again.code, again.stdout]).toEqual([0, expect.stringContaining('3 data messages, 3 opened')]);
    }
  });

  test('without a capture: all that is known', async () => {
    const ran = await keys({ 'keys.txt': KEYS, ...WITH_PSK }, '--key-log', ':k.txt');
    const { keyLog: read } = parseKeyLog(readFileSync(join(ran.folder, 'k.txt'), 'utf8'));
    expect([read.statics.length, read.remotes.length, read.ephemerals.length]).toEqual([2, 0, 1]);
  });

  test('traffic keys take an ephemeral, and that is said', async () => {
    const ran = await keys({ 'cap.pcap': CAP, ...fittingFiles() }, '--traffic-keys', ':t.txt');
    expect([ran.code, existsSync(join(ran.folder, 't.txt'))]).toEqual([1, false]);
    expect(ran.err.replace(/\n {2}/g, ' ')).toBe(
      't.txt: not written: traffic keys are worked out of a handshake, which takes an ephemeral private key of one end (a key log); private keys and PSKs alone never give them\n',
    );
  });

  test('some sessions have one', async () => {
    const both = capture([...talk().packets, ...talk(0x12, 130).packets]);
    const ran = await keys({ 'cap.pcap': both, 'keys.txt': KEYS }, '--traffic-keys', ':t.txt');
    expect(ran.err.replace(/\n {2}/g, ' ')).toMatch(/^t\.txt: 2 traffic keys 1 session without: traffic keys are/);
  });

  test('nothing that is there is lost', async () => {
    const ran = await keys({ 'keys.txt': KEYS, there: KEYS }, '--key-log', ':there', '--force');
    expect([ran.code, ran.err]).toEqual([2, expect.stringContaining('it is one of the files that are read')]);
    const again = await cli(['keys', join(ran.folder, 'keys.txt'), '--key-log', join(ran.folder, 'there')]);
    expect([again.code, again.stderr]).toEqual([
      2,
      expect.stringContaining('it is there already\n  --force replaces it'),
    ]);
  });

  test('not to standard output, not into one file', async () => {
    expect(await keys({ 'keys.txt': KEYS }, '--key-log', '-')).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining('keys are written to a file'),
    });
    expect(await keys({ 'keys.txt': KEYS }, '--key-log', ':x', '--traffic-keys', ':x')).toMatchObject({ code: 2 });
  });
});
