/** Fresh keys for tests. */
import { randomFillSync } from 'node:crypto';
import { toBase64 } from '../../../src/base/base64.ts';
import { type PrivateKey, type PublicKey, privateKey } from '../../../src/base/keys.ts';
import { nodeCrypto } from '../../../src/crypto/node.ts';

export interface Keys {
  readonly secret: PrivateKey;
  readonly publicKey: PublicKey;
  /** In base64. */
  readonly secretText: string;
  readonly publicText: string;
}

/** By the system's chance, unless there is other. */
export function newKeys(fill: (out: Uint8Array) => unknown = randomFillSync): Keys {
  const bytes = new Uint8Array(32);
  fill(bytes);
  // as `wg genkey` clamps it, so that all sides have the same bytes
  bytes[0] = (bytes[0] ?? 0) & 248;
  bytes[31] = ((bytes[31] ?? 0) & 127) | 64;
  const secret = privateKey(bytes);
  const publicKey = nodeCrypto.publicKey(secret);
  return { secret, publicKey, secretText: toBase64(secret), publicText: toBase64(publicKey) };
}

export function newPsk(): string {
  return toBase64(randomFillSync(new Uint8Array(32)));
}
