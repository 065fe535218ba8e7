/** One instance of the compiled code and its memory: keys in slots, one text at a time. */
import type { Bytes } from '../../base/bytes.ts';
import { AEAD_KEY_BYTES } from '../port.ts';
import { SCALAR, SIMD } from './binary.ts';
import { KEYS } from './layout.ts';

export type WasmKind = 'simd' | 'scalar';

/** As much of it as is used here: TypeScript has its types with those of browsers only. */
interface WebAssemblyApi {
  readonly Module: new (bytes: Bytes) => object;
  readonly Instance: new (module: object) => { readonly exports: unknown };
}

interface Code {
  readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number };
  /** The nonce is n0 ‖ n1 ‖ n2, unsigned, little-endian. */
  seal(key: number, n0: number, n1: number, n2: number, adLength: number, length: number): void;
  /** 1 where the tag verifies. */
  open(key: number, n0: number, n1: number, n2: number, adLength: number, length: number): number;
  hchacha(key: number): void;
  /** BLAKE2s of `length` bytes at TEXT, to DIGEST; neither they nor a key are left. */
  hash(length: number): void;
  mac(keyLength: number, length: number): void;
  hmac(length: number): void;
}

export class Machine {
  readonly code: Code;
  /** All of the memory; another array once it has grown. */
  memory: Bytes;
  readonly #free: number[] = [];
  #next = KEYS;

  /** Throws where the engine has no WebAssembly, or not its vectors, or may not compile. */
  constructor(kind: WasmKind) {
    const bytes = Uint8Array.from(atob(kind === 'simd' ? SIMD : SCALAR), (char) => char.charCodeAt(0));
    const { WebAssembly: api } = globalThis as unknown as { readonly WebAssembly?: WebAssemblyApi };
    if (api === undefined) throw new Error('there is no WebAssembly');
    const { exports } = new api.Instance(new api.Module(bytes));
    // the embedded bytes are compiled from assembly/index.ts, which exports this: a test compiles them again
    this.code = exports as Code;
    this.memory = new Uint8Array(this.code.memory.buffer);
  }

  /** The address of a copy of the key. */
  takeKey(key: Bytes): number {
    const at = this.#free.pop() ?? this.#newSlot();
    this.memory.set(key, at);
    return at;
  }

  /** The bytes are gone; the next key has the place. */
  dropKey(at: number): void {
    this.memory.fill(0, at, at + AEAD_KEY_BYTES);
    this.#free.push(at);
  }

  #newSlot(): number {
    const at = this.#next;
    this.#next += AEAD_KEY_BYTES;
    if (this.#next > this.memory.length) {
      this.code.memory.grow(1);
      this.memory = new Uint8Array(this.code.memory.buffer);
    }
    return at;
  }
}
