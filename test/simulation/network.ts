/** The path between hosts: delay, loss, duplicates, other order, blackouts, path MTU, and NAT routers that forget. */
import { type Endpoint, endpoint, type IpBytes } from '../../src/base/address.ts';
import type { Bytes } from '../../src/base/bytes.ts';
import { type Chance, quantised } from './chance.ts';
import type { EventQueue } from './queue.ts';
import { outerLength } from './recorder.ts';

export interface Conditions {
  /** One way. */
  readonly delayMs: number;
  readonly jitterMs: number;
  readonly loss: number;
  readonly duplicates: number;
  /** Of the packets that are held back, so that others overtake them. */
  readonly late: number;
  readonly lateMs: number;
  /** Of the outer IP packet, bytes; what is longer is lost without a word. */
  readonly mtu: number;
}

export const CLEAN: Conditions = {
  delayMs: 20,
  jitterMs: 0,
  loss: 0,
  duplicates: 0,
  late: 0,
  lateMs: 0,
  mtu: 1500,
};

export interface NatPlan {
  readonly outside: IpBytes;
  /** A mapping that carried nothing for so long is forgotten. */
  readonly timeoutMs: number;
}

/** What stands on the network: where it is now, and how it takes a datagram. */
export interface Station {
  readonly name: string;
  readonly address: Endpoint;
  readonly nat: NatPlan | undefined;
  receive(from: Endpoint, bytes: Bytes, ttl: number): void;
}

interface Mapping {
  readonly station: Station;
  readonly inside: Endpoint;
  readonly outside: Endpoint;
  readonly remote: string;
  lastMs: number;
}

interface Blackout {
  readonly from: string;
  readonly to: string;
  readonly sinceMs: number;
  readonly untilMs: number;
}

const HOP_TTL = 63;
/** Behind its NAT router a packet has one hop more. */
const NAT_TTL = 62;

export class Network {
  conditions: Conditions = CLEAN;
  /** Sees what any host sends, as it is on the way. */
  tap: ((from: Endpoint, to: Endpoint, bytes: Bytes) => void) | undefined;
  readonly stations: Station[] = [];
  readonly #queue: EventQueue;
  readonly #chance: Chance;
  readonly #blackouts: Blackout[] = [];
  readonly #mappings = new Map<string, Mapping>();
  /** By both names: when the last in order arrives. */
  readonly #lastMs = new Map<string, number>();

  constructor(queue: EventQueue, chance: Chance) {
    this.#queue = queue;
    this.#chance = chance;
  }

  /** `*` for every host. */
  blackout(from: string, to: string, untilMs: number): void {
    this.#blackouts.push({ from, to, sinceMs: this.#queue.nowMs, untilMs });
  }

  /** The router restarts: the next packet goes out from another port. */
  forgetMappings(station: Station): void {
    for (const [key, mapping] of this.#mappings) if (mapping.station === station) this.#mappings.delete(key);
  }

  send(station: Station, to: Endpoint, bytes: Bytes): void {
    const from = station.nat === undefined ? station.address : this.#translated(station, station.nat, to);
    const ttl = station.nat === undefined ? HOP_TTL : NAT_TTL;
    this.tap?.(from, to, bytes);
    this.#carry(station.name, from, to, bytes, ttl);
  }

  /** From somebody who is not on the network, by the same path but without its losses. */
  inject(from: Endpoint, to: Endpoint, bytes: Bytes): void {
    this.#queue.at(this.#queue.nowMs + this.conditions.delayMs, () => this.#arrive('*', from, to, bytes, HOP_TTL));
  }

  #translated(station: Station, nat: NatPlan, to: Endpoint): Endpoint {
    const now = this.#queue.nowMs;
    for (const [key, mapping] of this.#mappings) {
      if (this.#isOver(mapping)) this.#mappings.delete(key);
      else if (mapping.station === station && mapping.remote === to.text && mapping.inside === station.address) {
        mapping.lastMs = now;
        return mapping.outside;
      }
    }
    let outside = endpoint(nat.outside, this.#chance.whole(1024, 65_535));
    while (this.#mappings.has(outside.text)) outside = endpoint(nat.outside, this.#chance.whole(1024, 65_535));
    this.#mappings.set(outside.text, { station, inside: station.address, outside, remote: to.text, lastMs: now });
    return outside;
  }

  #isOver({ lastMs, station }: Mapping): boolean {
    return this.#queue.nowMs - lastMs > (station.nat?.timeoutMs ?? 0);
  }

  #carry(name: string, from: Endpoint, to: Endpoint, bytes: Bytes, ttl: number): void {
    const { delayMs, jitterMs, loss, duplicates, late, lateMs, mtu } = this.conditions;
    const chance = this.#chance;
    if (outerLength(to, bytes.length) > mtu || chance.happens(loss)) return;
    const line = `${name} ${to.text}`;
    let atMs = this.#queue.nowMs + quantised(delayMs) + chance.ms(0, jitterMs);
    if (chance.happens(late)) atMs += chance.ms(0, lateMs);
    else {
      atMs = Math.max(atMs, this.#lastMs.get(line) ?? 0);
      this.#lastMs.set(line, atMs);
    }
    this.#queue.at(atMs, () => this.#arrive(name, from, to, bytes, ttl));
    if (chance.happens(duplicates)) {
      this.#queue.at(atMs + chance.ms(0, 2 * delayMs), () => this.#arrive(name, from, to, bytes, ttl));
    }
  }

  #arrive(name: string, from: Endpoint, to: Endpoint, bytes: Bytes, ttl: number): void {
    const station = this.#stationAt(from, to);
    if (station === undefined || this.#isBlack(name, station.name)) return;
    station.receive(from, bytes.slice(), station.nat === undefined ? ttl : ttl - 1);
  }

  #stationAt(from: Endpoint, to: Endpoint): Station | undefined {
    const mapping = this.#mappings.get(to.text);
    if (mapping === undefined) {
      return this.stations.find(({ address, nat }) => nat === undefined && address.text === to.text);
    }
    const known = mapping.remote === from.text && mapping.inside === mapping.station.address;
    if (!known || this.#isOver(mapping)) return undefined;
    mapping.lastMs = this.#queue.nowMs;
    return mapping.station;
  }

  #isBlack(from: string, to: string): boolean {
    const now = this.#queue.nowMs;
    const fits = (pattern: string, name: string): boolean => pattern === '*' || pattern === name;
    return this.#blackouts.some(
      (black) => fits(black.from, from) && fits(black.to, to) && black.sinceMs <= now && now < black.untilMs,
    );
  }
}
