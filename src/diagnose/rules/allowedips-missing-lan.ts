/** A router sends its LAN into the tunnel, and the other end’s AllowedIPs for it do not hold that network. */
import type { RefusedSource } from '../../analyze/inner/pair.ts';
import type { World } from '../../analyze/world.ts';
import { formatIp, formatPrefix, inPrefix, maskIp, type Prefix } from '../../base/address.ts';
import { network, networkText, overlapping, within } from '../../base/prefix.ts';
import type { WgPeer } from '../../config/wg-conf.ts';
import { type End, fileSubject, listings, placeOf } from '../config-evidence.ts';
import { allowedIpsEdit } from '../edit.ts';
import { closedOneWays, neverAnswers, oneWayFrames } from '../one-way-evidence.ts';
import { lanNetworks, leadsInto, mainRoutes, type Router, routerOf, translated } from '../ros-evidence.ts';
import { defineRule, type Facts, type Found } from '../rule.ts';
import { networksBehind } from '../unanswered.ts';

const LISTED = 6;

interface LanFacts extends Facts {
  readonly sender: string;
  readonly lan: string;
  /** Where the LAN stands, and the route that leads from it into the tunnel. */
  readonly lanPlace: string;
  readonly routePlace: string;
  readonly routeTo: string;
  readonly receiver: string;
  readonly allowed: readonly string[];
  readonly key: string;
  /** Packets of that network that were dropped, where they could be opened. */
  readonly packets: number | null;
}

export const allowedipsMissingLan = defineRule<'files', LanFacts>({
  name: 'allowedips-missing-lan',
  severity: 'warning',
  on: 'files',
  group: 'config',
  spec: 'wp §2',
  explain: {
    what: 'a router has a LAN and a route that leads its hosts into the tunnel, and the AllowedIPs that the other end has for this router do not hold that LAN',
    why: 'the other end drops what comes from those hosts after decryption, and sends nothing to them; the router itself gets through, so a ping from it works',
    fix: 'add the LAN to the AllowedIPs of the router’s [Peer] at the other end (and a route there), or let the router masquerade into the tunnel',
  },
  check: (world) =>
    listings(world).flatMap(({ lister, listed, peer, back }) => {
      const router = routerOf(listed.entry);
      return back === undefined || router === undefined
        ? []
        : missing({ receiver: lister, sender: listed, peer, back, router }, world);
    }),
  message({ sender, lan, lanPlace, routePlace, routeTo, receiver, allowed, packets }) {
    const has = allowed.length === 0 ? 'nothing' : `only ${allowed.join(', ')}`;
    const seen = packets === null ? '' : `: ${packets} packets of its hosts were dropped there`;
    return `the hosts of ${lan} (${lanPlace}) reach ${routeTo} through the tunnel of ${sender} (${routePlace}), and ${receiver} allows ${has} for it${seen}`;
  },
  fix: ({ lan, key, receiver, allowed, routeTo }) => ({
    linux: [
      `at ${receiver}: AllowedIPs = ${[...allowed, lan].join(', ')}   (wg-quick then sets the route, too)`,
      `at once, until restart: wg set INTERFACE peer ${key} allowed-ips ${[...allowed, lan].join(',')}; ip route add ${lan} dev INTERFACE`,
    ],
    routeros: [
      `/interface wireguard peers set [find public-key="${key}"] allowed-address=${[...allowed, lan].join(',')}; /ip route add dst-address=${lan} gateway=wireguard1`,
      `or on the router with the LAN: /ip firewall nat add chain=srcnat src-address=${lan} dst-address=${routeTo} out-interface=wireguard1 action=masquerade`,
    ],
  }),
});

interface Between {
  readonly receiver: End;
  readonly sender: End;
  /** What the receiver has for the sender, and the other way. */
  readonly peer: WgPeer;
  readonly back: WgPeer;
  readonly router: Router;
}

function missing(between: Between, world: World): Found<LanFacts>[] {
  const { receiver, sender, peer, back, router } = between;
  const beyond = networksBehind({ entry: sender.entry, key: sender.own }, back);
  const route = mainRoutes(router.config).find(
    (one) => !one.blackhole && leadsInto(one, router) && beyond.some((prefix) => overlapping(prefix, one.to)),
  );
  if (route === undefined) return [];
  return lanNetworks(router.config).flatMap((lan): Found<LanFacts>[] => {
    const prefix = network(lan.address.value);
    // a part of it may be what was meant; and what is beyond the tunnel is no LAN of this end
    if (peer.allowedIps.some(({ value }) => overlapping(network(value), prefix))) return [];
    if (within(prefix, route.to) && route.to.bits > 0) return [];
    if (translated(prefix, router) !== 'no') return [];
    const { packets, frames, oneWay } = evidence(between, prefix, world);
    return [
      {
        facts: {
          sender: sender.entry.name,
          lan: networkText(prefix),
          lanPlace: placeOf(sender.entry, lan.address.line),
          routePlace: placeOf(sender.entry, route.line),
          routeTo: networkText(route.to),
          receiver: placeOf(receiver.entry, peer.allowedIps[0]?.line ?? peer.line),
          allowed: peer.allowedIps
            .slice(0, LISTED)
            .map(({ value: { ip, bits } }) => formatPrefix({ ip: maskIp(ip, bits), bits })),
          key: sender.own.text,
          packets: packets === 0 ? null : packets,
        },
        certainty: packets > 0 ? 'proven' : 'deduced',
        frames,
        subject: fileSubject(receiver.entry),
        edits: allowedIpsEdit(receiver.entry, peer, [...peer.allowedIps.map(({ value }) => value), prefix]),
        notes: [
          'no srcnat rule of that router gives these packets another source on the way into the tunnel',
          ...(oneWay ? ['the capture shows data from that router that is taken and never answered'] : []),
        ],
      },
    ];
  });
}

/** What the captures hold of that network: dropped sources where packets open, one-way data where they do not. */
function evidence({ sender, receiver }: Between, lan: Prefix, world: World) {
  const refused = world.tunnels.flatMap(({ inner }) =>
    inner.flatMap((view) =>
      view.inner.ends.flatMap((end) => end.refused.filter((one) => isOf(one, sender, receiver, lan))),
    ),
  );
  const packets = refused.reduce((sum, one) => sum + one.packets, 0);
  const oneWay = world.tunnels
    .flatMap((tunnel) => closedOneWays(tunnel, world))
    .find((each) => each.sender.entry === sender.entry && each.receiver.entry === receiver.entry && neverAnswers(each));
  const frames =
    packets > 0 ? refused.flatMap((one) => one.frames) : oneWay === undefined ? [] : oneWayFrames(oneWay.oneWay);
  return { packets, frames, oneWay: packets === 0 && oneWay !== undefined };
}

function isOf({ ip, receiver, addressed }: RefusedSource, sender: End, of: End, lan: Prefix): boolean {
  return (
    addressed === undefined &&
    receiver.entry === of.entry &&
    receiver.peer === sender.own.text &&
    ip.length === lan.ip.length &&
    inPrefix(ip, lan) &&
    !sender.entry.conf.interface.addresses.some(({ value }) => formatIp(value.ip) === formatIp(ip))
  );
}
