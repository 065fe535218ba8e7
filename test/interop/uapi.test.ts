/** The control socket with the real wg: what it prints and how it fails is what it does with wireguard-go. */
import { execFile } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseWgConf } from '../../src/config/wg-quick.ts';
import { openTunnel, type Tunnel } from '../../src/io/tunnel.ts';
import { deviceTarget } from '../../src/io/uapi/device-target.ts';
import { openUapi, type UapiServer } from '../../src/io/uapi/server.ts';
import { CONTROL_FOLDER } from '../../src/io/uapi/socket-file.ts';
import { ipv4 } from '../wg/harness.ts';
import { Lab } from './lab/network.ts';
import { newKeyPair, newPresharedKey } from './lab/plan.ts';
import { sleep } from './lab/shell.ts';
import { obstacle } from './obstacle.ts';

interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Never synchronous: it is this process that answers. */
function wg(...argv: readonly string[]): Promise<Ran> {
  return new Promise((resolve) => {
    execFile('wg', argv, { encoding: 'utf8' }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? -1), stdout, stderr });
    });
  });
}

/** Says it on the socket of that name, and gives all that comes back. */
function say(name: string, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let heard = '';
    const socket = connect(join(CONTROL_FOLDER, `${name}.sock`), () => socket.end(text));
    socket.setEncoding('latin1').on('data', (piece) => (heard += piece));
    socket.on('close', () => resolve(heard)).on('error', reject);
  });
}

