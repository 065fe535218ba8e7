/** What the long-running commands ask of the system: signals, and the interface of a tunnel. */
import { loadLibc } from '../io/linux/libc.ts';
import { bringUp, type Up, type UpOptions } from '../io/up/up.ts';
import { UsageError } from './environment.ts';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** npm and the like hand on a signal that the terminal has sent already: that is no second wish. */
const SAME_WISH_MS = 1000;

/** Whoever asks again while the end takes its time, e.g. in a hook that hangs, gets it at once. */
export function untilSignal(): Promise<string> {
  return new Promise((resolve) => {
    let firstMs: number | undefined;
    const heard = (signal: NodeJS.Signals): void => {
      const nowMs = performance.now();
      firstMs ??= nowMs;
      resolve(signal);
      if (nowMs - firstMs < SAME_WISH_MS) return;
      for (const one of SIGNALS) process.off(one, heard);
      process.kill(process.pid, signal);
    };
    for (const signal of SIGNALS) process.on(signal, heard);
  });
}

export async function upOnLinux(options: UpOptions): Promise<Up> {
  const libc = await loadLibc();
  if (!libc.ok) throw new UsageError(libc.error.message, libc.error.hint);
  return bringUp(libc.value, options);
}
