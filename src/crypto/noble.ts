/** The default backend: noble's audited JavaScript, the same on Node and in the browser. */
import { chacha20poly1305, xchacha20poly1305 } from '@noble/ciphers/chacha.js';
import { x25519 } from '@noble/curves/ed25519.js';
import { blake2s } from '@noble/hashes/blake2.js';
import { hmac } from '@noble/hashes/hmac.js';
import { type Bytes, copy } from '../base/bytes.ts';
import { type PrivateKey, type PublicKey, publicKey } from '../base/keys.ts';
import { counterNonce, range, requireAeadKey } from './aead.ts';
import { type AeadKey, type Crypto, TAG } from './port.ts';

interface Aead {
  decrypt(sealed: Bytes, out?: Bytes): Bytes;
}

/** noble throws on a tag that does not verify; a key of the wrong length is the caller's bug and stays a throw. */
function opened(
  aead: (key: Bytes, nonce: Bytes, ad: Bytes) => Aead,
  key: Bytes,
  nonce: Bytes,
  ad: Bytes,
  sealed: Bytes,
) {
  requireAeadKey(key);
  if (sealed.length < TAG) return undefined;
  const cipher = aead(key, nonce, ad);
  try {
    return cipher.decrypt(sealed);
  } catch {
    return undefined;
  }
}

/** noble copies the input to the output before it changes a byte, and looks at the tag before that: any overlap is fine. */
class NobleAeadKey implements AeadKey {
  #key: Bytes | undefined;
  readonly #nonce = counterNonce(0, 0);

  constructor(key: Bytes) {
    requireAeadKey(key);
    this.#key = copy(key);
  }

  sealInto(low: number, high: number, plain: Bytes, plainAt: number, plainLength: number, out: Bytes, outAt: number) {
    const input = range(plain, plainAt, plainLength);
    this.#cipher(low, high).encrypt(input, range(out, outAt, plainLength + TAG));
  }

  openInto(
    low: number,
    high: number,
    sealed: Bytes,
    sealedAt: number,
    sealedLength: number,
    out: Bytes,
    outAt: number,
  ) {
    const cipher = this.#cipher(low, high);
    const input = range(sealed, sealedAt, sealedLength);
    if (sealedLength < TAG) return false;
    const output = range(out, outAt, sealedLength - TAG);
    try {
      cipher.decrypt(input, output);
      return true;
    } catch {
      return false;
    }
  }

  wipe() {
    this.#key?.fill(0);
    this.#key = undefined;
  }

  #cipher(low: number, high: number) {
    if (this.#key === undefined) throw new TypeError('the key was wiped');
    return chacha20poly1305(this.#key, counterNonce(low, high, this.#nonce));
  }
}

export const noble: Crypto = {
  name: 'noble',

  hash(...parts) {
    const state = blake2s.create({});
    for (const part of parts) state.update(part);
    return state.digest();
  },

  mac(key, ...parts) {
    const state = blake2s.create({ key, dkLen: 16 });
    for (const part of parts) state.update(part);
    return state.digest();
  },

  hmac(key, ...parts) {
    const state = hmac.create(blake2s, key);
    for (const part of parts) state.update(part);
    return state.digest();
  },

  publicKey(secret: PrivateKey): PublicKey {
    return publicKey(x25519.getPublicKey(secret));
  },

  dh(secret, remote) {
    try {
      return x25519.getSharedSecret(secret, remote);
    } catch {
      return undefined; // keys are branded with their length, so only a low-order point is left
    }
  },

  seal(key, counterLow, counterHigh, ad, plaintext) {
    return chacha20poly1305(key, counterNonce(counterLow, counterHigh), ad).encrypt(plaintext);
  },

  open(key, counterLow, counterHigh, ad, sealed) {
    return opened(chacha20poly1305, key, counterNonce(counterLow, counterHigh), ad, sealed);
  },

  xseal(key, nonce, ad, plaintext) {
    return xchacha20poly1305(key, nonce, ad).encrypt(plaintext);
  },

  xopen(key, nonce, ad, sealed) {
    return opened(xchacha20poly1305, key, nonce, ad, sealed);
  },

  aeadKey(key) {
    return new NobleAeadKey(key);
  },
};
