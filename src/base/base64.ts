/** Base64 for 32-byte keys, strict as `wg` reads it or lenient as a key log may hold it. */
import type { Bytes } from './bytes.ts';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const VALUE = new Map<string, number>([...ALPHABET].map((c, i) => [c, i]));

export function toBase64(b: Bytes): string {
  let out = '';
  for (let i = 0; i < b.length; i += 3) {
    const rest = b.length - i;
    const word = ((b[i] ?? 0) << 16) | ((b[i + 1] ?? 0) << 8) | (b[i + 2] ?? 0);
    out += ALPHABET.charAt((word >>> 18) & 63) + ALPHABET.charAt((word >>> 12) & 63);
    out += rest > 1 ? ALPHABET.charAt((word >>> 6) & 63) : '=';
    out += rest > 2 ? ALPHABET.charAt(word & 63) : '=';
  }
  return out;
}

export type KeyTextFault =
  | { readonly kind: 'length'; readonly length: number }
  | { readonly kind: 'character'; readonly column: number; readonly character: string }
  | { readonly kind: 'padding' }
  | { readonly kind: 'trailing-bits' };

/**
 * 44 characters to 32 bytes. Strict refuses non-zero trailing bits, as wireguard-tools does; `lenient` takes
 * them, as Wireshark does in key logs. `column` in a fault counts from 0.
 */
export function decodeKeyText(text: string, lenient = false): Bytes | KeyTextFault {
  if (text.length !== 44) return { kind: 'length', length: text.length };
  if (text.charAt(43) !== '=') return { kind: 'padding' };
  const out = new Uint8Array(33);
  for (let i = 0; i < 44; i += 4) {
    let word = 0;
    for (let j = 0; j < 4; j++) {
      const c = text.charAt(i + j);
      const v = i + j === 43 ? 0 : VALUE.get(c);
      if (v === undefined) return { kind: 'character', column: i + j, character: c };
      word = (word << 6) | v;
    }
    const at = (i / 4) * 3;
    out[at] = word >>> 16;
    out[at + 1] = word >>> 8;
    out[at + 2] = word;
  }
  if (!lenient && out[32] !== 0) return { kind: 'trailing-bits' };
  return out.slice(0, 32);
}
