/** From a data message to an inner packet: key, age, window, and whether the peer may have sent it (wp §5.4.6, §3). */
import { u32le } from '../base/bytes.ts';
import type { Now } from '../base/time.ts';
import { REKEY_ON_RECEIVE_AFTER_MS } from './constants.ts';
import type { Core } from './core.ts';
import { addressLength, addressText, claimedLength, refuseInner, sourceAt } from './inner-packet.ts';
import { DATA, DATA_MIN_BYTES } from './message/data.ts';
import type { Peer } from './peer.ts';
import { refuseCounter } from './replay.ts';
import { flushStaged } from './send-data.ts';
import { requestInitiation } from './send-handshake.ts';
import type { Session } from './session.ts';
import type { DatagramInput, Effect, Verdict } from './step.ts';

/** `input.bytes` has the type and at least the length of a data message. */
export function receiveData(core: Core, input: DatagramInput, now: Now, effects: Effect[]): Verdict {
  const { bytes, queueDepth = 0 } = input;
  const { policy } = core;
  const receiver = u32le(bytes, DATA.receiver.at);
  const entry = core.index.get(receiver);
  if (entry?.kind !== 'session') return core.refuse({ kind: 'data-unknown-index', receiver });
  const { peer, session } = entry;
  const limit = policy.dataQueue;
  if (limit !== undefined && queueDepth >= limit) {
    return core.refuse({ kind: 'data-queue-full', depth: queueDepth, limit });
  }
  if (session.expired(now.monoMs)) {
    const gone = policy.expiredSession === 'gone';
    const ageMs = session.ageMs(now.monoMs);
    return core.refuse(gone ? { kind: 'data-unknown-index', receiver } : { kind: 'data-key-expired', ageMs });
  }
  // Read now: opened in its own place, the plaintext takes the header's.
  const low = u32le(bytes, DATA.counter.at);
  const high = u32le(bytes, DATA.counter.at + 4);
  const { window } = session;
  if (policy.spentSessionEnds && window.spent) return core.refuse({ kind: 'data-key-spent' });
  if (policy.checksCounterFirst) {
    const early = refuseCounter(window.check(low, high), window.behind(low, high));
    if (early !== undefined) return core.refuse(early);
  }
  const length = bytes.length - DATA_MIN_BYTES;
  const out = input.out !== undefined && input.out.length >= length ? input.out : new Uint8Array(length);
  if (!session.open(bytes, out)) return core.refuse({ kind: 'data-unsealable' });
  const behind = window.behind(low, high);
  const replayed = refuseCounter(window.accept(low, high), behind);
  if (replayed !== undefined) return core.refuse(replayed);
  authenticated(core, peer, session, input, now, effects);
  const result = deliver(core, peer, out, length, bytes.length, now, effects);
  core.deadlines.update(peer);
  return result;
}

/** What stays even if the inner packet is refused (kernel receive.c). */
function authenticated(
  core: Core,
  peer: Peer,
  session: Session,
  input: DatagramInput,
  now: Now,
  effects: Effect[],
): void {
  core.learnEndpoint(peer, input.from, input.local, effects);
  // before anything is sent: what goes out now has not been answered by this
  peer.timers.authenticatedReceived(now.monoMs);
  const fallen = peer.keyring.confirm(session);
  if (fallen !== undefined) {
    core.forget(fallen);
    core.completeHandshake(peer, 'responder', now, effects);
    flushStaged(core, peer, now, effects);
  }
  const { current } = peer.keyring;
  if (
    current?.role === 'initiator' &&
    !peer.sentLastMinute &&
    current.sendable &&
    current.ageMs(now.monoMs) >= REKEY_ON_RECEIVE_AFTER_MS
  ) {
    peer.sentLastMinute = true;
    requestInitiation(core, peer, 'new', now, effects);
  }
}

/** `plain` holds `length` bytes, padding included, of a message of `messageLength`. */
function deliver(
  core: Core,
  peer: Peer,
  plain: Uint8Array,
  length: number,
  messageLength: number,
  now: Now,
  effects: Effect[],
): Verdict {
  if (length === 0) {
    peer.receivedBytes += messageLength;
    return peer.accepted.keepalive;
  }
  peer.timers.dataReceived(now.monoMs);
  const refused = refuseInner(plain, length, peer.id, core.policy.checksLeastLength);
  if (refused !== undefined) return core.refuse(refused);
  const at = sourceAt(plain);
  const owner = core.allowedIps.lookup(plain, at, addressLength(plain));
  if (owner !== peer) {
    const source = addressText(plain, at);
    return core.refuse({ kind: 'source-not-allowed', peer: peer.id, source, owner: owner?.id });
  }
  peer.receivedBytes += messageLength;
  effects.push({ kind: 'deliver', peer: peer.id, bytes: plain.subarray(0, claimedLength(plain)) });
  return peer.accepted.data;
}
