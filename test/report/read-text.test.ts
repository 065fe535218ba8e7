/** Texts into what is known of machines: lists of any length. */
import { expect, test } from 'vitest';
import { KeySet } from '../../src/analyze/key-set.ts';
import { nodeCrypto } from '../../src/crypto/node.ts';
import { readText } from '../../src/report/read-text.ts';

test('a listing may have more lines than a call has arguments', () => {
  const keys = new KeySet(nodeCrypto);
  const lines = 150_000;
  const text = new TextEncoder().encode('net.ipv4.a = 1\n'.repeat(lines));
  expect(readText('sysctl.txt', 'a', text, keys, () => {})).toBe('host');
  expect(keys.machines.map(({ sysctls }) => sysctls.length)).toEqual([lines]);
});

test('a key that stands in very many places, and very many preshared keys', () => {
  const keys = new KeySet(nodeCrypto);
  const key = 'IuhDf01HadTyRD8809kLhOBf3xB+3aRrG+oiCqnhlyo=';
  const psk = (i: number): string => `${i.toString().padStart(42, 'A')}A=`;
  const count = 8_000;
  const peers = Array.from({ length: count }, (_, i) => `[Peer]\nPublicKey = ${key}\nPresharedKey = ${psk(i)}\n`);
  readText('wg0.conf', 'a', new TextEncoder().encode(`[Interface]\n${peers.join('')}`), keys, () => {});
  expect(keys.psks.length).toBe(count);
  expect(keys.publics.get(key)?.sources.length).toBeLessThan(1000);
});
