/** Changes of the control socket made to a real device, and what it tells afterwards. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeEach, expect, test } from 'vitest';
import { fromHex, toHex } from '../../../src/base/bytes.ts';
import { privateKey } from '../../../src/base/keys.ts';
import { formatUapiSnapshot } from '../../../src/config/uapi.ts';
import { parseUapiRequest } from '../../../src/config/uapi-request.ts';
import { nodeCrypto } from '../../../src/crypto/node.ts';
import { DeviceDriver, type SendEffect } from '../../../src/io/run-device.ts';
import { deviceTarget, type SocketHooks } from '../../../src/io/uapi/device-target.ts';
import type { UapiTarget } from '../../../src/io/uapi/server.ts';
import { UdpError } from '../../../src/io/udp.ts';
import { Device } from '../../../src/wg/device.ts';
import { chance } from '../../wg/harness.ts';
import { VirtualClock } from '../virtual.ts';

const SECRET = `a8${'11'.repeat(30)}41`;
const OWN = toHex(nodeCrypto.publicKey(privateKey(fromHex(SECRET))));
const ONE = 'b1'.repeat(32);
const TWO = 'b2'.repeat(32);
const THREE = 'b3'.repeat(32);

let port: number;
let mark: number;
let calls: string[];
let refuse: Set<string>;
let sent: SendEffect[];
let driver: DeviceDriver;
let target: UapiTarget;

beforeEach(() => {
  [port, mark, calls, refuse, sent] = [51820, 0, [], new Set(), []];
  const send = (message: SendEffect): unknown => sent.push(message);
  driver = new DeviceDriver(new Device({ crypto: nodeCrypto, random: chance(9) }), new VirtualClock(), { send });
  const called = async (what: string): Promise<void> => {
    calls.push(what);
    if (refuse.has(what)) throw new UdpError('EADDRINUSE', what);
  };
  const hooks: SocketHooks = {
    listenPort: () => port,
    rebind: async (next) => {
      await called(`rebind ${next}`);
      port = next || 40_000;
    },
    fwmark: () => mark,
    setFwmark: async (next) => {
      await called(`mark ${next}`);
      mark = next;
    },
    forgetName: (peer) => calls.push(`forget ${Buffer.from(peer, 'base64').toString('hex', 0, 1)}`),
  };
  target = deviceTarget(driver, hooks);
});

async function set(...lines: readonly string[]) {
  const read = parseUapiRequest(['set=1', ...lines].join('\n'));
  if (!read.ok || read.value.kind !== 'set') return expect.fail(JSON.stringify(read));
  return target.apply(read.value.changes);
}

/** What a get tells, without the lines that a test does not ask for. */
const got = (only?: RegExp): string[] =>
  formatUapiSnapshot(target.snapshot())
    .split('\n')
    .filter((line) => line !== '' && (only === undefined || only.test(line)));

const allowed = (): string[] => got(/^(public_key|allowed_ip)/).map((line) => line.replace(/.*=(..)\1{31}$/, '$1'));

test('a whole configuration is told as it was set, keys clamped and host bits masked', async () => {
  expect(
    await set(
      `private_key=${'ff'.repeat(32)}`,
      'listen_port=7',
      'fwmark=3',
      `public_key=${ONE}`,
      `preshared_key=${TWO}`,
      'endpoint=192.0.2.1:51820',
      'allowed_ip=10.1.2.3/8',
      `public_key=${TWO}`,
    ),
  ).toBeUndefined();
  const nothing = ['last_handshake_time_sec=0', 'last_handshake_time_nsec=0', 'tx_bytes=0', 'rx_bytes=0'];
  expect(got()).toEqual([
    `private_key=f8${'ff'.repeat(30)}7f`,
    'listen_port=7',
    'fwmark=3',
    `public_key=${ONE}`,
    `preshared_key=${TWO}`,
    'protocol_version=1',
    'endpoint=192.0.2.1:51820',
    ...nothing,
    'persistent_keepalive_interval=0',
    'allowed_ip=10.0.0.0/8',
    `public_key=${TWO}`,
    `preshared_key=${'0'.repeat(64)}`,
    'protocol_version=1',
    ...nothing,
    'persistent_keepalive_interval=0',
  ]);
  await set(`private_key=${'0'.repeat(64)}`, `public_key=${ONE}`, `preshared_key=${'0'.repeat(64)}`);
  expect(got(/_key=/)).toEqual([
    `public_key=${ONE}`,
    `preshared_key=${'0'.repeat(64)}`,
    `public_key=${TWO}`,
    `preshared_key=${'0'.repeat(64)}`,
  ]);
});

test('replace_peers, update_only and remove', async () => {
  await set(`public_key=${ONE}`, `public_key=${TWO}`);
  await set(`public_key=${ONE}`, 'remove=true', `public_key=${THREE}`, 'remove=true');
  expect(allowed()).toEqual(['b2']);
  await set(`public_key=${ONE}`, 'update_only=true', 'allowed_ip=10.0.0.0/8');
  await set(`public_key=${TWO}`, 'update_only=true', 'allowed_ip=10.0.0.0/8');
  expect(allowed()).toEqual(['b2', 'allowed_ip=10.0.0.0/8']);
  await set('replace_peers=true', `public_key=${ONE}`, `public_key=${TWO}`, 'update_only=true', `public_key=${THREE}`);
  expect(allowed()).toEqual(['b1', 'b3']);
  // Taken out and put in again, in one request.
  await set(`public_key=${ONE}`, 'remove=true', `public_key=${ONE}`, 'update_only=true', `public_key=${ONE}`);
  expect(allowed()).toEqual(['b3', 'b1']);
});

