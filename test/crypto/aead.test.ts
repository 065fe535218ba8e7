/** ChaCha20-Poly1305 and XChaCha20-Poly1305 as the library below has them, with nonces that no counter makes, too. */
import { chacha20poly1305, hchacha } from '@noble/ciphers/chacha.js';
import { describe, expect, test } from 'vitest';
import { type Bytes, concat, putU64le, u32le } from '../../src/base/bytes.ts';
import { noble } from '../../src/crypto/noble.ts';
import { SHARED_ABSENT, shared } from '../shared.ts';
import { counter, fields, flag, hex, list, loadVectors, type Reader, readVectors, text } from '../vectors.ts';

const vectors = loadVectors(
  'aead.json',
  { name: text, key: hex, nonce: hex, ad: hex, plaintext: hex, ciphertext: hex, tag: hex },
  {
    hchacha20: fields({ key: hex, nonce16: hex, subkey: hex }),
    wireguard_nonce: list(fields({ key: hex, counter, nonce: hex, ad: hex, plaintext: hex, ciphertext_and_tag: hex })),
  },
);

/** Nonces of 12 bytes that start with 4 zeros go through our port, others through the library below it. */
function sealWith(key: Bytes, nonce: Bytes, ad: Bytes, plaintext: Bytes): Bytes {
  if (nonce.length === 24) return noble.xseal(key, nonce, ad, plaintext);
  if (u32le(nonce, 0) === 0) return noble.seal(key, u32le(nonce, 4), u32le(nonce, 8), ad, plaintext);
  return chacha20poly1305(key, nonce, ad).encrypt(plaintext);
}

function openWith(key: Bytes, nonce: Bytes, ad: Bytes, sealed: Bytes): Bytes | undefined {
  if (nonce.length === 24) return noble.xopen(key, nonce, ad, sealed);
  if (u32le(nonce, 0) === 0) return noble.open(key, u32le(nonce, 4), u32le(nonce, 8), ad, sealed);
  try {
    return chacha20poly1305(key, nonce, ad).decrypt(sealed);
  } catch {
    return undefined;
  }
}

test.each(vectors.cases)('$name', ({ key, nonce, ad, plaintext, ciphertext, tag }) => {
  const sealed = concat(ciphertext, tag);
  expect(sealWith(key, nonce, ad, plaintext)).toEqual(sealed);
  expect(openWith(key, nonce, ad, sealed)).toEqual(plaintext);
});

test('HChaCha20 (draft-irtf-cfrg-xchacha §2.2.1)', () => {
  const words = (b: Bytes): Uint32Array => Uint32Array.from({ length: b.length / 4 }, (_, i) => u32le(b, 4 * i));
  const { key, nonce16, subkey } = vectors.hchacha20;
  const out = new Uint32Array(8);
  hchacha(words(utf8Sigma()), words(key), words(nonce16), out);
  expect(out).toEqual(words(subkey));
});

function utf8Sigma(): Bytes {
  return new TextEncoder().encode('expand 32-byte k');
}

test.each(vectors.wireguard_nonce)('counter $counter', ({ key, counter, nonce, ad, plaintext, ciphertext_and_tag }) => {
  const low = Number(counter & 0xffff_ffffn);
  const high = Number(counter >> 32n);
  const made = new Uint8Array(12);
  putU64le(made, 4, low, high);
  expect(made).toEqual(nonce);
  expect(noble.seal(key, low, high, ad, plaintext)).toEqual(ciphertext_and_tag);
  expect(noble.open(key, low, high, ad, ciphertext_and_tag)).toEqual(plaintext);
});

const anything: Reader<unknown> = (value) => value;

describe.skipIf(SHARED_ABSENT)('figures kept outside', () => {
  test('the kernel’s self-test', () => {
    const { kernel } = readVectors(
      shared('vectors/aead.json'),
      fields({
        source: anything,
        rfc8439_2_8_2: anything,
        hchacha20_2_2_1: anything,
        xchacha20poly1305_A_3_1: anything,
        wireguard_nonce_shape: anything,
        kernel: list(
          fields({ name: text, op: text, x: flag, key: hex, nonce: hex, ad: hex, in: hex, out: hex, fail: flag }),
        ),
      }),
    );
    expect(kernel).toHaveLength(126);
    for (const row of kernel) {
      const nonce = row.nonce.length === 8 ? concat(new Uint8Array(4), row.nonce) : row.nonce;
      if (row.op === 'seal') expect(sealWith(row.key, nonce, row.ad, row.in)).toEqual(row.out);
      else expect(openWith(row.key, nonce, row.ad, row.in)).toEqual(row.fail ? undefined : row.out);
    }
  });

  test('Wycheproof ChaCha20-Poly1305', () => {
    const { rows } = readVectors(
      shared('vectors/wycheproof_chacha20_poly1305.json'),
      fields({ source: text, licence: text, columns: list(text), rows: list(list(anything)) }),
    );
    expect(rows).toHaveLength(316);
    for (const row of rows) {
      const [key, nonce, ad, plaintext, ciphertext, tag] = row.slice(1, 7).map((cell, i) => hex(cell, `${i}`));
      if (!key || !nonce || !ad || !plaintext || !ciphertext || !tag) return expect.fail('a row is short');
      const sealed = concat(ciphertext, tag);
      const valid = text(row[7], 'result') === 'valid';
      expect(openWith(key, nonce, ad, sealed)).toEqual(valid ? plaintext : undefined);
      if (valid) expect(sealWith(key, nonce, ad, plaintext)).toEqual(sealed);
    }
  });
});
