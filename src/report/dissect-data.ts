/** Data messages, field by field (wp §5.4.6): the counter in its window, the session and its age, the packet inside. */
import { indexText } from '../analyze/merge.ts';
import type { Opened } from '../analyze/observe.ts';
import type { Placed } from '../analyze/sessions.ts';
import type { ResponseSight } from '../analyze/sight.ts';
import type { Half, Seen } from '../analyze/timeline.ts';
import { u64le } from '../base/bytes.ts';
import { msBetween } from '../base/time.ts';
import { TAG } from '../crypto/port.ts';
import { REJECT_AFTER_TIME_MS, REKEY_AFTER_TIME_MS, REPLAY_WINDOW } from '../wg/constants.ts';
import { DATA, DATA_MIN_BYTES } from '../wg/message/data.ts';
import { indexField, typeFields } from './dissect-handshake.ts';
import type { Inner } from './dissect-inner.ts';
import { keyFields } from './dissect-keys.ts';
import type { DissectedField } from './dissect-model.ts';
import { told, type WireFields } from './dissect-wire.ts';

/** Where a counter stood when it came. */
export interface Position {
  /** Of those that came before in this direction and were not refused as forged; undefined: it is the first. */
  readonly greatest: number | undefined;
  readonly cameBefore: boolean;
}

/** Follows each direction by itself, since a tracker has noted a message already when it tells of it. */
export class Positions {
  readonly #halves = new WeakMap<Half, { greatest: number; replayed: number }>();

  take({ half }: Placed, { counter }: Seen, opened: Opened | undefined): Position {
    const known = this.#halves.get(half);
    if (known === undefined) {
      if (opened?.drop !== UNSEALABLE) this.#halves.set(half, { greatest: counter, replayed: half.replayed });
      return { greatest: undefined, cameBefore: false };
    }
    const position = { greatest: known.greatest, cameBefore: half.replayed > known.replayed };
    known.replayed = half.replayed;
    if (counter > known.greatest && opened?.drop !== UNSEALABLE) known.greatest = counter;
    return position;
  }
}

const UNSEALABLE = 'data-unsealable';

export function positionText({ greatest, cameBefore }: Position, counter: number): string {
  if (greatest === undefined)
    return counter === 0 ? 'the first of this direction' : 'the first of this direction that the capture has';
  if (counter === greatest + 1) return `the next after ${greatest}`;
  if (counter > greatest) return `${counter - greatest - 1} missing between ${greatest} and this one`;
  const behind = greatest - counter;
  const place = behind === 0 ? `the greatest so far` : `${behind} behind the greatest, ${greatest}`;
  if (cameBefore) return `came before: ${place}`;
  return `${place}: ${behind > REPLAY_WINDOW ? 'too old for' : 'within'} the window of ${REPLAY_WINDOW}`;
}

export interface DataFacts {
  readonly seen: Seen;
  readonly placed: Placed | undefined;
  readonly position: Position | undefined;
  readonly opened: Opened | undefined;
  readonly inner: Inner | undefined;
}

export function dataFields(facts: DataFacts, wire: WireFields): DissectedField[] {
  const { seen, placed, position, opened, inner } = facts;
  const sealed = { at: DATA.size, length: Math.max(TAG, seen.length - DATA.size) };
  const tag = opened === undefined ? undefined : opened.drop !== UNSEALABLE;
  const length = sealed.length - TAG;
  return [
    ...typeFields(wire, 'data'),
    indexField(wire, 'receiver', DATA.receiver, receiverText(placed)),
    wire.field('counter', DATA.counter, () => {
      const value = String(u64le(wire.get(DATA.counter), 0));
      return position === undefined ? { value } : { value, meaning: positionText(position, seen.counter) };
    }),
    wire.sealed('sealedPacket', sealed, tag, inner?.fields ?? [], innerText(seen, inner, length)),
    ...(placed === undefined ? [] : sessionFields(seen, placed)),
    told('keepalive', { value: seen.length === DATA_MIN_BYTES }),
    ...keyFields(openedWith(facts), opened === undefined ? missingKeys(facts) : []),
    told('verdict', {
      value: opened?.verdict ?? 'undecided',
      ...(opened?.drop === undefined ? {} : { meaning: opened.drop }),
    }),
  ];
}

