/** What tcpdump on a host would have written: Ethernet frames with right checksums, at that host's own time of day. */
import type { Endpoint } from '../../src/base/address.ts';
import { type Bytes, putU16be } from '../../src/base/bytes.ts';
import { addNs, type Time } from '../../src/base/time.ts';
import { pcapFile } from '../../src/capture/write-pcap.ts';

const ETHERNET = 14;
const UDP = 8;
const LINKTYPE_ETHERNET = 1;

/** Of the 16-bit words (RFC 1071), not yet complemented. */
function sum(bytes: Bytes, from: number, to: number): number {
  let total = 0;
  for (let at = from; at < to; at += 2) total += ((bytes[at] ?? 0) << 8) | (at + 1 < to ? (bytes[at + 1] ?? 0) : 0);
  return total;
}

const folded = (total: number): number => 0xffff - (total === 0 ? 0 : total % 0xffff || 0xffff);

export interface Seen {
  readonly from: Endpoint;
  readonly to: Endpoint;
  readonly bytes: Bytes;
  readonly ttl: number;
  readonly tos: number;
}

/** Bytes of the IP packet around this payload. */
export const outerLength = (to: Endpoint, payload: number): number => (to.ip.length === 4 ? 20 : 40) + UDP + payload;

function frameOf({ from, to, bytes, ttl, tos }: Seen, id: number): Bytes {
  const v4 = from.ip.length === 4;
  const header = v4 ? 20 : 40;
  const length = UDP + bytes.length;
  const out = new Uint8Array(ETHERNET + header + length);
  out.set([2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1], 0);
  putU16be(out, 12, v4 ? 0x0800 : 0x86dd);
  const ip = ETHERNET;
  if (v4) {
    out.set([0x45, tos], ip);
    putU16be(out, ip + 2, header + length);
    putU16be(out, ip + 4, id & 0xffff);
    out.set([ttl, 17], ip + 8);
    out.set(from.ip, ip + 12);
    out.set(to.ip, ip + 16);
    putU16be(out, ip + 10, folded(sum(out, ip, ip + header)));
  } else {
    out.set([0x60 | (tos >>> 4), (tos & 15) << 4], ip);
    putU16be(out, ip + 4, length);
    out.set([17, ttl], ip + 6);
    out.set(from.ip, ip + 8);
    out.set(to.ip, ip + 24);
  }
  const udp = ip + header;
  putU16be(out, udp, from.port);
  putU16be(out, udp + 2, to.port);
  putU16be(out, udp + 4, length);
  out.set(bytes, udp + UDP);
  const pseudo = sum(from.ip, 0, from.ip.length) + sum(to.ip, 0, to.ip.length) + 17 + length;
  putU16be(out, udp + 6, folded(pseudo + sum(out, udp, out.length)) || 0xffff);
  return out;
}

/** Its clock is steady, whatever becomes of the host's. Frames are made when they are asked for: most runs ask for none. */
export class Recorder {
  readonly #seen: { readonly seen: Seen; readonly atMs: number }[] = [];
  readonly #epoch: Time;
  readonly #fromMs: number;
  readonly #untilMs: number;

  /** `epoch`: time of day when the simulation begins. */
  constructor(epoch: Time, fromMs: number, untilMs: number) {
    this.#epoch = epoch;
    this.#fromMs = fromMs;
    this.#untilMs = untilMs;
  }

  /** Copies the bytes: the host may open them in their own place. */
  saw(seen: Seen, atMs: number): void {
    if (atMs < this.#fromMs || atMs > this.#untilMs) return;
    this.#seen.push({ seen: { ...seen, bytes: seen.bytes.slice() }, atMs });
  }

  pcap(): Bytes {
    const frames = this.#seen.map(({ seen, atMs }, id) => {
      return { time: addNs(this.#epoch, BigInt(Math.round(atMs * 1e6))), bytes: frameOf(seen, id) };
    });
    return pcapFile({ linkType: LINKTYPE_ETHERNET, nanoseconds: true }, frames);
  }
}
