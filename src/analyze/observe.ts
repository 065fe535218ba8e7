/** What the tracker asks of whoever holds the keys. */
import type { Datagram } from '../packet/datagram.ts';
import type { Receiver } from './inner/pair.ts';
import type { CookieSight, InitiationSight, ResponseSight } from './sight.ts';
import type { Exchange, Seen } from './timeline.ts';
import type { Unwrapped } from './unwrap/unwrapped.ts';

/** 32 bytes each. */
export interface TransportKeys {
  readonly initiatorToResponder: Uint8Array;
  readonly responderToInitiator: Uint8Array;
}

export interface Opened {
  readonly verdict: 'accepted' | 'refused' | 'undecided';
  readonly drop?: string;
  /** Bytes of the inner packet; 0 for a keepalive. */
  readonly innerLength?: number;
  /** Of what opened, with its padding, also where its counter was refused; to be read at once, not kept. */
  readonly plaintext?: Uint8Array;
  /** Where the traffic key stands that opened it; undefined for a key that was worked out from its handshake. */
  readonly keyFrom?: string;
}

/** Whatever becomes of what is in it. */
export function isOpened(opened: Opened | undefined): boolean {
  return opened !== undefined && opened.drop !== 'data-unsealable';
}

export interface Observer {
  /** For a datagram that is no plain message: what form of WireGuard it is of, and the messages in it. */
  unwrap?(datagram: Datagram): Unwrapped | undefined;
  initiation(seen: Seen): InitiationSight;
  response(seen: Seen, exchange: Exchange): { readonly sight: ResponseSight; readonly keys?: TransportKeys };
  /** The responder answered: what its state must have become. */
  answered(exchange: Exchange): void;
  cookie(seen: Seen, exchange: Exchange): CookieSight;
  /** Remembers the keys of a session, by the two indices. */
  session(keys: TransportKeys, initiatorIndex: number, responderIndex: number): void;
  /** Of the batch that comes next, in its order: helpers may begin with what is in it. */
  expect?(datagram: Datagram): void;
  /** The batch that was expected comes now. */
  turn?(): void;
  /** A data message, whole and uncut; undefined when no key for this index is known. */
  data(seen: Seen): Opened | undefined;
  /** What the files say of the end that the data of this direction goes to. */
  receiver(exchange: Exchange | undefined, toResponder: boolean): Receiver | undefined;
}
