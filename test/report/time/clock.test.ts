/** Clocks by made-up timestamps: what is known of base, drift, jumps and order, and what is not said of few samples. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addNs, type Time } from '../../../src/base/time.ts';
import { type ClockSample, clockOf, medianOf, WHITENED_NS } from '../../../src/report/time/clock.ts';
import { plotLines } from '../../../src/report/time/plot.ts';
import { driftWords, eventsWords, offsetWords, resolutionWords, spanWords } from '../../../src/report/time/words.ts';
import { type Tai64nForm, tai64nFromUnix } from '../../../src/wg/tai64n.ts';

const START: Time = { sec: 1_790_000_000, nsec: 123_456_789 };
const KERNEL: Tai64nForm = { base: 10, whiten: true };
const BORINGTUN: Tai64nForm = { base: 37, whiten: false };

/** One each `everyMs`, by a clock that is `offset(ms since the start)` milliseconds ahead. */
function samples(count: number, everyMs: number, form: Tai64nForm, offset: (ms: number) => number): ClockSample[] {
  return Array.from({ length: count }, (_, i) => {
    const ms = i * everyMs;
    const time = addNs(START, BigInt(ms) * 1_000_000n);
    const sent = addNs(time, BigInt(Math.round(offset(ms) * 1e6)));
    return { frame: i + 1, time, timestamp: tai64nFromUnix(sent, form) };
  });
}

test('more initiations of one sender than fit as arguments on the stack', () => {
  const many = samples(200_000, 5, KERNEL, () => 0);
  const clock = clockOf(many);
  expect(clock.drift.kind).toBe('below');
  expect(offsetWords(clock)).toContain('(-16.7 ms to -0.0 ms), which rounding down and the way explain');
  const points = clock.offsetsMs.map((y, x) => ({ x, y }));
  const label = (value: number): string => value.toFixed(0);
  const lines = plotLines(points, { width: 60, height: 5, leastRange: 60, xLabel: label, yLabel: label });
  expect(lines.at(-1)).toContain('199999');
  const backwards = many.map((_, i) => ({ at: i, than: 0, byMs: -i }));
  expect(eventsWords(many, { ...clock, notGreater: backwards.slice(1) })).toHaveLength(1);
});

describe('base, whitening, resolution', () => {
  test.each([
    ['a kernel', KERNEL, 0, [10, 'capture-time', 'kernel/wireguard-go/windows', WHITENED_NS]],
    ['boringtun', BORINGTUN, 0, [37, 'capture-time', 'boringtun family', 1]],
    ['a kernel an hour behind', KERNEL, -3_600_000, [10, 'whitening', 'kernel/wireguard-go/windows', WHITENED_NS]],
    ['boringtun an hour behind', BORINGTUN, -3_600_000, [undefined, 'nothing', 'other/unknown', 1]],
  ] as const)('%s', (_, form, offset, wanted) => {
    const clock = clockOf(samples(5, 30_001, form, () => offset));
    expect([clock.base, clock.decidedBy, clock.family, clock.resolutionNs]).toEqual(wanted);
    const range = form.whiten ? WHITENED_NS / 1e6 : 0;
    const shift = wanted[0] === undefined ? 27_000 : 0;
    for (const one of clock.offsetsMs) {
      expect(one).toBeLessThanOrEqual(offset + shift + 1e-3);
      expect(one).toBeGreaterThanOrEqual(offset + shift - range - 1e-3);
    }
  });

  test('of one timestamp nothing is said of resolution, drift and order', () => {
    const clock = clockOf(samples(1, 1000, KERNEL, () => 0));
    expect([clock.resolutionNs, clock.drift, clock.jumps, clock.notGreater]).toEqual([
      undefined,
      { kind: 'unknown', because: 'few' },
      [],
      [],
    ]);
    expect(resolutionWords(clock)).toBe('whitened, by this one: rounded down to 16.8 ms');
    expect(driftWords(clock)).toBe('not known: 1 timestamp is too few');
  });
});

