/** Mullvad LWO: the header XORed with the receiver's public key, its second byte random with the upper bit set. */
import { type Bytes, copy, equal, u8 } from '../../base/bytes.ts';
import type { Datagram } from '../../packet/datagram.ts';
import type { MessageKind } from '../../wg/drop.ts';
import { counterIsPlausible, MESSAGE_KINDS, WIRE_SIZE } from '../classify.ts';
import type { KnownKey } from '../key-set.ts';
import { VARIANT } from '../variants.ts';
import { Recent } from './recent.ts';
import {
  flowOf,
  headerStarts,
  isWhole,
  type PlainMessage,
  plainMessage,
  type Unwrapped,
  type VariantForm,
} from './unwrapped.ts';

const OBFUSCATION_BIT = 0x80;
const FLOWS_KEPT = 1024;
/** Of 32 random bytes one in 256 stays the same. */
const RANDOM_LEAST = 26;
const WIRE = { variant: VARIANT.lwo };

/** What an initiation shows of an unknown key: bytes 0, 2, 3 under the type word, and 4 to 19 under a MAC2 of zeros. */
interface Trace {
  readonly head: Bytes;
  /** Where the ephemeral stands: of two initiations nearly every byte of it differs. */
  readonly ephemeral: Bytes;
  readonly tail: Bytes;
}

export class Lwo {
  readonly #forms = new Recent<string, VariantForm>(FLOWS_KEPT);
  readonly #traces = new Recent<string, Trace>(FLOWS_KEPT);

  /** `opens`: MAC1 of a handshake message is for this key. */
  unwrap(
    datagram: Datagram,
    keys: Iterable<KnownKey>,
    opens: (message: Bytes, key: KnownKey) => boolean,
  ): Unwrapped | undefined {
    const { bytes, length } = datagram;
    if (length < WIRE_SIZE.data || bytes.length < WIRE_SIZE.data || (u8(bytes, 1) & OBFUSCATION_BIT) === 0)
      return undefined;
    const flow = flowOf(datagram);
    for (const known of keys) {
      const kind = kindUnder(known.key, bytes, length);
      if (kind === undefined) continue;
      const message = under(known.key, datagram, kind, 0, length);
      if (!this.#isRight(message, known, flow, opens)) continue;
      const form = this.#form(flow);
      form.figures.set(`key towards ${datagram.to.text}`, known.sources[0] ?? 'a known key');
      if (kind !== 'data') return { form, messages: [message] };
      const starts = headerStarts(bytes, 0, known.key);
      const ends = [...starts.slice(1), length];
      return { form, messages: starts.map((start, i) => under(known.key, datagram, kind, start, ends[i] ?? length)) };
    }
    const form = this.#forms.get(flow) ?? this.#traced(datagram, flow);
    return form === undefined ? undefined : { form, messages: [] };
  }

  #isRight(
    { kind, bytes, datagram }: PlainMessage,
    key: KnownKey,
    flow: string,
    opens: (message: Bytes, key: KnownKey) => boolean,
  ): boolean {
    if (kind === 'data') return counterIsPlausible(bytes, 0);
    if (kind === 'cookie-reply') return this.#forms.has(flow);
    return isWhole(datagram) && opens(bytes, key);
  }

  #form(flow: string): VariantForm {
    let form = this.#forms.get(flow);
    if (form === undefined) {
      const how = 'by the receiver’s public key, under which they are WireGuard messages';
      form = { name: VARIANT.lwo, how, figures: new Map(), hasJunk: false };
      this.#forms.set(flow, form);
    }
    return form;
  }

  /** Two initiations under one key that is not here: what must be zero in both shows the same bytes of the key. */
  #traced({ bytes, length, from, to }: Datagram, flow: string): VariantForm | undefined {
    if (length !== WIRE_SIZE.initiation || bytes.length !== length) return undefined;
    const way = `${from.text} > ${to.text}`;
    const before = this.#traces.get(way);
    const head = Uint8Array.of(u8(bytes, 0), u8(bytes, 2), u8(bytes, 3));
    const [ephemeral, tail] = [copy(bytes, 8, 40), copy(bytes, length - 16)];
    this.#traces.set(way, { head, ephemeral, tail });
    if (before === undefined || !equal(before.head, head) || !equal(before.tail, tail) || isEven(tail))
      return undefined;
    if (differing(before.ephemeral, ephemeral) < RANDOM_LEAST) return undefined;
    const form = this.#form(flow);
    form.how = 'by bytes 0, 2, 3 and the last sixteen, the same in each initiation, as under an XOR with one key';
    form.figures.set(`key towards ${to.text}`, 'a key that is not here');
    return form;
  }
}

/** As the client does it: byte 0 says the type, bytes 2 and 3 show the key, byte 1 says nothing. */
function kindUnder(key: Bytes, bytes: Bytes, length: number): MessageKind | undefined {
  const kind = MESSAGE_KINDS[u8(bytes, 0) ^ u8(key, 0)];
  if (kind === undefined || u8(bytes, 2) !== u8(key, 2) || u8(bytes, 3) !== u8(key, 3)) return undefined;
  const fits = kind === 'data' ? length >= WIRE_SIZE.data : length === WIRE_SIZE[kind];
  return fits ? kind : undefined;
}

/** The message between these offsets, with its header as it was. */
function under(key: Bytes, datagram: Datagram, kind: MessageKind, start: number, end: number): PlainMessage {
  const message = plainMessage(datagram, kind, start, WIRE, end - start);
  const { bytes } = message;
  const last = Math.min(WIRE_SIZE[kind], bytes.length);
  // the type word is plain already
  for (let at = 4; at < last; at++) bytes[at] = u8(bytes, at) ^ u8(key, at & 31);
  return message;
}

/** Padding with one value, as other protocols have it, is no key. */
function isEven(tail: Bytes): boolean {
  return tail.every((byte) => byte === tail[0]);
}

function differing(a: Bytes, b: Bytes): number {
  let count = 0;
  for (let at = 0; at < a.length; at++) if (a[at] !== b[at]) count++;
  return count;
}
