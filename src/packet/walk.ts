/** Where decoding stands within a frame. One object of each per decoder, overwritten per frame: nothing here outlives it. */
import { type Bytes, EMPTY } from '../base/bytes.ts';
import type { SkipKind } from './datagram.ts';
import { Path } from './path.ts';

/** Why a step could not go on; becomes a Skip with its frame. */
export interface Refusal {
  readonly reason: SkipKind;
  readonly detail: string;
}

/** The link layers move this forward until it stands at an IP header. */
export interface Walk {
  bytes: Bytes;
  at: number;
  /** End of what was captured, without a frame check sequence. */
  end: number;
  /** End on the wire: greater than `end` when the capture cut the frame. */
  wireEnd: number;
  /** What the link layer says comes: IPv4, IPv6, or 0 when only the version nibble tells. */
  network: 0 | 4 | 6;
  path: Path;
  direction: 'in' | 'out' | undefined;
}

/** An IP packet: its header's facts, and where its payload is. */
export interface Packet {
  /** Holds source and destination address, one after the other. */
  header: Bytes;
  sourceAt: number;
  addressBytes: 4 | 16;
  /** What the payload is, after all IPv6 extension headers. */
  protocol: number;
  payload: Bytes;
  at: number;
  end: number;
  wireEnd: number;
  ipLength: number;
  ttl: number;
  tos: number;
  ipId: number;
  dontFragment: boolean;
  /** True for a part of a packet that is still to be put together. */
  isFragment: boolean;
  /** Octets into the fragmentable part. */
  fragmentAt: number;
  moreFragments: boolean;
  /** How many fragments this one was put together from. */
  fragments: number;
  /** An IPv6 routing header still has segments left: the checksum is made with another destination (RFC 8200 §8.1). */
  routed: boolean;
}

export function newWalk(): Walk {
  return { bytes: EMPTY, at: 0, end: 0, wireEnd: 0, network: 0, path: new Path(), direction: undefined };
}

export function newPacket(): Packet {
  return {
    header: EMPTY,
    sourceAt: 0,
    addressBytes: 4,
    protocol: 0,
    payload: EMPTY,
    at: 0,
    end: 0,
    wireEnd: 0,
    ipLength: 0,
    ttl: 0,
    tos: 0,
    ipId: 0,
    dontFragment: false,
    isFragment: false,
    fragmentAt: 0,
    moreFragments: false,
    fragments: 1,
    routed: false,
  };
}

const CUT: Refusal = { reason: 'cut', detail: 'the capture cut the frame before the UDP header' };

/** Octets are missing: because the capture cut them, or because they never were there. */
export function short(where: { readonly end: number; readonly wireEnd: number }, otherwise: Refusal): Refusal {
  return where.wireEnd > where.end ? CUT : otherwise;
}
