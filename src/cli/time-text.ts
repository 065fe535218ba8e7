/** `wgwhy time` for people: each sender's clock in figures, in words, as a list and as a plot of plain characters. */
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

const PLOT_ROWS = 9;
/** Of a flood the first and the last tell enough; all of them are in the JSON. */
const LISTED = 40;
const LABEL = 12;

export function timeText({ senders, closed, problems }: Clocks, width: number): string {
  const out: string[] = [];
  for (const { input, line, message, hint } of problems) {
    const place = line === undefined ? input : `${input}:${line}`;
    out.push(...wrap(sanitise(`${place}: ${message}${hint === undefined ? '' : `; ${hint}`}`), width, '- ', '  '));
  }
  if (problems.length > 0) out.push('');
  for (const sender of senders) out.push(...senderLines(sender, width), '');
  out.push(...closed.flatMap((one) => wrap(closedText(one), width)));
  if (senders.length === 0 && closed.length === 0) out.push('there is no initiation in what was read');
  while (out[out.length - 1] === '') out.pop();
  return `${out.join('\n')}\n`;
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
    ...wrap(sanitise(`${capture}: the clock of ${who}, ${from.join(', ')}`), width),
    ...line('timestamps', samples.length === 1 ? '1' : `${samples.length}, over ${spanWords(over).slice(1)}`),
    ...line('base', baseWords(clock)),
    ...line('resolution', resolutionWords(clock)),
    ...line('offset', offsetWords(clock)),
    ...line('drift', driftWords(clock)),
    ...line('order', orderWords(samples, clock)),
    ...eventsWords(samples, clock).flatMap((words) => wrap(words, width, '  - ', '    ')),
    '',
    ...list(samples, clock),
    ...(samples.length < 2 ? [] : ['', ...plot(samples, clock, width)]),
  ];
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
  const widths = [0, 1, 2].map((column) => Math.max(...table.map((row) => widthOf(row[column] ?? ''))));
  const lines = table.map(([frame = '', captured = '', sent = '', offset = '']) =>
    `  ${frame.padStart(widths[0] ?? 0)}  ${pad(captured, widths[1] ?? 0)}  ${pad(sent, widths[2] ?? 0)}  ${offset}`.trimEnd(),
  );
  if (lines.length <= LISTED + 1) return lines;
  const half = LISTED / 2;
  const left = lines.length - 1 - LISTED;
  return [...lines.slice(0, half + 1), `  … and ${left} more (--json lists them)`, ...lines.slice(-half)];
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
