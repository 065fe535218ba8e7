/** Runs programs for the lab: short ones to their end, long ones until their own pid is stopped. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';

const SHORT_COMMAND_MS = 20_000;

/** Runs a short program to its end and returns what it wrote; throws if it fails. */
export function run(program: string, args: readonly string[], input = ''): string {
  return execFileSync(program, args, { input, encoding: 'utf8', timeout: SHORT_COMMAND_MS, stdio: 'pipe' });
}

export interface BackgroundOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Both outputs are appended to this file; without it they are thrown away. */
  readonly log?: string;
}

/** One long-running program; only the pid started here is ever signalled. */
export class Background {
  private readonly child: ChildProcess;
  readonly ended: Promise<number | null>;

  constructor(program: string, args: readonly string[], options: BackgroundOptions = {}) {
    const log = options.log === undefined ? undefined : openSync(options.log, 'a');
    const output = log ?? 'ignore';
    this.child = spawn(program, args, {
      stdio: ['ignore', output, output],
      env: { ...process.env, ...options.env },
    });
    if (log !== undefined) closeSync(log);
    this.ended = new Promise((resolve) => {
      this.child.on('exit', (code) => resolve(code));
      this.child.on('error', () => resolve(null));
    });
  }

  get running(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null && this.child.pid !== undefined;
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    if (this.running) this.child.kill(signal);
    await Promise.race([this.ended, sleep(3)]);
    if (this.running) this.child.kill('SIGKILL');
    await this.ended;
  }

  /** For the way out of the process, where nothing can be awaited. */
  abandon(): void {
    if (this.running) this.child.kill('SIGKILL');
  }
}

export function sleep(seconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1000));
}
