/** Messages of wireguard-go with LOG_LEVEL=verbose, and of the apps built on it; the peer stands before them. */
import type { KnownLine } from './event.ts';

const FROM = '(?<endpoint>\\S+)';

function begins(text: string): RegExp {
  return new RegExp(`^${text}`);
}

/** device/: receive.go, send.go, timers.go, noise-protocol.go, cookie.go, peer.go, device.go. */
export const GO_LINES: readonly KnownLine[] = [
  { kind: 'initiation-sent', pattern: begins('Sending handshake initiation') },
  { kind: 'initiation-received', pattern: begins('Received handshake initiation') },
  { kind: 'response-sent', pattern: begins('Sending handshake response') },
  { kind: 'response-received', pattern: begins('Received handshake response') },
  { kind: 'keepalive-sent', pattern: begins('Sending keepalive packet') },
  { kind: 'keepalive-received', pattern: begins('Receiving keepalive packet') },
  { kind: 'session-created', pattern: begins('Obtained awaited keypair') },
  {
    kind: 'handshake-gave-up',
    pattern: begins('Handshake did not complete after \\d+ attempts, giving up'),
    reasons: ['TX_GAVE_UP'],
  },
  {
    kind: 'handshake-retried',
    pattern: begins('Handshake did not complete after \\d+ seconds, retrying \\(try (?<try>\\d+)\\)'),
  },
  { kind: 'silence-noticed', pattern: begins('Retrying handshake because we stopped hearing back') },
  { kind: 'keys-wiped', pattern: begins("Removing all keys, since we haven't received a new one") },
  { kind: 'cookie-reply-received', pattern: begins(`Receiving cookie response from ${FROM}`) },
  {
    kind: 'cookie-reply-sent',
    pattern: begins(`Sending cookie response for denied handshake message for ${FROM}`),
    reasons: ['COOKIE_SENT'],
  },
  {
    kind: 'refused',
    pattern: begins('Received message with unknown type'),
    reasons: ['RX_UNKNOWN_TYPE', 'RX_RESERVED_NONZERO'],
  },
  {
    kind: 'refused',
    pattern: begins('Received packet with invalid mac1'),
    reasons: ['MAC1_INVALID', 'NO_PRIVATE_KEY'],
  },
  {
    kind: 'refused',
    pattern: begins('ConsumeMessageInitiation: handshake replay @ (?<stamp>\\S+ \\S+)'),
    reasons: ['INIT_TIMESTAMP_REPLAY'],
  },
  { kind: 'refused', pattern: begins('ConsumeMessageInitiation: handshake flood'), reasons: ['INIT_FLOOD'] },
  {
    kind: 'refused',
    pattern: begins(`Received invalid initiation message from ${FROM}`),
    reasons: [
      'INIT_DH_ES_ZERO',
      'INIT_STATIC_AEAD',
      'INIT_UNKNOWN_PEER',
      'INIT_DH_SS_ZERO',
      'INIT_TIMESTAMP_AEAD',
      'INIT_TIMESTAMP_REPLAY',
      'INIT_FLOOD',
    ],
  },
  {
    kind: 'refused',
    pattern: begins(`Received invalid response message from ${FROM}`),
    reasons: ['RESP_UNKNOWN_INDEX', 'RESP_WRONG_STATE', 'RESP_DH_ZERO', 'RESP_EMPTY_AEAD'],
  },
  {
    kind: 'refused',
    pattern: begins('Could not decrypt invalid cookie response'),
    reasons: ['COOKIE_NO_MAC1', 'COOKIE_AEAD'],
  },
  {
    kind: 'refused',
    pattern: begins('IPv[46] packet with disallowed source address'),
    reasons: ['INNER_SRC_NOT_ALLOWED'],
  },
  { kind: 'refused', pattern: begins('Packet with invalid IP version'), reasons: ['INNER_BAD_VERSION'] },
  { kind: 'not-sent', pattern: begins('Received packet with unknown IP version'), reasons: ['TX_INVALID_IP'] },
  { kind: 'not-sent', pattern: begins('Failed to send .*no known endpoint for peer'), reasons: ['TX_NO_ENDPOINT'] },
  { kind: 'not-sent', pattern: begins('Failed to send (?:handshake|data|keepalive)'), reasons: ['TX_SOCKET_ERROR'] },
  { kind: 'peer-created', pattern: begins('UAPI: Created') },
  { kind: 'peer-removed', pattern: begins('UAPI: Removing$') },
  { kind: 'interface-up', pattern: begins('Interface state was \\w+, requested \\w+, now Up') },
  { kind: 'interface-down', pattern: begins('(?:Interface state was \\w+, requested \\w+, now Down|Device closed)') },
];
