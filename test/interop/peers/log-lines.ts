/** A log as it grows: whole lines, a mark to read from, and waiting for a line without asking again and again. */

interface Waiting {
  readonly from: number;
  readonly fits: (line: string) => boolean;
  readonly found: (line: string) => void;
}

const WAIT_MS = 15_000;

export class LogLines {
  readonly lines: string[] = [];
  readonly #clean: (line: string) => string;
  readonly #waiting = new Set<Waiting>();
  #rest = '';

  constructor(clean: (line: string) => string = (line) => line) {
    this.#clean = clean;
  }

  get mark(): number {
    return this.lines.length;
  }

  add(text: string): void {
    const parts = (this.#rest + text).split('\n');
    this.#rest = parts.pop() ?? '';
    for (const part of parts) this.#push(this.#clean(part));
  }

  #push(line: string): void {
    const at = this.lines.push(line) - 1;
    for (const one of this.#waiting) {
      if (at < one.from || !one.fits(line)) continue;
      this.#waiting.delete(one);
      one.found(line);
    }
  }

  since(mark: number): string[] {
    return this.lines.slice(mark);
  }

  /** The first line at or after the mark that fits. Rejects when it does not come; `what` says what for. */
  waitFor(what: string, fits: (line: string) => boolean, mark = this.mark, ms = WAIT_MS): Promise<string> {
    const there = this.lines.slice(mark).find(fits);
    if (there !== undefined) return Promise.resolve(there);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(waiting);
        reject(new Error(`waited in vain for ${what}; the log since then:\n${this.since(mark).join('\n')}`));
      }, ms);
      const waiting: Waiting = {
        from: mark,
        fits,
        found: (line) => {
          clearTimeout(timer);
          resolve(line);
        },
      };
      this.#waiting.add(waiting);
    });
  }
}
