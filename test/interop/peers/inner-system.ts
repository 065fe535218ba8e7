/** The system behind a tunnel, as far as echoes go: what Linux answers to an inner packet that WireGuard let through. */
import { type Bytes, equal, putU16be, u16be } from '../../../src/base/bytes.ts';
import { claimedLength } from '../../../src/wg/inner-packet.ts';

const ICMP = 1;
const ICMPV6 = 58;

/** One's complement sum (RFC 1071). */
function sum(bytes: Bytes, start = 0): number {
  let total = start;
  for (let at = 0; at < bytes.length; at += 2) total += ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
  while (total > 0xffff) total = (total & 0xffff) + (total >>> 16);
  return total;
}

const right = (total: number): boolean => total === 0xffff;

/** The type of a request becomes that of its reply: the sum grows by what the type loses (RFC 1624). */
function answer(icmp: Bytes, type: number): void {
  const lost = ((icmp[0] ?? 0) - type) << 8;
  icmp[0] = type;
  const total = u16be(icmp, 2) + lost;
  putU16be(icmp, 2, total < 0 ? total + 0xffff : (total & 0xffff) + (total >>> 16));
}

function swapped(packet: Bytes, from: number, to: number, length: number): Bytes {
  const back = packet.slice(0, claimedLength(packet));
  back.set(packet.subarray(to, to + length), from);
  back.set(packet.subarray(from, from + length), to);
  return back;
}

function answerV4(packet: Bytes, own: Bytes, trusts: boolean): Bytes | undefined {
  const length = u16be(packet, 2);
  const whole = packet[0] === 0x45 && length >= 28 && right(sum(packet.subarray(0, 20)));
  if (!whole || (u16be(packet, 6) & 0x3fff) !== 0 || packet[9] !== ICMP) return undefined;
  if (!equal(packet.subarray(16, 20), own)) return undefined;
  if (packet[20] !== 8 || packet[21] !== 0) return undefined;
  if (!trusts && !right(sum(packet.subarray(20, length)))) return undefined;
  const back = swapped(packet, 12, 16, 4);
  answer(back.subarray(20), 0);
  return back;
}

function answerV6(packet: Bytes, own: Bytes, trusts: boolean): Bytes | undefined {
  const length = u16be(packet, 4);
  if (length < 8 || packet[6] !== ICMPV6 || !equal(packet.subarray(24, 40), own)) return undefined;
  const icmp = packet.subarray(40, 40 + length);
  const pseudo = sum(packet.subarray(8, 40)) + length + ICMPV6;
  if (icmp[0] !== 128 || icmp[1] !== 0 || !(trusts || right(sum(icmp, pseudo)))) return undefined;
  const back = swapped(packet, 8, 24, 16);
  answer(back.subarray(40), 129);
  return back;
}

/**
 * Undefined for what is no echo request to this address, or is damaged. `packet` is a whole IP packet. `trusts`: sums inside
 * were not looked at, since the tag of the message vouches for them (kernel receive.c: CHECKSUM_UNNECESSARY).
 */
export function echoAnswer(packet: Bytes, own: Bytes, trusts: boolean): Bytes | undefined {
  return own.length === 4 ? answerV4(packet, own, trusts) : answerV6(packet, own, trusts);
}
