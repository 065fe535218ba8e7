/** Handshake messages made anew under generated keys, each fault kept: what opened opens, what did not does not. */
import { toBase64 } from '../../base/base64.ts';
import { type Bytes, concat, equal, isZero, toHex, u32le } from '../../base/bytes.ts';
import { type PublicKey, publicKey } from '../../base/keys.ts';
import type { Crypto } from '../../crypto/port.ts';
import { openCookieReply, sealCookieReply } from '../../wg/cookie.ts';
import type { MessageKind } from '../../wg/drop.ts';
import { computeMac2, cookieKey, mac1Key, stampMacs, verifyMac1, verifyMac2 } from '../../wg/mac.ts';
import { decodeCookieReply } from '../../wg/message/cookie-reply.ts';
import { decodeInitiation, encodeInitiation, INITIATION } from '../../wg/message/initiation.ts';
import { decodeResponse, encodeResponse } from '../../wg/message/response.ts';
import { consumeInitiation, createInitiation, type Transcript } from '../../wg/noise/initiation.ts';
import { createResponse, prepareResponse, type TransportKeys } from '../../wg/noise/response.ts';
import { observedInitiationKeys, observedResponseKeys, type SharedBetween, sharedBy } from '../../wg/noise/shared.ts';
import { TAI64N_ZERO } from '../../wg/tai64n.ts';
import { type KeySet, type KnownKey, NO_PSK } from '../key-set.ts';
import type { KeyMap } from './keys.ts';
import { shifted } from './shift.ts';
import type { Veil } from './veil.ts';

export type HandshakeKind = Exclude<MessageKind, 'data'>;

/** One message as it was captured, and as it is written. */
interface Noted {
  readonly kind: HandshakeKind;
  readonly bytes: Bytes;
  /** Whom MAC1 was made for. */
  readonly owner: KnownKey | undefined;
  made: Bytes | undefined;
  /** The one that this is an altered copy of. */
  like?: Noted;
  /** After the initiation: as it was, and as it is now. */
  transcripts?: { readonly was: Transcript; readonly is: Transcript };
}

export interface HandshakeVeils {
  readonly crypto: Crypto;
  readonly keys: KeySet;
  readonly map: KeyMap;
  readonly veil: Veil;
  readonly shiftSec: number;
}

export interface SessionTold {
  readonly initiator: number;
  readonly responder: number;
  readonly was: TransportKeys;
  readonly is: TransportKeys;
}

const SENDER_AT = 4;
const MACS_BYTES = 32;
const MAC_BYTES = 16;
/** Fewer bytes than that differ where a message was altered on its way; of others nearly all do. */
const ALTERED_BYTES = 40;
/** Initiations without a MAC1 that fits whose fields are tried all the same; each costs a multiplication or two. */
const MOST_TRIED = 200;

export class Handshakes {
  /** Whose traffic keys are known. */
  readonly sessions: SessionTold[] = [];
  /** Initiations that were made anew from what they held. */
  remade = 0;
  /** Initiations of which nothing could be opened: their fields are random. */
  closed = 0;
  #tried = 0;
  readonly #crypto: Crypto;
  readonly #keys: KeySet;
  readonly #map: KeyMap;
  readonly #veil: Veil;
  readonly #shiftSec: number;
  readonly #between: SharedBetween;
  readonly #noted = new Map<string, Noted>();
  /** By what altered copies still share: index, ephemeral, what is sealed. */
  readonly #near = new Map<string, Noted[]>();
  readonly #bySender = new Map<number, Noted[]>();
  readonly #cookies: { readonly was: Bytes; readonly is: Bytes }[] = [];

