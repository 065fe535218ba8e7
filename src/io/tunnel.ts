/** A tunnel in this process: a configuration and UDP sockets around a device; the program's own IP packets in and out. */
import type { Endpoint } from '../base/address.ts';
import { toBase64 } from '../base/base64.ts';
import { type Bytes, u8 } from '../base/bytes.ts';
import type { ConfEndpoint, WgConf, WgPeer } from '../config/wg-conf.ts';
import type { Crypto } from '../crypto/port.ts';
import { REKEY_TIMEOUT_MS, TYPE } from '../wg/constants.ts';
import { Device } from '../wg/device.ts';
import type { Drop, PeerId } from '../wg/drop.ts';
import type { KeyLogSink } from '../wg/key-log.ts';
import type { Policy } from '../wg/policy.ts';
import type { Random } from '../wg/random.ts';
import type { PeerStatus } from '../wg/status.ts';
import type { DeviceEvent, PeerChange, Verdict } from '../wg/step.ts';
import { type Clock, systemClock } from './clock.ts';
import { fastestOnNode } from './fastest-crypto.ts';
import { systemRandom } from './random.ts';
import { type Lookup, type LookupFault, resolveEndpoint, systemLookup } from './resolve.ts';
import { DeviceDriver, type DeviceHooks, type SendEffect } from './run-device.ts';
import { type DatagramPort, type UdpHandlers, type UdpOptions, UdpPort } from './udp.ts';

/** What a name in `Endpoint` turned out to be: the address that is tried now and the one before, or none, and why. */
export type LookedUp =
  | { readonly kind: 'found'; readonly host: string; readonly from: Endpoint | undefined; readonly to: Endpoint }
  | ({ readonly kind: 'unresolved' } & LookupFault);

export interface TunnelOptions {
  /** As `parseWgConf` gives it: keys, peers, port and MTU are used, addresses, routes and hooks are not. */
  readonly conf: WgConf;
  /** Instead of the ListenPort of the configuration; 0 for any. */
  readonly listenPort?: number;
  /** Local addresses to listen on; all of IPv4 and IPv6 unless told. */
  readonly listenOn?: readonly string[];
  /** An inner IP packet from that peer. It is the caller's. */
  readonly onPacket?: (packet: Bytes, peer: PeerId) => void;
  readonly onEvent?: (event: DeviceEvent, peer: PeerId) => void;
  /**
   * An initiation leaves, and the one before it was not answered. More than the retries of the timer: under constant traffic
   * it is nearly always a packet that begins the handshake anew (kernel send.c, wg_packet_send_queued_handshake_initiation).
   */
  readonly onUnanswered?: (peer: PeerId) => void;
  /** Everything that was refused, and why; `from` of what came in. */
  readonly onDrop?: (drop: Drop, from?: Endpoint) => void;
  /** Every datagram that came, before anything is done with it. */
  readonly onReceive?: UdpHandlers['onDatagram'];
  /** Every datagram that leaves. */
  readonly onSend?: (message: SendEffect) => void;
  /** The verdict on each datagram; refusals are told to `onDrop` as well. */
  readonly onDatagram?: DeviceHooks['onDatagram'];
  /** Gets lines with secrets in Wireshark's form; see the key log of `wgwhy diagnose`. */
  readonly keyLog?: KeyLogSink;
  readonly policy?: Policy;
  readonly crypto?: Crypto;
  readonly random?: Random;
  readonly clock?: Clock;
  readonly lookUp?: Lookup;
  /** Of every look-up but those in the beginning that went well. */
  readonly onLookUp?: (found: LookedUp, peer: PeerId) => void;
  /** Other sockets than Node's own. */
  readonly openPort?: (handlers: UdpHandlers, options: UdpOptions) => Promise<DatagramPort>;
}

/** The configuration cannot make a tunnel. */
export class TunnelError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'TunnelError';
  }
}

/** A peer whose endpoint is a name, and the address that is tried now. */
interface Named {
  readonly peer: WgPeer;
  readonly endpoint: ConfEndpoint;
  at: number;
  /** Monotonic milliseconds; there is one look-up at a time. */
  lastMs: number;
  busy: boolean;
}

