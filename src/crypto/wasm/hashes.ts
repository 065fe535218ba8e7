/** BLAKE2s, keyed and in HMAC, through the machine's memory, which keeps nothing of what went in or came out. */
import type { Bytes } from '../../base/bytes.ts';
import type { Crypto } from '../port.ts';
import { DIGEST, KEY_BLOCK, TEXT, TEXT_BYTES } from './layout.ts';
import type { Machine } from './machine.ts';

const HASH_BYTES = 32;
const MAC_BYTES = 16;
/** Of a keyed BLAKE2s (RFC 7693 §2.1), and of an HMAC as long as it is not hashed first. */
const MAC_KEY_BYTES = 32;
const HMAC_KEY_BYTES = TEXT - KEY_BLOCK;

/** What is longer than the memory has room for is `base`'s. */
export function hashesOf(machine: Machine, base: Crypto): Pick<Crypto, 'hash' | 'mac' | 'hmac'> {
  const { code } = machine;

  /** How many bytes stand at TEXT now; undefined where there are too many. */
  function put(parts: readonly Bytes[]): number | undefined {
    const { memory } = machine;
    let at = TEXT;
    for (const part of parts) {
      if (at + part.length > TEXT + TEXT_BYTES) {
        memory.fill(0, TEXT, at);
        return undefined;
      }
      memory.set(part, at);
      at += part.length;
    }
    return at - TEXT;
  }

  /** Whatever came before: a sealed or opened text leaves there what stood before it. */
  function putKey(key: Bytes): void {
    machine.memory.fill(0, KEY_BLOCK, TEXT).set(key, KEY_BLOCK);
  }

  function take(length: number): Bytes {
    const out = machine.memory.slice(DIGEST, DIGEST + length);
    machine.memory.fill(0, DIGEST, DIGEST + HASH_BYTES);
    return out;
  }

  return {
    hash(...parts) {
      const length = put(parts);
      if (length === undefined) return base.hash(...parts);
      code.hash(length);
      return take(HASH_BYTES);
    },
    mac(key, ...parts) {
      const fits = key.length > 0 && key.length <= MAC_KEY_BYTES;
      const length = fits ? put(parts) : undefined;
      if (length === undefined) return base.mac(key, ...parts);
      putKey(key);
      code.mac(key.length, length);
      return take(MAC_BYTES);
    },
    hmac(key, ...parts) {
      const length = key.length <= HMAC_KEY_BYTES ? put(parts) : undefined;
      if (length === undefined) return base.hmac(key, ...parts);
      putKey(key);
      code.hmac(length);
      return take(HASH_BYTES);
    },
  };
}
