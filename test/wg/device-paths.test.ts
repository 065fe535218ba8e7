/** Where messages come from and go to: roaming, own addresses, cookies under load, and what leaves no trace. */
import { describe, expect, test } from 'vitest';
import { type Bytes, isZero } from '../../src/base/bytes.ts';
import { POLICIES } from '../../src/wg/policy.ts';
import {
  ADDRESS_A,
  at,
  INNER_A,
  INNER_B,
  ipv4,
  Link,
  onlySend,
  outcome,
  type PairOptions,
  pair,
  sends,
} from './harness.ts';

const TO_B = ipv4(INNER_A, INNER_B);
const TO_A = ipv4(INNER_B, INNER_A);

const linkOf = (options: PairOptions = {}): Link => new Link(pair(options));

function established(options: PairOptions = {}): Link {
  const link = linkOf(options);
  link.send('a', TO_B);
  link.runTo(40);
  expect(link.got).toEqual([{ ms: 30, who: 'b', bytes: TO_B }]);
  return link;
}

describe('roaming', () => {
  test('the peer’s next authentic packet moves its endpoint, and answers go there', () => {
    const link = established();
    link.a.address = at('203.0.113.9:33333');
    link.send('a', TO_B);
    link.runTo(60);
    expect(link.b.status().endpoint?.text).toBe('203.0.113.9:33333');
    expect(onlySend(link.send('b', TO_A)).to.text).toBe('203.0.113.9:33333');
  });

  test('what is refused moves nothing', () => {
    const link = established();
    const elsewhere = at('203.0.113.66:1');
    for (const { bytes } of link.seen) {
      const altered = bytes.slice();
      altered[bytes.length - 1] = (altered.at(-1) ?? 0) ^ 1;
      for (const sent of [bytes, altered]) {
        expect(link.b.datagram(sent, elsewhere, 50).verdict.kind).toBe('refused');
        expect(link.a.datagram(sent, elsewhere, 50).verdict.kind).toBe('refused');
      }
    }
    expect(link.b.status().endpoint?.text).toBe(ADDRESS_A.text);
    expect(link.a.status().endpoint?.text).toBe(link.b.address.text);
  });

  test('the own address that was written to is answered from, and forgotten when it may be the trouble', () => {
    const { a, b } = pair();
    const local = at('198.51.100.2:51820');
    const { bytes } = onlySend(a.packet(TO_B, 0));
    const answer = onlySend(b.handle({ kind: 'datagram', bytes, from: a.address, local }, 0));
    expect(answer.local).toBe(local);
    b.handle({ kind: 'socket-error', peer: a.id, to: a.address, error: 'EADDRNOTAVAIL' }, 1);
    const again = a.tick(5000);
    expect(sends(again).map(({ local: from }) => from)).toEqual([undefined]);
  });
});

test('where our own address may be the trouble, it is forgotten: at a retry, and after silence', () => {
  const local = at('192.0.2.1:51820');
  const { a, b } = pair();
  const initiation = onlySend(a.packet(TO_B, 0));
  const response = onlySend(b.datagram(initiation.bytes, a.address, 1));
  const confirmed = a.handle({ kind: 'datagram', bytes: response.bytes, from: b.address, local }, 2);
  expect(onlySend(confirmed).local).toBe(local);
  expect(onlySend(a.packet(TO_B, 3)).local).toBe(local);
  const [again] = sends(a.tick(15_100));
  expect([again?.message, again?.local]).toEqual(['initiation', undefined]);
});

test('boringtun takes an endpoint from a cookie reply, the others do not', () => {
  for (const policy of Object.values(POLICIES)) {
    const { a, b } = pair({ a: { policy } });
    const { bytes } = onlySend(a.packet(TO_B, 0));
    const reply = onlySend(b.datagram(bytes, a.address, 0, 600));
    expect(outcome(a.datagram(reply.bytes, at('203.0.113.7:7'), 1))).toBe('cookie-reply');
    expect(a.status().endpoint?.text === '203.0.113.7:7').toBe(policy.name === 'boringtun');
  }
});

