/** `wgwhy time` for people: each sender's clock in figures, in words, as a list and as a plot of plain characters. */
import { extent } from '../base/extent.ts';
import { shortKey } from '../base/keys.ts';
import { msBetween } from '../base/time.ts';
import { pad, sanitise, widthOf, wrap } from '../report/text-wrap.ts';
import { LEAST_RANGE_MS, plotLines } from '../report/time/plot.ts';
import type { Clocks, ClosedSender, SenderClock } from '../report/time/read.ts';
import {
  baseWords,
  driftWords,
  eventsWords,
  offsetWords,
  orderWords,
  resolutionWords,
  sentAt,
  shortTime,
  spanWords,
} from '../report/time/words.ts';
import { problemText } from './problem-text.ts';

const PLOT_ROWS = 9;
/** Of a flood the first and the last tell enough; all of them are in the JSON. */
const LISTED = 40;
const ADDRESSES = 8;
const LABEL = 12;

export function timeText({ senders, closed, problems }: Clocks, width: number): string {
  const nothing = senders.length === 0 && closed.length === 0;
  // no list is spread into a call: of a flood of senders that would overflow the stack
  const out = [
    ...problems.flatMap(({ input, line, message, hint }) =>
      wrap(sanitise(problemText(input, { line, message, hint })), width, '- ', '  '),
    ),
    ...(problems.length > 0 ? [''] : []),
    ...senders.flatMap((sender) => [...senderLines(sender, width), '']),
    ...shortened(closed.map(closedText)).flatMap((one) => wrap(one, width)),
    ...(nothing ? ['there is no initiation in what was read'] : []),
  ];
  while (out[out.length - 1] === '') out.pop();
  return `${out.join('\n')}\n`;
}

/** The first and the last of a long list, and how many are between. */
function shortened(lines: readonly string[], indent = ''): readonly string[] {
  if (lines.length <= LISTED) return lines;
  const half = LISTED / 2;
  const left = `${indent}… and ${lines.length - LISTED} more (--json lists them)`;
  return [...lines.slice(0, half), left, ...lines.slice(-half)];
}

function closedText({ capture, from, count, firstFrame, missing }: ClosedSender): string {
  const what =
    count === 1
      ? `the timestamp of frame ${firstFrame} stays closed`
      : `${count} timestamps stay closed, the first in frame ${firstFrame}`;
  return sanitise(`${capture}: ${what} (from ${from}); what would open ${count === 1 ? 'it' : 'them'}: ${missing}`);
}

function senderLines({ capture, key, name, from, samples, clock }: SenderClock, width: number): string[] {
  const short = shortKey(key);
  const who = name === short ? short : `${name} (${short})`;
  const line = (label: string, words: string): string[] => wrap(sanitise(words), width, `  ${pad(label, LABEL)}`);
  const [first] = samples;
  const last = samples[samples.length - 1];
  const over = first === undefined || last === undefined ? 0 : msBetween(first.time, last.time);
  return [
    ...wrap(sanitise(`${capture}: the clock of ${who}, ${fewOf(from)}`), width),
    ...line('timestamps', samples.length === 1 ? '1' : `${samples.length}, over ${spanWords(over).slice(1)}`),
    ...line('base', baseWords(clock)),
    ...line('resolution', resolutionWords(clock)),
    ...line('offset', offsetWords(clock)),
    ...line('drift', driftWords(clock)),
    ...line('order', orderWords(samples, clock)),
    ...shortened(eventsWords(samples, clock)).flatMap((words) => wrap(words, width, '  - ', '    ')),
    '',
    ...list(samples, clock),
    ...(samples.length < 2 ? [] : ['', ...plot(samples, clock, width)]),
  ];
}

/** Addresses: of one that roams, or is forged, the first tell enough. */
function fewOf(from: readonly string[]): string {
  if (from.length <= ADDRESSES) return from.join(', ');
  return `${from.slice(0, ADDRESSES).join(', ')} and ${from.length - ADDRESSES} other addresses`;
}

function list(samples: SenderClock['samples'], clock: SenderClock['clock']): string[] {
  const refused = new Set(clock.notGreater.map(({ at }) => at));
  const rows = samples.map((sample, i) => [
    String(sample.frame),
    shortTime(sample.time),
    shortTime(sentAt(sample, clock)),
    `${spanWords(clock.offsetsMs[i] ?? 0)}${refused.has(i) ? '  not greater' : ''}`,
  ]);
  const table = [['frame', 'captured (UTC)', 'sent, by the sender', 'offset'], ...rows];
  const widths = [0, 1, 2].map((column) => extent(table.map((row) => widthOf(row[column] ?? '')))[1]);
  const [head = '', ...lines] = table.map(([frame = '', captured = '', sent = '', offset = '']) =>
    `  ${frame.padStart(widths[0] ?? 0)}  ${pad(captured, widths[1] ?? 0)}  ${pad(sent, widths[2] ?? 0)}  ${offset}`.trimEnd(),
  );
  return [head, ...shortened(lines, '  ')];
}

function plot(
  samples: SenderClock['samples'],
  { offsetsMs, notGreater }: SenderClock['clock'],
  width: number,
): string[] {
  const [first] = samples;
  const refused = new Set(notGreater.map(({ at }) => at));
  const points = samples.map(({ time }, i) => ({
    x: first === undefined ? 0 : msBetween(first.time, time),
    y: offsetsMs[i] ?? 0,
    marked: refused.has(i),
  }));
  const lines = plotLines(points, {
    width: width - 2,
    height: PLOT_ROWS,
    leastRange: LEAST_RANGE_MS,
    xLabel: spanWords,
    yLabel: spanWords,
  });
  const legend = refused.size === 0 ? 'offset over time' : 'offset over time; o: not greater than one before';
  return [legend, ...lines].map((line) => `  ${line}`);
}
