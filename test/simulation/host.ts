/** A machine with a device on it: its clocks, its address, its tcpdump, and somebody who checks each step. */
import { type Endpoint, type IpBytes, type Prefix, parsePrefix } from '../../src/base/address.ts';
import { toBase64 } from '../../src/base/base64.ts';
import type { Bytes } from '../../src/base/bytes.ts';
import type { PresharedKey, PrivateKey, PublicKey } from '../../src/base/keys.ts';
import { addNs, type Now, type Time } from '../../src/base/time.ts';
import { nodeCrypto } from '../../src/crypto/node.ts';
import { fastestOnNode } from '../../src/io/fastest-crypto.ts';
import { Device } from '../../src/wg/device.ts';
import type { DropKind, PeerId } from '../../src/wg/drop.ts';
import { LINUX, type Policy } from '../../src/wg/policy.ts';
import type { Effect, Input, Step } from '../../src/wg/step.ts';
import type { Chance } from './chance.ts';
import type { NatPlan, Network, Station } from './network.ts';
import type { EventQueue } from './queue.ts';
import type { Recorder } from './recorder.ts';
import { RuleBook } from './rule-book.ts';

export interface PeerPlan {
  readonly name: string;
  readonly publicKey: PublicKey;
  readonly endpoint: Endpoint | undefined;
  readonly psk: PresharedKey | undefined;
  /** Seconds. */
  readonly keepalive: number;
  readonly allowedIps: readonly string[];
}

export interface HostPlan {
  readonly name: string;
  readonly secret: PrivateKey;
  readonly inner: readonly IpBytes[];
  readonly address: Endpoint;
  readonly nat: NatPlan | undefined;
  /** Time of day when the simulation begins. */
  readonly epoch: Time;
  readonly peers: readonly PeerPlan[];
  /** The kernel's unless told: what is checked is the kernel's. */
  readonly policy?: Policy;
}

export interface HostWorld {
  readonly queue: EventQueue;
  readonly network: Network;
  readonly recorder: Recorder;
  readonly chance: Chance;
  /** Of the host's. */
  fault(text: string): void;
  /** An inner packet came out: from which peer, and what. */
  delivered(host: Host, peer: PeerId, packet: Bytes): void;
}

const OWN_TTL = 64;
/** The kernel begins to answer with cookies at 512. */
export const UNDER_LOAD = 600;
/** Two handshakes and three sessions of a peer. */
const INDICES_PER_PEER = 5;
/** Every so many steps the device's own account is compared, and ticks come that nobody asked for. */
const SAMPLE = 16;

const prefixes = (texts: readonly string[]): Prefix[] =>
  texts.flatMap((text) => {
    const prefix = parsePrefix(text);
    return prefix === undefined ? [] : [prefix];
  });

export class Host implements Station {
  readonly name: string;
  readonly plan: HostPlan;
  readonly world: HostWorld;
  address: Endpoint;
  /** Handshakes wait in line. */
  underLoad = false;
  /** What was refused since the simulation began, restarts included. */
  readonly refused = new Map<DropKind, number>();
  /** What a key log of its would hold. */
  readonly keyLog: string[] = [];
  #device: Device;
  #bootMs = 0;
  #wallShiftNs = 0n;
  #tickAt = Number.POSITIVE_INFINITY;
  #steps = 0;
  readonly #books = new Map<PeerId, RuleBook>();
  /** The beginnings of what was accepted since it started: type, indices, counter or half an ephemeral. */
  readonly #accepted = new Set<string>();

  constructor(plan: HostPlan, world: HostWorld) {
    this.plan = plan;
    this.name = plan.name;
    this.world = world;
    this.address = plan.address;
    this.#device = this.#boot();
  }

  get nat(): NatPlan | undefined {
    return this.plan.nat;
  }

  get device(): Device {
    return this.#device;
  }

