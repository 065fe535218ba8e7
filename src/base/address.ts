/** IP addresses, endpoints and prefixes: strict parsing, canonical text (RFC 5952). */
import { type Bytes, u16be } from './bytes.ts';

/** 4 or 16 bytes. An IPv4-mapped IPv6 address stays 16 bytes. */
export type IpBytes = Bytes;

export interface Endpoint {
  readonly ip: IpBytes;
  readonly port: number;
  /** Canonical: `192.0.2.1:51820`, `[2001:db8::1]:51820`. Two endpoints are equal when their texts are. */
  readonly text: string;
}

export interface Prefix {
  readonly ip: IpBytes;
  /** 0 to 32 or 0 to 128. */
  readonly bits: number;
}

export function formatIp(ip: IpBytes): string {
  if (ip.length === 4) return `${ip[0]}.${ip[1]}.${ip[2]}.${ip[3]}`;
  const groups: number[] = [];
  for (let i = 0; i < 16; i += 2) groups.push(u16be(ip, i));
  if (groups.slice(0, 5).every((g) => g === 0) && groups[5] === 0xffff) return `::ffff:${formatIp(ip.subarray(12))}`;
  let start = -1;
  let length = 1;
  for (let i = 0; i < 8; i++) {
    let j = i;
    while (j < 8 && groups[j] === 0) j++;
    if (j - i > length) {
      start = i;
      length = j - i;
    }
  }
  const hex = (part: readonly number[]): string => part.map((g) => g.toString(16)).join(':');
  return start < 0 ? hex(groups) : `${hex(groups.slice(0, start))}::${hex(groups.slice(start + length))}`;
}

function parseIpv4(text: string): IpBytes | undefined {
  const parts = text.split('.');
  if (parts.length !== 4) return undefined;
  const out = new Uint8Array(4);
  for (const [i, part] of parts.entries()) {
    if (!/^(0|[1-9][0-9]{0,2})$/.test(part) || Number(part) > 255) return undefined;
    out[i] = Number(part);
  }
  return out;
}

/** The groups between colons; dotted IPv4 only at the very end of an address (RFC 4291 §2.2). */
function parseGroups(text: string, atEnd: boolean): number[] | undefined {
  if (text === '') return [];
  const out: number[] = [];
  const parts = text.split(':');
  for (const [i, part] of parts.entries()) {
    if (part.includes('.')) {
      const v4 = atEnd && i === parts.length - 1 ? parseIpv4(part) : undefined;
      if (v4 === undefined) return undefined;
      out.push(u16be(v4, 0), u16be(v4, 2));
    } else if (/^[0-9a-fA-F]{1,4}$/.test(part)) out.push(Number.parseInt(part, 16));
    else return undefined;
  }
  return out;
}

/** Strict: no octal, no short forms, no zone. */
export function parseIp(text: string): IpBytes | undefined {
  if (!text.includes(':')) return parseIpv4(text);
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const head = parseGroups(halves[0] ?? '', halves.length === 1);
  const tail = halves.length === 2 ? parseGroups(halves[1] ?? '', true) : [];
  if (head === undefined || tail === undefined) return undefined;
  const gap = 8 - head.length - tail.length;
  if (halves.length === 2 ? gap < 1 : gap !== 0) return undefined;
  const out = new Uint8Array(16);
  for (const [i, group] of [...head, ...Array<number>(gap).fill(0), ...tail].entries()) {
    out[2 * i] = group >>> 8;
    out[2 * i + 1] = group;
  }
  return out;
}

export function endpoint(ip: IpBytes, port: number): Endpoint {
  const text = ip.length === 4 ? `${formatIp(ip)}:${port}` : `[${formatIp(ip)}]:${port}`;
  return { ip, port, text };
}

/** `192.0.2.1:51820` or `[2001:db8::1]:51820`; names are not endpoints yet and give undefined. */
export function parseEndpoint(text: string): Endpoint | undefined {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(0|[1-9][0-9]{0,4})$/.exec(text);
  if (match === null || Number(match[3]) > 65535) return undefined;
  const ip = parseIp(match[1] ?? match[2] ?? '');
  if (ip === undefined || (ip.length === 16) !== (match[1] !== undefined)) return undefined;
  return endpoint(ip, Number(match[3]));
}

/** `10.0.0.0/8`; without a length the whole address. Host bits are kept: see {@link maskIp}. */
export function parsePrefix(text: string): Prefix | undefined {
  const match = /^([^/]+)(?:\/(0|[1-9][0-9]{0,2}))?$/.exec(text);
  const ip = match === null ? undefined : parseIp(match[1] ?? '');
  if (match === null || ip === undefined) return undefined;
  const bits = match[2] === undefined ? ip.length * 8 : Number(match[2]);
  return bits <= ip.length * 8 ? { ip, bits } : undefined;
}

export function maskIp(ip: IpBytes, bits: number): IpBytes {
  const out = new Uint8Array(ip.length);
  for (let i = 0; i < ip.length; i++) {
    const keep = Math.max(0, Math.min(8, bits - 8 * i));
    out[i] = (ip[i] ?? 0) & (0xff << (8 - keep));
  }
  return out;
}

export function formatPrefix(prefix: Prefix): string {
  return `${formatIp(prefix.ip)}/${prefix.bits}`;
}

export function inPrefix(ip: IpBytes, prefix: Prefix): boolean {
  if (ip.length !== prefix.ip.length) return false;
  const whole = prefix.bits >>> 3;
  for (let i = 0; i < whole; i++) if (ip[i] !== prefix.ip[i]) return false;
  const rest = prefix.bits & 7;
  return rest === 0 || ((ip[whole] ?? 0) ^ (prefix.ip[whole] ?? 0)) >>> (8 - rest) === 0;
}
