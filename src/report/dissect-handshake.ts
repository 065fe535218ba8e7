/** Initiations, responses and cookie replies, field by field (wp §5.4.2 to §5.4.7). */
import { indexText } from '../analyze/merge.ts';
import type { CookieSight, InitiationSight, Mac1Owner, Mac2State, ResponseSight } from '../analyze/sight.ts';
import type { Exchange, Seen } from '../analyze/timeline.ts';
import { toBase64 } from '../base/base64.ts';
import { toHex, u8, u32le } from '../base/bytes.ts';
import type { PublicKey } from '../base/keys.ts';
import type { Span } from '../base/layout.ts';
import { formatTime, msBetween, type Time } from '../base/time.ts';
import type { MessageKind } from '../wg/drop.ts';
import { COOKIE_REPLY } from '../wg/message/cookie-reply.ts';
import { INITIATION } from '../wg/message/initiation.ts';
import { RESPONSE } from '../wg/message/response.ts';
import { describeTai64n, readTai64n, type Tai64n, type Tai64nDescription } from '../wg/tai64n.ts';
import { type KeyWords, keyFields, verdictField } from './dissect-keys.ts';
import type { DissectedField } from './dissect-model.ts';
import { told, type WireFields } from './dissect-wire.ts';

/** Milliseconds to the microsecond, without trailing zeros; from 10 s on seconds. */
export const msText = (ms: number): string =>
  Math.abs(ms) < 10_000 ? `${Number(ms.toFixed(3))} ms` : `${Number((ms / 1000).toFixed(3))} s`;

/** The first four bytes: a type and three reserved ones, one u32le to those who write them (wp §5.4). */
export function typeFields(wire: WireFields, kind: MessageKind, reservedMeaning?: string): DissectedField[] {
  const reserved: Span = { at: 1, length: 3 };
  return [
    wire.field('type', { at: 0, length: 1 }, () => ({ value: u8(wire.get({ at: 0, length: 1 }), 0), meaning: kind })),
    wire.field('reserved', reserved, () => ({
      value: toHex(wire.get(reserved)),
      meaning: wire.isZero(reserved) ? (reservedMeaning ?? 'zero, as they must be') : 'not zero, as they must be',
    })),
  ];
}

/** An index as the other fields name it. */
export function indexField(wire: WireFields, name: 'sender' | 'receiver', span: Span, meaning: string): DissectedField {
  return wire.field(name, span, () => ({ value: indexText(u32le(wire.get(span), 0)), meaning }));
}

export function initiationFields(
  seen: Seen,
  wire: WireFields,
  words: KeyWords,
  sight: InitiationSight,
): DissectedField[] {
  const { mac1, identity, timestamp, verdict, alteredFor } = sight;
  const layout = INITIATION;
  const drop = verdict.kind === 'refused' ? verdict.drop.kind : undefined;
  const responder = mac1.kind === 'known' ? mac1.key.key : alteredFor?.key;
  const staticTag = identity !== undefined || alteredFor !== undefined ? true : opensNot(drop === 'static-unsealable');
  const openedWith =
    responder === undefined
      ? []
      : words.initiation(wire.get(layout.ephemeral), responder, identity, timestamp !== undefined);
  return [
    ...typeFields(wire, 'initiation'),
    indexField(wire, 'sender', layout.sender, 'chosen by the initiator for this handshake'),
    ephemeralField(wire, layout.ephemeral, words),
    wire.sealed('sealedStatic', layout.sealedStatic, staticTag, [
      ...(identity === undefined ? [] : [staticField(layout.sealedStatic.at, identity, words)]),
    ]),
    wire.sealed(
      'sealedTimestamp',
      layout.sealedTimestamp,
      timestamp !== undefined ? true : opensNot(drop === 'timestamp-unsealable'),
      timestamp === undefined ? [] : [timestampField(timestamp, seen.at.time)],
    ),
    mac1Field(wire, layout.mac1, mac1, words, alteredFor?.key),
    mac2Field(wire, layout.mac2, sight.mac2),
    ...keyFields(openedWith, verdict.kind === 'undecided' ? verdict.missing : []),
    verdictField(verdict, words),
  ];
}

