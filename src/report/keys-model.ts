/** What `wgwhy keys --json` says: the keys, what they open, and what is missing. Versioned; its schema is beside it. */

import type { InputProblem } from './conclude.ts';
import type { Lacking } from './decrypt-tally.ts';
import type { InputKind } from './model.ts';

export interface KeyOpens {
  /** Messages whose MAC1 was made for this key. */
  readonly madeFor: number;
  readonly initiations: number;
  readonly responses: number;
  readonly data: number;
}

export type KeyKind = 'private' | 'public' | 'preshared' | 'ephemeral' | 'traffic';

export interface KeysEntry {
  readonly kind: KeyKind;
  /** The public half, base64; null for what has none. */
  readonly publicKey: string | null;
  /** Traffic keys: the receiver index, `0x…`. */
  readonly index: string | null;
  /** `client.conf:2`, or whatever names the place. */
  readonly where: readonly string[];
  /** Ephemerals: where the PSKs stand that the key log binds to it. */
  readonly psks: readonly string[];
  readonly opens: KeyOpens;
  /** Base64, on request only. */
  readonly secret?: string;
}

export interface KeysHandshake {
  /** `0x…/0x…` of initiator and responder; null for what was not captured. */
  readonly indices: readonly [string, string | null];
  readonly initiator: string;
  readonly responder: string;
  readonly frames: { readonly initiation: number | null; readonly response: number | null };
  readonly initiation: 'opens' | 'closed' | 'absent';
  readonly response: 'opens' | 'closed' | 'absent';
  /** Where the PSK stands that opened the response; `no PSK (zero)`. */
  readonly psk: string | null;
  readonly data: { readonly messages: number; readonly opened: number; readonly cut: number };
  /** Null where there is nothing left to open. */
  readonly missing: Lacking | null;
}

/** Data whose handshake is not in the capture. */
export interface KeysOrphan {
  readonly index: string;
  readonly from: string;
  readonly to: string;
  readonly frame: number;
  readonly data: { readonly messages: number; readonly opened: number; readonly cut: number };
}

export interface KeysCapture {
  readonly input: string;
  readonly handshakes: readonly KeysHandshake[];
  readonly orphans: readonly KeysOrphan[];
  readonly data: { readonly messages: number; readonly opened: number; readonly cut: number };
}

export interface KeysMissing extends Lacking {
  readonly handshakes: number;
  /** Data messages that stay closed without it. */
  readonly data: number;
  readonly at: readonly { readonly input: string; readonly frame: number }[];
}

export interface KeysReport {
  readonly schema: 'wgwhy/keys/1';
  readonly tool: string;
  readonly inputs: readonly { readonly id: string; readonly name: string; readonly kind: InputKind }[];
  readonly keys: readonly KeysEntry[];
  readonly captures: readonly KeysCapture[];
  readonly missing: readonly KeysMissing[];
  readonly problems: readonly InputProblem[];
}
