/** The packet inside a data message, as far as its transport header: one reader, overwritten with every packet. */
import { type Bytes, u8, u16be, u32be } from '../../base/bytes.ts';
import { errorOf, ICMP, ICMPV6 } from '../../packet/icmp.ts';
import { readIpv4 } from '../../packet/ipv4.ts';
import { readIpv6 } from '../../packet/ipv6.ts';
import { newUdpHeader, readUdp, UDP } from '../../packet/udp.ts';
import { newPacket, newWalk, type Packet } from '../../packet/walk.ts';
import { ipVersion } from '../../wg/inner-packet.ts';

export const TCP = 6;

/** What the packet is, as far as a census asks. `part`: a later fragment, which has no ports. */
export type InnerKind = 'tcp' | 'udp' | 'echo-request' | 'echo-reply' | 'icmp-error' | 'part' | 'other';

export const TCP_FIN = 1;
export const TCP_SYN = 2;
export const TCP_ACK = 16;

const TCP_HEADER_BYTES = 20;
const ICMP_HEADER_BYTES = 8;
const NO_OPERATION = 1;
const MAXIMUM_SEGMENT_SIZE = 2;

/**
 * Reads any bytes: what is cut short or makes no sense is `other`. Only after `read` gave true its fields mean
 * anything, and only those of its kind.
 */
export class InnerReader {
  kind: InnerKind = 'other';
  readonly packet: Packet = newPacket();
  /** Both are the identifier of an echo, and 0 where the protocol has none. */
  sourcePort = 0;
  destinationPort = 0;
  /** Of TCP and UDP: where the payload is within `packet.payload`. */
  payloadAt = 0;
  payloadEnd = 0;

  sequence = 0;
  acknowledged = 0;
  flags = 0;
  readonly #walk = newWalk();
  readonly #udp = newUdpHeader();

  /** `plaintext` may have padding behind the packet. False: no IP packet, or one that lies about itself. */
  read(plaintext: Bytes): boolean {
    const walk = this.#walk;
    walk.bytes = plaintext;
    walk.at = 0;
    walk.end = plaintext.length;
    walk.wireEnd = plaintext.length;
    const { packet } = this;
    const refused = ipVersion(plaintext) === 4 ? readIpv4(walk, packet) : readIpv6(walk, packet);
    if (refused !== undefined) return false;
    this.sourcePort = 0;
    this.destinationPort = 0;
    this.kind = this.#kindOf(packet);
    return true;
  }

  /** The packet that the ICMP error in `error` quotes, which is often cut behind its ports; false where there is none. */
  readQuote({ packet: error }: InnerReader): boolean {
    const walk = this.#walk;
    walk.bytes = error.payload;
    walk.at = error.at + ICMP_HEADER_BYTES;
    walk.end = error.end;
    walk.wireEnd = error.end;
    const { packet } = this;
    const refused = error.addressBytes === 4 ? readIpv4(walk, packet) : readIpv6(walk, packet);
    if (refused !== undefined) return false;
    const { payload, at, end, protocol } = packet;
    this.kind = 'other';
    this.sourcePort = 0;
    this.destinationPort = 0;
    if (packet.fragmentAt > 0 && packet.isFragment) return true;
    const echo = protocol === ICMP || protocol === ICMPV6;
    const ports = echo ? at + 4 : at;
    if (protocol !== TCP && protocol !== UDP && !echo) return true;
    if (ports + 4 > end) return true;
    this.sourcePort = u16be(payload, ports);
    this.destinationPort = echo ? this.sourcePort : u16be(payload, ports + 2);
    return true;
  }

  /** Next-hop MTU of the ICMP error “too big” (RFC 1191 §4, RFC 4443 §3.2). */
  nextHopMtu(): number {
    const { payload, at, addressBytes } = this.packet;
    return addressBytes === 4 ? u16be(payload, at + 6) : u32be(payload, at + 4);
  }

  get payloadLength(): number {
    return this.payloadEnd - this.payloadAt;
  }

  #kindOf(packet: Packet): InnerKind {
    if (packet.isFragment && packet.fragmentAt > 0) return 'part';
    switch (packet.protocol) {
      case TCP:
        return this.#tcp(packet);
      case UDP:
        return this.#datagram(packet);
      case ICMP:
      case ICMPV6:
        return (packet.protocol === ICMP) === (packet.addressBytes === 4) ? this.#icmp(packet) : 'other';
    }
    return 'other';
  }

  #tcp({ payload, at, end }: Packet): InnerKind {
    if (at + TCP_HEADER_BYTES > end) return 'other';
    const header = (u8(payload, at + 12) >>> 4) * 4;
    if (header < TCP_HEADER_BYTES || at + header > end) return 'other';
    this.sourcePort = u16be(payload, at);
    this.destinationPort = u16be(payload, at + 2);
    this.sequence = u32be(payload, at + 4) | 0;
    this.acknowledged = u32be(payload, at + 8) | 0;
    this.flags = u8(payload, at + 13);
    this.payloadAt = at + header;
    this.payloadEnd = end;
    return 'tcp';
  }

  #datagram(packet: Packet): InnerKind {
    const udp = this.#udp;
    // the first of several fragments claims the length of all of them
    if (packet.isFragment ? packet.at + 8 > packet.end : readUdp(packet, udp) !== undefined) return 'other';
    this.sourcePort = u16be(packet.payload, packet.at);
    this.destinationPort = u16be(packet.payload, packet.at + 2);
    this.payloadAt = packet.at + 8;
    this.payloadEnd = packet.isFragment ? packet.end : udp.end;
    return 'udp';
  }

  #icmp(packet: Packet): InnerKind {
    const { payload, at, end } = packet;
    if (at + ICMP_HEADER_BYTES > end) return 'other';
    const version = packet.addressBytes === 4 ? 4 : 6;
    const type = u8(payload, at);
    if (errorOf(version, type, u8(payload, at + 1)) !== undefined) return 'icmp-error';
    const [request, reply] = version === 4 ? [8, 0] : [128, 129];
    if (type !== request && type !== reply) return 'other';
    this.sourcePort = u16be(payload, at + 4);
    this.destinationPort = this.sourcePort;
    return type === request ? 'echo-request' : 'echo-reply';
  }

  /** The option of a SYN (RFC 9293 §3.7.1); undefined where it has none. */
  segmentSize(): number | undefined {
    const { payload, at } = this.packet;
    for (let option = at + TCP_HEADER_BYTES; option < this.payloadAt; ) {
      const kind = u8(payload, option);
      if (kind === 0) return undefined;
      if (kind === NO_OPERATION) {
        option++;
        continue;
      }
      const length = u8(payload, option + 1);
      if (kind === MAXIMUM_SEGMENT_SIZE && length === 4 && option + 4 <= this.payloadAt)
        return u16be(payload, option + 2);
      if (length < 2) return undefined;
      option += length;
    }
    return undefined;
  }
}
