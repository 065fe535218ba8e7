/** One suite for every backend: each keeps the whole contract of the port, and all of them agree. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Bytes, concat, EMPTY, fromHex, isZero, toHex, u32le } from '../../src/base/bytes.ts';
import { privateKey, publicKey } from '../../src/base/keys.ts';
import { noble } from '../../src/crypto/noble.ts';
import { type AeadKey, type Crypto, TAG } from '../../src/crypto/port.ts';
import { SHARED_ABSENT, shared } from '../shared.ts';
import { counter, fields, flag, hex, list, loadVectors, type Reader, readVectors, text } from '../vectors.ts';
import {
  BACKENDS,
  body,
  COUNTERS,
  counting,
  flipped,
  half,
  halves,
  KEY,
  key32,
  LENGTHS,
  LOW,
  NON_CANONICAL,
  NONCE24,
  opened,
  sealed,
  shown,
} from './backends.ts';

const aead = loadVectors(
  'aead.json',
  { name: text, key: hex, nonce: hex, ad: hex, plaintext: hex, ciphertext: hex, tag: hex },
  {
    hchacha20: fields({ key: hex, nonce16: hex, subkey: hex }),
    wireguard_nonce: list(fields({ key: hex, counter, nonce: hex, ad: hex, plaintext: hex, ciphertext_and_tag: hex })),
  },
);
const blake2s = loadVectors(
  'blake2s.json',
  { name: text, input: hex, digest: hex },
  {
    appendix_e: hex,
    keyed_16_byte_output: list(fields({ key: hex, input: hex, digest16: hex })),
    hmac_blake2s: list(fields({ key: hex, input: hex, mac: hex })),
  },
);
const x25519 = loadVectors(
  'x25519.json',
  { scalar: hex, u: hex, out: hex },
  {
    iterated: fields({ start_k_and_u: hex, after_1: hex, after_1000: hex, after_1000000: hex }),
    diffie_hellman: fields({ a_private: hex, a_public: hex, b_private: hex, b_public: hex, shared: hex }),
  },
);

describe.each(BACKENDS)('$name', (crypto) => {
  const dh = (secret: Bytes, remote: Bytes): Bytes | undefined => crypto.dh(privateKey(secret), publicKey(remote));

  test('RFC 7693, keyed, HMAC', () => {
    for (const { input, digest } of blake2s.cases) expect(crypto.hash(input)).toEqual(digest);
    for (const { key, input, digest16 } of blake2s.keyed_16_byte_output)
      expect(crypto.mac(key, input)).toEqual(digest16);
    for (const { key, input, mac } of blake2s.hmac_blake2s) expect(crypto.hmac(key, input)).toEqual(mac);
  });

  test('RFC 7748', () => {
    for (const { scalar, u, out } of x25519.cases) expect(dh(scalar, u)).toEqual(out);
    const { a_private, a_public, b_private, b_public, shared } = x25519.diffie_hellman;
    expect(crypto.publicKey(privateKey(a_private))).toEqual(a_public);
    expect(crypto.publicKey(privateKey(b_private))).toEqual(b_public);
    expect([dh(a_private, b_public), dh(b_private, a_public)]).toEqual([shared, shared]);
    expect(dh(x25519.iterated.start_k_and_u, x25519.iterated.start_k_and_u)).toEqual(x25519.iterated.after_1);
  });

  test.each([
    '00'.repeat(32),
    `01${'00'.repeat(31)}`,
    'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
    '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
    `ec${'ff'.repeat(30)}7f`,
    `ed${'ff'.repeat(30)}7f`,
    `ee${'ff'.repeat(31)}`,
  ])('a point of low order gives undefined, and the next one is fine: %s', (point) => {
    const { a_private, b_public, shared } = x25519.diffie_hellman;
    expect(dh(a_private, fromHex(point))).toBeUndefined();
    expect(dh(a_private, b_public)).toEqual(shared);
  });

  test('key arrays that are wiped or filled anew are read anew', () => {
    const { a_private, a_public, b_private, b_public, shared } = x25519.diffie_hellman;
    const secret = privateKey(b_private.slice());
    const remote = publicKey(b_public.slice());
    expect(crypto.publicKey(secret)).toEqual(b_public);
    expect(crypto.dh(secret, remote)).not.toEqual(shared);
    secret.set(a_private);
    expect(crypto.publicKey(secret)).toEqual(a_public);
    expect(crypto.dh(secret, remote)).toEqual(shared);
    remote.set(a_public);
    expect(crypto.dh(secret, remote)).not.toEqual(shared);
    remote.fill(0);
    expect(crypto.dh(secret, remote)).toBeUndefined();
  });

  test('views into a packet are keys, too', () => {
    const { a_private, b_public, shared } = x25519.diffie_hellman;
    const packet = Buffer.from(concat(counting(5), a_private, b_public));
    expect(dh(packet.subarray(5, 37), packet.subarray(37))).toEqual(shared);
  });

  test('RFC 8439, draft-irtf-cfrg-xchacha, the paper’s nonces', () => {
    for (const { key, nonce, ad, plaintext, ciphertext, tag } of aead.cases) {
      if (nonce.length !== 24) continue; // an RFC 8439 nonce that no counter makes is the library's business
      expect(crypto.xseal(key, nonce, ad, plaintext)).toEqual(concat(ciphertext, tag));
      expect(crypto.xopen(key, nonce, ad, concat(ciphertext, tag))).toEqual(plaintext);
    }
    for (const { key, counter, ad, plaintext, ciphertext_and_tag } of aead.wireguard_nonce) {
      const [low, high] = halves(counter);
      expect(crypto.seal(key, low, high, ad, plaintext)).toEqual(ciphertext_and_tag);
      expect(crypto.open(key, low, high, ad, ciphertext_and_tag)).toEqual(plaintext);
      if (ad.length > 0) continue;
      expect(sealed(crypto.aeadKey(key), low, high, plaintext)).toEqual(ciphertext_and_tag);
      expect(opened(crypto.aeadKey(key), low, high, ciphertext_and_tag)).toEqual(plaintext);
    }
  });

  test('the handle is seal and open without additional data, at every edge', () => {
    const handle = crypto.aeadKey(KEY);
    for (const [low, high] of COUNTERS) {
      for (const length of LENGTHS) {
        const plain = counting(length, low);
        const wanted = crypto.seal(KEY, low, high, EMPTY, plain);
        expect(shown(sealed(handle, low, high, plain))).toBe(toHex(wanted));
        expect(shown(opened(handle, low, high, wanted))).toBe(toHex(plain));
      }
    }
  });

  test('forged: any bit, another counter, other data, another key, one byte less or more', () => {
    fc.assert(
      fc.property(key32, half, half, body, body, fc.nat(), (key, low, high, ad, plain, bit) => {
        const handle = crypto.aeadKey(key);
        const good = crypto.seal(key, low, high, EMPTY, plain);
        const other = (low + 1) >>> 0;
        expect(opened(handle, low, high, good)).toEqual(plain);
        for (const bad of [
          flipped(good, bit),
          good.subarray(1),
          good.subarray(0, -1),
          concat(good, EMPTY, counting(1)),
        ]) {
          expect(opened(handle, low, high, bad)).toBeUndefined();
          expect(crypto.open(key, low, high, EMPTY, bad)).toBeUndefined();
        }
        expect(opened(handle, other, high, good)).toBeUndefined();
        expect(opened(handle, low, (high ^ 0x8000_0000) >>> 0, good)).toBeUndefined();
        expect(opened(crypto.aeadKey(flipped(key, bit)), low, high, good)).toBeUndefined();

        const withAd = crypto.seal(key, low, high, ad, plain);
        expect(crypto.open(key, low, high, ad, withAd)).toEqual(plain);
        expect(crypto.open(key, low, high, concat(ad, counting(1)), withAd)).toBeUndefined();
        expect(crypto.open(key, other, high, ad, withAd)).toBeUndefined();
        const extended = crypto.xseal(key, NONCE24, ad, plain);
        expect(crypto.xopen(key, NONCE24, ad, extended)).toEqual(plain);
        expect(crypto.xopen(key, NONCE24, ad, flipped(extended, bit))).toBeUndefined();
      }),
      { numRuns: 40 },
    );
  });

  test('every bit of a tag counts', () => {
    const handle = crypto.aeadKey(KEY);
    const good = crypto.seal(KEY, 5, 0, EMPTY, counting(40));
    for (let bit = 40 * 8; bit < good.length * 8; bit++)
      expect(opened(handle, 5, 0, flipped(good, bit))).toBeUndefined();
  });

  test('in place and overlapping, either way: as from a buffer apart', () => {
    const shift = fc.integer({ min: -80, max: 80 });
    fc.assert(
      fc.property(fc.constantFrom(...LENGTHS), shift, half, (length, shift, low) => {
        const handle = crypto.aeadKey(KEY);
        const plain = counting(length, 9);
        const wanted = crypto.seal(KEY, low, 3, EMPTY, plain);
        const memory = new Uint8Array(length + TAG + 200).fill(0xa5);
        for (const outAt of [100, 100 + shift]) {
          memory.set(plain, 100);
          handle.sealInto(low, 3, memory, 100, length, memory, outAt);
          expect(toHex(memory.slice(outAt, outAt + length + TAG))).toBe(toHex(wanted));

          memory.set(flipped(wanted, low), 100);
          const before = memory.slice();
          expect(handle.openInto(low, 3, memory, 100, length + TAG, memory, outAt)).toBe(false);
          expect(toHex(memory)).toBe(toHex(before));

          memory.set(wanted, 100);
          expect(handle.openInto(low, 3, memory, 100, length + TAG, memory, outAt)).toBe(true);
          expect(toHex(memory.slice(outAt, outAt + length))).toBe(toHex(plain));
        }
      }),
      { numRuns: 60 },
    );
  });

  test('no call is disturbed by what was called before it', () => {
    const handle = crypto.aeadKey(KEY);
    const reference = noble.aeadKey(KEY);
    const call = fc.record({
      name: fc.constantFrom('hash', 'mac', 'hmac', 'seal', 'open', 'xseal', 'xopen', 'sealInto', 'openInto'),
      length: fc.oneof(fc.nat(300), fc.constantFrom(...LENGTHS)),
      keyLength: fc.integer({ min: 1, max: 32 }),
      before: fc.nat(2100),
      byte: fc.nat(255),
    });
    type Call = typeof call extends fc.Arbitrary<infer T> ? T : never;
    const run = (of: Crypto, key: AeadKey, { name, length, keyLength, before, byte }: Call): Bytes | undefined => {
      const input = new Uint8Array(length).fill(byte);
      const secret = new Uint8Array(keyLength).fill(byte ^ 0xff);
      if (name === 'hash') return of.hash(input, secret);
      if (name === 'mac' || name === 'hmac') return of[name](secret, input);
      if (name === 'seal') return of.seal(KEY, byte, 0, secret, input);
      if (name === 'xseal') return of.xseal(KEY, NONCE24, secret, input);
      if (name === 'open') return of.open(KEY, byte, 0, secret, noble.seal(KEY, byte, 0, secret, input));
      if (name === 'xopen') return of.xopen(KEY, NONCE24, secret, noble.xseal(KEY, NONCE24, secret, input));
      // in a buffer that ends with it, as a datagram does
      const memory = concat(new Uint8Array(before).fill(byte | 1), input, new Uint8Array(TAG));
      key.sealInto(byte, 0, memory, before, length, memory, before);
      if (name === 'openInto') key.openInto(byte, 0, memory, before, length + TAG, memory, before);
      return memory;
    };
    fc.assert(
      fc.property(fc.array(call, { minLength: 2, maxLength: 8 }), (calls) => {
        for (const one of calls) expect(shown(run(crypto, handle, one))).toBe(shown(run(noble, reference, one)));
      }),
      { numRuns: 60 },
    );
  });

  test('input is left as it was where it is not output', () => {
    const handle = crypto.aeadKey(KEY);
    const plain = counting(100);
    const bytes = sealed(handle, 1, 1, plain);
    const kept = bytes.slice();
    opened(handle, 1, 1, bytes);
    crypto.open(KEY, 1, 1, EMPTY, bytes);
    crypto.seal(KEY, 1, 1, EMPTY, plain);
    crypto.xopen(KEY, NONCE24, EMPTY, bytes);
    expect([bytes, plain, KEY, NONCE24]).toEqual([kept, counting(100), counting(32, 0x40), counting(24)]);
  });

  test('shorter than a tag does not open, at every length', () => {
    const handle = crypto.aeadKey(KEY);
    for (let length = 0; length < TAG; length++) {
      const bytes = new Uint8Array(length);
      expect(opened(handle, 0, 0, bytes)).toBeUndefined();
      expect(crypto.open(KEY, 0, 0, EMPTY, bytes)).toBeUndefined();
      expect(crypto.xopen(KEY, NONCE24, EMPTY, bytes)).toBeUndefined();
    }
  });

  test('a handle has a key of its own, and none after wiping', () => {
    const key = KEY.slice();
    const handle = crypto.aeadKey(key);
    const wanted = crypto.seal(key, 2, 0, EMPTY, counting(8));
    key.fill(0);
    expect(sealed(handle, 2, 0, counting(8))).toEqual(wanted);
    handle.wipe();
    handle.wipe();
    expect(() => sealed(handle, 2, 0, counting(8))).toThrow(TypeError);
    expect(() => opened(handle, 2, 0, wanted)).toThrow(TypeError);
  });

  test('wrong lengths of keys and ranges outside of buffers are the caller’s bug', () => {
    const handle = crypto.aeadKey(KEY);
    const room = new Uint8Array(64);
    for (const length of [0, 31, 33]) {
      const key = new Uint8Array(length);
      expect(() => crypto.aeadKey(key)).toThrow(RangeError);
      expect(() => crypto.open(key, 0, 0, EMPTY, room)).toThrow(RangeError);
      expect(() => crypto.seal(key, 0, 0, EMPTY, room)).toThrow(RangeError);
      expect(() => crypto.xopen(key, NONCE24, EMPTY, room)).toThrow(RangeError);
      expect(() => crypto.xseal(key, NONCE24, EMPTY, room)).toThrow(RangeError);
    }
    expect(() => crypto.xseal(KEY, NONCE24.subarray(1), EMPTY, room)).toThrow(RangeError);
    expect(() => crypto.xopen(KEY, NONCE24.subarray(1), EMPTY, room)).toThrow(RangeError);
    for (const [at, length] of [
      [0, 65],
      [64, 1],
      [-1, 4],
      [0, -1],
      [Number.NaN, 1],
    ] as const) {
      expect(() => handle.sealInto(0, 0, room, at, length, new Uint8Array(200), 0)).toThrow(RangeError);
      expect(() => handle.openInto(0, 0, room, at, length, new Uint8Array(200), 0)).toThrow(RangeError);
    }
    expect(() => handle.sealInto(0, 0, room, 0, 10, room, 64 - 25)).toThrow(RangeError);
    const good = sealed(handle, 0, 0, counting(10));
    expect(() => handle.openInto(0, 0, good, 0, good.length, room, 55)).toThrow(RangeError);
    expect(isZero(room)).toBe(true);
  });

  test('results are plain arrays of their own memory, so that they may be kept and wiped', () => {
    const remote = crypto.publicKey(privateKey(KEY));
    const good = crypto.seal(KEY, 0, 0, EMPTY, KEY);
    const results = [
      crypto.hash(KEY),
      crypto.mac(KEY, KEY),
      crypto.hmac(KEY, KEY),
      remote,
      crypto.dh(privateKey(counting(32)), remote),
      good,
      crypto.open(KEY, 0, 0, EMPTY, good),
      crypto.open(KEY, 0, 0, EMPTY, crypto.seal(KEY, 0, 0, EMPTY, EMPTY)),
      crypto.xopen(KEY, NONCE24, EMPTY, crypto.xseal(KEY, NONCE24, EMPTY, KEY)),
    ];
    for (const result of results) {
      expect(result?.constructor).toBe(Uint8Array);
      expect(result?.byteLength).toBe(result?.buffer.byteLength);
    }
  });

  const anything: Reader<unknown> = (value) => value;
  const wycheproof = (name: string): readonly (readonly unknown[])[] =>
    readVectors(
      shared(`vectors/wycheproof_${name}.json`),
      fields({ source: text, licence: text, columns: list(text), rows: list(list(anything)) }),
    ).rows;

  describe.skipIf(SHARED_ABSENT)('figures kept outside', () => {
    test('Wycheproof X25519', () => {
      const rows = wycheproof('x25519');
      expect(rows).toHaveLength(518);
      for (const row of rows) {
        const wanted = hex(row[3], 'shared');
        expect(dh(hex(row[2], 'private'), hex(row[1], 'public'))).toEqual(isZero(wanted) ? undefined : wanted);
      }
    }, 20_000);

    test('Wycheproof XChaCha20-Poly1305', () => {
      const rows = wycheproof('xchacha20_poly1305');
      expect(rows).toHaveLength(306);
      for (const row of rows) {
        const [key, nonce, ad, plain, ciphertext, tag] = row.slice(1, 7).map((cell, i) => hex(cell, `${i}`));
        if (!key || !nonce || !ad || !plain || !ciphertext || !tag) return expect.fail('a row is short');
        const valid = row[7] === 'valid';
        expect(crypto.xopen(key, nonce, ad, concat(ciphertext, tag))).toEqual(valid ? plain : undefined);
        if (valid) expect(crypto.xseal(key, nonce, ad, plain)).toEqual(concat(ciphertext, tag));
      }
    });

    test('the kernel’s ChaCha20-Poly1305, whose nonces are counters', () => {
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
      const rows = kernel.filter(({ nonce }) => nonce.length === 8);
      expect(rows.length).toBeGreaterThan(50);
      for (const row of rows) {
        const [low, high] = [u32le(row.nonce, 0), u32le(row.nonce, 4)];
        const got = (row.op === 'seal' ? crypto.seal : crypto.open)(row.key, low, high, row.ad, row.in);
        expect(got).toEqual(row.fail ? undefined : row.out);
      }
    });
  });
});

describe('all agree', () => {
  /** Every result in hexadecimal, so that long ones compare fast; those of the first backend are what is wanted. */
  const all = (use: (crypto: Crypto) => readonly (Bytes | undefined)[]): void => {
    const results = BACKENDS.map((crypto) => use(crypto).map(shown));
    for (const got of results) expect(got).toEqual(results[0]);
  };

  test('hashes of parts', () => {
    fc.assert(
      fc.property(fc.array(body, { maxLength: 4 }), fc.uint8Array({ maxLength: 100 }), key32, (parts, hmacKey, key) => {
        all((crypto) => [crypto.hash(...parts), crypto.hmac(hmacKey, ...parts), crypto.mac(key, ...parts)]);
      }),
    );
  });

  test('AEADs at any length and counter', () => {
    fc.assert(
      fc.property(key32, half, half, body, body, (key, low, high, ad, plain) => {
        all((crypto) => [
          crypto.seal(key, low, high, ad, plain),
          crypto.xseal(key, NONCE24, ad, plain),
          sealed(crypto.aeadKey(key), low, high, plain),
        ]);
      }),
    );
  });

  test('X25519 of any 32 bytes', () => {
    const point = fc.oneof(key32, fc.constantFrom(...LOW, ...NON_CANONICAL).map(fromHex));
    fc.assert(
      fc.property(key32, point, (secret, remote) => {
        all((crypto) => [crypto.dh(privateKey(secret), publicKey(remote)), crypto.publicKey(privateKey(secret))]);
      }),
      { numRuns: 40 },
    );
  });
});
