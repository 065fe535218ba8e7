/** Two devices on a perfect link: sessions from nothing, rekeys, crossings, PSKs. */
import { describe, expect, test } from 'vitest';
import { toHex } from '../../src/base/bytes.ts';
import { presharedKey } from '../../src/base/keys.ts';
import { noble } from '../../src/crypto/noble.ts';
import { LINUX, POLICIES, type PolicyName } from '../../src/wg/policy.ts';
import {
  ADDRESS_A,
  clock,
  delivered,
  events,
  INNER_A,
  INNER_B,
  ipv4,
  Link,
  net,
  onlySend,
  outcome,
  type PairOptions,
  pair,
  sends,
} from './harness.ts';

const TO_B = ipv4(INNER_A, INNER_B);
const TO_A = ipv4(INNER_B, INNER_A);
const PSK = presharedKey(new Uint8Array(32).fill(0x51));
const OTHER_PSK = presharedKey(new Uint8Array(32).fill(0x52));

const linkOf = (options: PairOptions = {}): Link => new Link(pair(options));

function established(options: PairOptions = {}): Link {
  const link = linkOf(options);
  link.send('a', TO_B);
  link.runTo(40);
  expect(link.got).toEqual([{ ms: 30, who: 'b', bytes: TO_B }]);
  return link;
}

describe('a session from nothing', () => {
  test.each(Object.keys(POLICIES) as PolicyName[])('%s, both ways, with a PSK', (name) => {
    const policy = POLICIES[name];
    const link = established({ a: { policy }, b: { policy }, pskA: PSK, pskB: PSK });
    link.send('b', TO_A);
    link.runTo(60);
    expect(link.got.at(-1)).toEqual({ ms: 50, who: 'a', bytes: TO_A });
    expect(link.outcomes.filter((what) => !['initiation', 'response', 'data'].includes(what))).toEqual([]);
    expect([events(link.a), events(link.b)]).toEqual([
      ['session-derived', 'handshake-complete'],
      ['endpoint-learned', 'session-derived', 'handshake-complete'],
    ]);
    const [toB, toA] = link.seen.filter(({ message }) => message === 'data');
    const size = policy.pads ? 64 + 32 : 60 + 32;
    expect([toB?.bytes.length, toA?.bytes.length]).toEqual([size, size]);
  });

  test('every pair of policies understands each other, on both backends', () => {
    for (const a of Object.values(POLICIES)) {
      for (const b of Object.values(POLICIES)) {
        established({ a: { policy: a, crypto: noble }, b: { policy: b } });
      }
    }
  });

  test('figures as wg show has them', () => {
    const link = established();
    const [a, b] = [link.a.status(), link.b.status()];
    expect([a.sentBytes, a.receivedBytes]).toEqual([148 + 96, 92]);
    expect([b.sentBytes, b.receivedBytes]).toEqual([92, 148 + 96]);
    // The responder's handshake is complete with the first data, the initiator's with the response.
    expect([a.latestHandshake, b.latestHandshake]).toEqual([clock(20).wall, clock(30).wall]);
    expect(b.endpoint?.text).toBe(ADDRESS_A.text);
    expect(b.allowedIps).toEqual([net('10.0.0.1/32')]);
    expect([a.persistentKeepalive, a.hasPresharedKey, a.id]).toEqual([0, false, link.b.id]);
    expect(a.sessions).toMatchObject([{ slot: 'current', role: 'initiator' }]);
    expect(b.sessions).toMatchObject([{ slot: 'current', role: 'responder' }]);
  });

  test('TOS: AF41 on handshakes, the inner ECN on data, nothing on keepalives', () => {
    const { a } = pair();
    const marked = TO_B.slice();
    marked[1] = 0xff;
    expect(onlySend(a.packet(marked, 0)).tos).toBe(0x88);
    const link = established();
    expect(onlySend(link.send('a', marked)).tos).toBe(2);
    marked[1] = 0x01;
    expect(onlySend(link.send('a', marked)).tos).toBe(1);
  });

  test('same inputs, same bytes out', () => {
    const run = (): string[] => established().seen.map(({ bytes }) => toHex(bytes));
    expect(run()).toEqual(run());
  });
});

