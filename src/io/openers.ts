/** Helpers that open the messages of large captures on threads of their own. */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { Desk } from '../crypto/ahead/desk.ts';

/** More do not help: whoever tracks what is opened cannot be split. */
const MOST_BY_DEFAULT = 2;
/** Below this it is over before helpers have begun; bytes of a file, and frames of what has no size. */
const LARGE_BYTES = 32 * 1024 * 1024;
const LARGE_FRAMES = 50_000;

const THREAD = new URL('./opener-thread.js', import.meta.url);

/** Threads in all where nobody says how many. */
export function defaultJobs(): number {
  return Math.min(MOST_BY_DEFAULT, availableParallelism());
}

/**
 * `jobs` threads in all, this one among them, once the input proves large: `bytes` of it where that is known, `always` at
 * once. Undefined where there is nobody but this thread. They do not keep the process alive; `close` ends them.
 */
export function openers(jobs: number, bytes: number | undefined, always = false): Desk | undefined {
  if (jobs <= 1 || (!always && bytes !== undefined && bytes < LARGE_BYTES)) return undefined;
  const known = always || bytes !== undefined;
  const desk = new Desk(known ? 0 : LARGE_FRAMES, (memory) => {
    for (let i = 1; i < jobs; i++) {
      const worker = new Worker(THREAD, { workerData: memory });
      worker.unref();
      // without it this thread opens everything itself
      worker.on('error', () => {});
    }
  });
  if (known) desk.begin(1);
  return desk;
}
