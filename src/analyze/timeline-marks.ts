/** By what a file or a key is found again where it has another name, without showing it. */
import { formatPrefix } from '../base/address.ts';
import { ascii, toHex, utf8 } from '../base/bytes.ts';
import type { PresharedKey } from '../base/keys.ts';
import type { ConfEntry, KeySet, KnownKey } from './key-set.ts';
import type { Seen } from './timeline.ts';

/** Of what the configuration gives the peer: the same in another order. */
export function allowedMark({ crypto }: KeySet, { own, peers }: ConfEntry, peer: string): string {
  const prefixes = peers.get(peer)?.allowedIps.map(({ value }) => formatPrefix(value)) ?? [];
  // few networks are in use: without the owner's key one would show in every file alike
  return toHex(crypto.mac(own?.mac1Key ?? ZERO, utf8(prefixes.sort().join())));
}

/** Of all that messages can be opened with, as far as it can be told in public: others open other messages. */
export function keysMark({ crypto, publics, ephemerals }: KeySet): string {
  const known = [...publics.values()].map((key) => `${keyMark(key)}${key.private === undefined ? '' : ' private'}`);
  return toHex(crypto.hash(ascii([...known, ...ephemerals.keys()].sort().join())).subarray(0, 8));
}

/** Of a key that must not be shown, as it is a private one somewhere else. */
export const keyMark = ({ mac1Key }: KnownKey): string => `#${toHex(mac1Key)}`;
export const isKeyMark = (text: string): boolean => text.startsWith('#');

/** Another one for each response, so that no two of them show the same preshared key. */
export function pskMark({ crypto }: KeySet, psk: PresharedKey, { bytes }: Seen): string {
  return toHex(crypto.mac(psk, PSK_LABEL, bytes.subarray(12, 44)));
}

const PSK_LABEL = ascii('wgwhy psk');
const ZERO = new Uint8Array(32);
