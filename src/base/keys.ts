/** Branded keys: a private key cannot be passed where a public one belongs. All are 32 bytes. */
import { toBase64 } from './base64.ts';
import { type Bytes, copy } from './bytes.ts';

export type PublicKey = Bytes & { readonly __brand: 'public' };
export type PrivateKey = Bytes & { readonly __brand: 'private' };
export type PresharedKey = Bytes & { readonly __brand: 'preshared' };

export const KEY_BYTES = 32;

function checked(bytes: Bytes): Bytes {
  if (bytes.length !== KEY_BYTES) throw new RangeError(`a key is ${KEY_BYTES} bytes, not ${bytes.length}`);
  return bytes;
}

export const publicKey = (bytes: Bytes): PublicKey => checked(bytes) as PublicKey;
export const privateKey = (bytes: Bytes): PrivateKey => checked(bytes) as PrivateKey;
export const presharedKey = (bytes: Bytes): PresharedKey => checked(bytes) as PresharedKey;

/** A copy whose bytes are the scalar that X25519 makes of them (RFC 7748 §5), as `wg genkey` writes it. */
export function clamped(key: Bytes): PrivateKey {
  const scalar = copy(key);
  scalar[0] = (scalar[0] ?? 0) & 248;
  scalar[31] = ((scalar[31] ?? 0) & 127) | 64;
  return privateKey(scalar);
}

/** The PSK of a peer without one (wp §5.2). */
export const ZERO_PSK: PresharedKey = presharedKey(new Uint8Array(KEY_BYTES));

/** `c6XX…5B8=`: enough to recognise a public key, as wireguard-go prints it. Never for secrets. */
export function shortKey(key: PublicKey): string {
  const text = toBase64(key);
  return `${text.slice(0, 6)}…${text.slice(-4)}`;
}
