/** The backend of node:crypto (OpenSSL), much faster than JavaScript; the few things it lacks come from noble. */
import {
  type CipherGCM,
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  type DecipherGCM,
  diffieHellman,
  type KeyObject,
} from 'node:crypto';
import { hchacha } from '@noble/ciphers/chacha.js';
import { blake2s } from '@noble/hashes/blake2.js';
import { type Bytes, copy, EMPTY, equalSecret, u32le, utf8 } from '../base/bytes.ts';
import { KEY_BYTES, type PrivateKey, type PublicKey, publicKey } from '../base/keys.ts';
import { counterNonce, range, requireAeadKey } from './aead.ts';
import { type AeadKey, type Crypto, TAG } from './port.ts';

const AEAD = 'chacha20-poly1305';
const AEAD_OPTIONS = { authTagLength: TAG } as const;
const HASH = 'blake2s256';
const SIGMA = utf8('expand 32-byte k');
/** u = 9 (RFC 7748 §4.1). */
const BASE_POINT = publicKey(Uint8Array.of(9, ...new Uint8Array(KEY_BYTES - 1)));

/** A Buffer's `slice` is a view and its JSON is odd: what leaves this file is a plain array that owns its memory. */
function owned(buffer: Buffer): Bytes {
  return buffer.byteLength === buffer.buffer.byteLength ? new Uint8Array(buffer.buffer) : new Uint8Array(buffer);
}

const base64url = (bytes: Bytes): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64url');

interface Imported {
  /** The bytes as they were: an array may be wiped or filled anew by its owner. */
  readonly bytes: Bytes;
  readonly key: KeyObject;
}

/**
 * Imports by array, each for as long as the array lives: a secret that its owner wipes leaves OpenSSL's memory, and the
 * copy here, when the array is collected. They are JWK, for OpenSSL 3 reads DER ten times slower. Keys are never
 * exported or generated here: on Node 20 a JWK export of a generated key can wait for ever for its own lock.
 */
class Imports<K extends Bytes> {
  readonly #byArray = new WeakMap<Bytes, Imported>();
  readonly #import: (bytes: K) => KeyObject;

  constructor(importKey: (bytes: K) => KeyObject) {
    this.#import = importKey;
  }

  get(bytes: K): KeyObject {
    const known = this.#byArray.get(bytes);
    if (known !== undefined) {
      if (equalSecret(known.bytes, bytes)) return known.key;
      known.bytes.fill(0);
    }
    const key = this.#import(bytes);
    this.#byArray.set(bytes, { bytes: copy(bytes), key });
    return key;
  }
}

const JWK = { kty: 'OKP', crv: 'X25519' } as const;

/** The public half may stay empty: OpenSSL computes it. */
const privateKeys = new Imports<PrivateKey>((bytes) =>
  createPrivateKey({ key: { ...JWK, d: base64url(bytes), x: '' }, format: 'jwk' }),
);
const publicKeys = new Imports<PublicKey>((bytes) =>
  createPublicKey({ key: { ...JWK, x: base64url(bytes) }, format: 'jwk' }),
);

function x25519(secret: PrivateKey, remote: PublicKey): Bytes | undefined {
  const privateKey = privateKeys.get(secret);
  const publicKey = publicKeys.get(remote);
  try {
    return owned(diffieHellman({ privateKey, publicKey }));
  } catch {
    return undefined; // OpenSSL refuses an all-zero result, and with keys that were imported there is nothing else to refuse
  }
}

function cipher(key: Bytes, nonce: Bytes): CipherGCM {
  return createCipheriv(AEAD, key, nonce, AEAD_OPTIONS) as CipherGCM;
}

function decipher(key: Bytes, nonce: Bytes): DecipherGCM {
  return createDecipheriv(AEAD, key, nonce, AEAD_OPTIONS) as DecipherGCM;
}

/** OpenSSL throws at the end when the tag does not verify; what it gave out before is then wiped. */
function verified(state: DecipherGCM, plain: Buffer): boolean {
  try {
    state.final();
    return true;
  } catch {
    plain.fill(0);
    return false;
  }
}

function seal(key: Bytes, nonce: Bytes, ad: Bytes, plaintext: Bytes): Bytes {
  requireAeadKey(key);
  const state = cipher(key, nonce);
  if (ad.length > 0) state.setAAD(ad, { plaintextLength: plaintext.length });
  const out = new Uint8Array(plaintext.length + TAG);
  out.set(state.update(plaintext));
  state.final();
  out.set(state.getAuthTag(), plaintext.length);
  return out;
}

