/** What the known keys open of one message, and which keys are missing for the rest. */
import type { PresharedKey, PublicKey } from '../base/keys.ts';
import type { Drop } from '../wg/drop.ts';
import type { Tai64n } from '../wg/tai64n.ts';
import type { KnownKey } from './key-set.ts';

/** A passive observer lacks the receiver's state, and says so. */
export type Verdict =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'refused'; readonly drop: Drop }
  | { readonly kind: 'undecided'; readonly missing: readonly string[] };

/** `known` key, `none` of the known keys, or `untried` (cut, no keys, or the work bound was reached). */
export type Mac1Owner =
  | { readonly kind: 'known'; readonly key: KnownKey }
  | { readonly kind: 'none' }
  | { readonly kind: 'untried'; readonly because: string };

/**
 * `valid`: right for an opened cookie issued to this address in the last two minutes · `other-address`: right, but the
 * cookie was issued to another address or port · `expired`: right, but the cookie is older · `invalid`: wrong for the
 * cookie this address got · `unverified`: no opened cookie to check it with.
 */
export type Mac2State = 'absent' | 'valid' | 'other-address' | 'expired' | 'invalid' | 'unverified';

export interface InitiationSight {
  readonly mac1: Mac1Owner;
  readonly identity: PublicKey | undefined;
  readonly timestamp: Tai64n | undefined;
  readonly ephemeralKnown: boolean;
  /** MAC1 fits no known key, and yet the static opens for this one: altered on the way outside of what Noise covers. */
  readonly alteredFor?: KnownKey;
  readonly mac2: Mac2State;
  /** What a responder with this key and the history of this capture would have done. */
  verdict: Verdict;
}

export interface ResponseSight {
  readonly mac1: Mac1Owner;
  readonly ephemeralKnown: boolean;
  /** The PSK bound to the ephemeral in the key log opened it (or zero, where none is bound), as Wireshark's wg.handshake_ok. */
  readonly handshakeOk: boolean | undefined;
  /** The PSK that opened it, and where it stands. */
  readonly opensWith: { readonly where: string; readonly bound: boolean; readonly psk: PresharedKey } | undefined;
  /** PSKs that were tried. */
  readonly tried: number;
  readonly verdict: Verdict;
}

export interface CookieSight {
  readonly opened: boolean | undefined;
  readonly verdict: Verdict;
}