test('allowed IPs: taken away, replaced, taken over, in the order of the lines', async () => {
  await set(`public_key=${ONE}`, 'allowed_ip=10.0.0.0/8', 'allowed_ip=10.1.0.0/16', `public_key=${TWO}`);
  await set(`public_key=${ONE}`, 'allowed_ip=-10.1.0.0/16', 'allowed_ip=-10.2.0.0/16', 'allowed_ip=+fd00::/8');
  expect(allowed()).toEqual(['b1', 'allowed_ip=10.0.0.0/8', 'allowed_ip=fd00::/8', 'b2']);
  // Another peer's is not taken away by this one.
  await set(`public_key=${TWO}`, 'allowed_ip=-10.0.0.0/8');
  expect(allowed()).toContain('allowed_ip=10.0.0.0/8');
  // It comes, and goes again: the first peer has lost it all the same.
  await set(`public_key=${TWO}`, 'allowed_ip=10.0.0.0/8', 'allowed_ip=-10.0.0.0/8', 'allowed_ip=10.3.0.0/16');
  expect(allowed()).toEqual(['b1', 'allowed_ip=fd00::/8', 'b2', 'allowed_ip=10.3.0.0/16']);
  await set(`public_key=${TWO}`, 'replace_allowed_ips=true', 'allowed_ip=fd00::/8');
  expect(allowed()).toEqual(['b1', 'b2', 'allowed_ip=fd00::/8']);
});

test('a peer that is the device itself is passed over, and goes when the device becomes it', async () => {
  await set(`public_key=${OWN}`, `public_key=${ONE}`);
  expect(got(/^public_key/)).toEqual([`public_key=${OWN}`, `public_key=${ONE}`]);
  await set(`private_key=${SECRET}`, `public_key=${OWN}`, 'allowed_ip=10.0.0.0/8');
  expect(got(/^(public_key|allowed_ip)/)).toEqual([`public_key=${ONE}`]);
  expect(driver.device.drops().size).toBe(0);
});

test('a keepalive that is switched on begins at once', async () => {
  await set(`private_key=${SECRET}`, `public_key=${ONE}`, 'endpoint=192.0.2.1:1', 'allowed_ip=10.0.0.0/8');
  expect(sent).toEqual([]);
  await set(`public_key=${ONE}`, 'persistent_keepalive_interval=25');
  expect(sent.map(({ message, to }) => [message, to.text])).toEqual([['initiation', '192.0.2.1:1']]);
});

test('sockets are asked for what changes, and only that', async () => {
  await set('listen_port=51820', 'fwmark=0');
  expect(calls).toEqual([]);
  await set('listen_port=5', 'fwmark=8', 'listen_port=0');
  expect([calls, port, mark]).toEqual([['mark 8', 'rebind 0'], 40_000, 8]);
});

test.each([
  [['mark 8'], 'EADDRINUSE', 'the fwmark cannot be set (EADDRINUSE)', ['mark 8']],
  [['rebind 5'], 'EADDRINUSE', 'UDP port 5 cannot be opened (EADDRINUSE)', ['mark 8', 'rebind 5', 'mark 0']],
])('%j fails: nothing at all has changed', async (failing, code, message, called) => {
  await set(`public_key=${ONE}`);
  const before = got();
  refuse = new Set(failing);
  const told = await set(`private_key=${SECRET}`, 'listen_port=5', 'fwmark=8', 'replace_peers=true');
  expect(told).toEqual({ code, problems: [{ message }] });
  expect([got(), calls]).toEqual([before, called]);
});

test('names that were looked up are forgotten with their peer, and when an address is set', async () => {
  await set(`public_key=${ONE}`, 'allowed_ip=10.0.0.0/8', `public_key=${TWO}`, 'endpoint=192.0.2.1:1');
  expect(calls).toEqual(['forget b2']);
  await set(`public_key=${ONE}`, 'remove=true');
  await set('replace_peers=true');
  expect(calls).toEqual(['forget b2', 'forget b1', 'forget b2']);
});

test('thousands of peers are one request', async () => {
  const lines = Array.from(
    { length: 2000 },
    (_, i) => `public_key=${toHex(Uint8Array.of(i >> 8, i)).padStart(64, '7')}`,
  );
  expect(await set('replace_peers=true', ...lines)).toBeUndefined();
  expect(got(/^public_key/)).toEqual(lines);
});

test('a device that was closed is empty, and changes fail loudly', async () => {
  await set(`private_key=${SECRET}`, `public_key=${ONE}`);
  driver.close();
  expect(got()).toEqual(['listen_port=51820']);
  await expect(set(`public_key=${ONE}`)).rejects.toThrow(TypeError);
});

test('nothing else reads the secrets of a device', () => {
  const src = fileURLToPath(new URL('../../../src', import.meta.url));
  const readers = readdirSync(src, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && /device\.secrets\(/.test(readFileSync(join(src, name), 'utf8')))
    .map((name) => name.replaceAll('\\', '/'));
  expect(readers).toEqual(['io/uapi/device-target.ts']);
});