/** Between two look-ups of one name: no more often than handshakes are tried. */
const LOOK_UP_EVERY_MS = REKEY_TIMEOUT_MS;

export class Tunnel {
  /** For changes while it runs; see {@link DeviceDriver.configure}. */
  readonly driver: DeviceDriver;
  readonly #clock: Clock;
  readonly #options: TunnelOptions;
  readonly #named = new Map<PeerId, Named>();
  /** Peers that were sent an initiation since their last handshake. */
  readonly #asked = new Set<PeerId>();
  readonly #openPort: (port: number) => Promise<DatagramPort>;
  #port: DatagramPort | undefined;
  #closed = false;

  /** Use {@link openTunnel}. */
  constructor(options: TunnelOptions) {
    const { conf, onPacket, onEvent, onDrop, onDatagram, onReceive, onSend, keyLog, policy, listenOn } = options;
    const mtu = conf.interface.mtu?.value;
    const device = new Device({
      crypto: options.crypto ?? fastestOnNode(),
      random: options.random ?? systemRandom,
      ...(keyLog === undefined ? {} : { keyLog }),
      ...(policy === undefined ? {} : { policy }),
      ...(mtu === undefined ? {} : { mtu }),
    });
    this.#clock = options.clock ?? systemClock;
    this.#options = options;
    const handlers: UdpHandlers = {
      onDatagram: (bytes, from, local, hopLimit) => {
        onReceive?.(bytes, from, local, hopLimit);
        this.driver.datagram(bytes, from, local);
      },
    };
    const openPort = options.openPort ?? UdpPort.open;
    this.#openPort = (port) => openPort(handlers, { port, ...(listenOn === undefined ? {} : { addresses: listenOn }) });
    this.driver = new DeviceDriver(device, this.#clock, {
      send: (message) => {
        onSend?.(message);
        const { to, peer } = message;
        this.#port?.send(message, (code) => this.driver.socketError(peer, to, code));
        if (u8(message.bytes, 0) === TYPE.initiation && peer !== undefined) this.#initiated(peer);
      },
      onEvent: (event, peer) => {
        if (event.what === 'handshake-complete') this.#asked.delete(peer);
        onEvent?.(event, peer);
      },
      onDrop: (drop, from) => {
        if (drop.kind === 'no-endpoint') void this.#lookUpAgain(drop.peer);
        if (drop.kind === 'handshake-gave-up') this.#asked.delete(drop.peer);
        onDrop?.(drop, from);
      },
      ...(onPacket === undefined ? {} : { onPacket }),
      ...(onDatagram === undefined ? {} : { onDatagram }),
    });
  }

  /** Of the UDP sockets. */
  get port(): number {
    return this.#port?.port ?? 0;
  }

  /** Seals an inner IP packet to the peer whose AllowedIPs cover its destination; the verdict says why not, if not. */
  send(packet: Bytes): Verdict {
    const verdict = this.driver.packet(packet);
    if (verdict.kind === 'refused' && verdict.drop.kind === 'no-endpoint') void this.#lookUpAgain(verdict.drop.peer);
    return verdict;
  }

  /** What `wg show` tells, for each peer. */
  status(): PeerStatus[] {
    return this.driver.device.peers();
  }

  /** Ends sockets and timers and wipes the keys. The other side is told nothing: WireGuard has no words for it. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.driver.close();
    await this.#port?.close();
  }

  /** Use {@link openTunnel}. */
  async open(): Promise<void> {
    const { conf, listenPort } = this.#options;
    const secret = conf.interface.privateKey?.value;
    if (secret === undefined) throw new TunnelError('the configuration has no PrivateKey that can be used');
    this.#port = await this.#openPort(listenPort ?? conf.interface.listenPort?.value ?? 0);
    this.driver.configure({ change: 'private-key', privateKey: secret });
    await Promise.all(conf.peers.map((peer) => this.#addPeer(peer)));
  }

  /** Another port, for good. Rejects with an UdpError, and then the old one stays. */
  async rebind(port: number): Promise<void> {
    if (port === this.#port?.port) return;
    const next = await this.#openPort(port);
    const old = this.#port;
    if (this.#closed) await next.close();
    else this.#port = next;
    await old?.close();
  }

  /** From now on this peer's endpoint is what it was told to be, and its name is not looked up any more. */
  forgetName(peer: PeerId): void {
    this.#named.delete(peer);
  }

  get #lookUp(): Lookup {
    return this.#options.lookUp ?? systemLookup;
  }

  async #addPeer(peer: WgPeer): Promise<void> {
    const { publicKey, presharedKey, endpoint, persistentKeepalive, allowedIps } = peer;
    if (publicKey === undefined) return;
    const known = endpoint === undefined ? undefined : await resolveEndpoint(endpoint.value, this.#lookUp);
    if (this.#closed) return;
    const first = known?.ok === true ? known.value[0] : undefined;
    if (known?.ok === false) this.#unresolved(known.error, toBase64(publicKey.value));
    if (endpoint !== undefined && endpoint.value.ip === undefined) {
      this.#named.set(toBase64(publicKey.value), {
        peer,
        endpoint: endpoint.value,
        at: first === undefined ? -1 : 0,
        lastMs: this.#clock.now().monoMs,
        busy: false,
      });
    }
    const change: PeerChange = {
      change: 'peer',
      publicKey: publicKey.value,
      replaceAllowedIps: true,
      allowedIps: allowedIps.map(({ value }) => value),
      ...(presharedKey === undefined ? {} : { presharedKey: presharedKey.value }),
      ...(first === undefined ? {} : { endpoint: first }),
      ...(persistentKeepalive === undefined ? {} : { persistentKeepalive: persistentKeepalive.value }),
    };
    const verdict = this.driver.configure(change);
    if (verdict.kind === 'refused') this.#options.onDrop?.(verdict.drop);
  }

  #initiated(peer: PeerId): void {
    if (!this.#asked.has(peer)) {
      this.#asked.add(peer);
      return;
    }
    // The name may have moved to another address, or its next address may be the one that works.
    void this.#lookUpAgain(peer);
    this.#options.onUnanswered?.(peer);
  }

  /** Takes the next of the addresses that the name has now. */
  async #lookUpAgain(id: PeerId): Promise<void> {
    const named = this.#named.get(id);
    const publicKey = named?.peer.publicKey?.value;
    if (named === undefined || publicKey === undefined || named.busy) return;
    const { monoMs } = this.#clock.now();
    if (monoMs - named.lastMs < LOOK_UP_EVERY_MS) return;
    named.lastMs = monoMs;
    named.busy = true;
    const found = await resolveEndpoint(named.endpoint, this.#lookUp);
    named.busy = false;
    // Meanwhile the peer may have been removed, or told where to write to.
    if (this.#closed || this.#named.get(id) !== named) return;
    if (!found.ok) return this.#unresolved(found.error, id);
    named.at = (named.at + 1) % found.value.length;
    const to = found.value[named.at];
    if (to === undefined) return;
    const from = this.status().find((peer) => peer.id === id)?.endpoint;
    this.driver.configure({ change: 'peer', publicKey, endpoint: to });
    this.#options.onLookUp?.({ kind: 'found', host: named.endpoint.host, from, to }, id);
  }

  #unresolved(fault: LookupFault, peer: PeerId): void {
    this.#options.onLookUp?.({ kind: 'unresolved', ...fault }, peer);
  }
}

/**
 * Opens the sockets and configures the device. Without root, without an interface: inner packets are the caller's.
 * Rejects with a TunnelError when there is no private key, with an UdpError when the port cannot be had. A name that
 * cannot be looked up is looked up again with each handshake that goes unanswered.
 */
export async function openTunnel(options: TunnelOptions): Promise<Tunnel> {
  const tunnel = new Tunnel(options);
  try {
    await tunnel.open();
  } catch (error) {
    await tunnel.close();
    throw error;
  }
  return tunnel;
}
