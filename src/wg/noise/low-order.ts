/** Curve25519 points that give an all-zero secret with every scalar: seen in a message without any private key. */
import { toHex, u8 } from '../../base/bytes.ts';
import type { PublicKey } from '../../base/keys.ts';

/** u of order 1, 2, 4 and 8 in every encoding below 2^255, little endian (RFC 7748 §6.1; a test checks each one). */
const LOW_ORDER: ReadonlySet<string> = new Set([
  '00'.repeat(32), // 0
  `01${'00'.repeat(31)}`, // 1
  'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
  '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
  `ec${'ff'.repeat(30)}7f`, // p − 1
  `ed${'ff'.repeat(30)}7f`, // p, read as 0
  `ee${'ff'.repeat(30)}7f`, // p + 1, read as 1
]);

/** The top bit is masked, as X25519 does (RFC 7748 §5). */
export function isLowOrder(key: PublicKey): boolean {
  const masked = key.slice();
  masked[31] = u8(key, 31) & 0x7f;
  return LOW_ORDER.has(toHex(masked));
}
