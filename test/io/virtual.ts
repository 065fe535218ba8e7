/** A clock and a network that stand still until they are told: probes and tunnels without waiting. */
import type { Endpoint } from '../../src/base/address.ts';
import type { Bytes } from '../../src/base/bytes.ts';
import type { Now } from '../../src/base/time.ts';
import type { Clock } from '../../src/io/clock.ts';
import type { ProbeNetwork } from '../../src/io/probe-network.ts';
import type { UdpHandlers } from '../../src/io/udp.ts';
import { clock as at, EPOCH } from '../wg/harness.ts';

/** Whatever is under way, promises and all, up to the point where only time can go on. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

interface Due {
  readonly id: number;
  readonly atMs: number;
  readonly run: () => void;
}

export class VirtualClock implements Clock {
  #nowMs = 0;
  readonly #waiting = new Map<number, Due>();
  #next = 0;
  readonly #laterSec: number;

  /** What the wall clock says at the beginning. */
  constructor(startSec = EPOCH.sec) {
    this.#laterSec = startSec - EPOCH.sec;
  }

  now(): Now {
    const { monoMs, wall } = at(this.#nowMs);
    return { monoMs, wall: { sec: wall.sec + this.#laterSec, nsec: wall.nsec } };
  }

  at(atMs: number, run: () => void): () => void {
    const id = this.#next++;
    this.#waiting.set(id, { id, atMs: Math.max(atMs, this.#nowMs), run });
    return () => this.#waiting.delete(id);
  }

  soon(run: () => void): void {
    this.at(this.#nowMs, run);
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  /** Lets so much time pass, whatever is due in it happening at its moment. */
  pass(ms: number): void {
    const endMs = this.#nowMs + ms;
    for (let next = this.#first(); next !== undefined && next.atMs <= endMs; next = this.#first()) this.#happen(next);
    this.#nowMs = endMs;
  }

  #first(): Due | undefined {
    return [...this.#waiting.values()].sort((one, two) => one.atMs - two.atMs || one.id - two.id)[0];
  }

  #happen({ id, atMs, run }: Due): void {
    this.#waiting.delete(id);
    this.#nowMs = atMs;
    run();
  }

  /** Lets time pass, from one thing to the next, until the promise is there. */
  until<T>(promise: Promise<T>): Promise<T> {
    return this.#meanwhile(promise, () => {
      const next = this.#first();
      if (next !== undefined) this.#happen(next); // else a file is being read, and that takes no time here
    });
  }

  /** Lets no time pass, for promises that wait for something real. */
  standUntil<T>(promise: Promise<T>): Promise<T> {
    return this.#meanwhile(promise, () => this.pass(0));
  }

  async #meanwhile<T>(promise: Promise<T>, turn: () => void): Promise<T> {
    let over = false;
    const end = (): void => {
      over = true;
    };
    promise.then(end, end);
    for (await settle(); !over; await settle()) turn();
    return promise;
  }
}

export interface Host {
  /** A datagram arrived from the probe. */
  receive(bytes: Bytes, line: Line): void;
}

/** The way back to the probe, `delayMs` after now. */
export interface Line {
  reply(bytes: Bytes, from?: Endpoint): void;
  error(code: string): void;
}

export interface Sent {
  readonly atMs: number;
  readonly to: string;
  readonly type: number;
}

/** Hosts by endpoint text; a datagram for any other is lost. A string instead is the code with which opening fails. */
export class VirtualNetwork implements ProbeNetwork {
  readonly #clock: VirtualClock;
  readonly #hosts: Readonly<Record<string, Host | string>>;
  readonly #delayMs: number;
  readonly sent: Sent[] = [];
  openSockets = 0;

  constructor(clock: VirtualClock, hosts: Readonly<Record<string, Host | string>>, delayMs = 15) {
    this.#clock = clock;
    this.#hosts = hosts;
    this.#delayMs = delayMs;
  }

  async open(to: Endpoint, handlers: Required<UdpHandlers>) {
    const host = this.#hosts[to.text];
    if (typeof host === 'string') return host;
    this.openSockets++;
    const later = (run: () => void): unknown => this.#clock.at(this.#clock.nowMs + this.#delayMs, run);
    const line: Line = {
      reply: (bytes, from = to) => later(() => handlers.onDatagram(new Uint8Array(bytes), from)),
      error: (code) => later(() => handlers.onError(code, to)),
    };
    return {
      send: (bytes: Bytes, where: Endpoint) => {
        this.sent.push({ atMs: this.#clock.nowMs, to: where.text, type: bytes[0] ?? 0 });
        const copy = new Uint8Array(bytes);
        later(() => host?.receive(copy, line));
      },
      close: async () => {
        this.openSockets--;
      },
    };
  }
}
