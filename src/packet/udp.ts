/** UDP header (RFC 768) and its checksum. */
import { u16be } from '../base/bytes.ts';
import type { Summer } from './checksum.ts';
import type { Datagram } from './datagram.ts';
import { type Packet, type Refusal, short } from './walk.ts';

export const UDP = 17;
export const UDP_HEADER_BYTES = 8;

const TOO_SHORT: Refusal = { reason: 'udp-malformed', detail: 'IP payload shorter than a UDP header' };

/** Overwritten per packet, as {@link Packet}. */
export interface UdpHeader {
  sourcePort: number;
  destinationPort: number;
  /** Payload on the wire. */
  length: number;
  /** Payload as captured, within `packet.payload`. */
  at: number;
  end: number;
  /** The header gives 0 and the IP length was used: a jumbogram (RFC 2675 §4) or segmentation offload. */
  implied: boolean;
}

export function newUdpHeader(): UdpHeader {
  return { sourcePort: 0, destinationPort: 0, length: 0, at: 0, end: 0, implied: false };
}

export function readUdp(packet: Packet, udp: UdpHeader): Refusal | undefined {
  const { payload, at, end } = packet;
  const room = packet.wireEnd - at;
  if (room < UDP_HEADER_BYTES) return TOO_SHORT;
  if (at + UDP_HEADER_BYTES > end) return short(packet, TOO_SHORT);
  const claimed = u16be(payload, at + 4);
  const whole = claimed === 0 ? room : claimed;
  if (whole < UDP_HEADER_BYTES) return { reason: 'udp-malformed', detail: `UDP length ${whole}` };
  if (whole > room) return { reason: 'udp-malformed', detail: `UDP length ${whole} in an IP payload of ${room}` };
  udp.sourcePort = u16be(payload, at);
  udp.destinationPort = u16be(payload, at + 2);
  udp.length = whole - UDP_HEADER_BYTES;
  udp.at = at + UDP_HEADER_BYTES;
  udp.end = Math.min(end, at + whole);
  udp.implied = claimed === 0;
  return undefined;
}

/**
 * RFC 768, RFC 8200 §8.1. For information only: packets sent by the capturing machine are often captured before
 * the card fills the checksum in. IPv6 allows no zero, so there it counts as bad.
 */
export function udpChecksum(packet: Packet, udp: UdpHeader, summer: Summer): Datagram['checksum'] {
  const { payload, at } = packet;
  if (u16be(payload, at + 6) === 0) return packet.addressBytes === 4 ? 'absent' : 'bad';
  if (udp.implied || udp.end - udp.at < udp.length) return 'unverifiable';
  const pseudo = summer.sum(packet.header, packet.sourceAt, packet.sourceAt + 2 * packet.addressBytes) + UDP;
  const sum = pseudo + udp.length + UDP_HEADER_BYTES + summer.sum(payload, at, udp.end);
  if (sum % 0xffff === 0) return 'ok'; // never the sum 0: protocol and length are in it
  return packet.routed ? 'unverifiable' : 'bad';
}
