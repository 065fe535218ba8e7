/** Finds the messages of one handshake in a capture, and the keys for them in the files beside it. */

import { segmentOffsets, shapeOf } from '../analyze/classify.ts';
import type { KeySet, KnownKey } from '../analyze/key-set.ts';
import { NO_PSK } from '../analyze/key-set.ts';
import { Unwrapper } from '../analyze/unwrap/unwrapper.ts';
import { toBase64 } from '../base/base64.ts';
import { type Bytes, copy, EMPTY, equal, u32le } from '../base/bytes.ts';
import type { PublicKey } from '../base/keys.ts';
import type { Problem } from '../base/problem.ts';
import type { CaptureReader, Frame } from '../capture/frame.ts';
import { SECRETS_WIREGUARD } from '../capture/pcapng-blocks.ts';
import { parseKeyLog } from '../config/key-log.ts';
import { decodeText } from '../config/text.ts';
import type { Crypto } from '../crypto/port.ts';
import type { Datagram } from '../packet/datagram.ts';
import { Decoder } from '../packet/decode.ts';
import type { MessageKind } from '../wg/drop.ts';
import { verifyMac1 } from '../wg/mac.ts';
import { type Data, decodeData } from '../wg/message/data.ts';
import { initiatorOf, type NamedPsk, openingPsk, type TracedData, type TraceInput } from './trace-run.ts';

/** A message of the capture, copied out of its frame. */
export interface Captured {
  readonly kind: MessageKind;
  readonly frame: number;
  readonly from: string;
  readonly to: string;
  readonly bytes: Bytes;
  readonly macBytes?: Bytes;
  /** The capture cut it. */
  readonly cut: boolean;
}

export interface Found {
  readonly message: Captured;
  /** Of which it is, or which it answers. */
  readonly initiation: Captured | undefined;
  readonly response: Captured | undefined;
  readonly input: TraceInput;
  readonly initiator: PublicKey | undefined;
  /** What the response is read with. */
  readonly psk: NamedPsk;
  /** Whether that opens it; undefined where there is no response, or the keys do not reach it. */
  readonly opens: boolean | undefined;
  /** How many were tried. */
  readonly tried: number;
}

export interface NotFound {
  readonly why: string;
  readonly hints: readonly string[];
}

/** Handshake messages kept: the latest, which is what a later frame may belong to. */
const MOST_KEPT = 20_000;
/** Frames that a hint names. */
const MOST_NAMED = 12;

/** Reads a capture up to the wanted frame, or to the end where there is none, keeping handshake messages only. */
export class HandshakeFinder {
  readonly #crypto: Crypto;
  readonly #keys: KeySet;
  readonly #decoder = new Decoder();
  readonly #unwrapper: Unwrapper;
  readonly #handshakes: Captured[] = [];
  readonly #problem: (problem: Problem) => void;
  #wanted: Captured | undefined;
  #frames = 0;
  #damage: string | undefined;

  constructor(crypto: Crypto, keys: KeySet, problem: (problem: Problem) => void) {
    this.#crypto = crypto;
    this.#keys = keys;
    this.#unwrapper = new Unwrapper(crypto, keys);
    this.#problem = problem;
  }

