/** One run: hosts on a network, traffic between them, incidents, and what must be true whatever happens. */
import { parseEndpoint } from '../../src/base/address.ts';
import { toBase64 } from '../../src/base/base64.ts';
import { type Bytes, equal } from '../../src/base/bytes.ts';
import type { PeerId } from '../../src/wg/drop.ts';
import { Adversary } from './adversary.ts';
import { Chance } from './chance.ts';
import { Host, type HostPlan } from './host.ts';
import { ANSWERS, ASKS, innerFacts, innerPacket, PLAIN } from './inner.ts';
import { type Conditions, Network } from './network.ts';
import { EventQueue } from './queue.ts';
import { Recorder } from './recorder.ts';

export type Incident = { readonly atMs: number } & (
  | { readonly what: 'restart'; readonly host: string }
  | { readonly what: 'wall-jump'; readonly host: string; readonly byMs: number }
  | { readonly what: 'roam'; readonly host: string; readonly to: string }
  | { readonly what: 'rebind'; readonly host: string }
  | { readonly what: 'conditions'; readonly conditions: Conditions }
  | { readonly what: 'blackout'; readonly from: string; readonly to: string; readonly untilMs: number }
  | { readonly what: 'load'; readonly host: string; readonly untilMs: number }
);

/** Packets from one host to another, with pauses. */
export interface Flow {
  readonly from: string;
  readonly to: string;
  readonly fromMs: number;
  readonly untilMs: number;
  readonly everyMs: number;
  /** Pauses are exponential instead of even. */
  readonly random: boolean;
  /** Packets at once. */
  readonly burst: number;
  readonly size: number;
  readonly answered: boolean;
  /** Writes another host's address on its packets: none of them may get through. */
  readonly pretends?: string;
}

export interface Plan {
  readonly seed: number;
  readonly hosts: readonly HostPlan[];
  readonly conditions: Conditions;
  readonly flows: readonly Flow[];
  readonly incidents: readonly Incident[];
  readonly adversary: boolean;
  /** From here on the network is well: every flow that begins later must get through in time. */
  readonly calmMs: number;
  readonly endMs: number;
  /** tcpdump runs from here to there. */
  readonly captureFromMs: number;
  readonly captureUntilMs: number;
}

interface Sent {
  readonly bytes: Bytes;
  readonly from: string;
  readonly to: string;
  readonly atMs: number;
  readonly wants: number;
  readonly forged: boolean;
  deliveredMs: number | undefined;
}

export interface Outcome {
  readonly faults: readonly string[];
  readonly hosts: readonly Host[];
  readonly recorders: ReadonlyMap<string, Recorder>;
  readonly sent: readonly Sent[];
  readonly injected: number;
}

const MAX_FAULTS = 20;
const ANSWER_AFTER_MS = 1;

export class Simulation {
  readonly plan: Plan;
  readonly queue = new EventQueue();
  readonly chance: Chance;
  readonly network: Network;
  readonly hosts = new Map<string, Host>();
  readonly recorders = new Map<string, Recorder>();
  readonly faults: string[] = [];
  readonly sent: Sent[] = [];
  readonly #nameOf = new Map<PeerId, string>();
  readonly #adversary: Adversary | undefined;

  constructor(plan: Plan) {
    this.plan = plan;
    this.chance = new Chance(plan.seed);
    this.network = new Network(this.queue, this.chance.fork());
    this.network.conditions = plan.conditions;
    for (const host of plan.hosts) this.#add(host);
    for (const { peers } of plan.hosts) {
      for (const { name, publicKey } of peers) this.#nameOf.set(toBase64(publicKey), name);
    }
    this.#adversary = plan.adversary ? new Adversary(this, this.chance.fork()) : undefined;
    for (const flow of plan.flows) this.#start(flow);
    for (const incident of plan.incidents) this.queue.at(incident.atMs, () => this.#happen(incident));
  }

  run(): Outcome {
    this.queue.runTo(this.plan.endMs);
    const injected = this.#adversary?.injected ?? 0;
    return {
      faults: this.faults,
      hosts: [...this.hosts.values()],
      recorders: this.recorders,
      sent: this.sent,
      injected,
    };
  }

  fault(text: string): void {
    if (this.faults.length < MAX_FAULTS) this.faults.push(`${this.queue.nowMs} ms: ${text}`);
  }

  #add(plan: HostPlan): void {
    const recorder = new Recorder(plan.epoch, this.plan.captureFromMs, this.plan.captureUntilMs);
    this.recorders.set(plan.name, recorder);
    const host = new Host(plan, {
      queue: this.queue,
      network: this.network,
      recorder,
      chance: this.chance.fork(),
      fault: (text) => this.fault(text),
      delivered: (to, peer, packet) => this.#delivered(to, peer, packet),
    });
    this.hosts.set(plan.name, host);
    this.network.stations.push(host);
  }

