/** `wgwhy up` from arguments to the last line, in front of a tunnel that does what it is told, in time that stands still. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { toBase64 } from '../../src/base/base64.ts';
import { publicKey } from '../../src/base/keys.ts';
import { UsageError } from '../../src/cli/environment.ts';
import { FileError } from '../../src/io/files.ts';
import { TunError } from '../../src/io/linux/tun.ts';
import { TunnelError } from '../../src/io/tunnel.ts';
import { UdpError } from '../../src/io/udp.ts';
import { SetupError } from '../../src/io/up/system.ts';
import { at } from '../wg/harness.ts';
import { Machine, peer } from './up-machine.ts';

const folder = mkdtempSync(join(tmpdir(), 'wgwhy-up-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const key = (fill: number): string => toBase64(new Uint8Array(32).fill(fill));
const [SECRET, PSK, LAPTOP, PHONE] = [key(0x48), key(0x49), key(0x41), key(0x42)];
const CONF = `[Interface]
PrivateKey = ${SECRET}
Address = 10.0.0.1/24
ListenPort = 51820

[Peer]
# Name = laptop
PublicKey = ${LAPTOP}
PresharedKey = ${PSK}
AllowedIPs = 10.0.0.2/32

[Peer]
PublicKey = ${PHONE}
AllowedIPs = 10.0.0.3/32
`;

function file(name: string, text = CONF): string {
  const path = join(folder, name);
  writeFileSync(path, text, { mode: 0o600 });
  return path;
}
const conf = file('wg7.conf');

const withTwo = (): Machine => new Machine([peer(LAPTOP, 0x41), peer(PHONE, 0x42)]);
const lines = (text: string): string[] => text.split('\n').slice(0, -1);

describe('a life', () => {
  test('up, what happens, status, down', async () => {
    const machine = withTwo();
    const { clock } = machine;
    machine.meanwhile = ({ onNote }) => onNote?.('DNS is not set: there is no resolvconf here');
    const { code, stdout, stderr } = await machine.run([conf], ({ onEvent, onDrop }) => {
      onEvent?.({ what: 'endpoint-learned', from: undefined, to: at('192.0.2.9:5') }, LAPTOP);
      onEvent?.({ what: 'session-derived', role: 'responder', local: 1, remote: 2 }, LAPTOP);
      onEvent?.({ what: 'handshake-complete', role: 'responder' }, LAPTOP);
      const { wall } = clock.now();
      machine.peers = [
        peer(LAPTOP, 0x41, { endpoint: at('192.0.2.9:5'), latestHandshake: wall, receivedBytes: 180, sentBytes: 92 }),
        peer(PHONE, 0x42),
      ];
      clock.pass(30_000);
      onDrop?.({ kind: 'mac1-invalid' }, at('203.0.113.5:999'));
      onDrop?.({ kind: 'mac1-invalid' }, at('203.0.113.5:999'));
      clock.pass(12_000);
      onDrop?.({ kind: 'handshake-suppressed', peer: PHONE, sinceMs: 10 });
      clock.pass(200_000);
    });
    expect([code, machine.closed]).toEqual([0, 1]);
    expect(lines(stdout)).toEqual([
      '22:13:20 wg7 is up: UDP port 51820, MTU 1420, 2 peers',
      '22:13:20 peer QUFBQU…QUE= (laptop) is at 192.0.2.9:5',
      '22:13:20 peer QUFBQU…QUE= (laptop): handshake complete, the other end began it',
      '22:14:20 peer QUFBQU…QUE= (laptop) at 192.0.2.9:5: latest handshake 60 s ago; 180 B received, 92 B sent; allowed IPs 10.0.0.2/32',
      '22:14:20 peer QkJCQk…QkI= at no known endpoint: no handshake yet; 0 B received, 0 B sent; allowed IPs 10.0.0.2/32',
      '22:17:22 wg7 is down (SIGTERM)',
    ]);
    expect(lines(stderr)).toEqual([
      '22:13:20 note: DNS is not set: there is no resolvconf here',
      '22:13:50 dropped from 203.0.113.5:999: made for another public key than ours: its MAC1 does not fit (mac1-invalid)',
      '  at the sender: the PublicKey of its [Peer] section must be the one of this interface; wgwhy rules wrong-responder-key',
      '22:14:00 dropped: 1 more from 203.0.113.5:999 (mac1-invalid)',
    ]);
  });

  test('status as often as is wished, only where something changed, and at the end', async () => {
    const machine = withTwo();
    machine.peers = [peer(LAPTOP, 0x41)];
    const { stdout } = await machine.run([conf, '--status', '5'], () => {
      machine.clock.pass(20_000);
      machine.peers = [peer(LAPTOP, 0x41, { sentBytes: 148 })];
      machine.clock.pass(11_000);
      machine.peers = [peer(LAPTOP, 0x41, { sentBytes: 296 })];
    });
    expect(
      lines(stdout).flatMap((line) => /^(\S+) peer .* (\d+) B sent/.exec(line)?.slice(1, 3).join(' ') ?? []),
    ).toEqual(['22:13:25 0', '22:13:45 148', '22:13:51 296']);
  });

  test('--status 0: only at the end', async () => {
    const machine = withTwo();
    const { stdout } = await machine.run([conf, '--status', '0'], () => machine.clock.pass(1_000_000));
    expect(lines(stdout).map((line) => line.slice(0, 8))).toEqual(['22:13:20', '22:30:00', '22:30:00', '22:30:00']);
  });

  test('what was only counted is told at the end, drops, ICMP errors and moves alike', async () => {
    const machine = withTwo();
    const ends = [at('192.0.2.1:1'), at('192.0.2.2:2')];
    const { stdout, stderr } = await machine.run([conf, '--status', '0'], ({ onEvent, onDrop, onTrouble }) => {
      for (let i = 0; i < 1000; i++) {
        const [from, to] = [ends[i % 2], ends[(i + 1) % 2] ?? expect.fail()];
        onEvent?.({ what: 'endpoint-learned', from, to }, LAPTOP);
        onDrop?.({ kind: 'not-ip', actual: 20 + i });
        onTrouble?.({ code: 'ENETUNREACH', icmp: undefined, to });
      }
    });
    expect(lines(stdout).slice(1, 3)).toEqual([
      '22:13:20 peer QUFBQU…QUE= (laptop) moved from 192.0.2.1:1 to 192.0.2.2:2',
      '22:13:20 peer QUFBQU…QUE= (laptop) moved 999 more times',
    ]);
    expect(lines(stderr)).toEqual([
      '22:13:20 dropped: a packet of 20 bytes from this machine is no IP packet (not-ip)',
      '22:13:20 no route, about what went to 192.0.2.2:2: this machine has no way to that network',
      '22:13:20 dropped: 999 more (not-ip)',
      '22:13:20 999 more: no route',
    ]);
  });

  test('retries, names and what wg changed', async () => {
    const machine = withTwo();
    const { clock } = machine;
    const { stdout, stderr } = await machine.run(
      [conf, '--status', '0'],
      ({ onEvent, onUnanswered, onDrop, onLookUp, onChange }) => {
        const retry = (): void => {
          clock.pass(5000);
          onEvent?.({ what: 'handshake-retry', retry: 1 }, LAPTOP);
          onUnanswered?.(LAPTOP);
          onLookUp?.({ kind: 'unresolved', host: 'vpn.example', code: 'ENOTFOUND' }, LAPTOP);
        };
        for (let i = 0; i < 5; i++) retry();
        onLookUp?.({ kind: 'found', host: 'vpn.example', from: at('192.0.2.9:5'), to: at('192.0.2.8:5') }, LAPTOP);
        onLookUp?.({ kind: 'found', host: 'vpn.example', from: at('192.0.2.8:5'), to: at('192.0.2.8:5') }, LAPTOP);
        onEvent?.({ what: 'handshake-complete', role: 'initiator' }, LAPTOP);
        retry();
        onDrop?.({ kind: 'handshake-gave-up', peer: LAPTOP, initiations: 18, staged: 0 });
        retry();
        onChange?.([{ kind: 'remove-peer', publicKey: publicKey(new Uint8Array(32).fill(0x42)) }]);
      },
    );
    const who = 'peer QUFBQU…QUE= (laptop)';
    expect(lines(stdout).slice(1, -3)).toEqual([
      `22:13:25 ${who}: no answer to the handshake for 5 s, try 2`,
      `22:13:30 ${who}: no answer to the handshake for 10 s, try 3`,
      `22:13:35 ${who}: no answer to the handshake for 15 s, try 4`,
      `22:13:45 ${who}: vpn.example is 192.0.2.8:5 now, and was 192.0.2.9:5`,
      `22:13:45 ${who}: handshake complete, we began it`,
      `22:13:50 ${who}: no answer to the handshake for 5 s, try 2`,
      `22:13:55 ${who}: no answer to the handshake for 5 s, try 2`,
      '22:13:55 changed by wg: peer QkJCQk…QkI= removed',
    ]);
    const told = `note: vpn.example has no address: the name does not resolve: ${who} is tried again when there is something to send`;
    expect(lines(stderr).slice(0, 2)).toEqual([`22:13:25 ${told}`, `22:13:50 ${told}`]);
  });

  test('names that take long to look up are said', async () => {
    const machine = withTwo();
    machine.meanwhile = () => machine.clock.pass(3000);
    const lines = CONF.replace('PresharedKey', 'Endpoint = vpn.example:7\nPresharedKey');
    const { stderr } = await machine.run([file('named.conf', lines)]);
    expect(stderr).toBe('22:13:22 note: looking up vpn.example\n');
    const quiet = withTwo();
    quiet.meanwhile = () => quiet.clock.pass(3000);
    expect((await quiet.run([conf])).stderr).toBe('');
  });

  test('a signal that comes while it starts ends it when it is up', async () => {
    const machine = withTwo();
    machine.meanwhile = () => machine.interrupt('SIGINT');
    const { code, stdout } = await machine.run([conf]);
    expect([code, machine.closed]).toEqual([0, 1]);
    expect(lines(stdout).at(-1)).toBe('22:13:20 wg7 is down (SIGINT)');
  });

  test('somebody deletes the interface', async () => {
    const machine = withTwo();
    const { code, stdout } = await machine.run([conf], ({ onGone }) => onGone?.('the interface was deleted'));
    expect([code, machine.closed]).toEqual([0, 1]);
    expect(lines(stdout).at(-1)).toBe('22:13:20 wg7 is down (the interface was deleted)');
  });
});

describe('what the tunnel is asked for', () => {
  test('as the file has it', async () => {
    const machine = withTwo();
    await machine.run([conf]);
    const [{ conf: read, name, ...rest } = expect.fail()] = machine.asked;
    expect(name).toBe('wg7');
    expect(read.peers).toHaveLength(2);
    expect(rest).not.toHaveProperty('hooks');
    expect(rest).not.toHaveProperty('keyLog');
    expect(rest).not.toHaveProperty('pcap');
  });

  test('as the options have it', async () => {
    const machine = withTwo();
    await machine.run([conf, '--interface', 'other', '--key-log', 'k', '--pcap', 'p', '--hooks']);
    expect(machine.asked).toEqual([expect.objectContaining({ name: 'other', keyLog: 'k', pcap: 'p', hooks: true })]);
  });

  test.each([
    ['a network that cannot be read would travel outside of the tunnel', '10.0.0.3/32', '10.0.0.3/99', 14],
    ['a peer without a key that can be used', LAPTOP, LAPTOP.slice(1), 8],
  ])('%s: the tunnel stays down, and the line is said', async (_, right, wrong, line) => {
    const machine = withTwo();
    const path = file('odd.conf', CONF.replace(right, wrong));
    const { code, stderr } = await machine.run([path]);
    expect(code).toBe(2);
    expect(stderr).toContain(`${path} cannot be used as it stands`);
    expect(stderr).toMatch(new RegExp(`${path}:${line}: `));
  });

  test('what is odd and taken all the same is said', async () => {
    const machine = withTwo();
    const path = file('twice.conf', CONF.replace('[Interface]\n', '[Interface]\nMTU = 1400\nMTU = 1400\n'));
    const { code, stderr } = await machine.run([path]);
    expect(code).toBe(0);
    expect(stderr).toMatch(new RegExp(`^${path}:3: MTU stands here a second time`));
  });

  test('a file that is open to all', async () => {
    const machine = withTwo();
    const path = file('open.conf', CONF);
    chmodSync(path, 0o644);
    const { code, stderr } = await machine.run([path]);
    expect(code).toBe(0);
    expect(lines(stderr)).toContain(
      `22:13:20 note: everybody on this machine can read ${path} and the private key in it: chmod 600 ${path}`,
    );
  });

  test('names of peers cannot write to the terminal', async () => {
    const machine = withTwo();
    const path = file('escape.conf', CONF.replace('laptop', 'lap\u001b[31mtop'));
    const { stdout } = await machine.run([path], ({ onEvent }) => onEvent?.({ what: 'peer-silent' }, LAPTOP));
    expect(stdout).toContain('nothing came back');
    expect(stdout).not.toContain('\u001b');
  });
});

describe('what keeps it from coming up', () => {
  const noKoffi = 'npm install koffi@3 beside wgwhy (it is optional: only tunnels with an interface need it)';
  test.each<[string, Error, readonly string[]]>([
    [
      'no koffi',
      new UsageError('this needs the package koffi, which is not installed', noKoffi),
      ['this needs the package koffi, which is not installed', noKoffi],
    ],
    [
      'no root',
      new TunError('EPERM', 'the interface wg7 cannot be made: that needs root (CAP_NET_ADMIN)'),
      ['the interface wg7 cannot be made: that needs root (CAP_NET_ADMIN)', 'run it as root'],
    ],
    [
      'a name that is taken',
      new TunError('EBUSY', 'there is an interface wg7 already'),
      [
        'there is an interface wg7 already',
        'wg show tells whether it is this very tunnel; otherwise give another name with --interface',
      ],
    ],
    [
      'no TUN',
      new TunError('ENOENT', 'there is no /dev/net/tun'),
      ['there is no /dev/net/tun', 'load the module: modprobe tun; a container needs --device /dev/net/tun'],
    ],
    ['another trouble of the interface', new TunError('EIO', 'it cannot be made (EIO)'), ['it cannot be made (EIO)']],
    [
      'a port that is taken',
      new UdpError('EADDRINUSE', 'UDP port 51820 cannot be opened (EADDRINUSE)'),
      ['UDP port 51820 cannot be opened (EADDRINUSE)', 'another program, or the kernel, listens there: ss -ulnp'],
    ],
    ['another trouble of the port', new UdpError('EACCES', 'it is not ours (EACCES)'), ['it is not ours (EACCES)']],
    [
      'a command that fails',
      new SetupError('ip -4 address add 10.0.0.1/24 dev wg7 failed (2)', 'RTNETLINK answers: File exists'),
      ['ip -4 address add 10.0.0.1/24 dev wg7 failed (2)', 'RTNETLINK answers: File exists'],
    ],
    ['a command that is not there', new SetupError('there is no program ip', ''), ['there is no program ip']],
    ['a configuration that makes none', new TunnelError('it has no key'), ['it has no key']],
    [
      'a file that cannot be written',
      new FileError('/x', 'it cannot be written (EROFS)'),
      ['/x: it cannot be written (EROFS)'],
    ],
  ])('%s', async (_, fault, [message, ...hints]) => {
    const machine = withTwo();
    machine.fault = fault;
    const { code, stdout, stderr } = await machine.run([conf]);
    expect([code, stdout, machine.closed]).toEqual([2, '', 0]);
    expect(lines(stderr)).toEqual([`wgwhy: ${message}`, ...hints.map((hint) => `  ${hint}`)]);
  });

  test('a defect is called one', async () => {
    const machine = withTwo();
    machine.fault = new TypeError('x is not a function');
    const { code, stderr } = await machine.run([conf]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/a defect in wgwhy \S+, please report it: x is not a function/);
  });
});

describe('usage', () => {
  const status = '--status takes seconds, from 0 (never) to 86400';
  const long = file('a-very-long-name.conf');
  test.each<[string, readonly string[], string]>([
    ['--status with a word', [conf, '--status', 'often'], status],
    ['--status with a fraction', [conf, '--status', '1.5'], status],
    ['--status below zero', [conf, '--status=-1'], status],
    ['--status with more than a day', [conf, '--status', '86401'], status],
    ['a name that is too long', [long], '"a-very-long-name" cannot be the name of an interface'],
    ['a name of more than letters', [conf, '--interface', 'wg 7'], '"wg 7" cannot be the name of an interface'],
    ['a name that is a folder', [conf, '--interface', '..'], '".." cannot be the name of an interface'],
    ['no private key', [file('none.conf', CONF.replace(/PrivateKey.*/, ''))], 'has no PrivateKey that can be used'],
    ['no configuration', ['package.json'], 'is not a WireGuard configuration'],
    ['no file', [join(folder, 'no.conf')], 'there is no such file'],
    ['nothing', [], "missing required argument 'conf'"],
  ])('%s', async (_, argv, message) => {
    const machine = withTwo();
    const { code, stdout, stderr } = await machine.run(argv);
    expect([code, stdout, machine.asked]).toEqual([2, '', []]);
    expect(stderr).toContain(message);
    expect(stderr).not.toContain('defect');
  });
});

test('no secret is said, whatever happens', async () => {
  const machine = withTwo();
  machine.fault = new SetupError('a shell command of the configuration failed (1)', '');
  const broken = file('broken.conf', CONF.replace(PSK, PSK.slice(1)).replace(SECRET, `${SECRET}=`));
  for (const path of [conf, broken]) {
    const { stdout, stderr } = await machine.run([path]);
    for (const secret of [SECRET, PSK]) expect(stdout + stderr).not.toContain(secret.slice(4, -4));
  }
});
