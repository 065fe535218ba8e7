/** Back-off of one large message: what counts as a stall, whatever comes in between. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { evidentStalls } from '../../src/analyze/stall.ts';
import { Scene } from '../diagnose/scene.ts';

const CLIENT = '10.0.0.2:5000';
const SERVER = '198.51.100.10:51820';

const stallsOf = (scene: Scene): number[] => {
  const half = scene.finish().sessions[0]?.toResponder;
  return half === undefined ? [] : evidentStalls(half).map(({ sent }) => sent.length);
};

test('a burst counts as one sending, and a stall that another large message ends is kept', () => {
  const scene = new Scene('a', CLIENT).session(0, CLIENT, SERVER);
  let sent = 1;
  for (const at of [1, 1.001, 1.002, 1.202, 1.602, 2.402, 4.002]) {
    scene.data(at, CLIENT, SERVER, 1001, sent++, { length: 1452 });
    if (at > 1.1) {
      scene.data(at + 0.05, CLIENT, SERVER, 1001, sent++).data(at + 0.06, SERVER, CLIENT, 1, sent);
    }
  }
  scene.data(9, CLIENT, SERVER, 1001, sent++, { length: 1300 });
  expect(stallsOf(scene)).toEqual([5]);
});

test('traffic whose large messages are all answered never stalls', () => {
  const step = fc.record({ gapMs: fc.integer({ min: 1, max: 4000 }), large: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const scene = new Scene('a', CLIENT).session(0, CLIENT, SERVER);
      let at = 1;
      steps.forEach(({ gapMs, large }, i) => {
        at += gapMs / 1000;
        scene.data(at, CLIENT, SERVER, 1001, 1 + i, { length: large ? 1452 : 128 });
        scene.data(at + 0.0005, SERVER, CLIENT, 1, 1 + i);
      });
      expect(stallsOf(scene)).toEqual([]);
    }),
  );
});
