/** The fastest backend that runs here and computes what the slower ones do. */
import type { Crypto } from './port.ts';
import { wasmCrypto } from './wasm/index.ts';

/**
 * WebAssembly with vectors, without, or `base` alone: of WebAssembly are the hashes, and the AEADs for messages of up to
 * `most` bytes, above which `base` is faster (node:crypto from about 8 KB on); all else is `base`.
 */
export function fastest(base: Crypto, most?: number): Crypto {
  for (const kind of ['simd', 'scalar'] as const) {
    try {
      return wasmCrypto(kind, base, most);
    } catch {
      // no WebAssembly, no vectors, or a policy against it: the next one may do
    }
  }
  return base;
}
