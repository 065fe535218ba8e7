/** Takes back what a tunnel changed on this machine, however its process ends: also when it is killed outright. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Writable } from 'node:stream';
import type { SystemCommand } from './plan.ts';
import { systemEnv } from './system.ts';

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/** Collects lines until its input ends, then runs them, the last one first. Signals of the terminal are not for it. */
const COLLECT = `trap '' HUP INT TERM
undo=
while IFS= read -r line; do undo="$line
$undo"; done
eval "$undo"`;

/**
 * A shell at the other end of a pipe. The system closes this end with this process, and only then does the shell act: so
 * there is one way of clearing up, the same for a clean end and for `kill -9`.
 */
export class Guard {
  readonly #shell: ChildProcessByStdio<Writable, null, null>;
  readonly #ended: Promise<void>;

  constructor() {
    this.#shell = spawn('sh', ['-c', COLLECT], {
      detached: true,
      stdio: ['pipe', 'ignore', 'inherit'],
      env: systemEnv(),
    });
    this.#ended = new Promise((resolve) => {
      this.#shell.on('close', () => resolve());
      this.#shell.on('error', () => resolve());
    });
    this.#shell.stdin.on('error', () => {});
  }

  /** To be called before the step itself: to take back what was not done is no harm. Resolves when the shell has it. */
  undo({ argv, hook }: SystemCommand): Promise<void> {
    // What a hook says is for whoever wrote it; that there was nothing to take back is for nobody.
    const output = hook === undefined ? '2>/dev/null' : '>&2';
    return new Promise((resolve) => {
      this.#shell.stdin.write(`${argv.map(quoted).join(' ')} </dev/null ${output}\n`, () => resolve());
    });
  }

  /** Takes everything back now; resolves when that is done. */
  async release(): Promise<void> {
    this.#shell.stdin.end();
    await this.#ended;
  }
}
