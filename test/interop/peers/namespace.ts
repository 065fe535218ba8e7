/** A network namespace without a name for this process: what it opens and starts from then on lives in it, and it ends with it. */
import { closeSync, openSync } from 'node:fs';
import { run } from '../lab/shell.ts';

const CLONE_NEWNET = 0x4000_0000;

/** Of the main thread, the only one that opens sockets or starts programs. */
const OWN = '/proc/self/ns/net';

/** Goes into a new namespace, its loopback up; the answer goes back. A crash leaves nothing behind: there is no name. */
export async function enterNamespace(): Promise<() => void> {
  const { default: koffi } = await import('koffi');
  const libc = koffi.load(null);
  const unshare: (flags: number) => number = libc.func('int unshare(int flags)');
  const setns: (fd: number, kind: number) => number = libc.func('int setns(int fd, int kind)');
  const home = openSync(OWN, 'r');
  if (unshare(CLONE_NEWNET) !== 0) throw new Error('there is no network namespace to be had');
  run('ip', ['link', 'set', 'lo', 'up']);
  return () => {
    if (setns(home, CLONE_NEWNET) !== 0) throw new Error('there is no way back to the first namespace');
    closeSync(home);
  };
}
