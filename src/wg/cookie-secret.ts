/** The responder's changing secret, and the cookie it makes for an address (wp §5.4.7). */
import type { Endpoint } from '../base/address.ts';
import { type Bytes, concat, copy, putU16be, putU16le, putU32le } from '../base/bytes.ts';
import type { Crypto } from '../crypto/port.ts';
import { COOKIE_LIFETIME_MS, COOKIE_SECRET_BYTES } from './constants.ts';
import { cookieFor, cookieSource } from './cookie.ts';
import type { CookieForm } from './policy.ts';
import { type Random, randomBytes } from './random.ts';

/** boringtun and gotatun count in 128 s. */
const EPOCH_MS = 128_000;
const EPOCH_SECRET_BYTES = 16;
const IPV6_BYTES = 16;

/** Number of the epoch as u64le ‖ address, filled up to 16 bytes ‖ the port in gotatun's form. */
function epochSource(from: Endpoint, epoch: number, withPort: boolean): Bytes {
  const out = new Uint8Array(8 + IPV6_BYTES + (withPort ? 2 : 0));
  putU32le(out, 0, epoch);
  out.set(from.ip, 8);
  if (withPort) putU16be(out, 8 + IPV6_BYTES, from.port);
  return out;
}

function littleEndianSource(from: Endpoint): Bytes {
  const port = new Uint8Array(2);
  putU16le(port, 0, from.port);
  return concat(from.ip, port);
}

export class CookieSecret {
  readonly #crypto: Crypto;
  readonly #random: Random;
  readonly #form: CookieForm;
  #secret: Bytes | undefined;
  #bornAtMs = 0;

  constructor(crypto: Crypto, random: Random, form: CookieForm) {
    this.#crypto = crypto;
    this.#random = random;
    this.#form = form;
  }

  /** 16 bytes, the same for the same address while the secret lasts. */
  cookie(from: Endpoint, nowMs: number): Bytes {
    const secret = this.#current(nowMs);
    const epoch = Math.floor((nowMs - this.#bornAtMs) / EPOCH_MS);
    switch (this.#form) {
      case 'secret-ip-port-be':
        return cookieFor(this.#crypto, secret, cookieSource(from));
      case 'secret-ip-port-le':
        return cookieFor(this.#crypto, secret, littleEndianSource(from));
      case 'epoch-ip':
        return cookieFor(this.#crypto, secret, epochSource(from, epoch, false));
      case 'epoch-ip-port':
        return cookieFor(this.#crypto, secret, epochSource(from, epoch, true));
    }
  }

  #current(nowMs: number): Bytes {
    const lasts = this.#form === 'epoch-ip' || this.#form === 'epoch-ip-port';
    if (this.#secret !== undefined && (lasts || nowMs - this.#bornAtMs < COOKIE_LIFETIME_MS)) return this.#secret;
    this.#secret?.fill(0);
    this.#secret = randomBytes(this.#random, lasts ? EPOCH_SECRET_BYTES : COOKIE_SECRET_BYTES, 'cookie-secret');
    this.#bornAtMs = nowMs;
    return this.#secret;
  }
}

/** What an initiator keeps of the cookies one peer sends it (wp §5.4.4, §5.4.7). */
export class CookieJar {
  #cookie: Bytes | undefined;
  #bornAtMs = 0;
  #mac1: Bytes | undefined;
  #sender = 0;

  /** MAC1 of the last handshake message sent, while a cookie may still answer it: what the reply is bound to. */
  get mac1(): Bytes | undefined {
    return this.#mac1;
  }

  /** Sender index of that message. */
  get sender(): number {
    return this.#sender;
  }

  sent(mac1: Bytes, sender: number): void {
    this.#mac1 = copy(mac1);
    this.#sender = sender;
  }

  /** `once`: the MAC1 is spent, and a second reply to it is refused. */
  keep(cookie: Bytes, nowMs: number, once: boolean): void {
    this.#cookie = copy(cookie);
    this.#bornAtMs = nowMs;
    if (once) this.#mac1 = undefined;
  }

  /** The cookie for MAC2, as long as it is younger than `useMs`. */
  fresh(nowMs: number, useMs: number): Bytes | undefined {
    return nowMs - this.#bornAtMs < useMs ? this.#cookie : undefined;
  }
}
