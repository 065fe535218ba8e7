/** `wgwhy decrypt` from arguments to files: what it writes and says, what it refuses, and that nobody else can read it. */
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Bytes, concatAll } from '../../src/base/bytes.ts';
import type { Environment } from '../../src/cli/environment.ts';
import { packetsOf, readPcapng } from '../capture/pcapng-read.ts';
import { keyLog } from '../diagnose/handshakes.ts';
import { CLIENT_IN, ping, pong, SERVER_IN, Tunnel } from '../diagnose/inside.ts';
import { CLIENT, fittingFiles, PSK_A, SERVER } from '../diagnose/keys.ts';
import { capture } from '../diagnose/traffic.ts';
import { cli, type Ran } from './harness.ts';

let root = '';
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'wgwhy-decrypt-'));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

type Files = Readonly<Record<string, string | Bytes>>;

interface Done extends Ran {
  readonly folder: string;
  /** Both outputs, without the folder. */
  readonly text: string;
  readonly bytes: Bytes;
}

/** `:name` among the arguments is a file of the folder. */
async function decrypt(files: Files, argv: readonly string[], given: Partial<Environment> = {}): Promise<Done> {
  const folder = mkdtempSync(join(root, 'd-'));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  const parts: Bytes[] = [];
  const stdout = {
    write: (part: string | Uint8Array) => parts.push(typeof part === 'string' ? new TextEncoder().encode(part) : part),
  };
  const inFolder = argv.map((arg) => (arg.startsWith(':') ? join(folder, arg.slice(1)) : arg));
  const ran = await cli(['decrypt', ...inFolder], { stdout, columns: 1000, ...given });
  return { ...ran, folder, text: ran.stderr.replaceAll(`${folder}/`, ''), bytes: concatAll(parts) };
}

const inner = ({ folder }: Done, name = 'inner.pcapng') => packetsOf(readPcapng(load(folder, name)));
const load = (folder: string, name: string): Bytes => new Uint8Array(readFileSync(join(folder, name)));

const KEYS = `LOCAL_STATIC_PRIVATE_KEY = ${CLIENT.secret}\nREMOTE_STATIC_PUBLIC_KEY = ${SERVER.public}\n${keyLog(0x11)}`;
const SECRETS = [CLIENT.secret, SERVER.secret, PSK_A, ...keyLog(0x11).split(' ').slice(-1)];

function talk(index = 0x11, at = 0): Tunnel {
  return new Tunnel({ index, at })
    .there(ping(CLIENT_IN, SERVER_IN))
    .back(pong(SERVER_IN, CLIENT_IN))
    .there(new Uint8Array(0));
}
const GOOD: Files = { 'cap.pcap': capture(talk().packets), 'keys.txt': KEYS };
/** The key log has one of the two handshakes. */
const HALF: Files = { ...GOOD, 'cap.pcap': capture([...talk().packets, ...talk(0x12, 130).packets]) };
const cut = capture(talk().packets).slice(0, -5);

describe('transcripts', () => {
  test.each<readonly [string, Files, readonly string[], number]>([
    ['good', GOOD, [':cap.pcap', ':keys.txt', '-o', ':inner.pcapng'], 0],
    ['outer', GOOD, [':cap.pcap', ':keys.txt', '--outer', ':outer.pcapng'], 0],
    ['named', { ...GOOD, ...fittingFiles() }, [':cap.pcap', ':keys.txt', ':client.conf', '-o', ':inner.pcapng'], 0],
    ['some-keys-missing', HALF, [':cap.pcap', ':keys.txt', '-o', ':inner.pcapng', '--outer', ':outer.pcapng'], 1],
    ['no-keys', GOOD, [':cap.pcap', '-o', ':inner.pcapng', '--outer', ':outer.pcapng'], 1],
    [
      'confs-only',
      { ...GOOD, ...fittingFiles() },
      [':cap.pcap', ':client.conf', ':server.conf', '-o', ':inner.pcapng'],
      1,
    ],
    ['damaged', { ...GOOD, 'cap.pcap': cut }, [':cap.pcap', ':keys.txt', '-o', ':inner.pcapng'], 1],
    ['no-capture', GOOD, [':keys.txt', '-o', ':inner.pcapng'], 2],
    ['no-output', GOOD, [':cap.pcap', ':keys.txt'], 2],
    ['no-such-file', GOOD, [':cap.pcap', ':kyes.txt', '-o', ':inner.pcapng'], 2],
  ])('%s', async (name, files, argv, code) => {
    const ran = await decrypt(files, argv);
    expect([ran.code, ran.bytes.length]).toEqual([code, 0]);
    await expect(ran.text).toMatchFileSnapshot(`transcripts/decrypt-${name}.txt`);
    for (const secret of SECRETS) expect(ran.stderr).not.toContain(secret.slice(0, 12));
  });
});

