/** UDP with what WireGuard needs and dgram cannot do: answers from the address asked, marks, ECN, and who sent an ICMP error. */
import { type Endpoint, endpoint, type IpBytes, parseIp } from '../../base/address.ts';
import { type Bytes, copy, putU16le } from '../../base/bytes.ts';
import {
  BUFFER_BYTES,
  type Family,
  type Outgoing,
  UdpError,
  type UdpHandlers,
  type UdpOptions,
  UdpPort,
} from '../udp.ts';
import { IP_RECVERR, IPV6_RECVERR, readTrouble, type SocketTrouble } from './icmp-error.ts';
import type { Libc } from './libc.ts';
import { MessageHeader } from './message-header.ts';
import type { Poller } from './poller.ts';
import {
  ADDRESS_BYTES,
  AF_INET,
  AF_INET6,
  int,
  readAddress,
  readAncillary,
  writeAddress,
  writeAncillary,
} from './socket-address.ts';

const SOCK_DGRAM = 2;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SO_SNDBUF = 7;
const SO_RCVBUF = 8;
const SO_SNDBUFFORCE = 32;
const SO_RCVBUFFORCE = 33;
const SO_MARK = 36;
const SOL_IP = 0;
const IP_TOS = 1;
const IP_TTL = 2;
const IP_PKTINFO = 8;
const IP_RECVTTL = 12;
const SOL_IPV6 = 41;
const IPV6_V6ONLY = 26;
const IPV6_RECVPKTINFO = 49;
const IPV6_PKTINFO = 50;
const IPV6_RECVHOPLIMIT = 51;
const IPV6_HOPLIMIT = 52;
const IPV6_TCLASS = 67;
const MSG_ERRQUEUE = 0x2000;
const MSG_DONTWAIT = 0x40;
const POLLOUT = 4;
const SOL_UDP = 17;
const UDP_SEGMENT = 103;
/** What one call may carry: the kernel takes 64 datagrams apart, in what fits into one (udp.h). */
const MOST_TOGETHER = 64;
const MOST_BYTES = 65_000;
/** The kernel or the device does not take datagrams apart, or the path is too narrow for it: then each goes alone. */
const BATCHES_REFUSED = 3;

/** Datagrams in one turn, before timers and the interface get theirs. */
const A_TURN = 64;
/** A full send buffer is waited for this long: what is sealed is better sent late than lost. */
const FULL_WAIT_MS = 20;

/** The second may still meet the error of another datagram, or an address to send from that is not ours any more. */
const SEND_ATTEMPTS = 3;
/** What the system answers then, in IPv6 and in IPv4. */
const SOURCE_MAY_BE_GONE = new Set(['EINVAL', 'ENETUNREACH']);

export interface LinuxUdpHandlers extends UdpHandlers {
  /** An ICMP error about something that was sent, or a fault of this machine. */
  onTrouble?(trouble: SocketTrouble): void;
}

export interface LinuxUdpOptions extends UdpOptions {
  /** For policy routing; 0 for none. */
  readonly mark?: number;
}

export type LinuxUdpPort = UdpPort<LinuxUdpSocket>;

/** As {@link UdpPort.open}. */
export function openLinuxPort(
  libc: Libc,
  poller: Poller,
  handlers: LinuxUdpHandlers,
  options: LinuxUdpOptions = {},
): Promise<LinuxUdpPort> {
  return UdpPort.of(options, (address, port) => {
    const ip = parseIp(address);
    if (ip === undefined) throw new UdpError('EINVAL', `${address} is not an address to listen on`);
    return new LinuxUdpSocket(libc, poller, handlers, endpoint(ip, port), options.mark);
  });
}

export class LinuxUdpSocket {
  readonly family: Family;
  readonly port: number;
  readonly #libc: Libc;
  readonly #poller: Poller;
  readonly #fd: number;
  readonly #in: MessageHeader;
  readonly #out: MessageHeader;
  readonly #handlers: LinuxUdpHandlers;
  readonly #batch: Outgoing[] = [];
  readonly #failed: ((code: string) => void)[] = [];
  #batchBytes = 0;
  #corked = false;
  #refusals = 0;
  #closed = false;

