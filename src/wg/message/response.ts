/** Handshake response, 92 bytes (wp §5.4.3). */
import { type Bytes, putU32le, u32le } from '../../base/bytes.ts';
import { KEY_BYTES, type PublicKey, publicKey } from '../../base/keys.ts';
import { field, layout } from '../../base/layout.ts';
import { fail, ok, type Result } from '../../base/result.ts';
import { TAG } from '../../crypto/port.ts';
import { MAC_BYTES, TYPE } from '../constants.ts';
import type { Drop } from '../drop.ts';

export const RESPONSE = layout({
  type: 4,
  sender: 4,
  receiver: 4,
  ephemeral: KEY_BYTES,
  sealedEmpty: TAG,
  mac1: MAC_BYTES,
  mac2: MAC_BYTES,
});

/** Every field is a view into `bytes`. */
export interface Response {
  readonly kind: 'response';
  readonly sender: number;
  readonly receiver: number;
  readonly ephemeral: PublicKey;
  readonly sealedEmpty: Bytes;
  readonly mac1: Bytes;
  readonly mac2: Bytes;
  /** The whole message, as the MACs cover it. */
  readonly bytes: Bytes;
}

/** Checks the length only; the type was read by {@link decodeMessage}. */
export function decodeResponse(bytes: Bytes): Result<Response, Drop> {
  const { size, sender, receiver, ephemeral, sealedEmpty, mac1, mac2 } = RESPONSE;
  if (bytes.length !== size) {
    return fail({ kind: 'length-mismatch', message: 'response', expected: size, actual: bytes.length });
  }
  return ok({
    kind: 'response',
    sender: u32le(bytes, sender.at),
    receiver: u32le(bytes, receiver.at),
    ephemeral: publicKey(field(bytes, ephemeral)),
    sealedEmpty: field(bytes, sealedEmpty),
    mac1: field(bytes, mac1),
    mac2: field(bytes, mac2),
    bytes,
  });
}

/** MACs that are left out stay zero: `stampMacs` fills them over the finished bytes. */
export type ResponseFields = Omit<Response, 'kind' | 'bytes' | 'mac1' | 'mac2'> &
  Partial<Pick<Response, 'mac1' | 'mac2'>>;

export function encodeResponse(fields: ResponseFields): Bytes {
  const bytes = new Uint8Array(RESPONSE.size);
  putU32le(bytes, RESPONSE.type.at, TYPE.response);
  putU32le(bytes, RESPONSE.sender.at, fields.sender);
  putU32le(bytes, RESPONSE.receiver.at, fields.receiver);
  bytes.set(fields.ephemeral, RESPONSE.ephemeral.at);
  bytes.set(fields.sealedEmpty, RESPONSE.sealedEmpty.at);
  if (fields.mac1 !== undefined) bytes.set(fields.mac1, RESPONSE.mac1.at);
  if (fields.mac2 !== undefined) bytes.set(fields.mac2, RESPONSE.mac2.at);
  return bytes;
}
