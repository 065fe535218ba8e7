/** Looks into every data message that the keys open: who speaks with whom inside, and what is wrong with it. */
import { type Bytes, copy } from '../../base/bytes.ts';
import { msBetween } from '../../base/time.ts';
import type { Drop } from '../../wg/drop.ts';
import { addressLength, addressText, refuseInner, sourceAt } from '../../wg/inner-packet.ts';
import type { Opened } from '../observe.ts';
import type { Placed } from '../sessions.ts';
import type { Exchange, FrameId, Half, PairId, Seen, Session } from '../timeline.ts';
import { dnsPart, newDnsServer, noteAnswer, noteQuery } from './dns.ts';
import { noteAddressed, noteInvalid, noteRefused, noteSource } from './ends.ts';
import { errorEntry } from './errors.ts';
import { directionIn, type FlowSide, type InnerFlow, isAddress } from './flow.ts';
import { FlowTable } from './flow-table.ts';
import { looksNested, noteNested } from './nested.ts';
import { type InnerPair, newPair, type Receiver } from './pair.ts';
import { InnerReader } from './read.ts';
import { noteSegment } from './tcp.ts';

const PAIRS_LIMIT = 2000;
const SERVERS_LIMIT = 32;
const EVIDENCE = 12;

/** Who configured the end that the data of this direction goes to; undefined where no file tells. */
export type ReceiverOf = (exchange: Exchange | undefined, toResponder: boolean) => Receiver | undefined;

/** What a direction of a session is to the census: looked up once. */
interface Direction {
  readonly pair: InnerPair;
  readonly by: 0 | 1;
  readonly receiver: Receiver | undefined;
}

export class InnerCensus {
  readonly pairs = new Map<PairId, InnerPair>();
  readonly #receiverOf: ReceiverOf;
  readonly #flows: FlowTable;
  readonly #directions = new WeakMap<Half, Direction>();
  readonly #reader = new InnerReader();
  readonly #quote = new InnerReader();

  constructor(receiverOf: ReceiverOf, flowsLimit?: number) {
    this.#receiverOf = receiverOf;
    this.#flows = new FlowTable(this.pairs, flowsLimit);
  }

  /** What the receiver makes of the packet inside, where the message itself is taken; the same `opened` where nothing changes. */
  judge(placed: Placed, seen: Seen, opened: Opened): Opened {
    if (opened.drop === 'counter-exhausted') this.#noteExhausted(placed, seen);
    if (opened.plaintext === undefined || opened.verdict === 'refused') return opened;
    const drop = this.#note(placed, seen, opened.plaintext);
    return drop === undefined ? opened : { ...opened, verdict: 'refused', drop: drop.kind };
  }

