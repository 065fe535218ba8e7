/** An Endpoint that is an address of a private network, of one link or of the host itself. */

import type { ConfEntry } from '../../analyze/key-set.ts';
import type { World } from '../../analyze/world.ts';
import { formatIp, type IpBytes, inPrefix } from '../../base/address.ts';
import { type AddressScope, scopeOf } from '../../base/address-scope.ts';
import type { WgPeer } from '../../config/wg-conf.ts';
import { confirmedBetween, ends, fileSubject, placeOf, settings } from '../config-evidence.ts';
import { isReached, setEndpoint } from '../endpoint-evidence.ts';
import { outerAddresses, routerOf } from '../ros-evidence.ts';
import { defineRule, type Facts, type Found } from '../rule.ts';

type Scope = Exclude<AddressScope, 'global' | 'shared'>;

interface PrivateFacts extends Facts {
  readonly place: string;
  readonly address: string;
  readonly scope: Scope;
}

const WORDS: Readonly<Record<Scope, string>> = {
  private: 'an address of a private network: it is reached from that network only',
  'link-local': 'an address of one link: it is reached from that link only, and needs the interface with it',
  loopback: 'the host itself: right only where a program there carries the packets on',
  unspecified: 'no address of any host',
};

export const endpointPrivateAddress = defineRule({
  name: 'endpoint-private-address',
  severity: 'info',
  on: 'files',
  group: 'config',
  explain: {
    what: 'the Endpoint of a [Peer] is an address of a private network (RFC 1918, RFC 4193), link-local or loopback',
    why: 'nothing is wrong where both ends are in that network; from anywhere else it leads to some other host, or nowhere',
    fix: 'from outside, Endpoint is the public address or the name of the other end’s router, which forwards the port',
  },
  check: (world): Found<PrivateFacts>[] =>
    settings(world).flatMap((entry) =>
      entry.conf.peers.flatMap((peer): Found<PrivateFacts>[] => {
        const endpoint = setEndpoint(entry, peer);
        const ip = endpoint?.value.ip;
        if (endpoint === undefined || ip === undefined) return [];
        const scope = scopeOf(ip);
        if (scope === 'global' || scope === 'shared' || isNear(ip, entry) || works(entry, peer, ip, world)) return [];
        return [
          {
            facts: { place: placeOf(entry, endpoint.line), address: formatIp(ip), scope },
            certainty: 'proven',
            frames: [],
            subject: fileSubject(entry),
          },
        ];
      }),
    ),
  message: ({ place, address, scope }) => `the Endpoint at ${place}, ${address}, is ${WORDS[scope]}`,
  fix: () => ({
    linux: [
      'from another network: Endpoint = PUBLIC-ADDRESS-OR-NAME:PORT, with that port forwarded on the router there',
      'what the other end’s public address is, asked there: curl -4 ifconfig.co',
    ],
    routeros: [
      'from another network: /interface wireguard peers set NUMBER endpoint-address=PUBLIC-ADDRESS-OR-NAME',
      'what the other router’s public address is, asked there: /ip cloud print',
    ],
  }),
});

/** The tunnel's own network, which is another fault, or one that the router is in itself. */
function isNear(ip: IpBytes, entry: ConfEntry): boolean {
  if (entry.conf.interface.addresses.some(({ value }) => value.bits > 0 && inPrefix(ip, value))) return true;
  const router = routerOf(entry);
  return router !== undefined && outerAddresses(router.config).some(({ address }) => inPrefix(ip, address.value));
}

function works({ own }: ConfEntry, { publicKey }: WgPeer, ip: IpBytes, world: World): boolean {
  if (publicKey === undefined) return false;
  const other = ends(world).find((end) => end.own === world.keys.find(publicKey.value));
  const pair = own !== undefined && other !== undefined && confirmedBetween(world, own, other.own) !== undefined;
  return pair || isReached(world, publicKey.value, ip);
}
