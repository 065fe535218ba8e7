/** `wgwhy up`: the tunnel itself, with an interface of this machine, and every drop explained as it happens. */

import { basename } from 'node:path';
import type { Command } from 'commander';
import { toBase64 } from '../../base/base64.ts';
import { publicKey, shortKey } from '../../base/keys.ts';
import type { Problem } from '../../base/problem.ts';
import { formatTime } from '../../base/time.ts';
import type { WgConf } from '../../config/wg-conf.ts';
import { readKeyFile } from '../../io/conf-files.ts';
import { isInterfaceName, TunError } from '../../io/linux/tun.ts';
import { TunnelError } from '../../io/tunnel.ts';
import { UdpError } from '../../io/udp.ts';
import { SetupError } from '../../io/up/system.ts';
import type { Up, UpOptions } from '../../io/up/up.ts';
import { sanitise } from '../../report/text-wrap.ts';
import type { PeerName } from '../drop-words.ts';
import { type Environment, EXIT, type ExitCode, UsageError } from '../environment.ts';
import { problemText } from '../problem-text.ts';
import { UpLines } from '../up-lines.ts';
import { peerLine } from '../up-text.ts';

interface Flags {
  readonly interface?: string;
  readonly keyLog?: string;
  readonly pcap?: string;
  readonly hooks?: true;
  readonly status: string;
}

const HELP = `
Linux, as root, with the package koffi beside wgwhy. CONF is a wg-quick file; its addresses, MTU, routes and DNS are set
as wg-quick sets them, and taken back when the command ends, also when it is killed. Ctrl-C ends it; if a hook hangs then,
a second Ctrl-C ends it at once.

On standard output: what happens to each peer, and a status line per peer every minute in which something changed.
On standard error: every message and packet that was dropped, and why. "wg show NAME" and "wg set NAME" work on it.

Examples:
  wgwhy up /etc/wireguard/wg0.conf
  wgwhy up wg0.conf --interface wgtest --pcap outer.pcapng --key-log keys.txt
  wgwhy diagnose outer.pcapng keys.txt wg0.conf      # afterwards: everything opens`;

const MOST_STATUS_SEC = 86_400;

export function addUpCommand(program: Command, environment: Environment, done: (code: ExitCode) => void): void {
  program
    .command('up')
    .description('run the tunnel of a configuration, and explain every drop as it happens')
    .argument('<conf>', 'the wg-quick configuration')
    .option('--interface <NAME>', 'name of the interface (default: that of the file)')
    .option('--key-log <FILE>', 'append the keys of each handshake, as Wireshark and wgwhy read them')
    .option('--pcap <FILE>', 'write the outer packets, as pcapng')
    .option('--hooks', 'run PreUp, PostUp, PreDown and PostDown of the configuration')
    .option('--status <SECONDS>', 'how often the status is printed, 0 for never', '60')
    .addHelpText('after', HELP)
    .action(async (path: string, flags: Flags) => {
      done(await runUp(environment, path, flags));
    });
}

async function runUp(environment: Environment, path: string, flags: Flags): Promise<ExitCode> {
  const { live, stdout, stderr, rules } = environment;
  const everySec = statusOf(flags.status);
  const { conf, name, notes } = await read(path, flags.interface, stderr);
  const names = peerNames(conf);
  const stamp = (line: string): string => `${formatTime(live.clock.now().wall).slice(11, 19)} ${sanitise(line)}\n`;
  const out = (line: string): unknown => stdout.write(stamp(line));
  const err = (line: string): unknown => stderr.write(line.startsWith(' ') ? `${sanitise(line)}\n` : stamp(line));
  const pages = new Set(rules.map((rule) => rule.name));
  const lines = new UpLines({
    now: () => live.clock.now(),
    name: names,
    out,
    err,
    hasPage: (finding) => pages.has(finding),
  });
  for (const note of notes) lines.note(note);

  let goes: (why: string) => void = () => {};
  // What ends the process counts from here on: whatever is set up must be taken back.
  const gone = new Promise<string>((resolve) => (goes = resolve));
  const ended = Promise.race([live.untilSignal(), gone]);
  const callOffWait = tellWait(environment, conf, (text) => lines.note(text));
  const up = await started(environment, {
    conf,
    name,
    clock: live.clock,
    lookUp: live.lookUp,
    ...(flags.hooks === undefined ? {} : { hooks: flags.hooks }),
    ...(flags.keyLog === undefined ? {} : { keyLog: flags.keyLog }),
    ...(flags.pcap === undefined ? {} : { pcap: flags.pcap }),
    ...lines.handlers,
    onGone: (why) => goes(why),
  }).finally(callOffWait);
  out(`${up.name} is up: UDP port ${up.port}, MTU ${up.mtu}, ${count(up.status().length, 'peer')}`);

  const status = new StatusLines(up, names, environment, out);
  const callOff = every(environment, everySec * 1000, () => status.print());
  const callOffFlush = every(environment, FLUSH_MS, () => lines.flush());
  const signal = await ended;
  callOff();
  callOffFlush();
  lines.flush(true);
  status.print();
  await up.close();
  out(`${up.name} is down (${signal})`);
  return EXIT.fine;
}

/** Between two looks at what was only counted. */
const FLUSH_MS = 2000;
const count = (n: number, one: string): string => `${n} ${one}${n === 1 ? '' : 's'}`;

