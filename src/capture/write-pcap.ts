/** Writes classic pcap, in microseconds or nanoseconds and in either byte order. */
import { type Bytes, concatAll, putU16be, putU16le, putU32be, putU32le } from '../base/bytes.ts';
import type { Time } from '../base/time.ts';
import { MAGIC_MICROSECONDS, MAGIC_NANOSECONDS, PCAP_HEADER_BYTES, USUAL_MAX_CAPTURED_BYTES } from './pcap.ts';

export interface PcapOptions {
  readonly linkType: number;
  readonly nanoseconds?: boolean;
  readonly bigEndian?: boolean;
  /** Bytes; 262144 unless given. */
  readonly snaplen?: number;
  /** Octets of frame check sequence at the end of each frame; even, at most 30. */
  readonly fcsBytes?: number;
}

/** What is written of a frame; a `Frame` will do. */
export interface PcapFrame {
  /** Undefined is written as 0: classic pcap knows no missing time. Seconds are kept within 32 bits. */
  readonly time: Time | undefined;
  readonly bytes: Bytes;
  readonly wireLength?: number;
}

export function pcapHeader(options: PcapOptions): Bytes {
  const { u16, u32 } = writers(options.bigEndian === true);
  const out = new Uint8Array(PCAP_HEADER_BYTES);
  u32(out, 0, options.nanoseconds === true ? MAGIC_NANOSECONDS : MAGIC_MICROSECONDS);
  u16(out, 4, 2);
  u16(out, 6, 4);
  u32(out, 16, options.snaplen ?? USUAL_MAX_CAPTURED_BYTES);
  const fcs = options.fcsBytes ?? 0;
  u32(out, 20, (options.linkType | (fcs > 0 ? 0x0400_0000 | ((fcs / 2) << 28) : 0)) >>> 0);
  return out;
}

export function pcapRecord(options: PcapOptions, frame: PcapFrame): Bytes {
  const { u32 } = writers(options.bigEndian === true);
  const { sec, nsec } = frame.time ?? { sec: 0, nsec: 0 };
  const out = new Uint8Array(16 + frame.bytes.length);
  u32(out, 0, Math.min(Math.max(sec, 0), 0xffff_ffff));
  u32(out, 4, options.nanoseconds === true ? nsec : Math.floor(nsec / 1000));
  u32(out, 8, frame.bytes.length);
  u32(out, 12, frame.wireLength ?? frame.bytes.length);
  out.set(frame.bytes, 16);
  return out;
}

export function pcapFile(options: PcapOptions, frames: Iterable<PcapFrame>): Bytes {
  const parts = [pcapHeader(options)];
  for (const frame of frames) parts.push(pcapRecord(options, frame));
  return concatAll(parts);
}

export function writers(bigEndian: boolean): {
  readonly u16: (b: Bytes, at: number, value: number) => void;
  readonly u32: (b: Bytes, at: number, value: number) => void;
} {
  return bigEndian ? { u16: putU16be, u32: putU32be } : { u16: putU16le, u32: putU32le };
}
