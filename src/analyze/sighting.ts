/** A message as it comes out of a datagram, before it is known what it belongs to; ICMP errors likewise. */
import { formatIp } from '../base/address.ts';
import { type Bytes, u32le } from '../base/bytes.ts';
import type { Datagram, IcmpError } from '../packet/datagram.ts';
import type { MessageKind } from '../wg/drop.ts';
import { shapeOf } from './classify.ts';
import type { FrameId, IcmpSeen, Seen, WireForm } from './timeline.ts';

/** Whoever has it may still put other bytes in their place: those it came with are the frame's. */
export type Sighting = { -readonly [K in keyof Seen]: Seen[K] };

/** `bytes` is one message, of `length` bytes on the wire; it has at least the fields of its kind, or is cut. */
export function sighting(
  at: FrameId,
  datagram: Datagram,
  kind: MessageKind,
  bytes: Bytes,
  length: number,
  wire: WireForm | undefined,
): Sighting {
  const initiation = kind === 'initiation';
  return {
    kind,
    at,
    from: datagram.from,
    to: datagram.to,
    bytes,
    length,
    cut: bytes.length < length,
    ttl: datagram.ttl,
    direction: datagram.direction,
    checksum: datagram.checksum,
    fragments: datagram.fragments,
    ipLength: datagram.ipLength,
    sender: initiation || kind === 'response' ? u32le(bytes, 4) : 0,
    receiver: initiation ? 0 : u32le(bytes, kind === 'response' ? 8 : 4),
    counter: kind === 'data' ? u32le(bytes, 8) + u32le(bytes, 12) * 2 ** 32 : 0,
    copies: [],
    wire,
  };
}

/** An error about a datagram: `quotedKind` where what it quotes is whole enough to have one. */
export function icmpSighting(at: FrameId, { from, error, type, code, mtu, quoted }: IcmpError): IcmpSeen {
  const shape = shapeOf(quoted.bytes, quoted.length);
  return {
    at,
    from: formatIp(from),
    error,
    type,
    code,
    mtu,
    quotedFrom: quoted.from,
    quotedTo: quoted.to,
    quotedKind: shape?.fits === true && shape.reserved === 0 ? shape.kind : undefined,
  };
}
