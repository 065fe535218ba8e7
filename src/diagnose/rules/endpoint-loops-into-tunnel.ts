/** The way to an Endpoint leads into the tunnel that this Endpoint is to carry. */

import type { ConfEntry } from '../../analyze/key-set.ts';
import type { World } from '../../analyze/world.ts';
import { formatIp, type IpBytes, inPrefix, type Prefix } from '../../base/address.ts';
import { scopeOf } from '../../base/address-scope.ts';
import { oncePer } from '../../base/once-per.ts';
import { network, networkText, type PrefixIndex, prefixIndex, sameNetwork } from '../../base/prefix.ts';
import type { WgPeer } from '../../config/wg-conf.ts';
import { fileSubject, placeOf, settings, unlessConfirmed } from '../config-evidence.ts';
import { allowedIpsEdit } from '../edit.ts';
import { leadsInto, mainRoutes, outerAddresses, type Router, routerOf } from '../ros-evidence.ts';
import { type Certainty, defineRule, type Facts, type Found, type Severity } from '../rule.ts';

interface LoopFacts extends Facts {
  readonly place: string;
  readonly endpoint: string;
  readonly by: 'address' | 'allowed-ips' | 'route';
  readonly prefix: string;
  readonly prefixAt: string;
}

export const endpointLoopsIntoTunnel = defineRule({
  name: 'endpoint-loops-into-tunnel',
  severity: 'error',
  on: 'files',
  group: 'config',
  explain: {
    what: 'an Endpoint lies in a network that is routed into the same tunnel',
    why: 'the packets that are to carry the tunnel would have to go through it: Linux refuses to send them, so not one initiation leaves; with 0.0.0.0/0 or ::/0 wg-quick avoids this by a mark and a table of its own, with any other prefix it does not',
    fix: 'write the address at which the other end is reached outside the tunnel, or leave the Endpoint out of AllowedIPs, or add a route of its own for it',
  },
  check: (world): Found<LoopFacts>[] =>
    settings(world).flatMap((entry) => entry.conf.peers.flatMap((peer) => judge(entry, peer, world) ?? [])),
  message({ place, endpoint, by, prefix, prefixAt }) {
    const where = {
      address: `in the tunnel’s own network ${prefix}`,
      'allowed-ips': `in ${prefix} of the AllowedIPs, which are routed into the tunnel`,
      route: `in ${prefix}, which is routed into the tunnel`,
    }[by];
    return `the Endpoint at ${place}, ${endpoint}, is ${where} (${prefixAt})`;
  },
  fix: ({ place, by, endpoint, prefix }) => ({
    linux:
      by === 'address'
        ? [
            `at ${place}: Endpoint = the address of the other end outside the tunnel`,
            `which way it goes now: ip route get ${endpoint}`,
          ]
        : [
            `a way around the tunnel, in [Interface]: PreUp = ip route add ${endpoint} via GATEWAY; PostDown = ip route del ${endpoint}`,
            `or without ${prefix} in AllowedIPs; which way it goes now: ip route get ${endpoint}`,
          ],
    routeros: [
      `/ip route add dst-address=${endpoint} gateway=GATEWAY`,
      `which way it goes now: /ip route check ${endpoint}`,
    ],
  }),
});

interface Shown {
  readonly by: LoopFacts['by'];
  readonly prefix: Prefix;
  readonly prefixAt: string;
  readonly certainty: Certainty;
  readonly severity?: Severity;
  readonly notes?: readonly string[];
  readonly without?: { readonly peer: WgPeer; readonly prefix: Prefix };
}

function judge(entry: ConfEntry, peer: WgPeer, world: World): Found<LoopFacts> | undefined {
  const { endpoint, publicKey } = peer;
  const ip = endpoint?.value.ip;
  if (endpoint === undefined || ip === undefined || entry.origin.kind === 'wg-show') return undefined;
  const router = routerOf(entry);
  const shown = router === undefined ? bySettings(entry, ip) : byRoutes(entry, router, ip);
  if (shown === undefined) return undefined;
  const known = publicKey === undefined ? undefined : world.keys.find(publicKey.value);
  const confirmed =
    known === undefined || entry.own === undefined ? undefined : unlessConfirmed(world, entry.own, known);
  const { by, prefix, prefixAt, certainty, severity, notes = [], without } = shown;
  return {
    facts: {
      place: placeOf(entry, endpoint.line),
      endpoint: formatIp(ip),
      by,
      prefix: networkText(prefix),
      prefixAt,
    },
    certainty,
    ...(severity === undefined ? {} : { severity }),
    frames: [],
    ...confirmed,
    subject: fileSubject(entry),
    notes: [...notes, ...(confirmed?.notes ?? [])],
    edits: without === undefined ? [] : withoutPrefix(entry, without),
  };
}

