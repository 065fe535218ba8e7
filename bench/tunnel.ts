/**
 * Two network namespaces and a link between them: iperf3 through `wgwhy up` to wireguard-go, beside wireguard-go to
 * wireguard-go. Goodput of TCP both ways, processor time at an offered rate, round trip. Needs root; leaves nothing behind.
 */
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { rowOf, type Timed } from './measure.ts';
import type { Row, Subject } from './subject.ts';
import { lacking, WGWHY, workshop } from './workshop.ts';

const PROGRAMS = ['ip', 'wg', 'wireguard-go', 'iperf3', 'python3'];
const [NEAR, FAR] = [`wgbn${process.pid}`, `wgbf${process.pid}`];
/** Control sockets of all namespaces stand in one folder. */
const NEAR_TUN = 'wgbn0';
const FAR_TUN = 'wgbf0';
const OFFERED = '100M';
const TICKS_PER_SECOND = 100;

type Near = 'wgwhy up' | 'wireguard-go';

/** One measurement; bits and times are per second and milliseconds. */
interface TunnelFigures {
  readonly tcpOut: number;
  readonly tcpIn: number;
  /** Of one processor, for UDP at {@link OFFERED}. */
  readonly udpCpu: number;
  readonly udpLost: number;
  readonly roundTripMs: number;
}

function obstacle(): string | undefined {
  return process.getuid?.() === 0 ? lacking(...PROGRAMS) : 'root';
}

function run(program: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr.trim()}`);
  return stdout;
}

const within = (space: string, ...argv: string[]): string => run('ip', 'netns', 'exec', space, ...argv);
const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const key = (): string => run('wg', 'genkey').trim();
const publicOf = (secret: string): string =>
  spawnSync('wg', ['pubkey'], { input: secret, encoding: 'utf8' }).stdout.trim();

interface Files {
  readonly near: string;
  /** The same for `wg setconf`. */
  readonly nearSet: string;
  readonly far: string;
}

function writeFiles(): Files {
  const [a, b] = [key(), key()];
  const conf = (secret: string, peer: string, to: string, inner: string, address: string): string =>
    `[Interface]\nPrivateKey = ${secret}\nListenPort = 51820\n${address}[Peer]\nPublicKey = ${peer}\nEndpoint = ${to}:51820\nAllowedIPs = ${inner}/32\n`;
  const write = (name: string, text: string): string => {
    const path = join(workshop(), name);
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  };
  const toFar = [a, publicOf(b), '192.0.2.2', '10.77.0.2'] as const;
  return {
    near: write('near.conf', conf(...toFar, 'Address = 10.77.0.1/24\nMTU = 1420\n')),
    nearSet: write('near.set', conf(...toFar, '')),
    far: write('far.set', conf(b, publicOf(a), '192.0.2.1', '10.77.0.1', '')),
  };
}

function wireguardGo(space: string, tun: string, file: string, address: string): void {
  within(space, 'wireguard-go', tun);
  within(space, 'wg', 'setconf', tun, file);
  within(space, 'ip', 'addr', 'add', `${address}/24`, 'dev', tun);
  within(space, 'ip', 'link', 'set', tun, 'mtu', '1420', 'up');
}

/** Both namespaces with the far end up; `done` takes them down. */
function setUp(): { readonly files: Files; done(): void } {
  const done = (): void => {
    for (const space of [NEAR, FAR]) {
      const pids = spawnSync('ip', ['netns', 'pids', space], { encoding: 'utf8' }).stdout ?? '';
      for (const pid of pids.split('\n').filter(Boolean)) stop(Number(pid));
      spawnSync('ip', ['netns', 'del', space]);
    }
  };
  try {
    for (const space of [NEAR, FAR]) run('ip', 'netns', 'add', space);
    run('ip', 'link', 'add', 'near', 'netns', NEAR, 'type', 'veth', 'peer', 'name', 'far', 'netns', FAR);
    for (const [space, link, address] of [
      [NEAR, 'near', '192.0.2.1'],
      [FAR, 'far', '192.0.2.2'],
    ] as const) {
      within(space, 'ip', 'addr', 'add', `${address}/24`, 'dev', link);
      for (const one of ['lo', link]) within(space, 'ip', 'link', 'set', one, 'up');
    }
    const files = writeFiles();
    wireguardGo(FAR, FAR_TUN, files.far, '10.77.0.2');
    return { files, done };
  } catch (error) {
    done();
    throw error;
  }
}

function stop(pid: number): void {
  try {
    process.kill(pid, 'SIGTERM');
  } catch {
    // gone already
  }
}

/** Brings the near end up; gives its process, and how to end it. */
async function bringUp(near: Near, files: Files): Promise<{ readonly pid: number; end(): Promise<void> }> {
  if (near === 'wireguard-go') {
    wireguardGo(NEAR, NEAR_TUN, files.nearSet, '10.77.0.1');
    const pids = run('ip', 'netns', 'pids', NEAR).split('\n').filter(Boolean).map(Number);
    const [pid = 0] = pids;
    return { pid, end: async () => void within(NEAR, 'ip', 'link', 'del', NEAR_TUN) };
  }
  const argv = ['netns', 'exec', NEAR, process.execPath, WGWHY, 'up', files.near, '--interface', NEAR_TUN];
  const child = spawn('ip', argv, { stdio: 'ignore' });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  for (let i = 0; i < 100; i++) {
    await wait(100);
    if (spawnSync('ip', ['-n', NEAR, 'addr', 'show', NEAR_TUN], { encoding: 'utf8' }).stdout.includes('10.77.0.1'))
      break;
  }
  const pid = child.pid ?? 0;
  return {
    pid,
    end: async () => {
      stop(pid);
      await ended;
    },
  };
}

/** Clock ticks that a process has used (proc(5): utime and stime). */
function ticksOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return Number(fields[11]) + Number(fields[12]);
}

async function iperf(seconds: number, ...options: string[]): Promise<{ bits: number; lost: number }> {
  const server = spawn('ip', ['netns', 'exec', FAR, 'iperf3', '-s', '-1'], { stdio: 'ignore' });
  const ended = new Promise<void>((resolve) => server.once('exit', () => resolve()));
  await wait(400);
  const text = within(NEAR, 'iperf3', '-J', '-c', '10.77.0.2', '-t', String(seconds), ...options);
  await ended;
  const { end }: { end: Record<string, { bits_per_second?: number; lost_percent?: number } | undefined> } =
    JSON.parse(text);
  const sum = end['sum_received'] ?? end['sum'];
  return { bits: sum?.bits_per_second ?? 0, lost: end['sum']?.lost_percent ?? 0 };
}

/** The mean of a hundred. */
function roundTrip(): number {
  const ping = `
