/** Counts what is around the handshakes: senders, cut and skipped frames, malformed messages, other protocols. */
import type { Endpoint } from '../base/address.ts';
import { compareTime, msBetween } from '../base/time.ts';
import type { Datagram, Skip } from '../packet/datagram.ts';
import { foreignName, type Shape, WIRE_SIZE } from './classify.ts';
import { type EndpointNames, pairId } from './liveness.ts';
import type { ForeignFlow, FrameId, Malformed, PairId, Seen, SenderStats, VariantFlow } from './timeline.ts';
import type { VariantForm } from './unwrap/unwrapped.ts';
import { namesVariant, VARIANT } from './variants.ts';

const LIST_LIMIT = 1000;
const SENDERS_LIMIT = 20_000;
const EVIDENCE = 12;

export class Census {
  readonly malformed: Malformed[] = [];
  readonly foreign = new Map<string, ForeignFlow>();
  readonly variants = new Map<string, VariantFlow>();
  readonly senders = new Map<string, SenderStats>();
  readonly skipped = new Map<string, { count: number; readonly detail: string; readonly first: FrameId }>();
  readonly cut = { handshake: [] as FrameId[], handshakeCount: 0, data: [] as FrameId[], dataCount: 0 };
  private readonly names: EndpointNames;
  private readonly unwrappedPairs = new Set<PairId>();

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
    if (variant !== undefined) this.addVariant(datagram, variant, undefined, at);
    else count(this.foreign, datagram, name ?? 'unknown', at, (flow) => flow);
  }

  /** Of a form that is known; `unwrapped` datagrams had messages in them. */
  variant(datagram: Datagram, form: VariantForm, at: FrameId, unwrapped: number): void {
    const flow = this.addVariant(datagram, form.name, form, at);
    if (flow !== undefined) flow.unwrapped += unwrapped;
  }

  /** Between these ends something other than plain messages was read. */
  isUnwrapped(from: Endpoint, to: Endpoint): boolean {
    return this.unwrappedPairs.has(pairId(from.text, to.text));
  }

  private addVariant(datagram: Datagram, name: string, form: VariantForm | undefined, at: FrameId) {
    const { from, to } = datagram;
    const known = this.variants.size;
    const flow = count(this.variants, datagram, name, at, (one): VariantFlow => ({ ...one, unwrapped: 0, form }));
    if (form === undefined || this.variants.size === known) return flow;
    this.unwrappedPairs.add(pairId(from.text, to.text));
    // what came before the first message that could be read was of the same form
    for (const [key, other] of this.foreignBetween(from, to))
      if (form.hasJunk || other.name === 'unknown') this.move(key, other, flow);
    return flow;
  }

  /** What is sent right before an initiation, each time, with nothing ever coming back, is there to hide it. */
  beforeInitiation({ from, to, at }: Seen): void {
    for (const [key, flow] of this.foreignBetween(from, to)) {
      const isJunk = JUNK_LOOKS_LIKE.includes(flow.name) && flow.back === 0 && flow.from.text === from.text;
      const gapMs = msBetween(flow.last.time, at.time);
      if (!isJunk || gapMs < 0 || gapMs > JUNK_MS) continue;
      const hidden = `${VARIANT.junk} ${pairId(from.text, to.text)}`;
      const known = this.variants.get(hidden);
      if (known !== undefined) this.move(key, flow, known);
      else if (this.variants.size < LIST_LIMIT) {
        this.variants.set(hidden, { ...flow, name: VARIANT.junk, unwrapped: 0, form: undefined });
        this.foreign.delete(key);
      }
    }
  }

  private foreignBetween(from: Endpoint, to: Endpoint): [string, ForeignFlow][] {
    if (this.foreign.size === 0) return [];
    const end = ` ${pairId(from.text, to.text)}`;
    const out: [string, ForeignFlow][] = [];
    for (const entry of this.foreign) if (entry[0].endsWith(end)) out.push(entry);
    return out;
  }

  private move(key: string, { count: more, at, last }: ForeignFlow, into: VariantFlow | undefined): void {
    if (into === undefined) return;
    into.count += more;
    if (compareTime(at.time, into.at.time) < 0) into.at = at;
    if (compareTime(into.last.time, last.time) < 0) into.last = last;
    this.foreign.delete(key);
  }
}

/** Random bytes, or what I1 to I5 imitate. */
const JUNK_LOOKS_LIKE: readonly string[] = ['unknown', 'QUIC'];
const JUNK_MS = 1000;

function count<F extends ForeignFlow>(
  table: Map<string, F>,
  { from, to }: Datagram,
  name: string,
  at: FrameId,
  make: (flow: ForeignFlow) => F,
): F | undefined {
  const key = `${name} ${pairId(from.text, to.text)}`;
  const flow = table.get(key);
  if (flow !== undefined) {
    flow.count++;
    flow.last = at;
    if (flow.from.text !== from.text) flow.back++;
    return flow;
  }
  if (table.size >= LIST_LIMIT) return undefined;
  const made = make({ name, at, last: at, from, to, count: 1, back: 0 });
  table.set(key, made);
  return made;
}