describe('files', () => {
  test('for their owner alone, whatever the mask', async () => {
    const before = process.umask(0);
    const ran = await decrypt(GOOD, [':cap.pcap', ':keys.txt', '-o', ':inner.pcapng', '--outer', ':outer.pcapng']);
    process.umask(before);
    for (const name of ['inner.pcapng', 'outer.pcapng']) {
      expect(statSync(join(ran.folder, name)).mode & 0o777).toBe(0o600);
    }
    expect(inner(ran).length).toBe(2);
    expect(packetsOf(readPcapng(load(ran.folder, 'outer.pcapng'))).length).toBe(5);
  });

  test.each(['-o', '--outer'])('%s: what is there stays as it is', async (option) => {
    const ran = await decrypt({ ...GOOD, there: 'mine' }, [':cap.pcap', ':keys.txt', option, ':there']);
    expect([ran.code, ran.text]).toEqual([2, 'wgwhy: there: it is there already\n  --force replaces it\n']);
    expect(readFileSync(join(ran.folder, 'there'), 'utf8')).toBe('mine');
  });

  test('--force replaces it, and takes it from the eyes of others', async () => {
    const files = { ...GOOD, there: 'mine' };
    const first = await decrypt(files, [':cap.pcap', ':keys.txt', '-o', ':there']);
    chmodSync(join(first.folder, 'there'), 0o644);
    const path = (name: string): string => join(first.folder, name);
    const ran = await cli(['decrypt', path('cap.pcap'), path('keys.txt'), '-o', path('there'), '--force']);
    expect([ran.code, inner(first, 'there').length, statSync(path('there')).mode & 0o777]).toEqual([0, 2, 0o600]);
  });

  test('never over a file that is read', async () => {
    const ran = await decrypt(GOOD, [':cap.pcap', ':keys.txt', '-o', ':cap.pcap', '--force']);
    expect([ran.code, ran.text]).toEqual([
      2,
      'wgwhy: cap.pcap: it is one of the files that are read\n  give the output another name\n',
    ]);
    expect(load(ran.folder, 'cap.pcap')).toEqual(GOOD['cap.pcap']);
  });

  test('a folder, no folder, the same one twice', async () => {
    const into = (path: string) => decrypt(GOOD, [':cap.pcap', ':keys.txt', '-o', path]);
    expect(await into(root)).toMatchObject({ code: 2, stderr: expect.stringContaining('it is a folder') });
    expect(await into(join(root, 'none', 'x'))).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('it cannot be written: its folder is not there'),
    });
    const twice = await decrypt(GOOD, [':cap.pcap', ':keys.txt', '-o', ':x', '--outer', ':x']);
    expect([twice.code, twice.text]).toEqual([2, 'wgwhy: -o and --outer are the same file\n']);
  });

  test('devices are there and take it', async () => {
    expect((await decrypt(GOOD, [':cap.pcap', ':keys.txt', '-o', '/dev/null'])).code).toBe(0);
  });

  test.skipIf(!existsSync('/dev/full'))('a full disk', async () => {
    const ran = await decrypt(GOOD, [':cap.pcap', ':keys.txt', '-o', '/dev/full']);
    expect([ran.code, ran.text]).toEqual([2, 'wgwhy: /dev/full: it cannot be written: the disk is full\n']);
  });

  test('nothing that can be read: no file', async () => {
    const ran = await decrypt({ 'notes.txt': 'remember the milk\n' }, [':notes.txt', '-o', ':inner.pcapng']);
    expect([ran.code, existsSync(join(ran.folder, 'inner.pcapng'))]).toEqual([2, false]);
    expect(ran.text).toContain('notes.txt: this is text of no format that is known');
  });
});

describe('streams', () => {
  test('-o -: the capture alone on standard output', async () => {
    const ran = await decrypt(GOOD, [':cap.pcap', ':keys.txt', '-o', '-']);
    expect([ran.code, packetsOf(readPcapng(ran.bytes)).length]).toEqual([0, 2]);
    expect(ran.text).toBe(
      'cap.pcap: 3 data messages: 2 inner packets, 1 keepalive, 0 not opened\nstandard output: 2 packets on 2 interfaces, one for each direction\n',
    );
  });

  test('a terminal gets no capture', async () => {
    const ran = await decrypt(GOOD, [':cap.pcap', ':keys.txt', '-o', '-'], {
      isTTY: { stdin: true, stdout: true, stderr: true },
    });
    expect([ran.code, ran.bytes.length]).toEqual([2, 0]);
    expect(ran.text).toContain('-o - would write a capture to the terminal');
  });

  test('what is known is written before more is waited for', async () => {
    const bytes = capture(talk().packets);
    const seen: number[] = [];
    const parts: Uint8Array[] = [];
    async function* stdin(): AsyncGenerator<Uint8Array> {
      for (const [from, to] of [
        [0, 530],
        [530, bytes.length],
      ]) {
        yield bytes.slice(from, to);
        seen.push(parts.length === 0 ? 0 : packetsOf(readPcapng(concatAll(parts))).length);
      }
    }
    const stdout = { write: (part: string | Uint8Array) => typeof part !== 'string' && parts.push(part) };
    const ran = await decrypt(GOOD, ['-', ':keys.txt', '-o', '-'], { stdin, stdout });
    expect([ran.code, seen]).toEqual([0, [1, 2]]);
  });
});