describe.skipIf(obstacle() !== undefined)('wg on a tunnel of this process', () => {
  const folder = mkdtempSync(join(tmpdir(), 'wgwhy-uapi-'));
  const tag = `${process.pid % 1000}u`;
  const lab = new Lab(tag, join(folder, 'lab'));
  const ours = `wwn${tag}`;
  const go = lab.device('client');
  const own = newKeyPair();
  const [a, b, c] = [newKeyPair(), newKeyPair(), newKeyPair()];
  const tunnels: Tunnel[] = [];
  const servers: UapiServer[] = [];
  let tunnel: Tunnel;

  async function serve(name: string, privateKey: string): Promise<Tunnel> {
    const opened = await openTunnel({ conf: parseWgConf(`[Interface]\nPrivateKey = ${privateKey}\n`).conf });
    tunnels.push(opened);
    let mark = 0;
    const target = deviceTarget(opened.driver, {
      listenPort: () => opened.port,
      rebind: (port) => opened.rebind(port),
      fwmark: () => mark,
      setFwmark: async (next) => {
        mark = next;
      },
      forgetName: (peer) => opened.forgetName(peer),
    });
    servers.push(await openUapi({ target, name }));
    return opened;
  }

  const file = (name: string, text: string): string => {
    const path = join(folder, name);
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  };

  beforeAll(async () => {
    lab.addNamespace('client');
    lab.spawn('client', ['wireguard-go', '-f', go], join(folder, 'go.log'));
    for (let i = 0; i < 100 && (await wg('show', go)).code !== 0; i++) await sleep(0.05);
    tunnel = await serve(ours, own.privateKey);
  }, 30_000);

  afterAll(async () => {
    for (const server of servers) await server.close();
    for (const one of tunnels) await one.close();
    await lab.close();
    rmSync(folder, { recursive: true, force: true });
  }, 30_000);

  /** Runs it on both: they say the same, and afterwards show the same. */
  async function both(verb: string, ...argv: readonly string[]): Promise<void> {
    const [here, there] = [await wg(verb, ours, ...argv), await wg(verb, go, ...argv)];
    expect({ ...here, stderr: here.stderr.replaceAll(ours, go) }).toEqual(there);
    expect(here.code).toBe(0);
    expect(await shown(ours)).toEqual(await shown(go));
  }

  /** Peers in no order, which wireguard-go has not, and without the ports that each was given and the bytes of handshakes. */
  async function shown(name: string) {
    const [first = '', ...peers] = (await wg('show', name, 'dump')).stdout.trimEnd().split('\n');
    const columns = peers.map((line) => line.split('\t').filter((_, i) => i !== 5 && i !== 6));
    const [head = '', ...sections] = (await wg('showconf', name)).stdout.split('[Peer]\n').map((text) => text.trim());
    return {
      device: first.split('\t').filter((_, i) => i !== 2),
      peers: columns.map((line) => line.join(' ')).sort(),
      head: head.replace(/ListenPort = .*/, ''),
      sections: sections.sort(),
    };
  }

  test('is found without an interface, and shown as any other', async () => {
    expect((await wg('show', 'interfaces')).stdout.split(/\s+/)).toContain(ours);
    const { stdout } = await wg('show', ours);
    expect(stdout).toBe(
      `interface: ${ours}\n  public key: ${own.publicKey}\n  private key: (hidden)\n  listening port: ${tunnel.port}\n`,
    );
    expect((await wg('show', ours, 'dump')).stdout).toBe(`${own.privateKey}\t${own.publicKey}\t${tunnel.port}\toff\n`);
  });

  test('wg set: keys, peers, endpoints, keepalives, AllowedIPs that move, peers that go', async () => {
    const psk = file('psk', newPresharedKey());
    await both('set', 'private-key', file('key', own.privateKey), 'listen-port', '0', 'fwmark', '0x33');
    await both('set', 'peer', a.publicKey, 'preshared-key', psk, 'allowed-ips', '10.0.0.0/8,fd00::/64');
    await both('set', 'peer', a.publicKey, 'endpoint', '192.0.2.5:51820', 'persistent-keepalive', '25');
    await both('set', 'peer', b.publicKey, 'endpoint', '[2001:db8::1]:1', 'allowed-ips', '10.1.2.3/16');
    await both('set', 'peer', b.publicKey, 'allowed-ips', '10.0.0.0/8', 'peer', c.publicKey);
    await both('set', 'peer', b.publicKey, 'allowed-ips', '');
    await both('set', 'peer', own.publicKey, 'allowed-ips', '10.9.0.0/16');
    await both('set', 'peer', a.publicKey, 'preshared-key', '/dev/null', 'persistent-keepalive', 'off');
    await both('set', 'peer', a.publicKey, 'remove', 'peer', newKeyPair().publicKey, 'remove');
    await both('set', 'fwmark', 'off', 'private-key', file('other', b.privateKey));
    await both('set', 'private-key', '/dev/null');
    const { device, peers } = await shown(ours);
    expect(device).toEqual(['(none)', '(none)', 'off']);
    expect(peers.map((line) => line.split(' ')[0])).toEqual([c.publicKey]);
  });

  test('wg setconf, addconf and syncconf', async () => {
    const head = `[Interface]\nPrivateKey = ${own.privateKey}\nFwMark = 7\n`;
    const peer = (key: string, ...lines: readonly string[]): string =>
      `[Peer]\nPublicKey = ${key}\n${lines.join('\n')}\n`;
    const one = peer(a.publicKey, 'AllowedIPs = 10.0.0.0/8, fd00::/8', 'Endpoint = 192.0.2.1:5');
    const two = peer(b.publicKey, `PresharedKey = ${newPresharedKey()}`, 'PersistentKeepalive = 30');
    await both('setconf', file('first', head + one + two));
    await both('addconf', file('more', peer(c.publicKey, 'AllowedIPs = 10.7.0.0/16') + peer(a.publicKey)));
    await both(
      'syncconf',
      file('next', head.replace('FwMark = 7', 'FwMark = 8') + two + peer(c.publicKey, 'AllowedIPs = 10.8.0.0/16')),
    );
    expect((await wg('show', ours, 'peers')).stdout.trim().split('\n').sort()).toEqual(
      [b.publicKey, c.publicKey].sort(),
    );
    await both('setconf', file('empty', '[Interface]\n'));
  });

  test('what wg showconf prints, wg setconf takes, and nothing changes', async () => {
    const psk = file('psk', newPresharedKey());
    await wg('set', ours, 'private-key', file('key', own.privateKey), 'fwmark', '9');
    await wg('set', ours, 'peer', a.publicKey, 'preshared-key', psk);
    await wg('set', ours, 'peer', b.publicKey, 'allowed-ips', '10.0.0.0/8,::/0', 'endpoint', '[2001:db8::1]:9');
    const before = await wg('showconf', ours);
    expect(await wg('setconf', ours, file('again', before.stdout))).toMatchObject({ code: 0, stderr: '' });
    expect(await wg('showconf', ours)).toEqual(before);
  });

  test('a port that is taken: the old one stays, and wg says why', async () => {
    const taken = createSocket('udp4');
    const port = await new Promise<number>((resolve) => taken.bind(0, () => resolve(taken.address().port)));
    const before = await wg('show', ours, 'dump');
    const ran = await wg('set', ours, 'listen-port', String(port), 'peer', a.publicKey, 'remove');
    taken.close();
    expect(ran).toMatchObject({ code: 1, stderr: 'Unable to modify interface: Address already in use\n' });
    expect(await wg('show', ours, 'dump')).toEqual(before);
    expect(await wg('set', ours, 'listen-port', String(port))).toMatchObject({ code: 0 });
    expect([(await wg('show', ours, 'listen-port')).stdout, tunnel.port]).toEqual([`${port}\n`, port]);
  });

  const peer = `public_key=${'11'.repeat(32)}`;
  test.each([
    '',
    'listen_port=x',
    'listen_port=70000',
    'listen_port=+1',
    'nonsense',
    'foo=1',
    '=1',
    'private_key=00',
    'fwmark=4294967296',
    'replace_peers=false',
    'endpoint=1.2.3.4:5',
    `${peer}\nlisten_port=5`,
    `${peer}\nendpoint=localhost:5`,
    `${peer}\nendpoint=[fe80::1%lo]:5`,
    `${peer}\nendpoint=::1:5`,
    `${peer}\nallowed_ip=10.0.0.1`,
    `${peer}\nallowed_ip=10.0.0.0/33`,
    `${peer}\nallowed_ip=::ffff:1.2.3.4/128`,
    `${peer}\nprotocol_version=1`,
    `${peer}\nprotocol_version=2`,
    `${peer}\npersistent_keepalive_interval=off`,
    `${peer}\nremove=false`,
    `${peer}\nupdate_only=true\nremove=true`,
    `${peer}\nrx_bytes=5`,
    `public_key=${'AB'.repeat(32)}`,
    'fwmark=3\r',
  ])('answers as wireguard-go does: %j', async (lines) => {
    const request = lines === '' ? 'set=1\n\n' : `set=1\n${lines}\n\n`;
    const answer = await say(ours, request);
    expect(answer).toMatch(/^errno=(0|-22|-71)\n\n$/);
    expect(answer).toBe(await say(go, request));
  });

  test('one allowed IP is taken away, as newer wg asks for it', async () => {
    await wg('set', ours, 'peer', a.publicKey, 'allowed-ips', '10.0.0.0/8,10.1.0.0/16,fd00::/8');
    const key = Buffer.from(a.publicKey, 'base64').toString('hex');
    expect(await say(ours, `set=1\npublic_key=${key}\nupdate_only=true\nallowed_ip=-10.1.0.0/16\n\n`)).toBe(
      'errno=0\n\n',
    );
    const { stdout } = await wg('show', ours, 'allowed-ips');
    expect(stdout).toContain(`${a.publicKey}\t10.0.0.0/8 fd00::/8\n`);
  });

  test('a handshake and what was carried are told', async () => {
    const name = `wwm${tag}`;
    const other = await serve(name, a.privateKey);
    await wg('setconf', name, file('other', `[Interface]\nPrivateKey = ${a.privateKey}\n`));
    await wg('set', name, 'peer', own.publicKey, 'allowed-ips', '10.0.0.1/32');
    await wg('setconf', ours, file('fresh', `[Interface]\nPrivateKey = ${own.privateKey}\n`));
    const endpoint = `127.0.0.1:${other.port}`;
    await wg('set', ours, 'peer', a.publicKey, 'endpoint', endpoint, 'allowed-ips', '10.0.0.2/32');
    const begin = Math.floor(Date.now() / 1000);
    expect(tunnel.send(ipv4('10.0.0.1', '10.0.0.2'))).toMatchObject({ kind: 'accepted' });
    for (let i = 0; i < 100 && other.status()[0]?.latestHandshake === undefined; i++) await sleep(0.02);
    const dump = async (which: string, key: string): Promise<string[]> => {
      const lines = (await wg('show', which, 'dump')).stdout.split('\n').map((line) => line.split('\t'));
      return lines.find(([first]) => first === key) ?? [];
    };
    const [here, there] = [await dump(ours, a.publicKey), await dump(name, own.publicKey)];
    // Initiation 148, response 92, and a packet of 60 in a message of 96.
    expect([here[2], here[5], here[6]]).toEqual([endpoint, '92', '244']);
    expect([there[2], there[5], there[6]]).toEqual([`127.0.0.1:${tunnel.port}`, '244', '92']);
    for (const line of [here, there]) expect(Number(line[4])).toBeGreaterThanOrEqual(begin);
    expect((await wg('show', ours)).stdout).toContain('latest handshake: ');
  });
});
