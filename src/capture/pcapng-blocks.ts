/** pcapng blocks and their fields (draft-ietf-opsawg-pcapng): pure functions over one whole block. */
import { type Bytes, u8, u16be, u16le, u32be, u32le, u64be, u64le } from '../base/bytes.ts';
import type { Time } from '../base/time.ts';

export const BLOCK = {
  section: 0x0a0d_0d0a,
  interface: 1,
  obsoletePacket: 2,
  simplePacket: 3,
  nameResolution: 4,
  statistics: 5,
  enhancedPacket: 6,
  journal: 9,
  secrets: 10,
  custom: 0x0bad,
  customNoCopy: 0x4000_0bad,
} as const;

export const BYTE_ORDER_MAGIC = 0x1a2b_3c4d;

/** DSB contents: lines of WireGuard keys. */
export const SECRETS_WIREGUARD = 0x5747_4b4c;

/** Option codes. */
export const OPTION = { end: 0, packetFlags: 2, tsResolution: 9, fcsLength: 13, tsOffset: 14 } as const;

/** Smallest total length of each type that is read, bytes. Any other block has at least 12. */
const SMALLEST = new Map<number, number>([
  [BLOCK.section, 28],
  [BLOCK.interface, 20],
  [BLOCK.obsoletePacket, 32],
  [BLOCK.simplePacket, 16],
  [BLOCK.enhancedPacket, 32],
  [BLOCK.secrets, 20],
]);

export function smallestBlock(type: number): number {
  return SMALLEST.get(type) ?? 12;
}

export interface ByteOrder {
  readonly big: boolean;
  readonly u16: (b: Bytes, at: number) => number;
  readonly u32: (b: Bytes, at: number) => number;
  readonly u64: (b: Bytes, at: number) => bigint;
}

export const LITTLE: ByteOrder = { big: false, u16: u16le, u32: u32le, u64: u64le };
export const BIG: ByteOrder = { big: true, u16: u16be, u32: u32be, u64: u64be };

export interface Interface {
  readonly linkType: number;
  /** 0: no limit. */
  readonly snaplen: number;
  readonly fcsBytes: number;
  readonly clock: Clock;
}

/** How an interface counts time: 2^`twos` or 10^`tens` units a second from `offsetSec`. */
export interface Clock {
  /** As a number where it is small enough for the fast path, otherwise 0. */
  readonly perSecond: number;
  readonly perSecondExact: bigint;
  readonly offsetSec: number;
}

/** A packet block's fields; its data is `block[at, at + captured)`. */
export interface PacketFields {
  readonly interfaceId: number;
  readonly at: number;
  readonly captured: number;
  readonly wireLength: number;
  /** Units of the interface's clock; undefined in a simple packet block. */
  readonly high: number | undefined;
  readonly low: number;
  readonly direction: 'in' | 'out' | undefined;
  /** From the flags; undefined where they leave it to the interface. */
  readonly fcsBytes: number | undefined;
}

const MICROSECONDS = 6;
/** Products in {@link blockTime} stay below 2^53 for clocks up to this rate. */
const FAST_PER_SECOND = 2 ** 23;
const NANOSECONDS_PER_SECOND = 1_000_000_000;

function clockFrom(resolution: number, offsetSec: number): Clock {
  const exponent = resolution & 0x7f;
  const perSecondExact = (resolution & 0x80) !== 0 ? 2n ** BigInt(exponent) : 10n ** BigInt(exponent);
  const approximate = Number(perSecondExact);
  const fast = approximate <= FAST_PER_SECOND || NANOSECONDS_PER_SECOND % approximate === 0;
  return { perSecond: fast ? approximate : 0, perSecondExact, offsetSec };
}

