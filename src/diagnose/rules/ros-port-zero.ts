/** A RouterOS peer with an endpoint address and no port, or port 0: the router cannot write to it. */

import type { ConfEntry } from '../../analyze/key-set.ts';
import type { World } from '../../analyze/world.ts';
import { toBase64 } from '../../base/base64.ts';
import type { RosPeer } from '../../config/routeros/wireguard.ts';
import { fileSubject, listings, placeOf, settings } from '../config-evidence.ts';
import { listenPort } from '../machine-evidence.ts';
import { routerOf } from '../ros-evidence.ts';
import { defineRule, type Facts, type Found } from '../rule.ts';

interface ZeroFacts extends Facts {
  readonly place: string;
  readonly address: string;
  readonly written: boolean;
  /** The ListenPort of that end, where its file is here. */
  readonly port: number | null;
  readonly key: string | null;
}

export const rosPortZero = defineRule({
  name: 'ros-port-zero',
  severity: 'error',
  on: 'files',
  group: 'config',
  explain: {
    what: 'a peer of RouterOS has an endpoint-address and an endpoint-port of 0, or none',
    why: 'an endpoint is an address and a port: without one the router never begins, and shows no fault; the tunnel comes up only if the other end writes first',
    fix: 'set endpoint-port to the ListenPort of the other end; where that end is meant to begin, take the endpoint-address out',
  },
  check: (world): Found<ZeroFacts>[] => settings(world).flatMap((entry) => found(entry, world)),
  message: ({ place, address, written }) =>
    written
      ? `${place} has endpoint-port 0 beside the endpoint-address ${address}: the router cannot write to it`
      : `${place} has the endpoint-address ${address} and no endpoint-port: the router cannot write to it`,
  fix: ({ key, port }) => ({
    linux: ['at the other end, which port it is: wg show INTERFACE listen-port'],
    routeros: [
      `/interface wireguard peers set ${key === null ? 'NUMBER' : `[find public-key="${key}"]`} endpoint-port=${port ?? 'PORT'}`,
    ],
  }),
});

function found(entry: ConfEntry, world: World): Found<ZeroFacts>[] {
  const router = routerOf(entry);
  if (router === undefined) return [];
  return router.end.peers.flatMap((peer, i): Found<ZeroFacts>[] => {
    const { endpointAddress, endpointPort, publicKey } = peer;
    if (endpointAddress === undefined || isUnspecified(endpointAddress.value)) return [];
    if ((endpointPort?.value ?? 0) !== 0 || peer.responder?.value === true) return [];
    const meant = listings(world).find(
      ({ lister, peer: listed }) => lister.entry === entry && listed === entry.conf.peers[i],
    );
    // another end that writes first brings the tunnel up all the same
    const dialled = meant?.back?.endpoint !== undefined;
    return [
      {
        facts: {
          place: placeOf(entry, (endpointPort ?? endpointAddress).line),
          address: endpointAddress.value,
          written: endpointPort !== undefined,
          port: meant === undefined ? null : (listenPort(meant.listed.entry)?.value ?? null),
          key: publicKey === undefined ? null : toBase64(publicKey.value),
        },
        certainty: learned(peer) || dialled ? 'suspected' : 'deduced',
        ...(learned(peer) || dialled ? { severity: 'warning' as const } : {}),
        frames: [],
        subject: fileSubject(entry),
        notes: [
          ...(learned(peer) ? ['the other end has written first: there is an endpoint that was learned from it'] : []),
          ...(dialled ? ['the other end has an Endpoint for this router, and can begin'] : []),
        ],
      },
    ];
  });
}

const isUnspecified = (address: string): boolean => address === '' || address === '0.0.0.0' || address === '::';

function learned({ currentEndpointPort }: RosPeer): boolean {
  return (currentEndpointPort?.value ?? 0) !== 0;
}
