/** Frames written anew, one for each that came, so that their numbers stay: what has no place becomes an empty frame. */
import { type Bytes, copy, EMPTY, putU16be, toHex, u8 } from '../../base/bytes.ts';
import { msBetween } from '../../base/time.ts';
import type { Frame } from '../../capture/frame.ts';
import { ICMP, ICMPV6 } from '../../packet/icmp.ts';
import { readIpv4 } from '../../packet/ipv4.ts';
import { readIpv6 } from '../../packet/ipv6.ts';
import { enterLink } from '../../packet/link/link.ts';
import { UDP } from '../../packet/udp.ts';
import { newPacket, newWalk, type Packet, type Walk } from '../../packet/walk.ts';
import { putIcmp, putIpHeader, putUdp, type Veils } from './packets.ts';
import { shiftedTime } from './shift.ts';

/** A frame as it is written. */
export type VeiledFrame = Omit<Frame, 'fcsBytes'>;

/** Kernels give fragments up after that long (net.ipv4.ipfrag_time). */
const FRAGMENTS_MS = 30_000;
const FRAMES_HELD = 4096;

const MAC_BYTES = 6;
/** By link type: where addresses of machines stand before the IP header, and how much is theirs. */
const LINK_ADDRESSES: Readonly<Record<number, readonly (readonly [at: number, room: number])[]>> = {
  1: [
    [0, 6],
    [6, 6],
  ],
  113: [[6, 8]],
  276: [[12, 8]],
};

/** For local experiments (IEEE 802): a header and nothing else, which readers of captures take without complaint. */
const ETHERTYPE = 0x88b5;
const EMPTY_FRAMES: Readonly<Record<number, Bytes>> = {
  1: headerOf(14, 12),
  113: headerOf(16, 14),
  276: headerOf(20, 0),
};

function headerOf(length: number, typeAt: number): Bytes {
  const out = new Uint8Array(length);
  putU16be(out, typeAt, ETHERTYPE);
  return out;
}

interface Slot {
  frame: Frame;
  veiled: VeiledFrame | undefined;
  /** Of a fragment, until the others of its packet are here. */
  part?: { readonly ipAt: number; readonly packet: Packet };
}

export class FrameVeil {
  /** Frames of which nothing is left but their number and their time. */
  emptied = 0;
  readonly #veils: Veils;
  readonly #shiftSec: number;
  /** In the order of the capture; the first is held back until the rest of its packet has come. */
  readonly #queue: Slot[] = [];
  readonly #parts = new Map<string, Slot[]>();

  constructor(veils: Veils, shiftSec: number) {
    this.#veils = veils;
    this.#shiftSec = shiftSec;
  }

