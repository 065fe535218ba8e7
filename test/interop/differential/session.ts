/** Our end of a session, at its own risk: any counter, any plaintext; nothing is checked that is sent. */
import { type Bytes, u32le } from '../../../src/base/bytes.ts';
import { nodeCrypto } from '../../../src/crypto/node.ts';
import type { AeadKey } from '../../../src/crypto/port.ts';
import { TYPE } from '../../../src/wg/constants.ts';
import { DATA, DATA_MIN_BYTES } from '../../../src/wg/message/data.ts';
import type { TransportKeys } from '../../../src/wg/noise/response.ts';
import type { Role } from '../../../src/wg/session.ts';
import { HEADROOM, OVERHEAD, openInto, sealInPlace } from '../../../src/wg/transport.ts';

export interface SessionEnds {
  /** Ours. */
  readonly role: Role;
  readonly localIndex: number;
  readonly remoteIndex: number;
  readonly keys: TransportKeys;
}

const LOW_32 = 0xffff_ffffn;

export class OpenSession {
  readonly localIndex: number;
  readonly remoteIndex: number;
  readonly #sending: AeadKey;
  readonly #receiving: AeadKey;

  constructor({ role, localIndex, remoteIndex, keys }: SessionEnds) {
    this.localIndex = localIndex;
    this.remoteIndex = remoteIndex;
    const { initiatorToResponder, responderToInitiator } = keys;
    const initiates = role === 'initiator';
    this.#sending = nodeCrypto.aeadKey(initiates ? initiatorToResponder : responderToInitiator);
    this.#receiving = nodeCrypto.aeadKey(initiates ? responderToInitiator : initiatorToResponder);
  }

  /** The plaintext as it is: padding is the caller's. */
  seal(counter: bigint, plain: Bytes, receiver = this.remoteIndex): Bytes {
    const out = new Uint8Array(plain.length + OVERHEAD);
    out.set(plain, HEADROOM);
    const high = Number((counter >> 32n) & LOW_32);
    sealInPlace(this.#sending, receiver, Number(counter & LOW_32), high, out, plain.length);
    return out;
  }

  /** Undefined for what is not for us, or does not open. */
  open(message: Bytes): Bytes | undefined {
    const own = message[0] === TYPE.data && u32le(message, DATA.receiver.at) === this.localIndex;
    if (!own || message.length < DATA_MIN_BYTES) return undefined;
    const out = new Uint8Array(message.length - DATA_MIN_BYTES);
    return openInto(this.#receiving, message, out) ? out : undefined;
  }
}
