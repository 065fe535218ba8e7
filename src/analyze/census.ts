/** Counts what is around the handshakes: senders, cut and skipped frames, malformed messages, other protocols. */
import type { Datagram, Skip } from '../packet/datagram.ts';
import { foreignName, type Shape, WIRE_SIZE } from './classify.ts';
import { type EndpointNames, pairId } from './liveness.ts';
import type { ForeignFlow, FrameId, Malformed, Seen, SenderStats } from './timeline.ts';
import { namesVariant } from './variants.ts';

const LIST_LIMIT = 1000;
const SENDERS_LIMIT = 20_000;
const EVIDENCE = 12;

export class Census {
  readonly malformed: Malformed[] = [];
  readonly foreign = new Map<string, ForeignFlow>();
  readonly variants = new Map<string, ForeignFlow>();
  readonly senders = new Map<string, SenderStats>();
  readonly skipped = new Map<string, { count: number; readonly detail: string; readonly first: FrameId }>();
  readonly cut = { handshake: [] as FrameId[], handshakeCount: 0, data: [] as FrameId[], dataCount: 0 };
  private readonly names: EndpointNames;

  constructor(names: EndpointNames) {
    this.names = names;
  }

  skip(at: FrameId, { reason, detail }: Skip): void {
    const key = reason === 'link-type' ? `link-type: ${detail}` : reason;
    const entry = this.skipped.get(key);
    if (entry !== undefined) entry.count++;
    else if (this.skipped.size < LIST_LIMIT) this.skipped.set(key, { count: 1, detail, first: at });
  }

  cutMessage(seen: Seen): void {
    if (seen.kind === 'data') {
      this.cut.dataCount++;
      if (this.cut.data.length < EVIDENCE) this.cut.data.push(seen.at);
    } else {
      this.cut.handshakeCount++;
      if (this.cut.handshake.length < EVIDENCE) this.cut.handshake.push(seen.at);
    }
  }

  sender({ from, direction, ttl, checksum }: Datagram): void {
    let stats = this.senders.get(from.text);
    if (stats === undefined) {
      if (this.senders.size >= SENDERS_LIMIT) return;
      stats = { endpoint: from, packets: 0, in: 0, out: 0, initialTtl: 0, badChecksum: 0, forwarded: 0 };
      this.senders.set(from.text, stats);
    }
    stats.packets++;
    if (direction === 'in') stats.in++;
    if (direction === 'out') stats.out++;
    if (ttl === 64 || ttl === 128 || ttl === 255) stats.initialTtl++;
    if (checksum === 'bad') stats.badChecksum++;
  }

  /** A datagram that is no plain WireGuard message: a variant, something else, or a message of the wrong length. */
  notPlain(datagram: Datagram, shape: Shape | undefined, at: FrameId): void {
    const { from, to, bytes, length } = datagram;
    const variant = namesVariant(datagram, shape);
    const name = variant ?? foreignName(bytes, length, [from.port, to.port]);
    if (name === undefined && shape !== undefined && shape.reserved === 0) {
      if (this.malformed.length >= LIST_LIMIT) return;
      const pair = pairId(this.names.of(from), this.names.of(to));
      this.malformed.push({ at, from, to, pair, claims: shape.kind, length, expected: WIRE_SIZE[shape.kind] });
      return;
    }
    const table = variant === undefined ? this.foreign : this.variants;
    const key = `${name ?? 'unknown'} ${pairId(from.text, to.text)}`;
    const flow = table.get(key);
    if (flow !== undefined) flow.count++;
    else if (table.size < LIST_LIMIT) table.set(key, { name: name ?? 'unknown', at, from, to, count: 1 });
  }
}
