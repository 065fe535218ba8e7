/** The packets that travel inside: each has a number, so that none can come twice or elsewhere unseen. */
import type { IpBytes } from '../../src/base/address.ts';
import { type Bytes, putU16be, putU32be, u8, u32be } from '../../src/base/bytes.ts';

export const PLAIN = 0;
export const ASKS = 1;
export const ANSWERS = 2;

const V4_HEADER = 20;
const V6_HEADER = 40;
/** After the header: the packet's number, and what it wants. */
const TAIL = 5;

export const headerOf = (ip: IpBytes): number => (ip.length === 4 ? V4_HEADER : V6_HEADER);
/** `size` is of the whole packet. Its bytes follow from its number. */
export function innerPacket(from: IpBytes, to: IpBytes, size: number, id: number, wants: number): Bytes {
  const v4 = from.length === 4;
  const header = headerOf(from);
  const out = new Uint8Array(Math.max(size, header + TAIL));
  if (v4) {
    out[0] = 0x45;
    putU16be(out, 2, out.length);
    out[8] = 64;
    out[9] = 253; // for experiments (RFC 3692)
    out.set(from, 12);
    out.set(to, 16);
  } else {
    out[0] = 0x60;
    putU16be(out, 4, out.length - header);
    out[6] = 253;
    out[7] = 64;
    out.set(from, 8);
    out.set(to, 24);
  }
  putU32be(out, header, id);
  out[header + 4] = wants;
  for (let i = header + TAIL; i < out.length; i++) out[i] = id + 31 * i;
  return out;
}

export interface InnerFacts {
  readonly id: number;
  readonly wants: number;
  readonly from: IpBytes;
  readonly to: IpBytes;
}

export function innerFacts(packet: Bytes): InnerFacts {
  const v4 = u8(packet, 0) >>> 4 === 4;
  const header = v4 ? V4_HEADER : V6_HEADER;
  const [at, length] = v4 ? [12, 4] : [8, 16];
  return {
    id: u32be(packet, header),
    wants: u8(packet, header + 4),
    from: packet.slice(at, at + length),
    to: packet.slice(at + length, at + 2 * length),
  };
}
