/** IPv4 header (RFC 791 §3.1): checked, its options passed over, padding behind the packet cut off. */
import { u16be } from '../base/bytes.ts';
import { type Packet, type Refusal, short, type Walk } from './walk.ts';

const MIN_HEADER_BYTES = 20;
const TOO_SHORT: Refusal = { reason: 'ip-malformed', detail: 'frame ends within the IPv4 header' };
const BAD_VERSION: Refusal = { reason: 'ip-malformed', detail: 'not IPv4 where IPv4 was announced' };

/**
 * Fills `packet` from the header at `walk.at`. The header checksum is not checked: outgoing packets are often
 * captured before the card fills it in. A total length beyond the frame is taken as a frame that was cut, since
 * some tools cut frames without saying so.
 */
export function readIpv4(walk: Walk, packet: Packet): Refusal | undefined {
  const { bytes, at, end } = walk;
  if (at >= end) return short(walk, TOO_SHORT);
  const first = bytes[at] ?? 0;
  if (first >>> 4 !== 4) return BAD_VERSION;
  if (at + MIN_HEADER_BYTES > end) return short(walk, TOO_SHORT);
  const header = (first & 15) * 4;
  if (header < MIN_HEADER_BYTES) return { reason: 'ip-malformed', detail: `IPv4 header length ${header}` };
  if (at + header > end) return short(walk, TOO_SHORT);
  // 0: captured before segmentation offload set it; the rest of the frame is the packet.
  const total = u16be(bytes, at + 2) || walk.wireEnd - at;
  if (total < header) return { reason: 'ip-malformed', detail: `IPv4 total length ${total} below its header's` };

  const flags = u16be(bytes, at + 6);
  packet.header = bytes;
  packet.sourceAt = at + 12;
  packet.addressBytes = 4;
  packet.protocol = bytes[at + 9] ?? 0;
  packet.payload = bytes;
  packet.at = at + header;
  packet.wireEnd = at + total;
  packet.end = Math.min(end, packet.wireEnd);
  packet.ipLength = total;
  packet.ttl = bytes[at + 8] ?? 0;
  packet.tos = bytes[at + 1] ?? 0;
  packet.ipId = u16be(bytes, at + 4);
  packet.dontFragment = (flags & 0x4000) !== 0;
  packet.moreFragments = (flags & 0x2000) !== 0;
  packet.fragmentAt = (flags & 0x1fff) * 8;
  packet.isFragment = packet.moreFragments || packet.fragmentAt !== 0;
  packet.fragments = 1;
  packet.routed = false;
  return undefined;
}
