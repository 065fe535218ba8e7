/** Texts into what is known of machines: lists of any length, and texts between talk. */
import { describe, expect, test } from 'vitest';
import { KeySet } from '../../src/analyze/key-set.ts';
import { nodeCrypto } from '../../src/crypto/node.ts';
import { readText } from '../../src/report/read-text.ts';
import { checkTexts } from '../diagnose/checked.ts';
import { CLIENT, SERVER } from '../diagnose/keys.ts';
import { quick } from '../diagnose/texts.ts';

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

describe('a post in a forum', () => {
  const post = (talk: string): string =>
    `Hello, here is all of it:\n\n# 2026-11-20 21:14:03 by RouterOS 7.16.2\n/interface wireguard\nadd listen-port=13231 name=wireguard1 private-key="${SERVER.secret}"\n/interface wireguard peers\nadd allowed-address=10.66.66.2/32 interface=wireguard1 public-key="${CLIENT.public}"\n\nAnd on the phone:\n\n${quick(CLIENT.secret, `[Peer] ${SERVER.public}`, 'Endpoint = 203.0.113.10:51820')}${talk}`;

  test.each(['', '\nthe log says nothing\n', '\nWhat is wrong here?\n\nThanks\n'])(
    'what stands below a file is not of it: %j',
    async (talk) => {
      const { problems, findings } = await checkTexts({ 'post.txt': post(talk) });
      expect(problems).toEqual([]);
      expect(findings.find(({ rule }) => rule === 'endpoint-port-mismatch')?.message).toMatch(
        /^post\.txt line 16 writes to port 51820 of post\.txt wireguard1, which listens on 13231 \(post\.txt wireguard1 line 5\)$/,
      );
    },
  );
});
