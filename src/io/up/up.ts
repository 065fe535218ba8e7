/** A tunnel with an interface of this machine: TUN device, sockets, addresses, routes, and all of it taken back in the end. */
import { type Endpoint, endpoint } from '../../base/address.ts';
import type { Bytes } from '../../base/bytes.ts';
import type { UapiChange } from '../../config/uapi.ts';
import type { WgConf } from '../../config/wg-conf.ts';
import type { Drop, PeerId } from '../../wg/drop.ts';
import type { PeerStatus } from '../../wg/status.ts';
import type { DeviceEvent } from '../../wg/step.ts';
import type { Clock } from '../clock.ts';
import type { SocketTrouble } from '../linux/icmp-error.ts';
import type { Libc } from '../linux/libc.ts';
import { Poller } from '../linux/poller.ts';
import { sourceFor } from '../linux/source-address.ts';
import { TunDevice } from '../linux/tun.ts';
import { type LinuxUdpPort, type LinuxUdpSocket, openLinuxPort } from '../linux/udp.ts';
import type { Lookup } from '../resolve.ts';
import { type LookedUp, openTunnel, type Tunnel, type TunnelOptions } from '../tunnel.ts';
import { deviceTarget } from '../uapi/device-target.ts';
import { openUapi, type UapiTarget } from '../uapi/server.ts';
import { UapiError } from '../uapi/socket-file.ts';
import { unreachable } from '../unreachable.ts';
import { Guard } from './guard.ts';
import { OuterCapture } from './outer-capture.ts';
import { ownDatagram } from './own-datagram.ts';
import { OwnFile } from './own-file.ts';
import { needsMark, planDown, planNotes, planSetup, type SetupFacts } from './plan.ts';
import { findMtu, freeTable, hasProgram, runCommand, SetupError } from './system.ts';

export interface UpOptions {
  readonly conf: WgConf;
  /** Of the interface. */
  readonly name: string;
  readonly clock: Clock;
  readonly lookUp?: Lookup;
  /** PreUp, PostUp, PreDown and PostDown are run. */
  readonly hooks?: boolean;
  /** Paths of files to write. */
  readonly keyLog?: string;
  readonly pcap?: string;
  onEvent?(event: DeviceEvent, peer: PeerId): void;
  /** See {@link TunnelOptions.onUnanswered}. */
  onUnanswered?(peer: PeerId): void;
  onDrop?(drop: Drop, from?: Endpoint): void;
  onTrouble?(trouble: SocketTrouble): void;
  /** A datagram of ours to that endpoint came back as a packet for the tunnel; it was dropped. */
  onLoop?(to: Endpoint): void;
  onLookUp?(found: LookedUp, peer: PeerId): void;
  /** Made by wg, while the tunnel runs. */
  onChange?(changes: readonly UapiChange[]): void;
  /** Somebody deleted the interface or its control socket, which asks the program to end: `ip link del`, `wg-quick down`. */
  onGone?(why: string): void;
  /** Something to know that keeps nothing from working. */
  onNote?(note: string): void;
}

/** What is undone when the tunnel ends or does not come up, the last first. */
type CleanUp = () => Promise<void> | void;

export class Up {
  readonly name: string;
  readonly mtu: number;
  readonly tunnel: Tunnel;
  readonly #cleanUps: CleanUp[];

  /** Use {@link bringUp}. */
  constructor(name: string, mtu: number, tunnel: Tunnel, cleanUps: CleanUp[]) {
    this.name = name;
    this.mtu = mtu;
    this.tunnel = tunnel;
    this.#cleanUps = cleanUps;
  }

  get port(): number {
    return this.tunnel.port;
  }

  status(): PeerStatus[] {
    return this.tunnel.status();
  }

