/** Networks behind a RouterOS peer that no route leads to: the router makes none from allowed-address. */
import type { ConfEntry } from '../../analyze/key-set.ts';
import type { World } from '../../analyze/world.ts';
import type { Prefix } from '../../base/address.ts';
import { networkText, overlapping, within } from '../../base/prefix.ts';
import type { RosConfig } from '../../config/routeros/export.ts';
import { fileSubject, placeOf, settings } from '../config-evidence.ts';
import { leadsInto, routerOf } from '../ros-evidence.ts';
import { defineRule, type Facts, type Found } from '../rule.ts';

interface RouteFacts extends Facts {
  readonly place: string;
  readonly networks: readonly string[];
  readonly interface: string;
  readonly six: boolean;
}

export const rosRouteMissing = defineRule({
  name: 'ros-route-missing',
  severity: 'info',
  on: 'files',
  group: 'config',
  spec: 'wp §2',
  explain: {
    what: 'allowed-address of a peer holds a network that no route of the router leads to through the WireGuard interface',
    why: 'RouterOS makes no routes from allowed-address, as wg-quick does from AllowedIPs: packets for that network take the default route and leave outside of the tunnel',
    fix: 'add a route for the network with the WireGuard interface as its gateway',
  },
  check: (world: World): Found<RouteFacts>[] => settings(world).flatMap(found),
  message: ({ place, networks, interface: name }) =>
    `${place} allows ${networks.join(', ')} for a peer, and no route leads there through ${name}`,
  fix: ({ networks, interface: name, six }) => ({
    routeros: networks.map((network) => `/${six ? 'ipv6' : 'ip'} route add dst-address=${network} gateway=${name}`),
  }),
});

function found(entry: ConfEntry): Found<RouteFacts>[] {
  const router = routerOf(entry);
  const name = router?.end.name;
  if (router === undefined || name === undefined || !showsRoutes(router.config)) return [];
  const { config, end } = router;
  const into = config.routes.filter((route) => !route.disabled && leadsInto(route, router));
  const connected = config.addresses.filter((address) => !address.disabled && address.interface?.value === name);
  const reached = (prefix: Prefix): boolean =>
    connected.some(({ address }) => within(prefix, address.value)) ||
    into.some(({ destination, family }) =>
      destination === undefined
        ? prefix.ip.length === (family === 'ip' ? 4 : 16)
        : overlapping(prefix, destination.value),
    );
  return end.peers.flatMap((peer) =>
    [4, 16].flatMap((length): Found<RouteFacts>[] => {
      // everything is allowed where the peer may send from anywhere: what goes there is another question
      const missing = peer.allowedAddresses.filter(
        ({ value }) => value.ip.length === length && value.bits > 0 && !reached(value),
      );
      const [first] = missing;
      if (first === undefined) return [];
      return [
        {
          facts: {
            place: placeOf(entry, first.line),
            networks: [...new Set(missing.map(({ value }) => networkText(value)))],
            interface: name,
            six: length === 16,
          },
          certainty: 'deduced',
          frames: [],
          subject: fileSubject(entry),
          notes: ['routes from OSPF or BGP are not in the text, and would do as well'],
        },
      ];
    }),
  );
}

/** A whole export, or at least the menu of routes. */
function showsRoutes({ header, routes }: RosConfig): boolean {
  return header !== undefined || routes.length > 0;
}
