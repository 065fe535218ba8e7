/** A tunnel with an interface of this machine: TUN device, sockets, addresses, routes, and all of it taken back in the end. */
import { fchmodSync, openSync, writeSync } from 'node:fs';
import { type Endpoint, endpoint } from '../../base/address.ts';
import type { Bytes } from '../../base/bytes.ts';
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
import { openTunnel, type Tunnel } from '../tunnel.ts';
import { deviceTarget } from '../uapi/device-target.ts';
import { openUapi } from '../uapi/server.ts';
import { unreachable } from '../unreachable.ts';
import { Guard } from './guard.ts';
import { OuterCapture } from './outer-capture.ts';
import { needsMark, planNotes, planSetup, type SetupFacts, type SystemCommand } from './plan.ts';
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
  onDrop?(drop: Drop, from?: Endpoint): void;
  onTrouble?(trouble: SocketTrouble): void;
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
 * Rejects with a TunError, UdpError, TunnelError or SetupError, or what opening a file throws; nothing is left behind then.
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
  const { conf, name, onEvent, onDrop, lookUp, clock } = options;
  const poller = new Poller(libc);
  cleanUps.push(() => poller.close());
  const table = conf.interface.fwMark?.value || (needsMark(conf) ? await freeTable() : 0);
  const port: MarkedPort = { mark: table, sockets: undefined };
  const capture = options.pcap === undefined ? undefined : new OuterCapture(options.pcap, name);
  const sources = sourceFor(libc, table);
  const now = () => clock.now().wall;

  let tun: TunDevice | undefined;
  const tunnel = await openTunnel({
    conf,
    clock,
    ...(lookUp === undefined ? {} : { lookUp }),
    ...(options.keyLog === undefined ? {} : { keyLog: keyLogTo(options.keyLog) }),
    ...(onEvent === undefined ? {} : { onEvent }),
    ...(onDrop === undefined ? {} : { onDrop }),
    onPacket: (packet) => tun?.write(packet),
    openPort: async (handlers, where): Promise<LinuxUdpPort> => {
      const onTrouble = (trouble: SocketTrouble): void => options.onTrouble?.(trouble);
      const opened = await openLinuxPort(libc, poller, { ...handlers, onTrouble }, { ...where, mark: port.mark });
      port.sockets = opened.sockets;
      return opened;
    },
    ...(capture === undefined
      ? {}
      : {
          onReceive: (payload, from, local, hopLimit) => {
            const to = local ?? sources(from, tunnel.port);
            if (to !== undefined) capture.add({ time: now(), direction: 'in', from, to, payload, hopLimit });
          },
          onSend: ({ bytes: payload, to, local, tos }) => {
            const ip = local?.ip ?? sources(to, 0)?.ip;
            if (ip === undefined) return;
            capture.add({ time: now(), direction: 'out', from: endpoint(ip, tunnel.port), to, payload, tos });
          },
        }),
  });
  cleanUps.push(() => tunnel.close());

  const onGone = (): void => options.onGone?.('the interface was deleted');
  const device = new TunDevice(libc, poller, name, { onGone, onPacket });
  function onPacket(packet: Bytes): void {
    const verdict = tunnel.send(packet);
    if (verdict.kind !== 'refused') return;
    const { kind } = verdict.drop;
    const answer = kind === 'no-allowed-ip' || kind === 'no-endpoint' ? unreachable(packet) : undefined;
    if (answer !== undefined) device.write(answer);
    onDrop?.(verdict.drop);
  }
  tun = device;
  cleanUps.push(() => device.close());

  const endpoints = tunnel.status().flatMap(({ endpoint: to }) => to ?? []);
  const mtu = conf.interface.mtu?.value ?? (await findMtu(endpoints));
  tunnel.driver.configure({ change: 'mtu', mtu });
  const [hasNft, hasResolvconf] = await Promise.all([hasProgram('nft'), hasProgram('resolvconf')]);
  const facts = { name, conf, mtu, table, hasNft, hasResolvconf, hooks: options.hooks ?? false };
  await setUp(facts, options, cleanUps);
  cleanUps.push(await control(name, tunnel, port, options));
  return new Up(name, mtu, tunnel, cleanUps);
}

async function setUp(facts: SetupFacts, options: UpOptions, cleanUps: CleanUp[]): Promise<void> {
  const guard = new Guard();
  cleanUps.push(() => guard.release());
  for (const note of planNotes(facts)) options.onNote?.(note);
  for (const { run, undo, unlessSaid, optional } of planSetup(facts)) {
    if (unlessSaid !== undefined && (await runCommand(unlessSaid)).trim() !== '') continue;
    if (undo !== undefined) await guard.undo(undo);
    try {
      await runCommand(run);
    } catch (error) {
      if (optional === undefined || !(error instanceof SetupError)) throw error;
      options.onNote?.(`${error.message}: ${optional}`);
    }
  }
  if (facts.hooks)
    for (const down of facts.conf.interface.preDown) cleanUps.push(() => preDown(down.value, facts, options));
}

/** What a new socket gets, and those that have it. */
interface MarkedPort {
  mark: number;
  sockets: readonly LinuxUdpSocket[] | undefined;
}

/** For wg(8). Its end comes before that of the device that it changes. */
async function control(name: string, tunnel: Tunnel, port: MarkedPort, options: UpOptions): Promise<CleanUp> {
  const target = deviceTarget(tunnel.driver, {
    listenPort: () => tunnel.port,
    rebind: (next) => tunnel.rebind(next),
    fwmark: () => port.mark,
    setFwmark: async (next) => {
      for (const socket of port.sockets ?? []) socket.setMark(next);
      port.mark = next;
    },
    forgetName: (peer) => tunnel.forgetName(peer),
  });
  const uapi = await openUapi({
    target,
    name,
    onRefused: ({ code, problems }) => {
      const why = problems.map(({ line, message }) => `line ${line ?? 1}: ${message}`);
      options.onNote?.(`a request of wg was refused (${[code, ...why].join('; ')})`);
    },
    onRemoved: () => options.onGone?.('its control socket was removed'),
  });
  return () => uapi.close();
}

/** A hook that fails keeps nothing from being taken down. */
async function preDown(line: string, { name }: SetupFacts, { onNote }: UpOptions): Promise<void> {
  const command: SystemCommand = { argv: ['bash', '-c', line.replaceAll('%i', name)] };
  await runCommand(command).catch((error: unknown) => onNote?.(error instanceof Error ? error.message : String(error)));
}

/** Added to what the file has; nobody else may read it. */
function keyLogTo(path: string): (line: string) => void {
  const fd = openSync(path, 'a', 0o600);
  fchmodSync(fd, 0o600);
  return (line) => writeSync(fd, `${line}\n`);
}
