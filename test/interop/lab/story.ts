/** One lab with `wgwhy up` at one side and wireguard-go at the other, and what can be asked of them. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Lab, Side } from './network.ts';
import { formatQuickFile, freshPair, type HostPlan, newPresharedKey, type PairPlan, type PeerPlan } from './plan.ts';
import { Wgwhy } from './wgwhy.ts';

export const INSIDE = { client: ['10.66.66.2', 'fd66::2'], server: ['10.66.66.1', 'fd66::1'] } as const;
const OUTSIDE = { 4: '203.0.113.10:51820', 6: '[2001:db8:2::10]:51820' } as const;

export type Outer = keyof typeof OUTSIDE;

/** Both families inside, one of them outside. */
export function dualPair(outer: Outer = 4): PairPlan {
  const presharedKey = newPresharedKey();
  return freshPair({
    client: { address: '10.66.66.2/24, fd66::2/64' },
    server: { address: '10.66.66.1/24, fd66::1/64' },
    clientPeer: { presharedKey, endpoint: OUTSIDE[outer], allowedIps: '10.66.66.0/24, fd66::/64' },
    serverPeer: { presharedKey, allowedIps: '10.66.66.2/32, fd66::2/128' },
  });
}

/** What a tunnel may leave behind on a machine. */
const TRACES: readonly (readonly string[])[] = [
  ['ip', '-o', 'link'],
  ['ip', '-4', 'rule'],
  ['ip', '-6', 'rule'],
  ['ip', '-4', 'route', 'show', 'table', 'all'],
  ['ip', '-6', 'route', 'show', 'table', 'all'],
  ['nft', 'list', 'ruleset'],
];
/** Addresses that the system gives itself, a while after an interface came up. */
const OWN_ACCORD = /\bf[ef][0-9a-f]{2}:/;

export class Story {
  readonly lab: Lab;
  readonly pair: PairPlan;
  readonly ours: Side;
  readonly theirs: Side;
  /** Of our interface. */
  readonly name: string;
  readonly conf: string;
  readonly #before: ReadonlySet<string>;
  readonly #runs: Wgwhy[] = [];

  /** The network is there, and nobody speaks WireGuard yet. */
  constructor(lab: Lab, ours: Side, pair: PairPlan) {
    this.lab = lab;
    this.pair = pair;
    this.ours = ours;
    this.theirs = ours === 'client' ? 'server' : 'client';
    lab.build();
    lab.addIpv6();
    lab.configure(pair);
    this.name = lab.device(ours);
    this.conf = this.write(`${this.name}.conf`);
    this.#before = new Set(this.#traces());
  }

  file(name: string): string {
    return join(this.lab.folder, name);
  }

  /** Our configuration, with changes and with more lines in `[Interface]`. */
  write(name: string, change: Partial<HostPlan> = {}, more: readonly string[] = []): string {
    const [first = '', ...rest] = formatQuickFile({ ...this.pair[this.ours], ...change }).split('\n');
    writeFileSync(this.file(name), [first, ...more, ...rest].join('\n'), { mode: 0o600 });
    return this.file(name);
  }

  /** Our only peer, changed. */
  peer(change: Partial<PeerPlan>): Partial<HostPlan> {
    return { peers: this.pair[this.ours].peers.map((peer) => ({ ...peer, ...change })) };
  }

  async up(conf = this.conf, ...flags: readonly string[]): Promise<Wgwhy> {
    const wgwhy = this.begin(conf, '--interface', this.name, ...flags);
    await wgwhy.isUp();
    return wgwhy;
  }

  /** The same without waiting for what becomes of it. */
  begin(...argv: readonly string[]): Wgwhy {
    const wgwhy = new Wgwhy(this.lab, this.ours, argv);
    this.#runs.push(wgwhy);
    return wgwhy;
  }

  /** Pings the other end, in both families, until something comes back. */
  async pings(from: Side): Promise<void> {
    const to = INSIDE[from === 'client' ? 'server' : 'client'];
    const came = await Promise.all(to.map((address) => this.lab.reaches(from, address, 10)));
    to.forEach((address, i) => {
      if (came[i] !== true) throw new Error(`the ${from} does not reach ${address}`);
    });
  }

  /** What is on our machine that was not there in the beginning. */
  left(): string[] {
    return this.#traces().filter((line) => !this.#before.has(line));
  }

  #traces(): string[] {
    const lines = TRACES.flatMap((command) => this.lab.exec(this.ours, ...command).split('\n'));
    return lines.map((line) => line.trim()).filter((line) => line !== '' && !OWN_ACCORD.test(line));
  }

  /** All that ours said, for who has to find out why a test failed. */
  get told(): string {
    return this.#runs.flatMap(({ stdout, stderr }) => ['out:', ...stdout.lines, 'err:', ...stderr.lines]).join('\n');
  }
}
