/** Debian's kernel with its WireGuard module: the installed one, or one fetched into a cache without installing it. */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { run } from '../lab/shell.ts';

export interface KernelImage {
  readonly kernel: string;
  /** The folder of its modules. */
  readonly modules: string;
}

const PACKAGE = 'linux-image-cloud-amd64';
const CACHE = join('node_modules', '.cache', 'wgwhy', 'kernel');
const WIREGUARD = join('kernel', 'drivers', 'net', 'wireguard', 'wireguard.ko');

/** The newest whose modules are there, below any root: `/`, or where a package was unpacked. */
function findBelow(root: string): KernelImage | undefined {
  const boot = join(root, 'boot');
  if (!existsSync(boot)) return undefined;
  const versions = readdirSync(boot)
    .filter((name) => name.startsWith('vmlinuz-'))
    .map((name) => name.slice('vmlinuz-'.length));
  return versions
    .sort((one, two) => two.localeCompare(one, 'en', { numeric: true }))
    .map((version) => ({
      kernel: join(boot, `vmlinuz-${version}`),
      modules: join(root, 'lib', 'modules', version),
    }))
    .find(({ modules }) => existsSync(join(modules, WIREGUARD)));
}

function download(name: string, folder: string): void {
  // apt's own user may not read here; what is public needs no sandbox
  const options = ['-qq', '-o', 'APT::Sandbox::User=root', '-o', 'Acquire::http::Timeout=20'];
  try {
    run('sh', ['-c', 'cd "$1" && shift && apt-get "$@"', 'sh', folder, ...options, 'download', name], '', 120_000);
  } catch (error) {
    const said = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : '';
    throw new Error(`apt-get brings no ${name}: ${said.split('\n').at(-1) || error}`);
  }
}

/** Needs package lists that are up to date (`apt-get update`), and is a matter of seconds. */
function fetchBelow(root: string): void {
  const depends = run('apt-cache', ['depends', PACKAGE]);
  const name = /Depends: (linux-image-[0-9]\S*)/.exec(depends)?.[1];
  if (name === undefined) throw new Error(`${PACKAGE} names no kernel`);
  const folder = `${root}.new-${process.pid}`;
  mkdirSync(folder, { recursive: true });
  try {
    download(name, folder);
    const file = readdirSync(folder).find((one) => one.endsWith('.deb'));
    if (file === undefined) throw new Error(`apt-get brought no ${name}`);
    run('dpkg', ['-x', join(folder, file), folder]);
    rmSync(join(folder, file));
    rmSync(root, { recursive: true, force: true });
    renameSync(folder, root);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Throws where there is none to be had. */
export function kernelImage(root = '/', cache = CACHE): KernelImage {
  const there = findBelow(root) ?? findBelow(cache);
  if (there !== undefined) return there;
  fetchBelow(cache);
  const fetched = findBelow(cache);
  if (fetched === undefined) throw new Error(`${PACKAGE} has no kernel with wireguard.ko in it`);
  return fetched;
}

/** Modules by their names, which dashes and underscores do not tell apart. */
const plainName = (path: string): string => basename(path, '.ko').replaceAll('-', '_');

function modulePaths(folder: string): Map<string, string> {
  const paths = readdirSync(join(folder, 'kernel'), { recursive: true, encoding: 'utf8' });
  const modules = paths.filter((path) => path.endsWith('.ko'));
  return new Map(modules.map((path) => [plainName(path), join(folder, 'kernel', path)]));
}

/** What `modprobe` would load for these and in which order; a module itself says what it depends on, an index need not be there. */
export function withDependencies(folder: string, names: readonly string[]): string[] {
  const paths = modulePaths(folder);
  const order = new Map<string, string>();
  const add = (name: string): void => {
    const path = paths.get(name);
    if (path === undefined) throw new Error(`there is no kernel module ${name}`);
    if (order.has(name)) return;
    const depends = /\0depends=([^\0]*)\0/.exec(readFileSync(path, 'latin1'))?.[1] ?? '';
    for (const one of depends.split(',')) if (one !== '') add(one.replaceAll('-', '_'));
    order.set(name, path);
  };
  for (const name of names) add(name);
  return [...order.values()];
}
