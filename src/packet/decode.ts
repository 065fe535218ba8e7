/** From frames to UDP datagrams and ICMP errors: link layer, IP, reassembly, transport, and TZSP around all of it. */
import type { Frame } from '../capture/frame.ts';
import { TZSP_PORT } from '../capture/tzsp.ts';
import { Summer } from './checksum.ts';
import type { Datagram, Decoded, Skip } from './datagram.ts';
import { Endpoints } from './endpoints.ts';
import { type FragmentLimits, Fragments } from './fragments.ts';
import { ICMP, ICMPV6, IcmpReader } from './icmp.ts';
import { readIpv4 } from './ipv4.ts';
import { isExtension, passExtensions, readIpv6 } from './ipv6.ts';
import { enterLink } from './link/link.ts';
import { enterTzsp, looksLikeTzsp } from './link/tzsp.ts';
import { notUdp } from './names.ts';
import { Path } from './path.ts';
import { TCP } from './tcp.ts';
import { TcpStreams } from './tcp-streams.ts';
import { newUdpHeader, readUdp, UDP, udpChecksum } from './udp.ts';
import { newPacket, newWalk, type Packet, type Refusal } from './walk.ts';

/** TZSP within TZSP: a mirror that mirrors its own stream. Deeper, the carrying datagram is what comes out. */
const MAX_TZSP_DEPTH = 3;

const STREAM_PENDING: Refusal = {
  reason: 'stream-pending',
  detail: 'TCP that carries WireGuard: a part of a message, or nothing new',
};
const NO_IP: Refusal = { reason: 'not-ip', detail: 'neither IPv4 nor IPv6 by its first octet' };

export interface DecoderOptions {
  /** What fragments may take, where it differs from 256 packets, 4 MiB, 30 s, 10 000 frames. */
  readonly fragments?: Partial<FragmentLimits>;
}

/** Keeps fragments and known endpoints between frames. Any input gives values: nothing in a frame makes it throw. */
export class Decoder {
  readonly #root = new Path();
  readonly #walk = newWalk();
  readonly #packet = newPacket();
  readonly #udp = newUdpHeader();
  readonly #summer = new Summer();
  readonly #endpoints = new Endpoints();
  readonly #icmp = new IcmpReader(this.#endpoints);
  readonly #streams = new TcpStreams(this.#endpoints);
  /** Datagrams of one TCP segment. */
  readonly #carried: Datagram[] = [];
  readonly #fragments: Fragments;
  readonly #givenUp: Skip[] = [];

  constructor(options: DecoderOptions = {}) {
    this.#fragments = new Fragments(options.fragments);
  }

  /** How many packets wait for fragments. */
  get pending(): number {
    return this.#fragments.pending;
  }