import os, select, socket, struct, time
s = socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)
total = count = 0
for i in range(100):
    body = struct.pack("!HH", os.getpid() & 0xFFFF, i) + bytes(56)
    words = struct.unpack("!30H", body)
    check = sum(words) + 0x0800
    check = (check >> 16) + (check & 0xFFFF); check += check >> 16
    start = time.monotonic()
    s.sendto(struct.pack("!BBH", 8, 0, ~check & 0xFFFF) + body, ("10.77.0.2", 0))
    while select.select([s], [], [], 1)[0]:
        answer = s.recv(200)[20:]
        if answer[0] == 0 and answer[4:8] == body[:4]:
            total += time.monotonic() - start; count += 1
            break
    time.sleep(0.01)
print(total / count * 1000)
`;
  return Number(within(NEAR, 'python3', '-c', ping));
}

async function measureOne(near: Near, files: Files, seconds: number): Promise<TunnelFigures> {
  const { pid, end } = await bringUp(near, files);
  try {
    await wait(300);
    const roundTripMs = roundTrip();
    const [tcpOut, tcpIn] = [(await iperf(seconds)).bits, (await iperf(seconds, '-R')).bits];
    const before = ticksOf(pid);
    const { lost } = await iperf(seconds, '-u', '-b', OFFERED, '-l', '1360');
    const udpCpu = (ticksOf(pid) - before) / TICKS_PER_SECOND / seconds;
    return { tcpOut, tcpIn, udpCpu, udpLost: lost, roundTripMs };
  } finally {
    await end();
  }
}

/** In turns, so that a busy machine is busy for both. */
async function measureTunnels(rounds: number, seconds: number): Promise<Record<Near, TunnelFigures[]>> {
  const figures: Record<Near, TunnelFigures[]> = { 'wireguard-go': [], 'wgwhy up': [] };
  const { files, done } = setUp();
  try {
    for (let i = 0; i < rounds; i++)
      for (const near of ['wireguard-go', 'wgwhy up'] as const)
        figures[near].push(await measureOne(near, files, seconds));
  } finally {
    done();
    for (const path of Object.values(files)) rmSync(path, { force: true });
  }
  return figures;
}

const MEGABYTE = 1e6;
/** Nanoseconds for a megabyte at so many bits per second. */
const perMegabyte = (bits: number): number => (8 * MEGABYTE * 1e9) / bits;
const timed = (ns: number): Timed => ({ p50: ns, p99: ns });

const FIGURES: readonly (readonly [string, number | undefined, (figures: TunnelFigures) => number])[] = [
  ['TCP, sending, a megabyte', MEGABYTE, ({ tcpOut }) => perMegabyte(tcpOut)],
  ['TCP, receiving, a megabyte', MEGABYTE, ({ tcpIn }) => perMegabyte(tcpIn)],
  [
    `processor time for a megabyte of UDP, sent at ${OFFERED}bit/s`,
    undefined,
    ({ udpCpu }) => udpCpu * perMegabyte(100e6),
  ],
  ['round trip', undefined, ({ roundTripMs }) => roundTripMs * 1e6],
];

async function rows(rounds: number, quick: boolean): Promise<Row[]> {
  const measured = await measureTunnels(rounds, quick ? 1 : 4);
  return FIGURES.flatMap(([group, bytes, of]) => {
    const [go, ours] = (['wireguard-go', 'wgwhy up'] as const).map((near) =>
      measured[near].map((figures) => timed(of(figures))),
    );
    return [
      rowOf(group, 'wireguard-go', go ?? [], go ?? [], bytes),
      rowOf(group, 'wgwhy up', ours ?? [], go ?? [], bytes),
    ];
  });
}

export const tunnel: Subject = { name: 'tunnel', obstacle, rows };
