/** What rules ask of decrypted traffic: whose file is whose, which addresses are an end’s own, what was asked and answered. */
import type { DnsServer } from '../analyze/inner/dns.ts';
import { flowsOf, type InnerPair } from '../analyze/inner/pair.ts';
import type { ConfEntry, KnownKey } from '../analyze/key-set.ts';
import { keysOf } from '../analyze/receivers.ts';
import type { Exchange, FrameId, Timeline } from '../analyze/timeline.ts';
import { type InnerView, isConfirmed, type Tunnel, type World } from '../analyze/world.ts';
import { formatIp, type IpBytes, inPrefix } from '../base/address.ts';
import { msBetween } from '../base/time.ts';

/** One end of a tunnel: its key, where the handshakes show it, and its file, where it is at hand. */
export interface TunnelEnd {
  readonly key: KnownKey | undefined;
  readonly entry: ConfEntry | undefined;
}

const UNKNOWN_END: TunnelEnd = { key: undefined, entry: undefined };

/** By canonical name in this capture; what was confirmed counts before what was only tried. */
export function endNamed(name: string, timeline: Timeline, tunnel: Tunnel, world: World): TunnelEnd {
  let found: KnownKey | undefined;
  for (const merged of tunnel.exchanges) {
    for (const { exchange } of merged.views) {
      if (exchange.capture !== timeline.capture) continue;
      const key = keyAt(name, exchange, world);
      if (key !== undefined && isConfirmed(merged)) return { key, entry: world.keys.confOf(key) };
      found ??= key;
    }
  }
  return found === undefined ? UNKNOWN_END : { key: found, entry: world.keys.confOf(found) };
}

function keyAt(name: string, exchange: Exchange, { keys }: World): KnownKey | undefined {
  const { initiator, responder } = keysOf(exchange, keys);
  if (exchange.initiatorName === name) return initiator;
  return exchange.responderName === name ? responder : undefined;
}

export const otherEnd = (by: 0 | 1): 0 | 1 => (by === 0 ? 1 : 0);

/** Neither link-local nor to many: what hosts send by themselves, and nobody expects to get through a tunnel. */
export function isUnicast(ip: IpBytes): boolean {
  const [a = 0, b = 0] = ip;
  if (ip.length === 4) return a > 0 && a < 224 && a !== 127 && !(a === 169 && b === 254);
  return a !== 0xff && !(a === 0xfe && (b & 0xc0) === 0x80) && ip.some((byte) => byte !== 0);
}

/** As hosts send it: the packet came from the end of the tunnel itself, not through it. */
export function isOwnTtl(ttl: number): boolean {
  return ttl === 64 || ttl === 128 || ttl === 255;
}

/** The address of an end’s own interface by its file, or one beside the asker’s own address in the tunnel’s network. */
export function isTunnelAddress(ip: IpBytes, owner: TunnelEnd, asker: TunnelEnd): boolean {
  const same = (other: IpBytes): boolean => other.length === ip.length && other.every((byte, i) => byte === ip[i]);
  if (owner.entry?.conf.interface.addresses.some(({ value }) => same(value.ip))) return true;
  return (asker.entry?.conf.interface.addresses ?? []).some(
    ({ value }) => value.bits < value.ip.length * 8 && value.bits > 0 && inPrefix(ip, value),
  );
}

/**
 * Both directions can be read: something of either end opened, and nothing that came back stayed closed or was cut.
 * Only then an answer that is not there was not given.
 */
export function readsBothWays(by: 0 | 1, { inner, timeline }: InnerView): boolean {
  const name = inner.ends[by].name;
  let reverse = false;
  for (const { pair, exchange, toInitiator, toResponder } of timeline.sessions) {
    if (pair !== inner.pair) continue;
    const back =
      exchange === undefined
        ? [toInitiator, toResponder].find((half) => half?.owner.text === name)
        : exchange.initiatorName === name
          ? toInitiator
          : toResponder;
    if (back === undefined) continue;
    if (back.cut > 0 || back.unsealableCount > 0) return false;
    if (back.opened > 0) reverse = true;
    else if (back.packets > back.keepalives) return false;
  }
  return reverse && timeline.timed && inner.folded.flows === 0;
}

/** How long the capture went on after this frame, milliseconds. */
export function capturedAfter(frame: FrameId, { until, timed }: Timeline): number {
  return timed && until !== undefined ? msBetween(frame.time, until) : 0;
}

/** A destination and how it was asked. */
export interface Asked {
  readonly ip: IpBytes;
  readonly text: string;
  /** Echo requests, SYNs and DNS queries. */
  requests: number;
  answered: boolean;
  /** An answer came as hosts send it: it is the other end itself. */
  itself: boolean;
  first: FrameId | undefined;
  last: FrameId | undefined;
  readonly frames: FrameId[];
}

const FRAMES_KEPT = 4;

/** Every destination that the end `by` asked something, through the tunnel. */
export function askedBy(by: 0 | 1, inner: InnerPair): Map<string, Asked> {
  const out = new Map<string, Asked>();
  for (const flow of flowsOf(inner)) {
    if (flow.by === by) {
      const asked = entry(out, flow.to);
      if (flow.asks) {
        asked.requests += flow.there.tcp?.syns ?? flow.there.packets;
        noteFrames(asked, flow.there.first, flow.there.last);
      }
      if (flow.back.packets === 0) continue;
      asked.answered = true;
      if (isOwnTtl(flow.back.ttl)) asked.itself = true;
    } else if (flow.there.packets > 1 && flow.back.packets > 0) {
      // it began itself, and goes on: what is sent to it arrives
      const asked = entry(out, flow.from);
      asked.answered = true;
      if (isOwnTtl(flow.there.ttl)) asked.itself = true;
    }
  }
  for (const server of inner.dns) if (server.by === by) noteServer(entry(out, server.server), server);
  return out;
}

function noteServer(asked: Asked, { queries, answers, outstanding }: DnsServer): void {
  asked.requests += queries;
  if (answers > 0) asked.answered = true;
  for (const { first, last, times } of outstanding.values()) {
    asked.requests += times - 1;
    noteFrames(asked, first, last);
  }
}

function entry(into: Map<string, Asked>, ip: IpBytes): Asked {
  const text = formatIp(ip);
  let asked = into.get(text);
  if (asked === undefined) {
    asked = { ip, text, requests: 0, answered: false, itself: false, first: undefined, last: undefined, frames: [] };
    into.set(text, asked);
  }
  return asked;
}

function noteFrames(asked: Asked, first: FrameId | undefined, last: FrameId | undefined): void {
  if (first === undefined || last === undefined) return;
  if (asked.first === undefined || msBetween(first.time, asked.first.time) > 0) asked.first = first;
  if (asked.last === undefined || msBetween(asked.last.time, last.time) > 0) asked.last = last;
  for (const frame of first === last ? [first] : [first, last])
    if (asked.frames.length < FRAMES_KEPT) asked.frames.push(frame);
}