/** Whole nanoseconds, rounded down: what a finer clock says beyond them is dropped. */
export function blockTime(clock: Clock, high: number, low: number): Time {
  const rate = clock.perSecond;
  if (rate === 0) return exactTime(clock, high, low);
  // Long division in 16-bit digits: each remainder is below 2^30, so each dividend is below 2^46.
  const middle = (high % rate) * 0x1_0000 + (low >>> 16);
  const last = (middle % rate) * 0x1_0000 + (low & 0xffff);
  const rest = last % rate;
  const quotient = Math.floor(high / rate) * 0x1_0000_0000 + Math.floor(middle / rate) * 0x1_0000;
  const sec = quotient + Math.floor(last / rate) + clock.offsetSec;
  return { sec, nsec: Math.floor((rest * NANOSECONDS_PER_SECOND) / rate) };
}

function exactTime(clock: Clock, high: number, low: number): Time {
  const units = (BigInt(high) << 32n) | BigInt(low);
  const rest = units % clock.perSecondExact;
  return {
    sec: Number(units / clock.perSecondExact) + clock.offsetSec,
    nsec: Number((rest * 1_000_000_000n) / clock.perSecondExact),
  };
}

/** Calls back for each option whose value lies wholly within `block[at, end)`; stops at the first that does not. */
function eachOption(
  block: Bytes,
  at: number,
  end: number,
  order: ByteOrder,
  visit: (code: number, at: number, length: number) => void,
): void {
  while (at + 4 <= end) {
    const code = order.u16(block, at);
    const length = order.u16(block, at + 2);
    if (code === OPTION.end || at + 4 + length > end) return;
    visit(code, at + 4, length);
    at += 4 + padded(length);
  }
}

export function padded(length: number): number {
  return (length + 3) & ~3;
}

export function readInterface(block: Bytes, order: ByteOrder): Interface {
  let resolution: number = MICROSECONDS;
  let offsetSec = 0;
  let fcsBytes = 0;
  eachOption(block, 16, block.length - 4, order, (code, at, length) => {
    if (code === OPTION.tsResolution && length >= 1) resolution = u8(block, at);
    else if (code === OPTION.tsOffset && length >= 8) offsetSec = Number(BigInt.asIntN(64, order.u64(block, at)));
    else if (code === OPTION.fcsLength && length >= 1) fcsBytes = fcsOctets(u8(block, at));
  });
  return {
    linkType: order.u16(block, 8),
    snaplen: order.u32(block, 12),
    fcsBytes,
    clock: clockFrom(resolution, offsetSec),
  };
}

/** The draft says bits and gives 4 as its example: both are written. */
function fcsOctets(value: number): number {
  return value >= 16 && value % 8 === 0 ? value / 8 : value;
}

/** Fixed fields only: constant work. The caller has checked the block against {@link smallestBlock}. */
export function readPacket(type: number, block: Bytes, order: ByteOrder, firstSnaplen: number): PacketFields {
  if (type === BLOCK.simplePacket) {
    const wireLength = order.u32(block, 8);
    const captured = Math.min(wireLength, block.length - 16, firstSnaplen === 0 ? wireLength : firstSnaplen);
    const none = { high: undefined, low: 0, direction: undefined, fcsBytes: undefined };
    return { interfaceId: 0, at: 12, captured, wireLength, ...none };
  }
  return {
    interfaceId: type === BLOCK.obsoletePacket ? order.u16(block, 8) : order.u32(block, 8),
    at: 28,
    captured: order.u32(block, 20),
    wireLength: order.u32(block, 24),
    high: order.u32(block, 12),
    low: order.u32(block, 16),
    direction: undefined,
    fcsBytes: undefined,
  };
}

/** epb_flags or pack_flags: bits 0-1 the direction, bits 5-8 the FCS length in octets. */
export function readPacketFlags(
  block: Bytes,
  packet: PacketFields,
  order: ByteOrder,
): Pick<PacketFields, 'direction' | 'fcsBytes'> {
  let flags = 0;
  if (packet.high !== undefined) {
    eachOption(block, packet.at + padded(packet.captured), block.length - 4, order, (code, at, length) => {
      if (code === OPTION.packetFlags && length >= 4) flags = order.u32(block, at);
    });
  }
  const way = flags & 3;
  const fcs = (flags >>> 5) & 15;
  return {
    direction: way === 1 ? 'in' : way === 2 ? 'out' : undefined,
    fcsBytes: fcs === 0 ? undefined : fcs,
  };
}
