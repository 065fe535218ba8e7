/** IPv4 and IPv6 reassembly in bounded memory, for captures that show some packets more than once. */
import { formatIp } from '../base/address.ts';
import { type Bytes, copy, EMPTY, u16be } from '../base/bytes.ts';
import { msBetween, type Time } from '../base/time.ts';
import type { Frame } from '../capture/frame.ts';
import type { Skip } from './datagram.ts';
import { notUdp } from './names.ts';
import { Pieces } from './pieces.ts';
import { UDP, UDP_HEADER_BYTES } from './udp.ts';
import type { Packet, Refusal } from './walk.ts';

export interface FragmentLimits {
  /** Packets that are waited for at the same time. */
  readonly maxPending: number;
  /** Captured octets held for them, with an overhead per fragment. */
  readonly maxBytes: number;
  /** By frame time, from the first fragment that was seen. */
  readonly maxAgeMs: number;
  /** The same where frames have no time, in frames. */
  readonly maxAgeFrames: number;
}

/** 30 s is what Linux waits for IPv4 (ipfrag_time). */
const DEFAULT_LIMITS: FragmentLimits = {
  maxPending: 256,
  maxBytes: 4 * 1024 * 1024,
  maxAgeMs: 30_000,
  maxAgeFrames: 10_000,
};

const MAX_IP_PAYLOAD = 65_535;
/** A router that bridges shows a packet up to this often under `tcpdump -i any`. */
const MAX_COPIES = 4;

const PENDING: Refusal = { reason: 'fragment-pending', detail: 'waits for the other fragments' };
const SEEN: Refusal = { reason: 'fragment-pending', detail: 'one more copy of a fragment' };
const SPOILT: Refusal = { reason: 'fragment-incomplete', detail: 'belongs to a packet that was given up' };
const EMPTY_PART: Refusal = { reason: 'ip-malformed', detail: 'fragment without payload' };
const UNEVEN: Refusal = {
  reason: 'ip-malformed',
  detail: 'fragment that is not the last has a length that is no multiple of 8',
};
const TOO_LONG: Refusal = { reason: 'ip-malformed', detail: 'fragment beyond 65535 octets' };

/** All copies of one packet, by its addresses, protocol and identification. */
interface Group {
  readonly key: string;
  readonly addresses: Bytes;
  readonly protocol: number;
  readonly ipId: number;
  readonly since: Time | undefined;
  readonly sinceFrame: number;
  /** The latest fragment's, without its bytes: those may be gone by the time this is given up. */
  frame: Frame;
  readonly copies: Pieces[];
  /** One copy came out whole, so what is left is no loss. */
  delivered: boolean;
  /** Fragments disagreed; the rest of them is refused until the group is too old. */
  spoilt: boolean;
}

export class Fragments {
  readonly #limits: FragmentLimits;
  /** In order of the first fragment: the oldest comes first. */
  readonly #groups = new Map<string, Group>();
  #oldest: Group | undefined;
  #bytes = 0;
  #frames = 0;

  constructor(limits: Partial<FragmentLimits> = {}) {
    this.#limits = { ...DEFAULT_LIMITS, ...limits };
  }

  get pending(): number {
    return this.#groups.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** To be called for each frame: appends to `out` what became too old before it. Costs next to nothing when all is young. */
  expire(frame: Frame, out: Skip[]): void {
    this.#frames++;
    for (let group = this.#oldest; group !== undefined && this.#isOld(group, frame); group = this.#oldest) {
      this.#giveUp(group, out);
    }
  }

  flush(out: Skip[]): void {
    for (const group of [...this.#groups.values()]) this.#giveUp(group, out);
  }

  /**
   * Takes the fragment in `packet`. Undefined when it was the last one needed: `packet` is then the whole packet.
   * Appends to `out` what was given up to stay within the limits.
   *
   * Differs: RFC 5722 drops a packet whose fragments overlap. Here only those whose octets disagree are dropped;
   * the rest are taken for further copies, which an observer gets and a receiver does not.
   */
  add(packet: Packet, frame: Frame, out: Skip[]): Refusal | undefined {
    const length = packet.wireEnd - packet.at;
    if (length <= 0) return EMPTY_PART;
    if (packet.moreFragments && length % 8 !== 0) return UNEVEN;
    if (packet.fragmentAt + length > MAX_IP_PAYLOAD) return TOO_LONG;

    const key = keyOf(packet);
    let group = this.#groups.get(key);
    if (group === undefined) group = this.#open(key, packet, frame, out);
    if (group.spoilt) return SPOILT;
    group.frame = withoutBytes(frame);

    const pieces = this.#place(group, packet);
    if (pieces === 'again') return SEEN;
    if (pieces === 'disagrees') return this.#spoil(group, 'its fragments overlap and disagree');
    if (pieces === 'too-many') return this.#spoil(group, 'too many fragments');
    const before = pieces.charged;
    pieces.add(packet);
    this.#bytes += pieces.charged - before;
    if (pieces.complete) {
      pieces.assemble(packet);
      this.#finish(group, pieces);
      return undefined;
    }
    this.#stayBelow(group, out);
    return PENDING;
  }

  #open(key: string, packet: Packet, frame: Frame, out: Skip[]): Group {
    if (this.#groups.size >= this.#limits.maxPending && this.#oldest !== undefined) this.#giveUp(this.#oldest, out);
    const group: Group = {
      key,
      addresses: copy(packet.header, packet.sourceAt, packet.sourceAt + 2 * packet.addressBytes),
      protocol: packet.protocol,
      ipId: packet.ipId,
      since: frame.time,
      sinceFrame: this.#frames,
      frame,
      copies: [],
      delivered: false,
      spoilt: false,
    };
    this.#groups.set(key, group);
    this.#oldest ??= group;
    return group;
  }

  /** The copy this fragment belongs to, a new one if need be. */
  #place(group: Group, packet: Packet): Pieces | 'again' | 'disagrees' | 'too-many' {
    for (const copy of group.copies) {
      const fit = copy.fit(packet);
      if (fit === 'fits') return copy;
      if (fit !== 'again') return fit;
    }
    if (group.copies.length >= MAX_COPIES) return 'again';
    const copy = new Pieces();
    group.copies.push(copy);
    return copy;
  }

  #finish(group: Group, pieces: Pieces): void {
    this.#bytes -= pieces.charged;
    group.copies.splice(group.copies.indexOf(pieces), 1);
    group.delivered = true;
    if (group.copies.length === 0) this.#remove(group);
  }

  #spoil(group: Group, why: string): Refusal {
    const detail = describe(group, why);
    this.#release(group);
    group.spoilt = true;
    return { reason: 'fragment-incomplete', detail };
  }