test('a responder does not send before the first data under the new session', () => {
  const link = linkOf();
  link.loses = ({ message }) => message !== 'initiation' && message !== 'response';
  link.send('a', TO_B);
  link.runTo(50);
  expect(link.b.status().sessions).toMatchObject([{ slot: 'next' }]);
  expect(sends(link.send('b', TO_A))).toEqual([]);
  expect(link.b.status().staged).toBe(1);
  link.loses = () => false;
  link.send('a', TO_B);
  link.runTo(100);
  expect(link.log(50)).toEqual(['0.05 a data', '0.06 b data']);
  expect(link.got.at(-1)).toMatchObject({ who: 'a', bytes: TO_A });
});

test('steady traffic for an hour: a session every two minutes, nothing refused, three held at most', () => {
  const link = established();
  for (let ms = 1000; ms <= 3_600_000; ms += 1000) {
    link.runTo(ms);
    link.send(ms % 2000 === 0 ? 'a' : 'b', ms % 2000 === 0 ? TO_B : TO_A);
    expect(link.a.status().sessions.length).toBeLessThanOrEqual(3);
    expect(link.b.device.indices).toBeLessThanOrEqual(4);
  }
  link.runTo(3_600_100);
  const initiations = link.seen.filter(({ message }) => message === 'initiation').map(({ ms }) => ms);
  expect(initiations).toHaveLength(30);
  expect(initiations.slice(1).map((ms, i) => ms - (initiations[i] ?? 0) < 122_001)).toEqual(Array(29).fill(true));
  expect(link.got).toHaveLength(3601);
  expect([...link.a.device.drops().keys(), ...link.b.device.drops().keys()]).toEqual([]);
});

test('simultaneous initiations: both answers are refused, and it recovers with the first retry', () => {
  const link = linkOf({
    bKnowsA: true,
    a: { script: { jitter: [Uint8Array.of(0, 0, 0, 0), Uint8Array.of(0, 0, 0, 50)] } },
  });
  link.took('a', link.a.packet(TO_B, 0));
  link.took('b', link.b.packet(TO_A, 0));
  link.runTo(50);
  expect(link.outcomes).toEqual(['initiation', 'initiation', 'response-unknown-index', 'response-unknown-index']);
  expect(link.got).toEqual([]);
  link.runTo(20_000);
  expect(link.got).toEqual([]);
  // Both retries came within 5 s of the response that each had sent, and so were held back: as in the kernel, the
  // next packet begins anew.
  link.send('a', TO_B);
  link.runTo(20_100);
  expect(link.got.map(({ who }) => who)).toEqual(['b', 'b', 'a']);
});

test('simultaneous initiations, with jitter: a retry gets through by itself', () => {
  const link = linkOf({ bKnowsA: true, a: { script: { jitter: [Uint8Array.of(0, 0, 0, 100)] } } });
  link.took('a', link.a.packet(TO_B, 0));
  link.took('b', link.b.packet(TO_A, 0));
  link.runTo(6000);
  expect(link.log(50)).toEqual(['5.1 a initiation', '5.11 b response', '5.12 a data', '5.13 b data']);
});

test('gotatun keeps its own initiation: the first answer that comes is taken', () => {
  const policy = POLICIES.gotatun;
  const link = linkOf({ bKnowsA: true, a: { policy }, b: { policy } });
  link.took('a', link.a.packet(TO_B, 0));
  link.took('b', link.b.packet(TO_A, 0));
  link.runTo(100);
  expect(link.outcomes.slice(0, 4)).toEqual(['initiation', 'initiation', 'response', 'response']);
  expect(link.got.map(({ who }) => who).sort()).toEqual(['a', 'b']);
});