describe('cookies', () => {
  const flooded = (link: Link, bytes: Bytes, ms: number, depth = 600) =>
    link.b.datagram(bytes, link.a.address, ms, depth);

  test('under load: a cookie, kept, and MAC2 on the retry, which is answered', () => {
    const link = linkOf();
    link.loses = () => true;
    link.send('a', TO_B);
    const first = link.seen[0] ?? expect.fail();
    expect(isZero(first.bytes.subarray(132))).toBe(true);
    const demanded = flooded(link, first.bytes, 0);
    expect(demanded.verdict).toEqual({
      kind: 'refused',
      drop: { kind: 'cookie-demanded', message: 'initiation', mac2: 'absent' },
    });
    const reply = onlySend(demanded);
    expect([reply.message, reply.bytes.length, reply.peer]).toEqual(['cookie-reply', 64, undefined]);
    expect(outcome(link.a.datagram(reply.bytes, link.b.address, 10))).toBe('cookie-reply');
    expect(sends(link.a.tick(4999))).toEqual([]);
    const retry = onlySend(link.a.tick(5000));
    expect(isZero(retry.bytes.subarray(132))).toBe(false);
    expect(outcome(flooded(link, retry.bytes, 5010))).toBe('initiation');
    // The same cookie from elsewhere proves nothing.
    const elsewhere = link.b.datagram(retry.bytes, at('192.0.2.77:51820'), 5020, 600);
    expect(elsewhere.verdict).toMatchObject({ drop: { kind: 'cookie-demanded', mac2: 'wrong' } });
  });

  test('it holds for a second after the queue was long, and no longer', () => {
    const link = linkOf();
    link.loses = () => true;
    link.send('a', TO_B);
    const { bytes } = link.seen[0] ?? expect.fail();
    expect(outcome(flooded(link, bytes, 0, 512))).toBe('cookie-demanded');
    expect(outcome(flooded(link, bytes, 999, 0))).toBe('cookie-demanded');
    expect(outcome(flooded(link, bytes, 1000, 0))).toBe('initiation');
  });

  test('an initiator uses a cookie for 115 s, a responder’s secret lasts 120 s', () => {
    const link = linkOf();
    link.loses = () => true;
    link.send('a', TO_B);
    const reply = onlySend(flooded(link, link.seen[0]?.bytes ?? expect.fail(), 0));
    link.a.datagram(reply.bytes, link.b.address, 0);
    const mac2 = (ms: number): Bytes => {
      const step = link.a.packet(TO_B, ms);
      return onlySend(step).bytes.subarray(132);
    };
    expect(isZero(mac2(114_999))).toBe(false);
    expect(isZero(mac2(120_000))).toBe(true);
  });
});

describe('refused without a trace', () => {
  test('nothing of the state moves for what is not authentic', () => {
    const link = established();
    const before = JSON.stringify([link.b.device.peers(), link.b.device.nextDeadline(), link.b.device.indices]);
    for (const { bytes } of link.seen) {
      for (let i = 0; i < bytes.length; i += 7) {
        const altered = bytes.slice();
        altered[i] = (altered[i] ?? 0) ^ 0x55;
        expect(link.b.datagram(altered, at('203.0.113.5:5'), 60).verdict.kind).toBe('refused');
        link.b.datagram(bytes.subarray(0, i), at('203.0.113.5:5'), 60);
      }
    }
    expect(JSON.stringify([link.b.device.peers(), link.b.device.nextDeadline(), link.b.device.indices])).toBe(before);
  });

  test('an inner packet that is refused leaves what was authentic: endpoint, window, timers', () => {
    const link = established();
    link.a.address = at('203.0.113.9:33333');
    const foreign = link.send('a', ipv4('192.168.7.7', INNER_B));
    link.runTo(60);
    expect(link.outcomes.at(-1)).toBe('source-not-allowed');
    expect(link.b.status().endpoint?.text).toBe('203.0.113.9:33333');
    expect(outcome(link.b.datagram(onlySend(foreign).bytes, link.a.address, 61))).toBe('counter-replayed');
    expect(link.b.status().receivedBytes).toBe(148 + 96);
  });
});
