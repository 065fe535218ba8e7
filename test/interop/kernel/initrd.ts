/** What the guest starts from: busybox, wg, the modules and a script, in one archive. */
import { readFileSync, realpathSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { type Bytes, utf8 } from '../../../src/base/bytes.ts';
import { run } from '../lab/shell.ts';
import { archive, type Entry } from './archive.ts';
import { withDependencies } from './image.ts';

/** As they are loaded, with all that they depend on. */
const MODULES = ['virtio_pci', 'virtio_net', 'wireguard'];

export interface GuestNetwork {
  /** With its prefix length. */
  readonly address: string;
}

/**
 * The kernel's log goes to the first serial port by itself. On the second this shell takes a line for a command and ends
 * what it writes with 0x01 and the status. Reading of a pipe that a command left open must not wait: each gets no input.
 */
const script = ({ address }: GuestNetwork): string => `#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t devtmpfs none /dev
mount -t proc none /proc
mount -t sysfs none /sys
mount -t debugfs none /sys/kernel/debug
for module in $(cat /modules/order); do insmod /modules/$module; done
echo 'module wireguard +p' > /sys/kernel/debug/dynamic_debug/control
echo 0 > /proc/sys/net/core/message_cost
ip link set lo up
ip addr add ${address} dev eth0
ip link set eth0 up
stty -F /dev/ttyS1 115200 raw -echo
exec 3<>/dev/ttyS1
printf '\\001ready\\n' >&3
while IFS= read -r line <&3; do
  eval "$line" </dev/null >&3 2>&1
  printf '\\001%s\\n' $? >&3
done
poweroff -f
`;

/** The program and what it is linked to, each where the loader looks for it. */
function program(path: string): Entry[] {
  let linked = '';
  try {
    linked = run('ldd', [path]);
  } catch {
    // a static one
  }
  const libraries = [...linked.matchAll(/(\/\S+) \(0x/g)].map(([, library = '']) => library);
  return [
    { name: `bin/${basename(path)}`, content: readFileSync(realpathSync(path)), executable: true },
    ...libraries.map((library) => ({
      name: library.slice(1),
      content: readFileSync(realpathSync(library)),
      executable: true,
    })),
  ];
}

function withFolders(files: readonly Entry[]): Entry[] {
  const folders = new Set<string>();
  const add = (name: string): void => {
    const folder = dirname(name);
    if (folder === '.' || folders.has(folder)) return;
    add(folder);
    folders.add(folder);
  };
  for (const { name } of files) add(name);
  return [...[...folders, 'dev', 'proc', 'sys', 'tmp', 'run'].map((name) => ({ name })), ...files];
}

const which = (name: string): string => run('sh', ['-c', 'command -v "$1"', 'sh', name]).trim();

export function initrd(modules: string, network: GuestNetwork): Bytes {
  const paths = withDependencies(modules, MODULES);
  const files: Entry[] = [
    { name: 'init', content: utf8(script(network)), executable: true },
    ...program(which('busybox')),
    ...program(which('wg')),
    { name: 'modules/order', content: utf8(`${paths.map((path) => basename(path)).join('\n')}\n`) },
    ...paths.map((path) => ({ name: `modules/${basename(path)}`, content: readFileSync(path) })),
  ];
  const once = new Map(files.map((file) => [file.name, file]));
  return archive(withFolders([...once.values()]));
}
