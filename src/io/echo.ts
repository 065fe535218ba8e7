/** ICMP echoes inside the tunnel: the request as a whole IP packet, and the reply that belongs to it (RFC 792, RFC 4443 §4). */
import { formatIp, type IpBytes } from '../base/address.ts';
import { type Bytes, concat, equal, putU16be, putU32be, u16be } from '../base/bytes.ts';
import { Summer } from '../packet/checksum.ts';
import { ICMP, ICMPV6 } from '../packet/icmp.ts';

export interface Echo {
  /** Both of one family. */
  readonly from: IpBytes;
  readonly to: IpBytes;
  /** Whose echoes they are, and which: 16 bits each. */
  readonly id: number;
  readonly sequence: number;
  /** Of the whole packet, bytes. */
  readonly size: number;
}

const IPV4_HEADER = 20;
const IPV6_HEADER = 40;
const ICMP_HEADER = 8;
const HOP_LIMIT = 64;

/** The least `size` for addresses of so many bytes. */
export const leastEchoSize = (addressBytes: number): number =>
  (addressBytes === 4 ? IPV4_HEADER : IPV6_HEADER) + ICMP_HEADER;

const summer = new Summer();

/** RFC 1071. A sum that is a multiple of 65535 and not 0 stands for 0xffff, whose complement is 0. */
function checksum(bytes: Bytes): number {
  const rest = summer.sum(bytes, 0, bytes.length) % 0xffff;
  return ~rest & 0xffff;
}

/** Throws RangeError on addresses of two families, or no room for the headers. */
export function echoRequest({ from, to, id, sequence, size }: Echo): Bytes {
  if (from.length !== to.length) throw new RangeError(`no echo goes from ${formatIp(from)} to ${formatIp(to)}`);
  if (size < leastEchoSize(to.length) || size > 0xffff) throw new RangeError(`an echo of ${size} bytes`);
  const v4 = to.length === 4;
  const header = v4 ? IPV4_HEADER : IPV6_HEADER;
  const packet = new Uint8Array(size);
  const icmp = packet.subarray(header);
  icmp[0] = v4 ? 8 : 128;
  putU16be(icmp, 4, id);
  putU16be(icmp, 6, sequence);
  for (let i = ICMP_HEADER; i < icmp.length; i++) icmp[i] = i;
  if (v4) {
    packet[0] = 0x45;
    putU16be(packet, 2, size);
    putU16be(packet, 6, 0x4000); // not to be fragmented inside either
    packet[8] = HOP_LIMIT;
    packet[9] = ICMP;
    packet.set(from, 12);
    packet.set(to, 16);
    putU16be(packet, 10, checksum(packet.subarray(0, IPV4_HEADER)));
    putU16be(icmp, 2, checksum(icmp));
  } else {
    packet[0] = 0x60;
    putU16be(packet, 4, icmp.length);
    packet[6] = ICMPV6;
    packet[7] = HOP_LIMIT;
    packet.set(from, 8);
    packet.set(to, 24);
    putU16be(icmp, 2, checksum(concat(pseudoHeader(from, to, icmp.length), icmp)));
  }
  return packet;
}

/** RFC 8200 §8.1. */
function pseudoHeader(from: IpBytes, to: IpBytes, length: number): Bytes {
  const out = new Uint8Array(IPV6_HEADER);
  out.set(from, 0);
  out.set(to, 16);
  putU32be(out, 32, length);
  out[39] = ICMPV6;
  return out;
}

/** What came back through the tunnel: the reply to one of our echoes, an ICMP error, or something else. */
export type EchoAnswer =
  | { readonly kind: 'reply'; readonly sequence: number; readonly size: number }
  /** `from` sent it; `type` and `code` as on the wire. */
  | { readonly kind: 'error'; readonly from: string; readonly type: number; readonly code: number };

/** Only replies from `to` with our `id` count. Options and extension headers are not walked: echo replies have none. */
export function readEchoAnswer(packet: Bytes, { to, id }: Pick<Echo, 'to' | 'id'>): EchoAnswer | undefined {
  const v4 = (packet[0] ?? 0) >>> 4 === 4;
  const header = v4 ? ((packet[0] ?? 0) & 15) * 4 : IPV6_HEADER;
  if (packet.length < header + ICMP_HEADER || header < IPV4_HEADER) return undefined;
  if (packet[v4 ? 9 : 6] !== (v4 ? ICMP : ICMPV6)) return undefined;
  const from = v4 ? packet.subarray(12, 16) : packet.subarray(8, 24);
  const type = packet[header] ?? 0;
  if (type === (v4 ? 0 : 129)) {
    const ours = u16be(packet, header + 4) === id && equal(from, to);
    return ours ? { kind: 'reply', sequence: u16be(packet, header + 6), size: packet.length } : undefined;
  }
  const isError = v4 ? type === 3 || type === 11 : type >= 1 && type <= 4;
  return isError ? { kind: 'error', from: formatIp(from), type, code: packet[header + 1] ?? 0 } : undefined;
}
