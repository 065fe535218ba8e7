/** An Endpoint where none is needed: for an end that begins by itself and whose place changes, or the own one. */

import type { WgPeer } from '../../config/wg-conf.ts';
import { fileSubject, isHost, type Listing, placeOf, settingPairs } from '../config-evidence.ts';
import type { Edit } from '../edit.ts';
import { endpointText, setEndpoint } from '../endpoint-evidence.ts';
import { defineRule, type Facts, type Found } from '../rule.ts';

interface OnServerFacts extends Facts {
  readonly place: string;
  readonly endpoint: string;
  readonly other: string;
  readonly because: 'own-place' | 'no-listen-port';
}

export const endpointOnServer = defineRule({
  name: 'endpoint-on-server',
  severity: 'info',
  on: 'files',
  group: 'config',
  spec: 'wp §2.1',
  explain: {
    what: 'a server has an Endpoint for a client that begins by itself: its own place copied there, or a port that the client does not keep',
    why: 'a server learns where a client is from the client’s own packets, and follows it; an Endpoint is right for an end at a fixed place, as between two sites, and else only makes the server write to the wrong place until the client has written',
    fix: 'take the Endpoint out of the [Peer] for the client, or give the client a ListenPort if it stays where it is',
  },
  check: (world): Found<OnServerFacts>[] =>
    settingPairs(world).flatMap(({ lister, listed, peer, back }) => [
      ...judge(lister, listed, peer, back),
      ...judge(listed, lister, back, peer),
    ]),
  message({ place, endpoint, other, because }) {
    return because === 'own-place'
      ? `the Endpoint at ${place}, ${endpoint}, is the place of this end itself: ${other} has the same for it`
      : `the Endpoint at ${place}, ${endpoint}, is for an end that begins by itself and has no ListenPort (${other}): its port is another one at each start`;
  },
  fix: ({ place }) => ({
    linux: [`at ${place}: take the Endpoint line out`],
    routeros: ['/interface wireguard peers set NUMBER endpoint-address="" endpoint-port=0'],
  }),
});

function judge(
  server: Listing['lister'],
  client: Listing['listed'],
  peer: WgPeer,
  back: WgPeer,
): Found<OnServerFacts>[] {
  const [here, there] = [setEndpoint(server.entry, peer), setEndpoint(client.entry, back)];
  if (here === undefined || there === undefined) return [];
  const endpoint = endpointText(here.value);
  const same = endpoint.toLowerCase() === endpointText(there.value).toLowerCase();
  const [port, otherPort] = [server, client].map(({ entry }) => entry.conf.interface.listenPort?.value ?? 0);
  // where both listen on that port it is the one that has single addresses for the other
  const own = same && port === here.value.port && (otherPort !== port || (forHost(peer) && !forHost(back)));
  const roams = !same && client.entry.origin.kind === 'wg-quick' && otherPort === 0 && port !== 0;
  if (!own && !roams) return [];
  const edit: Edit = { input: server.entry.input, line: here.line, kind: 'delete' };
  return [
    {
      facts: {
        place: placeOf(server.entry, here.line),
        endpoint,
        other: own ? placeOf(client.entry, there.line) : client.entry.name,
        because: own ? 'own-place' : 'no-listen-port',
      },
      certainty: 'proven',
      frames: [],
      subject: fileSubject(server.entry),
      edits: server.entry.origin.kind === 'wg-quick' ? [edit] : [],
    },
  ];
}

const forHost = ({ allowedIps }: WgPeer): boolean => allowedIps.every(({ value }) => isHost(value));
