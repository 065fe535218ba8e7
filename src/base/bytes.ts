/** Byte access in both byte orders, joining, comparing, hexadecimal. Reads past the end are the caller's bug and give 0. */

export type Bytes = Uint8Array;

export const EMPTY: Bytes = new Uint8Array(0);

export function u8(b: Bytes, at: number): number {
  return b[at] ?? 0;
}

export function u16be(b: Bytes, at: number): number {
  return ((b[at] ?? 0) << 8) | (b[at + 1] ?? 0);
}

export function u16le(b: Bytes, at: number): number {
  return (b[at] ?? 0) | ((b[at + 1] ?? 0) << 8);
}

export function u32be(b: Bytes, at: number): number {
  return (((b[at] ?? 0) << 24) | ((b[at + 1] ?? 0) << 16) | ((b[at + 2] ?? 0) << 8) | (b[at + 3] ?? 0)) >>> 0;
}

export function u32le(b: Bytes, at: number): number {
  return ((b[at] ?? 0) | ((b[at + 1] ?? 0) << 8) | ((b[at + 2] ?? 0) << 16) | ((b[at + 3] ?? 0) << 24)) >>> 0;
}

export function u64le(b: Bytes, at: number): bigint {
  return (BigInt(u32le(b, at + 4)) << 32n) | BigInt(u32le(b, at));
}

export function u64be(b: Bytes, at: number): bigint {
  return (BigInt(u32be(b, at)) << 32n) | BigInt(u32be(b, at + 4));
}

export function putU16be(b: Bytes, at: number, value: number): void {
  b[at] = value >>> 8;
  b[at + 1] = value;
}

export function putU16le(b: Bytes, at: number, value: number): void {
  b[at] = value;
  b[at + 1] = value >>> 8;
}

export function putU32be(b: Bytes, at: number, value: number): void {
  b[at] = value >>> 24;
  b[at + 1] = value >>> 16;
  b[at + 2] = value >>> 8;
  b[at + 3] = value;
}

export function putU32le(b: Bytes, at: number, value: number): void {
  b[at] = value;
  b[at + 1] = value >>> 8;
  b[at + 2] = value >>> 16;
  b[at + 3] = value >>> 24;
}

/** Counter as two 32-bit halves, little endian (wp §5.4.6). */
export function putU64le(b: Bytes, at: number, low: number, high: number): void {
  putU32le(b, at, low);
  putU32le(b, at + 4, high);
}

/** A copy for keeping, never a view: `slice` of a Node Buffer, which is a Uint8Array to us, would be one. */
export function copy(b: Bytes, from = 0, to = b.length): Bytes {
  return new Uint8Array(b.subarray(from, to));
}

export function concat(...parts: readonly Bytes[]): Bytes {
  return concatAll(parts);
}

/** For lists of any length: arguments are limited by the stack. */
export function concatAll(parts: readonly Bytes[]): Bytes {
  let size = 0;
  for (const part of parts) size += part.length;
  const out = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** Plain equality for public bytes; secrets and tags are compared with {@link equalSecret}. */
export function equal(a: Bytes, b: Bytes): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Time depends on the length only. */
export function equalSecret(a: Bytes, b: Bytes): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= (a[i] ?? 0) ^ (b[i] ?? 0);
  return difference === 0;
}

export function isZero(b: Bytes): boolean {
  let any = 0;
  for (let i = 0; i < b.length; i++) any |= b[i] ?? 0;
  return any === 0;
}

/** Lexicographic, as memcmp; shorter sorts first on a tie. */
export function compareBytes(a: Bytes, b: Bytes): number {
  const n = Math.min(a.length, b.length);
  for (let i = 0; i < n; i++) {
    const d = (a[i] ?? 0) - (b[i] ?? 0);
    if (d !== 0) return d;
  }
  return a.length - b.length;
}

const HEX: readonly string[] = Array.from({ length: 256 }, (_, i) => i.toString(16).padStart(2, '0'));

export function toHex(b: Bytes): string {
  let out = '';
  for (let i = 0; i < b.length; i++) out += HEX[b[i] ?? 0];
  return out;
}

/** Throws RangeError on anything but pairs of hexadecimal digits: for constants and vectors, never for input. */
export function fromHex(text: string): Bytes {
  if (text.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(text)) throw new RangeError('not hexadecimal');
  const out = new Uint8Array(text.length / 2);
  for (let i = 0; i < out.length; i++) out[i] = Number.parseInt(text.slice(2 * i, 2 * i + 2), 16);
  return out;
}

/** For labels: an engine that has nothing but the language has no TextEncoder. Throws RangeError on what is not ASCII. */
export function ascii(text: string): Bytes {
  return Uint8Array.from(text, (char) => {
    if (char > '\x7f') throw new RangeError('not ASCII');
    return char.charCodeAt(0);
  });
}

export function utf8(text: string): Bytes {
  return new TextEncoder().encode(text);
}
