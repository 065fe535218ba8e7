/** The packet inside a data message: its shape, its flow and its flags stay, its contents do not. */
import { type Bytes, putU16be, putU32be, u8, u16be, u32be } from '../../base/bytes.ts';
import { errorOf, ICMP, ICMPV6 } from '../../packet/icmp.ts';
import { readIpv4 } from '../../packet/ipv4.ts';
import { readIpv6 } from '../../packet/ipv6.ts';
import { UDP } from '../../packet/udp.ts';
import { newPacket, newWalk, type Packet } from '../../packet/walk.ts';
import type { AddressMap } from './addresses.ts';
import { pseudoSum, putChecksum, putIpv4Checksum } from './checksums.ts';
import type { Veil } from './veil.ts';

const TCP = 6;
const DNS_PORT = 53;
const DNS_HEADER_BYTES = 12;
const ICMP_HEADER_BYTES = 8;
const TCP_HEADER_BYTES = 20;
/** End, no operation, segment size, window scale, SACK permitted (RFC 9293 §3.1, RFC 7323, RFC 2018). */
const TCP_OPTIONS: readonly number[] = [2, 3, 4];

/** As long as `plain` with its padding. Bytes of no IP packet become zero. */
export function veiledInner(plain: Bytes, addresses: AddressMap, veil: Veil): Bytes {
  const out = new Uint8Array(plain.length);
  veilPacket(plain, out, 0, plain.length, addresses, veil, 0);
  return out;
}

function veilPacket(
  was: Bytes,
  out: Bytes,
  at: number,
  end: number,
  addresses: AddressMap,
  veil: Veil,
  depth: number,
): void {
  const version = u8(was, at) >>> 4;
  const walk = { ...newWalk(), bytes: was, at, end, wireEnd: end };
  const packet = newPacket();
  if ((version !== 4 && version !== 6) || (version === 4 ? readIpv4(walk, packet) : readIpv6(walk, packet))) return;
  const { sourceAt, addressBytes } = packet;
  const header = version === 4 ? (u8(was, at) & 15) * 4 : 40;
  // an extension header other than that of a fragment may hold anything
  if (version === 6 && packet.at - at !== header && !(u8(was, at + 6) === 44 && packet.at - at === header + 8)) return;
  out.set(was.subarray(at, version === 4 ? at + 20 : packet.at), at);
  if (version === 6) putU32be(out, at, (u32be(was, at) & 0xfff0_0000) >>> 0);
  for (const ip of [sourceAt, sourceAt + addressBytes]) {
    out.set(addresses.ip(was.slice(ip, ip + addressBytes)), ip);
  }
  if (version === 4) putIpv4Checksum(out, was, at, header);
  if (packet.isFragment && packet.fragmentAt > 0) return;
  veilTransport(was, out, packet, addresses, veil, depth);
}

function veilTransport(was: Bytes, out: Bytes, packet: Packet, addresses: AddressMap, veil: Veil, depth: number): void {
  const { at, end, protocol } = packet;
  const keep = (from: number, to: number): void => out.set(was.subarray(from, Math.min(to, end)), from);
  const port = (from: number): void => {
    if (from + 2 <= end) putU16be(out, from, addresses.port(u16be(was, from)));
  };
  if (protocol === UDP) {
    keep(at, at + 6);
    port(at);
    port(at + 2);
    const dns = u16be(was, at) === DNS_PORT || u16be(was, at + 2) === DNS_PORT;
    // identifier and flags tell which answer belongs to which question
    if (dns) keep(at + 8, at + 12);
    if (dns && end - at - 8 >= DNS_HEADER_BYTES) keep(at + 12, at + 14);
    if (at + 8 <= end && u16be(was, at + 6) !== 0) sum(out, packet, at + 6);
  } else if (protocol === TCP) {
    if (at + TCP_HEADER_BYTES > end) return;
    keep(at, at + 16);
    port(at);
    port(at + 2);
    // where a connection begins to count is nobody's business; how far it came is what findings are about
    const offset = u32be(veil.of('sequence'), 0);
    putU32be(out, at + 4, (u32be(was, at + 4) + offset) >>> 0);
    if ((u8(was, at + 13) & 16) !== 0) putU32be(out, at + 8, (u32be(was, at + 8) + offset) >>> 0);
    veilOptions(was, out, at + TCP_HEADER_BYTES, Math.min(end, at + (u8(was, at + 12) >>> 4) * 4));
    sum(out, packet, at + 16);
  } else if (protocol === ICMP || protocol === ICMPV6) {
    keep(at, at + 2);
    keep(at + 4, at + ICMP_HEADER_BYTES);
    const error = errorOf(packet.addressBytes === 4 ? 4 : 6, u8(was, at), u8(was, at + 1));
    if (error !== undefined && depth === 0)
      veilPacket(was, out, at + ICMP_HEADER_BYTES, end, addresses, veil, depth + 1);
    if (at + 4 <= end) sum(out, packet, at + 2);
  }
}

function veilOptions(was: Bytes, out: Bytes, from: number, end: number): void {
  out.fill(1, from, Math.max(from, end));
  for (let at = from; at < end; ) {
    const kind = u8(was, at);
    if (kind === 0) break;
    const length = kind === 1 ? 1 : u8(was, at + 1);
    if (length < 1 || (kind !== 1 && length < 2) || at + length > end) break;
    if (TCP_OPTIONS.includes(kind)) out.set(was.subarray(at, at + length), at);
    at += length;
  }
}

/** Made right: whether it was, no finding asks. */
function sum(out: Bytes, { sourceAt, addressBytes, at, end, protocol, isFragment }: Packet, field: number): void {
  if (isFragment) return;
  const pseudo = protocol === ICMP ? 0 : pseudoSum(out, sourceAt, addressBytes, protocol, end - at);
  putChecksum(out, field, at, end, pseudo, false);
}