describe('drift', () => {
  test('is what it was made with, within what is said it may be off', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -400, max: 400 }),
        fc.integer({ min: 3, max: 40 }),
        fc.boolean(),
        (ppm, n, kernel) => {
          const form = kernel ? KERNEL : BORINGTUN;
          const { drift } = clockOf(samples(n, 120_007, form, (ms) => (ms * ppm) / 1e6));
          if (drift.kind === 'measured') expect(Math.abs(drift.ppm - ppm)).toBeLessThanOrEqual(2 * drift.errorPpm);
          else
            expect([drift.kind, Math.abs(ppm) <= 2 * (drift.kind === 'below' ? drift.ppm : 0)]).toEqual([
              'below',
              true,
            ]);
        },
      ),
    );
  });

  test('whitening alone makes none', () => {
    const { drift } = clockOf(samples(6, 15_111, KERNEL, () => 0));
    expect(drift.kind).toBe('below');
  });

  test.each([
    ['few', 2, 60_000],
    ['short', 9, 1000],
  ] as const)('is not said: %s', (because, count, everyMs) => {
    expect(clockOf(samples(count, everyMs, KERNEL, () => 0)).drift).toEqual({ kind: 'unknown', because });
  });

  test('is not said of a capture without times', () => {
    const untimed = samples(5, 60_000, KERNEL, () => 0).map((one) => ({ ...one, time: { sec: 0, nsec: 0 } }));
    expect(clockOf(untimed).drift).toEqual({ kind: 'unknown', because: 'untimed' });
    expect(clockOf(untimed).jumps).toEqual([]);
  });
});

describe('jumps and order', () => {
  const setBack = samples(8, 60_000, KERNEL, (ms) => (ms < 180_000 ? 0 : -3_600_000));
  const clock = clockOf(setBack);

  test('a clock that was set back', () => {
    expect(clock.jumps.map(({ after, at }) => [after, at])).toEqual([[2, 3]]);
    expect(clock.notGreater.map(({ at, than }) => [at, than])).toEqual([3, 4, 5, 6, 7].map((at) => [at, 2]));
    expect(offsetWords(clock)).toBe(
      '-6.0 ms, which rounding down and the way explain, then -60.0 min, behind the capture',
    );
    expect(eventsWords(setBack, clock)).toEqual([
      'between frames 3 and 4 the sender’s clock, or the capture’s, was set back by 60.0 min',
      'the timestamps of frames 4, 5, 6 … 8 are up to 59.0 min before that of frame 3: a responder that took that one refuses them, until the clock has passed it or the responder is restarted',
    ]);
  });

  test('forward it stays greater', () => {
    const { jumps, notGreater } = clockOf(samples(6, 60_000, KERNEL, (ms) => (ms < 180_000 ? 0 : 86_400_000)));
    expect([jumps.length, notGreater]).toEqual([1, []]);
  });

  test('the same again', () => {
    const [first] = samples(1, 0, KERNEL, () => 0);
    if (first === undefined) throw new Error('there is none');
    const twice = [first, { ...first, frame: 2 }];
    expect(eventsWords(twice, clockOf(twice))).toEqual([
      'the timestamp of frame 2 is that of frame 1 again: a responder takes it once only',
    ]);
  });
});

test('spans', () => {
  expect([0, -16.8, 999, 1000, -119_999, 180_000, 86_400_000, 400_000_000].map(spanWords)).toEqual([
    '+0.0 ms',
    '-16.8 ms',
    '+999 ms',
    '+1.000 s',
    '-119.999 s',
    '+3.0 min',
    '+24.0 h',
    '+4.6 d',
  ]);
  expect([medianOf([3, 1, 2]), medianOf([4, 1, 2, 3])]).toEqual([2, 2.5]);
});

test('a plot keeps to its width and shows every point that has a place of its own', () => {
  const point = fc.record({ x: fc.integer({ min: 0, max: 1e6 }), y: fc.integer({ min: -1e9, max: 1e9 }) });
  fc.assert(
    fc.property(
      fc.array(point, { minLength: 1, maxLength: 30 }),
      fc.integer({ min: 60, max: 200 }),
      (points, width) => {
        const lines = plotLines(points, {
          width,
          height: 9,
          leastRange: 60,
          xLabel: String,
          yLabel: (y) => y.toFixed(0),
        });
        expect(lines.length).toBe(11);
        for (const line of lines) expect(line.length).toBeLessThanOrEqual(width);
        expect(lines.join('').includes('*')).toBe(true);
      },
    ),
  );
});