  /** `messages`: every whole handshake message once, in the order of the captures. */
  constructor(
    { crypto, keys, map, veil, shiftSec }: HandshakeVeils,
    messages: Iterable<{ readonly kind: HandshakeKind; readonly bytes: Bytes }>,
  ) {
    this.#crypto = crypto;
    this.#keys = keys;
    this.#map = map;
    this.#veil = veil;
    this.#shiftSec = shiftSec;
    this.#between = sharedBy(crypto, (key) => {
      const text = toBase64(key);
      return keys.publics.get(text)?.private ?? keys.ephemerals.get(text)?.private;
    });
    for (const { kind, bytes } of messages) {
      const owner = kind === 'cookie-reply' ? undefined : this.#ownerOf(bytes);
      this.#noted.set(toHex(bytes), { kind, bytes, owner, made: undefined });
    }
    this.#settle();
  }

  #settle(): void {
    const all = [...this.#noted.values()];
    for (const one of all) if (one.kind !== 'cookie-reply') push(this.#bySender, u32le(one.bytes, SENDER_AT), one);
    for (const kind of ['initiation', 'response'] as const) {
      const these = all.filter((one) => one.kind === kind);
      // an altered message is known as such by the one it was made of
      for (const one of [
        ...these.filter((m) => m.owner !== undefined),
        ...these.filter((m) => m.owner === undefined),
      ]) {
        const like = this.#likeOf(one);
        if (like?.made !== undefined) {
          one.like = like;
          one.made = altered(one.bytes, like.bytes, like.made);
        } else one.made = kind === 'initiation' ? this.#initiation(one) : this.#response(one);
        for (const key of nearKeys(one)) push(this.#near, key, one);
      }
    }
    const before = new Map<number, Noted>();
    for (const one of all) {
      if (one.kind === 'cookie-reply') one.made = this.#cookie(one.bytes, before.get(u32le(one.bytes, SENDER_AT)));
      else before.set(u32le(one.bytes, SENDER_AT), one);
    }
    for (const one of all) if (one.like === undefined) this.#stampMac2(one);
    for (const { made, like, bytes } of all) {
      if (made === undefined || like?.made === undefined) continue;
      made.set(altered(bytes, like.bytes, like.made).subarray(made.length - MAC_BYTES), made.length - MAC_BYTES);
    }
  }

  /** As it is written; `bytes` may be cut. */
  of(kind: HandshakeKind, bytes: Bytes): Bytes {
    const known = this.#noted.get(toHex(bytes))?.made;
    if (known !== undefined) return known;
    const whole = this.#candidates(kind, bytes).find(
      (one) => one.made !== undefined && equal(one.bytes.subarray(0, bytes.length), bytes),
    );
    if (whole?.made !== undefined) return whole.made.slice(0, bytes.length);
    return this.#masked(kind, bytes);
  }

  #candidates(kind: HandshakeKind, bytes: Bytes): readonly Noted[] {
    if (kind !== 'cookie-reply') return this.#bySender.get(u32le(bytes, SENDER_AT)) ?? [];
    return [...this.#noted.values()].filter((one) => one.kind === kind);
  }

  #ownerOf(bytes: Bytes): KnownKey | undefined {
    for (const key of this.#keys.publics.values()) if (verifyMac1(this.#crypto, key.mac1Key, bytes)) return key;
    return undefined;
  }

  #likeOf(one: Noted): Noted | undefined {
    for (const key of nearKeys(one)) {
      for (const other of this.#near.get(key) ?? []) {
        if (other.kind === one.kind && differing(other.bytes, one.bytes) <= ALTERED_BYTES) return other.like ?? other;
      }
    }
    return undefined;
  }

  #initiation(one: Noted): Bytes {
    const decoded = decodeInitiation(one.bytes);
    if (!decoded.ok) return this.#masked('initiation', one.bytes);
    const message = decoded.value;
    for (const responder of this.#respondersFor(one)) {
      const read = consumeInitiation(this.#crypto, observedInitiationKeys(this.#between, responder.key), message);
      const found = read.ok ? read.value : read.error;
      const identity = 'identity' in found ? found.identity : undefined;
      if (identity === undefined) continue;
      const timestamp = read.ok && read.value.kind === 'initiation-consumed' ? read.value.timestamp : undefined;
      const local = this.#map.pair(identity);
      const created = createInitiation(this.#crypto, {
        local,
        remote: this.#map.pair(responder.key).publicKey,
        ephemeral: this.#map.pair(message.ephemeral).secret,
        sender: message.sender,
        timestamp: timestamp === undefined ? TAI64N_ZERO : shifted(timestamp, this.#shiftSec),
        // a static key of low order has no shared secret: the timestamp is closed then
        ...(this.#crypto.dh(local.secret, local.publicKey) === undefined ? { ss: new Uint8Array(32) } : {}),
      });
      if (!created.ok) continue;
      this.remade++;
      const { bytes } = created.value;
      if (timestamp === undefined) bytes.set(this.#veil.sealed(message.sealedTimestamp), INITIATION.sealedTimestamp.at);
      else if (read.ok && read.value.kind === 'initiation-consumed') {
        one.transcripts = { was: read.value, is: created.value };
      }
      return this.#withMac1(one, bytes);
    }
    this.closed++;
    const { sender, sealedStatic, sealedTimestamp } = message;
    const bytes = encodeInitiation({
      sender,
      ephemeral: this.#ephemeral(message.ephemeral),
      sealedStatic: this.#veil.sealed(sealedStatic),
      sealedTimestamp: this.#veil.sealed(sealedTimestamp),
    });
    return this.#withMac1(one, bytes);
  }

  /** Without a MAC1 that fits, whoever it opens for was meant. */
  #respondersFor({ owner }: Noted): readonly KnownKey[] {
    if (owner !== undefined) return [owner];
    // a flood of them is meant for nobody
    if (++this.#tried > MOST_TRIED) return [];
    return [...this.#keys.publics.values()].filter((key) => key.private !== undefined);
  }

  #response(one: Noted): Bytes {
    const decoded = decodeResponse(one.bytes);
    if (!decoded.ok) return this.#masked('response', one.bytes);
    const message = decoded.value;
    const { sender, receiver } = message;
    for (const { transcripts } of this.#bySender.get(receiver) ?? []) {
      if (transcripts === undefined) continue;
      const { was, is } = transcripts;
      const prepared = prepareResponse(was, observedResponseKeys(this.#between, was), message);
      if (!prepared.ok || prepared.value.kind === 'undecided') continue;
      for (const { psk } of [...this.#bound(was.ephemeral, message.ephemeral), NO_PSK, ...this.#keys.psks]) {
        const opened = prepared.value.tryPsk(psk);
        if (!opened.ok) continue;
        const { secret } = this.#map.pair(message.ephemeral);
        const created = createResponse(this.#crypto, is, { sender, ephemeral: secret, psk: this.#map.psk(psk) });
        if (!created.ok) break;
        this.sessions.push({ initiator: receiver, responder: sender, was: opened.value, is: created.value.keys });
        return this.#withMac1(one, created.value.bytes);
      }
    }
    const ephemeral = this.#ephemeral(message.ephemeral);
    const sealedEmpty = this.#veil.sealed(message.sealedEmpty);
    return this.#withMac1(one, encodeResponse({ sender, receiver, ephemeral, sealedEmpty }));
  }

  /** A key log may hold its private half. */
  #ephemeral(key: PublicKey): PublicKey {
    return this.#keys.ephemerals.has(toBase64(key)) ? this.#map.pair(key).publicKey : this.#map.ephemeral(key);
  }

  #bound(...ephemerals: readonly PublicKey[]) {
    return ephemerals.flatMap((key) => this.#keys.ephemerals.get(toBase64(key))?.psks ?? []);
  }

  /** Right for the key that stands for the one it was right for; else of random bytes, or none where there was none. */
  #withMac1({ owner, bytes: was }: Noted, bytes: Bytes): Bytes {
    const at = bytes.length - MACS_BYTES;
    const mac1 = was.subarray(at, at + MAC_BYTES);
    if (owner !== undefined) {
      stampMacs(this.#crypto, mac1Key(this.#crypto, this.#map.pair(owner.key).publicKey), undefined, bytes);
    } else if (!isZero(mac1)) bytes.set(this.#veil.sealed(mac1), at);
    return bytes;
  }

  #cookie(bytes: Bytes, refused: Noted | undefined): Bytes {
    const decoded = decodeCookieReply(bytes);
    const owner = refused?.owner;
    if (!decoded.ok || refused?.made === undefined || owner === undefined) return this.#masked('cookie-reply', bytes);
    const { receiver, nonce } = decoded.value;
    const mac1At = refused.bytes.length - MACS_BYTES;
    const key = cookieKey(this.#crypto, owner.key);
    const was = openCookieReply(this.#crypto, key, decoded.value, refused.bytes.subarray(mac1At, mac1At + MAC_BYTES));
    if (!was.ok) return this.#masked('cookie-reply', bytes);
    const is = this.#veil.of('cookie', was.value).slice(0, MAC_BYTES);
    this.#cookies.push({ was: was.value, is });
    return sealCookieReply(this.#crypto, {
      key: cookieKey(this.#crypto, this.#map.pair(owner.key).publicKey),
      receiver,
      nonce: this.#veil.of('nonce', nonce).slice(0, nonce.length),
      cookie: is,
      mac1: refused.made.subarray(mac1At, mac1At + MAC_BYTES),
    });
  }

  #stampMac2({ kind, bytes, made }: Noted): void {
    const at = bytes.length - MAC_BYTES;
    if (kind === 'cookie-reply' || made === undefined || isZero(bytes.subarray(at))) return;
    const cookie = this.#cookies.findLast(({ was }) => verifyMac2(this.#crypto, was, bytes));
    made.set(
      cookie === undefined ? this.#veil.sealed(bytes.subarray(at)) : computeMac2(this.#crypto, cookie.is, made),
      at,
    );
  }

  /** Type and indices stay, the ephemeral is the one that stands for it, the rest is random. */
  #masked(kind: HandshakeKind, bytes: Bytes): Bytes {
    const head = Math.min(bytes.length, kind === 'response' ? 12 : 8);
    const ephemeral =
      kind !== 'cookie-reply' && bytes.length >= head + 32
        ? this.#ephemeral(publicKey(bytes.slice(head, head + 32)))
        : this.#veil.sealed(bytes.subarray(head, head + 32));
    return concat(bytes.subarray(0, head), ephemeral, this.#veil.sealed(bytes.subarray(head + 32)));
  }
}

/** What was changed on the way, changed in the same bytes of what stands for it. */
function altered(bytes: Bytes, original: Bytes, made: Bytes): Bytes {
  return made.map((byte, i) => byte ^ (bytes[i] ?? 0) ^ (original[i] ?? 0));
}

function differing(a: Bytes, b: Bytes): number {
  let count = 0;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) count++;
  return count;
}

function nearKeys({ kind, bytes }: Noted): readonly string[] {
  const ephemeralAt = kind === 'initiation' ? 8 : 12;
  return [4, ephemeralAt, ephemeralAt + 36].map((at) => `${kind} ${at} ${toHex(bytes.subarray(at, at + 8))}`);
}

function push<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}
