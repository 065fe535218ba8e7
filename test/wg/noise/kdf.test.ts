/** KDF1 to KDF3, the initial hash and chaining key, and HKDF of node:crypto. */
import { hkdfSync } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { concat, toHex, utf8 } from '../../../src/base/bytes.ts';
import { noble } from '../../../src/crypto/noble.ts';
import { CONSTRUCTION, IDENTIFIER } from '../../../src/wg/constants.ts';
import { kdf1, kdf2, kdf3 } from '../../../src/wg/noise/kdf.ts';
import { SymmetricState } from '../../../src/wg/noise/symmetric-state.ts';
import { fields, hex, loadVectors, text } from '../../vectors.ts';

const { cases, constants } = loadVectors(
  'kdf.json',
  { key: hex, input: hex, t0: hex, t1: hex, t2: hex },
  {
    constants: fields({
      construction_ascii: text,
      identifier_ascii: text,
      initial_chaining_key: hex,
      initial_hash: hex,
      source: text,
    }),
  },
);

test.each(cases)('wireguard-go KDF %#', ({ key, input, t0, t1, t2 }) => {
  expect(kdf1(noble, key, input)).toEqual(t0);
  expect(kdf2(noble, key, input)).toEqual([t0, t1]);
  expect(kdf3(noble, key, input)).toEqual([t0, t1, t2]);
});

test('is HKDF without info', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), fc.uint8Array({ maxLength: 80 }), (key, input) => {
      const wanted = new Uint8Array(hkdfSync('blake2s256', input, key, new Uint8Array(), 96));
      expect(toHex(concat(...kdf3(noble, key, input)))).toBe(toHex(wanted));
    }),
  );
});

test('a handshake starts from the paper’s constants', () => {
  expect(CONSTRUCTION).toEqual(utf8(constants.construction_ascii));
  expect(IDENTIFIER).toEqual(utf8(constants.identifier_ascii));
  const { hash, chainingKey, key } = SymmetricState.start(noble, CONSTRUCTION, IDENTIFIER).snapshot();
  expect([chainingKey, hash, key]).toEqual([constants.initial_chaining_key, constants.initial_hash, undefined]);
});
