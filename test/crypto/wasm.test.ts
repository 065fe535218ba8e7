/** The compiled AEAD and hashes: that it is what its source compiles to, how keys come and go, and what is done where it cannot run. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type Bytes, isZero } from '../../src/base/bytes.ts';
import { fastest } from '../../src/crypto/fastest.ts';
import { noble } from '../../src/crypto/noble.ts';
import { nodeCrypto } from '../../src/crypto/node.ts';
import { type Crypto, TAG } from '../../src/crypto/port.ts';
import { source } from '../../src/crypto/wasm/assembly/build.mjs';
import { hashesOf } from '../../src/crypto/wasm/hashes.ts';
import { wasmCrypto } from '../../src/crypto/wasm/index.ts';
import { AD, DIGEST, KEYS, SUBKEY, TEXT, TEXT_BYTES } from '../../src/crypto/wasm/layout.ts';
import { Machine } from '../../src/crypto/wasm/machine.ts';

const EMBEDDED = new URL('../../src/crypto/wasm/binary.ts', import.meta.url);

test('what is embedded is what the source compiles to', async () => {
  expect(await source()).toBe(readFileSync(EMBEDDED, 'utf8'));
});

describe.each(['simd', 'scalar'] as const)('%s', (kind) => {
  const keyOf = (n: number): Bytes => new Uint8Array(32).fill(n).fill(n >>> 8, 16);

  test('a dropped key leaves nothing behind, and gives its place to the next', () => {
    const machine = new Machine(kind);
    const [one, two] = [machine.takeKey(keyOf(1)), machine.takeKey(keyOf(2))];
    machine.dropKey(one);
    expect(machine.memory.subarray(KEYS, KEYS + 32)).toEqual(new Uint8Array(32));
    expect(machine.takeKey(keyOf(3))).toBe(one);
    expect(machine.memory.subarray(two, two + 32)).toEqual(keyOf(2));
  });

  test('the memory grows with the keys, and keeps them', () => {
    const machine = new Machine(kind);
    const slots = Array.from({ length: 5000 }, (_, n) => machine.takeKey(keyOf(n)));
    expect(new Set(slots).size).toBe(5000);
    const [first = 0, last = 0] = [slots[0], slots.at(-1)];
    expect(machine.memory.subarray(first, first + 32)).toEqual(keyOf(0));
    expect(machine.memory.subarray(last, last + 32)).toEqual(keyOf(4999));
  });

  test('between calls neither one-time key nor subkey nor key stream stays', () => {
    const machine = new Machine(kind);
    const slot = machine.takeKey(keyOf(9));
    const zero = (from: number, to: number) => machine.memory.subarray(from, to).every((byte) => byte === 0);
    for (const length of [1000, 40_000]) {
      machine.code.seal(slot, 0, 1, 0, 0, length);
      // it verifies once: what is there then is no ciphertext
      for (const right of [1, 0]) {
        expect(machine.code.open(slot, 0, 1, 0, 0, length)).toBe(right);
        expect([zero(0, SUBKEY), zero(SUBKEY + 32, AD), zero(TEXT + TEXT_BYTES + 512, KEYS - 64)]).not.toContain(false);
      }
    }
  });

  test('hashes leave neither key nor text nor digest behind', () => {
    const machine = new Machine(kind);
    const crypto = hashesOf(machine, nodeCrypto);
    // and where the parts have no room, what was there of them is gone
    for (const length of [0, 30, 64, 200, 40_000]) {
      const text = new Uint8Array(length).fill(0xee);
      for (const compute of [
        () => crypto.hash(text),
        () => crypto.mac(keyOf(0x0505), text, text),
        () => crypto.hmac(keyOf(0x0505), text),
      ]) {
        compute();
        expect(isZero(machine.memory.subarray(DIGEST, TEXT + TEXT_BYTES + 300))).toBe(true);
      }
    }
  });

  test('a handle for which there is no key any more', () => {
    const key = wasmCrypto(kind, nodeCrypto).aeadKey(keyOf(1));
    key.wipe();
    key.wipe();
    const text = new Uint8Array(64);
    expect(() => key.sealInto(0, 0, text, 0, 16, text, 0)).toThrow(TypeError);
    expect(() => key.openInto(0, 0, text, 0, 32, text, 0)).toThrow(TypeError);
  });

  test.each([TEXT_BYTES - 1, TEXT_BYTES, TEXT_BYTES + 1])('%i bytes, whoever takes them', (length) => {
    const [crypto, plain] = [wasmCrypto(kind, nodeCrypto), new Uint8Array(length).fill(7)];
    const sealed = noble.seal(keyOf(1), 5, 6, plain.subarray(0, 9), plain);
    expect(crypto.seal(keyOf(1), 5, 6, plain.subarray(0, 9), plain)).toEqual(sealed);
    const [handle, out] = [crypto.aeadKey(keyOf(1)), new Uint8Array(length + TAG)];
    handle.sealInto(5, 6, plain, 0, length, out, 0);
    expect(out).toEqual(nodeCrypto.seal(keyOf(1), 5, 6, new Uint8Array(), plain));
    expect(handle.openInto(5, 6, out, 0, out.length, out, 0)).toBe(true);
    expect(out.subarray(0, length)).toEqual(plain);
    handle.wipe();
  });

  test('it refuses to serve where it does not compute what the other does', () => {
    const wrong = (bytes: Bytes): Bytes => bytes.map((byte) => byte ^ 1);
    const { seal, hash, mac, hmac } = nodeCrypto;
    const liars: Partial<Crypto>[] = [
      { seal: (...given) => wrong(seal(...given)) },
      { hash: (...given) => wrong(hash(...given)) },
      { mac: (...given) => wrong(mac(...given)) },
      { hmac: (...given) => wrong(hmac(...given)) },
    ];
    for (const lie of liars) {
      const liar: Crypto = { ...nodeCrypto, ...lie };
      expect(() => wasmCrypto(kind, liar)).toThrow(/does not agree/);
      expect(fastest(liar)).toBe(liar);
    }
  });
});

test('the texts do not reach the keys', () => {
  expect(TEXT + TEXT_BYTES + TAG).toBeLessThanOrEqual(KEYS);
});

test('the fastest that runs here', () => {
  expect(fastest(nodeCrypto).name).toBe('wasm-simd');
});
