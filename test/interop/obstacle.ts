/** What keeps this machine from running real peers, if anything: said once, so that a skip has its reason. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const PROGRAMS = ['wireguard-go', 'wg', 'tcpdump', 'ip', 'nft', 'python3'];

/** `further`: programs that these tests need besides those of all. */
export function obstacle(further: readonly string[] = []): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root';
  if (!existsSync('/dev/net/tun')) return 'needs /dev/net/tun';
  const missing = [...PROGRAMS, ...further].filter(
    (name) => spawnSync('sh', ['-c', `command -v ${name}`]).status !== 0,
  );
  return missing.length === 0 ? undefined : `needs ${missing.join(', ')}`;
}
