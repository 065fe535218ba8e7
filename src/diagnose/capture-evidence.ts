/** What several rules ask of a whole capture: is there WireGuard in it, at which ends, on which port. */
import type { ConfEntry } from '../analyze/key-set.ts';
import { pairId } from '../analyze/liveness.ts';
import type { ForeignFlow, FrameId, PairId, Timeline } from '../analyze/timeline.ts';
import type { World } from '../analyze/world.ts';
import type { Endpoint } from '../base/address.ts';
import { linkTypeHint, linkTypeName } from '../capture/link-types.ts';

/** What `wg` and most guides use; only for commands where nothing says which port it is. */
const USUAL_PORT = 51820;
const LINK_TYPES_NAMED = 300;
const LISTED = 8;

export function captureSubject(timeline: Timeline): string {
  return `capture:${timeline.capture}`;
}

/** WireGuard messages of any kind, whole or cut. */
export function messageCount(timeline: Timeline): number {
  return Object.values(timeline.messages).reduce((sum, count) => sum + count, 0);
}

/** Texts of all endpoints that WireGuard messages went from or to. */
export function wireGuardEnds(timeline: Timeline): Set<string> {
  const out = new Set<string>(timeline.senders.keys());
  for (const { initiator, responder } of timeline.exchanges) out.add(initiator.text).add(responder.text);
  for (const { toInitiator, toResponder } of timeline.sessions) {
    for (const half of [toInitiator, toResponder])
      if (half !== undefined) out.add(half.owner.text).add(half.sender.text);
  }
  for (const { from, to } of timeline.variants.values()) out.add(from.text).add(to.text);
  return out;
}

/** The pair by what both ends are called once the whole capture is read: of a NAT's two views it is the same one. */
export function pairIn({ duplicates: { nat } }: Timeline, { from, to }: { from: Endpoint; to: Endpoint }): PairId {
  return pairId(nat.get(from.text) ?? from.text, nat.get(to.text) ?? to.text);
}

/** Pairs of this capture of which one end is no initiator and sends initiations all the same. */
export function noisePairs(timeline: Timeline, world: World): ReadonlySet<PairId> {
  return new Set(
    world.noise.flatMap(({ exchanges }) =>
      exchanges.flatMap(({ views }) => views.flatMap((view) => (view.timeline === timeline ? view.exchange.pair : []))),
    ),
  );
}

/** Port to name in a capture command: where handshakes go, else where a configuration listens. */
export function portOf(timeline: Timeline, world: World): number {
  const asked = timeline.exchanges[0]?.responder.port;
  if (asked !== undefined) return asked;
  for (const { conf } of world.keys.confs) {
    const port = conf.interface.listenPort?.value ?? 0;
    if (port !== 0) return port;
  }
  return timeline.sessions[0]?.toResponder?.owner.port ?? USUAL_PORT;
}

/** A configuration that waits for others: it has a port of its own, and a peer that it cannot write to first. */
export function listens({ own, conf }: ConfEntry): boolean {
  const waits = conf.peers.some((peer) => peer.endpoint === undefined);
  return own !== undefined && (conf.interface.listenPort?.value ?? 0) !== 0 && waits;
}

/** `STUN: 4 datagrams, 192.0.2.1:3478 → 192.0.2.2:51820`, the most frequent first. */
export function flowLines(flows: readonly ForeignFlow[]): string[] {
  const sorted = [...flows].sort((a, b) => b.count - a.count);
  const lines = sorted.slice(0, LISTED).map(({ name, count, from, to }) => {
    const what = name === 'unknown' ? 'something unknown' : name;
    return `${what}: ${datagrams(count)}, ${from.text} → ${to.text}`;
  });
  if (sorted.length > LISTED) lines.push(`${sorted.length - LISTED} further flows`);
  return lines;
}

export function flowFrames(flows: readonly ForeignFlow[]): FrameId[] {
  return flows.slice(0, LISTED).map(({ at }) => at);
}

export function datagrams(count: number): string {
  return count === 1 ? '1 datagram' : `${count} datagrams`;
}

/** Frames whose link type is not read, with what to do about it. */
export function unreadLinkTypes(
  timeline: Timeline,
): { readonly text: string; readonly at: FrameId; readonly hint?: string }[] {
  const out: { text: string; at: FrameId; hint?: string }[] = [];
  for (const [reason, { count, detail, first }] of timeline.skipped) {
    if (!reason.startsWith('link-type')) continue;
    const hint = hintOf(detail);
    const text = `${count} frames of link type ${detail}`;
    out.push(hint === undefined ? { text, at: first } : { text, at: first, hint });
  }
  return out;
}

/** The skip names the link type; its number is not kept. */
function hintOf(name: string): string | undefined {
  for (let n = 0; n < LINK_TYPES_NAMED; n++) if (linkTypeName(n) === name) return linkTypeHint(n);
  return undefined;
}
