/** The ICMP error that tells a program on this machine at once that a packet of its finds no way (kernel device.c wg_xmit). */
import { type Bytes, isZero, putU16be } from '../base/bytes.ts';
import { Summer } from '../packet/checksum.ts';
import { ICMP, ICMPV6 } from '../packet/icmp.ts';

const IPV4_HEADER = 20;
const IPV6_HEADER = 40;
const ICMP_HEADER = 8;
/** Destination unreachable: host (RFC 792), address (RFC 4443 §3.1). */
const UNREACHABLE_4 = { type: 3, code: 1 };
const UNREACHABLE_6 = { type: 1, code: 3 };
/** How much of the packet goes back: 8 bytes beyond its header, or what fits the least MTU of IPv6. */
const QUOTED_4 = 8;
const QUOTED_6 = 1280 - IPV6_HEADER - ICMP_HEADER;
const HOP_LIMIT = 64;
/** 224.0.0.0/4, and with it the broadcast address; ff00::/8. */
const FIRST_GROUP_4 = 224;
const FIRST_GROUP_6 = 0xff;
const summer = new Summer();

const complement = (sum: number): number => ~(sum % 0xffff) & 0xffff;

/**
 * From the packet's destination to its source. Undefined for what must not be answered: errors, parts of packets, and what
 * goes to many or comes from nobody (RFC 1122 §3.2.2, RFC 4443 §2.4 e).
 */
export function unreachable(packet: Bytes): Bytes | undefined {
  const version = (packet[0] ?? 0) >>> 4;
  if (version === 4) return unreachable4(packet);
  return version === 6 ? unreachable6(packet) : undefined;
}

function unreachable4(packet: Bytes): Bytes | undefined {
  const header = ((packet[0] ?? 0) & 15) * 4;
  const laterFragment = (((packet[6] ?? 0) & 0x1f) | (packet[7] ?? 0)) !== 0;
  const icmpType = packet[header] ?? 0;
  const isError = packet[9] === ICMP && icmpType !== 0 && icmpType !== 8;
  if (header < IPV4_HEADER || packet.length < header || laterFragment || isError) return undefined;
  if ((packet[16] ?? 0) >= FIRST_GROUP_4 || isZero(packet.subarray(12, 16))) return undefined;
  const quoted = packet.subarray(0, header + QUOTED_4);
  const out = new Uint8Array(IPV4_HEADER + ICMP_HEADER + quoted.length);
  out[0] = 0x45;
  putU16be(out, 2, out.length);
  out[8] = HOP_LIMIT;
  out[9] = ICMP;
  out.set(packet.subarray(16, 20), 12);
  out.set(packet.subarray(12, 16), 16);
  putU16be(out, 10, complement(summer.sum(out, 0, IPV4_HEADER)));
  const icmp = out.subarray(IPV4_HEADER);
  icmp[0] = UNREACHABLE_4.type;
  icmp[1] = UNREACHABLE_4.code;
  icmp.set(quoted, ICMP_HEADER);
  putU16be(icmp, 2, complement(summer.sum(icmp, 0, icmp.length)));
  return out;
}

function unreachable6(packet: Bytes): Bytes | undefined {
  const isError = packet[6] === ICMPV6 && (packet[IPV6_HEADER] ?? 0) < 128;
  if (packet.length < IPV6_HEADER || isError) return undefined;
  if (packet[24] === FIRST_GROUP_6 || isZero(packet.subarray(8, 24))) return undefined;
  const quoted = packet.subarray(0, QUOTED_6);
  const length = ICMP_HEADER + quoted.length;
  const out = new Uint8Array(IPV6_HEADER + length);
  out[0] = 0x60;
  putU16be(out, 4, length);
  out[6] = ICMPV6;
  out[7] = HOP_LIMIT;
  out.set(packet.subarray(24, 40), 8);
  out.set(packet.subarray(8, 24), 24);
  const icmp = out.subarray(IPV6_HEADER);
  icmp[0] = UNREACHABLE_6.type;
  icmp[1] = UNREACHABLE_6.code;
  icmp.set(quoted, ICMP_HEADER);
  // RFC 8200 §8.1: addresses, length and next header count too.
  const sum = summer.sum(out, 8, IPV6_HEADER) + length + ICMPV6 + summer.sum(icmp, 0, length);
  putU16be(icmp, 2, complement(sum));
  return out;
}
