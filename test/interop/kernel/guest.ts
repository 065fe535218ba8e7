/** A Debian kernel in QEMU, without KVM and without a disk: a shell in it, its log as it is written, its network on a tap here. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LogLines } from '../peers/log-lines.ts';
import { kernelImage } from './image.ts';
import { type GuestNetwork, initrd } from './initrd.ts';

export interface GuestOptions extends GuestNetwork {
  /** Name of the tap device, made in the network namespace of the caller. */
  readonly tap: string;
}

/** Of its network card. */
export const GUEST_MAC = '52:54:00:77:67:01';

/** A slow machine needs far longer than the usual four seconds. */
const BOOT_MS = 90_000;
const COMMAND_MS = 30_000;
const END_OF_ANSWER = /\x01(\w+)\n/;

export interface Answer {
  readonly status: number;
  readonly output: string;
}

/** One serial port: QEMU connects to a socket of ours. */
async function listen(path: string, take: (socket: Socket) => void): Promise<Server> {
  const server = createServer(take);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
  return server;
}

export class Guest {
  /** Everything the kernel said, with dynamic debug of WireGuard on. */
  readonly log = new LogLines((line) => line.replace(/^\[ *[0-9.]+\] /, '').replace(/\r$/, ''));
  readonly #folder = mkdtempSync(join(tmpdir(), 'wgwhy-guest-'));
  readonly #servers: Server[] = [];
  #qemu: ChildProcess | undefined;
  #shell: Socket | undefined;
  #heard = '';
  #answered: ((answer: Answer) => void) | undefined;
  #failed: ((error: Error) => void) | undefined;
  #queue: Promise<unknown> = Promise.resolve();

  private constructor() {}

  /** Rejects when the kernel does not come up; nothing is left behind then. */
  static async boot(options: GuestOptions): Promise<Guest> {
    const guest = new Guest();
    try {
      await guest.#boot(options);
    } catch (error) {
      await guest.close();
      throw error;
    }
    return guest;
  }

  async #boot({ address, tap }: GuestOptions): Promise<void> {
    const { kernel, modules } = kernelImage();
    const file = (name: string): string => join(this.#folder, name);
    writeFileSync(file('initrd'), initrd(modules, { address }));
    const ready = this.#next(BOOT_MS, 'the guest to come up');
    this.#servers.push(
      await listen(file('console'), (socket) => {
        socket.setEncoding('utf8').on('data', (text: string) => this.log.add(text));
        socket.on('error', () => {});
      }),
      await listen(file('shell'), (socket) => {
        this.#shell = socket;
        socket.setEncoding('utf8').on('data', (text: string) => this.#hear(text));
        socket.on('error', () => {});
      }),
    );
    const machine = ['-accel', 'tcg', '-cpu', 'qemu64,+rdrand', '-m', '256', '-nodefaults', '-display', 'none'];
    const start = ['-kernel', kernel, '-initrd', file('initrd'), '-no-reboot'];
    const append = 'console=ttyS0 ignore_loglevel panic=-1 tsc=reliable random.trust_cpu=on';
    const network = ['-netdev', `tap,id=net,ifname=${tap},script=no,downscript=no`];
    // the largest ring there is: what waited while the guest was held comes in at once
    const card = ['-device', `virtio-net-pci,netdev=net,mac=${GUEST_MAC},romfile=,rx_queue_size=1024`];
    const serial = ['console', 'shell'].flatMap((name) => ['-serial', `unix:${file(name)}`]);
    // Killed by the system when this process ends, however it ends.
    const args = ['--pdeathsig', 'KILL', 'qemu-system-x86_64', ...machine, ...start, '-append', append];
    const qemu = spawn('setpriv', [...args, ...network, ...card, ...serial], { stdio: ['ignore', 'ignore', 'pipe'] });
    this.#qemu = qemu;
    let complaint = '';
    qemu.stderr.setEncoding('utf8').on('data', (text: string) => {
      complaint += text;
    });
    qemu.on('error', (error) => this.#failed?.(error));
    qemu.on('exit', (code) => {
      const last = this.log.lines.slice(-3).join(' · ');
      this.#failed?.(new Error(`QEMU has ended (${code}): ${complaint.trim()} ${last}`));
    });
    await ready;
  }

  /** Runs one line in the guest's shell, one after the other. */
  run(command: string): Promise<Answer> {
    const turn = this.#queue.then(() => {
      const answer = this.#next(COMMAND_MS, `the guest to answer: ${command}`);
      this.#shell?.write(`${command.replaceAll('\n', ' ')}\n`);
      return answer;
    });
    this.#queue = turn.catch(() => {});
    return turn;
  }

  /** As {@link run}; rejects unless the status is 0. */
  async must(command: string): Promise<string> {
    const { status, output } = await this.run(command);
    if (status !== 0) throw new Error(`the guest: ${command}: ${status} ${output}`);
    return output;
  }

  async setClock(unixSeconds: number): Promise<void> {
    await this.must(`date -s @${Math.floor(unixSeconds)}`);
  }

  /** Stands still until told to go on; what is sent to it waits in the tap. */
  pause(): void {
    this.#qemu?.kill('SIGSTOP');
  }

  goOn(): void {
    this.#qemu?.kill('SIGCONT');
  }

  async close(): Promise<void> {
    this.#failed = undefined;
    const qemu = this.#qemu;
    if (qemu !== undefined && qemu.exitCode === null && qemu.signalCode === null && qemu.pid !== undefined) {
      const ended = new Promise((resolve) => qemu.once('exit', resolve));
      qemu.kill('SIGKILL');
      await ended;
    }
    for (const server of this.#servers.splice(0)) server.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #next(ms: number, what: string): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => fail(new Error(`waited in vain for ${what}`)), ms);
      const settle = (): void => {
        clearTimeout(timer);
        this.#answered = undefined;
        this.#failed = undefined;
      };
      const fail = (error: Error): void => {
        settle();
        reject(error);
      };
      this.#failed = fail;
      this.#answered = (answer) => {
        settle();
        resolve(answer);
      };
    });
  }

  #hear(text: string): void {
    this.#heard += text;
    const end = END_OF_ANSWER.exec(this.#heard);
    if (end === null) return;
    const output = this.#heard.slice(0, end.index).trimEnd();
    this.#heard = this.#heard.slice(end.index + end[0].length);
    this.#answered?.({ status: Number(end[1]), output });
  }
}
