/** Sealing and opening transport data under one direction's key (wp §5.4.6). Padding and counters are the caller's. */
import { type Bytes, EMPTY } from '../base/bytes.ts';
import { fail, ok, type Result } from '../base/result.ts';
import type { Crypto } from '../crypto/port.ts';
import type { Counter } from './constants.ts';
import type { Drop } from './drop.ts';
import { type Data, encodeData } from './message/data.ts';

/** The whole message; an empty plaintext is a keepalive. */
export function sealData(crypto: Crypto, key: Bytes, receiver: number, counter: Counter, plaintext: Bytes): Bytes {
  const sealed = crypto.seal(key, counter.low, counter.high, EMPTY, plaintext);
  return encodeData({ receiver, counterLow: counter.low, counterHigh: counter.high, sealed });
}

/** The plaintext with its padding. The replay window comes after (kernel receive.c). */
export function openData(crypto: Crypto, key: Bytes, message: Data): Result<Bytes, Drop> {
  const plaintext = crypto.open(key, message.counterLow, message.counterHigh, EMPTY, message.sealed);
  return plaintext === undefined ? fail({ kind: 'data-unsealable' }) : ok(plaintext);
}
