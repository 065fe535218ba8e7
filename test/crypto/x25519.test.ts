/** X25519 beyond the suite of every backend: iterated, points of low order, the kernel's self-test. */
import { describe, expect, test } from 'vitest';
import { type Bytes, fromHex } from '../../src/base/bytes.ts';
import { privateKey, publicKey } from '../../src/base/keys.ts';
import { noble } from '../../src/crypto/noble.ts';
import { nodeCrypto } from '../../src/crypto/node.ts';
import type { Crypto } from '../../src/crypto/port.ts';
import { isLowOrder } from '../../src/wg/noise/low-order.ts';
import { SHARED_ABSENT, shared } from '../shared.ts';
import { fields, flag, hex, list, loadVectors, type Reader, readVectors, text } from '../vectors.ts';
import { BACKENDS } from './backends.ts';

const { iterated, diffie_hellman } = loadVectors(
  'x25519.json',
  { scalar: hex, u: hex, out: hex },
  {
    iterated: fields({ start_k_and_u: hex, after_1: hex, after_1000: hex, after_1000000: hex }),
    diffie_hellman: fields({ a_private: hex, a_public: hex, b_private: hex, b_public: hex, shared: hex }),
  },
);

const dh = (crypto: Crypto, secret: Bytes, remote: Bytes): Bytes | undefined =>
  crypto.dh(privateKey(secret), publicKey(remote));

/** The slow backend agrees on the way, now and then; test/long has it go all the way by itself. */
test('RFC 7748 §5.2 iterated 1 and 1,000 times', () => {
  let k = iterated.start_k_and_u;
  let u = iterated.start_k_and_u;
  for (let i = 1; i <= 1000; i++) {
    const out = dh(nodeCrypto, k, u) ?? expect.fail('all zero');
    if (i % 20 === 0) expect(dh(noble, k, u)).toEqual(out);
    u = k;
    k = out;
    if (i === 1) expect(k).toEqual(iterated.after_1);
  }
  expect(k).toEqual(iterated.after_1000);
});

const LOW_ORDER = [
  '00'.repeat(32),
  `01${'00'.repeat(31)}`,
  'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
  '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
  `ec${'ff'.repeat(30)}7f`,
  `ed${'ff'.repeat(30)}7f`,
  `ee${'ff'.repeat(30)}7f`,
  `${'00'.repeat(31)}80`,
  `ed${'ff'.repeat(31)}`,
];

test.each(LOW_ORDER)('a point of low order gives undefined and is known as one: %s', (point) => {
  for (const crypto of BACKENDS) expect(dh(crypto, diffie_hellman.a_private, fromHex(point))).toBeUndefined();
  expect(isLowOrder(publicKey(fromHex(point)))).toBe(true);
});

test('other points are not of low order', () => {
  for (const point of [`02${'00'.repeat(31)}`, `09${'00'.repeat(31)}`, 'ff'.repeat(32)]) {
    expect(isLowOrder(publicKey(fromHex(point)))).toBe(false);
    for (const crypto of BACKENDS) expect(dh(crypto, diffie_hellman.a_private, fromHex(point))).toBeDefined();
  }
});

const anything: Reader<unknown> = (value) => value;

describe.skipIf(SHARED_ABSENT)('figures kept outside', () => {
  test.each(BACKENDS)('the kernel’s self-test, $name', (crypto) => {
    const { kernel } = readVectors(
      shared('vectors/x25519.json'),
      fields({
        source: anything,
        rfc7748_5_2: anything,
        rfc7748_5_2_iterated: anything,
        rfc7748_6_1: anything,
        kernel: list(fields({ private: hex, public: hex, result: hex, valid: flag })),
        note: text,
      }),
    );
    expect(kernel).toHaveLength(81);
    for (const row of kernel) {
      expect(dh(crypto, row.private, row.public)).toEqual(row.valid ? row.result : undefined);
      expect(isLowOrder(publicKey(row.public))).toBe(!row.valid);
    }
  });
});
