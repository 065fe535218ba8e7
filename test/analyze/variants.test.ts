/** Datagrams beside WireGuard, and forms that are only named: each by its figures, and nothing like it by mistake. */
import { describe, expect, test } from 'vitest';
import { foreignName, shapeOf } from '../../src/analyze/classify.ts';
import { namesVariant, VARIANT } from '../../src/analyze/variants.ts';
import { concat, putU32be, utf8 } from '../../src/base/bytes.ts';
import { Decoder } from '../../src/packet/decode.ts';
import { noise } from '../diagnose/forms.ts';
import { data, initiation, response } from '../diagnose/traffic.ts';
import { frame, ipv4, udp, V4 } from '../packet/build.ts';
import { corpus } from '../wg/corpus.ts';

const name = (bytes: Uint8Array, ports: [number, number] = [40_000, 51_820]): string | undefined =>
  foreignName(bytes, bytes.length, ports);
const vector = (id: string): Uint8Array => corpus.variants.find((one) => one.id === id)?.packet ?? new Uint8Array(0);

const stun = (type: number, size = 20): Uint8Array => {
  const out = new Uint8Array(size);
  out[0] = type >>> 8;
  out[1] = type & 255;
  putU32be(out, 4, 0x2112a442);
  return out;
};
const disco = (size: number): Uint8Array => concat(utf8('TS💬'), noise(size - 6, 1));
const rosenpass = (type: number): Uint8Array => concat(Uint8Array.of(type, 0, 0, 0), noise(400, type));

describe('what shares the socket', () => {
  test.each([
    ['a binding request', stun(0x0001), 'STUN'],
    ['a binding response with attributes', stun(0x0101, 32), 'STUN'],
    ['another program’s binding request', vector('stun.binding_request'), 'STUN'],
    ['without its cookie', stun(0x0001).fill(0, 4, 8), undefined],
    ['shorter than its header', stun(0x0001).subarray(0, 19), undefined],
    ['DISCO', vector('tailscale.disco'), 'Tailscale DISCO'],
    ['the shortest DISCO', disco(62), 'Tailscale DISCO'],
    ['shorter than a key and a nonce', disco(61), undefined],
    [
      'DISCO in a relay’s Geneve',
      concat(Uint8Array.of(0, 0, 0x7a, 0x11, 0, 0, 7, 0), disco(80)),
      'Tailscale peer relay (Geneve, DISCO)',
    ],
    ['InitHello', rosenpass(0x81), 'Rosenpass'],
    ['RespHello', rosenpass(0x82), 'Rosenpass'],
    ['InitConf', rosenpass(0x83), 'Rosenpass'],
    ['a byte that Rosenpass does not use', rosenpass(0x89), undefined],
    ['reserved bytes that are not zero', rosenpass(0x81).fill(9, 1, 4), undefined],
  ] as const)('%s', (_, bytes, wanted) => {
    expect(name(bytes)).toBe(wanted);
  });
});

describe('forms that are only named', () => {
  const named = (payload: Uint8Array, ends = V4): string | undefined => {
    const [found] = new Decoder().decode(frame(101, ipv4(ends, udp(ends, payload))));
    return found?.kind === 'datagram' ? namesVariant(found, shapeOf(found.bytes, found.length)) : 'no datagram';
  };
  const padded = (message: Uint8Array, more: number): Uint8Array => concat(message, noise(more, 3));
  const withId = (message: Uint8Array): Uint8Array => message.map((byte, i) => (i === 1 ? 9 : byte));
  const warpEnds = { ...V4, destinationPort: 2408 };

  test.each([
    ['TunnelBear: initiations of 204 bytes', padded(initiation(1), 56), V4, VARIANT.tunnelBear],
    ['TunnelBear: responses of 100 bytes', padded(response(2, 1), 8), V4, VARIANT.tunnelBear],
    ['one byte more', padded(initiation(1), 57), V4, undefined],
    ['another type', padded(response(2, 1), 56 + 56), V4, undefined],
    ['WARP: data on its port', withId(data(7, 1)), warpEnds, VARIANT.warp],
    ['the same on another port', withId(data(7, 1)), V4, undefined],
    ['a counter that no session reaches', withId(data(7, 1).fill(0xff, 13, 16)), warpEnds, undefined],
    ['plain data', data(7, 1), warpEnds, undefined],
  ] as const)('%s', (_, bytes, ends, wanted) => {
    expect(named(bytes, ends)).toBe(wanted);
  });
});
