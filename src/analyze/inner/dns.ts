/** Queries to one name server and what became of them, matched by port and identifier (RFC 1035 §4.1.1). */
import { u8, u16be } from '../../base/bytes.ts';
import type { FrameId } from '../timeline.ts';
import type { InnerReader } from './read.ts';

export const DNS_PORT = 53;
const HEADER_BYTES = 12;
const OUTSTANDING_KEPT = 64;
const SERVER_FAILURE = 2;
const REFUSED = 5;

export interface DnsQuery {
  readonly first: FrameId;
  last: FrameId;
  /** 1, and one more for each time it was asked again. */
  times: number;
}

export interface DnsServer {
  readonly server: Uint8Array;
  /** Which end of the pair asks it. */
  readonly by: 0 | 1;
  /** Questions, each counted once however often it was asked. */
  queries: number;
  answers: number;
  /** Answers that say “server failure” or “refused”. */
  failures: number;
  /** Nothing has come yet. */
  readonly outstanding: Map<number, DnsQuery>;
  /** Unanswered ones beyond those kept. */
  more: number;
  lastAnswer: FrameId | undefined;
}

/** Whether the datagram in `reader` asks, answers, or neither. */
export function dnsPart({ packet, payloadAt, payloadEnd, sourcePort, destinationPort }: InnerReader) {
  if (payloadEnd - payloadAt < HEADER_BYTES) return undefined;
  const answer = (u8(packet.payload, payloadAt + 2) & 0x80) !== 0;
  if (destinationPort === DNS_PORT && !answer) return 'query';
  return sourcePort === DNS_PORT && answer ? 'answer' : undefined;
}

export function newDnsServer(server: Uint8Array, by: 0 | 1): DnsServer {
  return { server, by, queries: 0, answers: 0, failures: 0, outstanding: new Map(), more: 0, lastAnswer: undefined };
}

export function noteQuery(server: DnsServer, reader: InnerReader, at: FrameId): void {
  const key = keyOf(reader, reader.sourcePort);
  const known = server.outstanding.get(key);
  if (known !== undefined) {
    known.times++;
    known.last = at;
    return;
  }
  server.queries++;
  if (server.outstanding.size >= OUTSTANDING_KEPT) server.more++;
  else server.outstanding.set(key, { first: at, last: at, times: 1 });
}

export function noteAnswer(server: DnsServer, reader: InnerReader, at: FrameId): void {
  const code = u8(reader.packet.payload, reader.payloadAt + 3) & 15;
  server.answers++;
  server.lastAnswer = at;
  if (code === SERVER_FAILURE || code === REFUSED) server.failures++;
  // what is not among those kept is one of the others
  if (!server.outstanding.delete(keyOf(reader, reader.destinationPort)) && server.more > 0) server.more--;
}

function keyOf({ packet, payloadAt }: InnerReader, port: number): number {
  return port * 65_536 + u16be(packet.payload, payloadAt);
}
