/** What each timer does when it is due (wp §6, kernel timers.c). */
import type { Now } from '../base/time.ts';
import type { Core } from './core.ts';
import type { Drop } from './drop.ts';
import type { Peer } from './peer.ts';
import { sendKeepalive } from './send-data.ts';
import { requestInitiation } from './send-handshake.ts';
import type { Effect } from './step.ts';
import { TIMER_NAMES, type TimerName } from './timers.ts';

/** Everything that is due, earliest first. Each timer fires once: what it arms again lies ahead. */
export function runTimers(core: Core, now: Now, effects: Effect[]): void {
  for (let left = core.peers.size * TIMER_NAMES.length; left > 0; left--) {
    const peer = core.deadlines.first;
    if (peer === undefined || peer.earliestMs > now.monoMs) return;
    const { earliest } = peer.timers;
    if (earliest !== undefined) fire(core, peer, earliest, now, effects);
    core.deadlines.update(peer);
  }
}

function fire(core: Core, peer: Peer, timer: TimerName, now: Now, effects: Effect[]): void {
  peer.timers.fired(timer, now.monoMs);
  switch (timer) {
    case 'retransmit-handshake':
      if (isOver(core, peer, now.monoMs)) giveUp(core, peer, now, effects);
      else retransmit(core, peer, now, effects);
      break;
    case 'send-keepalive':
      sendKeepalive(core, peer, now, effects);
      peer.timers.keepaliveFired(now.monoMs);
      break;
    case 'new-handshake':
      core.event(peer, { what: 'peer-silent' }, effects);
      peer.local = undefined;
      requestInitiation(core, peer, 'new', now, effects);
      break;
    case 'zero-keys':
      core.zeroKeys(peer);
      core.event(peer, { what: 'keys-zeroed' }, effects);
      break;
    case 'persistent-keepalive':
      sendKeepalive(core, peer, now, effects);
      break;
  }
}

function giveUp(core: Core, peer: Peer, now: Now, effects: Effect[]): void {
  const { handshake, staged, timers } = peer;
  const drop: Drop = {
    kind: 'handshake-gave-up',
    peer: peer.id,
    initiations: handshake.retries + 1,
    staged: staged.length,
  };
  staged.length = 0;
  timers.gaveUp(now.monoMs);
  handshake.rowEnded();
  // Where an unanswered initiation holds back the next, it must be forgotten for there to be one.
  if (core.policy.spacing === 'in-progress') core.free(handshake.clear());
  core.drop(drop, effects);
}

function retransmit(core: Core, peer: Peer, now: Now, effects: Effect[]): void {
  peer.handshake.retry();
  // Perhaps our own address is the trouble (kernel timers.c).
  peer.local = undefined;
  core.event(peer, { what: 'handshake-retry', retry: peer.handshake.retries }, effects);
  requestInitiation(core, peer, 'retry', now, effects);
}

function isOver(core: Core, { handshake }: Peer, nowMs: number): boolean {
  const { giveUp } = core.policy;
  if (giveUp.by === 'retries') return handshake.retries >= giveUp.retries;
  return nowMs - (handshake.firstMs ?? nowMs) >= giveUp.ms;
}
