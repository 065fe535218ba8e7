/** What is known of single frames, as events: one for each message, with the verdict on it, as soon as it was read. */
import { indexText } from '../analyze/merge.ts';
import type { InitiationSight, ResponseSight, Verdict } from '../analyze/sight.ts';
import type { FrameId, Seen } from '../analyze/timeline.ts';
import type { MessageDetails, TrackerHooks } from '../analyze/tracker-hooks.ts';
import { toBase64 } from '../base/base64.ts';
import { toHex, u64le } from '../base/bytes.ts';
import { formatTime } from '../base/time.ts';
import type { MessageEvent, WgwhyEvent } from './event.ts';
import { InnerEndsReader } from './inner-ends.ts';
import type { FrameRef } from './model.ts';

const schema = 'wgwhy/event/1';

export function frameRef({ capture, frame, time }: FrameId): FrameRef {
  return { input: capture, frame, time: time.sec === 0 && time.nsec === 0 ? '' : formatTime(time) };
}

export function eventHooks(emit: (event: WgwhyEvent) => void): TrackerHooks {
  const inner = new InnerEndsReader();
  return { ...otherHooks(emit), message: (seen, details) => emit(messageEvent(seen, details, inner)) };
}

/** All but those of messages. */
export function otherHooks(emit: (event: WgwhyEvent) => void): TrackerHooks {
  return {
    skipped: (at, skip) =>
      emit({ schema, event: 'frame-skipped', at: frameRef(at), reason: skip.reason, detail: skip.detail }),
    session: (exchange, seen) =>
      emit({
        schema,
        event: 'session',
        at: frameRef(seen.at),
        initiator: exchange.initiator.text,
        responder: exchange.responder.text,
        indices: `${indexText(exchange.initiatorIndex)}/${indexText(seen.receiver)}`,
        state: 'established',
      }),
  };
}

export function messageEvent(
  seen: Seen,
  { sight, response, cookie, opened }: MessageDetails,
  inner: InnerEndsReader,
): MessageEvent {
  const ends = opened?.plaintext === undefined ? undefined : inner.read(opened.plaintext)?.ends;
  const verdict = (sight ?? response ?? cookie)?.verdict;
  return {
    schema,
    event: 'message',
    at: frameRef(seen.at),
    message: seen.kind,
    from: seen.from.text,
    to: seen.to.text,
    length: seen.length,
    ...indices(seen),
    ...(sight === undefined ? {} : initiationFields(sight)),
    ...(response === undefined ? {} : responseFields(response)),
    ...(opened?.innerLength === undefined ? {} : { innerLength: opened.innerLength }),
    ...(ends === undefined ? {} : { inner: ends }),
    ...(verdict === undefined ? {} : verdictFields(verdict)),
    ...(opened === undefined ? {} : { verdict: opened.verdict }),
    ...(opened?.drop === undefined ? {} : { drop: opened.drop }),
  };
}

function indices(seen: Seen): { sender?: string; receiver?: string; counter?: string } {
  if (seen.kind === 'initiation') return { sender: indexText(seen.sender) };
  if (seen.kind === 'response') return { sender: indexText(seen.sender), receiver: indexText(seen.receiver) };
  if (seen.kind === 'cookie-reply') return { receiver: indexText(seen.receiver) };
  return { receiver: indexText(seen.receiver), counter: exactCounter(seen).toString() };
}

/** Of a data message while its bytes are there: a number is exact up to 2^53 only, and nothing real goes beyond. */
export function exactCounter({ counter, bytes }: Seen): bigint {
  return counter < Number.MAX_SAFE_INTEGER || bytes.length < 16 ? BigInt(counter) : u64le(bytes, 8);
}

function ownerField(mac1: InitiationSight['mac1']): { mac1Owner?: string | null } {
  if (mac1.kind === 'untried') return {};
  return { mac1Owner: mac1.kind === 'known' ? mac1.key.text : null };
}

function initiationFields(sight: InitiationSight) {
  return {
    ...ownerField(sight.mac1),
    ...(sight.identity === undefined ? {} : { initiator: toBase64(sight.identity) }),
    ...(sight.timestamp === undefined ? {} : { tai64n: toHex(sight.timestamp) }),
  };
}

function responseFields(sight: ResponseSight) {
  return {
    ...ownerField(sight.mac1),
    ...(sight.handshakeOk === undefined ? {} : { handshakeOk: sight.handshakeOk }),
    ...(sight.opensWith === undefined || sight.opensWith.bound ? {} : { opensWith: sight.opensWith.where }),
  };
}

function verdictFields(verdict: Verdict) {
  if (verdict.kind === 'accepted') return { verdict: verdict.kind };
  if (verdict.kind === 'refused') return { verdict: verdict.kind, drop: verdict.drop.kind };
  return { verdict: verdict.kind, missing: verdict.missing };
}
