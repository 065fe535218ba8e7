/**
 * `wgwhy probe` from arguments to the last line, on a virtual network. The texts stand in test/cli/transcripts/probe-*;
 * `npx vitest run test/cli/probe.test.ts -u` writes them anew after a change that is meant.
 */
import { mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { toBase64 } from '../../src/base/base64.ts';
import { parseWgConf } from '../../src/config/wg-quick.ts';
import { nodeCrypto } from '../../src/crypto/node.ts';
import { LINUX } from '../../src/wg/policy.ts';
import { Server, type Setup } from '../io/server.ts';
import { type Host, VirtualClock, VirtualNetwork } from '../io/virtual.ts';
import { chance } from '../wg/harness.ts';
import { cli, NO_TUNNEL, type Ran } from './harness.ts';

/** From the project's root, where the tests run: what is printed is the same on every machine. */
const LAB = 'vectors/lab';
const ENDPOINT = '203.0.113.10:51820';
/** Later than any checkout, so that the clock is not refused. */
const START_SEC = 3_000_000_000;

const folder = mkdtempSync(join(tmpdir(), 'wgwhy-probe-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What the server of this folder is, with its own keys and the client it knows. */
function serverOf(path: string): Setup {
  const { conf } = parseWgConf(readFileSync(path, 'utf8'));
  const [peer] = conf.peers;
  const secret = conf.interface.privateKey?.value;
  if (secret === undefined) throw new Error(`${path} has no private key`);
  const psk = peer?.presharedKey?.value;
  return { secret, client: peer?.publicKey?.value, ...(psk === undefined ? {} : { psk }) };
}

interface World {
  readonly host?: (clock: VirtualClock) => Host | string;
  readonly startSec?: number;
  readonly addresses?: readonly string[];
  readonly isTTY?: boolean;
}

async function wgwhy(argv: readonly string[], { host, startSec = START_SEC, addresses, isTTY = false }: World = {}) {
  const clock = new VirtualClock(startSec);
  const network = new VirtualNetwork(clock, host === undefined ? {} : { [ENDPOINT]: host(clock) });
  const lookUp = async (): Promise<readonly string[]> => {
    if (addresses !== undefined) return addresses;
    throw Object.assign(new Error('not found'), { code: 'ENOTFOUND' });
  };
  const live = { crypto: nodeCrypto, random: chance(3), clock, network, lookUp, ...NO_TUNNEL };
  const terminal = { isTTY: { stdin: false, stdout: false, stderr: isTTY } };
  return clock.until(cli(['probe', ...argv], { live, columns: 100, ...terminal }));
}

const healthy = [`${LAB}/healthy/client.conf`];
const answers =
  (name: string, change: Partial<Setup> = {}) =>
  (clock: VirtualClock): Host =>
    new Server(clock, { ...serverOf(`${LAB}/${name}/server.conf`), ...change });

/** Neither a private nor a preshared key of these files may be printed. */
function holdsNoSecret({ stdout, stderr }: Ran, paths: readonly string[]): void {
  for (const path of paths) {
    const { conf } = parseWgConf(readFileSync(path, 'utf8'));
    const secrets = [conf.interface.privateKey, ...conf.peers.map(({ presharedKey }) => presharedKey)];
    for (const secret of secrets) {
      if (secret !== undefined) expect(stdout + stderr).not.toContain(toBase64(secret.value));
    }
  }
}

describe('text and exit code', () => {
  const both = (name: string): string[] => [`${LAB}/${name}/client.conf`, `${LAB}/${name}/server.conf`];
  const refusing: Host = { receive: (_, line) => line.error('ECONNREFUSED') };

  test.each<[string, string[], string[], World, number]>([
    ['answered', healthy, [], { host: answers('healthy') }, 0],
    ['pinged', healthy, ['--ping', '10.66.66.1', '--path-mtu'], { host: answers('healthy', { pathBytes: 1400 }) }, 0],
    ['no-echo', healthy, ['--ping', '10.66.66.1'], { host: answers('healthy', { echoes: false }) }, 1],
    ['silent', healthy, [], {}, 1],
    ['silent-both', both('healthy'), ['--tries', '1'], {}, 1],
    ['wrong-key-both', both('wrong-server-key'), [], { host: answers('wrong-server-key') }, 1],
    ['psk-client', [`${LAB}/psk-mismatch/client.conf`], [], { host: answers('psk-mismatch') }, 1],
    ['psk-both', both('psk-mismatch'), [], { host: answers('psk-mismatch') }, 1],
    ['refused', healthy, [], { host: () => refusing }, 1],
    [
      'cookie',
      healthy,
      [],
      { host: answers('healthy', { policy: { ...LINUX, load: { kind: 'rate', perSecond: 0, per: 'device' } } }) },
      0,
    ],
  ])('%s', async (name, files, flags, world, code) => {
    const ran = await wgwhy([...files, ...flags], world);
    expect(ran.stderr).toBe('');
    expect(ran.code).toBe(code);
    holdsNoSecret(ran, files);
    await expect(ran.stdout).toMatchFileSnapshot(`transcripts/probe-${name}.txt`);
  });

  test('README shows what is printed', async () => {
    const { stdout } = await wgwhy(healthy, { host: answers('healthy') });
    const shown = /\$ wgwhy probe client\.conf\n([\s\S]*?)```/.exec(readFileSync('README.md', 'utf8'))?.[1];
    expect(shown).toBe(stdout.replace(healthy[0] ?? '', 'client.conf'));
  });

  test('a person who waits is told what happens', async () => {
    const { stderr } = await wgwhy([...healthy, '--tries', '2'], { isTTY: true });
    expect(stderr).toBe(`initiation 1 to ${ENDPOINT}\ninitiation 2 to ${ENDPOINT}\n`);
  });
});

describe('--json', () => {
  test('answered', async () => {
    const { stdout, code } = await wgwhy([...healthy, '--json'], { host: answers('healthy') });
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      schema: 'wgwhy/probe/1',
      verdict: 'answered',
      peer: { file: healthy[0], line: 7, endpoint: ENDPOINT },
      attempts: [{ endpoint: ENDPOINT, initiations: 1, outcome: { kind: 'answered', afterMs: 30, from: ENDPOINT } }],
    });
  });

  test('silent', async () => {
    const { stdout, code } = await wgwhy([...healthy, '--json', '--tries', '1']);
    expect(code).toBe(1);
    const answer = JSON.parse(stdout);
    expect(answer).toMatchObject({ verdict: 'silent', attempts: [{ outcome: { kind: 'silent' } }] });
    expect(answer.causes.length).toBeGreaterThan(3);
  });
});

/** A file of its own, from the healthy client's. */
function changed(name: string, change: (text: string) => string): string {
  const path = join(folder, name);
  writeFileSync(path, change(readFileSync(healthy[0] ?? '', 'utf8')));
  return path;
}

describe('names', () => {
  const named = changed('named.conf', (text) => text.replace('203.0.113.10:', 'vpn.example.net:'));

  test('every address is tried', async () => {
    const world = { addresses: ['2001:db8::1', '203.0.113.10'], host: answers('healthy') };
    const { stdout, code } = await wgwhy([named, '--tries', '1'], world);
    expect(code).toBe(0);
    expect(stdout).toContain('[2001:db8::1]:51820  1 initiation, no answer');
    expect(stdout).toMatch(/203\.0\.113\.10:51820 {2,}1 initiation, answered in 30 ms/);
  });

  test('a name without any address', async () => {
    const { stdout, code } = await wgwhy([named]);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^vpn\.example\.net has no address: the name does not resolve\n/);
  });
});

describe('usage', () => {
  const two = changed('two.conf', (text) => `${text}\n# Name = office\n${text.slice(text.indexOf('[Peer]'))}`);
  const later = changed('later.conf', (text) => text);
  utimesSync(later, START_SEC + 100_000, START_SEC + 100_000);
  const keyLog = join(folder, 'keys.log');
  writeFileSync(keyLog, `PRESHARED_KEY = ${toBase64(new Uint8Array(32))}\n`);
  const without = (setting: string): string =>
    changed(`no-${setting}.conf`, (text) => text.replace(new RegExp(`^${setting} = .*\n`, 'm'), ''));

  test.each([
    ['two peers', [two], 'has 2 peers that could be asked'],
    ['no such peer', [two, '--peer', 'nobody'], 'no peer of'],
    ['a peer by a key that is not there', [two, '--peer', toBase64(new Uint8Array(32))], 'if it is a secret in use'],
    ['no endpoint', [without('Endpoint')], 'has no Endpoint for the peer on line 7'],
    ['no private key', [without('PrivateKey')], 'has no PrivateKey to probe with'],
    ['no public key', [without('PublicKey')], 'has no PublicKey'],
    ['no address to ping from', [without('Address'), '--ping', '10.66.66.1'], 'has no IPv4 Address to ping from'],
    ['an address that is not allowed', [...healthy, '--ping', '192.0.2.1'], 'is not in the AllowedIPs'],
    ['no address to ping', [...healthy, '--ping', 'server'], '--ping takes an IP address'],
    ['--path-mtu alone', [...healthy, '--path-mtu'], '--path-mtu needs an address'],
    ['no number of tries', [...healthy, '--tries', '0'], '--tries takes a number from 1 to 20'],
    ['no configuration', ['package.json'], 'a file cannot be used'],
    ['no file', [`${LAB}/none.conf`], 'there is no such file'],
    ['a key log in its place', [keyLog], 'is not a WireGuard configuration'],
    ['a clock behind the files', [later], 'was written more than a day later'],
  ])('%s', async (_, argv, message) => {
    const { code, stdout, stderr } = await wgwhy(argv);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(message);
  });

  test.each([1_700_000_000, 5_000_000_000])('a clock that says second %i', async (startSec) => {
    const { code, stderr } = await wgwhy(healthy, { startSec });
    expect(code).toBe(2);
    expect(stderr).toContain('which is wrong');
  });

  test.each(['office', '203.0.113.10'])('--peer %s', async (peer) => {
    const one = changed('one.conf', (text) => text.replace('[Peer]', '# Name = office\n[Peer]'));
    expect((await wgwhy([one, '--peer', peer], { host: answers('healthy') })).code).toBe(0);
  });

  test('--peer with a key, whole or its beginning', async () => {
    const key = /PublicKey = (.*)/.exec(readFileSync(healthy[0] ?? '', 'utf8'))?.[1] ?? '';
    for (const peer of [key, key.slice(0, 6)]) {
      expect((await wgwhy([...healthy, '--peer', peer], { host: answers('healthy') })).code).toBe(0);
    }
  });
});