  /** Gives up the oldest, the one just added to last of all. */
  #stayBelow(current: Group, out: Skip[]): void {
    if (this.#bytes <= this.#limits.maxBytes) return;
    for (const group of [...this.#groups.values()]) {
      if (group === current || group.spoilt) continue;
      this.#giveUp(group, out);
      if (this.#bytes <= this.#limits.maxBytes) return;
    }
    this.#giveUp(current, out);
  }

  #giveUp(group: Group, out: Skip[]): void {
    if (!group.spoilt && !group.delivered) {
      out.push({
        kind: 'skip',
        frame: group.frame,
        reason: 'fragment-incomplete',
        detail: describe(group, missing(group)),
      });
    }
    this.#release(group);
    this.#remove(group);
  }

  #release(group: Group): void {
    for (const copy of group.copies) this.#bytes -= copy.charged;
    group.copies.length = 0;
  }

  #remove(group: Group): void {
    this.#groups.delete(group.key);
    if (group === this.#oldest) this.#oldest = this.#groups.values().next().value;
  }

  #isOld(group: Group, frame: Frame): boolean {
    if (group.since === undefined || frame.time === undefined) {
      return this.#frames - group.sinceFrame > this.#limits.maxAgeFrames;
    }
    return msBetween(group.since, frame.time) > this.#limits.maxAgeMs;
  }
}

/** IPv6 leaves the protocol out: only the first fragment's counts (RFC 8200 §4.5). */
function keyOf(packet: Packet): string {
  const { header, sourceAt, addressBytes, ipId } = packet;
  let key = String.fromCharCode(addressBytes === 4 ? packet.protocol : 256, ipId >>> 16, ipId & 0xffff);
  for (let i = 0; i < 2 * addressBytes; i += 2) key += String.fromCharCode(u16be(header, sourceAt + i));
  return key;
}

/** A frame that may be kept: the bytes are a view that will not stay valid. */
function withoutBytes(frame: Frame): Frame {
  return { ...frame, bytes: EMPTY };
}

/** `UDP from 192.0.2.1:51820 to …, id 7: 2 fragments, 1480 of 1508 octets, …`; ports where the first fragment is here. */
function describe(group: Group, what: string): string {
  const { addresses } = group;
  const half = addresses.length / 2;
  const best = fullest(group);
  const start = best?.start;
  const hasPorts = start !== undefined && group.protocol === UDP && start.length >= UDP_HEADER_BYTES;
  const text = (at: number, port: number): string => {
    const ip = formatIp(addresses.subarray(at, at + half));
    if (!hasPorts) return ip;
    return half === 4 ? `${ip}:${u16be(start, port)}` : `[${ip}]:${u16be(start, port)}`;
  };
  const count = best?.count ?? 0;
  const octets = best?.total === undefined ? `${best?.have ?? 0}` : `${best.have} of ${best.total}`;
  const name = group.protocol === UDP ? 'UDP' : notUdp(group.protocol).detail;
  return `${name} from ${text(0, 0)} to ${text(half, 2)}, id ${group.ipId}: ${count} fragment${count === 1 ? '' : 's'}, ${octets} octets, ${what}`;
}

function missing(group: Group): string {
  const best = fullest(group);
  if (best?.start === undefined) return 'the first is missing';
  return best.total === undefined ? 'the last is missing' : 'one between is missing';
}

function fullest(group: Group): Pieces | undefined {
  let best: Pieces | undefined;
  for (const copy of group.copies) if (best === undefined || copy.have > best.have) best = copy;
  return best;
}
