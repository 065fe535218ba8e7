/** What one capture leaves behind once it is read: handshake messages whole, data as counter runs, in bounded memory. */
import type { Endpoint } from '../base/address.ts';
import type { Bytes } from '../base/bytes.ts';
import type { Time } from '../base/time.ts';
import type { CaptureDamage, CaptureFormat } from '../capture/frame.ts';
import type { UnreachableKind } from '../packet/datagram.ts';
import type { MessageKind } from '../wg/drop.ts';
import type { CounterRuns } from './counter-runs.ts';
import type { InnerPair } from './inner/pair.ts';
import type { OneWay } from './one-way.ts';
import type { CookieSight, InitiationSight, ResponseSight } from './sight.ts';
import type { Stall } from './stall.ts';
import type { VariantForm } from './unwrap/unwrapped.ts';

/** A frame of a capture, as evidence. `time` is the epoch where the container has none. */
export interface FrameId {
  readonly capture: string;
  readonly frame: number;
  readonly time: Time;
}

/** A message as it was seen; copies of the same datagram (other interface, other side of a NAT) are collapsed into it. */
export interface Seen {
  readonly kind: MessageKind;
  readonly at: FrameId;
  readonly from: Endpoint;
  readonly to: Endpoint;
  /** The whole message for handshake kinds, as captured; nothing for data, once it is looked at. */
  readonly bytes: Bytes;
  /** Bytes on the wire. */
  readonly length: number;
  /** The capture cut it: nothing cryptographic can be said. */
  readonly cut: boolean;
  readonly ttl: number;
  readonly direction: 'in' | 'out' | undefined;
  readonly checksum: 'ok' | 'bad' | 'absent' | 'unverifiable';
  readonly fragments: number;
  /** IP packet, header included; of the greatest fragment where there were several. */
  readonly ipLength?: number;
  /** 0 where the kind has none. */
  readonly sender: number;
  readonly receiver: number;
  /** Data only; exact below 2^53. */
  readonly counter: number;
  readonly copies: Seen[];
  /** Where it was not plain WireGuard that stood on the wire. */
  readonly wire?: WireForm | undefined;
}

/** How a message stood on the wire before it was unwrapped. */
export interface WireForm {
  /** Name of the form. */
  readonly variant: string;
  /** The whole message as MAC1 and MAC2 cover it, where that is not how it is read. */
  readonly macBytes?: Bytes;
  /** AmneziaWG: bytes before the message, and the type word that stood there. */
  readonly padding?: number;
  readonly header?: number;
  /** WARP: the three bytes behind the type. */
  readonly reserved?: readonly [number, number, number];
}

export interface IcmpSeen {
  readonly at: FrameId;
  /** Address of who sent the error. */
  readonly from: string;
  readonly error: UnreachableKind;
  readonly type: number;
  readonly code: number;
  readonly mtu: number | undefined;
  /** The datagram it quotes: who wrote to whom. */
  readonly quotedFrom: Endpoint;
  readonly quotedTo: Endpoint;
  readonly quotedKind: MessageKind | undefined;
}

/** An initiation and what came of it, in one capture. */
export interface Exchange {
  readonly capture: string;
  /** undefined: a response was seen whose initiation was not. */
  readonly initiation: Seen | undefined;
  readonly sight: InitiationSight | undefined;
  /** The same bytes again, later, and not as a copy of the same datagram. */
  readonly replays: Seen[];
  /** Of these the first ones are kept. */
  replayCount: number;
  readonly responses: { readonly seen: Seen; readonly sight: ResponseSight }[];
  readonly cookies: { readonly seen: Seen; readonly sight: CookieSight }[];
  readonly icmp: IcmpSeen[];
  /** What each end sent last before the initiation. */
  readonly spokeBefore: { readonly initiator: FrameId | undefined; readonly responder: FrameId | undefined };
  /** First data to the responder's index: the initiator took the response. */
  confirmed: Seen | undefined;
  /** First data to the initiator's index: the responder was confirmed. */
  replied: Seen | undefined;
  readonly initiator: Endpoint;
  readonly responder: Endpoint;
  readonly initiatorIndex: number;
  /** Canonical names of both ends: NAT views and roaming folded together, as of when it was seen. */
  readonly initiatorName: string;
  readonly responderName: string;
  /** Endpoints as one name each, NAT views and roaming folded together. */
  readonly pair: PairId;
}

/** Canonical endpoint texts of both ends, joined in order: the same for both directions. */
export type PairId = string;

