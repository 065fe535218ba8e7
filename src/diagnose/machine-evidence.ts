/** Which machine an end runs on, who writes to it first, and by which interfaces packets come in there. */

import type { ConfEntry } from '../analyze/key-set.ts';
import type { Machine } from '../analyze/machine.ts';
import type { World } from '../analyze/world.ts';
import { type IpBytes, parseIp } from '../base/address.ts';
import { equal } from '../base/bytes.ts';
import { oncePer } from '../base/once-per.ts';
import { sameNetwork } from '../base/prefix.ts';
import type { PacketFilter } from '../config/host/packet-filter.ts';
import type { Located } from '../config/text.ts';
import type { ConfEndpoint, WgPeer } from '../config/wg-conf.ts';
import { ends, listings, settings } from './config-evidence.ts';
import { setEndpoint } from './endpoint-evidence.ts';
import type { Probe, Way } from './first-match.ts';

/** A machine as the one that an end runs on. */
export interface Host {
  readonly entry: ConfEntry;
  readonly machine: Machine;
  /** The same text tells of both, or addresses do; else it is only the one that is likely to be meant. */
  readonly sure: boolean;
}

/** Every end with each machine that may be its own. */
export const hosts = oncePer<World, readonly Host[]>((world) =>
  world.keys.machines.flatMap((machine) => ofMachine(machine, world)),
);

function ofMachine(machine: Machine, world: World): Host[] {
  const set = settings(world);
  const here = world.keys.confs.filter(({ input }) => input === machine.input);
  if (here.length > 0) {
    const keys = new Set(here.flatMap(({ own }) => own?.text ?? []));
    const own = set.filter((entry) => here.includes(entry) || keys.has(entry.own?.text ?? '-'));
    return own.map((entry) => ({ entry, machine, sure: true }));
  }
  // a router that shows no WireGuard of its own stands in front of an end, or elsewhere
  if (machine.ros !== undefined) return [];
  const linux = set.filter(({ origin }) => origin.kind !== 'routeros');
  const byAddress = linux.filter((entry) => routesShow(machine, entry));
  if (byAddress.length === 1) return byAddress.map((entry) => ({ entry, machine, sure: true }));
  const byName = linux.filter(({ name }) => stem(name) === stem(machine.name));
  if (byName.length === 1) return byName.map((entry) => ({ entry, machine, sure: false }));
  // one server among its clients: theirs are rarely asked about
  const dialled = linux.filter((entry) => listenPort(entry) !== undefined && dialers(entry, world).length > 0);
  const [entry, another] = linux.length === 1 ? linux : dialled;
  return entry === undefined || another !== undefined ? [] : [{ entry, machine, sure: false }];
}

/** Addresses of one end that are looked for. */
const ADDRESSES = 16;

/** The machine has this end's own address, or the network of its tunnel on an interface. */
function routesShow({ routes }: Machine, { conf }: ConfEntry): boolean {
  return conf.interface.addresses
    .slice(0, ADDRESSES)
    .some(({ value }) =>
      routes.some(
        ({ source, destination, type, gateway }) =>
          (source !== undefined && equal(source, value.ip)) ||
          (type === 'local' && equal(destination.ip, value.ip)) ||
          (source === undefined &&
            gateway === undefined &&
            value.bits < value.ip.length * 8 &&
            sameNetwork(destination, value)),
      ),
    );
}

/** `server` of `/etc/server.conf`, `server-iptables.txt` and `server_wg0.conf`. */
function stem(name: string): string {
  const file = name.split(' ')[0] ?? '';
  return (
    file.slice(Math.max(file.lastIndexOf('/'), file.lastIndexOf('\\')) + 1).split(/[-_.]/)[0] ?? ''
  ).toLowerCase();
}

/** The port that others have to reach; undefined where it is left to chance. */
export function listenPort({ conf }: ConfEntry): Located<number> | undefined {
  const { listenPort: port } = conf.interface;
  return port === undefined || port.value === 0 ? undefined : port;
}

/** Somebody who writes to an end first. */
export interface Dialer {
  /** The end's own entry for it. */
  readonly peer: WgPeer;
  /** The file of the other end, where it was handed over. */
  readonly from: ConfEntry | undefined;
  readonly endpoint: ConfEndpoint | undefined;
  /** The end writes to it as well, so that the tunnel may come up from here. */
  readonly answered: boolean;
  /** And does so all the time: what comes back is no new connection then. */
  readonly kept: boolean;
}

type Others = ReadonlyMap<WgPeer, { readonly from: ConfEntry; readonly peer: WgPeer }>;

/** The other end's file and its entry, by an end's own entry for it. */
const others = oncePer<World, Others>(
  (world) =>
    new Map(
      listings(world).flatMap(({ lister, peer, back }) =>
        back === undefined ? [] : [[back, { from: lister.entry, peer }] as const],
      ),
    ),
);

