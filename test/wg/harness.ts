/** Devices for tests: chance that can be told what to say, parties with names, and a perfect link on a virtual clock. */
import { expect } from 'vitest';
import { type Endpoint, parseEndpoint, parsePrefix } from '../../src/base/address.ts';
import { toBase64 } from '../../src/base/base64.ts';
import { type Bytes, fromHex, putU16be, putU32be } from '../../src/base/bytes.ts';
import { type PresharedKey, type PrivateKey, type PublicKey, privateKey } from '../../src/base/keys.ts';
import type { Now, Time } from '../../src/base/time.ts';
import { nodeCrypto } from '../../src/crypto/node.ts';
import type { Crypto } from '../../src/crypto/port.ts';
import { Device } from '../../src/wg/device.ts';
import type { Drop, DropKind } from '../../src/wg/drop.ts';
import type { Trace } from '../../src/wg/noise/trace.ts';
import type { Policy } from '../../src/wg/policy.ts';
import type { Random, RandomPurpose } from '../../src/wg/random.ts';
import type { Effect, Input, PeerChange, Step } from '../../src/wg/step.ts';

export type Script = { readonly [P in RandomPurpose]?: readonly Bytes[] };

/** Says what the script has for a purpose, in turn, and then numbers from a seed (xorshift32). Jitter is 0 unless scripted. */
export function chance(seed: number, script: Script = {}): Random {
  const next = new Map(Object.entries(script).map(([purpose, list]) => [purpose, [...list]]));
  let state = seed || 1;
  return (out, purpose) => {
    const told = next.get(purpose)?.shift();
    if (told !== undefined) return out.set(told.subarray(0, out.length));
    for (let i = 0; i < out.length; i++) {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      out[i] = purpose === 'jitter' ? 0 : state;
    }
  };
}

/** An index as chance would give it. */
export function indexBytes(index: number): Bytes {
  const out = new Uint8Array(4);
  putU32be(out, 0, index);
  return out;
}

export const at = (text: string): Endpoint => parseEndpoint(text) ?? expect.fail(text);
export const net = (text: string) => parsePrefix(text) ?? expect.fail(text);

/** A whole IPv4 packet, UDP in name only. */
export function ipv4(from: string, to: string, size = 60): Bytes {
  const packet = new Uint8Array(size);
  packet[0] = 0x45;
  putU16be(packet, 2, size);
  packet.set(net(from).ip, 12);
  packet.set(net(to).ip, 16);
  for (let i = 20; i < size; i++) packet[i] = i;
  return packet;
}

export const EPOCH: Time = { sec: 1_700_000_000, nsec: 0 };

/** Both clocks from 0: the wall clock says {@link EPOCH} then. */
export function clock(monoMs: number): Now {
  return { monoMs, wall: { sec: EPOCH.sec + Math.floor(monoMs / 1000), nsec: (monoMs % 1000) * 1_000_000 } };
}

export interface PartyOptions {
  readonly secret: PrivateKey;
  readonly address: Endpoint;
  readonly seed?: number;
  readonly script?: Script;
  readonly policy?: Policy;
  /** The fast backend unless told. */
  readonly crypto?: Crypto;
  readonly keyLog?: (line: string) => void;
  readonly trace?: Trace;
}

/** A device, where it is, and everything it said. */
export class Party {
  readonly device: Device;
  readonly publicKey: PublicKey;
  readonly id: string;
  address: Endpoint;
  readonly effects: Effect[] = [];

  constructor({ secret, address, seed = 7, script, policy, crypto = nodeCrypto, keyLog, trace }: PartyOptions) {
    const random = chance(seed, script);
    this.device = new Device({
      crypto,
      random,
      ...(policy === undefined ? {} : { policy }),
      ...(keyLog === undefined ? {} : { keyLog }),
      ...(trace === undefined ? {} : { trace }),
    });
    this.publicKey = crypto.publicKey(secret);
    this.id = toBase64(this.publicKey);
    this.address = address;
    this.handle({ kind: 'configure', change: 'private-key', privateKey: secret }, 0);
  }

  handle(input: Input, monoMs: number): Step {
    const step = this.device.handle(input, clock(monoMs));
    this.effects.push(...step.effects);
    return step;
  }

  peer(change: Omit<PeerChange, 'change'>, monoMs = 0): Step {
    return this.handle({ kind: 'configure', change: 'peer', ...change }, monoMs);
  }

  packet(bytes: Bytes, monoMs: number): Step {
    return this.handle({ kind: 'packet', bytes }, monoMs);
  }

  datagram(bytes: Bytes, from: Endpoint, monoMs: number, queueDepth = 0): Step {
    return this.handle({ kind: 'datagram', bytes, from, queueDepth }, monoMs);
  }

  tick(monoMs: number): Step {
    return this.handle({ kind: 'tick' }, monoMs);
  }

  status() {
    return this.device.peers()[0] ?? expect.fail('no peer');
  }
}

export const sends = (step: { readonly effects: readonly Effect[] }) =>
  step.effects.filter((effect) => effect.kind === 'send');
export const delivered = (step: { readonly effects: readonly Effect[] }): Bytes[] =>
  step.effects.filter((effect) => effect.kind === 'deliver').map(({ bytes }) => bytes);
export const events = (step: { readonly effects: readonly Effect[] }): string[] =>
  step.effects.filter((effect) => effect.kind === 'event').map(({ event }) => event.what);
