/** MAC1 and MAC2, the last 32 bytes of both handshake messages (wp §5.4.4). */
import { type Bytes, equalSecret } from '../base/bytes.ts';
import type { PublicKey } from '../base/keys.ts';
import type { Crypto } from '../crypto/port.ts';
import { LABEL_COOKIE, LABEL_MAC1, MAC_BYTES } from './constants.ts';

/** H("mac1----" ‖ S): the key of MAC1 on messages for the owner of S. Worth keeping. */
export function mac1Key(crypto: Crypto, receiver: PublicKey): Bytes {
  return crypto.hash(LABEL_MAC1, receiver);
}

/** H("cookie--" ‖ S): the key of cookie replies from the owner of S. Worth keeping. */
export function cookieKey(crypto: Crypto, sender: PublicKey): Bytes {
  return crypto.hash(LABEL_COOKIE, sender);
}

const mac1At = (message: Bytes): number => message.length - 2 * MAC_BYTES;
const mac2At = (message: Bytes): number => message.length - MAC_BYTES;

/** Over everything before MAC1. `message` is a whole initiation or response. */
export function computeMac1(crypto: Crypto, key: Bytes, message: Bytes): Bytes {
  return crypto.mac(key, message.subarray(0, mac1At(message)));
}

/** Over everything before MAC2, MAC1 included. */
export function computeMac2(crypto: Crypto, cookie: Bytes, message: Bytes): Bytes {
  return crypto.mac(cookie, message.subarray(0, mac2At(message)));
}

export function verifyMac1(crypto: Crypto, key: Bytes, message: Bytes): boolean {
  return equalSecret(computeMac1(crypto, key, message), message.subarray(mac1At(message), mac2At(message)));
}

export function verifyMac2(crypto: Crypto, cookie: Bytes, message: Bytes): boolean {
  return equalSecret(computeMac2(crypto, cookie, message), message.subarray(mac2At(message)));
}

/** Writes MAC1, and MAC2 where there is a fresh cookie, into a message whose MACs are still zero; gives MAC1 back. */
export function stampMacs(crypto: Crypto, key: Bytes, cookie: Bytes | undefined, message: Bytes): Bytes {
  const mac1 = computeMac1(crypto, key, message);
  message.set(mac1, mac1At(message));
  if (cookie !== undefined) message.set(computeMac2(crypto, cookie, message), mac2At(message));
  return mac1;
}