  /** Takes the interface down and everything back that was set up for it. */
  close(): Promise<void> {
    return clean(this.#cleanUps);
  }
}

async function clean(cleanUps: CleanUp[]): Promise<void> {
  for (const next of cleanUps.splice(0).reverse()) await next();
}

/**
 * Rejects with a TunError, UdpError, TunnelError, SetupError or FileError; nothing is left behind then.
 */
export async function bringUp(libc: Libc, options: UpOptions): Promise<Up> {
  const cleanUps: CleanUp[] = [];
  try {
    return await build(libc, options, cleanUps);
  } catch (error) {
    await clean(cleanUps);
    throw error;
  }
}

async function build(libc: Libc, options: UpOptions, cleanUps: CleanUp[]): Promise<Up> {
  const { conf, name, onEvent, onUnanswered, onDrop, onLookUp, lookUp, clock } = options;
  const poller = new Poller(libc);
  cleanUps.push(() => poller.close());
  const guard = new Guard();
  cleanUps.push(() => guard.release());
  // Before any file is written: a name that is taken is most often this very tunnel, which runs already.
  const onGone = (): void => options.onGone?.('the interface was deleted');
  const port: MarkedPort = { mark: 0, sockets: [] };
  // what one turn seals leaves together
  const aroundTurn = (read: () => void): void => {
    for (const socket of port.sockets) socket.cork();
    try {
      read();
    } finally {
      for (const socket of port.sockets) socket.uncork();
    }
  };
  const device = new TunDevice(libc, poller, name, { onGone, onPacket, aroundTurn });
  cleanUps.push(() => device.close());

  const table = conf.interface.fwMark?.value || (needsMark(conf) ? await freeTable() : 0);
  port.mark = table;
  const tunnel = await openTunnel({
    conf,
    clock,
    ...keyLogTo(options, cleanUps),
    ...captureTo(libc, port, options, cleanUps),
    ...(lookUp === undefined ? {} : { lookUp }),
    ...(onEvent === undefined ? {} : { onEvent }),
    ...(onUnanswered === undefined ? {} : { onUnanswered }),
    ...(onDrop === undefined ? {} : { onDrop }),
    ...(onLookUp === undefined ? {} : { onLookUp }),
    onPacket: (packet) => device.write(packet),
    openPort: async (handlers, where): Promise<LinuxUdpPort> => {
      const onTrouble = (trouble: SocketTrouble): void => options.onTrouble?.(trouble);
      const opened = await openLinuxPort(libc, poller, { ...handlers, onTrouble }, { ...where, mark: port.mark });
      port.sockets = opened.sockets;
      return opened;
    },
  });
  cleanUps.push(() => {
    // The tunnel takes no packet any more.
    device.close();
    return tunnel.close();
  });
  const isEndpoint = (to: Endpoint): boolean => tunnel.status().some((peer) => peer.endpoint?.text === to.text);
  /** None comes before the interface is up. */
  function onPacket(packet: Bytes): void {
    const looped = ownDatagram(packet, tunnel.port, isEndpoint);
    if (looped !== undefined) {
      options.onLoop?.(looped);
      return;
    }
    const verdict = tunnel.send(packet);
    if (verdict.kind !== 'refused') return;
    const { kind } = verdict.drop;
    const answer = kind === 'no-allowed-ip' || kind === 'no-endpoint' ? unreachable(packet) : undefined;
    if (answer !== undefined) device.write(answer);
    onDrop?.(verdict.drop);
  }

  const endpoints = tunnel.status().flatMap(({ endpoint: to }) => to ?? []);
  const mtu = conf.interface.mtu?.value ?? (await findMtu(endpoints));
  tunnel.driver.configure({ change: 'mtu', mtu });
  const [hasNft, hasResolvconf] = await Promise.all([hasProgram('nft'), hasProgram('resolvconf')]);
  const facts = { name, conf, mtu, table, hasNft, hasResolvconf, hooks: options.hooks ?? false };
  await setUp(facts, guard, options, cleanUps);
  cleanUps.push(await control(name, tunnel, port, options));
  return new Up(name, mtu, tunnel, cleanUps);
}

/** Added to what the file has, and Wireshark reads it while it grows. */
function keyLogTo({ keyLog, onNote }: UpOptions, cleanUps: CleanUp[]): Pick<TunnelOptions, 'keyLog'> {
  if (keyLog === undefined) return {};
  const file = new OwnFile(keyLog, 'a', (why) => onNote?.(why));
  cleanUps.push(() => file.close());
  const encoder = new TextEncoder();
  return { keyLog: (line) => file.write(encoder.encode(`${line}\n`)) };
}

function captureTo(
  libc: Libc,
  port: MarkedPort,
  { pcap, name, clock, onNote }: UpOptions,
  cleanUps: CleanUp[],
): Pick<TunnelOptions, 'onReceive' | 'onSend'> {
  if (pcap === undefined) return {};
  const capture = new OuterCapture(pcap, name, (why) => onNote?.(why));
  cleanUps.push(() => capture.close());
  const sources = sourceFor(libc, port.mark);
  const own = (): number => port.sockets[0]?.port ?? 0;
  return {
    onReceive: (payload, from, local, hopLimit) => {
      const to = local ?? sources(from, own());
      if (to === undefined) return;
      capture.add({ time: clock.now().wall, direction: 'in', from, to, payload, hopLimit });
    },
    onSend: ({ bytes: payload, to, local, tos }) => {
      const ip = local?.ip ?? sources(to, 0)?.ip;
      if (ip === undefined) return;
      capture.add({ time: clock.now().wall, direction: 'out', from: endpoint(ip, own()), to, payload, tos });
    },
  };
}

async function setUp(facts: SetupFacts, guard: Guard, options: UpOptions, cleanUps: CleanUp[]): Promise<void> {
  for (const note of planNotes(facts)) options.onNote?.(note);
  for (const { run, undo, unlessSaid, optional } of planSetup(facts)) {
    if (unlessSaid !== undefined && (await runCommand(unlessSaid)).trim() !== '') continue;
    if (undo !== undefined) await guard.undo(undo);
    try {
      await runCommand(run);
    } catch (error) {
      if (optional === undefined || !(error instanceof SetupError)) throw error;
      options.onNote?.(`${[error.message, error.said].filter((text) => text !== '').join(': ')}; ${optional}`);
    }
  }
  cleanUps.push(async () => {
    for (const command of planDown(facts)) {
      // A hook that fails keeps nothing from being taken down.
      await runCommand(command).catch((error: unknown) => options.onNote?.(messageOf(error)));
    }
  });
}

/** What a new socket gets, and those that have it. */
interface MarkedPort {
  mark: number;
  sockets: readonly LinuxUdpSocket[];
}

/** For wg(8). Its end comes before that of the device that it changes. */
async function control(name: string, tunnel: Tunnel, port: MarkedPort, options: UpOptions): Promise<CleanUp> {
  const device = deviceTarget(tunnel.driver, {
    listenPort: () => tunnel.port,
    rebind: (next) => tunnel.rebind(next),
    fwmark: () => port.mark,
    setFwmark: async (next) => {
      for (const socket of port.sockets) socket.setMark(next);
      port.mark = next;
    },
    forgetName: (peer) => tunnel.forgetName(peer),
  });
  const target: UapiTarget = {
    snapshot: () => device.snapshot(),
    apply: async (changes) => {
      const refusal = await device.apply(changes);
      if (refusal === undefined) options.onChange?.(changes);
      return refusal;
    },
  };
  const server = openUapi({
    target,
    name,
    onRefused: ({ code, problems }) => {
      const why = problems.map(({ line, message }) => `line ${line ?? 1}: ${message}`);
      options.onNote?.(`a request of wg was refused (${[code, ...why].join('; ')})`);
    },
    onRemoved: () => options.onGone?.('its control socket was removed'),
  });
  try {
    const uapi = await server;
    return () => uapi.close();
  } catch (error) {
    // The folder is the same in all network namespaces, and interfaces of one name may be in several.
    if (!(error instanceof UapiError)) throw error;
    const other = error.code === 'EADDRINUSE' ? ', with another --interface they do' : '';
    options.onNote?.(`${error.message}: wg show and wg set do not reach this tunnel${other}`);
    return () => {};
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
