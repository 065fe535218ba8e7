/** The symmetric state of Noise (Noise §5.2): hash, chaining key and the key of the next sealed field. */
import { type Bytes, EMPTY } from '../../base/bytes.ts';
import type { Crypto } from '../../crypto/port.ts';
import { HASH_BYTES } from '../constants.ts';
import { kdf2, kdf3 } from './kdf.ts';
import type { Snapshot } from './trace.ts';

/**
 * Mutable, and owned by whoever made it: a reader that may fail, or may try several keys, works on a {@link clone}.
 * Every key seals one field only, as IKpsk2 has it, so the nonce is always 0.
 */
export class SymmetricState {
  readonly #crypto: Crypto;
  #chainingKey: Bytes;
  #hash: Bytes;
  #key: Bytes | undefined;

  private constructor(crypto: Crypto, chainingKey: Bytes, hash: Bytes, key: Bytes | undefined) {
    this.#crypto = crypto;
    this.#chainingKey = chainingKey;
    this.#hash = hash;
    this.#key = key;
  }

  /** InitializeSymmetric and the prologue. A name of up to 32 bytes is padded with zeros, a longer one hashed. */
  static start(crypto: Crypto, protocolName: Bytes, prologue: Bytes): SymmetricState {
    const name = new Uint8Array(HASH_BYTES);
    name.set(protocolName.length <= HASH_BYTES ? protocolName : crypto.hash(protocolName));
    const state = new SymmetricState(crypto, name, name.slice(), undefined);
    state.mixHash(prologue);
    return state;
  }

  mixHash(data: Bytes): void {
    this.#hash = this.#crypto.hash(this.#hash, data);
  }

  mixKey(input: Bytes): void {
    const [chainingKey, key] = kdf2(this.#crypto, this.#chainingKey, input);
    this.#replace(chainingKey, key);
  }

  /** Token e of a pattern with a PSK: the ephemeral goes into the key as well as the hash (Noise §9.2). */
  mixEphemeral(ephemeral: Bytes): void {
    this.mixHash(ephemeral);
    this.mixKey(ephemeral);
  }

  /** Token psk (Noise §9.1). τ is wiped when `seeTau` returns. */
  mixKeyAndHash(psk: Bytes, seeTau?: (tau: Bytes) => void): void {
    const [chainingKey, tau, key] = kdf3(this.#crypto, this.#chainingKey, psk);
    this.#replace(chainingKey, key);
    this.mixHash(tau);
    seeTau?.(tau);
    tau.fill(0);
  }

  /** Before the first mixKey the plaintext goes as it is (Noise §5.2). */
  sealAndHash(plaintext: Bytes): Bytes {
    const sealed =
      this.#key === undefined ? plaintext.slice() : this.#crypto.seal(this.#key, 0, 0, this.#hash, plaintext);
    this.mixHash(sealed);
    return sealed;
  }

  /** undefined when it does not open; the state is then as before. */
  openAndHash(sealed: Bytes): Bytes | undefined {
    const plaintext = this.#key === undefined ? sealed.slice() : this.#crypto.open(this.#key, 0, 0, this.#hash, sealed);
    if (plaintext !== undefined) this.mixHash(sealed);
    return plaintext;
  }

  /** The two transport keys, the initiator's sending key first (Noise §5.2, wp §5.4.5). */
  split(): readonly [Bytes, Bytes] {
    return kdf2(this.#crypto, this.#chainingKey, EMPTY);
  }

  clone(): SymmetricState {
    return new SymmetricState(this.#crypto, this.#chainingKey.slice(), this.#hash.slice(), this.#key?.slice());
  }

  /** A copy, secrets and all. */
  snapshot(): Snapshot {
    return { hash: this.#hash.slice(), chainingKey: this.#chainingKey.slice(), key: this.#key?.slice() };
  }

  /** Afterwards the state is of no use. */
  wipe(): void {
    this.#chainingKey.fill(0);
    this.#hash.fill(0);
    this.#key?.fill(0);
  }

  #replace(chainingKey: Bytes, key: Bytes): void {
    this.#chainingKey.fill(0);
    this.#key?.fill(0);
    this.#chainingKey = chainingKey;
    this.#key = key;
  }
}
