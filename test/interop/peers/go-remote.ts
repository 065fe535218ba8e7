/** wireguard-go in this namespace: one process for each device, its log read as it is written. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { run } from '../lab/shell.ts';
import { LogLines } from './log-lines.ts';
import { type DevicePlan, type Host, type Inner, innerOf, type Remote, RemoteDevice } from './remote.ts';

const ADDRESS = '10.78.0.2';
const NEAR = ['10.78.0.1', '10.78.0.3'] as const;
/** Where it leaves its control socket, for all namespaces alike: names must not meet those of others. */
const CONTROL = '/var/run/wireguard';
const ECHO_PORT = 7;

/** It has a worker for each processor: with one, handshakes are judged in the order in which they came. */
function oneProcessor(): string {
  const allowed = /Cpus_allowed_list:\s*(\d+)/.exec(readFileSync('/proc/self/status', 'latin1'))?.[1];
  return allowed ?? '0';
}

const execute = promisify(execFile);

export class GoRemote implements Remote, Host {
  readonly kind = 'wireguard-go';
  readonly address = ADDRESS;
  readonly near = NEAR;
  readonly log = new LogLines();
  readonly #folder = mkdtempSync(join(tmpdir(), 'wgwhy-go-'));
  readonly #running = new Map<string, ChildProcess>();
  #devices = 0;

  constructor() {
    for (const address of [ADDRESS, ...NEAR]) run('ip', ['addr', 'add', `${address}/32`, 'dev', 'lo']);
  }

  async device(planFor: (inner: Inner) => DevicePlan): Promise<RemoteDevice> {
    const number = ++this.#devices;
    const name = `wwk${process.pid}-${number}`;
    const { their, their6 } = innerOf(number);
    const started = this.log.mark;
    const args = ['-c', oneProcessor(), 'setpriv', '--pdeathsig', 'KILL', 'wireguard-go', '-f', name];
    const env = { ...process.env, LOG_LEVEL: 'verbose' };
    const child = spawn('taskset', args, { stdio: ['ignore', 'pipe', 'pipe'], env });
    this.#running.set(name, child);
    for (const output of [child.stdout, child.stderr]) {
      output.setEncoding('utf8').on('data', (text: string) => this.log.add(text));
    }
    await this.log.waitFor(
      'wireguard-go to start',
      (line) => line.includes(`(${name})`) && line.endsWith('UAPI listener started'),
      started,
    );
    const device = new RemoteDevice(this, name, number);
    await device.configure(planFor(device.inner));
    await this.must(`ip addr add ${their}/24 dev ${name} && ip addr add ${their6}/64 dev ${name} nodad`);
    await this.must(`ip link set ${name} mtu 1420 up`);
    await this.log.waitFor(
      'the interface to come up',
      (line) => line.includes(`(${name})`) && line.includes('Interface state was Down, requested Up, now Up'),
      started,
    );
    return device;
  }

  async close(): Promise<void> {
    for (const name of [...this.#running.keys()]) await this.end(name);
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Not in the event loop's way: what is under test may run in it. */
  async must(line: string): Promise<string> {
    const { stdout } = await execute('sh', ['-c', line], { timeout: 20_000 });
    return stdout;
  }

  async write(name: string, text: string): Promise<string> {
    const file = join(this.#folder, name);
    writeFileSync(file, text, { mode: 0o600 });
    return file;
  }

  ownLine(device: string, line: string): string | undefined {
    const match = /^(?:DEBUG|ERROR|INFO): \((.*?)\) \S+ \S+ (.*)$/.exec(line);
    return match?.[1] === device ? match[2] : undefined;
  }

  ask(from: string, to: string, waitMs: number): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const socket = createSocket('udp4');
      const end = (answered: boolean): void => {
        clearTimeout(timer);
        socket.close();
        resolve(answered);
      };
      const timer = setTimeout(() => end(false), waitMs);
      socket.on('message', () => end(true));
      socket.on('error', reject);
      socket.bind(0, from, () => socket.send('from inside', ECHO_PORT, to));
    });
  }

  knock(from: string, to: string): Promise<void> {
    const socket = createSocket('udp4');
    return new Promise((resolve, reject) => {
      socket.on('error', reject);
      socket.bind(0, from, () => socket.send('from inside', ECHO_PORT, to, () => socket.close(resolve)));
    });
  }

  hold(device: string): void {
    this.#running.get(device)?.kill('SIGSTOP');
  }

  letGo(device: string): void {
    this.#running.get(device)?.kill('SIGCONT');
  }

  async end(device: string): Promise<void> {
    const child = this.#running.get(device);
    this.#running.delete(device);
    if (child !== undefined && child.exitCode === null && child.signalCode === null) {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await ended;
    }
    rmSync(join(CONTROL, `${device}.sock`), { force: true });
  }
}
