/** Where things lie in the memory, byte addresses; src/crypto/wasm/layout.ts has the same ones for the other side. */

/** One-time key of Poly1305 and the key stream that came with it: four blocks. */
export const STREAM: usize = 0;
/** The subkey of XChaCha, and the tag that is expected. */
export const SUBKEY: usize = 256;
export const TAG_AT: usize = 288;
/** Additional data, at most 1 KiB. */
export const AD: usize = 1024;
/** What is sealed or opened in its place, and 16 bytes for the tag. */
export const TEXT: usize = 4096;
