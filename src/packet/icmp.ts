/** ICMP and ICMPv6 errors about UDP datagrams (RFC 792, RFC 4443, RFC 4884). */
import { u16be, u32be } from '../base/bytes.ts';
import type { Frame } from '../capture/frame.ts';
import type { IcmpError, UnreachableKind } from './datagram.ts';
import type { Endpoints } from './endpoints.ts';
import { readIpv4 } from './ipv4.ts';
import { passExtensions, readIpv6 } from './ipv6.ts';
import { UDP, UDP_HEADER_BYTES } from './udp.ts';
import { newPacket, newWalk, type Packet, type Refusal, short } from './walk.ts';

export const ICMP = 1;
export const ICMPV6 = 58;
const HEADER_BYTES = 8;
const MIN_QUOTE_BYTES = 128;

const TOO_SHORT: Refusal = { reason: 'ip-malformed', detail: 'IP payload shorter than an ICMP header' };
const NO_ERROR: Refusal = { reason: 'not-udp', detail: 'ICMP that reports no error' };
const NO_QUOTE: Refusal = { reason: 'not-udp', detail: 'ICMP error that quotes no whole IP and UDP header' };
const QUOTES_OTHER: Refusal = { reason: 'not-udp', detail: 'ICMP error about something other than UDP' };
const QUOTES_LATER: Refusal = { reason: 'not-udp', detail: 'ICMP error about a fragment without UDP header' };

/** Destination unreachable, by code (RFC 792, RFC 1122 §3.2.2.1, RFC 1812 §5.2.7.1). */
const V4_UNREACHABLE: readonly UnreachableKind[] = [
  'net-unreachable',
  'host-unreachable',
  'protocol-unreachable',
  'port-unreachable',
  'fragmentation-needed',
  'other-error', // source route failed
  'net-unreachable', // unknown
  'host-unreachable', // unknown
  'host-unreachable', // isolated
  'admin-prohibited', // network
  'admin-prohibited', // host
  'net-unreachable', // for this type of service
  'host-unreachable', // for this type of service
  'admin-prohibited', // communication
];

/** Destination unreachable, by code (RFC 4443 §3.1). */
const V6_UNREACHABLE: readonly UnreachableKind[] = [
  'net-unreachable',
  'admin-prohibited',
  'other-error', // beyond the scope of the source address
  'host-unreachable',
  'port-unreachable',
  'admin-prohibited', // source address failed a policy
  'admin-prohibited', // reject route
];

/** Undefined for messages that are no errors. */
export function errorOf(version: 4 | 6, type: number, code: number): UnreachableKind | undefined {
  if (version === 4) {
    if (type === 3) return V4_UNREACHABLE[code] ?? 'other-error';
    if (type === 11) return 'time-exceeded';
    return type === 12 ? 'other-error' : undefined;
  }
  if (type === 1) return V6_UNREACHABLE[code] ?? 'other-error';
  if (type === 2) return 'fragmentation-needed';
  if (type === 3) return 'time-exceeded';
  if (type === 4) return code === 1 ? 'protocol-unreachable' : 'other-error'; // 1: unrecognized next header
  return undefined;
}

export class IcmpReader {
  readonly #endpoints: Endpoints;
  readonly #walk = newWalk();
  readonly #quoted = newPacket();

  constructor(endpoints: Endpoints) {
    this.#endpoints = endpoints;
  }

  /** `packet` stands at the ICMP header. */
  read(packet: Packet, frame: Frame, direction: 'in' | 'out' | undefined): IcmpError | Refusal {
    const { payload, at, end } = packet;
    if (at + HEADER_BYTES > end) return short(packet, TOO_SHORT);
    const version = packet.addressBytes === 4 ? 4 : 6;
    const type = payload[at] ?? 0;
    const code = payload[at + 1] ?? 0;
    const error = errorOf(version, type, code);
    if (error === undefined) return NO_ERROR;

    const refused = this.#readQuote(packet, version, type);
    if (refused !== undefined) return refused;
    const quoted = this.#quoted;
    const udp = quoted.at;
    const size = quoted.addressBytes;
    const claimed = u16be(quoted.payload, udp + 4);
    const whole = claimed >= UDP_HEADER_BYTES ? claimed : Math.max(UDP_HEADER_BYTES, quoted.wireEnd - udp);
    return {
      kind: 'icmp-error',
      frame,
      from: this.#endpoints.address(packet.header, packet.sourceAt, packet.addressBytes),
      to: this.#endpoints.address(packet.header, packet.sourceAt + packet.addressBytes, packet.addressBytes),
      error,
      type,
      code,
      ...(error === 'fragmentation-needed' && {
        mtu: version === 4 ? u16be(payload, at + 6) : u32be(payload, at + 4), // RFC 1191 §4, RFC 4443 §3.2
      }),
      quoted: {
        from: this.#endpoints.at(quoted.header, quoted.sourceAt, size, u16be(quoted.payload, udp)),
        to: this.#endpoints.at(quoted.header, quoted.sourceAt + size, size, u16be(quoted.payload, udp + 2)),
        bytes: quoted.payload.subarray(udp + UDP_HEADER_BYTES, Math.min(quoted.end, udp + whole)),
        length: whole - UDP_HEADER_BYTES,
      },
      direction,
    };
  }

  /** Leaves `#quoted` at the quoted UDP header, whose 8 octets are there. */
  #readQuote(packet: Packet, version: 4 | 6, type: number): Refusal | undefined {
    const walk = this.#walk;
    const quoted = this.#quoted;
    walk.bytes = packet.payload;
    walk.at = packet.at + HEADER_BYTES;
    // Where extensions follow the quote, the header gives the quote's length (RFC 4884 §4, §5).
    const octets = quoteOctets(packet, version, type);
    const most = octets === 0 ? packet.wireEnd : Math.min(packet.wireEnd, walk.at + octets);
    walk.end = Math.min(packet.end, most);
    walk.wireEnd = most;
    const refused = version === 4 ? readIpv4(walk, quoted) : readIpv6(walk, quoted);
    if (refused !== undefined) return refused.reason === 'cut' ? refused : NO_QUOTE;
    if (quoted.isFragment && quoted.fragmentAt > 0) return QUOTES_LATER;
    if (version === 6 && passExtensions(quoted) !== undefined) return NO_QUOTE;
    if (quoted.protocol !== UDP) return QUOTES_OTHER;
    if (quoted.at + UDP_HEADER_BYTES > quoted.end) return short(walk, NO_QUOTE);
    return undefined;
  }
}

/** Octets of the quote where the header says so, else 0. Below 128 it is no such length but noise (RFC 4884 §4.6). */
function quoteOctets(packet: Packet, version: 4 | 6, type: number): number {
  const { payload, at } = packet;
  const octets = version === 4 ? (payload[at + 5] ?? 0) * 4 : type === 1 || type === 3 ? (payload[at + 4] ?? 0) * 8 : 0;
  return octets >= MIN_QUOTE_BYTES ? octets : 0;
}
