/** BLAKE2s, its keyed form and HMAC: RFC 7693, the reference figures; every backend. */
import { blake2s } from '@noble/hashes/blake2.js';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Bytes, concat, EMPTY, fromHex, toHex } from '../../src/base/bytes.ts';
import { noble } from '../../src/crypto/noble.ts';
import { SHARED_ABSENT, shared } from '../shared.ts';
import { fields, hex, list, loadVectors, readVectors, text } from '../vectors.ts';
import { BACKENDS } from './backends.ts';

const vectors = loadVectors(
  'blake2s.json',
  { name: text, input: hex, digest: hex },
  {
    appendix_e: hex,
    keyed_16_byte_output: list(fields({ key: hex, input: hex, digest16: hex })),
    hmac_blake2s: list(fields({ key: hex, input: hex, mac: hex })),
  },
);

const counting = (length: number): Bytes => Uint8Array.from({ length }, (_, i) => i);
const bytes = fc.uint8Array({ maxLength: 300 });
const anyKey = fc.uint8Array({ minLength: 1, maxLength: 32 });
const key = fromHex('0102');

describe.each(BACKENDS)('$name', (crypto) => {
  test.each(vectors.cases)('$name', ({ input, digest }) => {
    expect(crypto.hash(input)).toEqual(digest);
  });

  test.each(vectors.keyed_16_byte_output)(
    'mac $input.length bytes, key $key.length bytes',
    ({ key, input, digest16 }) => {
      expect(crypto.mac(key, input)).toEqual(digest16);
    },
  );

  test.each(vectors.hmac_blake2s)('hmac $input.length bytes, key $key.length bytes', ({ key, input, mac }) => {
    expect(crypto.hmac(key, input)).toEqual(mac);
  });

  test('parts are joined', () => {
    fc.assert(
      fc.property(fc.array(bytes, { maxLength: 4 }), anyKey, (parts, key) => {
        expect(crypto.hash(...parts)).toEqual(crypto.hash(concat(...parts)));
        expect(crypto.hmac(key, ...parts)).toEqual(crypto.hmac(key, concat(...parts)));
        expect(crypto.mac(key, ...parts)).toEqual(crypto.mac(key, concat(...parts)));
      }),
    );
  });

  test('around the blocks of 64 bytes, keys of every length: as noble', () => {
    for (const length of [0, 1, 31, 32, 33, 63, 64, 65, 127, 128, 129, 191, 192, 193, 1420]) {
      const input = counting(length);
      expect(crypto.hash(input)).toEqual(noble.hash(input));
      for (let n = 0; n <= 65; n++) {
        const secret = counting(n).map((byte) => byte ^ 0x5a);
        expect(crypto.hmac(secret, input)).toEqual(noble.hmac(secret, input));
        if (n > 0 && n <= 32) expect(crypto.mac(secret, input)).toEqual(noble.mac(secret, input));
      }
    }
    expect(() => crypto.mac(counting(33), key)).toThrow();
    expect(() => crypto.mac(EMPTY, key)).toThrow();
  });

  test('longer than a datagram, in parts', () => {
    for (const parts of [[65_535], [65_536], [65_537], [65_536, 1], [1, 65_536], [40_000, 40_000]]) {
      const inputs = parts.map(counting);
      expect(crypto.hash(...inputs)).toEqual(noble.hash(...inputs));
      expect(crypto.mac(key, ...inputs)).toEqual(noble.mac(key, ...inputs));
      expect(crypto.hmac(key, ...inputs)).toEqual(noble.hmac(key, ...inputs));
      // and what comes after it
      expect(crypto.hash(key)).toEqual(noble.hash(key));
    }
  });

  test('each result is an array of its own, so that one may be wiped', () => {
    for (const make of [() => crypto.hash(key), () => crypto.hmac(key, key), () => crypto.mac(key, key)]) {
      const first = make();
      const kept = toHex(first);
      const second = make();
      first.fill(0);
      expect(toHex(second)).toBe(kept);
      expect(second.byteLength).toBe(second.buffer.byteLength);
    }
  });
});

/** The sequence generator of RFC 7693 Appendix E. */
function selftestSequence(length: number, seed: number): Bytes {
  const out = new Uint8Array(length);
  let a = Math.imul(0xdead4bad, seed) >>> 0;
  let b = 1;
  for (let i = 0; i < length; i++) {
    const t = (a + b) >>> 0;
    a = b;
    b = t;
    out[i] = t >>> 24;
  }
  return out;
}

test('RFC 7693 Appendix E, over the library below: our port asks for 16 and 32 bytes only', () => {
  const digests: Bytes[] = [];
  for (const dkLen of [16, 20, 28, 32]) {
    for (const length of [0, 3, 64, 65, 255, 1024]) {
      const input = selftestSequence(length, length);
      digests.push(blake2s(input, { dkLen }), blake2s(input, { dkLen, key: selftestSequence(dkLen, dkLen) }));
    }
  }
  expect(noble.hash(...digests)).toEqual(vectors.appendix_e);
});

describe.skipIf(SHARED_ABSENT)('reference figures by length', () => {
  const whole = fields({
    about: text,
    source: list(text),
    abc: fields({ input: hex, digest: hex }),
    rfc7693_appendix_e_blake2s: hex,
    unkeyed_by_length: list(hex),
    keyed_by_length: list(hex),
    keyed_16_byte_output: list((row) => row),
    hmac_blake2s: list((row) => row),
    node20_note: text,
  });

  test.each(BACKENDS)('256 lengths: $name', (crypto) => {
    const { unkeyed_by_length } = readVectors(shared('vectors/blake2s.json'), whole);
    expect(unkeyed_by_length.map((_, length) => toHex(crypto.hash(counting(length))))).toEqual(
      unkeyed_by_length.map(toHex),
    );
    expect(unkeyed_by_length).toHaveLength(256);
  });
});
