/** Durations and byte counts as `wg show`, RouterOS and other tools print them, with how exact they are. */

export interface ByteCount {
  readonly bytes: number;
  /** The true number lies within this of `bytes`: 0 where the tool printed single bytes. */
  readonly uncertaintyBytes: number;
}

const UNIT_BYTES: ReadonlyMap<string, number> = new Map([
  ['', 1],
  ['b', 1],
  ['kib', 1024],
  ['mib', 1024 ** 2],
  ['gib', 1024 ** 3],
  ['tib', 1024 ** 4],
  ['pib', 1024 ** 5],
  ['k', 1000],
  ['kb', 1000],
  ['m', 1000 ** 2],
  ['mb', 1000 ** 2],
  ['g', 1000 ** 3],
  ['gb', 1000 ** 3],
  ['t', 1000 ** 4],
]);

/** `180`, `1.46 KiB`, `35.6MiB`, `874 062`; K, M and G of iptables and nft are thousands. */
export function parseByteCount(text: string): ByteCount | undefined {
  const match = /^([0-9][0-9 ]{0,24})(?:\.([0-9]{1,6}))? ?([A-Za-z]{0,3})$/.exec(text.trim());
  if (match === null) return undefined;
  const unit = UNIT_BYTES.get((match[3] ?? '').toLowerCase());
  const fraction = match[2] ?? '';
  const value = Number(`${(match[1] ?? '').replace(/ /g, '')}.${fraction}`);
  if (unit === undefined || !Number.isFinite(value)) return undefined;
  const uncertaintyBytes = unit === 1 ? 0 : Math.ceil((unit / 10 ** fraction.length) * 0.5);
  return { bytes: Math.round(value * unit), uncertaintyBytes };
}

const UNIT_MS: ReadonlyMap<string, number> = new Map([
  ['year', 365 * 86_400_000],
  ['week', 7 * 86_400_000],
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1000],
]);

/** `1 hour, 2 minutes, 3 seconds`, as `wg show` prints it, without "ago" and "every". */
export function parseLongDuration(text: string): number | undefined {
  let total = 0;
  for (const part of text.trim().split(/, */)) {
    const match = /^([0-9]{1,12}) (year|week|day|hour|minute|second)s?$/.exec(part);
    const unit = match === null ? undefined : UNIT_MS.get(match[2] ?? '');
    if (match === null || unit === undefined) return undefined;
    total += Number(match[1]) * unit;
  }
  return total;
}

const LETTER_MS: ReadonlyMap<string, number> = new Map([
  ['w', 7 * 86_400_000],
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
  ['ms', 1],
  ['us', 0.001],
]);

/** `1w2d3h4m5s`, `1m32s`, `00:00:25`, `1d02:03:04`, `25`: milliseconds. A bare number is seconds. */
export function parseRosDuration(text: string): number | undefined {
  const clock = /^((?:[0-9]{1,9}[wd])*)([0-9]{1,3}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,9}))?$/.exec(text);
  if (clock !== null) {
    const days = clock[1] === '' || clock[1] === undefined ? 0 : parseRosDuration(clock[1]);
    const fraction = Number(`0.${clock[5] ?? '0'}`);
    return days === undefined
      ? undefined
      : days + (Number(clock[2]) * 3600 + Number(clock[3]) * 60 + Number(clock[4]) + fraction) * 1000;
  }
  if (/^[0-9]{1,9}$/.test(text)) return Number(text) * 1000;
  if (!/^(?:[0-9]{1,9}(?:ms|us|[wdhms]))+$/.test(text)) return undefined;
  let total = 0;
  for (const [, count, unit] of text.matchAll(/([0-9]+)(ms|us|[wdhms])/g)) {
    total += Number(count) * (LETTER_MS.get(unit ?? '') ?? 0);
  }
  return total;
}