  /** Throws an UdpError. */
  constructor(libc: Libc, poller: Poller, handlers: LinuxUdpHandlers, at: Endpoint, mark = 0) {
    this.#libc = libc;
    this.#poller = poller;
    this.#handlers = handlers;
    this.family = at.ip.length === 4 ? 4 : 6;
    const domain = this.family === 4 ? AF_INET : AF_INET6;
    this.#fd = libc.socket(domain, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (this.#fd < 0) throw new UdpError(libc.code(), `no socket can be had (${libc.code()})`);
    this.#options();
    try {
      if (mark !== 0) this.setMark(mark);
      this.port = this.#bind(at);
    } catch (error) {
      libc.close(this.#fd);
      throw error;
    }
    this.#in = new MessageHeader(libc);
    this.#out = new MessageHeader(libc);
    poller.add(this.#fd, () => this.#ready());
  }

  #set(level: number, option: number, value: number): boolean {
    return this.#libc.setsockopt(this.#fd, level, option, int(value), 4) === 0;
  }

  #options(): void {
    if (this.family === 6) {
      this.#set(SOL_IPV6, IPV6_V6ONLY, 1);
      this.#set(SOL_IPV6, IPV6_RECVPKTINFO, 1);
      this.#set(SOL_IPV6, IPV6_RECVHOPLIMIT, 1);
      this.#set(SOL_IPV6, IPV6_RECVERR, 1);
    } else {
      this.#set(SOL_IP, IP_PKTINFO, 1);
      this.#set(SOL_IP, IP_RECVTTL, 1);
      this.#set(SOL_IP, IP_RECVERR, 1);
    }
    // Beyond the system's limit where we may, up to it where not.
    if (!this.#set(SOL_SOCKET, SO_RCVBUFFORCE, BUFFER_BYTES)) this.#set(SOL_SOCKET, SO_RCVBUF, BUFFER_BYTES);
    if (!this.#set(SOL_SOCKET, SO_SNDBUFFORCE, BUFFER_BYTES)) this.#set(SOL_SOCKET, SO_SNDBUF, BUFFER_BYTES);
  }

  #bind(at: Endpoint): number {
    const address = new Uint8Array(ADDRESS_BYTES);
    if (this.#libc.bind(this.#fd, address, writeAddress(at, address)) < 0) {
      const code = this.#libc.code();
      throw new UdpError(code, `UDP port ${at.port} cannot be opened (${code})`);
    }
    this.#libc.getsockname(this.#fd, address, new Uint32Array([ADDRESS_BYTES]));
    return readAddress(address)?.port ?? at.port;
  }

  /** Throws an UdpError: it needs CAP_NET_ADMIN. */
  setMark(mark: number): void {
    if (this.#set(SOL_SOCKET, SO_MARK, mark)) return;
    const code = this.#libc.code();
    throw new UdpError(code, `the socket cannot be marked (${code})`);
  }

  /**
   * Until {@link uncork}, datagrams of one size to one place are gathered and leave in one call (UDP GSO). Their bytes must
   * stay as they are until then.
   */
  cork(): void {
    this.#corked = this.#refusals < BATCHES_REFUSED;
  }

  uncork(): void {
    this.#corked = false;
    this.#flush();
  }

  send(message: Outgoing, failed: (code: string) => void): void {
    if (this.#closed) return;
    if (!this.#corked) {
      this.#sendAlone(message, failed);
      return;
    }
    const { bytes } = message;
    const [first] = this.#batch;
    if (first !== undefined && !this.#joins(first, message)) this.#flush();
    this.#batch.push(message);
    this.#failed.push(failed);
    this.#batchBytes += bytes.length;
  }

  /** The kernel cuts at the length of the first: only the last may be shorter. */
  #joins(first: Outgoing, { bytes, to, local, tos = 0 }: Outgoing): boolean {
    const last = this.#batch[this.#batch.length - 1];
    return (
      this.#batch.length < MOST_TOGETHER &&
      this.#batchBytes + bytes.length <= MOST_BYTES &&
      bytes.length <= first.bytes.length &&
      last?.bytes.length === first.bytes.length &&
      to.text === first.to.text &&
      local?.text === first.local?.text &&
      tos === (first.tos ?? 0)
    );
  }

  #flush(): void {
    const [first] = this.#batch;
    if (first === undefined) return;
    const sent = this.#batch.length > 1 && this.#sendTogether(first);
    if (!sent) {
      for (const [i, message] of this.#batch.entries()) {
        const failed = this.#failed[i];
        if (failed !== undefined) this.#sendAlone(message, failed);
      }
    }
    this.#batch.length = 0;
    this.#failed.length = 0;
    this.#batchBytes = 0;
  }

  /** False where they did not leave: each alone may, or tells why not. */
  #sendTogether({ bytes, to, local, tos = 0 }: Outgoing): boolean {
    const header = this.#out;
    let at = 0;
    for (const message of this.#batch) {
      header.payload.set(message.bytes, at);
      at += message.bytes.length;
    }
    const size = new Uint8Array(2);
    putU16le(size, 0, bytes.length);
    const control = writeAncillary(header.control, this.#writeControl(local?.ip, tos), {
      level: SOL_UDP,
      type: UDP_SEGMENT,
      data: size,
    });
    header.filled(writeAddress(to, header.name), control, at);
    if (this.#libc.sendmsg(this.#fd, header.address, MSG_DONTWAIT) >= 0) {
      this.#refusals = 0;
      return true;
    }
    const code = this.#libc.code();
    if (code !== 'EAGAIN') {
      this.#refusals++;
      return false;
    }
    this.#waitForRoom();
    return this.#libc.sendmsg(this.#fd, header.address, MSG_DONTWAIT) >= 0;
  }

