/** Handshake messages of our making, for either role; what is wrong with them is the caller's doing. */
import { type Bytes, u32le } from '../../../src/base/bytes.ts';
import { KEY_BYTES, type PresharedKey, type PublicKey, privateKey, ZERO_PSK } from '../../../src/base/keys.ts';
import { nodeCrypto } from '../../../src/crypto/node.ts';
import { mac1Key, stampMacs } from '../../../src/wg/mac.ts';
import { decodeInitiation } from '../../../src/wg/message/initiation.ts';
import { decodeResponse } from '../../../src/wg/message/response.ts';
import { consumeInitiation, createInitiation, type Transcript } from '../../../src/wg/noise/initiation.ts';
import { consumeResponse, createResponse } from '../../../src/wg/noise/response.ts';
import { initiatorKeys, responderKeys } from '../../../src/wg/noise/shared.ts';
import { type Tai64n, tai64nFromUnix } from '../../../src/wg/tai64n.ts';
import type { Chance } from '../../simulation/chance.ts';
import type { Keys } from '../peers/keys.ts';
import { OpenSession } from './session.ts';

export interface OpenInitiation {
  readonly bytes: Bytes;
  /** The session, if this is the response to it; the handshake covers no index, so any will do. */
  finish(response: Bytes, psk?: PresharedKey): OpenSession | undefined;
}

export interface InitiationWish {
  readonly us: Pick<Keys, 'secret' | 'publicKey'>;
  readonly responder: PublicKey;
  readonly timestamp: Tai64n;
}

/** Whole nanoseconds since the epoch. */
export function stampOf(ns: bigint): Tai64n {
  const second = 1_000_000_000n;
  return tai64nFromUnix({ sec: Number(ns / second), nsec: Number(ns % second) }, { base: 10, whiten: false });
}

export function initiate(chance: Chance, { us, responder, timestamp }: InitiationWish): OpenInitiation {
  const ephemeral = privateKey(chance.bytes(KEY_BYTES));
  const created = createInitiation(nodeCrypto, {
    local: us,
    remote: responder,
    ephemeral,
    sender: chance.u32(),
    timestamp,
  });
  if (!created.ok) throw new Error(created.error.kind);
  const { bytes, ...transcript } = created.value;
  stampMacs(nodeCrypto, mac1Key(nodeCrypto, responder), undefined, bytes);
  return {
    bytes,
    finish(response, psk = ZERO_PSK) {
      const decoded = decodeResponse(response);
      if (!decoded.ok) return undefined;
      const keys = initiatorKeys(nodeCrypto, us.secret, ephemeral);
      const consumed = consumeResponse(transcript, keys, decoded.value, psk);
      if (!consumed.ok) return undefined;
      const { receiver: localIndex, sender: remoteIndex } = decoded.value;
      return new OpenSession({ role: 'initiator', localIndex, remoteIndex, keys: consumed.value });
    },
  };
}

/** Reads an initiation to us. */
export function opened(us: Keys, initiation: Bytes): Transcript {
  const decoded = decodeInitiation(initiation);
  if (!decoded.ok) throw new Error(`their initiation: ${decoded.error.kind}`);
  const keys = responderKeys(nodeCrypto, us, (key) => ({ ss: nodeCrypto.dh(us.secret, key) }));
  const consumed = consumeInitiation(nodeCrypto, keys, decoded.value);
  if (!consumed.ok) throw new Error(`their initiation: ${consumed.error.kind}`);
  return consumed.value;
}

export interface Responding {
  readonly bytes: Bytes;
  /** With the sender index that this message names: the handshake covers no index, so any will do. */
  session(message: Bytes): OpenSession;
}

export interface ResponseWish {
  readonly sender: number;
  readonly ephemeral: Bytes;
  readonly psk?: PresharedKey;
}

export function respond(transcript: Transcript, { sender, ephemeral, psk = ZERO_PSK }: ResponseWish): Responding {
  const created = createResponse(nodeCrypto, transcript, { sender, ephemeral: privateKey(ephemeral.slice()), psk });
  if (!created.ok) throw new Error(created.error.kind);
  const { bytes, keys } = created.value;
  stampMacs(nodeCrypto, mac1Key(nodeCrypto, transcript.identity), undefined, bytes);
  return {
    bytes,
    session: (message) =>
      new OpenSession({ role: 'responder', localIndex: senderOf(message), remoteIndex: transcript.sender, keys }),
  };
}

/** Sender index of a handshake message. */
export const senderOf = (message: Bytes): number => u32le(message, 4);
