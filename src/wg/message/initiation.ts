/** Handshake initiation, 148 bytes (wp §5.4.2). */
import { type Bytes, putU32le, u32le } from '../../base/bytes.ts';
import { KEY_BYTES, type PublicKey, publicKey } from '../../base/keys.ts';
import { field, layout } from '../../base/layout.ts';
import { fail, ok, type Result } from '../../base/result.ts';
import { TAG } from '../../crypto/port.ts';
import { MAC_BYTES, TYPE } from '../constants.ts';
import type { Drop } from '../drop.ts';
import { TAI64N_BYTES } from '../tai64n.ts';

export const INITIATION = layout({
  type: 4,
  sender: 4,
  ephemeral: KEY_BYTES,
  sealedStatic: KEY_BYTES + TAG,
  sealedTimestamp: TAI64N_BYTES + TAG,
  mac1: MAC_BYTES,
  mac2: MAC_BYTES,
});

/** Every field is a view into `bytes`. */
export interface Initiation {
  readonly kind: 'initiation';
  readonly sender: number;
  readonly ephemeral: PublicKey;
  readonly sealedStatic: Bytes;
  readonly sealedTimestamp: Bytes;
  readonly mac1: Bytes;
  readonly mac2: Bytes;
  /** The whole message, as the MACs cover it. */
  readonly bytes: Bytes;
}

/** Checks the length only; the type was read by {@link decodeMessage}. */
export function decodeInitiation(bytes: Bytes): Result<Initiation, Drop> {
  const { size, sender, ephemeral, sealedStatic, sealedTimestamp, mac1, mac2 } = INITIATION;
  if (bytes.length !== size) {
    return fail({ kind: 'length-mismatch', message: 'initiation', expected: size, actual: bytes.length });
  }
  return ok({
    kind: 'initiation',
    sender: u32le(bytes, sender.at),
    ephemeral: publicKey(field(bytes, ephemeral)),
    sealedStatic: field(bytes, sealedStatic),
    sealedTimestamp: field(bytes, sealedTimestamp),
    mac1: field(bytes, mac1),
    mac2: field(bytes, mac2),
    bytes,
  });
}

/** MACs that are left out stay zero: `stampMacs` fills them over the finished bytes. */
export type InitiationFields = Omit<Initiation, 'kind' | 'bytes' | 'mac1' | 'mac2'> &
  Partial<Pick<Initiation, 'mac1' | 'mac2'>>;

export function encodeInitiation(fields: InitiationFields): Bytes {
  const bytes = new Uint8Array(INITIATION.size);
  putU32le(bytes, INITIATION.type.at, TYPE.initiation);
  putU32le(bytes, INITIATION.sender.at, fields.sender);
  bytes.set(fields.ephemeral, INITIATION.ephemeral.at);
  bytes.set(fields.sealedStatic, INITIATION.sealedStatic.at);
  bytes.set(fields.sealedTimestamp, INITIATION.sealedTimestamp.at);
  if (fields.mac1 !== undefined) bytes.set(fields.mac1, INITIATION.mac1.at);
  if (fields.mac2 !== undefined) bytes.set(fields.mac2, INITIATION.mac2.at);
  return bytes;
}
