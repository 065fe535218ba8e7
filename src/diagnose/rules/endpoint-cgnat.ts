/** An end that others are to write to, behind a provider's NAT: in 100.64.0.0/10 nobody outside can begin. */

import type { World } from '../../analyze/world.ts';
import { formatIp } from '../../base/address.ts';
import { scopeOf } from '../../base/address-scope.ts';
import { confirmedBetween, ends, fileSubject, placeOf, settings } from '../config-evidence.ts';
import { isReached, setEndpoint } from '../endpoint-evidence.ts';
import { outerAddresses, routerOf } from '../ros-evidence.ts';
import { defineRule, type Facts, type Found } from '../rule.ts';

interface CgnatFacts extends Facts {
  readonly place: string;
  readonly address: string;
  readonly of: 'endpoint' | 'router';
}

export const endpointCgnat = defineRule({
  name: 'endpoint-cgnat',
  severity: 'info',
  on: 'files',
  group: 'config',
  explain: {
    what: 'an Endpoint, or the outer address of a router that waits for its peers, is in 100.64.0.0/10 (RFC 6598)',
    why: 'a provider gives these addresses to customers behind its own NAT: from outside nobody can begin, and no port can be forwarded; the router’s public address is then another one than its own',
    fix: 'let the end behind the provider’s NAT begin, with PersistentKeepalive, or rent a public address or a relay in between',
  },
  check: (world): Found<CgnatFacts>[] => [...endpoints(world), ...routers(world)],
  message: ({ place, address, of }) =>
    of === 'endpoint'
      ? `the Endpoint at ${place}, ${address}, is an address inside a provider’s network (100.64.0.0/10): it is not reached from outside`
      : `the outer address at ${place}, ${address}, is one inside the provider’s network (100.64.0.0/10): nobody outside can begin with this end`,
  fix: () => ({
    linux: [
      'at the end behind the provider’s NAT, in [Peer]: Endpoint = the other end, PersistentKeepalive = 25',
      'what the public address is, asked there: curl -4 ifconfig.co',
    ],
    routeros: [
      'there: /interface wireguard peers set NUMBER endpoint-address=OTHER-END endpoint-port=PORT persistent-keepalive=25s',
      'what the public address is, asked there: /ip cloud print',
    ],
  }),
});

function endpoints(world: World): Found<CgnatFacts>[] {
  const byKey = new Map(ends(world).map(({ own }) => [own, own] as const));
  return settings(world).flatMap((entry) =>
    entry.conf.peers.flatMap((peer): Found<CgnatFacts>[] => {
      const endpoint = setEndpoint(entry, peer);
      const ip = endpoint?.value.ip;
      if (endpoint === undefined || ip === undefined || scopeOf(ip) !== 'shared') return [];
      const known = peer.publicKey === undefined ? undefined : world.keys.find(peer.publicKey.value);
      const other = known === undefined ? undefined : byKey.get(known);
      if (entry.own !== undefined && other !== undefined && confirmedBetween(world, entry.own, other) !== undefined)
        return [];
      if (known !== undefined && isReached(world, known.key, ip)) return [];
      return [
        {
          facts: { place: placeOf(entry, endpoint.line), address: formatIp(ip), of: 'endpoint' },
          certainty: 'proven',
          frames: [],
          subject: fileSubject(entry),
        },
      ];
    }),
  );
}

/** Routers that wait for a peer: it has no Endpoint there. */
function routers(world: World): Found<CgnatFacts>[] {
  return settings(world).flatMap((entry): Found<CgnatFacts>[] => {
    const router = routerOf(entry);
    if (router === undefined || entry.conf.peers.every(({ endpoint }) => endpoint !== undefined)) return [];
    const outer = outerAddresses(router.config);
    const shared = outer.find(({ address }) => scopeOf(address.value.ip) === 'shared');
    // with a public address beside it, peers have another way in
    if (shared === undefined || outer.some(({ address }) => scopeOf(address.value.ip) === 'global')) return [];
    return [
      {
        facts: { place: placeOf(entry, shared.line), address: formatIp(shared.address.value.ip), of: 'router' },
        certainty: 'deduced',
        frames: [],
        subject: fileSubject(entry),
      },
    ];
  });
}
