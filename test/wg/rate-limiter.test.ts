/** The token bucket per source: our figures, its bounds, the self-tests of kernel and wireguard-go. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseIp } from '../../src/base/address.ts';
import { type Bytes, putU32be } from '../../src/base/bytes.ts';
import { RateLimiter, type RateRule } from '../../src/wg/rate-limiter.ts';
import { SHARED_ABSENT, shared } from '../shared.ts';
import { fields, flag, int, list, loadVectors, type Reader, readVectors, text } from '../vectors.ts';

const KERNEL: RateRule = { perSecond: 20, burst: 5, ipv6Bits: 64, strict: false, maxEntries: 100 };
const ip = (written: string): Bytes => parseIp(written) ?? expect.fail(`no address: ${written}`);

type Step = readonly [ms: number, source: string, passes: boolean];

const step: Reader<Step> = (value, path) => {
  if (!Array.isArray(value) || value.length !== 3 || typeof value[0] !== 'number') throw new TypeError(path);
  return [value[0], text(value[1], path), flag(value[2], path)];
};
const bits: Reader<64 | 128> = (value, path) => {
  if (value !== 64 && value !== 128) throw new TypeError(`${path}: neither 64 nor 128`);
  return value;
};

const { cases } = loadVectors('rate-limiter.json', {
  name: text,
  strict: flag,
  ipv6_bits: bits,
  max_entries: int,
  steps: list(step),
});

test.each(cases)('$name', ({ strict, ipv6_bits: ipv6Bits, max_entries: maxEntries, steps }) => {
  const limiter = new RateLimiter({ ...KERNEL, strict, ipv6Bits, maxEntries });
  expect(steps.map(([ms, source]) => [ms, source, limiter.allow(ip(source), ms)])).toEqual(steps);
});

test('no source ever gets more than its burst and its rate', () => {
  const gaps = fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 120 })), { minLength: 1, maxLength: 200 });
  fc.assert(
    fc.property(gaps, fc.boolean(), (gaps, strict) => {
      const limiter = new RateLimiter({ ...KERNEL, strict });
      const source = ip('192.0.2.1');
      const passed: number[] = [];
      let now = 0;
      for (const gap of gaps) {
        now += gap;
        if (limiter.allow(source, now)) passed.push(now);
      }
      expect(passed.length).toBeGreaterThan(0);
      for (let i = 0; i < passed.length; i++) {
        for (let j = i; j < passed.length; j++) {
          const span = (passed[j] ?? 0) - (passed[i] ?? 0);
          expect(j - i + 1).toBeLessThanOrEqual(5 + span / 50);
        }
      }
    }),
  );
});

test('the table is bounded and empties itself', () => {
  const limiter = new RateLimiter({ ...KERNEL, maxEntries: 1000 });
  const source = new Uint8Array(4);
  for (let i = 0; i < 5000; i++) {
    putU32be(source, 0, i);
    expect(limiter.allow(source, 0)).toBe(i < 1000);
  }
  expect(limiter.size).toBe(1000);
  for (let i = 0; i < 400; i++) limiter.allow(ip('10.0.0.1'), 2000);
  expect(limiter.size).toBe(1);
});

test('the source may be written over afterwards', () => {
  const limiter = new RateLimiter(KERNEL);
  const source = ip('192.0.2.1');
  for (let i = 0; i < 5; i++) limiter.allow(source, 0);
  source[3] = 2;
  expect(limiter.allow(source, 0)).toBe(true);
  expect(limiter.allow(ip('192.0.2.1'), 0)).toBe(false);
});

test.each([{ perSecond: 0 }, { burst: 0.5 }, { maxEntries: 0 }, { perSecond: Number.NaN }])(
  'a rule that lets nothing through is the caller’s bug: %o',
  (wrong) => {
    expect(() => new RateLimiter({ ...KERNEL, ...wrong })).toThrow(RangeError);
  },
);

const anything: Reader<unknown> = (value) => value;

describe.skipIf(SHARED_ABSENT)('self-tests of kernel and wireguard-go', () => {
  const load = () =>
    readVectors(
      shared('vectors/ratelimiter.json'),
      fields({
        source: anything,
        packets_per_second: int,
        burst: int,
        packet_cost_ns: int,
        max_tokens_ns: int,
        first_packet_leaves_tokens_ns: int,
        steps_ms_wait_then_expected: list(fields({ wait_ms: int, allow: flag })),
        differences: anything,
        kernel_v6_check: text,
      }),
    );

  test.each([
    ['kernel', { strict: false, ipv6Bits: 64, extraMs: 0 }],
    ['wireguard-go, whose test adds 1 ns to each wait', { strict: true, ipv6Bits: 128, extraMs: 1e-6 }],
  ] as const)('%s', (_, { strict, ipv6Bits, extraMs }) => {
    const { packets_per_second: perSecond, burst, steps_ms_wait_then_expected: steps } = load();
    for (const written of ['192.0.2.1', '2001:db8::1']) {
      const limiter = new RateLimiter({ ...KERNEL, perSecond, burst, strict, ipv6Bits });
      let now = 1000;
      const got = steps.map(({ wait_ms }) => {
        now += wait_ms + extraMs;
        return { wait_ms, allow: limiter.allow(ip(written), now) };
      });
      expect(got).toEqual(steps);
    }
  });
});
