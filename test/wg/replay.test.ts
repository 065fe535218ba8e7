/** The replay window: our figures, a slow twin, the self-tests of others. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Counter, REJECT_AFTER_MESSAGES, REPLAY_WINDOW } from '../../src/wg/constants.ts';
import { type CounterVerdict, ReplayWindow, refuseCounter } from '../../src/wg/replay.ts';
import { SHARED_ABSENT, shared } from '../shared.ts';
import {
  counter,
  fields,
  flag,
  int,
  list,
  loadVectors,
  oneOf,
  optional,
  pairs,
  type Reader,
  readVectors,
  text,
} from '../vectors.ts';

const verdict = oneOf('ok', 'replayed', 'too-old', 'exhausted');
const { cases } = loadVectors('replay-window.json', {
  name: text,
  window: int,
  reject_after: optional(counter),
  steps: pairs(counter, verdict),
});

const halves = (value: bigint): [low: number, high: number] => [Number(value & 0xffff_ffffn), Number(value >> 32n)];
const asCounter = (value: bigint): Counter => ({ low: Number(value & 0xffff_ffffn), high: Number(value >> 32n) });

test.each(cases)('replay window: $name', ({ window: windowBits, reject_after, steps }) => {
  const rejectAfter = reject_after === undefined ? undefined : asCounter(reject_after);
  const window = new ReplayWindow({ windowBits, rejectAfter });
  expect(steps.map(([value]) => [value, window.accept(...halves(value))])).toEqual(steps);
});

test('the defaults are the paper’s limit and the kernel’s window', () => {
  const limit = (1n << 64n) - (1n << 13n) - 1n;
  expect(asCounter(limit)).toEqual(REJECT_AFTER_MESSAGES);
  expect(REPLAY_WINDOW).toBe(8192 - 64);
  const window = new ReplayWindow();
  expect(window.accept(...halves(limit))).toBe('exhausted');
  expect(window.accept(8128, 0)).toBe('ok');
  expect(window.check(0, 0)).toBe('ok');
  expect(window.accept(8129, 0)).toBe('ok');
  expect(window.check(0, 0)).toBe('too-old');
});

test('spent from the last counter on, whichever half carries', () => {
  for (const limit of [(1n << 64n) - 8130n, 7n << 32n]) {
    const window = new ReplayWindow({ rejectAfter: asCounter(limit) });
    const after = [limit - 3n, limit, limit - 2n, limit - 1n, limit - 4n].map((value) => {
      window.accept(...halves(value));
      return window.spent;
    });
    expect(after).toEqual([false, false, false, true, true]);
  }
});

test('spent neither before the first counter nor without a limit', () => {
  const window = new ReplayWindow({ rejectAfter: { low: 1, high: 0 } });
  expect(window.spent).toBe(false);
  window.accept(0, 0);
  expect(window.spent).toBe(true);
  const unlimited = new ReplayWindow({ rejectAfter: undefined });
  unlimited.accept(0xffff_ffff, 0xffff_ffff);
  expect(unlimited.spent).toBe(false);
});

/** The rule, with a set that never forgets. */
function slowTwin(windowBits: bigint, limit: bigint | undefined): (value: bigint) => CounterVerdict {
  const seen = new Set<bigint>();
  let greatest: bigint | undefined;
  return (value) => {
    if (limit !== undefined && value >= limit) return 'exhausted';
    if (greatest !== undefined && greatest - value > windowBits) return 'too-old';
    if (seen.has(value)) return 'replayed';
    seen.add(value);
    if (greatest === undefined || value > greatest) greatest = value;
    return 'ok';
  };
}

