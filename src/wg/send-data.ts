/** From an inner packet to a data message: routing, staging, padding, and the rekey that sending may ask for (wp §5.4.6, §6.2). */
import type { Endpoint } from '../base/address.ts';
import { type Bytes, copy, EMPTY } from '../base/bytes.ts';
import type { Now } from '../base/time.ts';
import { PADDING_MULTIPLE, REKEY_AFTER_TIME_MS } from './constants.ts';
import type { Core } from './core.ts';
import { addressLength, addressText, destinationAt, isIp, outerTos } from './inner-packet.ts';
import type { Peer } from './peer.ts';
import { requestInitiation } from './send-handshake.ts';
import type { Session } from './session.ts';
import type { Effect, PacketInput, Verdict } from './step.ts';
import { HEADROOM, OVERHEAD } from './transport.ts';

/** Length with padding: a multiple of 16, but not beyond the MTU (wp §5.4.6, kernel send.c). */
export function paddedLength(length: number, mtu: number): number {
  const multiple = Math.ceil(length / PADDING_MULTIPLE) * PADDING_MULTIPLE;
  if (mtu <= 0) return multiple;
  const lastUnit = length > mtu ? length % mtu : length;
  return length + Math.min(mtu, Math.ceil(lastUnit / PADDING_MULTIPLE) * PADDING_MULTIPLE) - lastUnit;
}

export function sendPacket(core: Core, { bytes, out }: PacketInput, now: Now, effects: Effect[]): Verdict {
  if (!isIp(bytes, bytes.length)) return core.refuse({ kind: 'not-ip', actual: bytes.length });
  const at = destinationAt(bytes);
  const peer = core.allowedIps.lookup(bytes, at, addressLength(bytes));
  if (peer === undefined) return core.refuse({ kind: 'no-allowed-ip', destination: addressText(bytes, at) });
  const { endpoint } = peer;
  if (endpoint === undefined) return core.refuse({ kind: 'no-endpoint', peer: peer.id });

  const session = peer.keyring.current;
  if (session !== undefined && peer.staged.length === 0 && session.canSend(now.monoMs)) {
    sealAndPush(core, peer, session, endpoint, bytes, out, effects);
    afterSending(core, peer, session, true, now, effects);
    core.deadlines.update(peer);
    return peer.accepted.packet;
  }
  const { limit, drops } = core.policy.staged;
  if (peer.staged.length >= limit) {
    const overflow = { kind: 'staged-overflow', peer: peer.id, limit, dropped: drops } as const;
    if (drops === 'newest') return core.refuse(overflow);
    peer.staged.shift();
    core.drop(overflow, effects);
  }
  peer.staged.push(copy(bytes));
  flushStaged(core, peer, now, effects);
  core.deadlines.update(peer);
  return peer.accepted.packet;
}

/** A keepalive, unless packets wait that do as well; where there is no session it waits for one, and asks for it. */
export function sendKeepalive(core: Core, peer: Peer, now: Now, effects: Effect[]): void {
  if (peer.staged.length === 0) peer.staged.push(EMPTY);
  flushStaged(core, peer, now, effects);
}

/** Sends what waits, if there is a session to send it with; else asks for one. */
export function flushStaged(core: Core, peer: Peer, now: Now, effects: Effect[]): void {
  if (peer.staged.length === 0) return;
  const { endpoint, keyring } = peer;
  const session = keyring.current;
  let sent = 0;
  let data = false;
  if (session !== undefined && endpoint !== undefined) {
    for (const packet of peer.staged) {
      if (!session.canSend(now.monoMs)) break;
      sealAndPush(core, peer, session, endpoint, packet, undefined, effects);
      data ||= packet.length > 0;
      sent++;
    }
    peer.staged.splice(0, sent);
    if (sent > 0) afterSending(core, peer, session, data, now, effects);
  }
  if (peer.staged.length > 0) requestInitiation(core, peer, 'new', now, effects);
}

function sealAndPush(
  core: Core,
  peer: Peer,
  session: Session,
  to: Endpoint,
  packet: Bytes,
  out: Bytes | undefined,
  effects: Effect[],
): void {
  const plain = packet.length;
  const padded = core.policy.pads ? paddedLength(plain, core.mtu) : plain;
  const length = padded + OVERHEAD;
  const room = out !== undefined && out.length >= length ? out : new Uint8Array(length);
  room.set(packet, HEADROOM);
  room.fill(0, HEADROOM + plain, HEADROOM + padded);
  const tos = plain > 0 && core.policy.setsTos ? outerTos(packet) : 0;
  session.seal(room, padded);
  peer.sentBytes += length;
  effects.push({
    kind: 'send',
    to,
    local: peer.local,
    bytes: room.length === length ? room : room.subarray(0, length),
    message: plain === 0 ? 'keepalive' : 'data',
    peer: peer.id,
    tos,
  });
}

function afterSending(core: Core, peer: Peer, session: Session, data: boolean, now: Now, effects: Effect[]): void {
  peer.timers.authenticatedSent(now.monoMs);
  if (data) peer.timers.dataSent(now.monoMs);
  const ageMs = session.ageMs(now.monoMs);
  const old = core.policy.rekeysAtExactAge ? ageMs >= REKEY_AFTER_TIME_MS : ageMs > REKEY_AFTER_TIME_MS;
  if (session.wantsRekey || (session.role === 'initiator' && old)) requestInitiation(core, peer, 'new', now, effects);
}
