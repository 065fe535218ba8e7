/** struct sockaddr_in and sockaddr_in6, and the ancillary data of sendmsg and recvmsg (ip(7), ipv6(7), cmsg(3)). */
import { type Endpoint, endpoint } from '../../base/address.ts';
import { type Bytes, copy } from '../../base/bytes.ts';

export const AF_INET = 2;
export const AF_INET6 = 10;
/** sockaddr_in6; sockaddr_in takes 16 of them. */
export const ADDRESS_BYTES = 28;

/** Returns how much was written. Ports stand in network order, the family in the machine's (little endian here). */
export function writeAddress({ ip, port }: Endpoint, out: Bytes): number {
  const length = ip.length === 4 ? 16 : ADDRESS_BYTES;
  out.fill(0, 0, length);
  out[0] = ip.length === 4 ? AF_INET : AF_INET6;
  out[2] = port >>> 8;
  out[3] = port;
  out.set(ip, ip.length === 4 ? 4 : 8);
  return length;
}

/** Undefined for any other family. */
export function readAddress(bytes: Bytes): Endpoint | undefined {
  const [family, , high = 0, low = 0] = bytes;
  const port = (high << 8) | low;
  if (family === AF_INET && bytes.length >= 16) return endpoint(copy(bytes.subarray(4, 8)), port);
  if (family === AF_INET6 && bytes.length >= ADDRESS_BYTES) return endpoint(copy(bytes.subarray(8, 24)), port);
  return undefined;
}

/** struct cmsghdr: 64-bit length, level, type; data follows, all of it aligned to 8. */
const HEADER_BYTES = 16;
const aligned = (length: number): number => (length + 7) & ~7;

export interface Ancillary {
  readonly level: number;
  readonly type: number;
  readonly data: Bytes;
}

export function* readAncillary(bytes: Bytes): Generator<Ancillary> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at + HEADER_BYTES <= bytes.length; ) {
    const length = view.getUint32(at, true);
    if (length < HEADER_BYTES || at + length > bytes.length) return;
    const [level, type] = [view.getInt32(at + 8, true), view.getInt32(at + 12, true)];
    yield { level, type, data: bytes.subarray(at + HEADER_BYTES, at + length) };
    at += aligned(length);
  }
}

/** Returns where the next one goes. */
export function writeAncillary(out: Bytes, at: number, { level, type, data }: Ancillary): number {
  const view = new DataView(out.buffer, out.byteOffset, out.byteLength);
  const length = HEADER_BYTES + data.length;
  out.fill(0, at, at + aligned(length));
  view.setUint32(at, length, true);
  view.setInt32(at + 8, level, true);
  view.setInt32(at + 12, type, true);
  out.set(data, at + HEADER_BYTES);
  return at + aligned(length);
}

/** A number as setsockopt takes it. */
export function int(value: number): Bytes {
  const out = new Uint8Array(4);
  new DataView(out.buffer).setInt32(0, value, true);
  return out;
}