function statusOf(text: string): number {
  const sec = /^[0-9]{1,5}$/.test(text) ? Number(text) : -1;
  if (sec >= 0 && sec <= MOST_STATUS_SEC) return sec;
  throw new UsageError(`--status takes seconds, from 0 (never) to ${MOST_STATUS_SEC}`);
}

async function read(
  path: string,
  wanted: string | undefined,
  stderr: Environment['stderr'],
): Promise<{ readonly conf: WgConf; readonly name: string; readonly notes: readonly string[] }> {
  const { conf, problems, kind, isPublic } = await readKeyFile(path);
  if (conf === undefined) throw new UsageError(`${path} is not a WireGuard configuration`, `it looks like: ${kind}`);
  const said = ({ line = 1, message, hint }: Problem): string => sanitise(problemText(path, { line, message, hint }));
  // a tunnel that lacks one of its networks would let that traffic out in the clear: wg-quick refuses as well
  const broken = problems.filter(({ remark }) => remark !== true);
  if (broken.length > 0) throw new UsageError(`${path} cannot be used as it stands`, ...broken.map(said));
  for (const problem of problems) stderr.write(`${said(problem)}\n`);
  if (conf.interface.privateKey === undefined) throw new UsageError(`${path} has no PrivateKey that can be used`);
  const name = wanted ?? basename(path).replace(/\.conf$/, '');
  if (!isInterfaceName(name)) {
    throw new UsageError(
      `"${name}" cannot be the name of an interface`,
      'it has up to 15 letters, digits and _ = + . -; give one with --interface',
    );
  }
  const notes = [
    ...(isPublic ? [`everybody on this machine can read ${path} and the private key in it: chmod 600 ${path}`] : []),
  ];
  return { conf, name, notes };
}

/** `peer 45CVYd…zlU= (laptop)` */
function peerNames({ peers }: WgConf): PeerName {
  const names = new Map(
    peers.flatMap(({ publicKey: key, comment }) =>
      key === undefined || comment === undefined ? [] : [[toBase64(key.value), comment] as const],
    ),
  );
  return (id) => {
    const comment = names.get(id);
    const key = shortKey(publicKey(Uint8Array.from(atob(id), (c) => c.charCodeAt(0))));
    return `peer ${key}${comment === undefined ? '' : ` (${comment})`}`;
  };
}

const TUN_HINTS: Readonly<Record<string, readonly string[]>> = {
  EPERM: ['run it as root'],
  EACCES: ['run it as root'],
  EBUSY: ['wg show tells whether it is this very tunnel; otherwise give another name with --interface'],
  ENOENT: ['load the module: modprobe tun; a container needs --device /dev/net/tun'],
};

/** A name that nobody answers for takes its time before the tunnel can come up, and nothing else would be seen of it. */
const LONG_WAIT_MS = 2000;

function tellWait({ live }: Environment, { peers }: WgConf, tell: (text: string) => void): () => void {
  const hosts = peers.flatMap(({ endpoint }) => (endpoint?.value.ip === undefined ? (endpoint?.value.host ?? []) : []));
  if (hosts.length === 0) return () => {};
  const text = `looking up ${[...new Set(hosts)].join(', ')}`;
  return live.clock.at(live.clock.now().monoMs + LONG_WAIT_MS, () => tell(text));
}

/** What the machine refuses, in words. */
async function started(
  { live }: Environment,
  options: UpOptions,
): Promise<Pick<Up, 'name' | 'port' | 'mtu' | 'status' | 'close'>> {
  try {
    return await live.bringUp(options);
  } catch (error) {
    if (error instanceof SetupError) throw new UsageError(error.message, ...(error.said === '' ? [] : [error.said]));
    if (error instanceof TunError) throw new UsageError(error.message, ...(TUN_HINTS[error.code] ?? []));
    if (error instanceof UdpError) {
      const taken = error.code === 'EADDRINUSE' ? ['another program, or the kernel, listens there: ss -ulnp'] : [];
      throw new UsageError(error.message, ...taken);
    }
    if (error instanceof TunnelError) throw new UsageError(error.message);
    throw error;
  }
}

function every({ live }: Environment, ms: number, run: () => void): () => void {
  if (ms === 0) return () => {};
  let callOff: () => void;
  const arm = (): void => {
    callOff = live.clock.at(live.clock.now().monoMs + ms, () => {
      run();
      arm();
    });
  };
  arm();
  return () => callOff();
}

/** One line a peer, and only for peers of which something has changed. */
class StatusLines {
  readonly #up: Pick<Up, 'status'>;
  readonly #names: PeerName;
  readonly #environment: Environment;
  readonly #out: (line: string) => unknown;
  readonly #printed = new Map<string, number>();

  constructor(up: Pick<Up, 'status'>, names: PeerName, environment: Environment, out: (line: string) => unknown) {
    this.#up = up;
    this.#names = names;
    this.#environment = environment;
    this.#out = out;
  }

  print(): void {
    for (const peer of this.#up.status()) {
      const bytes = peer.receivedBytes + peer.sentBytes;
      if (this.#printed.get(peer.id) === bytes) continue;
      this.#printed.set(peer.id, bytes);
      this.#out(peerLine(this.#names(peer.id), peer, this.#environment.live.clock.now()));
    }
  }
}
