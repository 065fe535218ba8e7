/** UDP over node:dgram: one port in IPv4 and IPv6 as WireGuard listens, and sockets connected to one far end. */
import { createSocket, type RemoteInfo, type Socket, type SocketType } from 'node:dgram';
import { type Endpoint, endpoint, formatIp, parseIp } from '../base/address.ts';
import type { Bytes } from '../base/bytes.ts';

export interface UdpHandlers {
  /** `bytes` are the handler's; where they were sent to, and their TTL, only where the socket can tell. */
  onDatagram(bytes: Bytes, from: Endpoint, local?: Endpoint, hopLimit?: number): void;
  /**
   * An ICMP error came back, or the socket is in trouble: `code` is ECONNREFUSED, EHOSTUNREACH and the like. Of Node's
   * own sockets only a connected one hears of ICMP errors, and says what it is connected to; who sent it is not told.
   */
  onError?(code: string, to: Endpoint | undefined, icmp?: IcmpReport): void;
}

export interface Outgoing {
  readonly bytes: Bytes;
  readonly to: Endpoint;
  /** The address to send from. Plain Node leaves that to the routes. */
  readonly local?: Endpoint | undefined;
  /** The whole byte of traffic class: DSCP and ECN. Plain Node sends 0. */
  readonly tos?: number;
}

/** One UDP port in every family that is there. */
export interface DatagramPort {
  readonly port: number;
  /** `failed` gets the code of what kept the message from leaving. */
  send(message: Outgoing, failed: (code: string) => void): void;
  close(): Promise<void>;
}

/** An ICMP error in full. */
export interface IcmpReport {
  readonly family: 4 | 6;
  readonly type: number;
  readonly code: number;
  /** Who sent it: a router on the way, or the far end. */
  readonly from: string;
  /** Of the next hop, where the error is that the datagram was too large. */
  readonly mtu?: number;
}

/** No socket could be opened: the port is taken, or not ours to take. */
export class UdpError extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.name = 'UdpError';
    this.code = code;
  }
}

export type Family = 4 | 6;

const SOCKET_TYPE: Readonly<Record<Family, SocketType>> = { 4: 'udp4', 6: 'udp6' };
/** Room for bursts; the system may grant less. */
export const BUFFER_BYTES = 1 << 20;

export const familyOf = ({ ip }: Endpoint): Family => (ip.length === 4 ? 4 : 6);

export function errorCode(error: unknown): string {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code;
  return error instanceof Error ? error.message : String(error);
}

/** The zone of a link-local address is lost: answers to such go out by the routing table. */
function sender({ address, port }: RemoteInfo): Endpoint | undefined {
  const zone = address.indexOf('%');
  const ip = parseIp(zone < 0 ? address : address.slice(0, zone));
  return ip === undefined ? undefined : endpoint(ip, port);
}

/** One socket of one family. `close` waits for what is still on its way out. */
export class UdpSocket {
  readonly family: Family;
  readonly #socket: Socket;
  #connectedTo: Endpoint | undefined;
  #pending = 0;
  #closing: (() => void) | undefined;
  #closed = false;

