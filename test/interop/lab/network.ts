/** The lab's network: client, router and server in namespaces of their own, real peers, captures; all taken down again. */
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { formatQuickFile, formatSetconf, type HostPlan, type PairPlan } from './plan.ts';
import { Background, type BackgroundOptions, run, runLater, sleep } from './shell.ts';

export type Side = 'client' | 'server';
export type Place = 'client' | 'router' | 'server' | 'other';

/** Datagrams, ICMP errors and later fragments: what a reader of the capture needs. */
const FILTER = 'udp or icmp or icmp6 or (ip[6:2] & 0x1fff != 0)';
const SNAPLEN = '262144';
/** Where wireguard-go leaves its control socket; a killed one stays behind. */
const CONTROL = '/var/run/wireguard';
/** Devices inside the namespaces; `c` and `s` face the router, `rc` and `rs` are its two ends. */
const DEVICE = { client: 'c', server: 's' } as const;

export interface PingOptions {
  readonly count?: number;
  readonly interval?: number;
  readonly size?: number;
  /** Start at this moment (seconds of the epoch), so that two sides can begin at once. */
  readonly at?: number;
}

export interface Impairment {
  readonly up?: number;
  readonly down?: number;
  readonly jitter?: number;
  /** `LENGTH:OFFSET:MASK`: XOR one byte of UDP payloads of this length. */
  readonly flip?: string;
}

export class Lab {
  readonly folder: string;
  private readonly tag: string;
  private readonly namespaces: string[] = [];
  private readonly programs: Background[] = [];
  private readonly captures = new Map<string, Background>();
  private readonly daemons = new Map<Side, Background>();
  private readonly plans = new Map<Side, HostPlan>();

  /** `tag` keeps labs that run side by side apart: a few letters or digits. */
  constructor(tag: string, folder: string) {
    this.tag = tag;
    this.folder = folder;
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
  }

  build(): void {
    for (const place of ['client', 'router', 'server'] as const) this.addNamespace(place);
    this.link('client', 'c', 'router', 'rc');
    this.link('server', 's', 'router', 'rs');
    this.address('client', 'c', '10.99.1.2/24');
    this.address('router', 'rc', '10.99.1.1/24');
    this.address('router', 'rs', '203.0.113.1/24');
    this.address('server', 's', '203.0.113.10/24');
    this.exec('client', 'ip', 'route', 'add', 'default', 'via', '10.99.1.1');
    this.exec('server', 'ip', 'route', 'add', 'default', 'via', '203.0.113.1');
    this.sysctl('router', 'net.ipv4.ip_forward', 1);
  }

  namespace(place: Place): string {
    return `ww-${this.tag}-${place}`;
  }

  addNamespace(place: Place): void {
    const name = this.namespace(place);
    run('ip', ['netns', 'add', name]);
    this.namespaces.push(name);
    this.sysctl(place, 'net.ipv6.conf.all.disable_ipv6', 1);
    this.sysctl(place, 'net.ipv6.conf.default.disable_ipv6', 1);
    this.exec(place, 'ip', 'link', 'set', 'lo', 'up');
  }

  link(one: Place, oneDevice: string, two: Place, twoDevice: string): void {
    const ends = [
      'netns',
      this.namespace(one),
      'type',
      'veth',
      'peer',
      'name',
      twoDevice,
      'netns',
      this.namespace(two),
    ];
    run('ip', ['link', 'add', oneDevice, ...ends]);
    this.exec(one, 'ip', 'link', 'set', oneDevice, 'up');
    this.exec(two, 'ip', 'link', 'set', twoDevice, 'up');
  }

  /** A further machine behind a leg of its own on the router, 10.99.2.2. */
  addMachine(): void {
    this.addNamespace('other');
    this.link('other', 'o', 'router', 'ro');
    this.address('router', 'ro', '10.99.2.1/24');
    this.address('other', 'o', '10.99.2.2/24');
    this.exec('other', 'ip', 'route', 'add', 'default', 'via', '10.99.2.1');
  }

  /** Gives all three an IPv6 address: the client 2001:db8:1::2, the server 2001:db8:2::10. */
  addIpv6(): void {
    for (const place of ['client', 'router', 'server'] as const) {
      this.sysctl(place, 'net.ipv6.conf.default.disable_ipv6', 0);
      this.sysctl(place, 'net.ipv6.conf.all.disable_ipv6', 0);
    }
    this.sysctl('router', 'net.ipv6.conf.all.forwarding', 1);
    this.address('client', 'c', '2001:db8:1::2/64');
    this.address('router', 'rc', '2001:db8:1::1/64');
    this.address('router', 'rs', '2001:db8:2::1/64');
    this.address('server', 's', '2001:db8:2::10/64');
    this.exec('client', 'ip', 'route', 'add', 'default', 'via', '2001:db8:1::1');
    this.exec('server', 'ip', 'route', 'add', 'default', 'via', '2001:db8:2::1');
  }

  address(place: Place, device: string, address: string): void {
    const flags = address.includes(':') ? ['nodad'] : [];
    this.exec(place, 'ip', 'addr', 'add', address, 'dev', device, ...flags);
  }

