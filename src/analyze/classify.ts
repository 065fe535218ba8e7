/** Is this datagram WireGuard, cut WireGuard, several messages in one, a variant, or something else that has a name? */
import type { Bytes } from '../base/bytes.ts';
import { u8, u16be, u32be, u32le } from '../base/bytes.ts';
import type { MessageKind } from '../wg/drop.ts';

export const MESSAGE_KINDS: readonly (MessageKind | undefined)[] = [
  undefined,
  'initiation',
  'response',
  'cookie-reply',
  'data',
];
/** Sizes on the wire (wp §5.4); data is at least this long. */
export const WIRE_SIZE: Readonly<Record<MessageKind, number>> = {
  initiation: 148,
  response: 92,
  'cookie-reply': 64,
  data: 32,
};

export interface Shape {
  readonly kind: MessageKind;
  /** The three reserved bytes as they stand: not zero in variants such as WARP. */
  readonly reserved: number;
  readonly fits: boolean;
}

/** Judged by the length on the wire, so that a message cut by the capture is still recognised. */
export function shapeOf(bytes: Bytes, length: number): Shape | undefined {
  const kind = MESSAGE_KINDS[u8(bytes, 0)];
  if (kind === undefined || bytes.length < 4) return undefined;
  const size = WIRE_SIZE[kind];
  return { kind, reserved: u32le(bytes, 0) >>> 8, fits: kind === 'data' ? length >= size : length === size };
}

/** A datagram that may be one message of data, none of it cut away. */
export function isWholeData(bytes: Bytes, length: number): boolean {
  return bytes.length === length && length >= WIRE_SIZE.data && u32le(bytes, 0) === 4;
}

/**
 * A capture on a host with UDP GSO or GRO shows several data messages of one size in one datagram: where the header
 * `04000000, index, counter + 1` recurs, a new message begins. Gives the offsets of the messages, the first being 0.
 */
export function segmentOffsets(bytes: Bytes): readonly number[] {
  if (bytes.length < 64 || u32le(bytes, 0) !== 4) return WHOLE;
  const stride = findNext(bytes, 0);
  if (stride < 0) return WHOLE;
  const offsets = [0];
  for (let at = stride; at + 16 <= bytes.length && isNext(bytes, at - stride, at); at += stride) offsets.push(at);
  return offsets;
}

/** The offsets of a datagram that is one message. */
export const WHOLE: readonly number[] = [0];

function findNext(bytes: Bytes, from: number): number {
  for (let at = bytes.indexOf(4, from + 32); at >= 0 && at + 16 <= bytes.length; at = bytes.indexOf(4, at + 1)) {
    if (isNext(bytes, from, at)) return at;
  }
  return -1;
}

function isNext(bytes: Bytes, before: number, at: number): boolean {
  if (u32le(bytes, at) !== 4 || u32le(bytes, at + 4) !== u32le(bytes, before + 4)) return false;
  const low = (u32le(bytes, before + 8) + 1) >>> 0;
  const carry = low === 0 ? 1 : 0;
  return u32le(bytes, at + 8) === low && u32le(bytes, at + 12) === (u32le(bytes, before + 12) + carry) >>> 0;
}

/** Below 2^40, as the counter of every session that lasts three minutes is: three bytes that are zero. */
export function counterIsPlausible(bytes: Bytes, at: number): boolean {
  return bytes.length >= at + 16 && u32le(bytes, at + 12) >>> 8 === 0;
}

/** Names of protocols that share ports with WireGuard; undefined when nothing fits. */
export function foreignName(bytes: Bytes, length: number, ports: readonly [number, number]): string | undefined {
  const first = u8(bytes, 0);
  if (length >= 20 && (first & 0xc0) === 0 && u32be(bytes, 4) === 0x2112a442) return 'STUN';
  if (length >= 62 && u32be(bytes, 0) === 0x5453f09f && u16be(bytes, 4) === 0x92ac) return 'Tailscale DISCO';
  if (length >= 8 && (first & 0xc0) === 0 && (u8(bytes, 1) & 0x3f) === 0 && u8(bytes, 7) === 0) {
    const protocol = u16be(bytes, 2);
    if (protocol === 0x7a11) return 'Tailscale peer relay (Geneve, DISCO)';
    if (protocol === 0x7a12) return 'Tailscale peer relay (Geneve, WireGuard inside)';
  }
  if (length >= 1200 && (first & 0xc0) === 0xc0 && [0x00000001, 0x6b3343cf].includes(u32be(bytes, 1))) return 'QUIC';
  if ((first & 0xfc) === 0x80 && u32le(bytes, 0) >>> 8 === 0 && length > 200) return 'Rosenpass';
  if (ports.includes(53) && length >= 12) return 'DNS';
  if (ports.includes(123) && length >= 48) return 'NTP';
  if (ports.includes(67) || ports.includes(68)) return 'DHCP';
  if (ports.includes(500) && length >= 28) return 'IKE';
  if (ports.includes(4500) && u32be(bytes, 0) === 0 && length >= 32) return 'IKE (NAT traversal)';
  if (ports.includes(1194)) return 'OpenVPN, by its port';
  return undefined;
}