  get handshakes(): number {
    return [...this.#books.values()].reduce((sum, { handshakes }) => sum + handshakes, 0);
  }

  now(): Now {
    const ms = this.world.queue.nowMs;
    return {
      monoMs: ms - this.#bootMs,
      wall: addNs(this.plan.epoch, BigInt(Math.round(ms * 1e6)) + this.#wallShiftNs),
    };
  }

  jumpWall(ms: number): void {
    this.#wallShiftNs += BigInt(Math.round(ms * 1e6));
  }

  get wallShiftMs(): number {
    return Number(this.#wallShiftNs) / 1e6;
  }

  moveTo(address: Endpoint): void {
    this.address = address;
  }

  /** Everything but the configuration is forgotten. */
  restart(): void {
    this.#bootMs = this.world.queue.nowMs;
    this.#device = this.#boot();
  }

  packet(bytes: Bytes): void {
    const inPlace = this.world.chance.happens(0.5);
    const out = new Uint8Array(bytes.length + 48);
    out.set(bytes, 16);
    this.handle(
      inPlace ? { kind: 'packet', bytes: out.subarray(16, 16 + bytes.length), out } : { kind: 'packet', bytes },
    );
  }

  receive(from: Endpoint, bytes: Bytes, ttl: number): void {
    this.world.recorder.saw({ from, to: this.address, bytes, ttl, tos: 0 }, this.world.queue.nowMs);
    const out = this.world.chance.happens(0.5) ? { out: bytes } : {};
    const queueDepth = this.underLoad ? UNDER_LOAD : 0;
    this.handle({ kind: 'datagram', from, local: this.address, bytes, queueDepth, ...out });
  }

  handle(input: Input): Step {
    const now = this.now();
    const header = input.kind === 'datagram' ? input.bytes.slice(0, 16) : undefined;
    for (const book of this.#books.values()) book.before(now.monoMs);
    const before = input.kind === 'datagram' && this.#steps % SAMPLE === 0 ? this.#trace() : undefined;
    const step = this.#device.handle(input, now);
    if (step.verdict.kind === 'refused') {
      const { kind } = step.verdict.drop;
      this.refused.set(kind, (this.refused.get(kind) ?? 0) + 1);
      if (before !== undefined) this.#leavesNoTrace(step, before);
    }
    // opened in its own place, the header is gone
    this.#check(header === undefined || input.kind !== 'datagram' ? input : { ...input, bytes: header }, step);
    for (const effect of step.effects) this.#do(effect);
    if (++this.#steps % SAMPLE === 0) this.#sample();
    this.#scheduleTick();
    return step;
  }

  /** The same, but held against an exact picture of before: for what must be refused. */
  provoke(from: Endpoint, bytes: Bytes): Step {
    this.#steps = 0;
    return this.handle({ kind: 'datagram', from, local: this.address, bytes });
  }

  #boot(): Device {
    const { chance } = this.world;
    const { policy = LINUX } = this.plan;
    const keyLog = (line: string): void => void this.keyLog.push(line);
    // what two ends agree on is the same from whatever backend
    const crypto = this.plan.name === 'server' ? fastestOnNode() : nodeCrypto;
    const device = new Device({ crypto, policy, keyLog, random: (out) => chance.fill(out) });
    this.#device = device;
    this.#tickAt = Number.POSITIVE_INFINITY;
    this.#books.clear();
    this.#accepted.clear();
    this.handle({ kind: 'configure', change: 'private-key', privateKey: this.plan.secret });
    for (const peer of this.plan.peers) {
      const { publicKey, endpoint, psk, keepalive } = peer;
      this.#books.set(
        toBase64(publicKey),
        new RuleBook(keepalive, (text) => this.world.fault(`${this.name} about ${peer.name}: ${text}`)),
      );
      this.handle({
        kind: 'configure',
        change: 'peer',
        publicKey,
        allowedIps: prefixes(peer.allowedIps),
        persistentKeepalive: keepalive,
        ...(endpoint === undefined ? {} : { endpoint }),
        ...(psk === undefined ? {} : { presharedKey: psk }),
      });
    }
    return device;
  }

  #check(input: Input, step: Step): void {
    const about = subjectOf(input, step);
    if (input.kind === 'datagram' && step.verdict.kind === 'accepted') {
      const message = String.fromCharCode(...input.bytes);
      if (this.#accepted.has(message)) this.world.fault(`${this.name} accepted a ${step.verdict.message} twice`);
      this.#accepted.add(message);
    }
    for (const [id, book] of this.#books) {
      const effects = step.effects.filter((effect) => effectPeer(effect) === id);
      book.after(input, step, effects, about === id);
    }
    if (step.verdict.kind === 'refused' && input.kind === 'datagram' && about === undefined) {
      const said = step.effects.filter((effect) => effect.kind !== 'send' || effect.message !== 'cookie-reply');
      if (said.length > 0) this.world.fault(`${this.name}: ${step.verdict.drop.kind} made it ${said[0]?.kind}`);
    }
  }

  #do(effect: Effect): void {
    const { network, queue, recorder } = this.world;
    if (effect.kind === 'deliver') this.world.delivered(this, effect.peer, effect.bytes);
    if (effect.kind !== 'send') return;
    const { to, tos } = effect;
    const bytes = effect.bytes.slice();
    recorder.saw({ from: this.address, to, bytes, ttl: OWN_TTL, tos }, queue.nowMs);
    network.send(this, to, bytes);
  }

  #trace(): string {
    const peers = this.#device.peers().map(({ allowedIps: _, ...peer }) => peer);
    return JSON.stringify([peers, this.#device.nextDeadline(), this.#device.indices]);
  }

  #leavesNoTrace(step: Step, before: string): void {
    if (step.verdict.kind !== 'refused' || 'peer' in step.verdict.drop) return;
    if (this.#trace() !== before) this.world.fault(`${this.name}: ${step.verdict.drop.kind} left a trace`);
  }

  #sample(): void {
    for (const status of this.#device.peers()) this.#books.get(status.id)?.compare(status);
    if (this.#device.indices > INDICES_PER_PEER * this.plan.peers.length) {
      this.world.fault(`${this.name}: ${this.#device.indices} indices`);
    }
    const deadline = this.#device.nextDeadline();
    const now = this.now();
    if (deadline !== undefined && deadline.atMs <= now.monoMs) return;
    const { effects } = this.#device.handle({ kind: 'tick' }, now);
    if (effects.length > 0) this.world.fault(`${this.name}: a tick before its time made it ${effects[0]?.kind}`);
  }

  #scheduleTick(): void {
    const { queue } = this.world;
    const device = this.#device;
    const due = device.nextDeadline();
    const atMs = due === undefined ? Number.POSITIVE_INFINITY : Math.max(due.atMs + this.#bootMs, queue.nowMs);
    if (atMs === this.#tickAt || atMs === Number.POSITIVE_INFINITY) return;
    this.#tickAt = atMs;
    queue.at(atMs, () => {
      if (this.#tickAt !== atMs || this.#device !== device) return;
      this.#tickAt = Number.POSITIVE_INFINITY;
      this.handle({ kind: 'tick' });
    });
  }
}

function effectPeer(effect: Effect): PeerId | undefined {
  if (effect.kind !== 'drop') return effect.peer;
  return 'peer' in effect.drop ? effect.drop.peer : undefined;
}

/** The peer that an input turned out to be to or from. */
function subjectOf(input: Input, { verdict }: Step): PeerId | undefined {
  if (input.kind === 'configure') return input.change === 'peer' ? toBase64(input.publicKey) : undefined;
  if (verdict.kind === 'accepted') return verdict.peer;
  if (verdict.kind === 'refused' && input.kind === 'datagram' && 'peer' in verdict.drop) return verdict.drop.peer;
  return undefined;
}
