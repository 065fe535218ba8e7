/** Runs programs for the lab: short ones to their end, long ones until their own pid is stopped. */
import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';

const SHORT_COMMAND_MS = 20_000;
const MOST_OUTPUT_BYTES = 256 * 1024 * 1024;

/** Runs a short program to its end and returns what it wrote; throws if it fails. */
export function run(program: string, args: readonly string[], input = '', timeout = SHORT_COMMAND_MS): string {
  return execFileSync(program, args, { input, encoding: 'utf8', timeout, stdio: 'pipe' });
}

/** The same while everything else goes on. */
export function runLater(program: string, args: readonly string[], timeout = SHORT_COMMAND_MS): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(program, args, { encoding: 'utf8', timeout, maxBuffer: MOST_OUTPUT_BYTES }, (error, stdout) => {
      if (error === null) resolve(stdout);
      else reject(error);
    });
  });
}

export interface BackgroundOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Both outputs are appended to this file; without it they are thrown away. */
  readonly log?: string;
  /** Get what it writes, as text, instead. */
  readonly heard?: { stdout(text: string): void; stderr(text: string): void };
}

/** One long-running program; only the pid started here is ever signalled. */
export class Background {
  private readonly child: ChildProcess;
  readonly ended: Promise<number | null>;

  constructor(program: string, args: readonly string[], options: BackgroundOptions = {}) {
    const log = options.log === undefined ? undefined : openSync(options.log, 'a');
    const { heard } = options;
    const output = heard === undefined ? (log ?? 'ignore') : 'pipe';
    this.child = spawn(program, args, {
      stdio: ['ignore', output, output],
      env: { ...process.env, ...options.env },
    });
    if (log !== undefined) closeSync(log);
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => heard?.stdout(text));
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => heard?.stderr(text));
    this.ended = new Promise((resolve) => {
      // With everything that it wrote.
      this.child.on('close', (code) => resolve(code));
      this.child.on('error', () => resolve(null));
    });
  }

  get running(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null && this.child.pid !== undefined;
  }

  /** Without waiting for what comes of it. */
  signal(name: NodeJS.Signals): void {
    if (this.running) this.child.kill(name);
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    this.signal(signal);
    await Promise.race([this.ended, sleep(3)]);
    if (this.running) this.child.kill('SIGKILL');
    // What it started may still hold its outputs.
    await Promise.race([this.ended, sleep(3)]);
  }

  /** For the way out of the process, where nothing can be awaited. */
  abandon(): void {
    if (this.running) this.child.kill('SIGKILL');
  }
}

export function sleep(seconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1000));
}
