/** IPv6 header and extension headers (RFC 8200 §3, §4), as far as the transport header or a fragment. */
import { u16be, u32be } from '../base/bytes.ts';
import { type Packet, type Refusal, short, type Walk } from './walk.ts';

const HEADER_BYTES = 40;
/** Real packets have one to three. */
const MAX_EXTENSIONS = 16;
const HOP_BY_HOP = 0;
const ROUTING = 43;
const FRAGMENT = 44;
const AUTHENTICATION = 51;
const DESTINATION = 60;

const TOO_SHORT: Refusal = { reason: 'ip-malformed', detail: 'frame ends within the IPv6 header' };
const BAD_VERSION: Refusal = { reason: 'ip-malformed', detail: 'not IPv6 where IPv6 was announced' };
const EXTENSION_SHORT: Refusal = { reason: 'ip-malformed', detail: 'packet ends within an IPv6 extension header' };
const TOO_MANY: Refusal = { reason: 'ip-malformed', detail: `more than ${MAX_EXTENSIONS} IPv6 extension headers` };
const FRAGMENT_TWICE: Refusal = { reason: 'ip-malformed', detail: 'a fragment within fragments' };

/** Fills `packet` from the header at `walk.at`; see {@link readIpv4} for lengths beyond the frame. */
export function readIpv6(walk: Walk, packet: Packet): Refusal | undefined {
  const { bytes, at, end } = walk;
  if (at >= end) return short(walk, TOO_SHORT);
  if ((bytes[at] ?? 0) >>> 4 !== 6) return BAD_VERSION;
  if (at + HEADER_BYTES > end) return short(walk, TOO_SHORT);
  // 0: a jumbogram (RFC 2675 §3) or segmentation offload; the rest of the frame is the packet.
  const length = u16be(bytes, at + 4) || walk.wireEnd - at - HEADER_BYTES;

  packet.header = bytes;
  packet.sourceAt = at + 8;
  packet.addressBytes = 16;
  packet.protocol = bytes[at + 6] ?? 0;
  packet.payload = bytes;
  packet.at = at + HEADER_BYTES;
  packet.wireEnd = packet.at + length;
  packet.end = Math.min(end, packet.wireEnd);
  packet.ipLength = HEADER_BYTES + length;
  packet.ttl = bytes[at + 7] ?? 0;
  packet.tos = (u16be(bytes, at) >>> 4) & 0xff;
  packet.ipId = 0;
  packet.dontFragment = true;
  packet.isFragment = false;
  packet.fragments = 1;
  packet.routed = false;
  return passExtensions(packet);
}

/** True for the headers {@link passExtensions} walks over, and for the fragment header. */
export function isExtension(protocol: number): boolean {
  switch (protocol) {
    case HOP_BY_HOP:
    case ROUTING:
    case FRAGMENT:
    case AUTHENTICATION:
    case DESTINATION:
    case 135: // mobility
    case 139: // host identity
    case 140: // shim6
      return true;
    default:
      return false;
  }
}

/**
 * Moves `packet.at` behind the extension headers and `packet.protocol` to what follows. Stops behind a fragment
 * header: the rest can be read once the packet is put together. A fragment that is the whole packet is passed as
 * any other header (RFC 6946).
 */
export function passExtensions(packet: Packet): Refusal | undefined {
  const { payload, end } = packet;
  for (let count = 0; isExtension(packet.protocol); count++) {
    if (count === MAX_EXTENSIONS) return TOO_MANY;
    const { at, protocol } = packet;
    if (at + 8 > end) return short(packet, EXTENSION_SHORT);
    packet.protocol = payload[at] ?? 0;
    if (protocol === FRAGMENT) {
      if (packet.fragments > 1) return FRAGMENT_TWICE;
      const place = u16be(payload, at + 2);
      packet.ipId = u32be(payload, at + 4);
      packet.fragmentAt = place & 0xfff8;
      packet.moreFragments = (place & 1) !== 0;
      packet.at = at + 8;
      packet.isFragment = packet.moreFragments || packet.fragmentAt !== 0;
      if (packet.isFragment) return undefined;
      continue;
    }
    if (protocol === ROUTING && payload[at + 3] !== 0) packet.routed = true;
    const units = payload[at + 1] ?? 0;
    packet.at = at + (protocol === AUTHENTICATION ? (units + 2) * 4 : (units + 1) * 8);
    if (packet.at > end) return short(packet, EXTENSION_SHORT);
  }
  return undefined;
}
