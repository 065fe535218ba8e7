/** `wgwhy up` as it is installed, in one place of the lab: its lines as they come, and its end. */
import { LogLines } from '../peers/log-lines.ts';
import type { Lab, Place } from './network.ts';
import type { Background } from './shell.ts';

export const PROGRAM = 'dist/cli/main.js';

export class Wgwhy {
  readonly stdout = new LogLines();
  readonly stderr = new LogLines();
  readonly #program: Background;

  constructor(lab: Lab, place: Place, argv: readonly string[]) {
    this.#program = lab.spawn(place, [process.execPath, PROGRAM, 'up', ...argv], {
      stdout: (text) => this.stdout.add(text),
      stderr: (text) => this.stderr.add(text),
    });
  }

  /** Rejects when it ends before. */
  async isUp(): Promise<void> {
    const ended = this.ended.then((code) => {
      throw new Error(`it ended with ${code} before it was up: ${this.stderr.lines.join('\n')}`);
    });
    await Promise.race([this.said(' is up: UDP port '), ended]);
    ended.catch(() => {});
  }

  /** Its exit code; null when a signal ended it. */
  get ended(): Promise<number | null> {
    return this.#program.ended;
  }

  get running(): boolean {
    return this.#program.running;
  }

  /** The first line on standard output since then that has this in it. */
  said(wanted: string | RegExp, mark = 0, ms?: number): Promise<string> {
    const fits = (line: string): boolean => (typeof wanted === 'string' ? line.includes(wanted) : wanted.test(line));
    return this.stdout.waitFor(`${wanted}`, fits, mark, ms);
  }

  complained(text: string, mark = 0, ms?: number): Promise<string> {
    return this.stderr.waitFor(text, (line) => line.includes(text), mark, ms);
  }

  /** It has all the time it needs: who waits has a deadline. */
  end(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    this.#program.signal(signal);
    return this.ended;
  }
}
