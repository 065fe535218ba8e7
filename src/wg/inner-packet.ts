/** The IP packet inside: enough of its header to route it, and to see that it is one (RFC 791 §3.1, RFC 8200 §3). */
import { formatIp } from '../base/address.ts';
import { type Bytes, copy, u8, u16be } from '../base/bytes.ts';
import type { IpLength } from './allowed-ips.ts';
import type { Drop, PeerId } from './drop.ts';

const IPV4_HEADER = 20;
const IPV6_HEADER = 40;

export const ipVersion = (packet: Bytes): number => u8(packet, 0) >>> 4;

/** Of the whole header that the first nibble stands for; undefined for neither IPv4 nor IPv6. */
function headerLength(version: number): number | undefined {
  if (version === 4) return IPV4_HEADER;
  return version === 6 ? IPV6_HEADER : undefined;
}

/** Is there a whole IPv4 or IPv6 header? Nothing below may be asked otherwise. */
export function isIp(packet: Bytes, length: number): boolean {
  const header = length === 0 ? undefined : headerLength(ipVersion(packet));
  return header !== undefined && length >= header;
}

/** The packet's length as its own header has it. */
export function claimedLength(packet: Bytes): number {
  return ipVersion(packet) === 4 ? u16be(packet, 2) : u16be(packet, 4) + IPV6_HEADER;
}

export const addressLength = (packet: Bytes): IpLength => (ipVersion(packet) === 4 ? 4 : 16);
export const sourceAt = (packet: Bytes): number => (ipVersion(packet) === 4 ? 12 : 8);
export const destinationAt = (packet: Bytes): number => (ipVersion(packet) === 4 ? 16 : 24);

/** As text, for a refusal. */
export function addressText(packet: Bytes, at: number): string {
  return formatIp(copy(packet, at, at + addressLength(packet)));
}

/** ECN bits for the outer packet; congestion that was met inside is not repeated outside (RFC 6040 §4.1, kernel send.c). */
export function outerTos(packet: Bytes): number {
  const traffic = ipVersion(packet) === 4 ? u8(packet, 1) : (u8(packet, 0) << 4) | (u8(packet, 1) >>> 4);
  const ecn = traffic & 3;
  return ecn === 3 ? 2 : ecn;
}

/** In the kernel's order (receive.c). `length` of the plaintext in `packet`, padding included. */
export function refuseInner(packet: Bytes, length: number, peer: PeerId, leastLength: boolean): Drop | undefined {
  if (length < IPV4_HEADER) return { kind: 'inner-too-short', peer, expected: IPV4_HEADER, actual: length };
  const version = ipVersion(packet);
  const expected = headerLength(version);
  if (expected === undefined) return { kind: 'inner-version', peer, version };
  if (length < expected) return { kind: 'inner-too-short', peer, expected, actual: length };
  const claimed = claimedLength(packet);
  const below = leastLength && claimed < expected;
  return below || claimed > length ? { kind: 'inner-length', peer, claimed, actual: length } : undefined;
}