  /** Frame `wanted`; without one the first response, or else the first initiation. */
  async find(reader: CaptureReader, wanted: number | undefined): Promise<Found | NotFound> {
    for await (const batch of reader.batches()) {
      for (const item of batch) {
        if (item.kind === 'frame') this.#frame(item.frame, wanted);
        else if (item.kind === 'damage') {
          this.#damage ??= item.damage.message;
          this.#problem({ message: item.damage.message, offset: item.damage.offset });
        } else if (item.secretsType === SECRETS_WIREGUARD) this.#secrets(item.data);
      }
      const done = this.#wanted !== undefined && (wanted !== undefined || this.#wanted.kind === 'response');
      // a secrets block of pcapng may stand behind what it opens
      if (done && reader.format !== 'pcapng') break;
    }
    const message = this.#wanted;
    if (message === undefined) return this.#notFound(wanted);
    if (message.cut) {
      const why = `frame ${message.frame} was cut by the capture: ${message.bytes.length} bytes of the ${message.kind} are there`;
      return { why, hints: ['capture whole packets: tcpdump -s 0'] };
    }
    if (message.kind === 'cookie-reply') {
      return { why: `frame ${message.frame} is a cookie reply, which has no Noise transcript`, hints: this.#known() };
    }
    return this.#found(message);
  }

  #secrets(data: Bytes): void {
    const { text } = decodeText(data);
    this.#keys.addKeyLog('secrets block of the capture', parseKeyLog(text).keyLog);
  }

  #frame(frame: Frame, wanted: number | undefined): void {
    this.#frames++;
    for (const decoded of this.#decoder.decode(frame)) {
      if (decoded.kind !== 'datagram') continue;
      for (const message of this.#messages(decoded, wanted)) {
        if (wanted === message.frame) this.#wanted ??= message;
        else if (wanted === undefined && message.kind === 'response' && this.#wanted?.kind !== 'response')
          this.#wanted = message;
        else if (wanted === undefined && message.kind === 'initiation') this.#wanted ??= message;
        if (message.kind === 'data' || message.kind === 'cookie-reply') continue;
        this.#handshakes.push(message);
        if (this.#handshakes.length > MOST_KEPT) this.#handshakes.shift();
      }
    }
  }

  /** Of data only what is asked for. */
  #messages(datagram: Datagram, wanted: number | undefined): Captured[] {
    const { frame, from, to, bytes, length } = datagram;
    const shape = shapeOf(bytes, length);
    const at = { frame: frame.number, from: from.text, to: to.text };
    if (shape?.fits === true && shape.reserved === 0) {
      const { kind } = shape;
      if (kind === 'data' && frame.number !== wanted) return [];
      const end = kind === 'data' ? (segmentOffsets(bytes)[1] ?? bytes.length) : bytes.length;
      return [{ ...at, kind, bytes: copy(bytes, 0, end), cut: bytes.length < length }];
    }
    const messages = this.#unwrapper.unwrap(datagram)?.messages ?? [];
    return messages
      .filter(({ kind }) => kind !== 'data' || frame.number === wanted)
      .map(({ kind, bytes: plain, length: whole, wire, datagram: own }) => ({
        frame: own.frame.number,
        from: own.from.text,
        to: own.to.text,
        kind,
        bytes: copy(plain),
        cut: plain.length < whole,
        ...(wire.macBytes === undefined ? {} : { macBytes: copy(wire.macBytes) }),
      }));
  }

