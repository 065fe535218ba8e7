/** HKDF over HMAC-BLAKE2s, as Noise and the paper call it KDF1 to KDF3 (wp §5.4, Noise §4.3). */
import { type Bytes, EMPTY } from '../../base/bytes.ts';
import type { Crypto } from '../../crypto/port.ts';

const ONE = Uint8Array.of(1);
const TWO = Uint8Array.of(2);
const THREE = Uint8Array.of(3);

export function kdf1(crypto: Crypto, key: Bytes, input: Bytes): Bytes {
  const extracted = crypto.hmac(key, input);
  const first = crypto.hmac(extracted, ONE);
  extracted.fill(0);
  return first;
}

export function kdf2(crypto: Crypto, key: Bytes, input: Bytes = EMPTY): readonly [Bytes, Bytes] {
  const extracted = crypto.hmac(key, input);
  const first = crypto.hmac(extracted, ONE);
  const second = crypto.hmac(extracted, first, TWO);
  extracted.fill(0);
  return [first, second];
}

export function kdf3(crypto: Crypto, key: Bytes, input: Bytes): readonly [Bytes, Bytes, Bytes] {
  const extracted = crypto.hmac(key, input);
  const first = crypto.hmac(extracted, ONE);
  const second = crypto.hmac(extracted, first, TWO);
  const third = crypto.hmac(extracted, second, THREE);
  extracted.fill(0);
  return [first, second, third];
}
