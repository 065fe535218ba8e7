/** TCP header (RFC 9293 §3.1): as much as putting a stream together takes. */
import { u16be, u32be } from '../base/bytes.ts';
import type { Packet } from './walk.ts';

export const TCP = 6;
const MIN_HEADER_BYTES = 20;

/** Overwritten per packet, as {@link Packet}. */
export interface TcpHeader {
  sourcePort: number;
  destinationPort: number;
  sequence: number;
  /** It begins or breaks off a connection. */
  resets: boolean;
  /** Payload on the wire. */
  length: number;
  /** Payload as captured, within `packet.payload`. */
  at: number;
  end: number;
}

const SYN_OR_RST = 0x06;

export function newTcpHeader(): TcpHeader {
  return { sourcePort: 0, destinationPort: 0, sequence: 0, resets: false, length: 0, at: 0, end: 0 };
}

/** False where there is no whole header. */
export function readTcp({ payload, at, end, wireEnd }: Packet, tcp: TcpHeader): boolean {
  if (at + MIN_HEADER_BYTES > end) return false;
  const header = ((payload[at + 12] ?? 0) >>> 4) * 4;
  if (header < MIN_HEADER_BYTES || at + header > wireEnd) return false;
  tcp.sourcePort = u16be(payload, at);
  tcp.destinationPort = u16be(payload, at + 2);
  tcp.sequence = u32be(payload, at + 4);
  tcp.resets = ((payload[at + 13] ?? 0) & SYN_OR_RST) !== 0;
  tcp.at = Math.min(end, at + header);
  tcp.end = end;
  tcp.length = wireEnd - (at + header);
  return true;
}
