/** What an unwrapper hands on: the plain messages that stood in a datagram of another form, and what that form is. */
import { type Bytes, copy, EMPTY, putU32le, u32le } from '../../base/bytes.ts';
import type { Time } from '../../base/time.ts';
import type { Datagram } from '../../packet/datagram.ts';
import type { MessageKind } from '../../wg/drop.ts';
import { MESSAGE_KINDS, WIRE_SIZE } from '../classify.ts';
import { pairId } from '../liveness.ts';
import type { WireForm } from '../timeline.ts';

/** One form as it is spoken between some ends. Made once, and handed out again with every message of it. */
export interface VariantForm {
  readonly name: string;
  /** How it was recognised: `by …`. */
  how: string;
  /** `S1` → `15`, `client id` → `I0q+ (35, 74, 190)`: grows with what is learned. */
  readonly figures: Map<string, string>;
  /** The form has datagrams without a message, so whatever else comes between these ends belongs to it. */
  readonly hasJunk: boolean;
}

export interface PlainMessage {
  /** What it came in; its `bytes` may be gone. */
  readonly datagram: Datagram;
  readonly kind: MessageKind;
  /** Where in the datagram it begins. */
  readonly at: number;
  /** With the plain type word. */
  readonly bytes: Bytes;
  readonly length: number;
  readonly wire: WireForm;
}

export interface Unwrapped {
  readonly form: VariantForm;
  /** None: it belongs to this form, and there is nothing in it that could be read. */
  readonly messages: readonly PlainMessage[];
}

const HEADER_BYTES = 16;
const MAC_BYTES = 16;
const EPOCH: Time = { sec: 0, nsec: 0 };

export function typeOf(kind: MessageKind): number {
  return MESSAGE_KINDS.indexOf(kind);
}

/** The same for both directions. */
export function flowOf({ from, to }: Datagram): string {
  return pairId(from.text, to.text);
}

export function timeOf({ frame }: Datagram): Time {
  return frame.time ?? EPOCH;
}

export function isWhole({ bytes, length }: Datagram): boolean {
  return bytes.length === length;
}

/** MAC2 is all zero while no cookie is at hand (wp §5.4.4): sixteen bytes that nothing else ends in by chance. */
export function endsInZeros(bytes: Bytes): boolean {
  if (bytes.length < 2 * MAC_BYTES) return false;
  for (let at = bytes.length - MAC_BYTES; at < bytes.length; at++) if (bytes[at] !== 0) return false;
  // a buffer that was never filled is no message
  for (let at = bytes.length - 2 * MAC_BYTES; at < bytes.length - MAC_BYTES; at++) if (bytes[at] !== 0) return true;
  return false;
}

/** A copy from `at` on, `length` bytes long on the wire, with the type word that a plain message has. */
export function plainMessage(
  datagram: Datagram,
  kind: MessageKind,
  at: number,
  wire: WireForm,
  length: number = WIRE_SIZE[kind],
): PlainMessage {
  const bytes = copy(datagram.bytes, at, Math.min(datagram.bytes.length, at + length));
  putU32le(bytes, 0, typeOf(kind));
  return { datagram, kind, at, bytes, length, wire };
}

/** Without what the frame lives in, for keeping. */
export function detached(datagram: Datagram): Datagram {
  return { ...datagram, bytes: copy(datagram.bytes), frame: { ...datagram.frame, bytes: EMPTY } };
}

/** A host with segmentation offload shows several data messages of one size in one datagram; each has `padding` before it. */
export function dataMessages(datagram: Datagram, padding: number, wire: WireForm): PlainMessage[] {
  const starts = headerStarts(datagram.bytes, padding);
  return starts.map((start, i) => {
    const end = starts[i + 1] ?? datagram.length;
    return plainMessage(datagram, 'data', start + padding, wire, end - start - padding);
  });
}

/**
 * Offsets, the first being 0, from which the same index comes again with the next counter, each as far from the last.
 * `mask` is what the headers are XORed with.
 */
export function headerStarts(bytes: Bytes, padding: number, mask?: Bytes): number[] {
  const starts = [0];
  if (bytes.length < 2 * (padding + 2 * HEADER_BYTES)) return starts;
  const first = bytes[padding + 4] ?? 0;
  const least = padding + 2 * HEADER_BYTES + padding + 4;
  for (let at = bytes.indexOf(first, least); at >= 0 && at + 12 <= bytes.length; at = bytes.indexOf(first, at + 1)) {
    const stride = at - 4 - padding;
    if (!follows(bytes, padding, stride + padding, mask)) continue;
    for (let next = stride; next + padding + HEADER_BYTES <= bytes.length; next += stride) {
      if (!follows(bytes, next - stride + padding, next + padding, mask)) break;
      starts.push(next);
    }
    return starts;
  }
  return starts;
}

function follows(bytes: Bytes, before: number, at: number, mask: Bytes | undefined): boolean {
  if (u32le(bytes, at + 4) !== u32le(bytes, before + 4)) return false;
  const low = mask === undefined ? 0 : u32le(mask, 8);
  const next = ((u32le(bytes, before + 8) ^ low) + 1) >>> 0;
  // the upper half changes once in 2^32 packets, which is not looked for
  return (u32le(bytes, at + 8) ^ low) >>> 0 === next && u32le(bytes, at + 12) === u32le(bytes, before + 12);
}
