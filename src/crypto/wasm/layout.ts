/** Where things lie in the memory of the compiled code, byte addresses: assembly/layout.ts has the same ones. */

/** Subkey of XChaCha20. */
export const SUBKEY = 256;
/** What BLAKE2s gives, up to 32 bytes. */
export const DIGEST = 576;
/** Additional data, or the nonce of HChaCha20. */
export const AD = 1024;
export const AD_BYTES = 1024;
/** The key of a keyed BLAKE2s or of an HMAC, filled up with zeros. */
export const KEY_BLOCK = 4032;
/** What is hashed, sealed or opened in its place, and the tag behind it, where up to 300 bytes are overwritten. */
export const TEXT = 4096;
/** Free bytes before the text, in which what stands before it may be copied along; KEY_BLOCK is the last of them. */
export const BEFORE_TEXT = TEXT - AD - AD_BYTES;
/** The greatest UDP payload, and more. From there to the keys the code has key stream for as long as it opens a text. */
export const TEXT_BYTES = 65_536;
/** Keys, 32 bytes each, from here to the end of the memory. */
export const KEYS = 131_072;
