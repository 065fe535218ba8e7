/** Dates that logs and exports print: wall-clock parts to a time, as though the wall clock showed UTC. */
import type { Time } from '../base/time.ts';

export interface WallClock {
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly nsec: number;
}

const NAMES = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];

/** `Nov`, `november`, `nov`: 1 to 12, or undefined. */
export function monthNumber(name: string): number | undefined {
  const at = NAMES.indexOf(name.slice(0, 3).toLowerCase());
  return at < 0 ? undefined : at + 1;
}

/** undefined for a date that no calendar has; 60 seconds are taken as the next minute (a leap second). */
export function wallTime(clock: WallClock): Time | undefined {
  const { year, month, day, hour, minute, second, nsec } = clock;
  if (year < 1970 || year > 9999 || hour > 23 || minute > 59 || second > 60) return undefined;
  const date = new Date(Date.UTC(year, month - 1, day));
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return undefined;
  return { sec: date.getTime() / 1000 + hour * 3600 + minute * 60 + second, nsec };
}

/** The digits after the point, as nanoseconds. */
export function fractionNs(digits: string | undefined): number {
  return digits === undefined ? 0 : Number(digits.slice(0, 9).padEnd(9, '0'));
}
