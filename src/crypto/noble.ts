/** The default backend: noble's audited JavaScript, the same on Node and in the browser. */
import { chacha20poly1305, xchacha20poly1305 } from '@noble/ciphers/chacha.js';
import { x25519 } from '@noble/curves/ed25519.js';
import { blake2s } from '@noble/hashes/blake2.js';
import { hmac } from '@noble/hashes/hmac.js';
import { type Bytes, putU64le } from '../base/bytes.ts';
import { type PrivateKey, type PublicKey, publicKey } from '../base/keys.ts';
import { type Crypto, TAG } from './port.ts';

const KEY = 32;

/** 4 zero bytes ‖ counter as u64le (wp §5.4.6). */
function counterNonce(low: number, high: number): Bytes {
  const nonce = new Uint8Array(12);
  putU64le(nonce, 4, low, high);
  return nonce;
}

interface Aead {
  decrypt(sealed: Bytes): Bytes;
}

/** noble throws on a tag that does not verify; a key of the wrong length is the caller's bug and stays a throw. */
function opened(
  aead: (key: Bytes, nonce: Bytes, ad: Bytes) => Aead,
  key: Bytes,
  nonce: Bytes,
  ad: Bytes,
  sealed: Bytes,
) {
  if (key.length !== KEY) throw new RangeError(`an AEAD key is ${KEY} bytes, not ${key.length}`);
  if (sealed.length < TAG) return undefined;
  const cipher = aead(key, nonce, ad);
  try {
    return cipher.decrypt(sealed);
  } catch {
    return undefined;
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
};