/** Peers that have to begin, as far as the files tell. */
export function dialers(entry: ConfEntry, world: World): Dialer[] {
  const known = others(world);
  return entry.conf.peers.flatMap((peer): Dialer[] => {
    const own = setEndpoint(entry, peer);
    const answered = own !== undefined;
    const kept = answered && (peer.persistentKeepalive?.value ?? 0) > 0;
    const other = known.get(peer);
    if (other === undefined) {
      // a learned endpoint does not tell who began
      if (peer.endpoint !== undefined) return [];
      return [{ peer, from: undefined, endpoint: undefined, answered, kept }];
    }
    const endpoint = setEndpoint(other.from, other.peer)?.value;
    return endpoint === undefined ? [] : [{ peer, from: other.from, endpoint, answered, kept }];
  });
}

/** Names of the interface that an end is: what `wg show` or the routes call it, or its file. */
export function tunnelNames({ entry, machine }: Pick<Host, 'entry' | 'machine'>): string[] {
  const { origin, conf, name } = entry;
  if (origin.kind === 'routeros') return origin.end.name === undefined ? [] : [origin.end.name];
  const shown = origin.kind === 'wg-show' ? origin.status.name?.value : undefined;
  const routed = machine.routes.flatMap(({ interface: on, destination, gateway }) =>
    on !== undefined &&
    gateway === undefined &&
    conf.interface.addresses
      .slice(0, ADDRESSES)
      .some(({ value }) => sameNetwork(value, destination) || equal(value.ip, destination.ip))
      ? [on]
      : [],
  );
  const sure = [...(shown === undefined ? [] : [shown]), ...routed];
  if (sure.length > 0) return [...new Set(sure)];
  const file = /([^/\\]{1,15})\.conf$/.exec(name)?.[1];
  const named = new Set(machine.filters.flatMap(({ filter }) => interfaceNames(filter)));
  if (file !== undefined && (named.has(file) || /^wg/.test(file))) return [file];
  const tunnels = [...named].filter((one) => /^(wg|tun|awg)[\w-]*$/.test(one));
  return tunnels.length === 1 ? tunnels : [];
}

function interfaceNames({ chains }: PacketFilter): string[] {
  return chains.flatMap(({ rules }) =>
    rules.flatMap(({ matches }) =>
      matches.flatMap((match) => (match.kind === 'in-interface' || match.kind === 'out-interface' ? match.names : [])),
    ),
  );
}

/** Interfaces that lead to the internet, by the default routes. */
export function outsideInterfaces({ routes }: Machine, tunnels: readonly string[]): string[] | undefined {
  const names = routes.flatMap(({ destination, interface: on, type }) =>
    destination.bits === 0 && on !== undefined && type === undefined && !tunnels.includes(on) ? [on] : [],
  );
  return names.length === 0 ? undefined : [...new Set(names)];
}

/** A packet that comes from outside, by no tunnel of this machine. */
export function outsideWay(host: Pick<Host, 'entry' | 'machine'>): Way {
  const tunnels = tunnelNames(host);
  const names = outsideInterfaces(host.machine, tunnels);
  return { never: ['lo', ...tunnels], ...(names === undefined ? {} : { names }) };
}

/** A first packet of a peer, as the machine's own firewall meets it. */
export function initiationProbe(host: Pick<Host, 'entry' | 'machine'>, port: number, by: readonly Dialer[]): Probe {
  const endpoints = by.flatMap(({ endpoint }) => endpoint?.ip ?? []);
  const six = endpoints.length > 0 && endpoints.every((ip) => ip.length === 16);
  return {
    hook: 'input',
    family: six ? 'ip6' : 'ip',
    protocol: 'udp',
    port,
    state: 'new',
    in: outsideWay(host),
    out: { never: [] },
    sources: sourcesOf(by, six ? 16 : 4),
    destinations: [],
  };
}

/** Where the dialers write from, where it is known of all of them: their own Endpoint in this file. */
function sourcesOf(by: readonly Dialer[], length: number): IpBytes[] {
  const known = by.map(({ peer }) => peer.endpoint?.value.ip ?? parseIp(peer.endpoint?.value.host ?? ''));
  const sources = known.flatMap((ip) => (ip === undefined || ip.length !== length ? [] : [ip]));
  return sources.length === by.length ? sources : [];
}

/** Ends in the order of `settings`, each with the machine that is most surely its own. */
export function hostOf(entry: ConfEntry, world: World): Host | undefined {
  const all = hosts(world).filter((host) => host.entry === entry);
  return all.find(({ sure }) => sure) ?? all[0];
}

/** The end with its own key, where it has one. */
export function endOf(entry: ConfEntry, world: World) {
  return ends(world).find((end) => end.entry === entry);
}

/** Findings of a listing stand with the file that it is in. */
export function machineSubject({ name }: Machine): string {
  return `file:${name}`;
}

/** Where nothing but names and order says that a listing is of the machine of an end. */
export function presumption({ entry, machine, sure }: Host): string[] {
  return sure ? [] : [`it is taken for granted that ${machine.name} is of the machine that ${entry.name} runs on`];
}
