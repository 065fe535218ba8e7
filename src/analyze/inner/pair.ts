/** What went through the tunnel between two ends, in bounded memory: the part of a timeline that decrypted data fills. */
import type { IpBytes } from '../../base/address.ts';
import type { UnreachableKind } from '../../packet/datagram.ts';
import type { AllowedIps } from '../../wg/allowed-ips.ts';
import type { DropKind, MessageKind } from '../../wg/drop.ts';
import type { ConfEntry } from '../key-set.ts';
import type { FrameId, PairId } from '../timeline.ts';
import type { DnsServer } from './dns.ts';
import type { InnerFlow } from './flow.ts';

/** The configuration of the end that data goes to, and whose AllowedIPs a source must be in. */
export interface Receiver {
  readonly entry: ConfEntry;
  /** Base64 of the public key of the sender. */
  readonly peer: string;
  /** As the interface would have them: a prefix belongs to the last peer that lists it. */
  readonly allowed: AllowedIps<string>;
}

export interface InnerSource {
  readonly ip: IpBytes;
  packets: number;
  readonly first: FrameId;
  last: FrameId;
}

/** A source that the receiver’s AllowedIPs do not give to the sender. */
export interface RefusedSource extends InnerSource {
  readonly receiver: Receiver;
  /** Destination of the first of them. */
  readonly to: IpBytes;
  /** Base64 of the peer that the source belongs to, if any. */
  readonly owner: string | undefined;
  /** The receiver itself sends to this address through the tunnel: its AllowedIPs have it, whatever the file says. */
  addressed: FrameId | undefined;
  /** Echo requests, SYNs and DNS queries among them. */
  asks: number;
  readonly frames: FrameId[];
}

/** A WireGuard message inside the tunnel, to the very endpoint that the tunnel’s own messages go to. */
export interface Nested {
  readonly message: MessageKind;
  /** It names an index of this tunnel, or comes from the sender’s own endpoint: it is the tunnel’s own message. */
  readonly own: boolean;
  readonly from: string;
  readonly to: string;
  count: number;
  readonly frames: FrameId[];
}

export interface InnerError {
  /** Which end let it into the tunnel. */
  readonly by: 0 | 1;
  readonly from: IpBytes;
  readonly error: UnreachableKind;
  readonly type: number;
  readonly code: number;
  /** Next-hop MTU of a “too big”; 0: not said. */
  readonly mtu: number;
  /** The packet that it is about. */
  readonly quotedFrom: IpBytes;
  readonly quotedTo: IpBytes;
  readonly protocol: number;
  readonly toPort: number;
  /** How long after the first packet of the conversation it is about the first of them came. */
  firstAfterMs: number | undefined;
  count: number;
  readonly frames: FrameId[];
}

/** What one end let into the tunnel. */
export interface InnerEnd {
  /** Canonical name, as in the pair. */
  readonly name: string;
  /** Opened, without keepalives. */
  packets: number;
  bytes: number;
  /** Bytes of the greatest inner packet. */
  greatest: number;
  greatestAt: FrameId | undefined;
  first: FrameId | undefined;
  last: FrameId | undefined;
  /** Fragments but the first of each packet: they have no ports, and no flow. */
  parts: number;
  readonly sources: Map<number, InnerSource>;
  /** Packets of sources that are not listed. */
  sourcesMore: number;
  readonly refused: RefusedSource[];
  refusedMore: number;
  /** No IP, or with a length that cannot be. */
  readonly invalid: { readonly kinds: Map<DropKind, number>; count: number; readonly frames: FrameId[] };
  readonly nested: Nested[];
  /** Opened, with a counter beyond the last that there is. */
  readonly exhausted: FrameId[];
}

export interface InnerPair {
  readonly pair: PairId;
  /** In the order of their names in `pair`. */
  readonly ends: readonly [InnerEnd, InnerEnd];
  /** By hash; `next` leads on to others with the same. */
  readonly flows: Map<number, InnerFlow>;
  readonly dns: DnsServer[];
  readonly errors: InnerError[];
  /** No longer listed, or never: memory is bounded. */
  readonly folded: { flows: number; packets: number; dns: number; errors: number };
}

export function* flowsOf({ flows }: InnerPair): Generator<InnerFlow> {
  for (const first of flows.values()) {
    for (let flow: InnerFlow | undefined = first; flow !== undefined; flow = flow.next) yield flow;
  }
}

export function newPair(pair: PairId): InnerPair {
  const [a = '', b = ''] = pair.split(' ~ ');
  return {
    pair,
    ends: [newEnd(a), newEnd(b)],
    flows: new Map(),
    dns: [],
    errors: [],
    folded: { flows: 0, packets: 0, dns: 0, errors: 0 },
  };
}

function newEnd(name: string): InnerEnd {
  return {
    name,
    packets: 0,
    bytes: 0,
    greatest: 0,
    greatestAt: undefined,
    first: undefined,
    last: undefined,
    parts: 0,
    sources: new Map(),
    sourcesMore: 0,
    refused: [],
    refusedMore: 0,
    invalid: { kinds: new Map(), count: 0, frames: [] },
    nested: [],
    exhausted: [],
  };
}