describe('PSK', () => {
  test('a mismatch: the responder sees a handshake every 5 s, the initiator refuses each answer', () => {
    const link = linkOf({ pskA: PSK, pskB: OTHER_PSK });
    link.send('a', TO_B);
    link.runTo(11_000);
    expect(link.outcomes).toEqual(Array(3).fill(['initiation', 'empty-unsealable']).flat());
    expect(link.b.status().latestHandshake).toBeUndefined();
    expect(link.a.device.drops()).toEqual(new Map([['empty-unsealable', 3]]));
  });

  test('changed at run time on both sides, the next session uses it', () => {
    const link = established();
    link.a.peer({ publicKey: link.b.publicKey, presharedKey: PSK });
    link.b.peer({ publicKey: link.a.publicKey, presharedKey: PSK });
    link.runTo(130_000);
    link.send('a', TO_B);
    link.runTo(130_100);
    expect(link.a.status().hasPresharedKey).toBe(true);
    expect(link.log(130_000)).toEqual(['130 a data', '130 a initiation', '130.01 b response', '130.02 a keepalive']);
  });
});

test('the key log has all that opens the handshake, the PSK after its ephemeral', () => {
  const lines: string[] = [];
  established({ a: { keyLog: (line) => lines.push(line) }, pskA: PSK, pskB: PSK });
  expect(lines).toHaveLength(4);
  expect(lines[0]).toMatch(/^LOCAL_STATIC_PRIVATE_KEY = [A-Za-z0-9+/]{43}=$/);
  expect(lines[1]).toMatch(/^REMOTE_STATIC_PUBLIC_KEY = [A-Za-z0-9+/]{43}=$/);
  expect(lines[2]).toMatch(/^LOCAL_EPHEMERAL_PRIVATE_KEY = [A-Za-z0-9+/]{43}=$/);
  expect(lines[3]).toBe('PRESHARED_KEY = UVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVFRUVE=');
});

test('the key log says nothing of a PSK that is none', () => {
  const lines: string[] = [];
  established({ b: { keyLog: (line) => lines.push(line) } });
  expect(lines.map((line) => line.split(' ')[0])).toEqual([
    'LOCAL_STATIC_PRIVATE_KEY',
    'REMOTE_STATIC_PUBLIC_KEY',
    'LOCAL_EPHEMERAL_PRIVATE_KEY',
  ]);
});

test('a packet is sealed where it stands, in the caller’s room', () => {
  const link = established();
  const out = new Uint8Array(200);
  out.set(TO_B, 16);
  const step = link.a.handle({ kind: 'packet', bytes: out.subarray(16, 76), out }, 50);
  const sent = onlySend(step);
  expect(sent.bytes.buffer).toBe(out.buffer);
  const room = new Uint8Array(64).fill(0xee);
  const opened = link.b.handle({ kind: 'datagram', bytes: sent.bytes, from: link.a.address, out: room }, 60);
  expect(delivered(opened)).toEqual([TO_B]);
  expect([...room.subarray(60)]).toEqual([0, 0, 0, 0]);
});

test('the padding is zeros, whatever stood in the room before', () => {
  const link = established();
  const step = link.a.handle({ kind: 'packet', bytes: TO_B, out: new Uint8Array(200).fill(0xdd) }, 50);
  const room = new Uint8Array(64).fill(0xee);
  link.b.handle({ kind: 'datagram', bytes: onlySend(step).bytes, from: link.a.address, out: room }, 60);
  expect([...room.subarray(60)]).toEqual([0, 0, 0, 0]);
});

test('counters run out: the session stops sending, and a new one takes over', () => {
  const policy = { ...LINUX, rejectAfterMessages: { low: 3, high: 0 } };
  const link = established({ a: { policy } });
  link.runTo(6000);
  link.send('a', TO_B);
  link.send('a', TO_B);
  link.send('a', TO_B);
  link.runTo(6100);
  expect(link.log(6000)).toEqual(['6 a data', '6 a data', '6 a initiation', '6.01 b response', '6.02 a data']);
});

test.each([
  ['linux', 'data-key-spent'],
  ['wireguard-go', 'data'],
] as const)('%s: after the last counter an earlier one is judged %s', (name, judged) => {
  const policy = { ...POLICIES[name], rejectAfterMessages: { low: 3, high: 0 } };
  const link = established({ b: { policy } });
  const [earlier, last] = [1, 2].map(() => onlySend(link.a.packet(TO_B, 40)).bytes);
  for (const bytes of [last, earlier])
    link.outcomes.push(outcome(link.b.datagram(bytes ?? expect.fail(), ADDRESS_A, 50)));
  expect(link.outcomes.slice(-2)).toEqual(['data', judged]);
});
