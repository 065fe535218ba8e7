/** Two captures of one direction: what was lost between them, against a slow twin. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { KeySet } from '../../src/analyze/key-set.ts';
import { type HalfPair, halfPairs } from '../../src/analyze/session-pairs.ts';
import { buildWorld } from '../../src/analyze/world.ts';
import { nodeCrypto } from '../../src/crypto/node.ts';
import { Scene } from '../diagnose/scene.ts';

const CLIENT = '10.0.0.2:5000';
const SERVER = '198.51.100.10:51820';
const INDEX = 1001;

const pairOf = (...scenes: readonly Scene[]): HalfPair | undefined => {
  const world = buildWorld(
    scenes.map((scene) => scene.finish()),
    new KeySet(nodeCrypto),
    new Map(),
  );
  const pairs = world.tunnels.flatMap((tunnel) => halfPairs(tunnel, world));
  return pairs.find(({ sent }) => sent.half.index === INDEX);
};
const counters = (pair: HalfPair | undefined): number[] =>
  (pair?.lost ?? []).flatMap(({ low, high }) => Array.from({ length: high - low + 1 }, (_, i) => low + i));

test('only what left within the other capture’s time is compared', () => {
  const sender = new Scene('a', CLIENT).session(0, CLIENT, SERVER);
  const receiver = new Scene('b', SERVER).session(0, CLIENT, SERVER);
  for (let n = 1; n <= 30; n++) sender.data(n, CLIENT, SERVER, INDEX, n, { length: 128 + 16 * (n % 2) });
  for (let n = 1; n <= 10; n++) receiver.data(n, CLIENT, SERVER, INDEX, n, { length: 128 + 16 * (n % 2) });
  const pair = pairOf(receiver.nothing(20), sender);
  expect(pair?.sent.view.timeline.capture).toBe('a');
  expect(counters(pair)).toEqual([11, 12, 13, 14, 15, 16, 17, 18, 19]);
  expect(pair).toMatchObject({ lostCount: 9, exact: true });
});

test('what neither capture holds is not lost between them', () => {
  const [sender, receiver] = [new Scene('a', CLIENT), new Scene('b', SERVER)];
  for (const side of [sender, receiver]) {
    side.session(0, CLIENT, SERVER);
    for (let n = 1; n <= 20; n++) if (n % 5 !== 0) side.data(n, CLIENT, SERVER, INDEX, n);
  }
  expect(pairOf(sender, receiver)).toMatchObject({ lost: [], lostCount: 0 });
});

test('one capture has no pairs', () => {
  expect(pairOf(new Scene('a', CLIENT).session(0, CLIENT, SERVER))).toBeUndefined();
});

/** A packet: its length, whether the sender’s capture has it, whether it arrived. */
const packet = fc.record({ long: fc.boolean(), sent: fc.boolean(), arrived: fc.boolean() });

test('agrees with a set, packet by packet', () => {
  fc.assert(
    fc.property(fc.array(packet, { maxLength: 80 }), (packets) => {
      const [sender, receiver] = [new Scene('a', CLIENT), new Scene('b', SERVER)];
      for (const side of [sender, receiver]) side.session(0, CLIENT, SERVER);
      const last = packets.length + 1;
      packets.forEach(({ long, sent, arrived }, i) => {
        const length = long ? 1452 : 128;
        if (sent) sender.data(1 + i, CLIENT, SERVER, INDEX, 1 + i, { length });
        if (arrived) receiver.data(1 + i, CLIENT, SERVER, INDEX, 1 + i, { length });
      });
      for (const side of [sender, receiver]) side.data(1 + last, CLIENT, SERVER, INDEX, last).nothing(last + 20);
      const wanted = packets.flatMap(({ sent, arrived }, i) => (sent && !arrived ? [1 + i] : []));
      const pair = pairOf(sender, receiver);
      expect(counters(pair)).toEqual(wanted);
      expect(pair?.lostCount).toBe(wanted.length);
    }),
    { numRuns: 60 },
  );
});
