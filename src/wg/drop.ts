/** Every reason for which a message is refused: one kind per exit, with the facts that explain it and never a secret. */
import type { PublicKey } from '../base/keys.ts';
import type { Tai64n } from './tai64n.ts';

export type MessageKind = 'initiation' | 'response' | 'cookie-reply' | 'data';

/** DH tokens of IKpsk2 (Noise §7.5). */
export type DhToken = 'es' | 'ss' | 'ee' | 'se';

/** A configured peer: its public key in base64. What was only seen on the wire is an `identity`. */
export type PeerId = string;

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
  // queues, MAC and load (wp §5.4.4, §5.3)
  | { readonly kind: 'handshake-queue-full'; readonly depth: number; readonly limit: number }
  | { readonly kind: 'no-private-key' }
  | { readonly kind: 'mac1-invalid' }
  /** Under load: a cookie was sent instead of an answer. */
  | { readonly kind: 'cookie-demanded'; readonly message: MessageKind; readonly mac2: 'absent' | 'wrong' }
  | { readonly kind: 'rate-limited'; readonly source: string }
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
  | { readonly kind: 'data-queue-full'; readonly depth: number; readonly limit: number }
  | { readonly kind: 'data-unsealable' }
  | { readonly kind: 'data-key-expired'; readonly ageMs: number }
  /** The session has taken its last counter. */
  | { readonly kind: 'data-key-spent' }
  | { readonly kind: 'counter-exhausted' }
  | { readonly kind: 'counter-replayed' }
  | { readonly kind: 'counter-too-old'; readonly behind: number }
  // inner packet, after it was authenticated (wp §5.4.6, kernel receive.c)
  | { readonly kind: 'inner-too-short'; readonly peer: PeerId; readonly expected: number; readonly actual: number }
  | { readonly kind: 'inner-version'; readonly peer: PeerId; readonly version: number }
  | { readonly kind: 'inner-length'; readonly peer: PeerId; readonly claimed: number; readonly actual: number }
  /** `owner` is the peer whose AllowedIPs cover the source, if any does. */
  | {
      readonly kind: 'source-not-allowed';
      readonly peer: PeerId;
      readonly source: string;
      readonly owner: PeerId | undefined;
    }
  // sending
  | { readonly kind: 'not-ip'; readonly actual: number }
  | { readonly kind: 'no-allowed-ip'; readonly destination: string }
  | { readonly kind: 'no-endpoint'; readonly peer: PeerId }
  | {
      readonly kind: 'staged-overflow';
      readonly peer: PeerId;
      readonly limit: number;
      readonly dropped: 'oldest' | 'newest';
    }
  /** No initiation now: a handshake message left `sinceMs` ago, or one of our own is still unanswered. */
  | { readonly kind: 'handshake-suppressed'; readonly peer: PeerId; readonly sinceMs: number }
  /** `staged` packets were waiting for the session and are lost. */
  | {
      readonly kind: 'handshake-gave-up';
      readonly peer: PeerId;
      readonly initiations: number;
      readonly staged: number;
    }
  | { readonly kind: 'socket-error'; readonly peer: PeerId | undefined; readonly to: string; readonly error: string }
  // configuration
  | { readonly kind: 'peer-is-self'; readonly peer: PeerId };

export type DropKind = Drop['kind'];
