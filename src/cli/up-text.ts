/** What a running tunnel says of itself: one line a peer, and one for each thing that happens to it. */
import { formatPrefix } from '../base/address.ts';
import { msBetween, type Now } from '../base/time.ts';
import type { SocketTrouble } from '../io/linux/icmp-error.ts';
import { REJECT_AFTER_TIME_MS } from '../wg/constants.ts';
import type { PeerStatus } from '../wg/status.ts';
import type { DeviceEvent } from '../wg/step.ts';
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

/** Undefined for what happens all the time. */
export function eventLine(name: string, event: DeviceEvent): string | undefined {
  switch (event.what) {
    case 'handshake-complete':
      return `${name}: handshake complete, ${event.role === 'initiator' ? 'we began it' : 'the other end began it'}`;
    case 'handshake-retry':
      return `${name}: no answer to the handshake for 5 s, try ${event.retry + 1}`;
    case 'peer-silent':
      return `${name}: nothing came back for 15 s after data was sent: a new handshake begins`;
    case 'keys-zeroed':
      return `${name}: no handshake for 9 min: all session keys are wiped`;
    case 'endpoint-learned':
      return event.from === undefined
        ? `${name} is at ${event.to.text}`
        : `${name} moved from ${event.from.text} to ${event.to.text}`;
    case 'session-derived':
      return undefined;
  }
}

export function troubleLine({ code, icmp, to }: SocketTrouble): string {
  const { what, cause } = icmpInWords(code, icmp);
  return `${what}${to === undefined ? '' : `, about what went to ${to.text}`}: ${cause}`;
}
