/** The filters of `dissect` as options: frames, conversation, session, peer, types, time. */
import { formatIp, parseEndpoint, parseIp } from '../base/address.ts';
import type { DissectFilter, End, FrameRange, Moment, TypeName } from '../report/dissect-filter.ts';
import { parseNs } from '../report/text-time.ts';
import { UsageError } from './environment.ts';

export interface FilterFlags {
  readonly frames?: string;
  readonly conversation?: string;
  readonly session?: string;
  readonly peer?: string;
  readonly type?: string;
  readonly time?: string;
}

export function parseFilter(flags: FilterFlags): DissectFilter {
  const { frames, conversation, session, peer, type, time } = flags;
  return {
    ...(frames === undefined ? {} : { frames: frames.split(',').map(parseRange) }),
    ...(conversation === undefined ? {} : { conversation: parseConversation(conversation) }),
    ...(session === undefined ? {} : { index: parseIndex(session) }),
    ...(peer === undefined ? {} : { peer: parsePeer(peer) }),
    ...(type === undefined ? {} : { types: type.split(',').flatMap(parseType) }),
    ...(time === undefined ? {} : parseTime(time)),
  };
}

function parseRange(text: string): FrameRange {
  const match = /^([0-9]{1,15})(?:(-)([0-9]{1,15})?)?$/.exec(text.trim());
  const low = Number(match?.[1]);
  const high =
    match?.[3] === undefined ? (match?.[2] === undefined ? low : Number.POSITIVE_INFINITY) : Number(match[3]);
  if (match === null || low < 1 || high < low)
    throw new UsageError(`--frames ${text}: no frame numbers`, 'for example 7 or 3-9 or 3-9,20-');
  return { low, high };
}

function parseConversation(text: string): readonly [End] | readonly [End, End] {
  const [one, other, ...more] = text.split(',').map((part) => parseEnd(part.trim()));
  if (one === undefined || more.length > 0)
    throw new UsageError(`--conversation ${text}: one end, or two with a comma`);
  return other === undefined ? [one] : [one, other];
}

function parseEnd(text: string): End {
  const bare = parseIp(text);
  if (bare !== undefined) return { ip: formatIp(bare), port: undefined };
  const end = parseEndpoint(text);
  if (end !== undefined) return { ip: formatIp(end.ip), port: end.port };
  throw new UsageError(
    `--conversation ${text}: no address`,
    'for example 192.0.2.1 or 192.0.2.1:51820 or [2001:db8::1]:51820',
  );
}

function parseIndex(text: string): number {
  const match = /^(?:0x)?([0-9a-f]{1,8})$/i.exec(text);
  if (match === null) throw new UsageError(`--session ${text}: an index is 0x and up to eight hexadecimal digits`);
  return Number.parseInt(match[1] ?? '', 16);
}

function parsePeer(text: string): string {
  if (text === '') throw new UsageError('--peer needs a public key, its beginning, or a part of the name of a file');
  return text;
}

const TYPES: Readonly<Record<string, readonly TypeName[]>> = {
  '1': ['initiation'],
  '2': ['response'],
  '3': ['cookie-reply'],
  '4': ['data'],
  initiation: ['initiation'],
  response: ['response'],
  'cookie-reply': ['cookie-reply'],
  cookie: ['cookie-reply'],
  handshake: ['initiation', 'response', 'cookie-reply'],
  data: ['data'],
  keepalive: ['keepalive'],
  malformed: ['malformed'],
};

function parseType(text: string): readonly TypeName[] {
  const types = TYPES[text.trim()];
  if (types !== undefined) return types;
  throw new UsageError(
    `--type ${text}: there is no such type`,
    'initiation, response, cookie-reply, data (or 1 to 4), handshake, keepalive, malformed',
  );
}

function parseTime(text: string): Pick<DissectFilter, 'after' | 'before'> {
  const [from, to, ...more] = text.split('..');
  const after = from === undefined || from === '' ? undefined : parseMoment(from, text);
  const before = to === undefined || to === '' ? undefined : parseMoment(to, text);
  if (to === undefined || more.length > 0 || (after === undefined && before === undefined)) throw noTime(text);
  return { ...(after === undefined ? {} : { after }), ...(before === undefined ? {} : { before }) };
}

const NS_PER_S = 1_000_000_000n;

function parseMoment(text: string, whole: string): Moment {
  const since = /^\+?([0-9]{1,12})(?:\.([0-9]{1,9}))?$/.exec(text);
  if (since !== null) {
    const ns = BigInt(since[1] ?? '0') * NS_PER_S + BigInt((since[2] ?? '').padEnd(9, '0'));
    return { kind: 'since', ns };
  }
  const clock = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(?: ?UTC|Z)?$/.exec(text);
  const ns = clock === null ? undefined : parseNs(`${clock[1]}T${clock[2]}.${(clock[3] ?? '').padEnd(9, '0')}Z`);
  if (ns === undefined) throw noTime(whole);
  return { kind: 'clock', time: { sec: Number(ns / NS_PER_S), nsec: Number(ns % NS_PER_S) } };
}

const noTime = (text: string): UsageError =>
  new UsageError(
    `--time ${text}: no span of time`,
    'FROM..TO in seconds after the first frame (1.5..3, 10..), or as 2026-11-21T02:00:37.5..2026-11-21T02:01:00, UTC',
  );
