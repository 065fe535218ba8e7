/** What is found inside a frame: a UDP datagram (or one carried in TCP, `path` ending in `tcp`), an ICMP error about one, or something that is skipped, and why. */
import type { Endpoint, IpBytes } from '../base/address.ts';
import type { Bytes } from '../base/bytes.ts';
import type { Frame } from '../capture/frame.ts';

export interface Datagram {
  readonly kind: 'datagram';
  /** The (last) frame it came from. */
  readonly frame: Frame;
  readonly from: Endpoint;
  readonly to: Endpoint;
  /** UDP payload as captured: shorter than `length` when the capture cut it. A view with the frame's lifetime. */
  readonly bytes: Bytes;
  /** UDP payload length on the wire, from the UDP header (or the IP length where that is 0). */
  readonly length: number;
  readonly ttl: number;
  /** DSCP and ECN byte. */
  readonly tos: number;
  /** IPv4 identification; 0 for IPv6 without a fragment header. */
  readonly ipId: number;
  /** IPv4 DF. Always true for IPv6. */
  readonly dontFragment: boolean;
  /** How many IP fragments it was put together from; 1 for a whole packet. */
  readonly fragments: number;
  /** IP packet length on the wire, header included; the greatest fragment's where there were fragments. */
  readonly ipLength: number;
  /** From the link layer (SLL, SLL2) or the container. */
  readonly direction: 'in' | 'out' | undefined;
  readonly checksum: 'ok' | 'bad' | 'absent' | 'unverifiable';
  /** How it was carried, outermost first, e.g. `['tzsp', 'ethernet', 'vlan 7', 'pppoe', 'ipv4']`. */
  readonly path: readonly string[];
}

export type UnreachableKind =
  | 'port-unreachable'
  | 'host-unreachable'
  | 'net-unreachable'
  | 'protocol-unreachable'
  | 'admin-prohibited'
  | 'fragmentation-needed'
  | 'time-exceeded'
  | 'other-error';

/** An ICMP or ICMPv6 error that quotes one of our datagrams. */
export interface IcmpError {
  readonly kind: 'icmp-error';
  readonly frame: Frame;
  /** Who sent the error. */
  readonly from: IpBytes;
  readonly to: IpBytes;
  readonly error: UnreachableKind;
  readonly type: number;
  readonly code: number;
  /** Next-hop MTU of a fragmentation-needed / packet-too-big, bytes; 0 when the router did not say. */
  readonly mtu?: number;
  readonly quoted: {
    readonly from: Endpoint;
    readonly to: Endpoint;
    /** As much of the UDP payload as was quoted and captured. */
    readonly bytes: Bytes;
    /** UDP payload length the quoted header claims. */
    readonly length: number;
  };
  readonly direction: 'in' | 'out' | undefined;
}

export type SkipKind =
  | 'link-type' // a link type that is not read: `detail` names it
  | 'not-ip'
  | 'not-udp'
  | 'ip-malformed'
  | 'udp-malformed'
  | 'stream-pending' // TCP that carries datagrams, and this segment completes none
  | 'fragment-pending' // stored; its datagram comes with a later frame
  | 'fragment-incomplete' // given up: `detail` says how much was there
  | 'cut' // the capture cut the frame before the UDP header
  | 'tzsp'; // TZSP keepalive and the like, or malformed

export interface Skip {
  readonly kind: 'skip';
  readonly frame: Frame;
  readonly reason: SkipKind;
  readonly detail: string;
}

export type Decoded = Datagram | IcmpError | Skip;
