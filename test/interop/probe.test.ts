/** `wgwhy probe` as it is installed, against wireguard-go behind a router: what it says, and that the responder is content. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Lab } from './lab/network.ts';
import {
  formatQuickFile,
  freshPair,
  type HostPlan,
  newKeyPair,
  newPresharedKey,
  type PairPlan,
  type PeerPlan,
} from './lab/plan.ts';
import { obstacle } from './obstacle.ts';

interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

describe.skipIf(obstacle() !== undefined)('probe against wireguard-go', () => {
  const folder = mkdtempSync(join(tmpdir(), 'wgwhy-probe-'));
  const lab = new Lab(`${process.pid % 1000}p`, join(folder, 'lab'));
  let pair: PairPlan;

  beforeAll(async () => {
    const presharedKey = newPresharedKey();
    pair = freshPair({ clientPeer: { presharedKey }, serverPeer: { presharedKey } });
    lab.build();
    lab.addIpv6();
    await lab.start(pair, ['server']);
    write('server.conf', pair.server);
  }, 60_000);

  afterAll(async () => {
    await lab.close();
    rmSync(folder, { recursive: true, force: true });
  }, 30_000);

  const write = (name: string, plan: HostPlan): string => {
    const path = join(folder, name);
    writeFileSync(path, formatQuickFile(plan), { mode: 0o600 });
    return path;
  };

  /** Another client's file, made from the one that works. */
  const client = (name: string, peer: Partial<PeerPlan> = {}, host: Partial<HostPlan> = {}): string => {
    const [first] = pair.client.peers;
    if (first === undefined) throw new Error('the client has no peer');
    return write(name, { ...pair.client, peers: [{ ...first, ...peer }], ...host });
  };

  const probe = (...argv: readonly string[]): Ran => {
    try {
      return {
        code: 0,
        stdout: lab.exec('client', process.execPath, 'dist/cli/main.js', 'probe', ...argv),
        stderr: '',
      };
    } catch (error) {
      // What `execFileSync` throws when a program ends with another code than 0.
      const { status, stdout, stderr } = error as { status: number | null; stdout: string; stderr: string };
      return { code: status ?? -1, stdout, stderr };
    }
  };

  const latestHandshake = (): number =>
    Number(lab.exec('server', 'wg', 'show', lab.device('server'), 'latest-handshakes').trim().split(/\s+/)[1]);

  test('answered, and the responder has the session', () => {
    expect(latestHandshake()).toBe(0);
    const ran = probe(client('right.conf'));
    expect(ran).toMatchObject({ code: 0, stderr: '' });
    expect(ran.stdout).toMatch(/^answered in [0-9.]+ ms by 203\.0\.113\.10:51820\n/);
    expect(latestHandshake()).toBeGreaterThan(0);
  });

  test('over IPv6, and echoes through the tunnel', () => {
    const ran = probe(client('six.conf', { endpoint: '[2001:db8:2::10]:51820' }), '--ping', '10.66.66.1');
    expect(ran.code).toBe(0);
    expect(ran.stdout).toMatch(/^answered in [0-9.]+ ms by \[2001:db8:2::10\]:51820; 3 of 3 echoes came back/);
  });

  test('a preshared key that differs: the one that fits is named, and never shown', () => {
    const wrong = newPresharedKey();
    const ran = probe(client('psk.conf', { presharedKey: wrong }), join(folder, 'server.conf'), '--json');
    const line = formatQuickFile(pair.server)
      .split('\n')
      .findIndex((text) => text.startsWith('PresharedKey'));
    const answer = JSON.parse(ran.stdout);
    expect(answer).toMatchObject({
      verdict: 'refused',
      attempts: [{ initiations: 1, outcome: { kind: 'unopened', fits: `${join(folder, 'server.conf')}:${line + 1}` } }],
      configurations: [{ faults: [{ kind: 'psk-differs' }] }],
    });
    expect(ran.code).toBe(1);
    const [peer] = pair.server.peers;
    for (const secret of [wrong, peer?.presharedKey ?? '', pair.client.privateKey, pair.server.privateKey]) {
      expect(ran.stdout + ran.stderr).not.toContain(secret);
    }
  });

  test('a peer that is not known there: silence, and the reason by the other configuration', () => {
    const stranger = client('stranger.conf', {}, { privateKey: newKeyPair().privateKey });
    const ran = probe(stranger, join(folder, 'server.conf'), '--tries', '1');
    expect(ran.code).toBe(1);
    expect(ran.stdout).toMatch(/^silent: no answer from 203\.0\.113\.10:51820 \(1 initiation\)/);
    expect(ran.stdout).toContain('unknown-peer');
  });

  test('a port where nothing listens: refused at once', () => {
    const ran = probe(client('port.conf', { endpoint: '203.0.113.10:51999' }), '--json');
    expect(JSON.parse(ran.stdout)).toMatchObject({
      verdict: 'refused',
      attempts: [{ initiations: 1, outcome: { kind: 'error', code: 'ECONNREFUSED' } }],
    });
    expect(ran.code).toBe(1);
  });

  test('a firewall that says so', () => {
    lab.routerDrops('udp dport 51820 reject with icmp admin-prohibited; udp dport 9');
    const ran = probe(client('filtered.conf'), '--json');
    lab.routerDrops();
    expect(JSON.parse(ran.stdout)).toMatchObject({
      verdict: 'refused',
      attempts: [{ outcome: { kind: 'error', code: 'EHOSTUNREACH' } }],
    });
  });

  test('a narrow path', () => {
    lab.exec('router', 'ip', 'link', 'set', 'mtu', '1400', 'dev', 'rs');
    const ran = probe(client('narrow.conf'), '--ping', '10.66.66.1', '--path-mtu', '--json');
    lab.exec('router', 'ip', 'link', 'set', 'mtu', '1500', 'dev', 'rs');
    expect(JSON.parse(ran.stdout)).toMatchObject({
      verdict: 'answered',
      ping: { sent: 3, received: 3 },
      pathMtu: { inner: 1328, outer: 1388, lost: { inner: 1344, outer: 1404 } },
    });
  });
});