  #host(name: string): Host {
    const host = this.hosts.get(name);
    if (host === undefined) throw new RangeError(`there is no host ${name}`);
    return host;
  }

  #start(flow: Flow): void {
    const chance = this.chance.fork();
    const from = this.#host(flow.from);
    const to = this.#host(flow.to);
    const family = chance.whole(0, Math.min(from.plan.inner.length, to.plan.inner.length) - 1);
    const forged = flow.pretends !== undefined;
    const [source, destination] = [this.#host(flow.pretends ?? flow.from).plan.inner[family], to.plan.inner[family]];
    if (source === undefined || destination === undefined) return;
    const next = (): void => {
      if (this.queue.nowMs >= flow.untilMs) return;
      for (let i = 0; i < flow.burst; i++) {
        const wants = flow.answered ? ASKS : PLAIN;
        this.#send(from, to, innerPacket(source, destination, flow.size, this.sent.length, wants), forged);
      }
      const pause = flow.random ? chance.exponential(flow.everyMs) : flow.everyMs;
      this.queue.at(this.queue.nowMs + pause, next);
    };
    this.queue.at(flow.fromMs, next);
  }

  #send(from: Host, to: Host, bytes: Bytes, forged = false): void {
    const { wants } = innerFacts(bytes);
    const { nowMs } = this.queue;
    this.sent.push({ bytes, from: from.name, to: to.name, atMs: nowMs, wants, forged, deliveredMs: undefined });
    from.packet(bytes);
  }

  #delivered(host: Host, peer: PeerId, packet: Bytes): void {
    const { id, wants, from, to } = innerFacts(packet);
    const sent = this.sent[id];
    if (sent === undefined || !equal(sent.bytes, packet)) {
      this.fault(`${host.name} got what nobody sent`);
      return;
    }
    if (sent.forged) this.fault(`packet ${id} came through with a source that is not its sender's`);
    if (sent.to !== host.name) this.fault(`packet ${id} came to ${host.name}, not ${sent.to}`);
    if (this.#nameOf.get(peer) !== sent.from) this.fault(`packet ${id} seems to be from ${this.#nameOf.get(peer)}`);
    if (sent.deliveredMs !== undefined) this.fault(`packet ${id} came twice`);
    sent.deliveredMs = this.queue.nowMs;
    if (wants !== ASKS) return;
    const back = this.#host(sent.from);
    const { length } = packet;
    this.queue.at(this.queue.nowMs + ANSWER_AFTER_MS, () => {
      this.#send(host, back, innerPacket(to, from, length, this.sent.length, ANSWERS));
    });
  }

  #happen(incident: Incident): void {
    const { queue, network } = this;
    switch (incident.what) {
      case 'restart':
        this.#host(incident.host).restart();
        return;
      case 'wall-jump':
        this.#host(incident.host).jumpWall(incident.byMs);
        return;
      case 'roam': {
        const address = parseEndpoint(incident.to);
        if (address !== undefined) this.#host(incident.host).moveTo(address);
        return;
      }
      case 'rebind':
        network.forgetMappings(this.#host(incident.host));
        return;
      case 'conditions':
        network.conditions = incident.conditions;
        return;
      case 'blackout':
        network.blackout(incident.from, incident.to, incident.untilMs);
        return;
      case 'load': {
        const host = this.#host(incident.host);
        host.underLoad = true;
        queue.at(incident.untilMs, () => {
          host.underLoad = false;
        });
        return;
      }
    }
  }
}
