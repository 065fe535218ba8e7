/** A network of AllowedIPs that another route, or a network of the machine itself, takes away from the tunnel. */
import type { ConfEntry } from '../../analyze/key-set.ts';
import type { Machine } from '../../analyze/machine.ts';
import type { World } from '../../analyze/world.ts';
import { formatIp, type Prefix } from '../../base/address.ts';
import { networkText, sameNetwork, within } from '../../base/prefix.ts';
import type { HostRoute } from '../../config/host/routes.ts';
import { fileSubject, placeOf, settings } from '../config-evidence.ts';
import { leadsInto, mainRoutes, outerAddresses, type Router, routerOf } from '../ros-evidence.ts';
import { defineRule, type Facts, type Found } from '../rule.ts';

interface OverlapFacts extends Facts {
  readonly prefix: string;
  readonly place: string;
  /** `eth0`, `bridge`, `192.0.2.1` */
  readonly way: string;
  readonly taken: string;
  readonly takenAt: string;
  readonly kind: 'own-network' | 'route';
}

/** Told per end. */
const TOLD = 10;
/** Networks of an end that are compared with all routes. */
const COMPARED = 1000;

export const routeOverlap = defineRule({
  name: 'route-overlap',
  severity: 'warning',
  on: 'files',
  group: 'config',
  explain: {
    what: 'a network in AllowedIPs is also a network of the machine itself, or another route to it wins',
    why: 'AllowedIPs say whom a packet in the tunnel is for, and routes whether it gets there at all: with an equal route of a lower metric, or the same network on both sides, packets for the other end stay here',
    fix: 'remove the other route or give it a higher metric; where both sites have the same network, renumber one of them or translate it (netmap)',
  },
  check: (world): Found<OverlapFacts>[] =>
    settings(world).flatMap((entry) => {
      const router = routerOf(entry);
      const machine = router === undefined ? machineOf(entry, world) : undefined;
      const found =
        router !== undefined
          ? byRouter(entry, router)
          : machine === undefined
            ? []
            : byListing(entry, machine.machine, machine.device);
      return found.slice(0, TOLD);
    }),
  message: ({ prefix, place, way, taken, takenAt, kind }) =>
    kind === 'own-network'
      ? `${prefix} at ${place} is in the machine’s own network ${taken} on ${way} (${takenAt}): packets for it do not enter the tunnel`
      : `${prefix} at ${place} is not routed into the tunnel: the route to ${taken} through ${way} wins (${takenAt})`,
  fix: ({ prefix, kind, way }) => ({
    linux: [
      `which way it goes now: ip route get ADDRESS-IN-${prefix}`,
      kind === 'route' ? `ip route del ${prefix} dev ${way}` : 'another network at one of the two sites',
    ],
    routeros: [`/ip route print where dst-address="${prefix}"`],
  }),
});

function found(
  entry: ConfEntry,
  { prefix, line }: { readonly prefix: Prefix; readonly line: number },
  by: Pick<OverlapFacts, 'way' | 'takenAt' | 'kind'> & { readonly taken: Prefix },
): Found<OverlapFacts> {
  return {
    facts: { ...by, prefix: networkText(prefix), place: placeOf(entry, line), taken: networkText(by.taken) },
    certainty: 'deduced',
    frames: [],
    subject: fileSubject(entry),
  };
}

/** Networks only: single addresses within the own network are somebody’s plan (proxy ARP). */
function networksOf({ conf }: ConfEntry): { readonly prefix: Prefix; readonly line: number }[] {
  return conf.peers
    .flatMap(({ allowedIps }) => allowedIps.map(({ value, line }) => ({ prefix: value, line })))
    .filter(({ prefix: { ip, bits } }) => bits > 0 && bits < ip.length * 8)
    .slice(0, COMPARED);
}

function byRouter(entry: ConfEntry, router: Router): Found<OverlapFacts>[] {
  const own = outerAddresses(router.config).filter(({ address: { value } }) => value.bits < value.ip.length * 8);
  const routes = mainRoutes(router.config);
  return networksOf(entry).flatMap((one) => {
    const network = own.find(({ address }) => within(one.prefix, address.value));
    if (network !== undefined) {
      return [
        found(entry, one, {
          way: network.interface?.value ?? 'another interface',
          taken: network.address.value,
          takenAt: placeOf(entry, network.line),
          kind: 'own-network',
        }),
      ];
    }
    const equal = routes.filter(({ to, blackhole }) => sameNetwork(to, one.prefix) && !blackhole);
    const into = equal.filter((route) => leadsInto(route, router));
    const least = Math.min(...into.map(({ distance }) => distance?.value ?? 1));
    const wins = equal.find((route) => !into.includes(route) && (route.distance?.value ?? 1) < least);
    // without a route into the tunnel it is another fault: ros-route-missing
    if (wins === undefined || into.length === 0) return [];
    return [
      found(entry, one, {
        way: wins.gateway?.value ?? 'another gateway',
        taken: wins.to,
        takenAt: placeOf(entry, wins.line),
        kind: 'route',
      }),
    ];
  });
}

/** The listing that belongs to this end, and what the tunnel is called there. */
function machineOf(entry: ConfEntry, world: World): { machine: Machine; device: string } | undefined {
  const device =
    entry.origin.kind === 'wg-show'
      ? entry.origin.status.name?.value
      : /([A-Za-z0-9_=+.-]{1,15})\.conf$/.exec(entry.name)?.[1];
  if (device === undefined) return undefined;
  const listed = world.keys.machines.filter(({ routes }) => routes.some((route) => route.interface === device));
  const [machine, ...others] = listed;
  return machine === undefined || others.length > 0 ? undefined : { machine, device };
}

function byListing(entry: ConfEntry, { routes, name }: Machine, device: string): Found<OverlapFacts>[] {
  const usable = routes.filter(({ type, table }) => type === undefined && (table ?? 'main') === 'main');
  return networksOf(entry).flatMap((one) => {
    const equal = usable.filter(({ destination }) => sameNetwork(destination, one.prefix));
    const into = equal.filter((route) => route.interface === device);
    const least = Math.min(...into.map(({ metric }) => metric ?? 0));
    const wins = equal.find((route) => route.interface !== device && (route.metric ?? 0) < least);
    if (wins === undefined) return [];
    return [
      found(entry, one, {
        way: wayOf(wins),
        taken: wins.destination,
        takenAt: `${name} line ${wins.line}`,
        kind: 'route',
      }),
    ];
  });
}

const wayOf = ({ interface: device, gateway }: HostRoute): string =>
  device ?? (gateway === undefined ? 'another interface' : formatIp(gateway));
