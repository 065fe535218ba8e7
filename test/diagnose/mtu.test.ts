/** The arithmetic of MTUs: overheads, what PPPoE carries, the sums in words, commands and lines. */
import { describe, expect, test } from 'vitest';
import { endpoint, parseIp } from '../../src/base/address.ts';
import { clampFix, mtuFix, overhead, pppoeNote, sumText } from '../../src/diagnose/mtu.ts';

const V4 = endpoint(parseIp('203.0.113.10') ?? new Uint8Array(4), 51820);
const V6 = endpoint(parseIp('2001:db8::1') ?? new Uint8Array(16), 51820);

test('60 bytes over IPv4, 80 over IPv6', () => {
  expect(overhead(V4)).toEqual({ outer: 28, tunnel: 60 });
  expect(overhead(V6)).toEqual({ outer: 48, tunnel: 80 });
});

test.each([
  [1452, V4, '1420 inside + 32 WireGuard + 8 UDP + 20 IPv4 = 1480 bytes outside'],
  [1440, V4, '1408 inside (1393 or more, padded) + 32 WireGuard + 8 UDP + 20 IPv4 = 1468 bytes outside'],
  [1452, V6, '1420 inside + 32 WireGuard + 8 UDP + 40 IPv6 = 1500 bytes outside'],
])('%i bytes of UDP', (payload, to, text) => {
  expect(sumText(payload, to)).toBe(text);
});

describe('PPPoE', () => {
  test.each([
    [1400, 1500, true],
    [1492, 1493, true],
    [1493, 1500, false],
    [1400, 1492, false],
    [0, 1480, false],
  ])('a path of at least %i and less than %i', (least, tooMuch, fits) => {
    const note =
      'a PPPoE line (1492 bytes) fits these figures: for it MTU = 1432 over IPv4, 1412 where the outer packets may be IPv6';
    expect(pppoeNote(least, tooMuch)).toEqual(fits ? [note] : []);
  });
});

test('commands for both ends and both families', () => {
  const four = mtuFix(1432, V4.text);
  expect(four.linux?.[0]).toBe(
    'on both ends: MTU = 1432 under [Interface] in wg0.conf; at once: ip link set dev wg0 mtu 1432',
  );
  expect(four.linux?.at(-1)).toContain('ping -M do -s 1464 203.0.113.10 ');
  expect(four.linux?.at(-1)).toContain('path MTU = s + 28, tunnel MTU = path − 60');
  expect(four.routeros?.[0]).toBe('on both ends: /interface wireguard set wireguard1 mtu=1432');
  expect(four.routeros?.at(-1)).toContain('/ping 203.0.113.10 size=1492 do-not-fragment');
  const six = mtuFix(1412, V6.text);
  expect(six.linux?.at(-1)).toContain('ping -6 -M do -s 1444 2001:db8::1 ');
  expect(six.linux?.at(-1)).toContain('path MTU = s + 48, tunnel MTU = path − 80');
  expect(clampFix(1372).routeros?.[0]).toContain('tcp-mss=!0-1372 action=change-mss new-mss=1372');
});
