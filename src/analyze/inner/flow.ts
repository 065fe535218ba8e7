/** A conversation inside the tunnel: two addresses, their ports, and what each side sent. */
import type { IpBytes } from '../../base/address.ts';
import { type Bytes, copy, u32be } from '../../base/bytes.ts';
import type { FrameId } from '../timeline.ts';
import { type InnerReader, TCP, TCP_ACK, TCP_SYN } from './read.ts';
import { newTcpSide, type TcpSide } from './tcp.ts';

export interface FlowSide {
  packets: number;
  first: FrameId | undefined;
  last: FrameId | undefined;
  /** Bytes of the greatest inner packet. */
  greatest: number;
  /** The greatest: one that is as hosts send it (64, 128, 255) has passed no router but the tunnel’s two ends. */
  ttl: number;
  readonly tcp: TcpSide | undefined;
}

export interface InnerFlow {
  /** IP protocol number. */
  readonly protocol: number;
  /** Who sent the first packet that was seen, and to whom. */
  readonly from: IpBytes;
  readonly to: IpBytes;
  /** Both are the identifier of an echo, and 0 where the protocol has no ports. */
  readonly fromPort: number;
  readonly toPort: number;
  /** Which end of the pair let that packet into the tunnel. */
  readonly by: 0 | 1;
  /** That packet wants an answer: an echo request, or a SYN. */
  readonly asks: boolean;
  /** From `from` to `to`, and back. */
  readonly there: FlowSide;
  readonly back: FlowSide;
  /** Packets that the other end sent back as they came, less some hops. */
  bounced: number;
  bouncedAt: FrameId | undefined;
  /** ICMP errors inside the tunnel that quote it. */
  errors: number;
  /** Another one with the same hash. */
  next: InnerFlow | undefined;
}

/** The same for both directions. A small integer, so that a map keeps it unboxed. */
export function flowHash({ packet, sourcePort, destinationPort }: InnerReader): number {
  const { header, sourceAt, addressBytes, protocol } = packet;
  const source = addressHash(header, sourceAt, addressBytes, sourcePort);
  const destination = addressHash(header, sourceAt + addressBytes, addressBytes, destinationPort);
  return ((source + destination) ^ Math.imul(protocol + 1, 0x9e3779b1)) | 0;
}

export function addressHash(bytes: Bytes, at: number, size: number, port: number): number {
  let hash = port ^ size;
  for (let i = 0; i < size; i += 4) hash = Math.imul(hash ^ u32be(bytes, at + i), 0x9e3779b1);
  return (hash ^ (hash >>> 15)) | 0;
}

/** `size` bytes of `bytes` from `at` on are this address. */
export function isAddress(ip: IpBytes, bytes: Bytes, at: number, size: number): boolean {
  if (ip.length !== size) return false;
  for (let i = 0; i < size; i++) if (ip[i] !== bytes[at + i]) return false;
  return true;
}

/** Whether the packet goes `there` or `back`; undefined: it belongs to another flow. */
export function directionIn(flow: InnerFlow, reader: InnerReader): 'there' | 'back' | undefined {
  const { packet, sourcePort, destinationPort } = reader;
  if (flow.protocol !== packet.protocol) return undefined;
  const { header, sourceAt, addressBytes: size } = packet;
  const destinationAt = sourceAt + size;
  const { from, to, fromPort, toPort } = flow;
  if (fromPort === sourcePort && toPort === destinationPort) {
    if (isAddress(from, header, sourceAt, size) && isAddress(to, header, destinationAt, size)) return 'there';
  }
  if (fromPort !== destinationPort || toPort !== sourcePort) return undefined;
  return isAddress(from, header, destinationAt, size) && isAddress(to, header, sourceAt, size) ? 'back' : undefined;
}

export function newFlow(reader: InnerReader, by: 0 | 1): InnerFlow {
  const { packet, sourcePort, destinationPort, kind, flags } = reader;
  const { header, sourceAt, addressBytes, protocol } = packet;
  const middle = sourceAt + addressBytes;
  return {
    protocol,
    from: copy(header, sourceAt, middle),
    to: copy(header, middle, middle + addressBytes),
    fromPort: sourcePort,
    toPort: destinationPort,
    by,
    asks: kind === 'echo-request' || (kind === 'tcp' && (flags & (TCP_SYN | TCP_ACK)) === TCP_SYN),
    there: newSide(protocol),
    back: newSide(protocol),
    bounced: 0,
    bouncedAt: undefined,
    errors: 0,
    next: undefined,
  };
}

function newSide(protocol: number): FlowSide {
  const tcp = protocol === TCP ? newTcpSide() : undefined;
  return { packets: 0, first: undefined, last: undefined, greatest: 0, ttl: 0, tcp };
}
