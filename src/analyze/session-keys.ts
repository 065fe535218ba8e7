/** Transport keys by receiver index, from opened handshakes and from traffic-key files; opens data and keeps its window. */
import { type Bytes, u32le } from '../base/bytes.ts';
import { type AeadKey, type Crypto, TAG } from '../crypto/port.ts';
import { ReplayWindow, refuseCounter } from '../wg/replay.ts';
import type { KeySet } from './key-set.ts';
import type { Opened } from './observe.ts';
import type { Seen } from './timeline.ts';

interface Direction {
  readonly key: AeadKey;
  readonly window: ReplayWindow;
  readonly keyFrom: string | undefined;
}

/** Of a data message, bytes (wp §5.4.6). */
const HEADER = 16;
/** Directions kept; the oldest are wiped beyond it (a session is used for three minutes at most). */
const DIRECTIONS_LIMIT = 20_000;

export class SessionKeys {
  private readonly crypto: Crypto;
  /** boringtun's indices collide between peers, so an index may have several keys. */
  private readonly byIndex = new Map<number, Direction[]>();
  /** Where every message is opened: whoever looks at it does so before the next one. */
  private plain: Bytes = new Uint8Array(2048);

  constructor(crypto: Crypto, keys: KeySet) {
    this.crypto = crypto;
    for (const [index, list] of keys.trafficKeys) for (const { key, where } of list) this.add(index, key, where);
  }

  /** `keyFrom` where it stands in a file. */
  add(index: number, key: Bytes, keyFrom?: string): void {
    const list = this.byIndex.get(index) ?? [];
    list.unshift({ key: this.crypto.aeadKey(key), window: new ReplayWindow(), keyFrom });
    this.byIndex.delete(index);
    this.byIndex.set(index, list);
    if (this.byIndex.size <= DIRECTIONS_LIMIT) return;
    const oldest = this.byIndex.keys().next();
    if (oldest.done) return;
    for (const { key: old } of this.byIndex.get(oldest.value) ?? []) old.wipe();
    this.byIndex.delete(oldest.value);
  }

  open({ bytes, receiver }: Seen): Opened | undefined {
    const list = this.byIndex.get(receiver);
    if (list === undefined) return undefined;
    const low = u32le(bytes, 8);
    const high = u32le(bytes, 12);
    const sealedLength = bytes.length - HEADER;
    const innerLength = sealedLength - TAG;
    if (innerLength > this.plain.length) this.plain = new Uint8Array(innerLength);
    for (const { key, window, keyFrom } of list) {
      if (!key.openInto(low, high, bytes, HEADER, sealedLength, this.plain, 0)) continue;
      const behind = window.behind(low, high);
      const drop = refuseCounter(window.accept(low, high), behind);
      const opened = {
        innerLength,
        plaintext: this.plain.subarray(0, innerLength),
        ...(keyFrom === undefined ? {} : { keyFrom }),
      };
      return drop === undefined
        ? { verdict: 'accepted', ...opened }
        : { verdict: 'refused', drop: drop.kind, ...opened };
    }
    return { verdict: 'refused', drop: 'data-unsealable' };
  }

  /** The packet inside, with its padding, without a look at the window: of what came twice, or is refused for its counter. */
  look({ bytes, receiver }: Seen): Bytes | undefined {
    const sealedLength = bytes.length - HEADER;
    for (const { key } of this.byIndex.get(receiver) ?? []) {
      const plain = new Uint8Array(sealedLength - TAG);
      if (key.openInto(u32le(bytes, 8), u32le(bytes, 12), bytes, HEADER, sealedLength, plain, 0)) return plain;
    }
    return undefined;
  }
}
