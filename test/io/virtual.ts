/** A clock and a network that stand still until they are told: probes and tunnels without waiting. */
import type { Endpoint } from '../../src/base/address.ts';
import type { Bytes } from '../../src/base/bytes.ts';
import type { Now } from '../../src/base/time.ts';
import type { Clock } from '../../src/io/clock.ts';
import type { ProbeNetwork } from '../../src/io/probe-network.ts';
import type { UdpHandlers } from '../../src/io/udp.ts';
import { clock as at } from '../wg/harness.ts';

/** Whatever is under way, promises and all, up to the point where only time can go on. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export class VirtualClock implements Clock {
  #nowMs = 0;
  readonly #waiting = new Map<number, { readonly atMs: number; readonly run: () => void }>();
  #next = 0;

  now(): Now {
    return at(this.#nowMs);
  }

  at(atMs: number, run: () => void): () => void {
    const id = this.#next++;
    this.#waiting.set(id, { atMs: Math.max(atMs, this.#nowMs), run });
    return () => this.#waiting.delete(id);
  }

  soon(run: () => void): void {
    this.at(this.#nowMs, run);
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  /** Lets time pass, from one thing to the next, until the promise is there. */
  async until<T>(promise: Promise<T>): Promise<T> {
    let over = false;
    const end = (): void => {
      over = true;
    };
    promise.then(end, end);
    for (await settle(); !over; await settle()) {
      const [id, first] = [...this.#waiting].sort(([i, a], [j, b]) => a.atMs - b.atMs || i - j)[0] ?? [];
      if (id === undefined || first === undefined) throw new Error('nothing will ever happen any more');
      this.#waiting.delete(id);
      this.#nowMs = first.atMs;
      first.run();
    }
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
  open_ = 0;

  constructor(clock: VirtualClock, hosts: Readonly<Record<string, Host | string>>, delayMs = 15) {
    this.#clock = clock;
    this.#hosts = hosts;
    this.#delayMs = delayMs;
  }

  async open(to: Endpoint, handlers: Required<UdpHandlers>) {
    const host = this.#hosts[to.text];
    if (typeof host === 'string') return host;
    this.open_++;
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
        this.open_--;
      },
    };
  }
}
