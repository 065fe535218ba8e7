/** What every part of the text report needs: width, paint, short file names, frames in words. */
import { labels } from './inputs.ts';
import type { FrameRef, Report } from './model.ts';
import { absolute, parseNs, plainTime, relative } from './text-time.ts';
import { type Paint, pad, painter, sanitise, widthOf, wrap } from './text-wrap.ts';

export interface TextOptions {
  /** Columns; 100 where nothing is said, never below 60. */
  readonly width?: number;
  readonly colour?: boolean;
  /** Everything: all frames, every finding in full, the hidden ones by name. */
  readonly verbose?: boolean;
}

export interface Page {
  readonly width: number;
  readonly paint: Paint;
  readonly verbose: boolean;
  /** By input id: as much of the path as tells the files apart. */
  readonly names: ReadonlyMap<string, string>;
  /** By input id: what relative times count from: the first frame of the first capture, in this capture's own clock. */
  readonly starts: ReadonlyMap<string, string>;
  /** Whether a frame number alone could be misread. */
  readonly severalCaptures: boolean;
}

const DEFAULT_WIDTH = 100;
const MIN_WIDTH = 60;
/** Frames named in one sentence, and lines of proof, before "and … more". */
const FRAMES_SHOWN = 8;

/** Columns that lines are broken at. */
export const lineWidth = (width = DEFAULT_WIDTH): number => Math.max(MIN_WIDTH, Math.floor(width) || DEFAULT_WIDTH);

/** Takes the report as it came: the names in it are made harmless here. */
export function makePage(report: Report, options: TextOptions): Page {
  // as findings call them, so that sentence and proof use one name
  const short = labels(report.inputs.map(({ name }) => name));
  const starts = startsOf(report);
  return {
    width: lineWidth(options.width),
    paint: painter(options.colour ?? false),
    verbose: options.verbose ?? false,
    names: new Map(report.inputs.map(({ id, name }, at) => [sanitise(id), sanitise(short[at] ?? name)])),
    starts,
    severalCaptures: report.inputs.filter(({ kind }) => kind === 'capture').length > 1,
  };
}

/** One zero for all captures whose clocks could be compared; any other counts from its own first frame. */
function startsOf({ inputs, clockOffsets }: Report): Map<string, string> {
  const starts = new Map<string, string>();
  const first = inputs.find(({ from }) => from !== undefined);
  const zero = first?.from === undefined ? undefined : parseNs(first.from);
  for (const { id, from } of inputs) {
    if (from === undefined) continue;
    const clock = clockOffsets.find((offset) => offset.from === first?.id && offset.to === id);
    const known = clock?.offsetNs ?? clock?.boundNs.find((bound) => bound !== null);
    const own = zero === undefined || known === undefined || known === null ? undefined : zero + BigInt(known);
    starts.set(sanitise(id), own === undefined ? from : plainTime(own));
  }
  return starts;
}

export const nameOf = (page: Page, input: string): string => page.names.get(input) ?? input;

/** A heading and what belongs to it; nothing at all where nothing belongs to it. */
export function section(page: Page, title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', page.paint('bold', title), ...lines];
}

/** `client.pcap frames 1, 3, 5-9 and server.pcap frame 2`. */
export function framesInWords(page: Page, frames: readonly FrameRef[]): string {
  const numbers = new Map<string, number[]>();
  for (const { input, frame } of frames) {
    const list = numbers.get(input);
    if (list === undefined) numbers.set(input, [frame]);
    else list.push(frame);
  }
  return [...numbers].map(([input, list]) => `${nameOf(page, input)} ${numbersInWords(page, list)}`).join(' and ');
}

function numbersInWords(page: Page, frames: readonly number[]): string {
  const sorted = [...new Set(frames)].sort((a, b) => a - b);
  const runs: [number, number][] = [];
  for (const frame of sorted) {
    const last = runs.at(-1);
    if (last !== undefined && frame === last[1] + 1) last[1] = frame;
    else runs.push([frame, frame]);
  }
  const shown = page.verbose ? runs : runs.slice(0, FRAMES_SHOWN);
  const rest = runs.slice(shown.length).reduce((sum, [from, to]) => sum + to - from + 1, 0);
  const text = shown
    .map(([from, to]) => (from === to ? `${from}` : `${from}${to === from + 1 ? ', ' : '-'}${to}`))
    .join(', ');
  return `${sorted.length === 1 ? 'frame' : 'frames'} ${text}${rest > 0 ? ` and ${rest} more` : ''}`;
}

/** One line a frame, with its time since the start of its capture (as Wireshark counts) and its time of day. */
export function frameLines(page: Page, frames: readonly FrameRef[]): string[] {
  const shown = page.verbose || frames.length <= FRAMES_SHOWN ? frames : frames.slice(0, FRAMES_SHOWN - 1);
  const rows = shown.map(({ input, frame, time }) => {
    const start = page.starts.get(input) ?? frames.find((other) => other.input === input)?.time;
    const when = time === '' ? 'no time in the capture' : absolute(time);
    return [`${nameOf(page, input)} frame ${frame}`, relative(time, start) ?? '', when] as const;
  });
  const wide = Math.max(0, ...rows.map(([where]) => widthOf(where)));
  const sinceWide = Math.max(0, ...rows.map(([, since]) => widthOf(since)));
  const lines = rows.flatMap(([where, since, when]) => {
    const row = `  ${pad(where, wide)}  ${since.padStart(sinceWide)}  ${when}`;
    if (widthOf(row) <= page.width) return [row];
    return [...wrap(where, page.width, '  '), ...wrap(`${since} ${when}`, page.width, '    ')];
  });
  const rest = frames.length - shown.length;
  if (rest > 0) lines.push(...wrap(`and ${rest} more frames (--verbose lists them)`, page.width, '  '));
  return lines;
}