  constructor(family: Family, handlers: UdpHandlers, options: { readonly shared?: boolean } = {}) {
    this.family = family;
    this.#socket = createSocket({
      type: SOCKET_TYPE[family],
      ipv6Only: family === 6,
      reuseAddr: options.shared ?? false,
    });
    this.#socket.on('message', (message, info) => {
      const from = sender(info);
      if (from === undefined || this.#closed) return;
      handlers.onDatagram(new Uint8Array(message.buffer, message.byteOffset, message.byteLength), from);
    });
    this.#socket.on('error', (error) => handlers.onError?.(errorCode(error), this.#connectedTo));
  }

  get port(): number {
    return this.#socket.address().port;
  }

  /** 0 for any. Rejects with an UdpError. */
  bind(port: number, address?: string): Promise<void> {
    const socket = this.#socket;
    return new Promise((resolve, reject) => {
      const fail = (error: Error): void => {
        const code = errorCode(error);
        reject(new UdpError(code, `UDP port ${port} cannot be opened (${code})`));
      };
      socket.once('error', fail);
      socket.bind({ port, ...(address === undefined ? {} : { address }), exclusive: true }, () => {
        socket.off('error', fail);
        // The system's limits stand where they are lower, and on the smallest systems it may refuse.
        try {
          socket.setRecvBufferSize(BUFFER_BYTES);
          socket.setSendBufferSize(BUFFER_BYTES);
        } catch {}
        resolve();
      });
    });
  }

  /** From then on only this far end is heard, and ICMP errors about it are told. Rejects with an UdpError. */
  connect(to: Endpoint): Promise<void> {
    this.#connectedTo = to;
    return new Promise((resolve, reject) => {
      this.#socket.connect(to.port, formatIp(to.ip), (error?: Error) => {
        if (error === undefined || error === null) return resolve();
        const code = errorCode(error);
        reject(new UdpError(code, `${to.text} cannot be reached from here (${code})`));
      });
    });
  }

  send({ bytes, to }: Outgoing, failed: (code: string) => void): void {
    if (this.#closed) return;
    this.#pending++;
    const sent = (error: Error | null): void => {
      this.#pending--;
      if (error !== null) failed(errorCode(error));
      if (this.#pending === 0) this.#closing?.();
    };
    if (this.#connectedTo !== undefined) this.#socket.send(bytes, sent);
    else this.#socket.send(bytes, to.port, formatIp(to.ip), sent);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#pending > 0) await new Promise<void>((resolve) => (this.#closing = resolve));
    await new Promise<void>((resolve) => this.#socket.close(resolve));
  }
}

export interface UdpOptions {
  /** 0 for any. */
  readonly port?: number;
  /** Only these addresses are listened on; all of both families unless told. */
  readonly addresses?: readonly string[];
}

/** How often a port that is free in one family may turn out to be taken in the other. */
const PORT_ATTEMPTS = 10;

/** What a port is made of. */
export interface FamilySocket {
  readonly family: Family;
  readonly port: number;
  send(message: Outgoing, failed: (code: string) => void): void;
  close(): Promise<void> | void;
}

/** The same port in every family that the machine has. */
export class UdpPort<S extends FamilySocket = UdpSocket> implements DatagramPort {
  readonly sockets: readonly S[];

  private constructor(sockets: readonly S[]) {
    this.sockets = sockets;
  }

  /** Rejects with an UdpError where no family can have the port. */
  static open(handlers: UdpHandlers, options: UdpOptions = {}): Promise<UdpPort> {
    return UdpPort.of(options, async (address, port) => {
      const socket = new UdpSocket(address.includes(':') ? 6 : 4, handlers);
      try {
        await socket.bind(port, address);
        return socket;
      } catch (error) {
        await socket.close();
        throw error;
      }
    });
  }

  /** Of any kind of socket: `open` rejects with an UdpError. */
  static async of<S extends FamilySocket>(
    { port = 0, addresses = ['0.0.0.0', '::'] }: UdpOptions,
    open: (address: string, port: number) => Promise<S> | S,
  ): Promise<UdpPort<S>> {
    for (let attempt = 1; ; attempt++) {
      try {
        return new UdpPort(await openAll(port, addresses, open));
      } catch (error) {
        const another = port === 0 && attempt < PORT_ATTEMPTS && errorCode(error) === 'EADDRINUSE';
        if (!another) throw error;
      }
    }
  }

  get port(): number {
    return this.sockets[0]?.port ?? 0;
  }

  send(message: Outgoing, failed: (code: string) => void): void {
    const family = familyOf(message.to);
    const socket = this.sockets.find((one) => one.family === family);
    if (socket === undefined) failed('EAFNOSUPPORT');
    else socket.send(message, failed);
  }

  async close(): Promise<void> {
    await Promise.all(this.sockets.map((socket) => socket.close()));
  }
}

/** A family that this machine does not have is left out, unless there is no other. */
const NO_SUCH_FAMILY = new Set(['EAFNOSUPPORT', 'EADDRNOTAVAIL', 'EPROTONOSUPPORT']);

async function openAll<S extends FamilySocket>(
  port: number,
  addresses: readonly string[],
  one: (address: string, port: number) => Promise<S> | S,
): Promise<S[]> {
  const open: S[] = [];
  let lacking: unknown;
  for (const address of addresses) {
    try {
      open.push(await one(address, open[0]?.port ?? port));
    } catch (error) {
      lacking = error;
      if (NO_SUCH_FAMILY.has(errorCode(error))) continue;
      await Promise.all(open.map((other) => other.close()));
      throw error;
    }
  }
  if (open.length === 0) throw lacking ?? new UdpError('EADDRNOTAVAIL', 'there is no address to listen on');
  return open;
}
