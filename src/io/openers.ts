/** Helpers that open the messages of large captures on threads of their own. */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { Desk } from '../crypto/ahead/desk.ts';

/** More do not help: whoever follows what happened cannot be split. */
const MOST_BY_DEFAULT = 2;
/** Below this it is over before helpers are of use; bytes of a file, and frames of what has no size. */
const LARGE_BYTES = 128 * 1024 * 1024;
const LARGE_FRAMES = 200_000;

const THREAD = new URL('./opener-thread.js', import.meta.url);

export interface OpenersOptions {
  /** Threads in all, the caller's among them; else two, where the machine has them. */
  readonly jobs?: number | undefined;
  /** Of all captures together, where that is known: small ones get no helpers, unless `jobs` asks for them. */
  readonly bytes?: number | undefined;
}

/**
 * For `ahead` of `diagnose`: threads that begin once the input proves large. Undefined where there would be none but the
 * caller's. They do not keep the process alive; `close` ends them. Where they cannot begin, nothing is different but the time.
 */
export function openers({ jobs, bytes }: OpenersOptions): Desk | undefined {
  const threads = jobs ?? Math.min(MOST_BY_DEFAULT, availableParallelism());
  const atOnce = jobs !== undefined || (bytes !== undefined && bytes >= LARGE_BYTES);
  if (threads <= 1 || (!atOnce && bytes !== undefined)) return undefined;
  const desk = new Desk(atOnce ? 0 : LARGE_FRAMES, (memory) => {
    for (let i = 1; i < threads; i++) begin(memory);
  });
  if (atOnce) desk.begin(1);
  return desk;
}

function begin(memory: SharedArrayBuffer): void {
  try {
    const worker = new Worker(THREAD, { workerData: memory });
    worker.unref();
    worker.on('error', () => {});
  } catch {
    // threads may be forbidden
  }
}
