/** Which messages are shown: by frame, conversation, session, peer, type and time. All that is given must hold. */
import type { KnownKey } from '../analyze/key-set.ts';
import type { Exchange, Seen, Session } from '../analyze/timeline.ts';
import { formatIp } from '../base/address.ts';
import { toBase64 } from '../base/base64.ts';
import type { PublicKey } from '../base/keys.ts';
import { compareTime, nsBetween, type Time } from '../base/time.ts';
import type { MessageKind } from '../wg/drop.ts';
import { DATA_MIN_BYTES } from '../wg/message/data.ts';

export type TypeName = MessageKind | 'keepalive' | 'malformed';

export interface FrameRange {
  readonly low: number;
  readonly high: number;
}

/** An address, or an address with its port. */
export interface End {
  /** Canonical. */
  readonly ip: string;
  readonly port: number | undefined;
}

/** Since the first frame, nanoseconds, or a moment of the capture’s clock. */
export type Moment = { readonly kind: 'since'; readonly ns: bigint } | { readonly kind: 'clock'; readonly time: Time };

export interface DissectFilter {
  readonly frames?: readonly FrameRange[];
  /** One end, or both. */
  readonly conversation?: readonly [End] | readonly [End, End];
  /** Either index of a session. */
  readonly index?: number;
  /** A public key or its beginning, or a part of the name that a file gives it. */
  readonly peer?: string;
  readonly types?: readonly TypeName[];
  readonly after?: Moment;
  readonly before?: Moment;
}

/** What is asked of one message. */
export interface Filtered {
  readonly seen: Pick<Seen, 'at' | 'from' | 'to' | 'sender' | 'receiver' | 'length'>;
  readonly type: MessageKind | 'malformed' | 'unread';
  readonly exchange: Exchange | undefined;
  readonly session: Session | undefined;
  /** Time of the first frame of the capture. */
  readonly start: Time | undefined;
}

export type FindKey = (key: PublicKey) => KnownKey | undefined;

export function letsThrough(filter: DissectFilter, asked: Filtered, find: FindKey): boolean {
  const { frames, conversation, index, peer, types } = filter;
  const { seen } = asked;
  if (frames?.every(({ low, high }) => seen.at.frame < low || seen.at.frame > high)) return false;
  if (types !== undefined && !types.some((type) => isType(type, asked))) return false;
  if (conversation !== undefined && !isBetween(conversation, seen)) return false;
  if (index !== undefined && !indicesOf(asked).includes(index)) return false;
  if (!isWithin(filter, asked)) return false;
  return peer === undefined || keysOf(asked).some((key) => isNamed(key, peer, find));
}

/** Beyond the last frame that is asked for nothing has to be read. */
export function lastFrame({ frames }: DissectFilter): number {
  return frames === undefined ? Number.POSITIVE_INFINITY : Math.max(...frames.map(({ high }) => high));
}

function isType(type: TypeName, { type: is, seen }: Filtered): boolean {
  if (type === 'keepalive') return is === 'data' && seen.length === DATA_MIN_BYTES;
  if (type === 'malformed') return is === 'malformed' || is === 'unread';
  return is === type;
}

function isBetween([one, other]: readonly [End, End?], { from, to }: Filtered['seen']): boolean {
  const is = (end: End, seen: Seen['from']): boolean =>
    (end.port === undefined || end.port === seen.port) && end.ip === formatIp(seen.ip);
  if (other === undefined) return is(one, from) || is(one, to);
  return (is(one, from) && is(other, to)) || (is(one, to) && is(other, from));
}

/** Of the message, and of the whole handshake and session that it belongs to. */
function indicesOf({ seen, exchange, session }: Filtered): (number | undefined)[] {
  const answered = exchange?.responses.map((response) => response.seen.sender) ?? [];
  return [
    seen.sender === 0 ? undefined : seen.sender,
    seen.receiver === 0 ? undefined : seen.receiver,
    exchange?.initiatorIndex,
    session?.initiatorIndex,
    session?.responderIndex,
    ...answered,
  ];
}

function isWithin({ after, before }: DissectFilter, { seen, start }: Filtered): boolean {
  const { time } = seen.at;
  const compare = (moment: Moment): number => {
    if (moment.kind === 'clock') return compareTime(time, moment.time);
    const since = start === undefined ? 0n : nsBetween(start, time);
    return since < moment.ns ? -1 : since > moment.ns ? 1 : 0;
  };
  return (after === undefined || compare(after) >= 0) && (before === undefined || compare(before) <= 0);
}

/** The two ends of the handshake, as far as its messages tell them. */
function keysOf({ exchange }: Filtered): PublicKey[] {
  const { sight, responses } = exchange ?? {};
  const owners = [sight?.mac1, ...(responses ?? []).map((response) => response.sight.mac1)];
  const keys = owners.flatMap((mac1) => (mac1?.kind === 'known' ? [mac1.key.key] : []));
  return sight?.identity === undefined ? keys : [...keys, sight.identity];
}

function isNamed(key: PublicKey, peer: string, find: FindKey): boolean {
  if (toBase64(key).startsWith(peer)) return true;
  const asked = peer.toLowerCase();
  return find(key)?.sources.some((source) => source.toLowerCase().includes(asked)) ?? false;
}