function receiverText(placed: Placed | undefined): string {
  if (placed === undefined || placed.by === 'unknown') return 'of a session whose handshake is not in this capture';
  const { half } = placed;
  return `of the ${placed.by === 'initiator' ? 'responder' : 'initiator'}: message ${half.packets} to it`;
}

function innerText({ length }: Seen, inner: Inner | undefined, innerLength: number): string {
  if (length === DATA_MIN_BYTES) return 'a keepalive: nothing is inside';
  return `${innerLength} bytes with padding${inner === undefined ? ', sealed' : ''}, and the tag`;
}

/** The response that both indices come from. */
function responseOf({ session }: Placed): { readonly seen: Seen; readonly sight: ResponseSight } | undefined {
  return session.exchange?.responses.find(({ seen }) => seen.sender === session.responderIndex);
}

function sessionFields(seen: Seen, placed: Placed): DissectedField[] {
  const { session, half, by } = placed;
  const { initiatorIndex, responderIndex, exchange } = session;
  const response = responseOf(placed)?.seen;
  const move = half.moves.at(-1);
  const moved = move !== undefined && move.at.frame === seen.at.frame;
  if (initiatorIndex === undefined || responderIndex === undefined || response === undefined) {
    const value = indexText(seen.receiver);
    return [
      told('session', { value, meaning: 'its handshake is not in this capture' }),
      ...roamed(moved, move?.from.text),
    ];
  }
  const ageMs = msBetween(response.at.time, seen.at.time);
  const asked = exchange?.initiation?.at.frame;
  const frames = asked === undefined ? `frame ${response.at.frame}` : `frames ${asked} and ${response.at.frame}`;
  return [
    told('session', {
      value: `${indexText(initiatorIndex)}/${indexText(responderIndex)}`,
      meaning: `handshake in ${frames}`,
      fields: [
        ...(by === 'unknown' ? [] : [told('sentBy', { value: by })]),
        told('ageMs', { value: Number(ageMs.toFixed(3)), meaning: ageText(ageMs) }),
      ],
    }),
    ...roamed(moved, move?.from.text),
  ];
}

function roamed(moved: boolean, from: string | undefined): DissectedField[] {
  return moved && from !== undefined
    ? [told('movedFrom', { value: from, meaning: 'the sender’s address until now' })]
    : [];
}

function ageText(ageMs: number): string {
  const since = 'since the response';
  if (ageMs >= REJECT_AFTER_TIME_MS) return `${since}; past ${REJECT_AFTER_TIME_MS / 1000} s, when it is refused`;
  return ageMs >= REKEY_AFTER_TIME_MS ? `${since}; past ${REKEY_AFTER_TIME_MS / 1000} s, when a new one is due` : since;
}

function openedWith({ opened, placed, seen }: DataFacts): string[] {
  if (opened === undefined || opened.drop === UNSEALABLE) return [];
  if (opened.keyFrom !== undefined) return [`traffic key ${opened.keyFrom}`];
  const response = placed === undefined ? undefined : responseOf(placed);
  if (response?.sight.opensWith === undefined)
    return [`key of another handshake with the index ${indexText(seen.receiver)}`];
  const asked = placed?.session.exchange?.initiation?.at.frame ?? 0;
  return [`session key from the handshake in frames ${asked} and ${response.seen.at.frame}`];
}

function missingKeys({ seen, placed }: DataFacts): string[] {
  if (seen.cut) return ['a capture that does not cut the message'];
  const response = placed === undefined ? undefined : responseOf(placed);
  const traffic = `a traffic key for ${indexText(seen.receiver)}`;
  if (response === undefined) return [`the handshake of this session with its keys, or ${traffic}`];
  const { verdict } = response.sight;
  if (verdict.kind !== 'undecided') return [`the PSK of the handshake, or ${traffic}`];
  return [...verdict.missing.map((one) => `${one} for the handshake`), `or ${traffic}`];
}
