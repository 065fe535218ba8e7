/** ChaCha20-Poly1305 and XChaCha20-Poly1305: RFC 8439, the XChaCha draft, Wycheproof, the kernel, node:crypto. */
import { createCipheriv, createDecipheriv } from 'node:crypto';
import { chacha20poly1305, hchacha } from '@noble/ciphers/chacha.js';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Bytes, concat, EMPTY, fromHex, putU64le, toHex, u32le } from '../../src/base/bytes.ts';
import { noble } from '../../src/crypto/noble.ts';
import { TAG } from '../../src/crypto/port.ts';
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

const key32 = fc.uint8Array({ minLength: 32, maxLength: 32 });
const half = fc.integer({ min: 0, max: 0xffff_ffff });
const body = fc.uint8Array({ maxLength: 200 });

test('agrees with node:crypto both ways', () => {
  fc.assert(
    fc.property(key32, half, half, body, body, (key, low, high, ad, plaintext) => {
      const nonce = new Uint8Array(12);
      putU64le(nonce, 4, low, high);
      const cipher = createCipheriv('chacha20-poly1305', key, nonce, { authTagLength: TAG });
      cipher.setAAD(ad, { plaintextLength: plaintext.length });
      const theirs = concat(cipher.update(plaintext), cipher.final(), cipher.getAuthTag());
      const ours = noble.seal(key, low, high, ad, plaintext);
      expect(toHex(ours)).toBe(toHex(theirs));
      expect(noble.open(key, low, high, ad, theirs)).toEqual(plaintext);

      const decipher = createDecipheriv('chacha20-poly1305', key, nonce, { authTagLength: TAG });
      decipher.setAAD(ad, { plaintextLength: plaintext.length });
      decipher.setAuthTag(ours.subarray(plaintext.length));
      expect(concat(decipher.update(ours.subarray(0, plaintext.length)), decipher.final())).toEqual(plaintext);
    }),
  );
});

test('any changed bit, other counter, other ad or other key is undefined', () => {
  fc.assert(
    fc.property(key32, half, half, body, body, fc.nat(), (key, low, high, ad, plaintext, bit) => {
      const sealed = noble.seal(key, low, high, ad, plaintext);
      const flipped = sealed.slice();
      const at = (bit >>> 3) % sealed.length;
      flipped[at] = (flipped[at] ?? 0) ^ (1 << (bit & 7));
      expect(noble.open(key, low, high, ad, flipped)).toBeUndefined();
      expect(noble.open(key, (low + 1) >>> 0, high, ad, sealed)).toBeUndefined();
      expect(noble.open(key, low, (high + 1) >>> 0, ad, sealed)).toBeUndefined();
      expect(noble.open(key, low, high, concat(ad, fromHex('00')), sealed)).toBeUndefined();
      expect(noble.open(noble.hash(key), low, high, ad, sealed)).toBeUndefined();
      const xsealed = noble.xseal(key, NONCE24, ad, plaintext);
      xsealed[at] = (xsealed[at] ?? 0) ^ (1 << (bit & 7));
      expect(noble.xopen(key, NONCE24, ad, xsealed)).toBeUndefined();
    }),
  );
});

const NONCE24 = Uint8Array.from({ length: 24 }, (_, i) => i);

test('shorter than a tag is undefined, at every length', () => {
  for (let length = 0; length < TAG; length++) {
    expect(noble.open(new Uint8Array(32), 0, 0, EMPTY, new Uint8Array(length))).toBeUndefined();
    expect(noble.xopen(new Uint8Array(32), NONCE24, EMPTY, new Uint8Array(length))).toBeUndefined();
  }
});

test('a key of the wrong length is the caller’s bug', () => {
  expect(() => noble.open(new Uint8Array(31), 0, 0, EMPTY, new Uint8Array(16))).toThrow(RangeError);
  expect(() => noble.xopen(new Uint8Array(33), NONCE24, EMPTY, new Uint8Array(16))).toThrow(RangeError);
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

  test.each([
    ['chacha20', 316],
    ['xchacha20', 306],
  ])('Wycheproof %s', (name, count) => {
    const { rows } = readVectors(
      shared(`vectors/wycheproof_${name}_poly1305.json`),
      fields({ source: text, licence: text, columns: list(text), rows: list(list(anything)) }),
    );
    expect(rows).toHaveLength(count);
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