function open(key: Bytes, nonce: Bytes, ad: Bytes, sealed: Bytes): Bytes | undefined {
  requireAeadKey(key);
  const length = sealed.length - TAG;
  if (length < 0) return undefined;
  const state = decipher(key, nonce);
  if (ad.length > 0) state.setAAD(ad, { plaintextLength: length });
  state.setAuthTag(sealed.subarray(length));
  const plain = state.update(sealed.subarray(0, length));
  return verified(state, plain) ? owned(plain) : undefined;
}

/** Runs `use` with the subkey and the nonce of an XChaCha message (draft-irtf-cfrg-xchacha §2.3), then wipes the subkey. */
function extended<T>(key: Bytes, nonce: Bytes, use: (subkey: Bytes, nonce: Bytes) => T): T {
  requireAeadKey(key);
  if (nonce.length !== 24) throw new RangeError(`an XChaCha nonce is 24 bytes, not ${nonce.length}`);
  const words = (bytes: Bytes): Uint32Array => new Uint32Array(copy(bytes).buffer);
  const keyWords = words(key);
  const subkey = new Uint32Array(8);
  hchacha(words(SIGMA), keyWords, words(nonce.subarray(0, 16)), subkey);
  keyWords.fill(0);
  try {
    return use(new Uint8Array(subkey.buffer), counterNonce(u32le(nonce, 16), u32le(nonce, 20)));
  } finally {
    subkey.fill(0);
  }
}

/** node:crypto gives its output in a buffer of its own, so input and output may overlap; a copy is the price. */
class NodeAeadKey implements AeadKey {
  #key: Bytes | undefined;
  readonly #nonce = counterNonce(0, 0);

  constructor(key: Bytes) {
    requireAeadKey(key);
    this.#key = copy(key);
  }

  sealInto(low: number, high: number, plain: Bytes, plainAt: number, plainLength: number, out: Bytes, outAt: number) {
    const state = cipher(this.#ready(), counterNonce(low, high, this.#nonce));
    const input = range(plain, plainAt, plainLength);
    range(out, outAt, plainLength + TAG);
    out.set(state.update(input), outAt);
    state.final();
    out.set(state.getAuthTag(), outAt + plainLength);
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
    const key = this.#ready();
    const input = range(sealed, sealedAt, sealedLength);
    const length = sealedLength - TAG;
    if (length < 0) return false;
    range(out, outAt, length);
    const state = decipher(key, counterNonce(low, high, this.#nonce));
    state.setAuthTag(input.subarray(length));
    const plain = state.update(input.subarray(0, length));
    if (!verified(state, plain)) return false;
    out.set(plain, outAt);
    return true;
  }

  wipe() {
    this.#key?.fill(0);
    this.#key = undefined;
  }

  #ready(): Bytes {
    if (this.#key === undefined) throw new TypeError('the key was wiped');
    return this.#key;
  }
}

export const nodeCrypto: Crypto = {
  name: 'node',

  hash(...parts) {
    const state = createHash(HASH);
    for (const part of parts) state.update(part);
    return owned(state.digest());
  },

  /** OpenSSL 3.0 as Node has it takes neither a BLAKE2 key nor a length. */
  mac(key, ...parts) {
    const state = blake2s.create({ key, dkLen: 16 });
    for (const part of parts) state.update(part);
    return state.digest();
  },

  hmac(key, ...parts) {
    const state = createHmac(HASH, key);
    for (const part of parts) state.update(part);
    return owned(state.digest());
  },

  publicKey(secret) {
    return publicKey(x25519(secret, BASE_POINT) ?? EMPTY); // no scalar takes the base point to zero: clamping sees to that
  },

  dh: x25519,

  seal(key, counterLow, counterHigh, ad, plaintext) {
    return seal(key, counterNonce(counterLow, counterHigh), ad, plaintext);
  },

  open(key, counterLow, counterHigh, ad, sealed) {
    return open(key, counterNonce(counterLow, counterHigh), ad, sealed);
  },

  xseal(key, nonce, ad, plaintext) {
    return extended(key, nonce, (subkey, inner) => seal(subkey, inner, ad, plaintext));
  },

  xopen(key, nonce, ad, sealed) {
    return extended(key, nonce, (subkey, inner) => open(subkey, inner, ad, sealed));
  },

  aeadKey(key) {
    return new NodeAeadKey(key);
  },
};
