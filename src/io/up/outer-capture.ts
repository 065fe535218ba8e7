/** The outer packets of a tunnel as a capture: what the sockets gave and took, under headers as the wire would show them. */
import type { Endpoint } from '../../base/address.ts';
import { type Bytes, putU16be } from '../../base/bytes.ts';
import type { Time } from '../../base/time.ts';
import { pcapngBlock } from '../../capture/write-pcapng.ts';
import { Summer } from '../../packet/checksum.ts';
import { OwnFile } from './own-file.ts';

const LINKTYPE_RAW = 101;
const IPV4_HEADER = 20;
const IPV6_HEADER = 40;
const UDP_HEADER = 8;
const UDP = 17;
const HOP_LIMIT = 64;
const summer = new Summer();

export interface OuterPacket {
  readonly time: Time;
  readonly direction: 'in' | 'out';
  readonly from: Endpoint;
  readonly to: Endpoint;
  readonly payload: Bytes;
  readonly tos?: number;
  /** As it arrived. */
  readonly hopLimit?: number | undefined;
}

function checksum(...sums: readonly number[]): number {
  const sum = sums.reduce((a, b) => a + b, 0) % 0xffff;
  return ~sum & 0xffff;
}

/** The datagram with its IP and UDP headers. Throws RangeError on addresses of two families. */
export function outerDatagram({ from, to, payload, tos = 0, hopLimit = HOP_LIMIT }: OuterPacket): Bytes {
  if (from.ip.length !== to.ip.length) throw new RangeError(`no packet goes from ${from.text} to ${to.text}`);
  const v4 = from.ip.length === 4;
  const header = v4 ? IPV4_HEADER : IPV6_HEADER;
  const length = UDP_HEADER + payload.length;
  const out = new Uint8Array(header + length);
  if (v4) {
    out[0] = 0x45;
    out[1] = tos;
    putU16be(out, 2, header + length);
    out[8] = hopLimit;
    out[9] = UDP;
  } else {
    out[0] = 0x60 | (tos >>> 4);
    out[1] = tos << 4;
    putU16be(out, 4, length);
    out[6] = UDP;
    out[7] = hopLimit;
  }
  out.set(from.ip, v4 ? 12 : 8);
  out.set(to.ip, v4 ? 16 : 24);
  if (v4) putU16be(out, 10, checksum(summer.sum(out, 0, IPV4_HEADER)));
  putU16be(out, header, from.port);
  putU16be(out, header + 2, to.port);
  putU16be(out, header + 4, length);
  out.set(payload, header + UDP_HEADER);
  // RFC 768: pseudo header of addresses, protocol and length; a sum of zero is sent as ones.
  const sum = checksum(summer.sum(out, v4 ? 12 : 8, header), UDP + length, summer.sum(out, header, out.length));
  putU16be(out, header + 6, sum === 0 ? 0xffff : sum);
  return out;
}

export class OuterCapture {
  readonly #file: OwnFile;

  /** `onLost` is told once, when the file takes no more. Throws a FileError. */
  constructor(path: string, interfaceName: string, onLost: (why: string) => void) {
    this.#file = new OwnFile(path, 'w', onLost);
    this.#file.write(pcapngBlock({ kind: 'section' }));
    this.#file.write(pcapngBlock({ kind: 'interface', linkType: LINKTYPE_RAW, name: `${interfaceName} (outer)` }));
  }

  add(packet: OuterPacket): void {
    const { time, direction } = packet;
    this.#file.write(pcapngBlock({ kind: 'packet', time, direction, bytes: outerDatagram(packet), interfaceId: 0 }));
  }

  close(): void {
    this.#file.close();
  }
}
