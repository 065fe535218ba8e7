/** Another implementation under test, as the tests see it: devices of it, their log, their figures, and what is inside them. */
import type { Bytes } from '../../../src/base/bytes.ts';
import { formatSetconf, type HostPlan, type PeerPlan } from '../lab/plan.ts';
import { type Entry, type LineKind, type RemoteKind, readLine } from './lines.ts';
import type { LogLines } from './log-lines.ts';

/** One tunnel's addresses: theirs inside, ours inside, a neighbour's inside. */
export interface Inner {
  readonly their: string;
  readonly our: string;
  readonly neighbour: string;
  readonly their6: string;
  readonly our6: string;
}

export interface DevicePlan {
  readonly privateKey: string;
  readonly peers: readonly PeerPlan[];
}

/** A line of `wg show DEVICE dump`. */
export interface PeerFigures {
  readonly endpoint: string;
  /** Unix seconds, 0 for never. */
  readonly latestHandshake: number;
  readonly receivedBytes: number;
  readonly sentBytes: number;
}

export interface Remote {
  readonly kind: RemoteKind;
  /** Where its devices are to be reached. */
  readonly address: string;
  /** Addresses of ours from which they can be reached. */
  readonly near: readonly [string, string];
  device(planFor: (inner: Inner) => DevicePlan): Promise<RemoteDevice>;
  close(): Promise<void>;
}

/** What differs between a guest and a process here. */
export interface Host {
  readonly kind: RemoteKind;
  readonly address: string;
  readonly log: LogLines;
  /** Runs one shell line where the device lives; rejects if it fails. */
  must(line: string): Promise<string>;
  /** Where to put a text so that a program there can read it. */
  write(name: string, text: string): Promise<string>;
  /** What the line says if it is of this device, without the prefix. */
  ownLine(device: string, line: string): string | undefined;
  /** Sends a packet from inside to this address and waits for the echo of it, as long as told. */
  ask(from: string, to: string, waitMs: number): Promise<boolean>;
  /** The same, and nobody waits. */
  knock(from: string, to: string): Promise<void>;
  /** Takes in nothing until it is let go, where it would be too fast otherwise. */
  hold(device: string): void;
  letGo(device: string): void;
  end(device: string): Promise<void>;
}

export function innerOf(number: number): Inner {
  const net = `10.66.${number}`;
  return {
    their: `${net}.1`,
    our: `${net}.2`,
    neighbour: `${net}.3`,
    their6: `fd77:${number}::1`,
    our6: `fd77:${number}::2`,
  };
}

const FIRST_PORT = 51_820;

export class RemoteDevice {
  readonly inner: Inner;
  readonly kind: RemoteKind;
  readonly #host: Host;
  readonly #name: string;
  #port: number;
  #address: string;

  constructor(host: Host, name: string, number: number) {
    this.#host = host;
    this.#name = name;
    this.kind = host.kind;
    this.inner = innerOf(number);
    this.#port = FIRST_PORT + number;
    this.#address = host.address;
  }

  get endpoint(): string {
    return `${this.#address}:${this.#port}`;
  }

  /** Replaces everything: what was remembered of any peer is forgotten. */
  async configure({ privateKey, peers }: DevicePlan): Promise<void> {
    const { their } = this.inner;
    const plan: HostPlan = { privateKey, address: `${their}/24`, listenPort: this.#port, mtu: 1420, peers };
    const file = await this.#host.write(this.#name, formatSetconf(plan));
    await this.#host.must(`wg setconf ${this.#name} ${file}`);
  }

  /** `wg set`, without the name. */
  async set(words: string): Promise<void> {
    await this.#host.must(`wg set ${this.#name} ${words}`);
  }

  async listenOn(port: number): Promise<void> {
    await this.set(`listen-port ${port}`);
    this.#port = port;
  }

  /** By public key. */
  async figures(): Promise<ReadonlyMap<string, PeerFigures>> {
    const lines = (await this.#host.must(`wg show ${this.#name} dump`)).split('\n').slice(1);
    return new Map(
      lines
        .map((line) => line.trim().split('\t'))
        .filter((fields) => fields.length >= 8)
        .map(([key = '', , endpoint = '', , latest, received, sent]) => [
          key,
          {
            endpoint,
            latestHandshake: Number(latest),
            receivedBytes: Number(received),
            sentBytes: Number(sent),
          },
        ]),
    );
  }

  get mark(): number {
    return this.#host.log.mark;
  }

  /** This device's own lines since then. */
  entriesSince(mark: number): Entry[] {
    return this.#host.log
      .since(mark)
      .map((line) => this.#host.ownLine(this.#name, line))
      .filter((line) => line !== undefined)
      .map((line) => readLine(this.kind, line));
  }

  /** Their kinds; what the device does at its own time is left out. */
  linesSince(mark: number): (LineKind | 'other')[] {
    return this.entriesSince(mark)
      .map(({ kind }) => kind)
      .filter((kind) => kind !== 'aside');
  }

  /** Waits for a line of this kind that contains the text; rejects when it does not come. */
  async waitFor(kind: LineKind, mark: number, text = ''): Promise<Entry> {
    const read = (line: string): Entry | undefined => {
      const own = this.#host.ownLine(this.#name, line);
      return own === undefined ? undefined : readLine(this.kind, own);
    };
    const fits = (line: string): boolean => {
      const entry = read(line);
      return entry?.kind === kind && entry.text.includes(text);
    };
    const line = await this.#host.log.waitFor(`${kind} ${text}`.trim(), fits, mark);
    return readLine(this.kind, this.#host.ownLine(this.#name, line) ?? '');
  }

  /** Has the system behind it send us a packet through the tunnel; true when our answer came back in time. */
  ask(waitMs: number): Promise<boolean> {
    return this.#host.ask(this.inner.their, this.inner.our, waitMs);
  }

  /** As {@link ask}, without waiting for anything. */
  knock(): Promise<void> {
    return this.#host.knock(this.inner.their, this.inner.our);
  }

  /** What arrives meanwhile is judged in one go: so it is under load if that is much. */
  async whileHeld(work: () => Promise<void>): Promise<void> {
    this.#host.hold(this.#name);
    try {
      await work();
    } finally {
      this.#host.letGo(this.#name);
    }
  }

  close(): Promise<void> {
    return this.#host.end(this.#name);
  }
}

/** Answers what `ask` sends, as the other end's system would: an ICMP echo, or UDP by return. Undefined for anything else. */
export function reflected(packet: Bytes): Bytes | undefined {
  if (packet.length < 28 || packet[0] !== 0x45) return undefined;
  const back = packet.slice();
  back.set(packet.subarray(16, 20), 12);
  back.set(packet.subarray(12, 16), 16);
  if (packet[9] === 17) {
    back.set(packet.subarray(22, 24), 20);
    back.set(packet.subarray(20, 22), 22);
    return back;
  }
  if (packet[9] !== 1 || packet[20] !== 8) return undefined;
  back[20] = 0;
  // the sum of one's complement grows by what the type has lost (RFC 1624)
  const sum = (((packet[22] ?? 0) << 8) | (packet[23] ?? 0)) + 0x0800;
  const folded = (sum & 0xffff) + (sum >>> 16);
  back[22] = folded >>> 8;
  back[23] = folded;
  return back;
}
