/** What `wg show` says of a running tunnel, in its human form or as a dump, each value with its place. */
import type { Prefix } from '../base/address.ts';
import type { Bytes } from '../base/bytes.ts';
import { type PresharedKey, type PrivateKey, type PublicKey, publicKey } from '../base/keys.ts';
import { readKeyText } from './key-text.ts';
import type { ByteCount } from './quantities.ts';
import type { Located, ProblemList } from './text.ts';
import type { ConfEndpoint } from './wg-conf.ts';

/** A secret as it is shown: `(hidden)` says that there is one. */
export type ShownKey<K extends Bytes> =
  | { readonly kind: 'hidden' }
  | { readonly kind: 'none' }
  | { readonly kind: 'key'; readonly key: K };

export type LatestHandshake =
  | { readonly kind: 'ago'; readonly ageMs: number }
  /** Seconds since 1970, from a dump. */
  | { readonly kind: 'at'; readonly sec: number }
  /** It lies in the future: the clock of this host went back since. */
  | { readonly kind: 'clock-went-back' };

export interface WgStatusPeer {
  readonly line: number;
  readonly publicKey?: Located<PublicKey>;
  /** `wg show` leaves the line out where there is none. */
  readonly presharedKey?: Located<ShownKey<PresharedKey>>;
  readonly endpoint?: Located<ConfEndpoint>;
  /** Empty for `(none)`: another peer may have taken them. */
  readonly allowedIps: readonly Located<Prefix>[];
  /** Absent where there was none yet. */
  readonly latestHandshake?: Located<LatestHandshake>;
  /** Absent in the human form while both are 0. */
  readonly rx?: Located<ByteCount>;
  readonly tx?: Located<ByteCount>;
  /** 0: off. */
  readonly persistentKeepaliveSec?: Located<number>;
}

export interface WgStatusInterface {
  readonly line: number;
  /** A dump of one interface does not name it. */
  readonly name?: Located<string>;
  readonly publicKey?: Located<PublicKey>;
  readonly privateKey?: Located<ShownKey<PrivateKey>>;
  readonly listenPort?: Located<number>;
  /** 0: off. */
  readonly fwMark?: Located<number>;
  /** Settings of AmneziaWG that are not off, by name; `raw` is the value, where it is certain and no secret. */
  readonly amnezia: readonly Located<string>[];
  readonly peers: readonly WgStatusPeer[];
}

interface Place {
  readonly line: number;
  readonly column: number;
}

/** `setting` names it in a problem. A key that somebody took out counts as hidden. */
export function readShownKey<K extends Bytes>(
  setting: string,
  text: string,
  place: Place,
  brand: (bytes: Bytes) => K,
  problems: ProblemList,
): Located<ShownKey<K>> | undefined {
  if (text === '(none)') return { value: { kind: 'none' }, ...place };
  const key = readKeyText(text);
  if (key.ok) return { value: { kind: 'key', key: brand(key.value) }, ...place };
  if (key.error.kind === 'placeholder') return { value: { kind: 'hidden' }, ...place };
  problems.add(place, `${setting} ${key.error.predicate}`, key.error.hint);
  return undefined;
}

export function readShownPublicKey(
  setting: string,
  text: string,
  place: Place,
  problems: ProblemList,
): Located<PublicKey> | undefined {
  if (text === '(none)') return undefined;
  const key = readKeyText(text);
  if (key.ok) return { value: publicKey(key.value), ...place, raw: text };
  problems.add(place, `${setting} ${key.error.predicate}`, key.error.hint);
  return undefined;
}
