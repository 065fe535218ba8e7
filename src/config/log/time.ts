/** The times at the head of log lines: of the kernel, of syslog and journals, of Go, Rust, Windows and RouterOS. */
import type { Time } from '../../base/time.ts';
import { fractionNs, monthNumber, wallTime } from '../dates.ts';

export type LogTime =
  /** With a zone, or in UTC. */
  | { readonly kind: 'instant'; readonly time: Time }
  /** The wall clock of a zone that is not told, as though it showed UTC. */
  | { readonly kind: 'wall'; readonly time: Time }
  /** Since the machine started. */
  | { readonly kind: 'boot'; readonly time: Time }
  | { readonly kind: 'yearless'; readonly month: number; readonly day: number; readonly ofDay: Time }
  /** Of an unknown day. */
  | { readonly kind: 'clock'; readonly ofDay: Time };

export interface Timed {
  readonly time?: LogTime;
  /** Where the rest begins. */
  readonly end: number;
}

const CLOCK = '(\\d\\d):(\\d\\d):(\\d\\d)(?:[.,](\\d{1,9}))?';
/** Where a line may have a time in front of which nothing that matters stands. */
const FORMS: readonly (readonly [RegExp, (m: readonly (string | undefined)[]) => LogTime | undefined])[] = [
  // 2026-11-21T01:59:30.123456+00:00, time=2026-…, 2026-11-21 01:59:30.676514:, 2026/11/21 02:01:05
  [
    new RegExp(`^(?:time=)?(\\d{4})[-/](\\d\\d)[-/](\\d\\d)[T ]${CLOCK}(Z|UTC|[+-]\\d\\d:?\\d\\d)?:?(?=\\s|$)`),
    ([, year, month, day, ...rest]) => dated(year, Number(month), day, rest),
  ],
  // [  123.456789], <7>[  123.456789]
  [
    /^(?:<\d{1,3}>)?\[ *(\d{1,10})\.(\d{1,9})\]/,
    ([, sec, fraction]) => ({ kind: 'boot', time: { sec: Number(sec), nsec: fractionNs(fraction) } }),
  ],
  // [Sat Nov 21 02:15:36 2026]
  [
    new RegExp(`^\\[[A-Z][a-z]{2} ([A-Z][a-z]{2}) +(\\d{1,2}) ${CLOCK} (\\d{4})\\]`),
    ([, month, day, h, m, s, f, year]) => dated(year, monthNumber(month ?? '') ?? 0, day, [h, m, s, f]),
  ],
  // mar/14/2026 09:21:55, mar/14 09:21:55
  [
    new RegExp(`^([A-Za-z]{3})/(\\d\\d)(?:/(\\d{4}))? ${CLOCK}(?=\\s|$)`),
    ([, month, day, year, ...rest]) =>
      year === undefined
        ? yearless(monthNumber(month ?? ''), day, rest)
        : dated(year, monthNumber(month ?? '') ?? 0, day, rest),
  ],
  // Nov 21 01:59:30 host kernel:
  [
    new RegExp(`^(?:<\\d{1,3}>)?([A-Z][a-z]{2}) +(\\d{1,2}) ${CLOCK}(?=\\s|$)`),
    ([, month, day, ...rest]) => yearless(monthNumber(month ?? ''), day, rest),
  ],
  // 11-21 01:59:30.123 of Android and newer RouterOS
  [new RegExp(`^(\\d\\d)-(\\d\\d) ${CLOCK}(?=\\s|$)`), ([, month, day, ...rest]) => yearless(Number(month), day, rest)],
  // 14:25:01 of RouterOS
  [new RegExp(`^${CLOCK}(?=\\s|$)`), ([, ...rest]) => clock(rest)],
];

type Clock = readonly (string | undefined)[];

function dated(year: string | undefined, month: number, day: string | undefined, rest: Clock): LogTime | undefined {
  const [hour, minute, second, fraction, zone] = rest;
  const time = wallTime({
    year: Number(year),
    month,
    day: Number(day),
    hour: Number(hour),
    minute: Number(minute),
    second: Number(second),
    nsec: fractionNs(fraction),
  });
  if (time === undefined) return undefined;
  if (zone === undefined) return { kind: 'wall', time };
  const offset = /^([+-])(\d\d):?(\d\d)$/.exec(zone);
  const east = offset === null ? 0 : (Number(offset[2]) * 3600 + Number(offset[3]) * 60) * (offset[1] === '-' ? -1 : 1);
  return { kind: 'instant', time: { sec: time.sec - east, nsec: time.nsec } };
}

function ofDay(rest: Clock): Time | undefined {
  const [hour, minute, second, fraction] = rest;
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 60) return undefined;
  return { sec: Number(hour) * 3600 + Number(minute) * 60 + Number(second), nsec: fractionNs(fraction) };
}

function yearless(month: number | undefined, day: string | undefined, rest: Clock): LogTime | undefined {
  const time = ofDay(rest);
  // 2000 had a 29th of February.
  const exists = wallTime({ year: 2000, month: month ?? 0, day: Number(day), hour: 0, minute: 0, second: 0, nsec: 0 });
  if (time === undefined || month === undefined || exists === undefined) return undefined;
  return { kind: 'yearless', month, day: Number(day), ofDay: time };
}

function clock(rest: Clock): LogTime | undefined {
  const time = ofDay(rest);
  return time === undefined ? undefined : { kind: 'clock', ofDay: time };
}

/** The time that `text` begins with; white space before it does not matter. */
export function leadingTime(text: string): Timed {
  const start = text.length - text.trimStart().length;
  const body = text.slice(start, start + 100);
  for (const [form, read] of FORMS) {
    const match = form.exec(body);
    if (match === null) continue;
    const time = read(match);
    if (time !== undefined) return { time, end: start + match[0].length };
  }
  return { end: start };
}
