/** Transport data, 32 bytes (a keepalive) or more (wp §5.4.6). */
import { type Bytes, putU32le, putU64le, u32le } from '../../base/bytes.ts';
import { layout } from '../../base/layout.ts';
import { fail, ok, type Result } from '../../base/result.ts';
import { TAG } from '../../crypto/port.ts';
import { TYPE } from '../constants.ts';
import type { Drop } from '../drop.ts';

/** The header alone; what is sealed follows it. */
export const DATA = layout({ type: 4, receiver: 4, counter: 8 });

/** A keepalive: nothing but the header and a tag (wp §6.5). */
export const DATA_MIN_BYTES = DATA.size + TAG;

/** `sealed` is a view into `bytes`. */
export interface Data {
  readonly kind: 'data';
  readonly receiver: number;
  /** Counter u64le in two unsigned 32-bit halves. */
  readonly counterLow: number;
  readonly counterHigh: number;
  readonly sealed: Bytes;
  readonly bytes: Bytes;
}

/** Checks the length only; the type was read by {@link decodeMessage}. `expected` in its refusal is the least length. */
export function decodeData(bytes: Bytes): Result<Data, Drop> {
  if (bytes.length < DATA_MIN_BYTES) {
    return fail({ kind: 'length-mismatch', message: 'data', expected: DATA_MIN_BYTES, actual: bytes.length });
  }
  return ok({
    kind: 'data',
    receiver: u32le(bytes, DATA.receiver.at),
    counterLow: u32le(bytes, DATA.counter.at),
    counterHigh: u32le(bytes, DATA.counter.at + 4),
    sealed: bytes.subarray(DATA.size),
    bytes,
  });
}

export function encodeData(fields: Omit<Data, 'kind' | 'bytes'>): Bytes {
  const bytes = new Uint8Array(DATA.size + fields.sealed.length);
  putU32le(bytes, DATA.type.at, TYPE.data);
  putU32le(bytes, DATA.receiver.at, fields.receiver);
  putU64le(bytes, DATA.counter.at, fields.counterLow, fields.counterHigh);
  bytes.set(fields.sealed, DATA.size);
  return bytes;
}
