/** Reads `timedatectl`: what the clock says and whether anything keeps it right. */
import type { Time } from '../../base/time.ts';
import { wallTime } from '../dates.ts';
import { given } from '../given.ts';
import { type Pasted, pastedLines } from '../pasted.ts';
import type { Located } from '../text.ts';

export interface ClockStatus {
  readonly universalTime?: Located<Time>;
  /** The battery-backed clock, read as UTC; `n/a` where there is none. */
  readonly rtcTime?: Located<Time>;
  readonly timeZone?: Located<string>;
  readonly synchronized?: Located<boolean>;
  /** A service that keeps the time is running. */
  readonly ntpActive?: Located<boolean>;
}

/** `Sat 2026-11-21 02:15:36 UTC` */
function timeOf(text: string): Time | undefined {
  const match = /(\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)/.exec(text);
  if (match === null) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1).map(Number);
  return wallTime({ year, month, day, hour, minute, second, nsec: 0 });
}

/** Versions since systemd 239 and before are read. Never throws. */
export function parseTimedatectl(text: Pasted): ClockStatus {
  const found = new Map<string, Located<string>>();
  for (const { number, text: line } of pastedLines(text)) {
    const match = /^\s*([A-Za-z][A-Za-z ]{1,40}): (.*\S)\s*$/.exec(line);
    if (match === null) continue;
    const [, name = '', value = ''] = match;
    found.set(name.toLowerCase(), { value, line: number, column: line.indexOf(value, line.indexOf(':') + 1) + 1 });
  }
  const time = (name: string): Located<Time> | undefined => {
    const at = found.get(name);
    const value = at === undefined ? undefined : timeOf(at.value);
    return at === undefined || value === undefined ? undefined : { ...at, value };
  };
  const yes = (...names: readonly string[]): Located<boolean> | undefined => {
    const at = names.map((name) => found.get(name)).find((one) => one !== undefined);
    return at === undefined ? undefined : { ...at, value: /^(yes|active)$/.test(at.value) };
  };
  return given({
    universalTime: time('universal time'),
    rtcTime: time('rtc time'),
    timeZone: found.get('time zone'),
    synchronized: yes('system clock synchronized', 'ntp synchronized'),
    ntpActive: yes('ntp service', 'systemd-timesyncd.service active', 'network time on', 'ntp enabled'),
  });
}
