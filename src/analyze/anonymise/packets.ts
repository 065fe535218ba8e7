/** One IP packet written anew: addresses, ports, contents and checksums; what is no WireGuard has no place in it. */
import { endpoint, type IpBytes } from '../../base/address.ts';
import { type Bytes, concat, putU16be, putU32be, u8, u16be, u32be } from '../../base/bytes.ts';
import { errorOf, ICMP, ICMPV6 } from '../../packet/icmp.ts';
import { readIpv4 } from '../../packet/ipv4.ts';
import { readIpv6 } from '../../packet/ipv6.ts';
import { newUdpHeader, readUdp, UDP, UDP_HEADER_BYTES } from '../../packet/udp.ts';
import { newPacket, newWalk, type Packet } from '../../packet/walk.ts';
import { shapeOf } from '../classify.ts';
import type { AddressMap } from './addresses.ts';
import { isRight, pseudoSum, putChecksum, putIpv4Checksum } from './checksums.ts';
import type { DataMap } from './data.ts';
import type { Handshakes } from './handshakes.ts';
import type { Veil } from './veil.ts';

const ICMP_HEADER_BYTES = 8;
const FRAGMENT_HEADER = 44;
const FRAGMENT_HEADER_BYTES = 8;
/** Type and index of what is said to be a message and is not as long as one. */
const MISFIT_HEAD_BYTES = 8;
/** A quote is followed by extensions beyond this many bytes only (RFC 4884 §4.6). */
const LEAST_STATED_QUOTE_BYTES = 128;

export interface Veils {
  readonly veil: Veil;
  readonly addresses: AddressMap;
  readonly handshakes: Handshakes;
  readonly data: DataMap;
  /** Who writes to whom with WireGuard messages, as {@link flowText}: an error may quote no more than ports. */
  readonly flows: ReadonlySet<string>;
}

export function flowText(from: string, to: string): string {
  return `${from} > ${to}`;
}

/** A UDP payload; undefined for what is no WireGuard message. `length` is that on the wire. */
export function veiledPayload({ handshakes, data, veil }: Veils, bytes: Bytes, length: number): Bytes | undefined {
  const shape = shapeOf(bytes, length);
  if (shape === undefined || shape.reserved !== 0) return undefined;
  if (!shape.fits) {
    return concat(bytes.subarray(0, MISFIT_HEAD_BYTES), veil.sealed(bytes.subarray(MISFIT_HEAD_BYTES)));
  }
  return shape.kind === 'data' ? data.of(bytes, bytes.length < length) : handshakes.of(shape.kind, bytes);
}

/** Everything up to the transport header; false where a header may hold what cannot be judged. */
export function putIpHeader({ addresses }: Veils, was: Bytes, out: Bytes, at: number, packet: Packet): boolean {
  const { sourceAt, addressBytes } = packet;
  if (addressBytes === 4) out.set(was.subarray(at, at + 20), at);
  else {
    const extra = packet.at - at - 40;
    if (extra !== 0 && !(u8(was, at + 6) === FRAGMENT_HEADER && extra === FRAGMENT_HEADER_BYTES)) return false;
    out.set(was.subarray(at, packet.at), at);
    putU32be(out, at, (u32be(was, at) & 0xfff0_0000) >>> 0);
  }
  for (const ip of [sourceAt, sourceAt + addressBytes]) {
    out.set(addresses.ip(was.slice(ip, ip + addressBytes)), ip);
  }
  // options become zero, which ends their list
  if (addressBytes === 4) putIpv4Checksum(out, was, at, packet.at - at);
  return true;
}

/** A UDP header and its payload, as one piece of memory from `at` on; the addresses stand in `header`. */
export function putUdp(
  veils: Veils,
  was: Bytes,
  out: Bytes,
  packet: Pick<Packet, 'header' | 'sourceAt' | 'addressBytes' | 'at' | 'end' | 'wireEnd'>,
): boolean {
  const udp = newUdpHeader();
  const { header, sourceAt, addressBytes, at } = packet;
  if (readUdp({ ...newPacket(), ...packet, payload: was }, udp) !== undefined) return false;
  const payload = veiledPayload(veils, was.subarray(udp.at, udp.end), udp.length);
  if (payload === undefined) return false;
  putUdpHeader(veils, was, out, at);
  out.set(payload, udp.at);
  const checksum = u16be(was, at + 6);
  if (checksum === 0) return true;
  const whole = !udp.implied && udp.end - udp.at === udp.length;
  const length = udp.length + UDP_HEADER_BYTES;
  const wrong = whole && !isRight(was, at, udp.end, pseudoSum(header, sourceAt, addressBytes, UDP, length));
  const ips = addressesOf(veils, header, sourceAt, addressBytes);
  putChecksum(out, at + 6, at, udp.end, pseudoSum(ips, 0, addressBytes, UDP, length), wrong);
  return true;
}

