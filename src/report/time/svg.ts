/** Clock offsets as one SVG, a panel for each sender of each capture; it needs nothing from outside. */
import { msBetween } from '../../base/time.ts';
import { sanitise } from '../text-wrap.ts';
import { LEAST_RANGE_MS, rangeOf } from './plot.ts';
import type { Clocks, SenderClock } from './read.ts';
import { driftWords, offsetWords, spanWords } from './words.ts';

const WIDTH = 760;
const PANEL = 250;
const LEFT = 90;
const RIGHT = 20;
const TOP = 76;
const BOTTOM = 40;

export function clocksSvg({ senders }: Clocks): string {
  const height = Math.max(1, senders.length) * PANEL;
  const panels = senders.map((sender, i) => panel(sender, i * PANEL));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" font-family="sans-serif" font-size="12">`,
    '<title>clocks of WireGuard initiators against the capture</title>',
    `<rect width="${WIDTH}" height="${height}" fill="#fff"/>`,
    ...(senders.length === 0 ? [text(20, 40, 'no timestamp could be opened')] : panels),
    '</svg>',
    '',
  ].join('\n');
}

function panel({ capture, name, samples, clock }: SenderClock, top: number): string {
  const [start] = samples;
  const xs = samples.map(({ time }) => (start === undefined ? 0 : msBetween(start.time, time)));
  const [left, right] = rangeOf(xs, 1000);
  const [low, high] = rangeOf(clock.offsetsMs, LEAST_RANGE_MS);
  const x = (value: number): number => LEFT + ((value - left) / (right - left)) * (WIDTH - LEFT - RIGHT);
  const y = (value: number): number => top + TOP + ((high - value) / (high - low)) * (PANEL - TOP - BOTTOM);
  const refused = new Set(clock.notGreater.map(({ at }) => at));
  const base = top + PANEL - BOTTOM;
  const dots = samples.map((sample, i) => {
    const bad = refused.has(i);
    const tip = `frame ${sample.frame}: ${spanWords(clock.offsetsMs[i] ?? 0)}${bad ? ', not greater than one before' : ''}`;
    return `<circle cx="${round(x(xs[i] ?? 0))}" cy="${round(y(clock.offsetsMs[i] ?? 0))}" r="4" fill="${bad ? '#c00' : '#036'}"><title>${escaped(tip)}</title></circle>`;
  });
  return [
    '<g>',
    `<text x="${LEFT}" y="${top + 20}" font-weight="bold">${escaped(`${capture}: ${name}`)}</text>`,
    text(LEFT, top + 38, `offset ${offsetWords(clock)}`),
    text(LEFT, top + 55, `drift ${driftWords(clock)}`),
    `<path d="M${LEFT - 6} ${top + TOP}V${base + 6}H${WIDTH - RIGHT}" fill="none" stroke="#666"/>`,
    ...[high, (high + low) / 2, low].map((value) => label(LEFT - 12, y(value) + 4, spanWords(value), 'end')),
    label(LEFT, base + 22, spanWords(left), 'start'),
    label(WIDTH - RIGHT, base + 22, spanWords(right), 'end'),
    ...dots,
    '</g>',
  ].join('\n');
}

const round = (value: number): string => value.toFixed(1);
const text = (x: number, y: number, words: string): string => `<text x="${x}" y="${y}">${escaped(words)}</text>`;
const label = (x: number, y: number, words: string, anchor: 'start' | 'end'): string =>
  `<text x="${round(x)}" y="${round(y)}" text-anchor="${anchor}" fill="#666">${escaped(words)}</text>`;

function escaped(words: string): string {
  return sanitise(words)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
