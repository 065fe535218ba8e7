/** The report as one JSON document, events as one line each. Both are plain ASCII where a terminal could be misled. */
import type { WgwhyEvent } from './event.ts';
import type { KeysReport } from './keys-model.ts';
import type { Report } from './model.ts';

/** What JSON.stringify leaves as it is though a terminal acts on it: DEL, C1 controls, bidirectional marks. */
const RAW = /[\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;

const asciiOnly = (json: string): string =>
  json.replace(RAW, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** Indented by two, with a line feed at the end; described by `reportSchema`. */
export function reportJson(report: Report): string {
  return `${asciiOnly(JSON.stringify(report, undefined, 2))}\n`;
}

/** As {@link reportJson}; described by `keysSchema`. */
export function keysJson(report: KeysReport): string {
  return `${asciiOnly(JSON.stringify(report, undefined, 2))}\n`;
}

/** One line of NDJSON, line feed included; described by `eventSchema`. */
export function eventLine(event: WgwhyEvent): string {
  return `${asciiOnly(JSON.stringify(event))}\n`;
}

/** On one line, without any line feed. */
export function asciiJson(value: unknown): string {
  return asciiOnly(JSON.stringify(value));
}
