/** The tunnel carries its own packets, or sends back what came out of it. */
import { flowsOf, type InnerEnd } from '../../analyze/inner/pair.ts';
import type { FrameId } from '../../analyze/timeline.ts';
import type { InnerView, Tunnel, World } from '../../analyze/world.ts';
import { formatIp } from '../../base/address.ts';
import { addressOf } from '../data-evidence.ts';
import { tunnelSubject } from '../evidence.ts';
import { endNamed, isUnicast, otherEnd } from '../inner-evidence.ts';
import { defineRule, type Facts, type Found } from '../rule.ts';

interface LoopFacts extends Facts {
  /** `own`: the tunnel in itself · `other`: another tunnel to the same place · `bounce`: back where it came from. */
  readonly kind: 'own' | 'other' | 'bounce';
  readonly sender: string;
  /** Endpoint of the messages inside, or the address that leads both ends into the tunnel. */
  readonly to: string;
  readonly packets: number;
  readonly message: string | null;
}

/** A single one may be a packet that was on its way when routes changed. */
const LEAST_BOUNCED = 2;
const FRAMES = 12;

export const routingLoop = defineRule<'tunnel', LoopFacts>({
  name: 'routing-loop',
  severity: 'error',
  on: 'tunnel',
  group: 'wire',
  spec: 'wp §3.1',
  explain: {
    what: 'a packet inside the tunnel is itself a WireGuard message to the endpoint that the tunnel’s own messages go to, or packets that come out of the tunnel are sent back into it',
    why: 'the route to the peer’s endpoint leads into the tunnel, because AllowedIPs or a route covers that address, so each packet is wrapped again; or each end believes that the other one has the network, and a packet goes to and fro until its TTL ends',
    fix: 'give the endpoint’s address a route outside the tunnel (wg-quick does it with fwmark and a table of its own for 0.0.0.0/0), or leave it out of AllowedIPs; a network must be at one of the ends',
  },
  check: (tunnel, world) =>
    tunnel.inner.flatMap((view) => [...nested(view, tunnel, world), ...bounced(view, tunnel, world)]),
  message({ kind, sender, to, packets, message }) {
    if (kind === 'bounce')
      return `${packets} packets to ${to} that ${sender} sent through the tunnel came back into it at the other end: each end takes the other for the way there`;
    const many = `${packets} packet${packets === 1 ? '' : 's'} inside the tunnel of ${sender} ${packets === 1 ? 'is a WireGuard' : 'are WireGuard'} ${message}${packets === 1 ? '' : ' messages'} to ${to}`;
    return kind === 'own'
      ? `${many}: the tunnel’s own messages are routed into the tunnel`
      : `${many}, where the tunnel itself goes: another tunnel to the same place runs inside it`;
  },
  fix({ kind, to }) {
    if (kind === 'bounce')
      return {
        linux: [
          `on both ends: ip route get ${to}   (at one of them it must not lead into the tunnel)`,
          'wg show all allowed-ips',
        ],
        routeros: [`/ip route check ${to}`, '/ip route print where gateway~"wireguard"'],
      };
    const address = addressOf(to);
    return {
      linux: [
        `on the sending end: ip route get ${address}   (must not show the WireGuard interface)`,
        `ip route add ${address} via GATEWAY dev OUTER_INTERFACE`,
        'or let wg-quick do it: with AllowedIPs = 0.0.0.0/0 and no Table line it sets fwmark and rules itself',
      ],
      routeros: [`/ip route add dst-address=${address} gateway=GATEWAY_OF_THE_PROVIDER`, `/ip route check ${address}`],
    };
  },
});

function* nested(view: InnerView, tunnel: Tunnel, world: World): Generator<Found<LoopFacts>> {
  for (const end of view.inner.ends) {
    for (const own of [true, false]) {
      const list = end.nested.filter((one) => one.own === own);
      const [first] = list;
      if (first === undefined) continue;
      yield found(
        tunnel,
        list.flatMap(({ frames }) => frames),
        own ? undefined : 'info',
        {
          kind: own ? 'own' : 'other',
          sender: labelOf(end, view, tunnel, world),
          to: first.to,
          packets: list.reduce((sum, { count }) => sum + count, 0),
          message: [...new Set(list.map(({ message }) => message))].join(' and '),
        },
      );
    }
  }
}

/** One finding for each direction: the address that was sent there and back most often. */
function* bounced(view: InnerView, tunnel: Tunnel, world: World): Generator<Found<LoopFacts>> {
  for (const by of [0, 1] as const) {
    let packets = 0;
    let to: string | undefined;
    let most = 0;
    const frames: FrameId[] = [];
    for (const flow of flowsOf(view.inner)) {
      if (flow.by !== by || flow.bounced === 0 || !isUnicast(flow.to)) continue;
      packets += flow.bounced;
      if (flow.there.first !== undefined) frames.push(flow.there.first);
      if (flow.bouncedAt !== undefined) frames.push(flow.bouncedAt);
      if (flow.bounced <= most) continue;
      most = flow.bounced;
      to = formatIp(flow.to);
    }
    if (to === undefined || packets < LEAST_BOUNCED) continue;
    const sender = labelOf(view.inner.ends[by], view, tunnel, world);
    const back = labelOf(view.inner.ends[otherEnd(by)], view, tunnel, world);
    const notes = [
      `${back} has no other way to ${to} than back to ${sender}: see its routes and which peer’s AllowedIPs hold that address there`,
    ];
    yield { ...found(tunnel, frames, undefined, { kind: 'bounce', sender, to, packets, message: null }), notes };
  }
}

function found(
  tunnel: Tunnel,
  frames: readonly FrameId[],
  severity: 'info' | undefined,
  facts: LoopFacts,
): Found<LoopFacts> {
  return {
    facts,
    certainty: 'proven',
    ...(severity === undefined ? {} : { severity }),
    frames: frames.slice(0, FRAMES),
    subject: tunnelSubject(tunnel),
    notes: severity === undefined ? [] : ['that works, and costs the overhead twice: both tunnels go to one host'],
  };
}

function labelOf({ name }: InnerEnd, { timeline }: InnerView, tunnel: Tunnel, world: World): string {
  return endNamed(name, timeline, tunnel, world).entry?.name ?? name;
}
