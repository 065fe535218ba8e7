/** Logs laid beside captures, whatever their clock shows: the right moment, or none. */
import { describe, expect, test } from 'vitest';
import { alignLog } from '../../src/analyze/log-clock.ts';
import type { Timeline } from '../../src/analyze/timeline.ts';
import { parseLog } from '../../src/config/log/parse.ts';
import { Scene } from '../diagnose/scene.ts';

const CLIENT = '10.0.0.2:5000';
const SERVER = '203.0.113.10:51820';

/** What scenes count from. */
const EPOCH = 1_700_000_000;
/** 2026-11-21 09:40:00 UTC, and a half second. */
const START = Date.UTC(2026, 10, 21, 9, 40) / 1000 + 0.5;
const TRIES = [0, 5.1, 10.4, 15.5];

const unanswered = (tries: readonly number[] = TRIES): Timeline => {
  const scene = new Scene('a', CLIENT);
  for (const [i, at] of tries.entries()) scene.initiation(START - EPOCH + at, CLIENT, SERVER, i + 1);
  return scene.finish();
};

/** One line for each attempt: what the responder logs, with the head that `head` gives it, milliseconds after 1970. */
const log = (head: (ms: number) => string, tries: readonly number[] = TRIES): string =>
  tries
    .map((at) => `${head((START + at) * 1000)}wireguard: wg0: Invalid handshake initiation from ${CLIENT}`)
    .join('\n');

const iso = (ms: number): string => new Date(ms).toISOString();
const HOUR = 3_600_000;

/** Frames of the events in their order; 0 where none. */
function framesOf(text: string, timeline = unanswered()): number[] | undefined {
  const events = parseLog(text);
  expect(events.length).toBeGreaterThan(0);
  const view = alignLog(events, timeline);
  return view === undefined ? undefined : events.map((event) => view.frames.get(event)?.at.frame ?? 0);
}

describe('the moment is found', () => {
  test.each<[string, (ms: number) => string]>([
    ['with a zone', (ms) => `${iso(ms + 2 * HOUR).slice(0, 23)}+02:00 host kernel: `],
    ['of UTC, cut to seconds', (ms) => `${iso(ms).slice(0, 19)}Z host kernel: `],
    ['of a zone that is not told', (ms) => `[${stamp(ms - 8 * HOUR)}] `],
    ['of a zone with a half hour', (ms) => `[${stamp(ms + 5.5 * HOUR)}] `],
    ['without a year', (ms) => `Nov ${iso(ms).slice(8, 10)} ${iso(ms).slice(11, 19)} host kernel: `],
    ['since boot', (ms) => `[${((ms - START * 1000) / 1000 + 123.25).toFixed(6).padStart(12)}] `],
    ['since boot, a machine up for years', (ms) => `[${((ms - START * 1000) / 1000 + 98_765_432.1).toFixed(6)}] `],
    ['a clock that is a second fast', (ms) => `${iso(ms + 1200).slice(0, 23)}Z host kernel: `],
  ])('%s', (_, head) => {
    expect(framesOf(log(head))).toEqual([1, 2, 3, 4]);
  });

  test('across midnight, of a clock that does not tell the day', () => {
    const late = Date.UTC(2026, 10, 21, 23, 59, 52) / 1000;
    const scene = new Scene('a', CLIENT);
    for (const [i, at] of TRIES.entries()) scene.initiation(late - EPOCH + at, CLIENT, SERVER, i + 1);
    const lines = TRIES.map(
      (at) =>
        `${iso((late + at) * 1000).slice(11, 19)} wireguard,debug wg0: Invalid handshake initiation from ${CLIENT}`,
    );
    expect(framesOf(lines.join('\n'), scene.finish())).toEqual([1, 2, 3, 4]);
  });

  test('lines of which the capture has no message stay without one', () => {
    const all = [...TRIES, 40];
    expect(framesOf(log((ms) => `${iso(ms)} host kernel: `, all))).toEqual([1, 2, 3, 4, 0]);
  });
});

describe('nothing is made of', () => {
  test.each<[string, string]>([
    ['another day', log((ms) => `${iso(ms - 72 * HOUR)} host kernel: `)],
    ['one line of a machine that counts from its start', log(() => '[  123.456789] ', [0])],
    ['no times at all', log(() => '')],
  ])('%s', (_, text) => {
    expect(framesOf(text)).toBeUndefined();
  });

  test('retries so regular that two ways of laying them are as good', () => {
    const regular = [0, 5, 10, 15, 20, 25];
    const text = log((ms) => `[${((ms - START * 1000) / 1000 + 77).toFixed(6)}] `, regular.slice(0, 4));
    expect(framesOf(text, unanswered(regular))).toBeUndefined();
  });

  test('a capture without times', () => {
    const timeline = new Scene('a', CLIENT, false).initiation(0, CLIENT, SERVER, 1).finish();
    expect(alignLog(parseLog(log((ms) => `${iso(ms)} host kernel: `)), timeline)).toBeUndefined();
  });
});

/** `Sat Nov 21 02:15:36 2026`. */
function stamp(ms: number): string {
  const [day = '', date = '', month, year, time] = new Date(ms).toUTCString().split(' ');
  return `${day.slice(0, 3)} ${month} ${date.replace(/^0/, ' ')} ${time} ${year}`;
}
