/** What a log line says that a WireGuard implementation did, refused or gave up. */
import type { Endpoint } from '../../base/address.ts';
import type { PublicKey } from '../../base/keys.ts';
import type { Time } from '../../base/time.ts';
import type { LogTime } from './time.ts';

/** Windows is the driver of the official app, which shares its lines with Linux, or the app around wireguard-go. */
export type LogImplementation = 'linux' | 'windows' | 'wireguard-go' | 'boringtun' | 'routeros';

/** A stable code for each place where an implementation drops something, in the order of a packet's way. */
export type DropReason =
  | 'RX_TOO_SHORT'
  | 'RX_UNKNOWN_TYPE'
  | 'RX_RESERVED_NONZERO'
  | 'RX_BAD_LENGTH'
  | 'RX_HANDSHAKE_QUEUE_FULL'
  | 'MAC1_INVALID'
  | 'COOKIE_SENT'
  | 'RATE_LIMITED'
  | 'NO_PRIVATE_KEY'
  | 'INIT_DH_ES_ZERO'
  | 'INIT_STATIC_AEAD'
  | 'INIT_UNKNOWN_PEER'
  | 'INIT_DH_SS_ZERO'
  | 'INIT_TIMESTAMP_AEAD'
  | 'INIT_TIMESTAMP_REPLAY'
  | 'INIT_FLOOD'
  | 'RESP_UNKNOWN_INDEX'
  | 'RESP_WRONG_STATE'
  | 'RESP_DH_ZERO'
  | 'RESP_EMPTY_AEAD'
  | 'RESP_STATE_RACE'
  | 'COOKIE_UNKNOWN_INDEX'
  | 'COOKIE_NO_MAC1'
  | 'COOKIE_AEAD'
  | 'DATA_UNKNOWN_INDEX'
  | 'DATA_KEY_EXPIRED'
  | 'DATA_AEAD'
  | 'DATA_COUNTER_LIMIT'
  | 'DATA_REPLAY_DUPLICATE'
  | 'DATA_REPLAY_TOO_OLD'
  | 'INNER_TOO_SHORT'
  | 'INNER_BAD_VERSION'
  | 'INNER_BAD_LENGTH'
  | 'INNER_SRC_NOT_ALLOWED'
  | 'TX_NO_PEER'
  | 'TX_NO_ENDPOINT'
  | 'TX_INVALID_IP'
  | 'TX_GAVE_UP'
  | 'TX_SOCKET_ERROR';

export type LogEventKind =
  | 'initiation-sent'
  | 'initiation-received'
  | 'response-sent'
  | 'response-received'
  | 'cookie-reply-sent'
  | 'cookie-reply-received'
  | 'keepalive-sent'
  | 'keepalive-received'
  | 'session-created'
  | 'session-ended'
  /** An initiation went unanswered for 5 s and is sent again. */
  | 'handshake-retried'
  | 'handshake-gave-up'
  /** Data was sent and nothing heard for 15 s: a new handshake begins. */
  | 'silence-noticed'
  | 'keys-wiped'
  /** Something that came in was dropped. */
  | 'refused'
  /** Something that was to go out was not sent. */
  | 'not-sent'
  | 'peer-created'
  | 'peer-removed'
  | 'interface-up'
  | 'interface-down';

/** Each implementation names peers in its own way. */
export type LogPeer =
  /** Linux and Windows count them. */
  | { readonly kind: 'number'; readonly number: number }
  /** wireguard-go shows the first four and the last four characters before the `=`. */
  | { readonly kind: 'short-key'; readonly start: string; readonly end: string }
  | { readonly kind: 'key'; readonly key: PublicKey; readonly name?: string }
  | { readonly kind: 'name'; readonly name: string };

export interface LogEvent {
  readonly kind: LogEventKind;
  readonly implementation: LogImplementation;
  readonly line: number;
  /** The message alone, without time and prefixes. */
  readonly text: string;
  readonly time?: LogTime;
  readonly interface?: string;
  readonly peer?: LogPeer;
  /** The other end's outer address. */
  readonly endpoint?: Endpoint;
  /** Of a retry: 2 is the first one. */
  readonly attempt?: number;
  /** What a refusal can have been: one where the line tells, several where the implementation does not say more. */
  readonly reasons: readonly DropReason[];
  /** The timestamp that was refused as a replay, on the initiator's clock. */
  readonly refusedTimestamp?: Time;
  /** An inner address that belongs to no peer, or not to this one. */
  readonly innerAddress?: string;
}

/** One known message: its beginning, and what it stands for. Named groups: peer, endpoint, try, inner, stamp. */
export interface KnownLine {
  readonly kind: LogEventKind;
  readonly pattern: RegExp;
  readonly reasons?: readonly DropReason[];
}
