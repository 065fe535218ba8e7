/** Handshake messages and cookie replies: who may be answered at all, and what becomes of them (wp §5.3, §5.4). */
import { toBase64 } from '../base/base64.ts';
import { isZero } from '../base/bytes.ts';
import { KEY_BYTES, privateKey } from '../base/keys.ts';
import type { Now } from '../base/time.ts';
import { COOKIE_NONCE_BYTES } from './constants.ts';
import { openCookieReply, sealCookieReply } from './cookie.ts';
import type { Core } from './core.ts';
import type { Drop } from './drop.ts';
import { logHandshake } from './key-log.ts';
import { verifyMac1, verifyMac2 } from './mac.ts';
import type { CookieReply } from './message/cookie-reply.ts';
import type { Initiation } from './message/initiation.ts';
import type { Response } from './message/response.ts';
import { consumeInitiation } from './noise/initiation.ts';
import { consumeResponse, createResponse } from './noise/response.ts';
import { initiatorKeys, responderKeys } from './noise/shared.ts';
import { randomBytes } from './random.ts';
import { sendKeepalive } from './send-data.ts';
import { pushHandshake } from './send-handshake.ts';
import type { DatagramInput, Effect, Verdict } from './step.ts';
import { gateAfter, refuseTimestamp } from './timestamp-gate.ts';

/** Queue, MAC1, load, MAC2, token bucket: before anything costs a DH. A cookie may go out with the refusal. */
function refuseUnvouched(
  core: Core,
  message: Initiation | Response,
  { from, queueDepth = 0 }: DatagramInput,
  now: Now,
  effects: Effect[],
): Drop | undefined {
  const { crypto, identity, policy } = core;
  const limit = policy.handshakeQueue;
  core.load.noteDepth(queueDepth, now.monoMs);
  if (limit !== undefined && queueDepth >= limit) return { kind: 'handshake-queue-full', depth: queueDepth, limit };
  if (identity === undefined) return { kind: 'no-private-key' };
  if (!verifyMac1(crypto, identity.mac1Key, message.bytes)) return { kind: 'mac1-invalid' };
  if (!core.load.underLoad(from.ip, now.monoMs)) return undefined;
  const cookie = core.cookies.cookie(from, now.monoMs);
  if (!verifyMac2(crypto, cookie, message.bytes)) {
    const nonce = randomBytes(core.random, COOKIE_NONCE_BYTES, 'cookie-nonce');
    const { mac1, mac2, sender } = message;
    const bytes = sealCookieReply(crypto, { key: identity.cookieKey, receiver: sender, nonce, cookie, mac1 });
    effects.push({ kind: 'send', to: from, local: undefined, bytes, message: 'cookie-reply', peer: undefined, tos: 0 });
    return { kind: 'cookie-demanded', message: message.kind, mac2: isZero(mac2) ? 'absent' : 'wrong' };
  }
  const allowed = core.limiter === undefined || core.limiter.allow(from.ip, now.monoMs);
  return allowed ? undefined : { kind: 'rate-limited', source: from.text };
}

