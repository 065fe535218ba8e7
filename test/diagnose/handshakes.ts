/** Real handshake messages for rule tests: sealed with the test keys, at any date, with any one thing wrong. */

import { putU32le } from '../../src/base/bytes.ts';
import { type PrivateKey, type PublicKey, presharedKey, privateKey, publicKey, ZERO_PSK } from '../../src/base/keys.ts';
import { nodeCrypto } from '../../src/crypto/node.ts';
import { sealCookieReply } from '../../src/wg/cookie.ts';
import { cookieKey, mac1Key, stampMacs } from '../../src/wg/mac.ts';
import { createInitiation, type InitiationCreated } from '../../src/wg/noise/initiation.ts';
import { createResponse } from '../../src/wg/noise/response.ts';
import { tai64nFromUnix } from '../../src/wg/tai64n.ts';
import { CLIENT, SERVER, type TestPair } from './keys.ts';
import { back, CAPTURE_BEGAN, CLIENT_END, type End, SERVER_END, type Sent } from './traffic.ts';

const bytesOf = (base64: string): Uint8Array => new Uint8Array(Buffer.from(base64, 'base64'));
const publicOf = (pair: TestPair): PublicKey => publicKey(bytesOf(pair.public));
const secretOf = (pair: TestPair): PrivateKey => privateKey(bytesOf(pair.secret));

/** Its own one for each index. */
export function ephemeralOf(index: number): PrivateKey {
  const bytes = new Uint8Array(32).fill(0x5a);
  // not at the beginning: X25519 masks bits there
  putU32le(bytes, 8, index);
  return privateKey(bytes);
}

/** What a key log says of the handshakes that these ends began or answered under these indices. */
export function keyLog(...indices: readonly number[]): string {
  return indices
    .map((index) => `LOCAL_EPHEMERAL_PRIVATE_KEY = ${Buffer.from(ephemeralOf(index)).toString('base64')}\n`)
    .join('');
}

export interface Asked extends Sent {
  readonly created: InitiationCreated;
}

export interface AskOptions {
  /** What the initiator's clock is ahead of the capture's, seconds. */
  readonly ahead?: number;
  readonly by?: TestPair;
  /** Key that the initiation names, where its sender does not have the private half. */
  readonly claims?: TestPair;
  readonly forKey?: TestPair;
  readonly cookie?: Uint8Array;
  readonly from?: End;
  readonly to?: End;
}

/** An initiation of the client to the server, `at` seconds after the capture began. */
export function ask(at: number, sender: number, options: AskOptions = {}): Asked {
  const { ahead = 0, by = CLIENT, claims = by, forKey = SERVER, from = CLIENT_END, to = SERVER_END } = options;
  const clock = at + ahead;
  const time = { sec: CAPTURE_BEGAN + Math.floor(clock), nsec: Math.round((clock - Math.floor(clock)) * 1e9) };
  const created = createInitiation(nodeCrypto, {
    local: { secret: secretOf(by), publicKey: publicOf(claims) },
    remote: publicOf(forKey),
    ephemeral: ephemeralOf(sender),
    sender,
    timestamp: tai64nFromUnix(time, { base: 10, whiten: true }),
  });
  if (!created.ok) throw new Error(created.error.kind);
  stampMacs(nodeCrypto, mac1Key(nodeCrypto, publicOf(forKey)), options.cookie, created.value.bytes);
  return { at, from, to, payload: created.value.bytes, created: created.value };
}

/** The server's response to it, 20 ms later; without a PSK unless one is given, base64. */
export function answer(asked: Asked, sender: number, options: { psk?: string; after?: number } = {}): Sent {
  const psk = options.psk === undefined ? ZERO_PSK : presharedKey(bytesOf(options.psk));
  const created = createResponse(nodeCrypto, asked.created, { sender, ephemeral: ephemeralOf(sender), psk });
  if (!created.ok) throw new Error(created.error.kind);
  stampMacs(nodeCrypto, mac1Key(nodeCrypto, asked.created.identity), undefined, created.value.bytes);
  return { ...back(asked.at + (options.after ?? 0.02), created.value.bytes), from: asked.to, to: asked.from };
}

/** The 16 bytes of a cookie. */
export const cookieOf = (seed: number): Uint8Array => new Uint8Array(16).fill(seed);

/** A cookie reply to it, 20 ms later unless said otherwise, sealed as the owner of `by` does. */
export function giveCookie(
  asked: Asked,
  cookie: Uint8Array,
  { by = SERVER, after = 0.02 }: { by?: TestPair; after?: number } = {},
): Sent {
  const payload = sealCookieReply(nodeCrypto, {
    key: cookieKey(nodeCrypto, publicOf(by)),
    receiver: asked.created.sender,
    nonce: new Uint8Array(24).fill(asked.created.sender),
    cookie,
    mac1: asked.payload.subarray(116, 132),
  });
  return { at: asked.at + after, from: asked.to, to: asked.from, payload };
}

/** The same with other bytes from `offset` on, its MAC1 made anew for the server unless that is what changed. */
export function altered(sent: Sent, offset: number, bytes: Uint8Array): Sent {
  const payload = sent.payload.slice();
  payload.set(bytes, offset);
  if (offset >= payload.length - 32) return { ...sent, payload };
  payload.fill(0, payload.length - 32);
  stampMacs(nodeCrypto, mac1Key(nodeCrypto, publicOf(SERVER)), undefined, payload);
  return { ...sent, payload };
}
