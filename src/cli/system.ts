/** What the long-running commands ask of the system: signals, and the interface of a tunnel. */
import { loadLibc } from '../io/linux/libc.ts';
import { bringUp, type Up, type UpOptions } from '../io/up/up.ts';
import { UsageError } from './environment.ts';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export function untilSignal(): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of SIGNALS) process.on(signal, () => resolve(signal));
  });
}

export async function upOnLinux(options: UpOptions): Promise<Up> {
  const libc = await loadLibc();
  if (!libc.ok) throw new UsageError(libc.error.message, libc.error.hint);
  return bringUp(libc.value, options);
}
