/** Data messages: header, length and counter stay; the rest is random, or sealed anew where it could be opened. */
import { type Bytes, u32le } from '../../base/bytes.ts';
import { type AeadKey, type Crypto, TAG } from '../../crypto/port.ts';
import { DATA } from '../../wg/message/data.ts';
import { segmentOffsets } from '../classify.ts';
import type { AddressMap } from './addresses.ts';
import type { SessionTold } from './handshakes.ts';
import { veiledInner } from './inner.ts';
import type { Veil } from './veil.ts';

interface Direction {
  readonly was: AeadKey;
  readonly is: AeadKey;
}

export class DataMap {
  /** Messages that were sealed anew. */
  resealed = 0;
  readonly #crypto: Crypto;
  readonly #addresses: AddressMap;
  readonly #veil: Veil;
  readonly #byIndex = new Map<number, Direction[]>();

  constructor(crypto: Crypto, addresses: AddressMap, veil: Veil) {
    this.#crypto = crypto;
    this.#addresses = addresses;
    this.#veil = veil;
  }

  add(index: number, was: Bytes, is: Bytes): void {
    const list = this.#byIndex.get(index) ?? [];
    list.push({ was: this.#crypto.aeadKey(was), is: this.#crypto.aeadKey(is) });
    this.#byIndex.set(index, list);
  }

  addSession({ initiator, responder, was, is }: SessionTold): void {
    this.add(responder, was.initiatorToResponder, is.initiatorToResponder);
    this.add(initiator, was.responderToInitiator, is.responderToInitiator);
  }

  /** A datagram of data messages, of which an offload may have put several into one; `cut` by the capture. */
  of(bytes: Bytes, cut: boolean): Bytes {
    const offsets = segmentOffsets(bytes);
    const out = new Uint8Array(bytes.length);
    for (const [i, at] of offsets.entries()) {
      const end = offsets[i + 1] ?? bytes.length;
      out.set(this.#message(bytes.subarray(at, end), cut && i === offsets.length - 1), at);
    }
    return out;
  }

  #message(bytes: Bytes, cut: boolean): Bytes {
    const out = bytes.slice();
    const at = DATA.size;
    const plain = bytes.length - at - TAG;
    if (!cut && plain >= 0) {
      const [low, high] = [u32le(bytes, DATA.counter.at), u32le(bytes, DATA.counter.at + 4)];
      const opened = new Uint8Array(plain);
      for (const { was, is } of this.#byIndex.get(u32le(bytes, DATA.receiver.at)) ?? []) {
        if (!was.openInto(low, high, bytes, at, plain + TAG, opened, 0)) continue;
        is.sealInto(low, high, veiledInner(opened, this.#addresses, this.#veil), 0, plain, out, at);
        this.resealed++;
        return out;
      }
    }
    out.set(this.#veil.stream(bytes.subarray(0, at), bytes.subarray(at)), at);
    return out;
  }
}
