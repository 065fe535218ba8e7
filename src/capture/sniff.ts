/** What a file is, from its first bytes; its name is never asked. */
import { type Bytes, toHex, u8, u16be, u32be, u32le } from '../base/bytes.ts';
import type { Problem } from '../base/problem.ts';
import type { CaptureFormat } from './frame.ts';
import { MAGIC_MICROSECONDS, MAGIC_MODIFIED, MAGIC_NANOSECONDS } from './pcap.ts';
import { BLOCK, BYTE_ORDER_MAGIC } from './pcapng-blocks.ts';

/** The most that {@link sniffCapture} and {@link notACapture} look at. */
export const SNIFF_BYTES = 12;

const PCAP_FORMATS = new Map<number, CaptureFormat>([
  [MAGIC_MICROSECONDS, 'pcap'],
  [MAGIC_NANOSECONDS, 'pcap-ns'],
  [MAGIC_MODIFIED, 'pcap-modified'],
]);

/** `head` may be longer or shorter than {@link SNIFF_BYTES}; a pcapng section header needs all 12. */
export function sniffCapture(head: Bytes): CaptureFormat | 'gzip' | undefined {
  if (head.length >= 3 && u16be(head, 0) === 0x1f8b && u8(head, 2) === 8) return 'gzip';
  if (head.length < 4) return undefined;
  const first = u32be(head, 0);
  if (first === BLOCK.section) {
    if (head.length < 12) return undefined;
    return u32be(head, 8) === BYTE_ORDER_MAGIC || u32le(head, 8) === BYTE_ORDER_MAGIC ? 'pcapng' : undefined;
  }
  return PCAP_FORMATS.get(first) ?? PCAP_FORMATS.get(u32le(head, 0));
}

interface Unread {
  readonly magic: readonly number[];
  readonly name: string;
  readonly hint: string;
}

const ascii = (text: string): number[] => [...text].map((c) => c.charCodeAt(0));
const convert = 'convert it: editcap -F pcapng in out.pcapng';

const UNREAD: readonly Unread[] = [
  { magic: [0x28, 0xb5, 0x2f, 0xfd], name: 'zstd-compressed', hint: 'unpack it first: zstd -d' },
  { magic: [0x04, 0x22, 0x4d, 0x18], name: 'lz4-compressed', hint: 'unpack it first: lz4 -d' },
  { magic: ascii('BZh'), name: 'bzip2-compressed', hint: 'unpack it first: bunzip2' },
  { magic: [0xfd, ...ascii('7zXZ'), 0], name: 'xz-compressed', hint: 'unpack it first: unxz' },
  { magic: [...ascii('PK'), 3, 4], name: 'a zip archive', hint: 'unpack it first: unzip' },
  { magic: [0x1f, 0x9d], name: 'compress (.Z) data', hint: 'unpack it first: uncompress' },
  { magic: [...ascii('snoop'), 0, 0, 0], name: 'a snoop capture', hint: convert },
  { magic: ascii('GMBU'), name: 'a Network Monitor capture', hint: convert },
  { magic: ascii('RTSS'), name: 'a Network Monitor capture', hint: convert },
  { magic: ascii('TRSNIFF data'), name: 'a Sniffer capture', hint: convert },
];

/** Why bytes that {@link sniffCapture} does not know are no capture; `whole` when there are no more than these. */
export function notACapture(bytes: Bytes, whole: boolean): Problem {
  // how many came at once is chance, and must not decide what they are called
  const head = bytes.subarray(0, SNIFF_BYTES);
  if (head.length === 0) return { message: 'empty: there is no capture', offset: 0 };
  for (const { magic, name, hint } of UNREAD) {
    if (magic.every((value, i) => head[i] === value)) return { message: `${name}: not read`, offset: 0, hint };
  }
  const begin = toHex(head.subarray(0, 4));
  if (head.length >= 4 && u32be(head, 0) === BLOCK.section) {
    return whole && head.length < 12
      ? { message: `a pcapng file of only ${head.length} bytes`, offset: 0 }
      : {
          message: 'a pcapng section header without its byte-order magic',
          offset: 8,
          hint: 'copy it again, in binary',
        };
  }
  if (whole && head.length < 4) return { message: `only ${head.length} bytes: no capture`, offset: 0 };
  if (head.every((byte) => byte === 9 || byte === 10 || byte === 13 || (byte >= 0x20 && byte < 0x7f))) {
    return {
      message: 'text, not a capture',
      offset: 0,
      hint: 'have tcpdump write packets, not text: tcpdump -w file.pcap',
    };
  }
  return {
    message: `not a capture: begins with ${begin}, which is neither pcap nor pcapng`,
    offset: 0,
    hint: `formats without a magic number, such as ERF, are not recognised; ${convert}`,
  };
}
