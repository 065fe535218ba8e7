/** Generated keys for those of the input: one pair for each public key, whether or not its private half is known. */
import { toBase64 } from '../../base/base64.ts';
import { type Bytes, isZero } from '../../base/bytes.ts';
import {
  clamped,
  type PresharedKey,
  type PrivateKey,
  type PublicKey,
  presharedKey,
  publicKey,
  ZERO_PSK,
} from '../../base/keys.ts';
import type { Crypto } from '../../crypto/port.ts';
import { isLowOrder } from '../../wg/noise/low-order.ts';
import type { Veil } from './veil.ts';

export interface Pair {
  readonly secret: PrivateKey;
  readonly publicKey: PublicKey;
}

export class KeyMap {
  readonly #crypto: Crypto;
  readonly #veil: Veil;
  readonly #pairs = new Map<string, Pair>();
  /** By base64 of what is known to be a private key somewhere. */
  readonly #secrets = new Map<string, PublicKey>();

  constructor(crypto: Crypto, veil: Veil, secrets: Iterable<PrivateKey>) {
    this.#crypto = crypto;
    this.#veil = veil;
    for (const secret of secrets) this.#secrets.set(toBase64(secret), crypto.publicKey(secret));
  }

  pair(key: PublicKey): Pair {
    const text = toBase64(key);
    let pair = this.#pairs.get(text);
    if (pair === undefined) {
      const secret = clamped(this.#veil.of('pair', key));
      // a point of low order is everybody’s, and known by its bytes
      pair = { secret, publicKey: isLowOrder(key) ? publicKey(key.slice()) : this.#crypto.publicKey(secret) };
      this.#pairs.set(text, pair);
    }
    return pair;
  }

  /** Of one whose private half nobody needs: any bytes will do. */
  ephemeral(key: PublicKey): PublicKey {
    const known = this.#pairs.get(toBase64(key));
    if (known !== undefined || isLowOrder(key)) return this.pair(key).publicKey;
    const random = this.#veil.of('ephemeral', key);
    random[31] = (random[31] ?? 0) & 0x7f;
    return publicKey(random);
  }

  psk(psk: PresharedKey): PresharedKey {
    return isZero(psk) ? ZERO_PSK : presharedKey(this.#veil.of('psk', psk));
  }

  /** 32 bytes of a text, whatever they are said to be there: a key in the wrong place is the same key there. */
  text(bytes: Bytes, said: 'private' | 'public' | 'psk'): Bytes {
    const known = this.#secrets.get(toBase64(bytes));
    if (known !== undefined) return this.pair(known).secret;
    if (said === 'psk' && !this.#pairs.has(toBase64(bytes))) return this.psk(presharedKey(bytes));
    return this.pair(publicKey(bytes)).publicKey;
  }

  /** Of an index of whose session only the traffic key is known. */
  traffic(key: Bytes): Bytes {
    return this.#veil.of('traffic', key);
  }
}
