/** Messages of BoringTun and of those that came from it (NepTUN, GotaTun): events by words, refusals by error names. */
import type { DropReason, KnownLine } from './event.ts';

/** noise/errors.rs: each as the log shows it, and the places that give it. */
const ERRORS: Readonly<Record<string, readonly DropReason[]>> = {
  InvalidMac: ['MAC1_INVALID'],
  UnderLoad: ['COOKIE_SENT'],
  WrongKey: ['INIT_UNKNOWN_PEER'],
  WrongTai64nTimestamp: ['INIT_TIMESTAMP_REPLAY'],
  InvalidTai64nTimestamp: ['INIT_TIMESTAMP_AEAD'],
  InvalidAeadTag: ['INIT_STATIC_AEAD', 'INIT_TIMESTAMP_AEAD', 'RESP_EMPTY_AEAD', 'COOKIE_AEAD', 'DATA_AEAD'],
  UnexpectedPacket: ['RESP_UNKNOWN_INDEX', 'RESP_WRONG_STATE', 'COOKIE_NO_MAC1'],
  WrongIndex: ['COOKIE_UNKNOWN_INDEX', 'DATA_UNKNOWN_INDEX'],
  NoCurrentSession: ['DATA_UNKNOWN_INDEX', 'DATA_KEY_EXPIRED'],
  DuplicateCounter: ['DATA_REPLAY_DUPLICATE'],
  InvalidCounter: ['DATA_REPLAY_DUPLICATE', 'DATA_REPLAY_TOO_OLD'],
  InvalidPacket: [
    'RX_TOO_SHORT',
    'RX_UNKNOWN_TYPE',
    'RX_RESERVED_NONZERO',
    'RX_BAD_LENGTH',
    'INNER_TOO_SHORT',
    'INNER_BAD_VERSION',
    'INNER_BAD_LENGTH',
  ],
};

/** noise/mod.rs, noise/timers.rs, device/mod.rs. */
export const BORINGTUN_LINES: readonly KnownLine[] = [
  { kind: 'initiation-sent', pattern: /^Sending handshake_initiation/ },
  { kind: 'initiation-received', pattern: /^Received handshake_initiation/ },
  { kind: 'response-sent', pattern: /^Sending handshake_response/ },
  { kind: 'response-received', pattern: /^Received handshake_response/ },
  { kind: 'cookie-reply-received', pattern: /^Received cookie_reply/ },
  { kind: 'session-created', pattern: /^New session\b/ },
  { kind: 'session-ended', pattern: /^SESSION_EXPIRED\(/ },
  { kind: 'keepalive-sent', pattern: /^(?:Sending keepalive|KEEPALIVE\()/ },
  { kind: 'handshake-retried', pattern: /^HANDSHAKE\(REKEY_TIMEOUT\)/ },
  { kind: 'silence-noticed', pattern: /^HANDSHAKE\(KEEPALIVE(?:_TIMEOUT)? ?\+ ?REKEY_TIMEOUT\)/ },
  { kind: 'handshake-gave-up', pattern: /^CONNECTION_EXPIRED\(REKEY_ATTEMPT_TIME\)/, reasons: ['TX_GAVE_UP'] },
  { kind: 'keys-wiped', pattern: /^CONNECTION_EXPIRED\(REJECT_AFTER_TIME \* 3\)/ },
  { kind: 'not-sent', pattern: /^No endpoint/, reasons: ['TX_NO_ENDPOINT'] },
  ...Object.entries(ERRORS).map(([name, reasons]) => ({
    kind: 'refused' as const,
    pattern: new RegExp(`\\b${name}\\b`),
    reasons,
  })),
  { kind: 'peer-created', pattern: /^Peer added/ },
];