test('agrees with a slow twin on jumps, edges and repeats', () => {
  const start = fc.constantFrom(0n, 5000n, (1n << 32n) - 3000n, (1n << 53n) - 9n, (1n << 64n) - 20_000n);
  const step = fc.oneof(
    fc.integer({ min: -70, max: 70 }),
    fc.integer({ min: -9000, max: 9000 }),
    fc.constantFrom(-8193, -8192, -8191, -8128, -8129, -1024, -1023, -32, 31, 32, 33, 8128, 8191, 8192, 8193, 20_000),
  );
  const size = fc.constantFrom(1, 31, 32, 33, 63, 64, 1023, 1024, 8128, 8160, 8191, 8192);
  fc.assert(
    fc.property(size, start, fc.array(step, { maxLength: 150 }), fc.boolean(), (windowBits, start, jumps, limited) => {
      const limit = limited ? (1n << 64n) - 8193n : undefined;
      const window = new ReplayWindow({ windowBits, rejectAfter: limit === undefined ? undefined : asCounter(limit) });
      const twin = slowTwin(BigInt(windowBits), limit);
      let at = start;
      for (const jump of [0, ...jumps]) {
        at = BigInt.asUintN(64, at + BigInt(jump));
        const wanted = twin(at);
        expect([at, window.check(...halves(at))]).toEqual([at, wanted]);
        expect([at, window.accept(...halves(at))]).toEqual([at, wanted]);
        at =
          window.greatest === undefined ? at : BigInt(window.greatest.high) * (1n << 32n) + BigInt(window.greatest.low);
        if (jump < 0) at += BigInt(jump) > -at ? BigInt(jump) : 0n;
      }
    }),
    { numRuns: 300 },
  );
});

test('check changes nothing', () => {
  const window = new ReplayWindow();
  window.accept(100, 0);
  for (const value of [5000, 99, 0]) expect([window.check(value, 0), window.check(value, 0)]).toEqual(['ok', 'ok']);
  expect(window.greatest).toEqual({ low: 100, high: 0 });
});

test('behind is what a too old counter is told', () => {
  const window = new ReplayWindow();
  expect(window.behind(7, 0)).toBe(0);
  expect(window.greatest).toBeUndefined();
  window.accept(10, 1);
  expect(window.behind(10, 0)).toBe(2 ** 32);
  expect(window.behind(11, 1)).toBe(-1);
  expect(refuseCounter(window.accept(10, 0), window.behind(10, 0))).toEqual({
    kind: 'counter-too-old',
    behind: 2 ** 32,
  });
  expect(refuseCounter('ok', 0)).toBeUndefined();
  expect(refuseCounter('replayed', 0)).toEqual({ kind: 'counter-replayed' });
  expect(refuseCounter('exhausted', 0)).toEqual({ kind: 'counter-exhausted' });
});

test.each([0, -1, 1.5, 2 ** 20 + 1, Number.NaN])('a window of %d is the caller’s bug', (windowBits) => {
  expect(() => new ReplayWindow({ windowBits })).toThrow(RangeError);
});

const anything: Reader<unknown> = (value) => value;

describe.skipIf(SHARED_ABSENT)('self-tests of kernel and wireguard-go', () => {
  const steps = list(fields({ counter, accept: flag }));
  const load = () =>
    readVectors(
      shared('vectors/replay.json'),
      fields({
        source: list(text),
        window_size: int,
        bits_total: int,
        rule: text,
        reject_limits: fields({ wireguard_go_and_paper: counter, kernel_64bit: counter, note: text }),
        sequence_wireguard_go: steps,
        sequence_kernel: steps,
        bulk_fresh_filter_each: anything,
        boringtun: anything,
      }),
    );

  test.each([
    ['wireguard-go', 'sequence_wireguard_go', 'wireguard_go_and_paper'],
    ['kernel', 'sequence_kernel', 'kernel_64bit'],
  ] as const)('%s', (_, sequence, limit) => {
    const whole = load();
    const window = new ReplayWindow({
      windowBits: whole.window_size,
      rejectAfter: asCounter(whole.reject_limits[limit]),
    });
    const got = whole[sequence].map((step) => ({
      counter: step.counter,
      accept: window.accept(...halves(step.counter)) === 'ok',
    }));
    expect(got).toEqual(whole[sequence]);
  });
});