function addressesOf({ addresses }: Veils, header: Bytes, at: number, size: number): Bytes {
  return concat(addresses.ip(header.slice(at, at + size)), addresses.ip(header.slice(at + size, at + 2 * size)));
}

/** Ports and length; no checksum. */
function putUdpHeader({ addresses }: Veils, was: Bytes, out: Bytes, at: number): void {
  putU16be(out, at, addresses.port(u16be(was, at)));
  putU16be(out, at + 2, addresses.port(u16be(was, at + 2)));
  out.set(was.subarray(at + 4, at + 6), at + 4);
}

/** An error that quotes a message of ours; false for everything else of ICMP. */
export function putIcmp(veils: Veils, was: Bytes, out: Bytes, packet: Packet): boolean {
  const { at, end, addressBytes, protocol } = packet;
  const version = addressBytes === 4 ? 4 : 6;
  if ((protocol === ICMP) !== (version === 4) || at + ICMP_HEADER_BYTES > end) return false;
  if (errorOf(version, u8(was, at), u8(was, at + 1)) === undefined) return false;
  const quoteAt = at + ICMP_HEADER_BYTES;
  const stated = u8(was, at + (version === 4 ? 5 : 4)) * (version === 4 ? 4 : 8);
  const quoteEnd = stated >= LEAST_STATED_QUOTE_BYTES ? Math.min(end, quoteAt + stated) : end;
  if (!putQuote(veils, was, out, quoteAt, quoteEnd, version)) return false;
  out.set(was.subarray(at, at + 2), at);
  out.set(was.subarray(at + 4, quoteAt), at + 4);
  const whole = end === packet.wireEnd;
  const pseudo = (header: Bytes, sourceAt: number): number =>
    version === 4 ? 0 : pseudoSum(header, sourceAt, addressBytes, ICMPV6, end - at);
  const wrong = whole && !isRight(was, at, end, pseudo(was, packet.sourceAt));
  putChecksum(out, at + 2, at, end, pseudo(out, packet.sourceAt), wrong);
  return true;
}

function putQuote(veils: Veils, was: Bytes, out: Bytes, at: number, end: number, version: 4 | 6): boolean {
  const walk = { ...newWalk(), bytes: was, at, end, wireEnd: end };
  const quoted = newPacket();
  if ((version === 4 ? readIpv4(walk, quoted) : readIpv6(walk, quoted)) !== undefined) return false;
  const udp = quoted.at;
  if (quoted.protocol !== UDP || (quoted.isFragment && quoted.fragmentAt > 0)) return false;
  if (udp + UDP_HEADER_BYTES > quoted.end) return false;
  const claimed = Math.max(UDP_HEADER_BYTES, u16be(was, udp + 4));
  const from = udp + UDP_HEADER_BYTES;
  const bytes = was.subarray(from, Math.min(quoted.end, udp + claimed));
  if (bytes.length < 4 && !isFlow(veils, was, quoted)) return false;
  const payload = bytes.length < 4 ? bytes : veiledPayload(veils, bytes, claimed - UDP_HEADER_BYTES);
  if (payload === undefined || !putIpHeader(veils, was, out, at, quoted)) return false;
  putUdpHeader(veils, was, out, udp);
  out.set(payload, from);
  // of a quote that is cut nobody can verify it
  if (u16be(was, udp + 6) !== 0) {
    const pseudo = pseudoSum(out, quoted.sourceAt, quoted.addressBytes, UDP, claimed);
    putChecksum(out, udp + 6, udp, from + payload.length, pseudo, false);
  }
  return true;
}

function isFlow({ flows }: Veils, was: Bytes, { sourceAt, addressBytes, at }: Packet): boolean {
  const ip = (from: number): IpBytes => was.slice(from, from + addressBytes);
  const from = endpoint(ip(sourceAt), u16be(was, at)).text;
  const to = endpoint(ip(sourceAt + addressBytes), u16be(was, at + 2)).text;
  return flows.has(flowText(from, to)) || flows.has(flowText(to, from));
}
