/** Every reason for which a message is refused: one kind per exit, with the facts that explain it and never a secret. */
import type { PublicKey } from '../base/keys.ts';
import type { Tai64n } from './tai64n.ts';

export type MessageKind = 'initiation' | 'response' | 'cookie-reply' | 'data';

/** DH tokens of IKpsk2 (Noise §7.5). */
export type DhToken = 'es' | 'ss' | 'ee' | 'se';

export type Drop =
  // shape (wp §5.4)
  | { readonly kind: 'too-short'; readonly actual: number }
  | { readonly kind: 'unknown-type'; readonly type: number }
  | {
      readonly kind: 'reserved-nonzero';
      readonly message: MessageKind;
      readonly reserved: readonly [number, number, number];
    }
  | {
      readonly kind: 'length-mismatch';
      readonly message: MessageKind;
      readonly expected: number;
      readonly actual: number;
    }
  // MAC and load (wp §5.4.4, §5.3)
  | { readonly kind: 'mac1-invalid' }
  | { readonly kind: 'mac2-invalid' }
  // initiation (wp §5.4.2)
  | { readonly kind: 'weak-shared-secret'; readonly token: DhToken }
  | { readonly kind: 'static-unsealable' }
  | { readonly kind: 'unknown-peer'; readonly identity: PublicKey }
  | { readonly kind: 'timestamp-unsealable'; readonly identity: PublicKey }
  | {
      readonly kind: 'timestamp-replayed';
      readonly identity: PublicKey;
      readonly received: Tai64n;
      readonly greatest: Tai64n;
    }
  | { readonly kind: 'initiation-flood'; readonly identity: PublicKey; readonly gapMs: number }
  // response (wp §5.4.3)
  | { readonly kind: 'response-unknown-index'; readonly receiver: number }
  | { readonly kind: 'response-wrong-state'; readonly receiver: number }
  | { readonly kind: 'empty-unsealable' }
  // cookie reply (wp §5.4.7)
  | { readonly kind: 'cookie-unknown-index'; readonly receiver: number }
  | { readonly kind: 'cookie-without-mac1' }
  | { readonly kind: 'cookie-unsealable' }
  // data (wp §5.4.6)
  | { readonly kind: 'data-unknown-index'; readonly receiver: number }
  | { readonly kind: 'data-unsealable' }
  | { readonly kind: 'data-key-expired'; readonly ageMs: number }
  | { readonly kind: 'counter-exhausted' }
  | { readonly kind: 'counter-replayed' }
  | { readonly kind: 'counter-too-old'; readonly behind: number };

export type DropKind = Drop['kind'];
