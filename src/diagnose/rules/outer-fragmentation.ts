/** Outer packets do not fit the path and travel in pieces, or a router says that they do not fit. */

import { placesOf } from '../../analyze/session-pairs.ts';
import type { FrameId, IcmpSeen } from '../../analyze/timeline.ts';
import type { Tunnel, World } from '../../analyze/world.ts';
import type { Endpoint } from '../../base/address.ts';
import type { Edit } from '../edit.ts';
import { tunnelSubject } from '../evidence.ts';
import { IPV6_LEAST_MTU, mtuEdits, mtuFix, overhead, pppoeNote } from '../mtu.ts';
import { defineRule } from '../rule.ts';

/** Less than this, no path has (RFC 791 §3.1): such a figure is not believed. */
const LEAST_MTU = 576;

export const outerFragmentation = defineRule({
  name: 'outer-fragmentation',
  severity: 'warning',
  on: 'tunnel',
  group: 'wire',
  spec: 'RFC 791 §3.2',
  explain: {
    what: 'WireGuard’s own packets are larger than a link on the way, so they travel as IP fragments or are refused with an ICMP error',
    why: 'each piece can be lost alone, many firewalls and NATs drop fragments, and every full packet costs two; where fragments are dropped the tunnel hangs on large transfers',
    fix: 'set the MTU of the tunnel to the path MTU less 60 bytes over IPv4 or 80 over IPv6, on both ends',
  },
  check(tunnel, world) {
    const refused = tooBig(tunnel, world);
    const pieces = fragments(tunnel);
    const one = refused[0]?.quotedTo ?? pieces.to;
    if (one === undefined) return undefined;
    const said = refused.map(({ mtu }) => mtu ?? 0).filter((mtu) => mtu >= LEAST_MTU);
    const pathMtu = said.length > 0 ? Math.min(...said) : pieces.greatest >= LEAST_MTU ? pieces.greatest : null;
    const { outer, tunnel: overTunnel } = overhead(one);
    const toldBy = [...new Set(refused.map(({ from }) => from))];
    const notes = [
      `tunnel MTU = path MTU − ${overTunnel}: ${outer} bytes of IP and UDP outside, 32 of WireGuard`,
      ...(pathMtu === null ? [] : pppoeNote(pathMtu, said.length > 0 ? pathMtu + 1 : pathMtu + 8)),
    ];
    if (said.length === 0 && pathMtu !== null)
      notes.push('the path MTU is told by the greatest fragment: it may be up to 7 bytes more');
    if (pieces.count === 0)
      notes.push('no fragments are in the captures: a filter on the port alone loses all but the first of each packet');
    if (pathMtu !== null && pathMtu - overTunnel < IPV6_LEAST_MTU)
      notes.push('below 1280 no IPv6 goes through the tunnel');
    return {
      facts: {
        to: one.text,
        pathMtu,
        tunnelMtu: pathMtu === null ? null : pathMtu - overTunnel,
        fragmented: pieces.count > 0,
        icmp: refused.length,
        toldBy,
      },
      certainty: 'proven',
      frames: [...refused.map(({ at }) => at), ...pieces.frames],
      subject: tunnelSubject(tunnel),
      notes,
      edits: pathMtu === null ? [] : editsOf(tunnel, world, pathMtu - overTunnel),
    };
  },
  message({ to, pathMtu, tunnelMtu, fragmented, icmp, toldBy }) {
    const how =
      icmp > 0
        ? `${toldBy.join(', ')} says that packets to ${to} are too big`
        : `data to or from ${to} travels in IP fragments`;
    const also = icmp > 0 && fragmented ? ', and data travels in IP fragments' : '';
    return `${how}${also}: ${pathMtu === null ? 'the path MTU is not said' : `the path carries ${pathMtu} bytes, so MTU ${tunnelMtu} fits inside`}`;
  },
  fix: ({ tunnelMtu, to }) => mtuFix(tunnelMtu ?? IPV6_LEAST_MTU, to),
});

/** The files of both ends, as any capture shows which they are. */
function editsOf(tunnel: Tunnel, world: World, mtu: number): Edit[] {
  const [view] = tunnel.sessions;
  return view === undefined ? [] : mtuEdits(view.session.pair, view.timeline, tunnel, world, mtu);
}

/** ICMP errors that quote this tunnel's data, or so little that only its addresses are left. */
function tooBig(tunnel: Tunnel, world: World): IcmpSeen[] {
  const flows = new Map<string, number>();
  for (const view of tunnel.sessions) {
    for (const { half } of placesOf(view)) {
      const key = `${half.sender.text} > ${half.owner.text}`;
      flows.set(key, Math.max(flows.get(key) ?? 0, half.greatestLength + overhead(half.owner).outer));
    }
  }
  const of = (error: IcmpSeen): boolean => {
    const greatest = flows.get(`${error.quotedFrom.text} > ${error.quotedTo.text}`);
    if (error.error !== 'fragmentation-needed' || greatest === undefined) return false;
    // a figure that everything fits into cannot have stopped anything
    return (error.quotedKind === 'data' || error.quotedKind === undefined) && (error.mtu ?? 0) < greatest;
  };
  return world.timelines.flatMap(({ icmp }) => icmp.filter(of));
}

function fragments(tunnel: Tunnel): { count: number; greatest: number; to: Endpoint | undefined; frames: FrameId[] } {
  const out: { count: number; greatest: number; to: Endpoint | undefined; frames: FrameId[] } = {
    count: 0,
    greatest: 0,
    to: undefined,
    frames: [],
  };
  for (const view of tunnel.sessions) {
    for (const { half } of placesOf(view)) {
      if (half.fragmented.length === 0) continue;
      out.count += half.fragmented.length;
      out.greatest = Math.max(out.greatest, half.greatestFragment ?? 0);
      out.to ??= half.owner;
      out.frames.push(...half.fragmented);
    }
  }
  return out;
}
