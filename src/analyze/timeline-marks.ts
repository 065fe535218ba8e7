/** By what a file or a key is found again where it has another name, without showing it. */
import { formatPrefix } from '../base/address.ts';
import { toHex, utf8 } from '../base/bytes.ts';
import type { ConfEntry, KeySet } from './key-set.ts';

/** Of what the configuration gives the peer: the same in another order. */
export function allowedMark({ crypto }: KeySet, { own, peers }: ConfEntry, peer: string): string {
  const prefixes = peers.get(peer)?.allowedIps.map(({ value }) => formatPrefix(value)) ?? [];
  // few networks are in use: without the owner's key one would show in every file alike
  return toHex(crypto.mac(own?.mac1Key ?? ZERO, utf8(prefixes.sort().join())));
}

const ZERO = new Uint8Array(32);