  /** Gives the reason for which its receiver refuses it, if any. */
  #note({ session, half }: Placed, seen: Seen, plaintext: Bytes): Drop | undefined {
    if (plaintext.length === 0) return undefined;
    const direction = this.#directionOf(session, half);
    if (direction === undefined) return undefined;
    const { pair, by, receiver } = direction;
    const end = pair.ends[by];
    const reader = this.#reader;
    const peer = receiver?.peer ?? '';
    const drop = refuseInner(plaintext, plaintext.length, peer, true);
    if (drop !== undefined || !reader.read(plaintext)) {
      noteInvalid(end, drop, seen.at);
      return drop;
    }
    const length = reader.packet.ipLength;
    end.packets++;
    end.bytes += length;
    end.first ??= seen.at;
    end.last = seen.at;
    if (length > end.greatest) {
      end.greatest = length;
      end.greatestAt = seen.at;
    }
    noteSource(end, reader, seen.at);
    noteAddressed(pair.ends[by === 0 ? 1 : 0], reader, seen.at);
    this.#noteKind(pair, by, reader, session, seen);
    if (receiver === undefined) return undefined;
    const owner = receiver.allowed.lookup(plaintext, sourceAt(plaintext), addressLength(plaintext));
    if (owner === receiver.peer) return undefined;
    noteRefused(end, reader, receiver, owner, seen.at);
    return { kind: 'source-not-allowed', peer, source: addressText(plaintext, sourceAt(plaintext)), owner };
  }

  /** It opened, and its counter is beyond the last: no receiver looks inside. */
  #noteExhausted({ session, half }: Placed, seen: Seen): void {
    const direction = this.#directionOf(session, half);
    const list = direction?.pair.ends[direction.by].exhausted;
    if (list !== undefined && list.length < EVIDENCE) list.push(seen.at);
  }

  #directionOf(session: Session, half: Half): Direction | undefined {
    let direction = this.#directions.get(half);
    if (direction === undefined) {
      const pair = this.#pairOf(session.pair);
      if (pair === undefined) return undefined;
      const receiver = this.#receiverOf(session.exchange, half === session.toResponder);
      direction = { pair, by: senderIndex(session, half), receiver };
      this.#directions.set(half, direction);
    }
    return direction;
  }

  #pairOf(id: PairId): InnerPair | undefined {
    let pair = this.pairs.get(id);
    if (pair === undefined && this.pairs.size < PAIRS_LIMIT) {
      pair = newPair(id);
      this.pairs.set(id, pair);
    }
    return pair;
  }

  #noteKind(pair: InnerPair, by: 0 | 1, reader: InnerReader, session: Session, seen: Seen): void {
    const { kind } = reader;
    if (kind === 'part') pair.ends[by].parts++;
    else if (kind === 'icmp-error') this.#noteError(pair, by, reader, seen.at);
    else {
      if (kind === 'udp') {
        if (noteDns(pair, by, reader, seen.at)) return;
        if (looksNested(reader, seen.to)) noteNested(pair.ends[by], reader, session, seen);
      }
      this.#noteFlow(pair, by, reader, seen.at);
    }
  }

  #noteFlow(pair: InnerPair, by: 0 | 1, reader: InnerReader, at: FrameId): void {
    const flow = this.#flows.find(pair, reader) ?? this.#flows.add(pair, reader, by);
    const there = directionIn(flow, reader) !== 'back';
    if (there === (by !== flow.by)) {
      // what came out of the tunnel went in again
      flow.bounced++;
      flow.bouncedAt ??= at;
      return;
    }
    const [own, other] = there ? [flow.there, flow.back] : [flow.back, flow.there];
    noteInFlow(own, other, reader, at);
  }

  #noteError(pair: InnerPair, by: 0 | 1, reader: InnerReader, at: FrameId): void {
    const quote = this.#quote;
    if (!quote.readQuote(reader)) return;
    const flow = this.#flows.find(pair, quote);
    if (flow !== undefined) flow.errors++;
    const error = errorEntry(pair, by, reader, quote);
    if (error === undefined) {
      pair.folded.errors++;
      return;
    }
    if (flow !== undefined) error.firstAfterMs ??= sinceAsked(flow, quote, at);
    error.count++;
    if (error.frames.length < EVIDENCE) error.frames.push(at);
  }
}

/** Which name of the pair sends this direction. */
function senderIndex({ exchange, pair, toResponder }: Session, half: Half): 0 | 1 {
  const [a = '', b = ''] = pair.split(' ~ ');
  if (exchange === undefined) return half.sender.text === a || half.owner.text === b ? 0 : 1;
  return (half === toResponder ? exchange.initiatorName : exchange.responderName) === a ? 0 : 1;
}

/** Since the first packet of the direction that the error is about. */
function sinceAsked(flow: InnerFlow, quote: InnerReader, at: FrameId): number | undefined {
  const { first } = directionIn(flow, quote) === 'back' ? flow.back : flow.there;
  return first === undefined ? undefined : msBetween(first.time, at.time);
}

/** False where it is no DNS, or of a server too many. */
function noteDns(pair: InnerPair, by: 0 | 1, reader: InnerReader, at: FrameId): boolean {
  const part = dnsPart(reader);
  if (part === undefined) return false;
  const { header, sourceAt: from, addressBytes } = reader.packet;
  const asker = part === 'query' ? by : by === 0 ? 1 : 0;
  const serverAt = part === 'query' ? from + addressBytes : from;
  let server = pair.dns.find((one) => one.by === asker && isAddress(one.server, header, serverAt, addressBytes));
  if (server === undefined) {
    if (pair.dns.length >= SERVERS_LIMIT) {
      pair.folded.dns++;
      return true;
    }
    server = newDnsServer(copy(header, serverAt, serverAt + addressBytes), asker);
    pair.dns.push(server);
  }
  if (part === 'query') noteQuery(server, reader, at);
  else noteAnswer(server, reader, at);
  return true;
}

function noteInFlow(own: FlowSide, other: FlowSide, reader: InnerReader, at: FrameId): void {
  own.packets++;
  own.first ??= at;
  own.last = at;
  const { ipLength, ttl } = reader.packet;
  if (ipLength > own.greatest) own.greatest = ipLength;
  if (ttl > own.ttl) own.ttl = ttl;
  if (reader.kind === 'tcp' && own.tcp !== undefined && other.tcp !== undefined)
    noteSegment(own.tcp, other.tcp, reader, at);
}
