/** What keeps this machine from running the kernel in a guest and wireguard-go beside it, if anything. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { kernelImage } from '../kernel/image.ts';

const PROGRAMS = ['wireguard-go', 'wg', 'ip', 'taskset', 'setpriv', 'busybox', 'qemu-system-x86_64'];

/** Fetches a kernel where none is installed, since nothing else tells whether there is one to be had. */
export async function lacking(): Promise<string | undefined> {
  if (process.platform !== 'linux' || process.arch !== 'x64') return 'needs Linux on x86-64';
  if (process.getuid?.() !== 0) return 'needs root';
  if (!existsSync('/dev/net/tun')) return 'needs /dev/net/tun';
  const missing = PROGRAMS.filter((name) => spawnSync('sh', ['-c', `command -v ${name}`]).status !== 0);
  if (missing.length > 0) return `needs ${missing.join(', ')}`;
  try {
    await import('koffi');
  } catch {
    return 'needs the package koffi';
  }
  try {
    kernelImage();
  } catch (error) {
    return `needs a kernel to start: ${error instanceof Error ? error.message : error}`;
  }
  return undefined;
}
