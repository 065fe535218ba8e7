/** Made-up captures, packet by packet: enough of each message for the tracker, no cryptography. */
import { KeySet } from '../../src/analyze/key-set.ts';
import { KeyedObserver } from '../../src/analyze/observer.ts';
import type { Timeline } from '../../src/analyze/timeline.ts';
import { CaptureTracker } from '../../src/analyze/tracker.ts';
import { buildWorld } from '../../src/analyze/world.ts';
import { type Endpoint, parseEndpoint } from '../../src/base/address.ts';
import { EMPTY } from '../../src/base/bytes.ts';
import type { Time } from '../../src/base/time.ts';
import type { Frame } from '../../src/capture/frame.ts';
import { nodeCrypto } from '../../src/crypto/node.ts';
import type { AnyRule } from '../../src/diagnose/rule.ts';
import { type Finding, runRules } from '../../src/diagnose/run.ts';
import type { UnreachableKind } from '../../src/packet/datagram.ts';

export interface DataOptions {
  readonly length?: number;
  readonly fragments?: number;
  readonly ipLength?: number;
}

/** One capture. `local` sends with TTL 64, everyone else has passed a router; `snap` bytes of each payload are kept. */
export class Scene {
  readonly #tracker: CaptureTracker;
  readonly #name: string;
  readonly #local: string | undefined;
  readonly #timed: boolean;
  readonly #snap: number | undefined;
  #frame = 0;
  #salt = 0;

  constructor(name: string, local?: string, timed = true, snap?: number) {
    this.#name = name;
    this.#local = local;
    this.#timed = timed;
    this.#snap = snap;
    this.#tracker = new CaptureTracker(name, new KeyedObserver(nodeCrypto, new KeySet(nodeCrypto)));
  }

  initiation(seconds: number, from: string, to: string, index: number): this {
    const bytes = message(1, 148);
    u32(bytes, 4, index);
    // the ephemeral tells initiations apart, in every capture of them alike
    u32(bytes, 8, index * 2654435761);
    return this.#send(seconds, from, to, bytes);
  }

  response(seconds: number, from: string, to: string, index: number, receiver: number): this {
    const bytes = message(2, 92);
    u32(bytes, 4, index);
    u32(bytes, 8, receiver);
    return this.#send(seconds, from, to, bytes);
  }

  data(seconds: number, from: string, to: string, receiver: number, counter: number, options: DataOptions = {}): this {
    const bytes = message(4, options.length ?? 128);
    u32(bytes, 4, receiver);
    u32(bytes, 8, counter);
    u32(bytes, 16, counter * 40503 + receiver);
    return this.#send(seconds, from, to, bytes, options);
  }

  keepalive(seconds: number, from: string, to: string, receiver: number, counter: number): this {
    return this.data(seconds, from, to, receiver, counter, { length: 32 });
  }

  /** Handshake, and a packet each way: initiator index 1·n, responder index 2·n, counters 0 used. */
  session(seconds: number, initiator: string, responder: string, n = 1): this {
    return this.initiation(seconds, initiator, responder, n)
      .response(seconds + 0.001, responder, initiator, 1000 + n, n)
      .data(seconds + 0.002, initiator, responder, 1000 + n, 0)
      .data(seconds + 0.003, responder, initiator, n, 0);
  }

  icmp(seconds: number, by: string, error: UnreachableKind, quotedFrom: string, quotedTo: string, mtu?: number): this {
    return this.#icmp(seconds, by, error, quotedFrom, quotedTo, message(4, 32).slice(0, 8), mtu);
  }

  /** What comes back for an initiation of this index. */
  refused(seconds: number, by: string, error: UnreachableKind, from: string, to: string, index: number): this {
    const bytes = message(1, 8);
    u32(bytes, 4, index);
    return this.#icmp(seconds, by, error, from, to, bytes);
  }

  #icmp(
    seconds: number,
    by: string,
    error: UnreachableKind,
    quotedFrom: string,
    quotedTo: string,
    bytes: Uint8Array,
    mtu?: number,
  ): this {
    const frame = this.#next(seconds);
    const quoted = { from: end(quotedFrom), to: end(quotedTo), bytes, length: bytes[0] === 1 ? 148 : 1452 };
    const from = end(`${by}:1`).ip;
    const code = error === 'port-unreachable' ? 3 : 4;
    const base = {
      kind: 'icmp-error',
      frame,
      from,
      to: quoted.from.ip,
      error,
      type: 3,
      code,
      quoted,
      direction: undefined,
    } as const;
    this.#tracker.add(mtu === undefined ? base : { ...base, mtu });
    return this;
  }

  /** A frame of something else: the capture was running. */
  nothing(seconds: number): this {
    this.#next(seconds);
    return this;
  }

  finish(): Timeline {
    return this.#tracker.timeline({ name: this.#name, format: 'pcap', damage: [] });
  }

  #next(seconds: number): Frame {
    const frame: Frame = {
      number: ++this.#frame,
      time: this.#timed ? timeOf(seconds) : undefined,
      linkType: 1,
      bytes: EMPTY,
      wireLength: 0,
      interfaceId: 0,
      fcsBytes: 0,
    };
    this.#tracker.frame(frame);
    return frame;
  }

  #send(seconds: number, from: string, to: string, bytes: Uint8Array, options: DataOptions = {}): this {
    const frame = this.#next(seconds);
    this.#salt++;
    this.#tracker.add({
      kind: 'datagram',
      frame,
      from: end(from),
      to: end(to),
      bytes: bytes.subarray(0, bytes[0] === 4 ? this.#snap : undefined),
      length: bytes.length,
      ttl: this.#local === undefined ? 60 : from === this.#local ? 64 : 57,
      tos: 0,
      ipId: this.#salt,
      dontFragment: true,
      fragments: options.fragments ?? 1,
      ipLength: options.ipLength ?? bytes.length + 28,
      direction: undefined,
      checksum: 'ok',
      path: ['ethernet', 'ipv4'],
    });
    return this;
  }
}

/** What the rules say of these captures. */
export function judge(rules: readonly AnyRule[], ...scenes: readonly Scene[]): readonly Finding[] {
  const world = buildWorld(
    scenes.map((scene) => scene.finish()),
    new KeySet(nodeCrypto),
    new Map(),
  );
  return runRules(rules, world).findings;
}

function end(text: string): Endpoint {
  const parsed = parseEndpoint(text);
  if (parsed === undefined) throw new RangeError(`not an endpoint: ${text}`);
  return parsed;
}

function message(type: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  bytes[0] = type;
  return bytes;
}

function u32(bytes: Uint8Array, at: number, value: number): void {
  new DataView(bytes.buffer).setUint32(at, value >>> 0, true);
}

function timeOf(seconds: number): Time {
  const ns = Math.round(seconds * 1e9);
  return { sec: 1_700_000_000 + Math.floor(ns / 1e9), nsec: ns % 1e9 };
}