export const drops = (step: { readonly effects: readonly Effect[] }): Drop[] =>
  step.effects.filter((effect) => effect.kind === 'drop').map(({ drop }) => drop);
/** The kind of refusal, or what was accepted. */
export function outcome({ verdict }: Step): DropKind | string {
  if (verdict.kind === 'refused') return verdict.drop.kind;
  return verdict.kind === 'accepted' ? verdict.message : verdict.kind;
}
/** The one message a step sends. */
export function onlySend(step: Step) {
  const [first, ...more] = sends(step);
  expect(more).toEqual([]);
  return first ?? expect.fail('nothing sent');
}

export const SECRET_A = privateKey(fromHex(`a8${'11'.repeat(30)}41`));
export const SECRET_B = privateKey(fromHex(`b0${'22'.repeat(30)}42`));
export const ADDRESS_A = at('192.0.2.1:51820');
export const ADDRESS_B = at('198.51.100.2:51820');
export const INNER_A = '10.0.0.1';
export const INNER_B = '10.0.0.2';

export interface PairOptions {
  readonly a?: Partial<PartyOptions>;
  readonly b?: Partial<PartyOptions>;
  readonly pskA?: PresharedKey;
  readonly pskB?: PresharedKey;
  readonly keepaliveA?: number;
  /** B learns where A is from its first message, unless it is told. */
  readonly bKnowsA?: boolean;
}

/** Two parties that are each other's only peer. */
export function pair({ a: forA, b: forB, pskA, pskB, keepaliveA, bKnowsA = false }: PairOptions = {}) {
  const a = new Party({ secret: SECRET_A, address: ADDRESS_A, seed: 11, ...forA });
  const b = new Party({ secret: SECRET_B, address: ADDRESS_B, seed: 22, ...forB });
  b.peer({
    publicKey: a.publicKey,
    allowedIps: [net(`${INNER_A}/32`)],
    ...(pskB === undefined ? {} : { presharedKey: pskB }),
    ...(bKnowsA ? { endpoint: a.address } : {}),
  });
  const change = {
    publicKey: b.publicKey,
    endpoint: b.address,
    allowedIps: [net(`${INNER_B}/32`)],
    ...(pskA === undefined ? {} : { presharedKey: pskA }),
  };
  const first = a.peer(keepaliveA === undefined ? change : { ...change, persistentKeepalive: keepaliveA });
  return { a, b, first };
}

export interface Seen {
  readonly ms: number;
  readonly who: 'a' | 'b';
  readonly message: string;
  readonly bytes: Bytes;
}

/** A perfect path between two parties: nothing is lost, everything takes `delayMs`. */
export class Link {
  readonly a: Party;
  readonly b: Party;
  nowMs = 0;
  delayMs = 10;
  /** Answers true to lose a message. */
  loses: (seen: Seen) => boolean = () => false;
  readonly seen: Seen[] = [];
  readonly got: { readonly ms: number; readonly who: 'a' | 'b'; readonly bytes: Bytes }[] = [];
  readonly outcomes: string[] = [];
  readonly #flying: { readonly ms: number; readonly to: 'a' | 'b'; readonly bytes: Bytes; readonly from: Endpoint }[] =
    [];

  constructor({ a, b }: { readonly a: Party; readonly b: Party }) {
    this.a = a;
    this.b = b;
  }

  /** Takes on what a party wants done. */
  took(who: 'a' | 'b', step: Step): Step {
    const from = this[who].address;
    for (const effect of step.effects) {
      if (effect.kind === 'deliver') this.got.push({ ms: this.nowMs, who, bytes: effect.bytes.slice() });
      if (effect.kind !== 'send') continue;
      const seen = { ms: this.nowMs, who, message: effect.message, bytes: effect.bytes.slice() };
      this.seen.push(seen);
      if (!this.loses(seen)) {
        const to = who === 'a' ? 'b' : 'a';
        this.#flying.push({ ms: this.nowMs + this.delayMs, to, bytes: seen.bytes, from });
      }
    }
    return step;
  }

  send(who: 'a' | 'b', packet: Bytes): Step {
    return this.took(who, this[who].packet(packet, this.nowMs));
  }

  /** Runs to this time, by deadlines and arrivals only. */
  runTo(ms: number): void {
    for (let guard = 0; guard < 100_000; guard++) {
      const arrival = this.#flying[0];
      const [dueA, dueB] = [this.a, this.b].map(({ device }) => device.nextDeadline()?.atMs ?? Infinity);
      const next = Math.min(arrival?.ms ?? Infinity, dueA ?? Infinity, dueB ?? Infinity);
      if (next > ms) break;
      this.nowMs = Math.max(this.nowMs, next);
      if (arrival !== undefined && arrival.ms === next) {
        this.#flying.shift();
        const step = this[arrival.to].datagram(arrival.bytes, arrival.from, this.nowMs);
        this.outcomes.push(outcome(step));
        this.took(arrival.to, step);
      } else if (dueA === next) this.took('a', this.a.tick(this.nowMs));
      else this.took('b', this.b.tick(this.nowMs));
    }
    this.nowMs = ms;
  }

  /** `12.3 a initiation`, seconds. */
  log(from = 0): string[] {
    return this.seen.filter(({ ms }) => ms >= from).map(({ ms, who, message }) => `${ms / 1000} ${who} ${message}`);
  }
}
