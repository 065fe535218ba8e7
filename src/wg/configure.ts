/** Changes to a running device, as `wg set` makes them (kernel netlink.c). */
import { toBase64 } from '../base/base64.ts';
import { equal } from '../base/bytes.ts';
import { clamped, type PrivateKey, type PublicKey } from '../base/keys.ts';
import type { Now } from '../base/time.ts';
import { type Core, identityOf } from './core.ts';
import { Peer } from './peer.ts';
import { flushStaged, sendKeepalive } from './send-data.ts';
import type { Change, Effect, PeerChange, Verdict } from './step.ts';

const DONE: Verdict = { kind: 'done' };

export function configure(core: Core, change: Change, now: Now, effects: Effect[]): Verdict {
  switch (change.change) {
    case 'private-key':
      return setPrivateKey(core, change.privateKey, now, effects);
    case 'peer':
      return setPeer(core, change, now, effects);
    case 'remove-peer':
      return removePeer(core, change.publicKey);
    case 'mtu':
      core.mtu = change.mtu;
      return DONE;
  }
}

/**
 * Sessions go on receiving, but everything that is sent from now on needs a new one. The key is kept clamped, and so is
 * what `wg showconf` prints (kernel noise.c, wg_noise_set_static_identity_private_key).
 */
function setPrivateKey(core: Core, given: PrivateKey | undefined, now: Now, effects: Effect[]): Verdict {
  const old = core.identity;
  const secret = given === undefined ? undefined : clamped(given);
  if (secret !== undefined && old !== undefined && equal(secret, old.secret)) {
    secret.fill(0);
    return DONE;
  }
  core.identity = secret === undefined ? undefined : identityOf(core.crypto, secret);
  old?.secret.fill(0);
  if (core.identity !== undefined) removePeer(core, core.identity.publicKey);
  for (const peer of core.peers.values()) {
    core.precompute(peer);
    core.free(peer.handshake.clear());
    peer.handshake.forgetLastSent();
    peer.keyring.stopSending();
    flushStaged(core, peer, now, effects);
    core.deadlines.update(peer);
  }
  return DONE;
}

function setPeer(core: Core, change: PeerChange, now: Now, effects: Effect[]): Verdict {
  const id = toBase64(change.publicKey);
  if (core.identity !== undefined && equal(core.identity.publicKey, change.publicKey)) {
    return core.refuse({ kind: 'peer-is-self', peer: id });
  }
  const peer = core.peers.get(id) ?? addPeer(core, change.publicKey);
  if (change.presharedKey !== undefined) peer.setPsk(change.presharedKey);
  if (change.endpoint !== undefined) {
    peer.endpoint = change.endpoint;
    peer.local = undefined;
  }
  if (change.replaceAllowedIps === true) core.allowedIps.removePeer(peer);
  for (const prefix of change.removeAllowedIps ?? []) core.allowedIps.remove(prefix, peer);
  for (const prefix of change.allowedIps ?? []) core.allowedIps.insert(prefix, peer);
  if (change.persistentKeepalive !== undefined) {
    const was = peer.timers.persistentKeepaliveMs;
    peer.timers.persistentKeepaliveMs = change.persistentKeepalive * 1000;
    if (was === 0 && change.persistentKeepalive > 0) sendKeepalive(core, peer, now, effects);
  }
  flushStaged(core, peer, now, effects);
  core.deadlines.update(peer);
  return DONE;
}

function addPeer(core: Core, key: PublicKey): Peer {
  const peer = new Peer(core.crypto, core.random, core.policy, key);
  core.peers.set(peer.id, peer);
  core.precompute(peer);
  return peer;
}

/** With it go its timestamp, so that a peer whose clock went back can come again, and everything secret. */
function removePeer(core: Core, key: PublicKey): Verdict {
  const peer = core.peers.get(toBase64(key));
  if (peer === undefined) return DONE;
  core.peers.delete(peer.id);
  core.allowedIps.removePeer(peer);
  core.deadlines.remove(peer);
  core.zeroKeys(peer);
  peer.wipe();
  return DONE;
}
