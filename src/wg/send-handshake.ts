/** Initiations: when one may go, and what is kept of it (wp §5.4.2, §6.1). */
import type { Endpoint } from '../base/address.ts';
import type { Bytes } from '../base/bytes.ts';
import { KEY_BYTES, privateKey } from '../base/keys.ts';
import type { Now } from '../base/time.ts';
import { HANDSHAKE_TOS, REKEY_TIMEOUT_MS } from './constants.ts';
import type { Core } from './core.ts';
import type { Drop } from './drop.ts';
import { logHandshake } from './key-log.ts';
import { stampMacs } from './mac.ts';
import { createInitiation } from './noise/initiation.ts';
import type { Peer } from './peer.ts';
import { randomBytes } from './random.ts';
import type { Effect } from './step.ts';
import { tai64nFromUnix } from './tai64n.ts';

/** Why an initiation is wanted: for a packet or a rule of the timers, or because the last was not answered. */
export type Wanted = 'new' | 'retry';

/** Sends one unless a handshake message left too short a time ago; else says why not. */
export function requestInitiation(core: Core, peer: Peer, wanted: Wanted, now: Now, effects: Effect[]): void {
  if (wanted === 'new' && core.policy.packetRestartsRetries) peer.handshake.restartRetries();
  const refused = tooSoon(core, peer, wanted, now.monoMs) ?? sendInitiation(core, peer, now, effects);
  if (refused !== undefined) core.drop(refused, effects);
}

function tooSoon(core: Core, { handshake, id }: Peer, wanted: Wanted, nowMs: number): Drop | undefined {
  const sinceMs = nowMs - handshake.lastSentMs;
  const waits =
    core.policy.spacing === 'last-sent' ? sinceMs < REKEY_TIMEOUT_MS : wanted === 'new' && handshake.own !== undefined;
  return waits ? { kind: 'handshake-suppressed', peer: id, sinceMs } : undefined;
}

function sendInitiation(core: Core, peer: Peer, now: Now, effects: Effect[]): Drop | undefined {
  const { crypto, identity, policy, random } = core;
  const { endpoint, ss } = peer;
  if (endpoint === undefined) return { kind: 'no-endpoint', peer: peer.id };
  if (identity === undefined) return { kind: 'no-private-key' };
  if (ss === undefined) {
    peer.handshake.attempted(now.monoMs);
    return { kind: 'weak-shared-secret', token: 'ss' };
  }
  const ephemeral = privateKey(randomBytes(random, KEY_BYTES, 'ephemeral'));
  const input = {
    local: identity,
    remote: peer.publicKey,
    ephemeral,
    sender: core.index.fresh(),
    timestamp: tai64nFromUnix(now.wall, policy.tai64n),
    ss,
  };
  const created = createInitiation(crypto, input, core.trace);
  if (!created.ok) {
    ephemeral.fill(0);
    return created.error;
  }
  const { bytes, ...transcript } = created.value;
  logHandshake(core.keyLog, { local: identity.secret, remote: peer.publicKey, ephemeral, psk: peer.psk });
  core.free(peer.handshake.initiated({ transcript, ephemeral, sentAtMs: now.monoMs }));
  core.index.set(transcript.sender, { kind: 'handshake', peer });
  pushHandshake(core, peer, endpoint, bytes, 'initiation', transcript.sender, now, effects);
  peer.timers.handshakeInitiated(now.monoMs);
  return undefined;
}

/** Stamps the MACs on, and accounts for what goes out. */
export function pushHandshake(
  core: Core,
  peer: Peer,
  to: Endpoint,
  bytes: Bytes,
  message: 'initiation' | 'response',
  sender: number,
  now: Now,
  effects: Effect[],
): void {
  const cookie = peer.jar.fresh(now.monoMs, core.policy.cookieUseMs);
  peer.jar.sent(stampMacs(core.crypto, peer.mac1Key, cookie, bytes), sender);
  peer.timers.authenticatedSent(now.monoMs);
  peer.sentBytes += bytes.length;
  const tos = core.policy.setsTos ? HANDSHAKE_TOS : 0;
  effects.push({ kind: 'send', to, local: peer.local, bytes, message, peer: peer.id, tos });
}
