/** Unwrapping, message by message: vectors of another program, several messages in one datagram, and what must stay closed. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { shapeOf } from '../../src/analyze/classify.ts';
import { KeySet } from '../../src/analyze/key-set.ts';
import type { Unwrapped } from '../../src/analyze/unwrap/unwrapped.ts';
import { Unwrapper } from '../../src/analyze/unwrap/unwrapper.ts';
import { parseEndpoint } from '../../src/base/address.ts';
import { concat, toHex } from '../../src/base/bytes.ts';
import { publicKey } from '../../src/base/keys.ts';
import { parseWgConf } from '../../src/config/wg-quick.ts';
import { nodeCrypto } from '../../src/crypto/node.ts';
import type { Datagram } from '../../src/packet/datagram.ts';
import { noise } from '../diagnose/forms.ts';
import { frame } from '../packet/build.ts';
import { corpus } from '../wg/corpus.ts';

function keys(conf?: string): KeySet {
  const set = new KeySet(nodeCrypto);
  set.addPublic(publicKey(corpus.keys.responder_static_public), 'the server’s key');
  set.addPublic(publicKey(corpus.keys.initiator_static_public), 'the client’s key');
  if (conf !== undefined) set.addConf('a', 'a.conf', parseWgConf(conf).conf);
  return set;
}

const CLIENT = '192.0.2.7:40000';
const SERVER = '198.51.100.1:51820';

function datagram(bytes: Uint8Array, from = CLIENT, to = SERVER, at = 1, cut = 0): Datagram {
  const [source, target] = [parseEndpoint(from), parseEndpoint(to)];
  if (source === undefined || target === undefined) throw new Error(`${from} ${to}`);
  return {
    kind: 'datagram',
    frame: frame(101, bytes, { time: { sec: at, nsec: 0 } }),
    from: source,
    to: target,
    bytes: bytes.subarray(0, bytes.length - cut),
    length: bytes.length,
    ttl: 64,
    tos: 0,
    ipId: 0,
    dontFragment: true,
    fragments: 1,
    ipLength: bytes.length + 28,
    direction: undefined,
    checksum: 'ok',
    path: ['ipv4'],
  };
}

function variant(id: string): Uint8Array {
  const found = corpus.variants.find((one) => one.id === id);
  if (found === undefined) throw new Error(id);
  return found.packet;
}

function plain(id: string): Uint8Array {
  const found = corpus.cases.find((one) => one.id === id);
  if (found === undefined) throw new Error(id);
  return found.packet;
}

const messages = (unwrapped: Unwrapped | undefined): string[] =>
  (unwrapped?.messages ?? []).map(({ bytes }) => toHex(bytes));

describe('vectors of another program', () => {
  test.each(['warp', 'lwo'])('%s: to what they were made from', (form) => {
    const unwrapper = new Unwrapper(nodeCrypto, keys());
    const there = [`${form}.init`, `${form}.data`].map((id) => messages(unwrapper.unwrap(datagram(variant(id)))));
    const back = messages(unwrapper.unwrap(datagram(variant(`${form}.resp`), SERVER, CLIENT)));
    expect([...there, back]).toEqual([
      [toHex(plain('init.ok'))],
      [toHex(plain('data.ping'))],
      [toHex(plain('resp.ok'))],
    ]);
  });

  test('a relay’s Geneve', () => {
    const found = new Unwrapper(nodeCrypto, keys()).unwrap(datagram(variant('tailscale.geneve_wg')));
    expect(messages(found)).toEqual([toHex(plain('data.ping'))]);
    expect(found?.form.figures).toEqual(new Map([['network (VNI)', '123']]));
  });

  test('AmneziaWG: MAC1 over the type word that was sent, and the plain one in the message', () => {
    const unwrapper = new Unwrapper(nodeCrypto, keys());
    const [init] = unwrapper.unwrap(datagram(variant('awg1.init')))?.messages ?? [];
    const [resp] = unwrapper.unwrap(datagram(variant('awg1.resp'), SERVER, CLIENT))?.messages ?? [];
    expect([init?.kind, init?.length, init?.wire.padding, init?.wire.header]).toEqual([
      'initiation',
      148,
      15,
      1234567891,
    ]);
    expect([resp?.kind, resp?.length, resp?.wire.padding, resp?.wire.header]).toEqual(['response', 92, 18, 1234567892]);
    expect([init?.bytes.subarray(0, 4), resp?.bytes.subarray(0, 4)]).toEqual([
      Uint8Array.of(1, 0, 0, 0),
      Uint8Array.of(2, 0, 0, 0),
    ]);
    expect(toHex(init?.wire.macBytes ?? new Uint8Array(0))).toBe(toHex(variant('awg1.init').subarray(15)));
    const data = unwrapper.unwrap(datagram(variant('awg1.data')));
    expect([data?.messages[0]?.kind, data?.messages[0]?.length]).toEqual(['data', 96]);
    expect([...(data?.form.figures ?? [])]).toEqual([
      ['S1', '15'],
      ['S2', '18'],
      ['S4', '0'],
      ['H1', '1234567891'],
      ['H2', '1234567892'],
      ['H4', '1234567894'],
    ]);
    expect(messages(unwrapper.unwrap(datagram(variant('awg.junk'))))).toEqual([]);
    expect(unwrapper.unwrap(datagram(variant('awg.junk')))?.form.name).toBe('AmneziaWG');
  });

  test('AmneziaWG 3 behind its header protection, junk, DISCO and STUN stay closed', () => {
    const unwrapper = new Unwrapper(nodeCrypto, keys());
    const ids = ['awg3.init', 'awg3.data', 'awg.junk', 'tailscale.disco', 'stun.binding_request'];
    expect(ids.map((id) => unwrapper.unwrap(datagram(variant(id))))).toEqual(ids.map(() => undefined));
  });
});

const CONF = `[Interface]
ListenPort = 51820
S1 = 15
S2 = 18
S4 = 7
H1 = 1234567891
H2 = 1234567892
H4 = 4000000000-4000000010`;

test('by given settings, without any key that fits and cut by the capture', () => {
  const unwrapper = new Unwrapper(nodeCrypto, new KeySet(nodeCrypto));
  const set = new KeySet(nodeCrypto);
  set.addConf('a', 'a.conf', parseWgConf(CONF).conf);
  expect(unwrapper.unwrap(datagram(variant('awg1.init')))).toBeUndefined();
  const found = new Unwrapper(nodeCrypto, set).unwrap(datagram(variant('awg1.init'), CLIENT, SERVER, 1, 60));
  expect([found?.messages[0]?.length, found?.messages[0]?.bytes.length]).toEqual([148, 88]);
  expect(found?.form.how).toBe('by the settings in a.conf');
  // another port: then length and type word alone are not enough
  const elsewhere = datagram(variant('awg1.init'), CLIENT, '198.51.100.1:443');
  expect(new Unwrapper(nodeCrypto, set).unwrap(elsewhere)).toBeUndefined();
});

describe('several messages in one datagram, as segmentation offload shows them', () => {
  const one = (counter: number): Uint8Array => {
    const out = plain('data.ping').slice();
    out[8] = counter;
    return out;
  };
  const three = [7, 8, 9].map(one);
  const first = plain('init.ok');
  const withKey = (message: Uint8Array): Uint8Array => {
    const key = corpus.keys.responder_static_public;
    const out = message.map((byte, i) => (i < (message.length === 148 ? 148 : 32) ? byte ^ (key[i % 32] ?? 0) : byte));
    out[1] = 0x80 | message.length;
    return out;
  };
  const withId = (message: Uint8Array): Uint8Array => {
    const out = message.slice();
    out.set([9, 8, 7], 1);
    return out;
  };
  const withGeneve = (message: Uint8Array): Uint8Array => concat(Uint8Array.of(0, 0, 0x7a, 0x12, 0, 0, 5, 0), message);
  const padded = (message: Uint8Array): Uint8Array => {
    const out = concat(noise(7, message[8] ?? 0), message);
    out.set([0x00, 0x28, 0x6b, 0xee], 7); // 4000000000
    return out;
  };
  const cases: readonly (readonly [string, (message: Uint8Array) => Uint8Array])[] = [
    ['WARP', withId],
    ['LWO', withKey],
    ['Geneve', withGeneve],
    ['AmneziaWG', padded],
  ];
  test.each(cases)('%s', (name, wrap) => {
    const unwrapper = new Unwrapper(nodeCrypto, keys(CONF));
    if (name !== 'AmneziaWG') expect(messages(unwrapper.unwrap(datagram(wrap(first))))).toEqual([toHex(first)]);
    const found = unwrapper.unwrap(datagram(concat(...three.map(wrap))));
    expect(messages(found)).toEqual(three.map(toHex));
    expect(found?.messages.map(({ length }) => length)).toEqual([96, 96, 96]);
  });
});

describe('what must stay closed', () => {
  test('WARP’s sizes and type byte alone, without the zeros of a missing MAC2', () => {
    const message = noise(148, 3);
    message[0] = 1;
    expect(new Unwrapper(nodeCrypto, keys()).unwrap(datagram(message))).toBeUndefined();
  });

  test('IKE on a port of WARP that begins like data', () => {
    const message = concat(
      Uint8Array.of(4, 9, 8, 7, 1, 2, 3, 4),
      new Uint8Array(8),
      Uint8Array.of(33, 0x20, 34, 8),
      noise(300, 4),
    );
    expect(
      new Unwrapper(nodeCrypto, keys()).unwrap(datagram(message, '192.0.2.7:500', '198.51.100.1:500')),
    ).toBeUndefined();
  });

  test('a LWO initiation with one byte changed: MAC1 no longer fits', () => {
    const message = variant('lwo.init').slice();
    message[60] = (message[60] ?? 0) ^ 1;
    expect(new Unwrapper(nodeCrypto, keys()).unwrap(datagram(message))).toBeUndefined();
  });

  test('AmneziaWG for a key that is not here, until its answer comes', () => {
    const unwrapper = new Unwrapper(nodeCrypto, new KeySet(nodeCrypto));
    expect(unwrapper.unwrap(datagram(variant('awg1.init')))).toBeUndefined();
    const found = unwrapper.unwrap(datagram(variant('awg1.resp'), SERVER, CLIENT));
    expect(found?.messages.map(({ kind }) => kind)).toEqual(['initiation', 'response']);
  });

  test('random bytes of any length, with any first bytes, on any of the ports', () => {
    const start = fc.oneof(
      fc.uint8Array({ maxLength: 8 }),
      fc.constantFrom(Uint8Array.of(1, 2, 3, 4), Uint8Array.of(4, 1, 1, 1), Uint8Array.of(0, 0, 0x7a, 0x12)),
    );
    const size = fc.oneof(fc.integer({ min: 0, max: 1500 }), fc.constantFrom(32, 64, 92, 148, 163));
    const port = fc.constantFrom(51820, 443, 2408, 4500);
    const unwrapper = new Unwrapper(nodeCrypto, keys(CONF));
    fc.assert(
      fc.property(start, size, fc.nat(), port, fc.nat(200), (head, length, seed, to, cut) => {
        const bytes = noise(length, seed);
        bytes.set(head.subarray(0, length));
        const sent = datagram(bytes, CLIENT, `198.51.100.1:${to}`, seed % 1000, Math.min(cut, length));
        const found = unwrapper.unwrap(sent);
        // a type byte of four with seven bytes that fit by chance would be needed
        expect(found?.messages ?? []).toEqual([]);
      }),
      { numRuns: 2000 },
    );
  });

  test('random bytes behind a real handshake are of its form, and hold no message', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const unwrapper = new Unwrapper(nodeCrypto, keys());
        for (const id of ['awg1.init', 'lwo.init', 'warp.init']) unwrapper.unwrap(datagram(variant(id)));
        if (shapeOf(bytes, bytes.length)?.reserved === 0) return;
        expect(unwrapper.unwrap(datagram(bytes))?.messages ?? []).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });
});

test('initiations that wait for an answer are forgotten in turn', () => {
  const unwrapper = new Unwrapper(nodeCrypto, new KeySet(nodeCrypto));
  const flow = (i: number): string => `192.0.2.7:${1024 + i}`;
  for (let i = 0; i < 1000; i++) unwrapper.unwrap(datagram(variant('awg1.init'), flow(i), SERVER, i));
  const answered = [0, 999].map(
    (i) => messages(unwrapper.unwrap(datagram(variant('awg1.resp'), SERVER, flow(i)))).length,
  );
  expect(answered).toEqual([0, 2]);
});
