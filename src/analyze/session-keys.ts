/** Transport keys by receiver index, from opened handshakes and from traffic-key files; opens data and keeps its window. */
import { type Bytes, u32le } from '../base/bytes.ts';
import { type AeadKey, type AheadKey, type Crypto, type OpenAhead, TAG } from '../crypto/port.ts';
import type { Datagram } from '../packet/datagram.ts';
import { ReplayWindow, refuseCounter } from '../wg/replay.ts';
import { isWholeData } from './classify.ts';
import type { KeySet } from './key-set.ts';
import type { Opened } from './observe.ts';
import type { Seen } from './timeline.ts';

interface Direction {
  readonly key: AeadKey;
  readonly window: ReplayWindow;
  readonly keyFrom: string | undefined;
  /** For helpers. */
  readonly ahead: AheadKey | undefined;
}

/** A message that helpers were given. */
interface Offered {
  readonly number: number;
  readonly frame: number;
  /** The very view that will be asked for. */
  readonly bytes: Bytes;
  readonly direction: Direction;
}

/** Of a data message, bytes (wp §5.4.6). */
const HEADER = 16;
/** Directions kept; the oldest are wiped beyond it (a session is used for three minutes at most). */
const DIRECTIONS_LIMIT = 20_000;

export class SessionKeys {
  private readonly crypto: Crypto;
  private readonly ahead: OpenAhead | undefined;
  /** Of the batch that is asked for, and from which place on; then of the batch that follows. */
  private offered: Offered[] = [];
  private next = 0;
  private coming: Offered[] = [];
  /** boringtun's indices collide between peers, so an index may have several keys. */
  private readonly byIndex = new Map<number, Direction[]>();
  /** Where every message is opened: whoever looks at it does so before the next one. */
  private plain: Bytes = new Uint8Array(2048);

  constructor(crypto: Crypto, keys: KeySet, ahead?: OpenAhead) {
    this.crypto = crypto;
    this.ahead = ahead;
    for (const [index, list] of keys.trafficKeys) for (const { key, where } of list) this.add(index, key, where);
  }

  /** `keyFrom` where it stands in a file. */
  add(index: number, key: Bytes, keyFrom?: string): void {
    const list = this.byIndex.get(index) ?? [];
    list.unshift({
      key: this.crypto.aeadKey(key),
      window: new ReplayWindow(),
      keyFrom,
      ahead: this.ahead?.key(key),
    });
    this.byIndex.delete(index);
    this.byIndex.set(index, list);
    if (this.byIndex.size <= DIRECTIONS_LIMIT) return;
    const oldest = this.byIndex.keys().next();
    if (oldest.done) return;
    for (const { key: old, ahead } of this.byIndex.get(oldest.value) ?? []) {
      old.wipe();
      ahead?.wipe();
    }
    this.byIndex.delete(oldest.value);
  }

  /** Of the batch after the one that `open` is asked for: helpers may begin. What has no key yet is left to `open`. */
  expect(datagram: Datagram): void {
    const { bytes, frame } = datagram;
    if (this.ahead === undefined || !isWholeData(bytes, datagram.length)) return;
    const [direction] = this.byIndex.get(u32le(bytes, 4)) ?? [];
    if (direction?.ahead === undefined) return;
    const [low, high] = [u32le(bytes, 8), u32le(bytes, 12)];
    const number = this.ahead.offer(direction.ahead, low, high, bytes, HEADER, bytes.length - HEADER);
    if (number !== undefined) this.coming.push({ number, frame: frame.number, bytes, direction });
  }

  /** The batch that was expected is the one that is asked for from now on. */
  turn(): void {
    [this.offered, this.coming] = [this.coming, this.offered];
    this.coming.length = 0;
    this.next = 0;
  }

  /** Copies of one message are not asked for: they are passed over. */
  private offerOf({ at, bytes }: Seen): Offered | undefined {
    const { offered } = this;
    while ((offered[this.next]?.frame ?? at.frame) < at.frame) this.next++;
    for (let i = this.next; offered[i]?.frame === at.frame; i++) if (offered[i]?.bytes === bytes) return offered[i];
    return undefined;
  }

  open(seen: Seen): Opened | undefined {
    const { bytes, receiver } = seen;
    const list = this.byIndex.get(receiver);
    if (list === undefined) return undefined;
    const low = u32le(bytes, 8);
    const high = u32le(bytes, 12);
    const sealedLength = bytes.length - HEADER;
    const innerLength = sealedLength - TAG;
    if (innerLength > this.plain.length) this.plain = new Uint8Array(innerLength);
    const offer = this.offered.length === 0 ? undefined : this.offerOf(seen);
    for (const direction of list) {
      const { key, window, keyFrom } = direction;
      let plaintext = offer?.direction === direction ? this.ahead?.result(offer.number) : undefined;
      if (plaintext === undefined && key.openInto(low, high, bytes, HEADER, sealedLength, this.plain, 0)) {
        plaintext = this.plain.subarray(0, innerLength);
      }
      if (plaintext === undefined || plaintext === false) continue;
      const behind = window.behind(low, high);
      const drop = refuseCounter(window.accept(low, high), behind);
      if (drop === undefined && keyFrom === undefined) return { verdict: 'accepted', innerLength, plaintext };
      const named = { innerLength, plaintext, ...(keyFrom === undefined ? {} : { keyFrom }) };
      return drop === undefined ? { verdict: 'accepted', ...named } : { verdict: 'refused', drop: drop.kind, ...named };
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