  sysctl(place: Place, name: string, value: number): void {
    this.exec(place, 'sysctl', '-q', '-w', `${name}=${value}`);
  }

  exec(place: Place, ...command: readonly string[]): string {
    return run('ip', ['netns', 'exec', this.namespace(place), ...command]);
  }

  /** As {@link exec}, while everything else goes on. */
  execLater(place: Place, ...command: readonly string[]): Promise<string> {
    return runLater('ip', ['netns', 'exec', this.namespace(place), ...command]);
  }

  /** What names are there from now on; programs that run already see it if there was such a file when they began. */
  hosts(place: Place, text: string): void {
    const folder = join('/etc/netns', this.namespace(place));
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'hosts'), text);
  }

  /** Loads a ruleset; the text stands in one table of its own, replaced as a whole. */
  nft(place: Place, chains: string, family = 'ip'): void {
    const table = `table ${family} lab`;
    const text = `${table} {}\ndelete ${table}\n${table} {\n${chains}\n}\n`;
    this.exec(place, 'nft', '-f', this.note('nft', text));
  }

  /** Drops what `match` names on its way through the router; no argument lifts it. */
  routerDrops(match?: string): void {
    const rule = match === undefined ? '' : `${match} drop`;
    this.nft('router', `chain forward { type filter hook forward priority 0; ${rule}\n}`);
  }

  masquerade(to = 'masquerade'): void {
    this.nft('router', `chain nat { type nat hook postrouting priority 100; oifname "rs" meta l4proto udp ${to}\n}`);
  }

  spawn(place: Place, command: readonly string[], output?: string | BackgroundOptions['heard']): Background {
    const args = ['netns', 'exec', this.namespace(place), ...command];
    const options = typeof output === 'string' ? { log: output } : output === undefined ? {} : { heard: output };
    const program = new Background('ip', args, options);
    this.programs.push(program);
    return program;
  }

  python(place: Place, script: string, ...args: readonly string[]): Background {
    return this.spawn(place, ['python3', helper(script), ...args], join(this.folder, '.helpers.log'));
  }

  async capture(place: Place, device: string, name: string): Promise<void> {
    const log = join(this.folder, `.tcpdump-${name}.log`);
    const file = join(this.folder, `${name}.pcap`);
    const options = ['-n', '-U', '--immediate-mode', '-Z', 'root', '-s', SNAPLEN, '-i', device, '-w', file, FILTER];
    this.captures.set(name, this.spawn(place, ['tcpdump', ...options], log));
    await until(
      `the capture on ${device}`,
      () => existsSync(log) && readFileSync(log, 'utf8').includes('listening on'),
    );
  }

  /** Writes both configurations. */
  configure(pair: PairPlan): void {
    for (const side of ['client', 'server'] as const) {
      this.plans.set(side, pair[side]);
      writeFileSync(join(this.folder, `${side}.conf`), formatQuickFile(pair[side]));
    }
  }

  /** Writes both configurations, begins both captures and brings the peers up. */
  async start(pair: PairPlan, up: readonly Side[] = ['server', 'client']): Promise<void> {
    this.configure(pair);
    for (const side of ['client', 'server'] as const) await this.capture(side, DEVICE[side], side);
    for (const side of up) await this.up(side);
  }

  async up(side: Side): Promise<void> {
    const plan = this.plans.get(side);
    if (plan === undefined) throw new Error(`no configuration for the ${side}`);
    this.daemons.set(side, await this.tunnel(side, this.device(side), plan, join(this.folder, `${side}.log`)));
  }

  /** One wireguard-go with its addresses and routes, in any namespace. */
  private async tunnel(place: Place, device: string, plan: HostPlan, log: string): Promise<Background> {
    const args = ['netns', 'exec', this.namespace(place), 'wireguard-go', '-f', device];
    const before = existsSync(log) ? statSync(log).size : 0;
    const daemon = new Background('ip', args, { log, env: { LOG_LEVEL: 'verbose' } });
    this.programs.push(daemon);
    // Not by asking: wg removes a control socket that does not listen yet, and wireguard-go ends when its own is gone.
    const said = (): string => readFileSync(log).subarray(before).toString();
    await until(
      `wireguard-go on ${device}`,
      () => !daemon.running || (existsSync(log) && said().includes('UAPI listener started')),
    );
    if (!daemon.running) throw new Error(`wireguard-go on ${device} has ended: ${said().slice(-500)}`);
    this.exec(place, 'wg', 'setconf', device, this.note('setconf', formatSetconf(plan)));
    for (const address of plan.address.split(/, */)) this.exec(place, 'ip', 'addr', 'add', address, 'dev', device);
    this.exec(place, 'ip', 'link', 'set', 'mtu', String(plan.mtu), 'up', 'dev', device);
    for (const range of new Set(plan.peers.flatMap((peer) => peer.allowedIps.split(/, */)))) {
      this.exec(place, 'ip', 'route', 'replace', range, 'dev', device);
    }
    return daemon;
  }

  async endCapture(name: string): Promise<void> {
    await this.captures.get(name)?.stop('SIGINT');
    this.captures.delete(name);
  }

  /** A further peer in another namespace; it stops with the lab. */
  second(place: Place, plan: HostPlan): Promise<Background> {
    return this.tunnel(place, `wwo${this.tag}`, plan, join(this.folder, '.second.log'));
  }

  /** Gives a running peer another configuration, and the folder with it. */
  reconfigure(side: Side, plan: HostPlan): void {
    writeFileSync(join(this.folder, `${side}.conf`), formatQuickFile(plan));
    this.exec(side, 'wg', 'setconf', this.device(side), this.note('setconf', formatSetconf(plan)));
  }

  /** As a crash would end it: nothing is said to the other side. */
  async kill(side: Side): Promise<void> {
    await this.daemons.get(side)?.stop('SIGKILL');
    this.daemons.delete(side);
    await until('its interface to be gone', () => !this.succeeds(side, 'ip', 'link', 'show', 'dev', this.device(side)));
  }

  /** Starts pinging from one place; `ended` resolves a second after the last one. */
  ping(from: Place, target: string, options: PingOptions = {}): Background {
    const { count = 1, interval = 1, size = 56, at = 0 } = options;
    const args = ['--count', `${count}`, '--interval', `${interval}`, '--size', `${size}`, '--at', `${at}`];
    return this.python(from, 'ping.py', target, ...args);
  }

  /** Whether anything comes back, as soon as it does. */
  async reaches(from: Place, target: string, withinSec = 5): Promise<boolean> {
    const options = ['--first', '--interval', '0.2', '--count', `${withinSec * 5}`];
    const said = await this.execLater(from, 'python3', helper('ping.py'), target, ...options);
    return / 1 answered/.test(said);
  }

  /** Puts a bad line in the router's way: every forwarded packet passes it once. */
  async impair({ up = 0, down = 0, jitter = 0, flip }: Impairment): Promise<void> {
    const delays = ['--up', `${up}`, '--down', `${down}`, '--jitter', `${jitter}`];
    const flips = flip === undefined ? [] : ['--flip', flip];
    this.python('router', 'impair.py', 'bad', '203.0.113.', ...delays, ...flips);
    await until('the bad line', () => this.succeeds('router', 'ip', 'link', 'set', 'bad', 'up'));
    for (const device of ['rc', 'rs']) this.exec('router', 'ip', 'rule', 'add', 'iif', device, 'lookup', '100');
    this.exec('router', 'ip', 'route', 'add', 'default', 'dev', 'bad', 'table', '100');
  }

  /** Notes what `wg show` says, ends the captures and then the peers. */
  async finish(): Promise<void> {
    for (const side of this.daemons.keys()) {
      writeFileSync(join(this.folder, `wg-show-${side}.txt`), this.exec(side, 'wg', 'show', this.device(side), 'dump'));
    }
    for (const name of [...this.captures.keys()]) await this.endCapture(name);
    for (const daemon of this.daemons.values()) await daemon.stop();
    for (const side of ['client', 'server'] as const)
      this.plainNames(join(this.folder, `${side}.log`), this.device(side));
  }

  async close(): Promise<void> {
    for (const program of this.programs) await program.stop();
    for (const letter of 'cso') rmSync(join(CONTROL, `ww${letter}${this.tag}.sock`), { force: true });
    this.removeNamespaces();
  }

  /** For the way out of the process. */
  abandon(): void {
    for (const program of this.programs) program.abandon();
    this.removeNamespaces();
  }

  private removeNamespaces(): void {
    for (const name of this.namespaces.splice(0)) {
      run('ip', ['netns', 'del', name]);
      rmSync(join('/etc/netns', name), { recursive: true, force: true });
    }
  }

  /** wireguard-go's control sockets share one folder, so its devices need names of their own. */
  device(side: Side): string {
    return `ww${side.charAt(0)}${this.tag}`;
  }

  /** A file for programs that take no standard input from a socket. */
  private note(name: string, text: string): string {
    const file = join(this.folder, `.${name}`);
    writeFileSync(file, text);
    return file;
  }

  private plainNames(log: string, device: string): void {
    if (existsSync(log))
      writeFileSync(log, readFileSync(log, 'utf8').replaceAll(`(${device})`, `(wg${device.charAt(2)})`));
  }

  private succeeds(place: Place, ...command: readonly string[]): boolean {
    try {
      this.exec(place, ...command);
      return true;
    } catch {
      return false;
    }
  }
}

/** The scripts stand beside this file; a compiled copy finds them from the project's root. */
function helper(name: string): string {
  const beside = fileURLToPath(new URL(name, import.meta.url));
  return existsSync(beside) ? beside : join('test', 'interop', 'lab', name);
}

/** Half a minute and more: what is only slow must not fail, and what never holds is seldom. */
const ATTEMPTS = 600;

export async function until(what: string, holds: () => boolean): Promise<void> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (holds()) return;
    await sleep(0.05);
  }
  throw new Error(`the lab waited in vain for ${what}`);
}
