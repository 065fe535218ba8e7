/** BLAKE2s, its keyed form and HMAC: RFC 7693, the reference figures. */
import { blake2s } from '@noble/hashes/blake2.js';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Bytes, concat, fromHex, toHex } from '../../src/base/bytes.ts';
import { noble } from '../../src/crypto/noble.ts';
import { SHARED_ABSENT, shared } from '../shared.ts';
import { fields, hex, list, loadVectors, readVectors, text } from '../vectors.ts';

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
const key = fc.uint8Array({ minLength: 1, maxLength: 32 });

test.each(vectors.cases)('$name', ({ input, digest }) => {
  expect(noble.hash(input)).toEqual(digest);
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

test.each(vectors.keyed_16_byte_output)(
  'mac $input.length bytes, key $key.length bytes',
  ({ key, input, digest16 }) => {
    expect(noble.mac(key, input)).toEqual(digest16);
  },
);

test.each(vectors.hmac_blake2s)('hmac $input.length bytes, key $key.length bytes', ({ key, input, mac }) => {
  expect(noble.hmac(key, input)).toEqual(mac);
});

test('parts are joined', () => {
  fc.assert(
    fc.property(fc.array(bytes, { maxLength: 4 }), key, (parts, key) => {
      expect(noble.hash(...parts)).toEqual(noble.hash(concat(...parts)));
      expect(noble.hmac(key, ...parts)).toEqual(noble.hmac(key, concat(...parts)));
      expect(noble.mac(key, ...parts)).toEqual(noble.mac(key, concat(...parts)));
    }),
  );
});

test('each result is an array of its own, so that one may be wiped', () => {
  const key = fromHex('0102');
  for (const make of [() => noble.hash(key), () => noble.hmac(key, key), () => noble.mac(key, key)]) {
    const first = make();
    const kept = toHex(first);
    const second = make();
    first.fill(0);
    expect(toHex(second)).toBe(kept);
    expect(second.byteLength).toBe(second.buffer.byteLength);
  }
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

  test('256 lengths', () => {
    const { unkeyed_by_length } = readVectors(shared('vectors/blake2s.json'), whole);
    expect(unkeyed_by_length.map((_, length) => toHex(noble.hash(counting(length))))).toEqual(
      unkeyed_by_length.map(toHex),
    );
    expect(unkeyed_by_length).toHaveLength(256);
  });
});
