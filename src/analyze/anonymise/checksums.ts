/** Checksums that are right where they were right, absent where there was none, and wrong where they were wrong. */
import { type Bytes, putU16be, u16be } from '../../base/bytes.ts';
import { Summer } from '../../packet/checksum.ts';

const summer = new Summer();

/** Of a range with its checksum field in it: right when the sum is a multiple of 65535 (RFC 1071). */
export function isRight(bytes: Bytes, from: number, to: number, pseudo = 0): boolean {
  return (pseudo + summer.sum(bytes, from, to)) % 0xffff === 0;
}

/** Addresses one after the other, protocol and length, as they go into the sum (RFC 768, RFC 8200 §8.1). */
export function pseudoSum(
  addresses: Bytes,
  at: number,
  addressBytes: number,
  protocol: number,
  length: number,
): number {
  return summer.sum(addresses, at, at + 2 * addressBytes) + protocol + length;
}

/** Writes the checksum at `at` for the range around it. `wrong`: another one. Never 0, which UDP takes for none. */
export function putChecksum(out: Bytes, at: number, from: number, to: number, pseudo: number, wrong: boolean): void {
  putU16be(out, at, 0);
  const sum = (pseudo + summer.sum(out, from, to)) % 0xffff;
  const right = 0xffff - sum;
  const value = wrong ? (right + 0x1111) % 0xffff : right;
  putU16be(out, at, value === 0 ? 0xffff : value);
}

/** An IPv4 header that was rewritten from one with the checksum state of `was`. */
export function putIpv4Checksum(out: Bytes, was: Bytes, at: number, headerBytes: number): void {
  if (u16be(was, at + 10) === 0) return;
  putChecksum(out, at + 10, at, at + headerBytes, 0, !isRight(was, at, at + headerBytes));
}