/** One direction of a session: the packets to one index. */
export interface Half {
  readonly index: number;
  /** Who owns the index: where the packets go (the latest address). */
  owner: Endpoint;
  sender: Endpoint;
  readonly runs: CounterRuns;
  packets: number;
  keepalives: number;
  bytes: number;
  greatestLength: number;
  first: FrameId;
  last: FrameId;
  /** Fingerprint of the first packets, to tell an index collision from a session seen twice. */
  replayed: number;
  tooOld: number;
  /** By the size of a replay window: new counters that came when the greatest was further ahead than that. */
  readonly beyond: Map<number, number>;
  reordered: number;
  fragmented: FrameId[];
  /** IP length of the greatest fragment of them. */
  greatestFragment?: number;
  /** Large messages sent again and again and never answered; `stall` is the one under way. */
  stall?: Stall | undefined;
  stalls?: Stall[];
  cut: number;
  /** Length on the wire of the shortest of those that the capture cut. */
  leastCut?: number;
  opened: number;
  unsealable: FrameId[];
  unsealableCount: number;
  /** The sender's address changed while the counter went on. */
  readonly moves: { readonly at: FrameId; readonly from: Endpoint; readonly to: Endpoint; readonly counter: number }[];
  /** Not all of it came from the address that its handshake came from, whatever names the ends go by. */
  wandered: boolean;
  /** TTL seen on its packets, least and greatest. */
  ttlLow: number;
  ttlHigh: number;
}

export interface Session {
  readonly capture: string;
  readonly exchange: Exchange | undefined;
  readonly pair: PairId;
  readonly initiatorIndex: number | undefined;
  readonly responderIndex: number | undefined;
  toResponder: Half | undefined;
  toInitiator: Half | undefined;
}

/** One end sends data and hears nothing at all from the other: longer than the protocol allows a live peer (wp §6.5). */
export interface Silence {
  readonly pair: PairId;
  readonly sender: Endpoint;
  readonly target: Endpoint;
  readonly senderName: string;
  /** First data packet that stayed unanswered. */
  readonly start: FrameId;
  /** When the target was last heard before; undefined: never in this capture. */
  readonly heardBefore: FrameId | undefined;
  /** Milliseconds without any packet of either end just before `start`. */
  readonly idleMs: number;
  /** The longest of such pauses before it after which the target was still reached at the same address. */
  readonly survivedMs: number;
  packets: number;
  readonly frames: FrameId[];
  /** The first ones. */
  initiations: FrameId[];
  initiationCount: number;
  icmp: IcmpSeen[];
  /** What ended it, and from which address it came; undefined: the capture ended first. */
  end: Seen | undefined;
  lastSent: FrameId;
}

/** Direction evidence of one address, over all its packets. */
export interface SenderStats {
  readonly endpoint: Endpoint;
  packets: number;
  in: number;
  out: number;
  /** TTL exactly 64, 128 or 255: as it left its host. */
  initialTtl: number;
  badChecksum: number;
  forwarded: number;
}

export interface ForeignFlow {
  readonly name: string;
  at: FrameId;
  last: FrameId;
  readonly from: Endpoint;
  readonly to: Endpoint;
  /** Both ways; `back` of them against the direction of the first. */
  count: number;
  back: number;
}

/** Datagrams of one form of WireGuard between two ends. */
export interface VariantFlow extends ForeignFlow {
  /** Those of them whose messages were taken out and judged as plain ones. */
  unwrapped: number;
  /** Undefined where it was only named by its sizes. */
  readonly form: VariantForm | undefined;
}

export interface Malformed {
  readonly at: FrameId;
  readonly from: Endpoint;
  readonly to: Endpoint;
  readonly pair: PairId;
  readonly claims: MessageKind;
  readonly length: number;
  readonly expected: number;
}

export interface Timeline {
  readonly capture: string;
  readonly name: string;
  readonly format: CaptureFormat;
  readonly timed: boolean;
  readonly frames: number;
  /** Of the lengths of all of them, in order: another capture of that name has others. */
  readonly lengths: number;
  readonly datagrams: number;
  readonly first: FrameId | undefined;
  readonly last: FrameId | undefined;
  /** When it is known to have been running still: the last frame's time, or later where somebody watches it live. */
  readonly until: Time | undefined;
  readonly skipped: ReadonlyMap<string, { count: number; readonly detail: string; readonly first: FrameId }>;
  readonly messages: Readonly<Record<MessageKind, number>>;
  readonly verdicts: Readonly<Record<'accepted' | 'refused' | 'undecided', number>>;
  readonly damage: readonly CaptureDamage[];
  readonly cut: { readonly handshake: FrameId[]; handshakeCount: number; dataCount: number; readonly data: FrameId[] };
  readonly duplicates: {
    count: number;
    readonly frames: FrameId[];
    /** Outer endpoint → inner endpoint, learned from the two views of one datagram. */
    readonly nat: ReadonlyMap<string, string>;
  };
  readonly exchanges: readonly Exchange[];
  readonly sessions: readonly Session[];
  readonly silences: readonly Silence[];
  readonly oneWays: readonly OneWay[];
  readonly icmp: readonly IcmpSeen[];
  readonly malformed: readonly Malformed[];
  readonly foreign: ReadonlyMap<string, ForeignFlow>;
  readonly variants: ReadonlyMap<string, VariantFlow>;
  readonly senders: ReadonlyMap<string, SenderStats>;
  /** Packets from each end of a pair. */
  readonly directions: ReadonlyMap<PairId, ReadonlyMap<string, number>>;
  /** What the keys open of the data of each pair. */
  readonly inner: ReadonlyMap<PairId, InnerPair>;
  /** Exchanges and sessions that were folded away to keep memory bounded. */
  readonly retired: number;
}
