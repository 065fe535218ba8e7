/** What a handshake tells of its steps, token by token, to whoever asks: copies, secrets among them, never for logs. */
import type { Bytes } from '../../base/bytes.ts';
import type { PresharedKey, PublicKey } from '../../base/keys.ts';
import type { DhToken } from '../drop.ts';

/** The symmetric state after a step (Noise §5.2). Every key seals one field, so its nonce is 0. */
export interface Snapshot {
  readonly hash: Bytes;
  readonly chainingKey: Bytes;
  /** undefined before the first mixKey. */
  readonly key: Bytes | undefined;
}

/** What one token did. */
export type TraceEvent =
  /** The protocol's name and the prologue are in. */
  | { readonly kind: 'start' }
  /** The responder's static key, known before the first message (Noise §7.5, `← s`). */
  | { readonly kind: 'responder-static'; readonly responder: PublicKey }
  | { readonly kind: 'ephemeral'; readonly ephemeral: PublicKey }
  /** `shared` undefined: all zero, refused; `missing`: out of reach of the keys at hand. The state is then as before. */
  | {
      readonly kind: 'dh';
      readonly token: DhToken;
      readonly initiator: PublicKey;
      readonly responder: PublicKey;
      readonly shared: Bytes | undefined | 'missing';
    }
  /** Token s or the payload; `plain` undefined: it did not open, and the state is as before. */
  | {
      readonly kind: 'sealed';
      readonly field: 'static' | 'payload';
      readonly plain: Bytes | undefined;
      readonly sealed: Bytes;
    }
  | { readonly kind: 'psk'; readonly psk: PresharedKey; readonly tau: Bytes }
  | { readonly kind: 'split'; readonly initiatorToResponder: Bytes; readonly responderToInitiator: Bytes };

export type TraceStep = TraceEvent & {
  readonly message: 'initiation' | 'response';
  /** After the step. */
  readonly state: Snapshot;
};

/** Called after each token. Whoever has none pays nothing: steps are made only for a hook that is there. */
export type Trace = (step: TraceStep) => void;
