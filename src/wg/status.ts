/** What a device tells about itself: the columns of `wg show dump`, and what the timers have in mind. */
import type { Endpoint, Prefix } from '../base/address.ts';
import { copy, isZero } from '../base/bytes.ts';
import { type PresharedKey, type PrivateKey, type PublicKey, presharedKey, privateKey } from '../base/keys.ts';
import type { Time } from '../base/time.ts';
import type { Core } from './core.ts';
import type { PeerId } from './drop.ts';
import type { Peer } from './peer.ts';
import type { Role, Session } from './session.ts';
import { TIMER_NAMES, type TimerName } from './timers.ts';

export interface SessionStatus {
  readonly slot: 'previous' | 'current' | 'next';
  readonly role: Role;
  readonly local: number;
  readonly remote: number;
  readonly createdAtMs: number;
}

export interface PeerStatus {
  readonly id: PeerId;
  readonly publicKey: PublicKey;
  /** Never the key itself. */
  readonly hasPresharedKey: boolean;
  readonly endpoint: Endpoint | undefined;
  readonly allowedIps: readonly Prefix[];
  /** Wall time; undefined before the first. */
  readonly latestHandshake: Time | undefined;
  /** UDP payload bytes, as the kernel counts them: what was refused inside is not among them. */
  readonly receivedBytes: number;
  readonly sentBytes: number;
  /** Seconds, 0 for off. */
  readonly persistentKeepalive: number;
  readonly sessions: readonly SessionStatus[];
  readonly staged: number;
  /** Monotonic milliseconds of what is armed. */
  readonly timers: Readonly<Partial<Record<TimerName, number>>>;
}

export function peerStatus(core: Core, peer: Peer): PeerStatus {
  return {
    id: peer.id,
    publicKey: peer.publicKey,
    hasPresharedKey: !isZero(peer.psk),
    endpoint: peer.endpoint,
    allowedIps: core.allowedIps.entries(peer),
    latestHandshake: peer.latestHandshake,
    receivedBytes: peer.receivedBytes,
    sentBytes: peer.sentBytes,
    persistentKeepalive: peer.timers.persistentKeepaliveMs / 1000,
    sessions: sessionsOf(peer),
    staged: peer.staged.length,
    timers: armed(peer),
  };
}

/** See {@link Device.secrets}. */
export interface DeviceSecrets {
  readonly privateKey: PrivateKey | undefined;
  /** Of the peers that have one. */
  readonly presharedKeys: ReadonlyMap<PeerId, PresharedKey>;
}

export function deviceSecrets(core: Core): DeviceSecrets {
  const presharedKeys = new Map<PeerId, PresharedKey>();
  for (const { id, psk } of core.peers.values()) if (!isZero(psk)) presharedKeys.set(id, presharedKey(copy(psk)));
  const secret = core.identity?.secret;
  return { privateKey: secret === undefined ? undefined : privateKey(copy(secret)), presharedKeys };
}

function sessionsOf({ keyring }: Peer): SessionStatus[] {
  const of = (slot: SessionStatus['slot'], session: Session | undefined): SessionStatus[] => {
    if (session === undefined) return [];
    const { role, localIndex: local, remoteIndex: remote, createdAtMs } = session;
    return [{ slot, role, local, remote, createdAtMs }];
  };
  return [...of('previous', keyring.previous), ...of('current', keyring.current), ...of('next', keyring.next)];
}

function armed({ timers }: Peer): Partial<Record<TimerName, number>> {
  const out: Partial<Record<TimerName, number>> = {};
  for (const timer of TIMER_NAMES) {
    const at = timers.deadline(timer);
    if (at !== undefined) out[timer] = at;
  }
  return out;
}
