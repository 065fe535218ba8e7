/** What a running tunnel says of itself: one line a peer, and one for each thing that happens to it. */
import { formatPrefix } from '../base/address.ts';
import { toBase64 } from '../base/base64.ts';
import { isZero } from '../base/bytes.ts';
import { msBetween, type Now } from '../base/time.ts';
import type { UapiChange, UapiPeerChange } from '../config/uapi.ts';
import type { SocketTrouble } from '../io/linux/icmp-error.ts';
import type { LookedUp } from '../io/tunnel.ts';
import { REJECT_AFTER_TIME_MS } from '../wg/constants.ts';
import type { PeerStatus } from '../wg/status.ts';
import type { DeviceEvent } from '../wg/step.ts';
import type { PeerName } from './drop-words.ts';
import { unresolved } from './probe-verdict.ts';
import { icmpInWords } from './probe-words.ts';

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/** As `wg show` has it: 1.21 MiB. */
export function bytesText(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(2)} ${UNITS[unit] ?? ''}`;
}

function ago(ms: number): string {
  const sec = Math.max(0, Math.round(ms / 1000));
  if (sec < 120) return `${sec} s ago`;
  return sec < 7200 ? `${Math.round(sec / 60)} min ago` : `${Math.round(sec / 3600)} h ago`;
}

export function peerLine(name: string, peer: PeerStatus, now: Now): string {
  const { endpoint, latestHandshake, receivedBytes, sentBytes, persistentKeepalive, allowedIps, staged } = peer;
  const ageMs = latestHandshake === undefined ? undefined : msBetween(latestHandshake, now.wall);
  const shake =
    ageMs === undefined
      ? 'no handshake yet'
      : `latest handshake ${ago(ageMs)}${ageMs > REJECT_AFTER_TIME_MS ? ', so no session now' : ''}`;
  return [
    `${name} at ${endpoint?.text ?? 'no known endpoint'}: ${shake}`,
    `${bytesText(receivedBytes)} received, ${bytesText(sentBytes)} sent`,
    ...(persistentKeepalive > 0 ? [`keepalive every ${persistentKeepalive} s`] : []),
    ...(staged > 0 ? [`${staged} packet${staged === 1 ? '' : 's'} waiting`] : []),
    allowedIps.length === 0 ? 'no allowed IPs' : `allowed IPs ${allowedIps.map(formatPrefix).join(', ')}`,
  ].join('; ');
}

/** Undefined for what happens all the time, and for retries, which are only some of the handshakes without an answer. */
export function eventLine(name: string, event: DeviceEvent): string | undefined {
  switch (event.what) {
    case 'handshake-complete':
      return `${name}: handshake complete, ${event.role === 'initiator' ? 'we began it' : 'the other end began it'}`;
    case 'peer-silent':
      return `${name}: nothing came back for 15 s after data was sent: a new handshake begins`;
    case 'keys-zeroed':
      return `${name}: no handshake for 9 min: all session keys are wiped`;
    case 'endpoint-learned':
      return event.from === undefined
        ? `${name} is at ${event.to.text}`
        : `${name} moved from ${event.from.text} to ${event.to.text}`;
    case 'handshake-retry':
    case 'session-derived':
      return undefined;
  }
}

/** Of one that failed, and of one that gives another address than before. */
export function lookUpLine(name: string, found: LookedUp): string {
  if (found.kind === 'unresolved') {
    return `${unresolved(found).message}: ${name} is tried again when there is something to send`;
  }
  const { host, from, to } = found;
  return `${name}: ${host} is ${to.text} now${from === undefined ? '' : `, and was ${from.text}`}`;
}

/** Changes of one request that are told; `wg syncconf` may bring thousands. */
const MOST_CHANGES = 6;

/** What wg was used for, as far as it is no secret. */
export function changesLine(changes: readonly UapiChange[], name: PeerName): string {
  const told = changes.slice(0, MOST_CHANGES).map((change) => changeText(change, name));
  const more = changes.length - told.length;
  return `changed by wg: ${[...told, ...(more > 0 ? [`${more} more`] : [])].join('; ')}`;
}

function changeText(change: UapiChange, name: PeerName): string {
  switch (change.kind) {
    case 'private-key':
      return change.privateKey === undefined ? 'no private key any more' : 'private key set';
    case 'listen-port':
      return `UDP port ${change.port === 0 ? 'as it comes' : change.port}`;
    case 'fwmark':
      return change.fwmark === 0 ? 'no fwmark' : `fwmark ${change.fwmark}`;
    case 'replace-peers':
      return 'all peers replaced';
    case 'remove-peer':
      return `${name(toBase64(change.publicKey))} removed`;
    case 'peer':
      return peerChangeText(name(toBase64(change.publicKey)), change);
  }
}

function peerChangeText(name: string, change: UapiPeerChange): string {
  const { presharedKey, endpoint, persistentKeepalive: keepalive, replaceAllowedIps, allowedIps } = change;
  const added = allowedIps.filter(({ remove }) => !remove).map(({ prefix }) => formatPrefix(prefix));
  const removed = allowedIps.filter(({ remove }) => remove).map(({ prefix }) => formatPrefix(prefix));
  const parts = [
    ...(endpoint === undefined ? [] : [`endpoint ${endpoint.text}`]),
    ...(replaceAllowedIps && added.length === 0 ? ['no allowed IPs'] : []),
    ...(added.length === 0 ? [] : [`${replaceAllowedIps ? '' : 'further '}allowed IPs ${added.join(', ')}`]),
    ...(removed.length === 0 ? [] : [`without ${removed.join(', ')}`]),
    ...(presharedKey === undefined ? [] : [isZero(presharedKey) ? 'no preshared key' : 'preshared key']),
    ...(keepalive === undefined ? [] : [keepalive === 0 ? 'no keepalive' : `keepalive every ${keepalive} s`]),
  ];
  return parts.length === 0 ? `${name} added` : `${name} set: ${parts.join(', ')}`;
}

/** What came or went wrong, without who sent it. */
export function troubleKind({ code, icmp }: SocketTrouble): string {
  const { what } = icmpInWords(code, icmp);
  const by = `${icmp?.from} answers `;
  return what.startsWith(by) ? what.slice(by.length) : what;
}

export function troubleLine({ code, icmp, to }: SocketTrouble): string {
  const { what, cause } = icmpInWords(code, icmp);
  return `${what}${to === undefined ? '' : `, about what went to ${to.text}`}: ${cause}`;
}