const opensNot = (refused: boolean): false | undefined => (refused ? false : undefined);

function ephemeralField(wire: WireFields, span: Span, words: KeyWords): DissectedField {
  return wire.field('ephemeral', span, () => {
    const key = wire.get(span);
    const where = words.ephemeral(key);
    return {
      value: toBase64(key),
      meaning: where === undefined ? 'its private key is not known' : `its private key is known: ${where}`,
      fields: [told('privateKeyKnown', { value: where !== undefined })],
    };
  });
}

function staticField(at: number, key: PublicKey, words: KeyWords): DissectedField {
  return {
    name: 'static',
    ...open(at, key),
    ...words.owner(key),
    fields: [told('known', { value: words.isKnown(key) }), told('privateKeyKnown', { value: words.hasPrivate(key) })],
  };
}

const open = (at: number, bytes: Uint8Array) => ({ at, length: bytes.length, bytes: toHex(bytes) });

const UNTIMED = 0;

function timestampField(timestamp: Tai64n, seenAt: Time): DissectedField {
  const { label, nsec } = readTai64n(timestamp);
  const timed = seenAt.sec !== UNTIMED || seenAt.nsec !== 0;
  const told64 = describeTai64n(timestamp, timed ? seenAt : undefined);
  const at = INITIATION.sealedTimestamp.at;
  const base = told64.base ?? 10;
  return {
    name: 'timestamp',
    ...open(at, timestamp),
    value: formatTime(told64.time),
    meaning: aheadText(told64),
    fields: [
      {
        name: 'label',
        ...open(at, timestamp.subarray(0, 8)),
        value: String(label),
        meaning: `2^62 + ${base} + unix ${label - (1n << 62n) - BigInt(base)}`,
      },
      {
        name: 'nanoseconds',
        ...open(at + 8, timestamp.subarray(8)),
        value: nsec,
        ...(nsec >= 1e9 ? { meaning: 'a second and more, which no clock gives' } : {}),
      },
      told('base', { value: told64.base ?? null, meaning: baseText(told64) }),
      told('whitened', {
        value: told64.whitened,
        meaning: told64.whitened
          ? 'the lower 24 bits of the nanoseconds are zero'
          : 'the lower 24 bits of the nanoseconds are not zero',
      }),
      told('family', { value: told64.family, meaning: 'a guess, from base and whitening' }),
    ],
  };
}

function aheadText({ offsetMs }: Tai64nDescription): string {
  if (offsetMs === undefined) return 'by the clock of the initiator';
  if (offsetMs === 0) return 'as the clock of the capture';
  return `${msText(Math.abs(offsetMs))} ${offsetMs < 0 ? 'behind' : 'ahead of'} the clock of the capture`;
}

function baseText({ base, decidedBy }: Tai64nDescription): string {
  if (base === undefined) return 'neither the capture’s clock nor whitening tells whether it is 10 or 37; 10 was taken';
  const why = decidedBy === 'capture-time' ? 'the capture’s clock is near' : 'whitened, as those with 10 are';
  return `seconds added to unix time: ${why}`;
}

function mac1Field(
  wire: WireFields,
  span: Span,
  mac1: Mac1Owner,
  words: KeyWords,
  alteredFor?: PublicKey,
): DissectedField {
  return wire.field('mac1', span, () => {
    const value = toHex(wire.get(span));
    if (mac1.kind === 'untried') return { value, meaning: `not checked: missing ${mac1.because}` };
    if (mac1.kind === 'none') {
      const altered =
        alteredFor === undefined ? '' : `; yet the static opens for ${words.name(alteredFor)}: altered on the way`;
      return {
        value,
        meaning: `fits none of the ${words.publicCount} known public keys${altered}`,
        fields: [told('owner', { value: null })],
      };
    }
    const { key } = mac1.key;
    return {
      value,
      meaning: 'fits',
      fields: [
        {
          ...told('owner', words.owner(key)),
          fields: [told('privateKeyKnown', { value: words.hasPrivate(key) })],
        },
      ],
    };
  });
}

