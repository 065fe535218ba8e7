/** TZSP, the tunnel in which RouterOS streams sniffed frames (UDP 37008, LINKTYPE_TZSP). */
import { type Bytes, u8, u16be, u32be } from '../base/bytes.ts';

export const TZSP_PORT = 37_008;

/** Encapsulation numbers that matter. */
export const TZSP_ETHERNET = 1;
export const TZSP_WIFI = 18;

export type Tzsp =
  | {
      readonly kind: 'frame';
      /** 1 Ethernet, 18 IEEE 802.11, 119 Prism, 127 AVS. */
      readonly encapsulation: number;
      /** Offset of the frame. */
      readonly at: number;
      /** Length of the frame where it was sniffed, bytes, if the sender says so (tag 41). */
      readonly originalLength?: number;
      /** How many it has sent, with 32 bits, if the sender counts (tag 40): gaps are packets that were lost. */
      readonly packetCount?: number;
    }
  | { readonly kind: 'none'; readonly reason: string };

const HEADER_BYTES = 4;
const TAG_PADDING = 0;
const TAG_END = 1;
const TAG_PACKET_COUNT = 40;
const TAG_ORIGINAL_LENGTH = 41;

const TYPES_WITHOUT_FRAME = new Map<number, string>([
  [3, 'configuration'],
  [4, 'keepalive'],
  [5, 'port opener'],
]);

/** Header, tags up to the end tag, then the frame. Each tag is looked at once. */
export function decodeTzsp(bytes: Bytes): Tzsp {
  if (bytes.length < HEADER_BYTES) return none(`TZSP of ${bytes.length} bytes`);
  if (u8(bytes, 0) !== 1) return none(`TZSP version ${u8(bytes, 0)}`);
  const type = u8(bytes, 1);
  if (type > 1) return none(`TZSP ${TYPES_WITHOUT_FRAME.get(type) ?? `type ${type}`}`);

  let originalLength: number | undefined;
  let packetCount: number | undefined;
  let at = HEADER_BYTES;
  while (at < bytes.length) {
    const tag = u8(bytes, at++);
    if (tag === TAG_PADDING) continue;
    if (tag === TAG_END) {
      if (at === bytes.length) return none('TZSP without a frame');
      return {
        kind: 'frame',
        encapsulation: u16be(bytes, 2),
        at,
        ...(originalLength === undefined ? {} : { originalLength }),
        ...(packetCount === undefined ? {} : { packetCount }),
      };
    }
    if (at >= bytes.length) break;
    const length = u8(bytes, at++);
    if (tag === TAG_ORIGINAL_LENGTH && length === 2 && at + 2 <= bytes.length) originalLength = u16be(bytes, at);
    if (tag === TAG_PACKET_COUNT && length === 4 && at + 4 <= bytes.length) packetCount = u32be(bytes, at);
    at += length;
  }
  return none('TZSP tags without an end');
}

function none(reason: string): Tzsp {
  return { kind: 'none', reason };
}
