/** ChaCha20-Poly1305 and BLAKE2s in WebAssembly (assembly/), the rest of another backend. Synchronous: a browser's main thread may refuse. */
import { type Bytes, copy, EMPTY, equal, u32le } from '../../base/bytes.ts';
import { counterNonce, range, requireAeadKey } from '../aead.ts';
import { type AeadKey, type Crypto, TAG } from '../port.ts';
import { hashesOf } from './hashes.ts';
import { AD, AD_BYTES, BEFORE_TEXT, SUBKEY, TEXT, TEXT_BYTES } from './layout.ts';
import { Machine, type WasmKind } from './machine.ts';

/** Slots of handles that were dropped without `wipe`. */
const forgotten = new FinalizationRegistry<{ readonly machine: Machine; readonly slot: number }>(({ machine, slot }) =>
  machine.dropKey(slot),
);

const inside = (bytes: Bytes, at: number, length: number): boolean =>
  at >= 0 && length >= 0 && at + length <= bytes.length;

/** What stands before the text is copied as well where that spares making a view: it falls into the room before TEXT. */
function put(memory: Bytes, bytes: Bytes, at: number, length: number): void {
  if (at <= BEFORE_TEXT && at + length === bytes.length) memory.set(bytes, TEXT - at);
  else memory.set(bytes.subarray(at, at + length), TEXT);
}

/** The text goes through the machine's memory: input and output may overlap. */
class WasmAeadKey implements AeadKey {
  readonly #machine: Machine;
  readonly #base: Crypto;
  readonly #most: number;
  #slot: number;
  /** For what is longer than that. */
  #long: AeadKey | undefined;

  constructor(machine: Machine, base: Crypto, most: number, key: Bytes) {
    requireAeadKey(key);
    this.#machine = machine;
    this.#base = base;
    this.#most = most;
    this.#slot = machine.takeKey(key);
    forgotten.register(this, { machine, slot: this.#slot }, this);
  }

  sealInto(low: number, high: number, plain: Bytes, plainAt: number, plainLength: number, out: Bytes, outAt: number) {
    const slot = this.#ready();
    if (!inside(plain, plainAt, plainLength)) range(plain, plainAt, plainLength);
    if (!inside(out, outAt, plainLength + TAG)) range(out, outAt, plainLength + TAG);
    if (plainLength > this.#most) {
      this.#longKey(slot).sealInto(low, high, plain, plainAt, plainLength, out, outAt);
      return;
    }
    const { code, memory } = this.#machine;
    put(memory, plain, plainAt, plainLength);
    code.seal(slot, 0, low, high, 0, plainLength);
    out.set(memory.subarray(TEXT, TEXT + plainLength + TAG), outAt);
  }

  openInto(
    low: number,
    high: number,
    sealed: Bytes,
    sealedAt: number,
    sealedLength: number,
    out: Bytes,
    outAt: number,
  ) {
    const slot = this.#ready();
    if (!inside(sealed, sealedAt, sealedLength)) range(sealed, sealedAt, sealedLength);
    const length = sealedLength - TAG;
    if (length < 0) return false;
    if (!inside(out, outAt, length)) range(out, outAt, length);
    if (length > this.#most) return this.#longKey(slot).openInto(low, high, sealed, sealedAt, sealedLength, out, outAt);
    const { code, memory } = this.#machine;
    put(memory, sealed, sealedAt, sealedLength);
    if (code.open(slot, 0, low, high, 0, length) === 0) return false;
    out.set(memory.subarray(TEXT, TEXT + length), outAt);
    return true;
  }

  wipe() {
    if (this.#slot === 0) return;
    this.#machine.dropKey(this.#slot);
    this.#slot = 0;
    forgotten.unregister(this);
    this.#long?.wipe();
    this.#long = undefined;
  }

  #ready(): number {
    if (this.#slot === 0) throw new TypeError('the key was wiped');
    return this.#slot;
  }

  #longKey(slot: number): AeadKey {
    this.#long ??= this.#base.aeadKey(this.#machine.memory.subarray(slot, slot + 32));
    return this.#long;
  }
}

/** What fits goes through the machine, under a key that has a slot for this one call. */
class Aead {
  readonly #machine: Machine;
  readonly #most: number;

  constructor(machine: Machine, most: number) {
    this.#machine = machine;
    this.#most = most;
  }

  takes(ad: Bytes, length: number): boolean {
    return ad.length <= AD_BYTES && length <= this.#most;
  }

  seal(key: Bytes, nonce: Bytes, ad: Bytes, plaintext: Bytes): Bytes {
    return this.#with(key, nonce, (slot, at) => this.#sealed(slot, nonce, at, ad, plaintext));
  }

  open(key: Bytes, nonce: Bytes, ad: Bytes, sealed: Bytes): Bytes | undefined {
    if (sealed.length < TAG) return undefined;
    return this.#with(key, nonce, (slot, at) => this.#opened(slot, nonce, at, ad, sealed));
  }

  #sealed(slot: number, nonce: Bytes, at: number, ad: Bytes, plaintext: Bytes): Bytes {
    const { code, memory } = this.#machine;
    memory.set(ad, AD);
    memory.set(plaintext, TEXT);
    code.seal(slot, 0, u32le(nonce, at), u32le(nonce, at + 4), ad.length, plaintext.length);
    return copy(memory, TEXT, TEXT + plaintext.length + TAG);
  }

  #opened(slot: number, nonce: Bytes, at: number, ad: Bytes, sealed: Bytes): Bytes | undefined {
    const { code, memory } = this.#machine;
    const length = sealed.length - TAG;
    memory.set(ad, AD);
    memory.set(sealed, TEXT);
    const ok = code.open(slot, 0, u32le(nonce, at), u32le(nonce, at + 4), ad.length, length) === 1;
    return ok ? copy(memory, TEXT, TEXT + length) : undefined;
  }

  /** A nonce of 24 bytes is XChaCha's: its first 16 make the subkey, its last 8 the nonce (§2.3). */
  #with<T>(key: Bytes, nonce: Bytes, use: (slot: number, at: number) => T): T {
    const machine = this.#machine;
    const slot = machine.takeKey(key);
    try {
      if (nonce.length === 12) return use(slot, 4);
      machine.memory.set(nonce.subarray(0, 16), AD);
      machine.code.hchacha(slot);
      return use(SUBKEY, 16);
    } finally {
      machine.dropKey(slot);
      machine.memory.fill(0, SUBKEY, SUBKEY + 32);
    }
  }
}

