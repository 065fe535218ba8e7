/** ICMP errors inside the tunnel: who says what about whose packets. */
import { copy, u8 } from '../../base/bytes.ts';
import { errorOf } from '../../packet/icmp.ts';
import { isAddress } from './flow.ts';
import type { InnerError, InnerPair } from './pair.ts';
import type { InnerReader } from './read.ts';

const ERRORS_LIMIT = 64;

/** The entry for the error in `reader` about the packet in `quote`; undefined where there are too many others. */
export function errorEntry(
  pair: InnerPair,
  by: 0 | 1,
  reader: InnerReader,
  quote: InnerReader,
): InnerError | undefined {
  return knownError(pair, by, reader, quote) ?? newError(pair, by, reader, quote);
}

function knownError(pair: InnerPair, by: 0 | 1, reader: InnerReader, quote: InnerReader): InnerError | undefined {
  const { payload, at, header, sourceAt: source, addressBytes: size } = reader.packet;
  const about = quote.packet;
  return pair.errors.find(
    (one) =>
      one.by === by &&
      one.type === u8(payload, at) &&
      one.code === u8(payload, at + 1) &&
      isAddress(one.from, header, source, size) &&
      isAddress(one.quotedTo, about.header, about.sourceAt + about.addressBytes, about.addressBytes),
  );
}

function newError(pair: InnerPair, by: 0 | 1, reader: InnerReader, quote: InnerReader): InnerError | undefined {
  if (pair.errors.length >= ERRORS_LIMIT) return undefined;
  const { payload, at, header, sourceAt: source, addressBytes: size } = reader.packet;
  const [type, code] = [u8(payload, at), u8(payload, at + 1)];
  const error = errorOf(size === 4 ? 4 : 6, type, code);
  if (error === undefined) return undefined;
  const about = quote.packet;
  const middle = about.sourceAt + about.addressBytes;
  const made: InnerError = {
    by,
    from: copy(header, source, source + size),
    error,
    type,
    code,
    mtu: error === 'fragmentation-needed' ? reader.nextHopMtu() : 0,
    quotedFrom: copy(about.header, about.sourceAt, middle),
    quotedTo: copy(about.header, middle, middle + about.addressBytes),
    protocol: about.protocol,
    toPort: quote.destinationPort,
    firstAfterMs: undefined,
    count: 0,
    frames: [],
  };
  pair.errors.push(made);
  return made;
}
