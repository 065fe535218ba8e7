/** How timers end things: retries that give up, initiations that are held back, keys that are zeroed. */
import { describe, expect, test } from 'vitest';
import { nodeCrypto } from '../../src/crypto/node.ts';
import { BORINGTUN, GOTATUN, LINUX, type Policy } from '../../src/wg/policy.ts';
import {
  drops,
  events,
  INNER_A,
  INNER_B,
  indexBytes,
  ipv4,
  Link,
  type PairOptions,
  pair,
  type Script,
} from './harness.ts';

const TO_B = ipv4(INNER_A, INNER_B);
const TO_A = ipv4(INNER_B, INNER_A);

function linkOf(policy: Policy = LINUX, options: PairOptions = {}, script: Script = {}): Link {
  return new Link(pair({ ...options, a: { policy, script, ...options.a }, b: { policy, ...options.b } }));
}

/** A session between a, the initiator, and b; both sides have sent and received nothing since. At 0.02 s. */
function established(policy: Policy = LINUX, options: PairOptions = {}): Link {
  const link = linkOf(policy, options);
  link.send('a', TO_B);
  link.runTo(40);
  expect(link.log()).toEqual(['0 a initiation', '0.01 b response', '0.02 a data']);
  return link;
}

describe('1: retransmission', () => {
  const attempts = (policy: Policy, untilS: number, script: Script = {}): { sent: string[]; link: Link } => {
    const link = linkOf(policy, {}, script);
    link.loses = () => true;
    link.send('a', TO_B);
    link.runTo(untilS * 1000);
    return { sent: link.log(), link };
  };
  const every = (seconds: number, count: number): string[] =>
    Array.from({ length: count }, (_, i) => `${i * seconds} a initiation`);

  test('linux: 20 initiations, then it gives up, and what waited is lost', () => {
    const { sent, link } = attempts(LINUX, 400);
    expect(sent).toEqual(every(5, 20));
    const gaveUp = { kind: 'handshake-gave-up', peer: link.b.id, initiations: 20, staged: 1 };
    expect(drops(link.a)).toEqual([gaveUp]);
    expect(link.a.status().staged).toBe(0);
    expect(link.a.device.nextDeadline()).toEqual({ atMs: 100_000 + 540_000, timer: 'zero-keys', peer: link.b.id });
    link.runTo(640_000);
    expect(events(link.a).at(-1)).toBe('keys-zeroed');
    expect(link.a.device.indices).toBe(0);
  });

  test('jitter is added to each: below 333 ms, from chance', () => {
    const jitter = [332, 0, 100].map(indexBytes);
    expect(attempts(LINUX, 16, { jitter }).sent).toEqual(
      ['0', '5.332', '10.332', '15.432'].map((seconds) => `${seconds} a initiation`),
    );
  });

  test('gotatun and boringtun give up after 90 s; a new packet begins again', () => {
    for (const policy of [GOTATUN, BORINGTUN]) {
      const { sent, link } = attempts(policy, 120);
      expect(sent).toEqual(every(5, 18));
      expect(drops(link.a)).toMatchObject([{ kind: 'handshake-gave-up', initiations: 18 }]);
      link.send('a', TO_B);
      expect(link.log(120_000)).toEqual(['120 a initiation']);
    }
  });

  test('linux: each new packet begins the count anew, so that it goes on for ever', () => {
    const link = linkOf();
    link.loses = () => true;
    for (let ms = 0; ms < 300_000; ms += 60_000) {
      link.runTo(ms);
      link.send('a', TO_B);
    }
    link.runTo(300_000);
    expect(link.log().length).toBe(61);
    expect(drops(link.a).filter(({ kind }) => kind === 'handshake-gave-up')).toEqual([]);
  });

  test('a response ends it', () => {
    const link = established();
    expect(link.a.status().timers['retransmit-handshake']).toBeUndefined();
  });
});

test('a response sent holds an own initiation back for 5 s', () => {
  const link = linkOf();
  link.loses = ({ message }) => message === 'data';
  link.send('a', TO_B);
  link.runTo(1000);
  const step = link.send('b', TO_A);
  expect(step.effects).toEqual([
    { kind: 'drop', drop: { kind: 'handshake-suppressed', peer: link.a.id, sinceMs: 990 } },
  ]);
  link.runTo(5010);
  link.send('b', TO_A);
  expect(link.log(1000)).toEqual(['5.01 b initiation']);
});

describe('11, zeroing', () => {
  test('540 s after the last session was derived everything secret is gone, but not the timestamp', () => {
    const link = established();
    link.runTo(540_000);
    expect(link.b.status().sessions).toHaveLength(1);
    expect(link.b.device.nextDeadline()).toEqual({ atMs: 540_010, timer: 'zero-keys', peer: link.a.id });
    link.runTo(540_100);
    for (const { device } of [link.a, link.b]) {
      expect(device.indices).toBe(0);
      expect(device.peers()[0]?.sessions).toEqual([]);
      expect(device.nextDeadline()).toBeUndefined();
    }
    const first = link.seen[0] ?? expect.fail();
    expect(link.b.datagram(first.bytes, link.a.address, 541_000).verdict).toMatchObject({
      drop: { kind: 'timestamp-replayed' },
    });
  });

  test('giving up does not put it off', () => {
    const link = established();
    link.runTo(200_000);
    link.loses = () => true;
    link.send('a', TO_B);
    link.runTo(301_000);
    expect(drops(link.a)).toMatchObject([{ kind: 'handshake-gave-up' }]);
    expect(link.a.status().timers).toEqual({ 'zero-keys': 540_020 });
  });

  test('each traffic key that was made is wiped', () => {
    let [made, wiped] = [0, 0];
    const aeadKey: typeof nodeCrypto.aeadKey = (bytes) => {
      const key = nodeCrypto.aeadKey(bytes);
      made++;
      return { ...key, sealInto: key.sealInto.bind(key), openInto: key.openInto.bind(key), wipe: () => void wiped++ };
    };
    const crypto = { ...nodeCrypto, aeadKey };
    const link = new Link(pair({ a: { crypto }, b: { crypto } }));
    for (let ms = 0; ms < 600_000; ms += 121_000) {
      link.runTo(ms);
      link.send('a', TO_B);
    }
    link.runTo(700_000);
    // Two sessions at each end are still held, of two keys each.
    expect([made, made - wiped]).toEqual([20, 8]);
    link.runTo(2_000_000);
    expect(made - wiped).toBe(0);
  });

  test('a new session puts it off', () => {
    const link = established();
    link.runTo(500_000);
    link.send('a', TO_B);
    link.runTo(500_100);
    expect(link.a.status().timers['zero-keys']).toBe(500_020 + 540_000);
  });
});