/** A responder's whole part: read, judge, answer, and wait for the first data (wp §5.4.2, §5.4.3). */
export function receiveInitiation(
  core: Core,
  message: Initiation,
  input: DatagramInput,
  now: Now,
  effects: Effect[],
): Verdict {
  const { crypto, identity, policy, random } = core;
  const unvouched = refuseUnvouched(core, message, input, now, effects);
  if (unvouched !== undefined || identity === undefined) return core.refuse(unvouched ?? { kind: 'no-private-key' });
  const keys = responderKeys(crypto, identity, (key) => core.peers.get(toBase64(key)));
  const consumed = consumeInitiation(crypto, keys, message, core.trace);
  if (!consumed.ok) return core.refuse(consumed.error);
  const { peer, noise, timestamp } = consumed.value;
  const stale = refuseTimestamp(peer.gate, peer.publicKey, timestamp, now.monoMs, policy.flood);
  if (stale !== undefined) {
    noise.wipe();
    return core.refuse(stale);
  }
  const ephemeral = privateKey(randomBytes(random, KEY_BYTES, 'ephemeral'));
  const sender = core.index.fresh();
  const created = createResponse(crypto, consumed.value, { sender, ephemeral, psk: peer.psk }, core.trace);
  noise.wipe();
  const keysUsed = { local: identity.secret, remote: peer.publicKey, ephemeral, psk: peer.psk };
  if (created.ok) logHandshake(core.keyLog, keysUsed);
  ephemeral.fill(0);
  if (!created.ok) return core.refuse(created.error);

  peer.gate = gateAfter(timestamp, now.monoMs);
  core.free(peer.handshake.responded(now.monoMs));
  core.learnEndpoint(peer, input.from, input.local, effects);
  const session = { role: 'responder', localIndex: sender, remoteIndex: message.sender } as const;
  core.beginSession(peer, { ...session, keys: created.value.keys, nowMs: now.monoMs }, effects);
  pushHandshake(core, peer, input.from, created.value.bytes, 'response', sender, now, effects);
  peer.receivedBytes += message.bytes.length;
  peer.timers.authenticatedReceived(now.monoMs);
  core.deadlines.update(peer);
  return peer.accepted.initiation;
}

/** An initiator's second half: the session is used at once, which confirms it to the responder (wp §5.4.3). */
export function receiveResponse(
  core: Core,
  message: Response,
  input: DatagramInput,
  now: Now,
  effects: Effect[],
): Verdict {
  const { crypto, identity, policy } = core;
  const unvouched = refuseUnvouched(core, message, input, now, effects);
  if (unvouched !== undefined || identity === undefined) return core.refuse(unvouched ?? { kind: 'no-private-key' });
  const { receiver } = message;
  const entry = core.index.get(receiver);
  const own = entry?.peer.handshake.find(receiver);
  if (entry === undefined || own === undefined) {
    const known = entry !== undefined && policy.indexFindsPeer;
    return core.refuse({ kind: known ? 'response-wrong-state' : 'response-unknown-index', receiver });
  }
  const { peer } = entry;
  const keys = initiatorKeys(crypto, identity.secret, own.ephemeral);
  const consumed = consumeResponse(own.transcript, keys, message, peer.psk, core.trace);
  if (!consumed.ok) return core.refuse(consumed.error);

  peer.handshake.answered(own);
  core.learnEndpoint(peer, input.from, input.local, effects);
  // before the staged packets go out: the silence timer of those is their own
  peer.timers.authenticatedReceived(now.monoMs);
  const session = { role: 'initiator', localIndex: receiver, remoteIndex: message.sender } as const;
  core.beginSession(peer, { ...session, keys: consumed.value, nowMs: now.monoMs }, effects);
  core.completeHandshake(peer, 'initiator', now, effects);
  sendKeepalive(core, peer, now, effects);
  peer.receivedBytes += message.bytes.length;
  core.deadlines.update(peer);
  return peer.accepted.response;
}

/** Keeps the cookie for the next handshake message; nothing is sent again for it (wp §5.4.7). */
export function receiveCookieReply(
  core: Core,
  message: CookieReply,
  input: DatagramInput,
  now: Now,
  effects: Effect[],
): Verdict {
  const { crypto, policy } = core;
  const { receiver } = message;
  const peer = core.index.get(receiver)?.peer;
  if (peer === undefined || (policy.cookieForLastOnly && peer.jar.sender !== receiver)) {
    return core.refuse({ kind: 'cookie-unknown-index', receiver });
  }
  const { mac1 } = peer.jar;
  if (mac1 === undefined) return core.refuse({ kind: 'cookie-without-mac1' });
  const opened = openCookieReply(crypto, peer.cookieKey, message, mac1);
  if (!opened.ok) return core.refuse(opened.error);
  peer.jar.keep(opened.value, now.monoMs, policy.cookieOnce);
  if (policy.cookieMovesEndpoint) core.learnEndpoint(peer, input.from, input.local, effects);
  return peer.accepted['cookie-reply'];
}
