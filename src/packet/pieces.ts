/** The fragments of one copy of one packet: what fits, what disagrees, and the payload they make. */
import { type Bytes, copy } from '../base/bytes.ts';
import type { Packet } from './walk.ts';

/** Enough for 64 KiB at an MTU of 576; a hostile sender could use 8191. */
const MAX_PIECES = 128;

/** What a piece is charged beside its octets, so that many tiny ones are not free. */
const PIECE_OVERHEAD_BYTES = 64;

interface Piece {
  readonly at: number;
  /** End on the wire; `bytes` ends earlier when the capture cut the frame. */
  readonly end: number;
  readonly bytes: Bytes;
}

/** Facts of the first fragment's header, which count for the whole packet (RFC 791 §3.2, RFC 8200 §4.5). */
interface First {
  readonly protocol: number;
  readonly ttl: number;
  readonly tos: number;
  readonly dontFragment: boolean;
  readonly routed: boolean;
}

export type Fit =
  | 'fits'
  /** The same octets were there already: this fragment was captured twice, or split elsewhere in another way. */
  | 'again'
  /** Other octets were there, or the packet would end in two places. */
  | 'disagrees'
  | 'too-many';

export class Pieces {
  readonly #pieces: Piece[] = [];
  #first: First | undefined;
  #have = 0;
  #total: number | undefined;
  #charged = 0;
  #ipLength = 0;

  get count(): number {
    return this.#pieces.length;
  }

  /** Octets of the fragmentable part that were seen on the wire. */
  get have(): number {
    return this.#have;
  }

  /** Its length on the wire, once the last fragment was seen. */
  get total(): number | undefined {
    return this.#total;
  }

  /** What it costs to keep these, bytes. */
  get charged(): number {
    return this.#charged;
  }

  get complete(): boolean {
    return this.#have === this.#total;
  }

  /** The captured start of the first fragment, which has the transport header. */
  get start(): Bytes | undefined {
    return this.#pieces.find((piece) => piece.at === 0)?.bytes;
  }

  fit(packet: Packet): Fit {
    const at = packet.fragmentAt;
    const end = at + packet.wireEnd - packet.at;
    if (this.#total !== undefined && (end > this.#total || (!packet.moreFragments && end !== this.#total))) {
      return 'disagrees';
    }
    let overlaps = false;
    for (const piece of this.#pieces) {
      if (!packet.moreFragments && piece.end > end) return 'disagrees';
      if (piece.at >= end || at >= piece.end) continue;
      overlaps = true;
      if (!agrees(piece, packet)) return 'disagrees';
    }
    if (overlaps) return 'again';
    return this.#pieces.length < MAX_PIECES ? 'fits' : 'too-many';
  }

  /** Only what {@link fit} says fits: nothing overlaps, so lengths alone tell when the packet is whole. */
  add(packet: Packet): void {
    const at = packet.fragmentAt;
    const end = at + packet.wireEnd - packet.at;
    const bytes = copy(packet.payload, packet.at, packet.end);
    this.#pieces.push({ at, end, bytes });
    this.#have += end - at;
    this.#charged += bytes.length + PIECE_OVERHEAD_BYTES;
    this.#ipLength = Math.max(this.#ipLength, packet.ipLength);
    if (!packet.moreFragments) this.#total = end;
    if (at === 0) {
      const { protocol, ttl, tos, dontFragment, routed } = packet;
      this.#first = { protocol, ttl, tos, dontFragment, routed };
    }
  }

  /**
   * Makes `packet`, one of the fragments, the whole one. When a fragment was cut, the payload ends where the
   * first gap is, and `wireEnd` says how long it was. Only when {@link complete}.
   */
  assemble(packet: Packet): void {
    const first = this.#first;
    const total = this.#total;
    if (first === undefined || total === undefined) throw new TypeError('assembled before it was complete');
    const payload = new Uint8Array(total);
    let end = 0;
    for (const piece of [...this.#pieces].sort((a, b) => a.at - b.at)) {
      if (piece.at !== end) break;
      payload.set(piece.bytes, end);
      end += piece.bytes.length;
    }
    packet.header = copy(packet.header, packet.sourceAt, packet.sourceAt + 2 * packet.addressBytes);
    packet.sourceAt = 0;
    packet.payload = payload;
    packet.at = 0;
    packet.end = end;
    packet.wireEnd = total;
    packet.protocol = first.protocol;
    packet.ttl = first.ttl;
    packet.tos = first.tos;
    packet.dontFragment = first.dontFragment;
    packet.routed = first.routed;
    packet.ipLength = this.#ipLength;
    packet.isFragment = false;
    packet.fragments = this.#pieces.length;
  }
}

/** Compares where both have octets. */
function agrees(piece: Piece, packet: Packet): boolean {
  const shift = packet.at - packet.fragmentAt;
  const from = Math.max(piece.at, packet.fragmentAt);
  const to = Math.min(piece.at + piece.bytes.length, packet.end - shift);
  for (let i = from; i < to; i++) if (piece.bytes[i - piece.at] !== packet.payload[i + shift]) return false;
  return true;
}
