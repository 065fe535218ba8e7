/** RFC 7748 §5.2 to the end: about a quarter of an hour. */
import { expect, test } from 'vitest';
import { privateKey, publicKey } from '../../../src/base/keys.ts';
import { noble } from '../../../src/crypto/noble.ts';
import { fields, hex, loadVectors } from '../../vectors.ts';

const { iterated } = loadVectors(
  'x25519.json',
  { scalar: hex, u: hex, out: hex },
  {
    iterated: fields({ start_k_and_u: hex, after_1: hex, after_1000: hex, after_1000000: hex }),
    diffie_hellman: fields({ a_private: hex, a_public: hex, b_private: hex, b_public: hex, shared: hex }),
  },
);

test('RFC 7748 §5.2 iterated 1,000,000 times', () => {
  let k = iterated.start_k_and_u;
  let u = iterated.start_k_and_u;
  for (let i = 0; i < 1_000_000; i++) {
    const out = noble.dh(privateKey(k), publicKey(u)) ?? expect.fail('all zero');
    u = k;
    k = out;
  }
  expect(k).toEqual(iterated.after_1000000);
});
