/** X25519: RFC 7748, points of low order, Wycheproof, the kernel's self-test, node:crypto. */
import { createPrivateKey, createPublicKey, diffieHellman } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Bytes, concat, fromHex, isZero, toHex } from '../../src/base/bytes.ts';
import { privateKey, publicKey } from '../../src/base/keys.ts';
import { noble } from '../../src/crypto/noble.ts';
import { isLowOrder } from '../../src/wg/noise/low-order.ts';
import { SHARED_ABSENT, shared } from '../shared.ts';
import { fields, flag, hex, int, list, loadVectors, type Reader, readVectors, text } from '../vectors.ts';

const vectors = loadVectors(
  'x25519.json',
  { scalar: hex, u: hex, out: hex },
  {
    iterated: fields({ start_k_and_u: hex, after_1: hex, after_1000: hex, after_1000000: hex }),
    diffie_hellman: fields({ a_private: hex, a_public: hex, b_private: hex, b_public: hex, shared: hex }),
  },
);

const dh = (secret: Bytes, remote: Bytes): Bytes | undefined => noble.dh(privateKey(secret), publicKey(remote));

test.each(vectors.cases)('RFC 7748 §5.2 %#', ({ scalar, u, out }) => {
  expect(dh(scalar, u)).toEqual(out);
});

test('RFC 7748 §5.2 iterated 1 and 1,000 times', () => {
  const { start_k_and_u, after_1, after_1000 } = vectors.iterated;
  let k = start_k_and_u;
  let u = start_k_and_u;
  for (let i = 1; i <= 1000; i++) {
    const out = dh(k, u) ?? expect.fail('all zero');
    u = k;
    k = out;
    if (i === 1) expect(k).toEqual(after_1);
  }
  expect(k).toEqual(after_1000);
}, 20_000);

test('RFC 7748 §6.1', () => {
  const { a_private, a_public, b_private, b_public, shared } = vectors.diffie_hellman;
  expect(noble.publicKey(privateKey(a_private))).toEqual(a_public);
  expect(noble.publicKey(privateKey(b_private))).toEqual(b_public);
  expect(dh(a_private, b_public)).toEqual(shared);
  expect(dh(b_private, a_public)).toEqual(shared);
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
  expect(dh(vectors.diffie_hellman.a_private, fromHex(point))).toBeUndefined();
  expect(isLowOrder(publicKey(fromHex(point)))).toBe(true);
});

test('other points are not of low order', () => {
  for (const point of [`02${'00'.repeat(31)}`, `09${'00'.repeat(31)}`, 'ff'.repeat(32)]) {
    expect(isLowOrder(publicKey(fromHex(point)))).toBe(false);
    expect(dh(vectors.diffie_hellman.a_private, fromHex(point))).toBeDefined();
  }
});

test('agrees with node:crypto', () => {
  const pkcs8 = fromHex('302e020100300506032b656e04220420');
  const spki = fromHex('302a300506032b656e032100');
  const key32 = fc.uint8Array({ minLength: 32, maxLength: 32 });
  fc.assert(
    fc.property(key32, key32, (secret, other) => {
      const remote = noble.publicKey(privateKey(other));
      const wanted = diffieHellman({
        privateKey: createPrivateKey({ key: Buffer.from(concat(pkcs8, secret)), format: 'der', type: 'pkcs8' }),
        publicKey: createPublicKey({ key: Buffer.from(concat(spki, remote)), format: 'der', type: 'spki' }),
      });
      expect(toHex(dh(secret, remote) ?? new Uint8Array())).toBe(wanted.toString('hex'));
    }),
    { numRuns: 25 },
  );
});

const anything: Reader<unknown> = (value) => value;

describe.skipIf(SHARED_ABSENT)('figures kept outside', () => {
  test('the kernel’s self-test', () => {
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
      expect(dh(row.private, row.public)).toEqual(row.valid ? row.result : undefined);
      expect(isLowOrder(publicKey(row.public))).toBe(!row.valid);
    }
  }, 20_000);

  test('Wycheproof', () => {
    const { rows } = readVectors(
      shared('vectors/wycheproof_x25519.json'),
      fields({ source: text, licence: text, columns: list(text), rows: list(list(anything)) }),
    );
    expect(rows).toHaveLength(518);
    for (const row of rows) {
      int(row[0], 'tcId');
      const wanted = hex(row[3], 'shared');
      const got = dh(hex(row[2], 'private'), hex(row[1], 'public'));
      expect(got).toEqual(isZero(wanted) ? undefined : wanted);
    }
  }, 20_000);
});
