/** Runs the system's own programs (ip, nft, sysctl), and reads from them what a setup needs to know. */
import { spawn } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { type Endpoint, formatIp } from '../../base/address.ts';
import { errorCode } from '../udp.ts';
import type { SystemCommand } from './plan.ts';

/** A command of the setup failed; its own words are in `said`. */
export class SetupError extends Error {
  readonly said: string;

  constructor(message: string, said: string) {
    super(message);
    this.name = 'SetupError';
    this.said = said;
  }
}

const MOST_OUTPUT = 1 << 20;
const STANDARD_ERROR = 2;

/** Where ip, nft and sysctl are, which a plain `su` leaves out. */
const SYSTEM_FOLDERS = ['/usr/sbin', '/sbin'];
const systemPath = (): string => [process.env['PATH'] ?? [], SYSTEM_FOLDERS].flat().join(delimiter);

export const systemEnv = (): NodeJS.ProcessEnv => ({ ...process.env, PATH: systemPath() });

/** What it printed. Rejects with a SetupError. */
export function runCommand({ argv, input, hook }: SystemCommand): Promise<string> {
  const [program = '', ...rest] = argv;
  const shown = hook ?? argv.join(' ');
  // What a hook says is for whoever wrote it. It may leave a program running, whose output nobody waits for.
  const output = hook !== undefined ? STANDARD_ERROR : 'pipe';
  return new Promise((resolve, reject) => {
    const child = spawn(program, rest, { stdio: ['pipe', output, output], env: systemEnv() });
    let out = '';
    let err = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      if (out.length < MOST_OUTPUT) out += text;
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      if (err.length < MOST_OUTPUT) err += text;
    });
    child.on('error', (error) => {
      const missing = errorCode(error) === 'ENOENT';
      reject(new SetupError(missing ? `there is no program ${program}` : `${shown} cannot be run`, error.message));
    });
    child.on('close', (code) => {
      if (code === 0) resolve(out);
      else reject(new SetupError(`${shown} failed (${code ?? 'ended by a signal'})`, err.trim()));
    });
    // A program that ends before it has read its input says why by its exit code.
    child.stdin?.on('error', () => {});
    child.stdin?.end(input ?? '');
  });
}

export async function hasProgram(name: string): Promise<boolean> {
  for (const folder of systemPath().split(delimiter)) {
    try {
      await access(join(folder, name), constants.X_OK);
      return true;
    } catch {}
  }
  return false;
}

const firstTable = 51_820;
const lastTable = 65_535;

/** A routing table that nobody uses, to be the mark as well. */
export async function freeTable(): Promise<number> {
  for (let table = firstTable; table <= lastTable; table++) {
    const used = await Promise.all(
      ['-4', '-6'].map((family) =>
        // ip fails for tables that do not exist
        runCommand({ argv: ['ip', family, 'route', 'show', 'table', `${table}`] }).catch(() => ''),
      ),
    );
    if (used.every((routes) => routes.trim() === '')) return table;
  }
  return firstTable;
}

const DEFAULT_OUTER_MTU = 1500;
/** IPv6 and UDP header, ours, and the tag: what a packet grows by at most. */
export const OVERHEAD_BYTES = 80;

/**
 * Of the interface, bytes. Differs: wg-quick takes the widest of the ways to the endpoints, this the narrowest, since
 * every peer's packets have to get through.
 */
export async function findMtu(endpoints: readonly Endpoint[]): Promise<number> {
  const found = await Promise.all(endpoints.map(({ ip }) => outerMtu(['get', formatIp(ip)], ip.length === 4)));
  const known = found.filter((mtu) => mtu !== undefined);
  const outer = known.length > 0 ? Math.min(...known) : await outerMtu(['show', 'default'], true);
  return (outer ?? DEFAULT_OUTER_MTU) - OVERHEAD_BYTES;
}

async function outerMtu(question: readonly string[], v4: boolean): Promise<number | undefined> {
  try {
    const route = await runCommand({ argv: ['ip', v4 ? '-4' : '-6', 'route', ...question] });
    const own = /\bmtu (?:lock )?(\d+)/.exec(route)?.[1];
    if (own !== undefined) return Number(own);
    const device = /\bdev (\S+)/.exec(route)?.[1];
    if (device === undefined) return undefined;
    const link = await runCommand({ argv: ['ip', 'link', 'show', 'dev', device] });
    const mtu = /\bmtu (\d+)/.exec(link)?.[1];
    // The loopback's is no measure of anything.
    return mtu === undefined || device === 'lo' ? undefined : Number(mtu);
  } catch {
    return undefined;
  }
}
