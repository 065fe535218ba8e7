/** The TCP connections of a capture that carry WireGuard; all others are passed by without being remembered. */
import type { Frame } from '../capture/frame.ts';
import type { Datagram } from './datagram.ts';
import type { Endpoints } from './endpoints.ts';
import { newTcpHeader, readTcp } from './tcp.ts';
import { beginsFrame } from './tcp-frames.ts';
import { TcpStream } from './tcp-stream.ts';
import type { Packet, Walk } from './walk.ts';

/** Directions of connections; the one begun first is forgotten beyond it. */
const STREAMS_LIMIT = 64;

export class TcpStreams {
  readonly #endpoints: Endpoints;
  readonly #tcp = newTcpHeader();
  readonly #streams = new Map<string, TcpStream>();

  constructor(endpoints: Endpoints) {
    this.#endpoints = endpoints;
  }

  /**
   * Puts into `out` the datagrams that the segment at which `packet` stands completes. False: it is none of a stream
   * that carries WireGuard, or has no payload.
   */
  read(packet: Packet, frame: Frame, walk: Walk, out: Datagram[]): boolean {
    const tcp = this.#tcp;
    if (!readTcp(packet, tcp)) return false;
    const begins = beginsFrame(packet.payload, tcp.at, tcp.end);
    if (!begins && this.#streams.size === 0) return false;
    const { header, sourceAt, addressBytes } = packet;
    const from = this.#endpoints.at(header, sourceAt, addressBytes, tcp.sourcePort);
    const to = this.#endpoints.at(header, sourceAt + addressBytes, addressBytes, tcp.destinationPort);
    const key = `${from.text} > ${to.text}`;
    let stream = this.#streams.get(key);
    if (tcp.resets) {
      stream?.flush(out);
      this.#streams.delete(key);
      return out.length > 0;
    }
    if (tcp.length === 0) return false;
    if (stream === undefined) {
      if (!begins) return false;
      stream = this.#open(key, out);
    }
    const carrier = {
      kind: 'datagram',
      frame,
      from,
      to,
      ttl: packet.ttl,
      tos: packet.tos,
      ipId: packet.ipId,
      dontFragment: packet.dontFragment,
      fragments: packet.fragments,
      ipLength: packet.ipLength,
      direction: walk.direction,
      checksum: 'unverifiable',
      path: walk.path.plus('tcp').labels,
    } as const;
    const bytes = packet.payload.subarray(tcp.at, tcp.end);
    stream.push({ sequence: tcp.sequence, bytes, length: tcp.length, carrier }, out);
    return true;
  }

  /** At the end of the capture: what waited for a segment that did not come. */
  flush(out: Datagram[]): void {
    for (const stream of this.#streams.values()) stream.flush(out);
  }

  #open(key: string, out: Datagram[]): TcpStream {
    const stream = new TcpStream();
    this.#streams.set(key, stream);
    if (this.#streams.size > STREAMS_LIMIT) {
      const oldest = this.#streams.entries().next();
      if (!oldest.done) {
        oldest.value[1].flush(out);
        this.#streams.delete(oldest.value[0]);
      }
    }
    return stream;
  }
}