/** Only where something is left. */
function withoutPrefix(entry: ConfEntry, { peer, prefix }: { readonly peer: WgPeer; readonly prefix: Prefix }) {
  const left = peer.allowedIps.map(({ value }) => value).filter((value) => value !== prefix);
  return left.length === 0 ? [] : allowedIpsEdit(entry, peer, left);
}

const WG_QUICK =
  'by what wg-quick does on Linux; the apps of Windows, macOS, iOS and Android send around their own tunnel';
/** The whole of a family in two halves: what people write who do not want wg-quick’s own way. */
const HALF = 1;
/** A link that the host is in itself is seldom wider (IPv4), and its route then wins. */
const LINK_BITS = 24;

function bySettings(entry: ConfEntry, ip: IpBytes): Shown | undefined {
  const { addresses, table, fwMark, preUp, postUp } = entry.conf.interface;
  const hooks = [...preUp, ...postUp];
  // its own routes and rules are somebody’s plan
  if (hooks.some(({ value }) => /\b(route|rule|fwmark|mark)\b/.test(value))) return undefined;
  const own = addresses.find(({ value }) => value.bits < ip.length * 8 && value.bits > 0 && inPrefix(ip, value));
  if (own !== undefined) {
    return {
      by: 'address',
      prefix: network(own.value),
      prefixAt: placeOf(entry, own.line),
      certainty: 'deduced',
      notes: ['that is where the other end is inside the tunnel: it is reached there only once the tunnel stands'],
    };
  }
  if ((table !== undefined && table.value !== 'auto') || fwMark !== undefined) return undefined;
  const best = longest(entry, ip);
  if (best === undefined || best.prefix.bits === 0) return undefined;
  if (scopeOf(ip) !== 'global' && ip.length === 4 && best.prefix.bits < LINK_BITS) return undefined;
  const half = best.prefix.bits === HALF;
  const near = scopeOf(ip) === 'global' ? [] : ['from inside that very network it may be reached all the same'];
  return {
    by: 'allowed-ips',
    prefix: best.prefix,
    prefixAt: placeOf(entry, best.line),
    certainty: 'suspected',
    ...(half ? { severity: 'warning' as const } : {}),
    notes: [WG_QUICK, ...near, ...(half ? ['0.0.0.0/0 in place of the two halves does it right'] : [])],
    ...(half || best.prefix.bits < 8 ? {} : { without: best }),
  };
}

interface Allowed {
  readonly peer: WgPeer;
  readonly prefix: Prefix;
  readonly line: number;
}

const indexOf = oncePer<ConfEntry, PrefixIndex<Allowed>>(({ conf }) =>
  prefixIndex(conf.peers.flatMap((peer) => peer.allowedIps.map(({ value, line }) => ({ peer, prefix: value, line })))),
);

/** Of all peers: the packets would come to this same interface again. */
function longest(entry: ConfEntry, ip: IpBytes): Allowed | undefined {
  return indexOf(entry).covering(ip)[0];
}

/** A default route that comes by DHCP is not in an export: only longer ones decide. */
function byRoutes(entry: ConfEntry, router: Router, ip: IpBytes): Shown | undefined {
  const own = entry.conf.interface.addresses.find(
    ({ value }) => value.bits > 0 && value.bits < ip.length * 8 && inPrefix(ip, value),
  );
  const connected = outerAddresses(router.config).filter(({ address }) => inPrefix(ip, address.value));
  const routes = mainRoutes(router.config)
    .filter(({ to }) => to.bits > 0 && inPrefix(ip, to))
    .sort((a, b) => b.to.bits - a.to.bits || (a.distance?.value ?? 1) - (b.distance?.value ?? 1));
  const widest = Math.max(0, ...connected.map(({ address }) => address.value.bits));
  const [best] = routes;
  if (own !== undefined && own.value.bits > widest && (best === undefined || best.to.bits <= own.value.bits)) {
    return { by: 'address', prefix: network(own.value), prefixAt: placeOf(entry, own.line), certainty: 'deduced' };
  }
  if (best === undefined || best.to.bits <= widest || !leadsInto(best, router)) return undefined;
  const rivals = routes.filter(
    ({ to, distance }) => sameNetwork(to, best.to) && distance?.value === best.distance?.value,
  );
  if (rivals.some((route) => !leadsInto(route, router))) return undefined;
  return { by: 'route', prefix: best.to, prefixAt: placeOf(entry, best.line), certainty: 'deduced' };
}
