/** TCP inside the tunnel agrees on segments that do not fit into it. */
import type { FlowSide } from '../../analyze/inner/flow.ts';
import { flowsOf, type InnerPair } from '../../analyze/inner/pair.ts';
import type { Hole } from '../../analyze/inner/tcp.ts';
import type { FrameId, Timeline } from '../../analyze/timeline.ts';
import type { InnerView, Tunnel, World } from '../../analyze/world.ts';
import { formatIp } from '../../base/address.ts';
import { placeOf } from '../config-evidence.ts';
import { tunnelSubject } from '../evidence.ts';
import { capturedAfter, endNamed, isOwnTtl } from '../inner-evidence.ts';
import { clampFix } from '../mtu.ts';
import { defineRule, type Facts, type Found } from '../rule.ts';

/** IP and TCP headers without options (RFC 9293 §3.7.1). */
const HEADERS = { 4: 40, 16: 60 } as const;
/** What wg-quick, the kernel and Windows take on Ethernet: 1500 − 80. */
const USUAL_MTU = 1420;
const LARGE_HOLE = 500;
/** TCP sends again within a second or two: what is missing longer does not get through. */
const MISSING_MS = 5000;
const HOSTS = 4;
const FRAMES = 12;

interface MssFacts extends Facts {
  readonly hosts: readonly string[];
  readonly connections: number;
  readonly mss: number;
  readonly packet: number;
  readonly mtu: number;
  /** Where the MTU stands; null where it is the usual one. */
  readonly place: string | null;
  readonly fits: number;
  /** Connections in which large segments never came. */
  readonly stuck: number;
}

export const mssTooLarge = defineRule<'tunnel', MssFacts>({
  name: 'mss-too-large',
  severity: 'info',
  on: 'tunnel',
  group: 'wire',
  spec: 'RFC 9293 §3.7.1, RFC 2923 §2.1',
  explain: {
    what: 'a SYN inside the tunnel announces a maximum segment size above the MTU of the tunnel less 40 bytes (IPv4) or 60 (IPv6)',
    why: 'full segments that a host behind the other end sends to it do not fit: they are saved only if the ICMP error of the router in front of the tunnel reaches the sender; where that is filtered, pages and downloads hang after their first bytes',
    fix: 'clamp the MSS of forwarded TCP to the path MTU at the ends of the tunnel',
  },
  check: (tunnel, world) => tunnel.inner.flatMap((view) => found(view, tunnel, world) ?? []),
  message({ hosts, connections, mss, packet, mtu, place, fits, stuck }) {
    const many = hosts.length > HOSTS ? ` and ${hosts.length - HOSTS} more` : '';
    const where = place === null ? `the usual MTU ${mtu}` : `MTU ${mtu} (${place})`;
    const also = stuck === 0 ? '' : `; in ${stuck} of them large segments never came`;
    return `${hosts.slice(0, HOSTS).join(', ')}${many} announce${hosts.length === 1 ? 's' : ''} MSS ${mss} through the tunnel (${connections} connection${connections === 1 ? '' : 's'}${also}): packets of ${packet} bytes do not fit ${where}, MSS ${fits} does`;
  },
  fix: ({ fits }) => clampFix(fits),
});

interface Announced {
  readonly hosts: Set<string>;
  readonly frames: FrameId[];
  connections: number;
  mss: number;
  headers: number;
  stuck: number;
}

function found(view: InnerView, tunnel: Tunnel, world: World): Found<MssFacts> | undefined {
  const { inner, timeline } = view;
  const set = smallestMtu(view, tunnel, world);
  const mtu = set?.mtu ?? Math.max(USUAL_MTU, ...inner.ends.map(({ greatest }) => greatest));
  const { hosts, frames, connections, mss, headers, stuck } = announced(inner, timeline, mtu);
  if (connections === 0) return undefined;
  return {
    facts: {
      hosts: [...hosts],
      connections,
      mss,
      packet: mss + headers,
      mtu,
      place: set?.place ?? null,
      fits: mtu - headers,
      stuck,
    },
    certainty: set === undefined ? 'suspected' : 'proven',
    ...(stuck > 0 ? { severity: 'warning' as const } : {}),
    frames: frames.slice(0, FRAMES),
    subject: tunnelSubject(tunnel),
    notes: [
      `${mtu} − ${headers - 20} IP − 20 TCP = ${mtu - headers}`,
      ...(set === undefined
        ? ['no file here says the MTU of the tunnel: 1420 is what it is on Ethernet unless it was set']
        : []),
      ...(stuck > 0
        ? [
            'the sequence numbers were passed over and neither sent again nor acknowledged: the router in front of the tunnel, or a link of the path, swallows what is larger',
          ]
        : []),
    ],
  };
}

/** The least that a file of either end sets. */
function smallestMtu(
  { inner, timeline }: InnerView,
  tunnel: Tunnel,
  world: World,
): { mtu: number; place: string } | undefined {
  const all = inner.ends.flatMap(({ name }) => {
    const { entry } = endNamed(name, timeline, tunnel, world);
    const mtu = entry?.conf.interface.mtu;
    return entry === undefined || mtu === undefined ? [] : [{ mtu: mtu.value, place: placeOf(entry, mtu.line) }];
  });
  return all.sort((a, b) => a.mtu - b.mtu)[0];
}

function announced(inner: InnerPair, timeline: Timeline, mtu: number): Announced {
  const out: Announced = { hosts: new Set(), frames: [], connections: 0, mss: 0, headers: HEADERS[4], stuck: 0 };
  for (const flow of flowsOf(inner)) {
    const headers = flow.from.length === 4 ? HEADERS[4] : HEADERS[16];
    const sides = [
      { host: flow.from, announces: flow.there.tcp, sender: flow.back },
      { host: flow.to, announces: flow.back.tcp, sender: flow.there },
    ].filter(({ announces, sender }) => (announces?.mss ?? 0) + headers > mtu && isForwarded(sender));
    if (sides.length === 0) continue;
    out.connections++;
    if (sides.some(({ sender }) => isStuck(sender.tcp?.hole, timeline))) out.stuck++;
    for (const { host, announces, sender } of sides) {
      out.hosts.add(formatIp(host));
      const mss = announces?.mss ?? 0;
      if (mss + headers > out.mss + out.headers) {
        out.mss = mss;
        out.headers = headers;
      }
      if (announces?.synAt !== undefined) out.frames.push(announces.synAt);
      const hole = sender.tcp?.hole;
      if (hole !== undefined) out.frames.push(hole.at);
    }
  }
  return out;
}

/** Whoever sends from an end of the tunnel itself keeps to its MTU, whatever the other host announces. */
function isForwarded({ packets, ttl }: FlowSide): boolean {
  return packets > 0 && !isOwnTtl(ttl);
}

function isStuck(hole: Hole | undefined, timeline: Timeline): boolean {
  return (
    hole !== undefined && ((hole.to - hole.from) | 0) >= LARGE_HOLE && capturedAfter(hole.at, timeline) >= MISSING_MS
  );
}
