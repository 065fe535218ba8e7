/** The comment lines at the top of a RouterOS export: when, by which version, on what model. */
import type { Time } from '../../base/time.ts';
import { fractionNs, monthNumber, wallTime } from '../dates.ts';
import { given } from '../given.ts';
import type { Line, Located } from '../text.ts';

export interface RosHeader {
  readonly line: number;
  /** The router's wall clock, as though it showed UTC: without a battery it starts again at 1970. */
  readonly exportedAt?: Located<Time>;
  readonly version: Located<string>;
  readonly model?: Located<string>;
}

const FIRST =
  /^# ?(?:(\d{4})-(\d\d)-(\d\d)|([A-Za-z]{3})\/(\d\d)\/(\d{4})) (\d\d):(\d\d):(\d\d)(?:\.(\d+))? by RouterOS (\S+)/;
const HEAD_LINES = 20;

/** 7.10 and later write `2023-06-16 15:18:56`, earlier ones `jun/16/2023 15:18:56`. */
export function rosHeader(lines: readonly Line[]): RosHeader | undefined {
  const at = lines.findIndex(({ text }) => FIRST.test(text.trimStart()));
  const first = lines[at];
  if (first === undefined) return undefined;
  const start = first.text.length - first.text.trimStart().length;
  const match = FIRST.exec(first.text.trimStart());
  if (match === null) return undefined;
  const [, year, month, day, name, dayBefore, yearAfter, hour, minute, second, fraction, version = ''] = match;
  const time = wallTime({
    year: Number(year ?? yearAfter),
    month: name === undefined ? Number(month) : (monthNumber(name) ?? 0),
    day: Number(day ?? dayBefore),
    hour: Number(hour),
    minute: Number(minute),
    second: Number(second),
    nsec: fractionNs(fraction),
  });
  const place = { line: first.number, column: start + 3 };
  const column = start + match[0].length - version.length + 1;
  return given({
    line: first.number,
    exportedAt: time === undefined ? undefined : { value: time, ...place },
    version: { value: version, line: first.number, column },
    model: modelLine(lines.slice(at + 1, at + HEAD_LINES)),
  });
}

function modelLine(lines: readonly Line[]): Located<string> | undefined {
  for (const { number, text } of lines) {
    const match = /^\s*# ?model = (\S.{0,60}?)\s*$/.exec(text);
    if (match?.[1] !== undefined) return { value: match[1], line: number, column: text.indexOf(match[1]) + 1 };
    if (!text.trimStart().startsWith('#')) break;
  }
  return undefined;
}