const MAC2_WORDS: Readonly<Record<Mac2State, string>> = {
  absent: 'zero: no cookie was at hand',
  valid: 'fits the cookie that this address was given',
  'other-address': 'fits a cookie that was given to another address',
  expired: 'fits a cookie that is more than 120 s old',
  invalid: 'does not fit the cookie that this address was given',
  unverified: 'not checked: missing the cookie that it is made with',
};

function mac2Field(wire: WireFields, span: Span, state: Mac2State): DissectedField {
  return wire.field('mac2', span, () => ({
    value: toHex(wire.get(span)),
    meaning: MAC2_WORDS[state],
    fields: [told('state', { value: state })],
  }));
}

export function responseFields(
  seen: Seen,
  wire: WireFields,
  words: KeyWords,
  sight: ResponseSight,
  exchange: Exchange | undefined,
): DissectedField[] {
  const layout = RESPONSE;
  const { opensWith, verdict, tried } = sight;
  const asked = exchange?.initiation;
  const bound = opensWith?.bound === false ? ', which is not the one that the key log binds to its ephemeral' : '';
  const meaning =
    opensWith === undefined
      ? tried === 0
        ? undefined
        : `opens with none of ${tried} PSKs that were tried (no PSK among them)`
      : `opens with ${opensWith.where}${bound}`;
  return [
    ...typeFields(wire, 'response'),
    indexField(wire, 'sender', layout.sender, 'chosen by the responder for this session'),
    indexField(wire, 'receiver', layout.receiver, ofInitiation(asked)),
    ephemeralField(wire, layout.ephemeral, words),
    wire.sealed(
      'sealedEmpty',
      layout.sealedEmpty,
      sight.handshakeOk ?? (opensWith === undefined ? undefined : true),
      [],
      meaning,
    ),
    mac1Field(wire, layout.mac1, sight.mac1, words),
    mac2Field(wire, layout.mac2, wire.isZero(layout.mac2) ? 'absent' : 'unverified'),
    ...answerFields(seen, asked),
    ...(sight.handshakeOk === undefined ? [] : [told('handshakeOk', { value: sight.handshakeOk })]),
    ...keyFields(
      opensWith === undefined ? [] : words.response(exchange, seen.bytes, opensWith.where),
      verdict.kind === 'undecided' ? verdict.missing : [],
    ),
    verdictField(verdict, words),
  ];
}

const ofInitiation = (asked: Seen | undefined): string =>
  asked === undefined ? 'of no initiation in this capture' : `of the initiation in frame ${asked.at.frame}`;

function answerFields(seen: Seen, asked: Seen | undefined): DissectedField[] {
  if (asked === undefined) return [];
  const after = msText(msBetween(asked.at.time, seen.at.time));
  return [told('answersFrame', { value: asked.at.frame, meaning: `${after} after it` })];
}

export function cookieFields(
  seen: Seen,
  wire: WireFields,
  words: KeyWords,
  sight: CookieSight | undefined,
  exchange: Exchange | undefined,
): DissectedField[] {
  const layout = COOKIE_REPLY;
  const asked = exchange?.initiation;
  const owner = exchange?.sight?.mac1;
  const meaning =
    sight?.opened === true
      ? 'opens: the cookie itself, 16 bytes, is not shown'
      : sight?.opened === false
        ? 'does not open with the MAC1 it answers'
        : undefined;
  return [
    ...typeFields(wire, 'cookie-reply'),
    indexField(wire, 'receiver', layout.receiver, ofInitiation(asked)),
    wire.field('nonce', layout.nonce, () => ({ value: toHex(wire.get(layout.nonce)) })),
    wire.sealed('sealedCookie', layout.sealedCookie, sight?.opened, [], meaning),
    ...answerFields(seen, asked),
    ...keyFields(
      sight?.opened === true && owner?.kind === 'known'
        ? [`public key of ${words.name(owner.key.key)}, and MAC1 of frame ${asked?.at.frame ?? 0}`]
        : [],
      sight === undefined
        ? ['the message it answers']
        : sight.verdict.kind === 'undecided'
          ? sight.verdict.missing
          : [],
    ),
    ...(sight === undefined ? [] : [verdictField(sight.verdict, words)]),
  ];
}