  /** Those that are done, this one or earlier ones among them. */
  take(frame: Frame): VeiledFrame[] {
    const slot: Slot = { frame, veiled: undefined };
    this.#queue.push(slot);
    this.#enter(slot);
    const [first] = this.#queue;
    if (first !== undefined && first.veiled === undefined && (this.#queue.length > FRAMES_HELD || isLate(first, frame)))
      this.#giveUp(first);
    return this.#done();
  }

  flush(): VeiledFrame[] {
    for (const slot of this.#queue) if (slot.veiled === undefined) this.#giveUp(slot);
    return this.#done();
  }

  #done(): VeiledFrame[] {
    const out: VeiledFrame[] = [];
    for (let slot = this.#queue[0]; slot?.veiled !== undefined; slot = this.#queue[0]) {
      out.push(slot.veiled);
      this.#queue.shift();
    }
    return out;
  }

  #enter(slot: Slot): void {
    const { frame } = slot;
    const wireEnd = Math.max(0, Math.max(frame.wireLength, frame.bytes.length) - frame.fcsBytes);
    const end = Math.min(frame.bytes.length, wireEnd);
    const walk = { ...newWalk(), bytes: frame.bytes, end, wireEnd };
    const refused = enterLink(walk, frame.linkType);
    const ipAt = walk.at;
    const packet = refused !== undefined || walk.path.labels.includes('tzsp') ? undefined : packetAt(walk);
    if (packet?.isFragment === true) {
      this.#hold(slot, ipAt, packet);
      return;
    }
    const out = packet === undefined ? undefined : this.#begun(frame, end, ipAt, packet);
    const done = packet !== undefined && out !== undefined && this.#transport(frame.bytes, out, packet);
    this.#write(slot, done ? out : undefined, wireEnd);
  }

  #transport(was: Bytes, out: Bytes, packet: Packet): boolean {
    if (packet.protocol === UDP) return putUdp(this.#veils, was, out, packet);
    return (packet.protocol === ICMP || packet.protocol === ICMPV6) && putIcmp(this.#veils, was, out, packet);
  }

  /** With link layer and IP header, and zeros behind them. */
  #begun({ bytes, linkType }: Frame, end: number, ipAt: number, packet: Packet): Bytes | undefined {
    const out = new Uint8Array(end);
    out.set(bytes.subarray(0, ipAt));
    for (const [at, room] of LINK_ADDRESSES[linkType] ?? []) {
      out.fill(0, at, at + room);
      out.set(this.#veils.addresses.mac(bytes.subarray(at, at + MAC_BYTES)), at);
    }
    return putIpHeader(this.#veils, bytes, out, ipAt, packet) ? out : undefined;
  }

  /** Without bytes it becomes an empty frame. */
  #write(slot: Slot, bytes: Bytes | undefined, wireLength: number): void {
    const { fcsBytes: _, ...frame } = slot.frame;
    const time = shiftedTime(frame.time, this.#shiftSec);
    if (bytes === undefined) this.emptied++;
    const empty = EMPTY_FRAMES[frame.linkType] ?? EMPTY;
    slot.veiled =
      bytes === undefined
        ? { ...frame, time, bytes: empty, wireLength: empty.length }
        : { ...frame, time, bytes, wireLength };
  }

  #hold(slot: Slot, ipAt: number, packet: Packet): void {
    const bytes = copy(slot.frame.bytes);
    slot.frame = { ...slot.frame, bytes };
    slot.part = { ipAt, packet: { ...packet, header: bytes, payload: bytes } };
    const key = partsKey(packet);
    const parts = [...(this.#parts.get(key) ?? []), slot];
    this.#parts.set(key, parts);
    const whole = assembled(parts);
    if (whole === undefined) return;
    this.#parts.delete(key);
    const out = new Uint8Array(whole.bytes.length);
    const { sourceAt, addressBytes } = packet;
    const datagram = { header: bytes, sourceAt, addressBytes, at: 0, end: whole.end, wireEnd: out.length };
    const made = packet.protocol === UDP && putUdp(this.#veils, whole.bytes, out, datagram);
    for (const part of parts) this.#putPart(part, made ? out : undefined);
  }

  /** The others of its packet did not come: what there is of it counts as cut. */
  #giveUp(slot: Slot): void {
    const packet = slot.part?.packet;
    if (packet === undefined || packet.protocol !== UDP) {
      this.#putPart(slot, undefined);
      return;
    }
    const key = partsKey(packet);
    const others = (this.#parts.get(key) ?? []).filter((one) => one !== slot);
    if (others.length === 0) this.#parts.delete(key);
    else this.#parts.set(key, others);
    const { at, end, fragmentAt, sourceAt, addressBytes } = packet;
    const was = slot.frame.bytes.slice(at, end);
    const out = new Uint8Array(fragmentAt + was.length);
    const datagram = { header: slot.frame.bytes, sourceAt, addressBytes, at: 0, end: was.length, wireEnd: 65_535 };
    if (fragmentAt > 0) out.set(this.#veils.veil.sealed(was), fragmentAt);
    const made = fragmentAt > 0 || putUdp(this.#veils, was, out, datagram);
    this.#putPart(slot, made ? out : undefined);
  }

  #putPart(slot: Slot, payload: Bytes | undefined): void {
    const { frame, part } = slot;
    const wireEnd = Math.max(frame.wireLength, frame.bytes.length) - frame.fcsBytes;
    let out: Bytes | undefined;
    if (part !== undefined && payload !== undefined) {
      const { packet, ipAt } = part;
      out = this.#begun(frame, Math.min(frame.bytes.length, wireEnd), ipAt, packet);
      out?.set(payload.subarray(packet.fragmentAt, packet.fragmentAt + packet.end - packet.at), packet.at);
    }
    this.#write(slot, out, wireEnd);
  }
}

function packetAt(walk: Walk): Packet | undefined {
  const packet = newPacket();
  const version = walk.network === 0 ? u8(walk.bytes, walk.at) >>> 4 : walk.network;
  if (version !== 4 && version !== 6) return undefined;
  return (version === 4 ? readIpv4(walk, packet) : readIpv6(walk, packet)) === undefined ? packet : undefined;
}

const isLate = ({ frame: { time } }: Slot, now: Frame): boolean =>
  time !== undefined && now.time !== undefined && msBetween(time, now.time) > FRAGMENTS_MS;

function partsKey({ header, sourceAt, addressBytes, ipId, protocol }: Packet): string {
  return `${toHex(header.subarray(sourceAt, sourceAt + 2 * addressBytes))} ${ipId} ${protocol}`;
}

/** The payload of all of them, and how much of it was captured; undefined while something is missing. */
function assembled(slots: readonly Slot[]): { readonly bytes: Bytes; readonly end: number } | undefined {
  const parts = slots
    .flatMap(({ part }) => (part === undefined ? [] : [part.packet]))
    .sort((a, b) => a.fragmentAt - b.fragmentAt);
  let reach = 0;
  let total: number | undefined;
  for (const { fragmentAt, at, wireEnd, moreFragments } of parts) {
    if (fragmentAt > reach) return undefined;
    reach = Math.max(reach, fragmentAt + wireEnd - at);
    if (!moreFragments) total = fragmentAt + wireEnd - at;
  }
  if (total === undefined || reach !== total) return undefined;
  const bytes = new Uint8Array(total);
  let end = 0;
  for (const { fragmentAt, at, end: captured, payload } of parts) {
    if (fragmentAt > end) break;
    bytes.set(payload.subarray(at, captured), fragmentAt);
    end = Math.max(end, fragmentAt + captured - at);
  }
  return { bytes, end };
}