/**
 * The AEADs and hashes of WebAssembly, everything else of `base`, which also has messages of more than `most` bytes. Throws
 * where the engine cannot run it, or does not compute what `base` does.
 */
export function wasmCrypto(kind: WasmKind, base: Crypto, most = TEXT_BYTES): Crypto {
  const machine = new Machine(kind);
  const limit = Math.min(most, TEXT_BYTES);
  const aead = new Aead(machine, limit);
  const crypto: Crypto = {
    ...base,
    ...hashesOf(machine, base),
    name: `wasm-${kind}`,
    seal(key, low, high, ad, plaintext) {
      requireAeadKey(key);
      if (!aead.takes(ad, plaintext.length)) return base.seal(key, low, high, ad, plaintext);
      return aead.seal(key, counterNonce(low, high), ad, plaintext);
    },
    open(key, low, high, ad, sealed) {
      requireAeadKey(key);
      if (!aead.takes(ad, sealed.length)) return base.open(key, low, high, ad, sealed);
      return aead.open(key, counterNonce(low, high), ad, sealed);
    },
    xseal(key, nonce, ad, plaintext) {
      requireAeadKey(key);
      if (nonce.length !== 24 || !aead.takes(ad, plaintext.length)) return base.xseal(key, nonce, ad, plaintext);
      return aead.seal(key, nonce, ad, plaintext);
    },
    xopen(key, nonce, ad, sealed) {
      requireAeadKey(key);
      if (nonce.length !== 24 || !aead.takes(ad, sealed.length)) return base.xopen(key, nonce, ad, sealed);
      return aead.open(key, nonce, ad, sealed);
    },
    aeadKey: (key) => new WasmAeadKey(machine, base, limit, key),
  };
  selfTest(crypto, base);
  return crypto;
}

/** Lengths on both sides of every boundary of the code: blocks of 16 and 64, the first three, runs of four. */
const TRIED = [0, 1, 15, 16, 17, 63, 64, 191, 192, 193, 255, 447, 448, 449, 1420];

/** Nothing, a whole block, more than two: few, for the other backend computes them cold. */
const HASHED = [0, 64, 129];

/** A compiler or an engine that gets one bit wrong must not be found out by a peer. */
function selfTest(crypto: Crypto, base: Crypto): void {
  const pattern = (length: number, step: number): Bytes => Uint8Array.from({ length }, (_, i) => i * step + 7);
  const key = pattern(32, 5);
  for (const length of TRIED) {
    const [plain, ad] = [pattern(length, 3), pattern(length % 48, 11)];
    const sealed = base.seal(key, length, 0xffff_fff0, ad, plain);
    const again = crypto.open(key, length, 0xffff_fff0, ad, sealed);
    const same = equal(crypto.seal(key, length, 0xffff_fff0, ad, plain), sealed) && again !== undefined;
    if (!same || !equal(again, plain)) throw new Error(`${crypto.name} does not agree with ${base.name}`);
    sealed[length] = (sealed[length] ?? 0) ^ 1;
    if (crypto.open(key, length, 0xffff_fff0, ad, sealed) !== undefined)
      throw new Error(`${crypto.name} takes a forged tag`);
  }
  // hashes after the path of packets, which leaves something behind in the memory
  const handle = crypto.aeadKey(key);
  const packet = new Uint8Array(200).fill(0xff);
  handle.sealInto(1, 2, packet, 100, 50, packet, 100);
  const opened = handle.openInto(1, 2, packet, 100, 50 + TAG, packet, 100) && packet[149] === 0xff;
  handle.wipe();
  const nonce = pattern(24, 13);
  const agrees = (compute: (of: Crypto) => Bytes): boolean => equal(compute(crypto), compute(base));
  const same =
    opened &&
    agrees((of) => of.xseal(key, nonce, EMPTY, key)) &&
    HASHED.every((length) => {
      const text = pattern(length, 3);
      return agrees((of) => of.hash(text)) && agrees((of) => of.mac(nonce, text)) && agrees((of) => of.hmac(key, text));
    });
  if (!same) throw new Error(`${crypto.name} does not agree with ${base.name}`);
}
