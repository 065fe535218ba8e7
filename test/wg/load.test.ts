/** Load, and the cookies that come of it: when, for how long, and for what source. */
import { describe, expect, test } from 'vitest';
import { type Bytes, toHex } from '../../src/base/bytes.ts';
import { nodeCrypto } from '../../src/crypto/node.ts';
import { CookieJar, CookieSecret } from '../../src/wg/cookie-secret.ts';
import { LoadGauge } from '../../src/wg/load.ts';
import { BORINGTUN, type CookieForm, GOTATUN, LINUX, WIREGUARD_GO } from '../../src/wg/policy.ts';
import { at, chance } from './harness.ts';

const IP = at('192.0.2.1:1').ip;
const OTHER = at('192.0.2.2:1').ip;

test.each([
  [LINUX, 511, 512],
  [WIREGUARD_GO, 127, 128],
])('$name: by the length of its queue, held for a second', (policy, below, deep) => {
  const gauge = new LoadGauge(policy.load);
  const loaded = (depth: number, nowMs: number): boolean => {
    gauge.noteDepth(depth, nowMs);
    return gauge.underLoad(IP, nowMs);
  };
  expect([loaded(below, 0), loaded(deep, 1), loaded(0, 1000), loaded(0, 1001), loaded(below, 1002)]).toEqual([
    false,
    true,
    true,
    false,
    false,
  ]);
});

test('boringtun: more than 100 in a second, from all together', () => {
  const gauge = new LoadGauge(BORINGTUN.load);
  const first = Array.from({ length: 100 }, (_, i) => gauge.underLoad(i % 2 === 0 ? IP : OTHER, i));
  expect(first).not.toContain(true);
  expect([gauge.underLoad(OTHER, 100), gauge.underLoad(IP, 999), gauge.underLoad(IP, 1000)]).toEqual([
    true,
    true,
    false,
  ]);
});

test('gotatun: more than 100 in a second from one source', () => {
  const gauge = new LoadGauge(GOTATUN.load);
  for (let i = 0; i < 100; i++) expect(gauge.underLoad(IP, 0)).toBe(false);
  expect([gauge.underLoad(IP, 1), gauge.underLoad(OTHER, 1), gauge.underLoad(IP, 1000)]).toEqual([true, false, false]);
});

test('more sources in a second than are counted are load by themselves', () => {
  const gauge = new LoadGauge(GOTATUN.load);
  const source = (i: number): Bytes => Uint8Array.of(10, i >> 16, i >> 8, i);
  for (let i = 0; i < 4096; i++) expect(gauge.underLoad(source(i), 0)).toBe(false);
  expect([gauge.underLoad(source(5000), 0), gauge.underLoad(source(0), 0)]).toEqual([true, false]);
});

describe('cookies', () => {
  const cookieAt = (form: CookieForm) => {
    const secret = new CookieSecret(nodeCrypto, chance(5), form);
    return (from: string, nowMs: number): string => toHex(secret.cookie(at(from), nowMs));
  };

  test.each<readonly [CookieForm, boolean, number]>([
    ['secret-ip-port-be', true, 120_000],
    ['secret-ip-port-le', true, 120_000],
    ['epoch-ip', false, 128_000],
    ['epoch-ip-port', true, 128_000],
  ])('%s: port matters %s, new after %i ms', (form, portMatters, lifeMs) => {
    const cookie = cookieAt(form);
    const first = cookie('192.0.2.1:51820', 1000);
    expect(first).toHaveLength(32);
    expect(cookie('192.0.2.1:51821', 1000) !== first).toBe(portMatters);
    expect(cookie('192.0.2.2:51820', 1000)).not.toBe(first);
    expect(cookie('[2001:db8::1]:51820', 1000)).not.toBe(first);
    expect(cookie('192.0.2.1:51820', 1000 + lifeMs - 1)).toBe(first);
    expect(cookie('192.0.2.1:51820', 1000 + lifeMs)).not.toBe(first);
  });

  test('the forms of a port differ', () => {
    const [be, le] = [cookieAt('secret-ip-port-be'), cookieAt('secret-ip-port-le')];
    expect(be('192.0.2.1:257', 0)).toBe(le('192.0.2.1:257', 0));
    expect(be('192.0.2.1:258', 0)).not.toBe(le('192.0.2.1:258', 0));
  });

  test('a jar: kept so long, its MAC1 spent or not', () => {
    const jar = new CookieJar();
    expect([jar.mac1, jar.fresh(0, 1000)]).toEqual([undefined, undefined]);
    jar.sent(Uint8Array.of(1), 77);
    jar.keep(Uint8Array.of(9), 500, false);
    expect([jar.mac1, jar.sender]).toEqual([Uint8Array.of(1), 77]);
    expect([jar.fresh(1499, 1000), jar.fresh(1500, 1000)]).toEqual([Uint8Array.of(9), undefined]);
    jar.keep(Uint8Array.of(8), 600, true);
    expect([jar.mac1, jar.fresh(600, 1000)]).toEqual([undefined, Uint8Array.of(8)]);
  });
});