  #notFound(wanted: number | undefined): NotFound {
    const hints = this.#known();
    if (wanted === undefined) return { why: 'the capture holds no handshake message', hints };
    if (wanted > this.#frames) {
      const damaged = this.#damage === undefined ? '' : `, and is damaged: ${this.#damage}`;
      return { why: `the capture has ${this.#frames} frames${damaged}; there is no frame ${wanted}`, hints };
    }
    return { why: `frame ${wanted} holds no WireGuard message that is read`, hints };
  }

  #known(): string[] {
    const all = this.#handshakes.slice(0, MOST_NAMED).map(({ kind, frame }) => `${frame} (${kind})`);
    const more = this.#handshakes.length > all.length ? ' …' : '';
    return all.length === 0 ? [] : [`handshake messages are in the frames ${all.join(', ')}${more}`];
  }

  #found(message: Captured): Found {
    const { response, from, data } = this.#around(message);
    const initiation = message.kind === 'initiation' ? message : this.#initiationOf(message, response);
    const responder = initiation === undefined ? undefined : this.#owner(initiation)?.key;
    const input: TraceInput = {
      initiation,
      response,
      data: data && { ...data, from },
      responder,
      secretOf: (key) => {
        const text = toBase64(key);
        return this.#keys.publics.get(text)?.private ?? this.#keys.ephemerals.get(text)?.private;
      },
    };
    const initiator = initiatorOf(this.#crypto, input);
    const psks = this.#psks(initiation, response, initiator, responder);
    const opening = openingPsk(this.#crypto, input, psks);
    const [first = NO_PSK] = psks;
    const opens = response === undefined ? undefined : opening !== undefined;
    return { message, initiation, response, input, initiator, psk: opening ?? first, opens, tried: psks.length };
  }

  /** The response of a data message's session, who sent the data, and its key where a file holds that. */
  #around(message: Captured): {
    readonly response: Captured | undefined;
    readonly from: TracedData['from'];
    readonly data?: Omit<TracedData, 'from'>;
  } {
    if (message.kind !== 'data')
      return { response: message.kind === 'response' ? message : undefined, from: undefined };
    const decoded = decodeData(message.bytes);
    if (!decoded.ok) return { response: undefined, from: undefined };
    const { receiver } = decoded.value;
    const response = this.#handshakes.findLast(
      ({ kind, bytes, frame }) =>
        kind === 'response' && frame < message.frame && (u32le(bytes, 4) === receiver || u32le(bytes, 8) === receiver),
    );
    const from = response === undefined ? undefined : u32le(response.bytes, 4) === receiver ? 'initiator' : 'responder';
    const listed = this.#trafficKey(decoded.value);
    const data = { message: decoded.value, ...(listed === undefined ? {} : { key: listed }) };
    return { response, from, data };
  }

  /** Indices recur: of several keys the one that opens it. */
  #trafficKey({ receiver, bytes, sealed }: Data): Bytes | undefined {
    const listed = this.#keys.trafficKeys.get(receiver) ?? [];
    const [low, high] = [u32le(bytes, 8), u32le(bytes, 12)];
    const fitting = listed.find(({ key }) => this.#crypto.open(key, low, high, EMPTY, sealed) !== undefined);
    return (fitting ?? listed[0])?.key;
  }

  #initiationOf(message: Captured, response: Captured | undefined): Captured | undefined {
    if (response === undefined) return undefined;
    const receiver = u32le(response.bytes, 8);
    return this.#handshakes.findLast(
      ({ kind, bytes, frame, cut }) =>
        kind === 'initiation' && !cut && frame <= message.frame && u32le(bytes, 4) === receiver,
    );
  }

  #owner({ bytes, macBytes }: Captured): KnownKey | undefined {
    for (const key of this.#keys.publics.values())
      if (verifyMac1(this.#crypto, key.mac1Key, macBytes ?? bytes)) return key;
    return undefined;
  }

  /** Bound to an ephemeral first, then configured for the pair, then every other, then none. */
  #psks(
    initiation: Captured | undefined,
    response: Captured | undefined,
    initiator: PublicKey | undefined,
    responder: PublicKey | undefined,
  ): NamedPsk[] {
    const keys = this.#keys;
    const ephemerals = [initiation?.bytes.subarray(8, 40), response?.bytes.subarray(12, 44)];
    const bound = ephemerals.flatMap((key) =>
      key === undefined ? [] : (keys.ephemerals.get(toBase64(key))?.psks ?? []),
    );
    const configured = [
      [initiator, responder],
      [responder, initiator],
    ].flatMap(([own, other]) => {
      if (own === undefined || other === undefined) return [];
      const conf = keys.confOf(keys.find(own));
      return (conf && keys.configuredPsk(conf, toBase64(other))) ?? [];
    });
    const all: NamedPsk[] = [];
    for (const psk of [...bound, ...configured, ...keys.psks, NO_PSK])
      if (!all.some((before) => equal(before.psk, psk.psk))) all.push(psk);
    return all;
  }
}
