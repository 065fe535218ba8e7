/** Whose addresses an end lets into the tunnel, and which of its packets the other end would refuse. */
import { copy } from '../../base/bytes.ts';
import type { Drop } from '../../wg/drop.ts';
import type { FrameId } from '../timeline.ts';
import { dnsPart } from './dns.ts';
import { addressHash, isAddress } from './flow.ts';
import type { InnerEnd, Receiver } from './pair.ts';
import { type InnerReader, TCP_ACK, TCP_SYN } from './read.ts';

const SOURCES_LIMIT = 256;
const REFUSED_LIMIT = 32;
const EVIDENCE = 12;

export function noteInvalid({ invalid }: InnerEnd, drop: Drop | undefined, at: FrameId): void {
  const kind = drop?.kind ?? 'inner-length';
  invalid.kinds.set(kind, (invalid.kinds.get(kind) ?? 0) + 1);
  invalid.count++;
  if (invalid.frames.length < EVIDENCE) invalid.frames.push(at);
}

export function noteSource(end: InnerEnd, { packet }: InnerReader, at: FrameId): void {
  const { header, sourceAt: from, addressBytes } = packet;
  const hash = addressHash(header, from, addressBytes, 0);
  const known = end.sources.get(hash);
  if (known !== undefined && isAddress(known.ip, header, from, addressBytes)) {
    known.packets++;
    known.last = at;
  } else if (known !== undefined || end.sources.size >= SOURCES_LIMIT) end.sourcesMore++;
  else end.sources.set(hash, { ip: copy(header, from, from + addressBytes), packets: 1, first: at, last: at });
}

export function noteRefused(
  end: InnerEnd,
  reader: InnerReader,
  receiver: Receiver,
  owner: string | undefined,
  at: FrameId,
): void {
  const { header, sourceAt: from, addressBytes } = reader.packet;
  const to = from + addressBytes;
  let known = end.refused.find((one) => one.receiver === receiver && isAddress(one.ip, header, from, addressBytes));
  if (known === undefined) {
    if (end.refused.length >= REFUSED_LIMIT) {
      end.refusedMore++;
      return;
    }
    const ip = copy(header, from, to);
    known = {
      ip,
      to: copy(header, to, to + addressBytes),
      packets: 0,
      first: at,
      last: at,
      receiver,
      owner,
      addressed: undefined,
      asks: 0,
      frames: [],
    };
    end.refused.push(known);
  }
  known.packets++;
  known.last = at;
  if (known.frames.length < EVIDENCE) known.frames.push(at);
  const asks =
    reader.kind === 'echo-request' || (reader.kind === 'tcp' && (reader.flags & (TCP_SYN | TCP_ACK)) === TCP_SYN);
  if (asks || (reader.kind === 'udp' && dnsPart(reader) === 'query')) known.asks++;
}

/** The other end lets a packet to one of these addresses into the tunnel: it has the address in its AllowedIPs. */
export function noteAddressed({ refused }: InnerEnd, { packet }: InnerReader, at: FrameId): void {
  if (refused.length === 0) return;
  const { header, sourceAt, addressBytes } = packet;
  for (const source of refused) {
    if (source.addressed === undefined && isAddress(source.ip, header, sourceAt + addressBytes, addressBytes))
      source.addressed = at;
  }
}
