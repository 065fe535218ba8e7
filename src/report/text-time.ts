/** Times of the report for people: relative to the start of a capture, and absolute. All of them are UTC. */

const RFC3339 = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.(\d{9})Z$/;
const PLAIN = /^@(-?\d{1,15})\.(\d{9})$/;
const NS_PER_S = 1_000_000_000n;

/** Nanoseconds since 1970; undefined for an empty or foreign text. */
export function parseNs(text: string): bigint | undefined {
  const plain = PLAIN.exec(text);
  if (plain !== null) return BigInt(plain[1] ?? '0') * NS_PER_S + BigInt(plain[2] ?? '0');
  const match = RFC3339.exec(text);
  if (match === null) return undefined;
  const ms = Date.parse(`${match[1]}Z`);
  return Number.isNaN(ms) ? undefined : (BigInt(ms) / 1000n) * NS_PER_S + BigInt(match[2] ?? '0');
}

/** The form that {@link parseNs} reads back: `@seconds.nanoseconds`. */
export function plainTime(ns: bigint): string {
  const rest = ((ns % NS_PER_S) + NS_PER_S) % NS_PER_S;
  return `@${(ns - rest) / NS_PER_S}.${String(rest).padStart(9, '0')}`;
}

const DAY_MS = 86_400_000n;
const LONG_MS = 100_000_000n;

/** `12.345 s`, rounded down towards minus infinity to the millisecond; from 100 000 s on `11574.0 d`. */
export function formatSeconds(ns: bigint): string {
  let ms = ns / 1_000_000n;
  if (ns % 1_000_000n < 0n) ms -= 1n;
  const size = ms < 0n ? -ms : ms;
  const sign = ms < 0n ? '-' : '';
  if (size >= LONG_MS) return `${sign}${size / DAY_MS}.${(size % DAY_MS) / (DAY_MS / 10n)} d`;
  return `${sign}${size / 1000n}.${String(size % 1000n).padStart(3, '0')} s`;
}

/** `+12.345 s` after `start`; undefined where either is no time. */
export function relative(time: string, start: string | undefined): string | undefined {
  const at = parseNs(time);
  const zero = start === undefined ? undefined : parseNs(start);
  if (at === undefined || zero === undefined) return undefined;
  const text = formatSeconds(at - zero);
  return text.startsWith('-') ? text : `+${text}`;
}

/** `2026-11-21 02:00:37.123456 UTC`: microseconds, which is what most captures have. */
export function absolute(time: string): string {
  const match = RFC3339.exec(time);
  return match === null ? time : `${(match[1] ?? '').replace('T', ' ')}.${(match[2] ?? '').slice(0, 6)} UTC`;
}