  /**
   * What this frame holds, one element, or each datagram that its TCP segment completes; before it those fragments that
   * were given up now. `bytes` in the result are views into the frame (or into a buffer of their own where fragments or
   * segments were put together).
   */
  decode(frame: Frame): readonly Decoded[] {
    const walk = this.#walk;
    const wireEnd = Math.max(0, Math.max(frame.wireLength, frame.bytes.length) - frame.fcsBytes);
    walk.bytes = frame.bytes;
    walk.at = 0;
    walk.end = Math.min(frame.bytes.length, wireEnd);
    walk.wireEnd = wireEnd;
    walk.network = 0;
    walk.path = this.#root;
    walk.direction = frame.direction;

    this.#fragments.expire(frame, this.#givenUp);
    const refused = enterLink(walk, frame.linkType);
    const depth = frame.linkType === 128 ? 1 : 0;
    const found = refused === undefined ? this.#network(frame, depth) : skip(frame, refused);
    if (this.#givenUp.length === 0 && this.#carried.length === 0) return [found];
    return [...this.#givenUp.splice(0), found, ...this.#carried.splice(0)];
  }

  /** At the end of the capture: the fragments and segments that nothing came for. */
  flush(): readonly Decoded[] {
    this.#fragments.flush(this.#givenUp);
    this.#streams.flush(this.#carried);
    return [...this.#givenUp.splice(0), ...this.#carried.splice(0)];
  }

  #network(frame: Frame, depth: number): Decoded {
    const walk = this.#walk;
    const packet = this.#packet;
    const version = walk.network === 0 ? (walk.bytes[walk.at] ?? 0) >>> 4 : walk.network;
    let refused: Refusal | undefined = NO_IP;
    if (version === 4) {
      walk.path = walk.path.plus('ipv4');
      refused = readIpv4(walk, packet);
    } else if (version === 6) {
      walk.path = walk.path.plus('ipv6');
      refused = readIpv6(walk, packet);
    }
    if (refused === undefined && packet.isFragment) refused = this.#reassemble(packet, frame);
    return refused === undefined ? this.#transport(frame, depth) : skip(frame, refused);
  }

  #reassemble(packet: Packet, frame: Frame): Refusal | undefined {
    const { protocol } = packet;
    const known = protocol === UDP || (packet.addressBytes === 4 ? protocol === ICMP : protocol === ICMPV6);
    if (!known && !(packet.addressBytes === 16 && isExtension(protocol))) return notUdp(protocol);
    const waits = this.#fragments.add(packet, frame, this.#givenUp);
    if (waits !== undefined) return waits;
    return packet.addressBytes === 16 ? passExtensions(packet) : undefined;
  }

  #transport(frame: Frame, depth: number): Decoded {
    const packet = this.#packet;
    switch (packet.protocol) {
      case UDP:
        return this.#datagram(frame, depth);
      case TCP:
        if (this.#streams.read(packet, frame, this.#walk, this.#carried)) {
          return this.#carried.shift() ?? skip(frame, STREAM_PENDING);
        }
        break;
      case ICMP:
      case ICMPV6: {
        if ((packet.protocol === ICMP) !== (packet.addressBytes === 4)) break;
        const found = this.#icmp.read(packet, frame, this.#walk.direction);
        return 'kind' in found ? found : skip(frame, found);
      }
    }
    return skip(frame, notUdp(packet.protocol));
  }

  #datagram(frame: Frame, depth: number): Decoded {
    const packet = this.#packet;
    const udp = this.#udp;
    const refused = readUdp(packet, udp);
    if (refused !== undefined) return skip(frame, refused);
    if ((udp.destinationPort === TZSP_PORT || udp.sourcePort === TZSP_PORT) && depth < MAX_TZSP_DEPTH) {
      const mirrored = this.#mirrored(frame, depth);
      if (mirrored !== undefined) return mirrored;
    }
    const { header, sourceAt, addressBytes } = packet;
    return {
      kind: 'datagram',
      frame,
      from: this.#endpoints.at(header, sourceAt, addressBytes, udp.sourcePort),
      to: this.#endpoints.at(header, sourceAt + addressBytes, addressBytes, udp.destinationPort),
      bytes: packet.payload.subarray(udp.at, udp.end),
      length: udp.length,
      ttl: packet.ttl,
      tos: packet.tos,
      ipId: packet.ipId,
      dontFragment: packet.dontFragment,
      fragments: packet.fragments,
      ipLength: packet.ipLength,
      direction: this.#walk.direction,
      checksum: udpChecksum(packet, udp, this.#summer),
      path: this.#walk.path.labels,
    };
  }

  /** The frame within a datagram of a TZSP port; undefined when it holds no TZSP, so that it counts for itself. */
  #mirrored(frame: Frame, depth: number): Decoded | undefined {
    const walk = this.#walk;
    const { path, direction } = walk;
    const { payload } = this.#packet;
    const { at, end, length } = this.#udp;
    walk.bytes = payload;
    walk.at = at;
    walk.end = end;
    walk.wireEnd = at + length;
    walk.network = 0;
    walk.path = path.plus('udp');
    const refused = enterTzsp(walk);
    if (refused === undefined) return this.#network(frame, depth + 1);
    if (looksLikeTzsp(payload, at)) return skip(frame, refused);
    walk.path = path;
    walk.direction = direction;
    return undefined;
  }
}

function skip(frame: Frame, refusal: Refusal): Skip {
  return { kind: 'skip', frame, reason: refusal.reason, detail: refusal.detail };
}
