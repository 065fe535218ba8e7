/** Our end: a tunnel in this process, everything that it says written down, and the system behind it played by hand. */

import { parseIp } from '../../../src/base/address.ts';
import type { Bytes } from '../../../src/base/bytes.ts';
import { parseWgConf } from '../../../src/config/wg-quick.ts';
import { echoRequest, readEchoAnswer } from '../../../src/io/echo.ts';
import { openTunnel, type Tunnel } from '../../../src/io/tunnel.ts';
import { UdpPort } from '../../../src/io/udp.ts';
import type { Drop } from '../../../src/wg/drop.ts';
import type { DeviceEvent, Verdict } from '../../../src/wg/step.ts';
import type { Inner } from './remote.ts';
import { reflected } from './remote.ts';
import { ShiftedClock } from './shifted-clock.ts';

export interface OursOptions {
  readonly privateKey: string;
  readonly peer: {
    readonly publicKey: string;
    readonly presharedKey?: string;
    readonly endpoint?: string;
  };
  readonly inner: Inner;
  /** Of our own addresses, the one to be at. */
  readonly address: string;
  readonly port?: number;
  readonly clock?: ShiftedClock;
}

export interface Judged {
  readonly from: string;
  readonly bytes: Bytes;
  readonly verdict: Verdict;
}

const WAIT_MS = 15_000;
const ECHO_ID = 0x7777;

const ipOf = (text: string): Bytes => parseIp(text) ?? new Uint8Array(4);

export class Ours {
  readonly clock: ShiftedClock;
  readonly events: DeviceEvent[] = [];
  readonly drops: Drop[] = [];
  readonly judged: Judged[] = [];
  readonly sent: Bytes[] = [];
  readonly #inner: Inner;
  readonly #looking = new Set<() => void>();
  readonly #replies = new Set<number>();
  #address: string;
  #tunnel: Tunnel | undefined;
  #sequence = 0;

  private constructor({ inner, address, clock }: OursOptions) {
    this.#inner = inner;
    this.#address = address;
    this.clock = clock ?? new ShiftedClock();
  }

  static async open(options: OursOptions): Promise<Ours> {
    const ours = new Ours(options);
    await ours.#open(options);
    return ours;
  }

  async #open({ privateKey, peer, inner, port = 0 }: OursOptions): Promise<void> {
    const { publicKey, presharedKey, endpoint } = peer;
    const lines = ['[Interface]', `PrivateKey = ${privateKey}`, '[Peer]', `PublicKey = ${publicKey}`];
    lines.push(`AllowedIPs = ${inner.their}/32, ${inner.their6}/128`);
    if (presharedKey !== undefined) lines.push(`PresharedKey = ${presharedKey}`);
    if (endpoint !== undefined) lines.push(`Endpoint = ${endpoint}`);
    this.#tunnel = await openTunnel({
      conf: parseWgConf(lines.join('\n')).conf,
      listenPort: port,
      clock: this.clock,
      openPort: (handlers, wanted) => UdpPort.open(handlers, { ...wanted, addresses: [this.#address] }),
      onPacket: (packet) => this.#packet(packet),
      onEvent: (event) => this.#note(this.events, event),
      onDrop: (drop) => this.#note(this.drops, drop),
      onSend: ({ bytes }) => this.#note(this.sent, bytes.slice()),
      onDatagram: (verdict, from, bytes) => {
        this.#note(this.judged, { from: from.text, bytes: bytes.slice(), verdict });
      },
    });
  }

  get tunnel(): Tunnel {
    if (this.#tunnel === undefined) throw new Error('the tunnel is not open');
    return this.#tunnel;
  }

  get endpoint(): string {
    return `${this.#address}:${this.tunnel.port}`;
  }

  get peer() {
    const [peer] = this.tunnel.status();
    if (peer === undefined) throw new Error('the tunnel has no peer');
    return peer;
  }

  get happenings(): string[] {
    return this.events.map(({ what }) => what);
  }

  /** Another port, and another address where one is given: as behind a NAT that forgot us, or on another network. */
  async roam(address = this.#address): Promise<void> {
    this.#address = address;
    await this.tunnel.rebind(0);
  }

  /** An echo request to the inside of the other end. */
  echo(): Promise<void> {
    const sequence = ++this.#sequence;
    const [from, to] = [ipOf(this.#inner.our), ipOf(this.#inner.their)];
    this.tunnel.send(echoRequest({ from, to, id: ECHO_ID, sequence, size: 84 }));
    return this.until('an echo', () => this.#replies.has(sequence));
  }

  /** Only the first step: nobody waits for the answer. */
  knock(): void {
    this.echo().catch(() => {});
  }

  /** Looks again whenever something has happened. */
  until(what: string, holds: () => boolean, ms = WAIT_MS): Promise<void> {
    if (holds()) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const end = (): void => {
        clearTimeout(timer);
        this.#looking.delete(look);
      };
      const look = (): void => {
        if (!holds()) return;
        end();
        resolve();
      };
      const timer = setTimeout(() => {
        end();
        const drops = this.drops.slice(-5).map(({ kind }) => kind);
        reject(new Error(`waited in vain for ${what}; events ${this.happenings.join(' ')}; drops ${drops.join(' ')}`));
      }, ms);
      this.#looking.add(look);
    });
  }

  dropped(kind: Drop['kind'], ms = WAIT_MS): Promise<void> {
    return this.until(kind, () => this.drops.some((drop) => drop.kind === kind), ms);
  }

  async close(): Promise<void> {
    await this.#tunnel?.close();
  }

  #packet(packet: Bytes): void {
    const answer = readEchoAnswer(packet, { to: ipOf(this.#inner.their), id: ECHO_ID });
    if (answer?.kind === 'reply') this.#replies.add(answer.sequence);
    const back = reflected(packet);
    if (back !== undefined) this.tunnel.send(back);
    this.#look();
  }

  #note<T>(list: T[], one: T): void {
    list.push(one);
    this.#look();
  }

  #look(): void {
    for (const look of [...this.#looking]) look();
  }
}
