/** Short names for secrets: equal for equal values, and of no use to guess one that was chosen badly. */
import { type Bytes, isZero, toHex, utf8 } from '../base/bytes.ts';
import type { Crypto } from '../crypto/port.ts';
import type { TraceRow, TraceValue } from './trace-rows.ts';

const LABEL = utf8('wgwhy trace fingerprint');
const SHOWN_BYTES = 4;

/** DH outputs and transport keys: what has the entropy of a key. */
const ROOT = /^(DH\(|T($|_))/;

/**
 * Keyed with what the trace itself holds, so they are stable between runs and the same at both ends of a handshake:
 * with es, which only who holds a private key can compute; a PSK or a plaintext with every DH and transport key before
 * it, without which nobody can test a guess, and with which the messages themselves already allow it.
 */
export class Fingerprints {
  readonly #crypto: Crypto;
  readonly #first: Bytes;
  readonly #guarded = new Map<TraceValue, Bytes>();

  constructor(crypto: Crypto, ...runs: readonly (readonly TraceRow[])[]) {
    this.#crypto = crypto;
    let first: Bytes | undefined;
    for (const rows of runs) {
      const roots: Bytes[] = [];
      for (const value of rows.flatMap(({ values }) => values)) {
        if (value.secrecy === 'secret' && ROOT.test(value.symbol)) {
          first ??= value.bytes;
          roots.push(value.bytes);
        } else if (value.secrecy === 'guessable') this.#guarded.set(value, crypto.hash(LABEL, ...roots));
      }
    }
    this.#first = crypto.hash(LABEL, first ?? new Uint8Array(0));
  }

  of(value: TraceValue): string {
    if (value.secrecy === 'guessable' && isZero(value.bytes)) return value.bytes.length === 0 ? 'empty' : 'zero';
    const key = this.#guarded.get(value) ?? this.#first;
    return `#${toHex(this.#crypto.mac(key, value.bytes).subarray(0, SHOWN_BYTES))}`;
  }
}
