/** Where things lie in the memory, byte addresses; src/crypto/wasm/layout.ts has the same ones for the other side. */

/** One-time key of Poly1305 and the key stream that came with it: four blocks. All zero between calls. */
export const STREAM: usize = 0;
/** The subkey of XChaCha, and the tag that is expected. */
export const SUBKEY: usize = 256;
export const TAG_AT: usize = 288;
/** State of BLAKE2s, then its digest. */
export const DIGEST: usize = 576;
/** Additional data, at most 1 KiB, and up to 16 bytes of zeros behind it. */
export const AD: usize = 1024;
/** A key of BLAKE2s or HMAC, a block right before what it is for. */
export const KEY_BLOCK: usize = 4032;
/** What is sealed or opened in its place; up to 300 bytes behind it are overwritten, the tag among them. */
export const TEXT: usize = 4096;
/** Key stream of which the use is not certain yet, where there are vectors; all zero between calls. */
export const AHEAD: usize = 70_144;
export const AHEAD_BYTES: i32 = 16_384;
