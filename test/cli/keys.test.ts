/** `genkey`, `pubkey`, `genpsk`: the same as those of wireguard-tools, and no word more on standard output. */
import { execFileSync, spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeKeyText, toBase64 } from '../../src/base/base64.ts';
import { utf8 } from '../../src/base/bytes.ts';
import { cli, type Ran } from './harness.ts';

const withInput = (command: string, text: string): Promise<Ran> =>
  cli([command], {
    async *stdin() {
      for (let at = 0; at < text.length; at += 7) yield utf8(text.slice(at, at + 7));
    },
  });

/** RFC 7748 §6.1. */
const ALICE = 'dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo=';
const ALICE_PUBLIC = 'hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo=';

describe('new keys', () => {
  test.each(['genkey', 'genpsk'])('%s: one line, 32 bytes, never the same', async (command) => {
    const [one, two] = await Promise.all([cli([command]), cli([command])]);
    expect(one).toMatchObject({ code: 0, stderr: '' });
    expect(decodeKeyText(one.stdout.trimEnd())).toHaveLength(32);
    expect(one.stdout).toMatch(/^.{44}\n$/);
    expect(one.stdout).not.toBe(two.stdout);
  });

  test('a private key is the scalar itself', async () => {
    for (let i = 0; i < 8; i++) {
      const key = decodeKeyText((await cli(['genkey'])).stdout.trimEnd());
      if (!(key instanceof Uint8Array)) throw new Error('no key');
      expect([(key[0] ?? 0) & 7, (key[31] ?? 0) & 0xc0]).toEqual([0, 0x40]);
    }
  });
});

describe('pubkey', () => {
  test.each([ALICE, `${ALICE}\n`, `  ${ALICE}\r\n`])('%j', async (text) => {
    expect(await withInput('pubkey', text)).toMatchObject({ code: 0, stdout: `${ALICE_PUBLIC}\n`, stderr: '' });
  });

  test.each([
    ['nothing', '', 'has no value'],
    ['a short one', ALICE.slice(0, 20), 'has 20 characters'],
    ['one of two', `${ALICE}\n${ALICE}\n`, 'standard input'],
    ['hexadecimal', '00'.repeat(32), 'written in hexadecimal'],
    ['quoted', `"${ALICE}"`, 'quotation marks'],
    ['endless', ALICE.repeat(1000), 'standard input'],
  ])('%s is refused, and not repeated', async (_, text, message) => {
    const { code, stdout, stderr } = await withInput('pubkey', text);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(message);
    if (text !== '') expect(stderr).not.toContain(text.slice(0, 12));
  });

  test.skipIf(spawnSync('wg', ['--version']).error !== undefined)('as wg pubkey', async () => {
    const keys = fc.sample(fc.uint8Array({ minLength: 32, maxLength: 32 }), 20).map(toBase64);
    for (const key of keys) {
      const { stdout } = await withInput('pubkey', key);
      expect(stdout).toBe(execFileSync('wg', ['pubkey'], { input: key, encoding: 'utf8' }));
    }
  });
});