  #sendAlone({ bytes, to, local, tos = 0 }: Outgoing, failed: (code: string) => void): void {
    let from = local?.ip;
    let code: string | undefined;
    // Errors of earlier datagrams are told here first.
    for (let attempt = 0; attempt < SEND_ATTEMPTS; attempt++) {
      code = this.#sendOnce(bytes, to, from, tos);
      if (code === undefined) return;
      if (code === 'EAGAIN') break;
      if (SOURCE_MAY_BE_GONE.has(code)) from = undefined;
    }
    if (code !== undefined) failed(code);
  }

  #sendOnce(bytes: Bytes, to: Endpoint, from: IpBytes | undefined, tos: number): string | undefined {
    const header = this.#out;
    if (bytes.length > header.payload.length) return 'EMSGSIZE';
    header.payload.set(bytes);
    const control = this.#writeControl(from, tos);
    header.filled(writeAddress(to, header.name), control, bytes.length);
    if (this.#libc.sendmsg(this.#fd, header.address, MSG_DONTWAIT) >= 0) return undefined;
    const code = this.#libc.code();
    if (code !== 'EAGAIN') return code;
    this.#waitForRoom();
    return this.#libc.sendmsg(this.#fd, header.address, MSG_DONTWAIT) >= 0 ? undefined : this.#libc.code();
  }

  #writeControl(from: IpBytes | undefined, tos: number): number {
    const { control } = this.#out;
    let at = 0;
    if (from !== undefined && (from.length === 4) === (this.family === 4)) {
      // in_pktinfo: interface, source, (destination); in6_pktinfo: source, interface. No interface: routes decide.
      const data = new Uint8Array(this.family === 4 ? 12 : 20);
      data.set(from, this.family === 4 ? 4 : 0);
      const [level, type] = this.family === 4 ? [SOL_IP, IP_PKTINFO] : [SOL_IPV6, IPV6_PKTINFO];
      at = writeAncillary(control, at, { level, type, data });
    }
    if (tos !== 0) {
      const [level, type] = this.family === 4 ? [SOL_IP, IP_TOS] : [SOL_IPV6, IPV6_TCLASS];
      at = writeAncillary(control, at, { level, type, data: int(tos) });
    }
    return at;
  }

  #waitForRoom(): void {
    const entry = this.#libc.allocate(8);
    const view = new DataView(entry.bytes.buffer, entry.bytes.byteOffset, 8);
    view.setInt32(0, this.#fd, true);
    view.setUint32(4, POLLOUT, true);
    this.#libc.poll(entry.address, 1, FULL_WAIT_MS);
    entry.free();
  }

  #ready(): void {
    for (let i = 0; i < A_TURN && !this.#closed; i++) {
      const length = this.#receive(MSG_DONTWAIT);
      if (length < 0) {
        // EAGAIN: there is no more. Anything else is an error that the queue below tells in full.
        if (this.#libc.code() === 'EAGAIN') break;
        continue;
      }
      const from = readAddress(this.#in.name);
      if (from === undefined) continue;
      const { local, hopLimit } = this.#arrival();
      this.#handlers.onDatagram(copy(this.#in.payload.subarray(0, length)), from, local, hopLimit);
    }
    for (let i = 0; i < A_TURN && !this.#closed; i++) {
      if (this.#receive(MSG_DONTWAIT | MSG_ERRQUEUE) < 0) break;
      const trouble = readTrouble(this.#control(), readAddress(this.#in.name));
      if (trouble !== undefined) this.#handlers.onTrouble?.(trouble);
    }
  }

  #receive(flags: number): number {
    this.#in.empty();
    return this.#libc.recvmsg(this.#fd, this.#in.address, flags);
  }

  #control(): Bytes {
    return this.#in.control.subarray(0, this.#in.controlLength);
  }

  /** Where it was sent to, so that the answer can come from there; and how many hops it had left. */
  #arrival(): { readonly local: Endpoint | undefined; readonly hopLimit: number | undefined } {
    let local: Endpoint | undefined;
    let hopLimit: number | undefined;
    for (const { level, type, data } of readAncillary(this.#control())) {
      if (level === SOL_IP && type === IP_PKTINFO) local = endpoint(copy(data.subarray(8, 12)), this.port);
      else if (level === SOL_IPV6 && type === IPV6_PKTINFO) local = endpoint(copy(data.subarray(0, 16)), this.port);
      else if ((level === SOL_IP && type === IP_TTL) || (level === SOL_IPV6 && type === IPV6_HOPLIMIT))
        [hopLimit] = data;
    }
    return { local, hopLimit };
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#poller.remove(this.#fd);
    this.#libc.close(this.#fd);
    this.#in.free();
    this.#out.free();
  }
}
