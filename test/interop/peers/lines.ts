/** What the kernel and wireguard-go say in their logs, as kinds of lines that mean the same in both. */
import type { PolicyName } from '../../../src/wg/policy.ts';

export type RemoteKind = Extract<PolicyName, 'linux' | 'wireguard-go'>;

export type LineKind =
  | 'initiation-sent'
  | 'initiation-received'
  | 'initiation-invalid'
  | 'initiation-replay'
  | 'initiation-flood'
  | 'response-sent'
  | 'response-received'
  | 'response-invalid'
  | 'mac-invalid'
  | 'cookie-sent'
  | 'cookie-received'
  | 'cookie-invalid'
  | 'keepalive-received'
  | 'nonce-invalid'
  | 'not-ip'
  | 'size-wrong'
  | 'source-refused'
  | 'type-unknown'
  | 'queue-full';

type Table = Readonly<Partial<Record<LineKind, RegExp>>>;

/** drivers/net/wireguard, 6.1: only with dynamic debug on. */
const KERNEL: Table = {
  'initiation-sent': /^Sending handshake initiation to peer/,
  'initiation-received': /^Receiving handshake initiation from peer/,
  'initiation-invalid': /^Invalid handshake initiation from/,
  'response-sent': /^Sending handshake response to peer/,
  'response-received': /^Receiving handshake response from peer/,
  'response-invalid': /^Invalid handshake response from/,
  'mac-invalid': /^Invalid MAC of handshake, dropping packet from/,
  'cookie-sent': /^Sending cookie response for denied handshake message for/,
  'cookie-received': /^Receiving cookie response from/,
  'cookie-invalid': /^Could not decrypt invalid cookie response/,
  'keepalive-received': /^Receiving keepalive packet from peer/,
  'nonce-invalid': /^Packet has invalid nonce/,
  'not-ip': /^Packet is neither ipv4 nor ipv6 from peer/,
  'size-wrong': /^Packet has incorrect size from peer/,
  'source-refused': /^Packet has unallowed src IP/,
  'queue-full': /^Dropping handshake packet from/,
};

/** With LOG_LEVEL=verbose. What is of one peer begins with its name. */
const GO: Table = {
  'initiation-sent': /^peer\(.*\) - Sending handshake initiation$/,
  'initiation-received': /^peer\(.*\) - Received handshake initiation$/,
  'initiation-invalid': /^Received invalid initiation message from/,
  'initiation-replay': /^peer\(.*\) - ConsumeMessageInitiation: handshake replay @/,
  'initiation-flood': /^peer\(.*\) - ConsumeMessageInitiation: handshake flood$/,
  'response-sent': /^peer\(.*\) - Sending handshake response$/,
  'response-received': /^peer\(.*\) - Received handshake response$/,
  'response-invalid': /^Received invalid response message from/,
  'mac-invalid': /^Received packet with invalid mac1$/,
  'cookie-sent': /^Sending cookie response for denied handshake message for/,
  'cookie-received': /^Receiving cookie response from/,
  'cookie-invalid': /^Could not decrypt invalid cookie response$/,
  'keepalive-received': /^peer\(.*\) - Receiving keepalive packet$/,
  'not-ip': /^Packet with invalid IP version from/,
  'source-refused': /^IPv[46] packet with disallowed source address from/,
  'type-unknown': /^Received message with unknown type$/,
};

const TABLES: Readonly<Record<RemoteKind, Table>> = { linux: KERNEL, 'wireguard-go': GO };

/** Of the device's own doing, at its own time: not an answer to a message. */
const ASIDE: Readonly<Record<RemoteKind, RegExp>> = {
  linux:
    /^(Keypair \d+ (created|destroyed)|Peer \d+ .*(created|destroyed)|Interface (created|destroyed)|Sending keepalive packet|Retrying handshake with peer|Handshake for peer .* did not complete|Zeroing out all keys|No peer has allowed IPs matching ff02:)/,
  'wireguard-go':
    /^(UAPI: |Routine: |UDP bind has been updated|Interface (state|up|closed)|Device (clos|start)|MTU|peer\(.*\) - (Sending keepalive packet|Starting|Stopping|UAPI: |Retrying handshake|Handshake did not complete|Removing all keys|Routine: )|UAPI listener|Starting wireguard-go|Received packet with unknown IP version)/,
};

export interface Entry {
  /** `other`: a line that no table has. */
  readonly kind: LineKind | 'aside' | 'other';
  readonly text: string;
}

/** The text without the prefix that names the device. */
export function readLine(remote: RemoteKind, text: string): Entry {
  for (const [kind, form] of Object.entries(TABLES[remote])) {
    if (form.test(text)) return { kind: kind as LineKind, text };
  }
  return { kind: ASIDE[remote].test(text) ? 'aside' : 'other', text };
}
