/** Builds packets for the tests, octet by octet and independent of the code under test. */
import { concat, EMPTY } from '../../src/base/bytes.ts';
import type { Frame } from '../../src/capture/frame.ts';
import type { Datagram, Decoded, IcmpError, Skip } from '../../src/packet/datagram.ts';

export const bytes = (...values: readonly number[]): Uint8Array => Uint8Array.from(values);
export const be16 = (value: number): Uint8Array => bytes((value >>> 8) & 255, value & 255);
export const be32 = (value: number): Uint8Array =>
  bytes((value >>> 24) & 255, (value >>> 16) & 255, (value >>> 8) & 255, value & 255);

/** RFC 1071, the slow and plain way. */
export function internetChecksum(data: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < data.length; i++) sum += i % 2 === 0 ? (data[i] ?? 0) * 256 : (data[i] ?? 0);
  while (sum > 0xffff) sum = (sum % 0x10000) + Math.floor(sum / 0x10000);
  return 0xffff - sum;
}

export interface Ends {
  readonly source: Uint8Array;
  readonly destination: Uint8Array;
  readonly sourcePort: number;
  readonly destinationPort: number;
}

export const V4: Ends = {
  source: bytes(192, 0, 2, 1),
  destination: bytes(198, 51, 100, 2),
  sourcePort: 40000,
  destinationPort: 51820,
};
const v6 = (last: number): Uint8Array => bytes(0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last);
export const V6: Ends = { source: v6(1), destination: v6(2), sourcePort: 40000, destinationPort: 51820 };

export function udp(ends: Ends, payload: Uint8Array, checksum?: number): Uint8Array {
  const length = 8 + payload.length;
  const plain = concat(be16(ends.sourcePort), be16(ends.destinationPort), be16(length), be16(0), payload);
  const pseudo = concat(ends.source, ends.destination, bytes(0, 17), be16(length));
  const value = checksum ?? (internetChecksum(concat(pseudo, plain)) || 0xffff);
  plain.set(be16(value), 6);
  return plain;
}

export interface V4Options {
  readonly id?: number;
  readonly options?: Uint8Array;
  readonly fragmentAt?: number;
  readonly more?: boolean;
  readonly df?: boolean;
  readonly ttl?: number;
  readonly tos?: number;
  readonly protocol?: number;
  readonly total?: number;
}

export function ipv4(ends: Pick<Ends, 'source' | 'destination'>, payload: Uint8Array, o: V4Options = {}): Uint8Array {
  const options = o.options ?? EMPTY;
  const header = 20 + options.length;
  const flags = (o.df === true ? 0x4000 : 0) | (o.more === true ? 0x2000 : 0) | ((o.fragmentAt ?? 0) / 8);
  return concat(
    bytes(0x40 | (header / 4), o.tos ?? 0),
    be16(o.total ?? header + payload.length),
    be16(o.id ?? 0),
    be16(flags),
    bytes(o.ttl ?? 64, o.protocol ?? 17, 0, 0),
    ends.source,
    ends.destination,
    options,
    payload,
  );
}

/** Extension headers as [protocol, octets without the leading next-header octet]. */
export type Extension = readonly [number, Uint8Array];

export function chain(
  extensions: readonly Extension[],
  last: number,
  payload: Uint8Array,
): { first: number; body: Uint8Array } {
  let first = last;
  let body = payload;
  for (const [protocol, rest] of [...extensions].reverse()) {
    body = concat(bytes(first), rest, body);
    first = protocol;
  }
  return { first, body };
}

export function fragmentExtension(at: number, more: boolean, id: number): Extension {
  return [44, concat(bytes(0), be16(at | (more ? 1 : 0)), be32(id))];
}

export interface V6Options {
  readonly extensions?: readonly Extension[];
  readonly protocol?: number;
  readonly length?: number;
  readonly ttl?: number;
  readonly tos?: number;
}

export function ipv6(ends: Pick<Ends, 'source' | 'destination'>, payload: Uint8Array, o: V6Options = {}): Uint8Array {
  const { first, body } = chain(o.extensions ?? [], o.protocol ?? 17, payload);
  const tos = o.tos ?? 0;
  return concat(
    bytes(0x60 | (tos >>> 4), (tos & 15) << 4, 0, 0),
    be16(o.length ?? body.length),
    bytes(first, o.ttl ?? 64),
    ends.source,
    ends.destination,
    body,
  );
}

/** Cuts a payload in pieces at multiples of 8. */
export function split(payload: Uint8Array, cuts: readonly number[]): { at: number; more: boolean; part: Uint8Array }[] {
  const ends = [...new Set(cuts.map((cut) => cut * 8).filter((cut) => cut > 0 && cut < payload.length))].sort(
    (a, b) => a - b,
  );
  return [0, ...ends].map((at, i) => {
    const end = ends[i] ?? payload.length;
    return { at, more: end < payload.length, part: payload.subarray(at, end) };
  });
}

export function ethernet(type: number, payload: Uint8Array): Uint8Array {
  return concat(bytes(2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1), be16(type), payload);
}

export const vlan = (id: number, type: number, payload: Uint8Array): Uint8Array =>
  concat(be16(0x6000 | id), be16(type), payload);

export function pppoe(protocol: number, payload: Uint8Array, padding = 0): Uint8Array {
  return concat(bytes(0x11, 0), be16(7), be16(2 + payload.length), be16(protocol), payload, new Uint8Array(padding));
}

export function tzsp(frame: Uint8Array, originalLength?: number): Uint8Array {
  const tag = originalLength === undefined ? EMPTY : concat(bytes(41, 2), be16(originalLength));
  return concat(bytes(1, 0, 0, 1), tag, bytes(1), frame);
}

export function frame(linkType: number, data: Uint8Array, more: Partial<Frame> = {}): Frame {
  return {
    number: 1,
    time: { sec: 1, nsec: 0 },
    linkType,
    bytes: data,
    wireLength: data.length,
    interfaceId: 0,
    fcsBytes: 0,
    ...more,
  };
}

/** The single result; anything else fails the test that asks. */
export function only(decoded: readonly Decoded[]): Decoded {
  const [first, second] = decoded;
  if (first === undefined || second !== undefined)
    throw new Error(`${decoded.length} results: ${JSON.stringify(decoded.map(brief))}`);
  return first;
}

export function datagram(decoded: readonly Decoded[]): Datagram {
  const found = only(decoded);
  if (found.kind !== 'datagram') throw new Error(`no datagram but ${brief(found)}`);
  return found;
}

export function icmpError(decoded: readonly Decoded[]): IcmpError {
  const found = only(decoded);
  if (found.kind !== 'icmp-error') throw new Error(`no ICMP error but ${brief(found)}`);
  return found;
}

export function skipped(decoded: readonly Decoded[]): Skip {
  const found = only(decoded);
  if (found.kind !== 'skip') throw new Error(`no skip but ${brief(found)}`);
  return found;
}

export function brief(found: Decoded): string {
  return found.kind === 'skip' ? `${found.reason}: ${found.detail}` : found.kind;
}
