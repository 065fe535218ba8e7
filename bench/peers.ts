/** Other people’s ChaCha20-Poly1305 behind the same two calls: compared only, never part of wgwhy. */
import { createRequire } from 'node:module';
import { ChaCha20Poly1305 } from '@stablelib/chacha20poly1305';
import type { Bytes } from '../src/base/bytes.ts';
import { counterNonce } from '../src/crypto/aead.ts';
import { TAG } from '../src/crypto/port.ts';

export interface Peer {
  readonly name: string;
  seal(key: Bytes, counter: number, plain: Bytes): Bytes;
  /** undefined or a throw where the tag does not verify. */
  open(key: Bytes, counter: number, sealed: Bytes): Bytes | null | undefined;
}

/** As much of libsodium as is used here; neither package has types. */
interface Wrappers {
  readonly ready: Promise<void>;
  crypto_aead_chacha20poly1305_ietf_encrypt(plain: Bytes, ad: null, secret: null, nonce: Bytes, key: Bytes): Bytes;
  crypto_aead_chacha20poly1305_ietf_decrypt(secret: null, sealed: Bytes, ad: null, nonce: Bytes, key: Bytes): Bytes;
}
interface Native {
  crypto_aead_chacha20poly1305_ietf_encrypt(
    out: Bytes,
    plain: Bytes,
    ad: null,
    secret: null,
    nonce: Bytes,
    key: Bytes,
  ): number;
  crypto_aead_chacha20poly1305_ietf_decrypt(
    out: Bytes,
    secret: null,
    sealed: Bytes,
    ad: null,
    nonce: Bytes,
    key: Bytes,
  ): number;
}

const require = createRequire(import.meta.url);

export async function peers(): Promise<readonly Peer[]> {
  const wrappers = require('libsodium-wrappers') as Wrappers;
  const native = require('sodium-native') as Native;
  await wrappers.ready;
  return [
    {
      name: 'stablelib',
      seal: (key, counter, plain) => new ChaCha20Poly1305(key).seal(counterNonce(counter, 0), plain),
      open: (key, counter, sealed) => new ChaCha20Poly1305(key).open(counterNonce(counter, 0), sealed),
    },
    {
      name: 'libsodium-wrappers',
      seal: (key, counter, plain) =>
        wrappers.crypto_aead_chacha20poly1305_ietf_encrypt(plain, null, null, counterNonce(counter, 0), key),
      open: (key, counter, sealed) =>
        wrappers.crypto_aead_chacha20poly1305_ietf_decrypt(null, sealed, null, counterNonce(counter, 0), key),
    },
    {
      name: 'sodium-native',
      seal: (key, counter, plain) => {
        const out = new Uint8Array(plain.length + TAG);
        native.crypto_aead_chacha20poly1305_ietf_encrypt(out, plain, null, null, counterNonce(counter, 0), key);
        return out;
      },
      open: (key, counter, sealed) => {
        const out = new Uint8Array(sealed.length - TAG);
        native.crypto_aead_chacha20poly1305_ietf_decrypt(out, null, sealed, null, counterNonce(counter, 0), key);
        return out;
      },
    },
  ];
}
