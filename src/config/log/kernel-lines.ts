/** Messages of the Linux module with dynamic debug on; Windows and RouterOS have the same ones, the latter without numbers. */
import type { DropReason, KnownLine } from './event.ts';

/** `peer 1 (192.0.2.1:51820)`, `peer 1`, `peer (192.0.2.1:51820)`, `peer`. */
const PEER = 'peer(?: (?<peer>\\d+))?(?: \\((?<endpoint>[^()]*|\\([a-z ]+\\))\\))?';
const FROM = '(?<endpoint>\\S+)';

function begins(text: string): RegExp {
  return new RegExp(`^${text}`);
}

/** Counters below the greatest that the kernel’s window still holds (COUNTER_WINDOW_SIZE), and the first it never takes. */
const WINDOW = 8128n;
const LIMIT = 2n ** 64n - 2n ** 13n - 1n;

/** One line for three causes; its numbers tell which. `max` is the next counter that was expected. */
export function nonceReason(nonce: string, max: string): DropReason {
  const [counter, next] = [BigInt(nonce), BigInt(max)];
  if (counter >= LIMIT || next >= LIMIT) return 'DATA_COUNTER_LIMIT';
  return counter + 1n + WINDOW < next ? 'DATA_REPLAY_TOO_OLD' : 'DATA_REPLAY_DUPLICATE';
}

/** drivers/net/wireguard: device.c, noise.c, peer.c, receive.c, send.c, socket.c, timers.c, cookie.c. */
export const KERNEL_LINES: readonly KnownLine[] = [
  { kind: 'initiation-sent', pattern: begins(`Sending handshake initiation to ${PEER}`) },
  { kind: 'initiation-received', pattern: begins(`Receiving handshake initiation from ${PEER}`) },
  { kind: 'response-sent', pattern: begins(`Sending handshake response to ${PEER}`) },
  { kind: 'response-received', pattern: begins(`Receiving handshake response from ${PEER}`) },
  { kind: 'keepalive-sent', pattern: begins(`Sending keepalive packet to ${PEER}`) },
  { kind: 'keepalive-received', pattern: begins(`Receiving keepalive packet from ${PEER}`) },
  { kind: 'session-created', pattern: begins(`Keypair(?: \\d+)? created for ${PEER}`) },
  { kind: 'session-ended', pattern: begins(`Keypair(?: \\d+)? destroyed for ${PEER}`) },
  {
    kind: 'handshake-gave-up',
    pattern: begins(`Handshake for ${PEER} did not complete after \\d+ attempts, giving up`),
    reasons: ['TX_GAVE_UP'],
  },
  {
    kind: 'handshake-retried',
    pattern: begins(`Handshake for ${PEER} did not complete after \\d+ seconds, retrying \\(try (?<try>\\d+)\\)`),
  },
  { kind: 'silence-noticed', pattern: begins(`Retrying handshake with ${PEER} because we stopped hearing back`) },
  { kind: 'keys-wiped', pattern: begins(`Zeroing out all keys for ${PEER}`) },
  { kind: 'cookie-reply-received', pattern: begins(`Receiving cookie response from ${FROM}`) },
  {
    kind: 'cookie-reply-sent',
    pattern: begins(`Sending cookie response for denied handshake message for ${FROM}`),
    reasons: ['COOKIE_SENT'],
  },
  { kind: 'refused', pattern: begins(`Dropping handshake packet from ${FROM}`), reasons: ['RX_HANDSHAKE_QUEUE_FULL'] },
  {
    kind: 'refused',
    pattern: begins(`Invalid MAC of handshake, dropping packet from ${FROM}`),
    // without a private key of its own no MAC1 can be right
    reasons: ['MAC1_INVALID', 'RATE_LIMITED', 'NO_PRIVATE_KEY'],
  },
  {
    kind: 'refused',
    pattern: begins(`Invalid handshake initiation from ${FROM}`),
    reasons: [
      'NO_PRIVATE_KEY',
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
    pattern: begins(`Invalid handshake response from ${FROM}`),
    reasons: ['RESP_UNKNOWN_INDEX', 'RESP_WRONG_STATE', 'RESP_DH_ZERO', 'RESP_EMPTY_AEAD', 'RESP_STATE_RACE'],
  },
  { kind: 'refused', pattern: begins('Could not decrypt invalid cookie response'), reasons: ['COOKIE_AEAD'] },
  {
    kind: 'refused',
    pattern: begins('Packet has invalid nonce (?<nonce>\\d+) \\(max (?<max>\\d+)\\)'),
    reasons: ['DATA_COUNTER_LIMIT', 'DATA_REPLAY_DUPLICATE', 'DATA_REPLAY_TOO_OLD'],
  },
  {
    kind: 'refused',
    pattern: begins(`Packet has unallowed src IP \\((?<inner>[^)]*)\\) from ${PEER}`),
    reasons: ['INNER_SRC_NOT_ALLOWED'],
  },
  {
    kind: 'refused',
    pattern: begins(`Packet is neither ipv4 nor ipv6 from ${PEER}`),
    reasons: ['INNER_TOO_SHORT', 'INNER_BAD_VERSION'],
  },
  { kind: 'refused', pattern: begins(`Packet has incorrect size from ${PEER}`), reasons: ['INNER_BAD_LENGTH'] },
  {
    kind: 'not-sent',
    pattern: begins('No peer has allowed IPs matching (?<inner>\\S+)'),
    reasons: ['TX_NO_PEER'],
  },
  {
    kind: 'not-sent',
    pattern: begins(`No valid endpoint has been configured or discovered for ${PEER}`),
    reasons: ['TX_NO_ENDPOINT'],
  },
  { kind: 'not-sent', pattern: begins('Invalid IP packet'), reasons: ['TX_INVALID_IP'] },
  {
    kind: 'not-sent',
    pattern: begins('No route to (?<endpoint>[^,\\s]+), error -?\\d+'),
    reasons: ['TX_SOCKET_ERROR'],
  },
  { kind: 'peer-created', pattern: begins('Peer (?<peer>\\d+) created') },
  { kind: 'peer-removed', pattern: begins('Peer (?<peer>\\d+)(?: \\((?<endpoint>[^()]*)\\))? destroyed') },
  { kind: 'interface-up', pattern: begins('Interface (?:created|up)$') },
  { kind: 'interface-down', pattern: begins('Interface (?:destroyed|deleted|down)$') },
];
