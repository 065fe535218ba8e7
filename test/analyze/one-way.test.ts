/** Data that is taken and never answered: what counts as taken, what ends it, and which repetition looks like a question. */
import { describe, expect, test } from 'vitest';
import { Scene } from '../diagnose/scene.ts';

const CLIENT = '10.0.0.2:5000';
const SERVER = '198.51.100.10:51820';

/** Data of the client at these times; the server says that it has them ten seconds after the first it did not answer. */
function taken(times: readonly number[], lengths: readonly number[] = [128]): Scene {
  const scene = new Scene('a', CLIENT).session(0, CLIENT, SERVER).keepalive(0.5, SERVER, CLIENT, 1, 1);
  let [owed, sent, said] = [Number.POSITIVE_INFINITY, 1, 2];
  for (const [i, at] of [...times, Number.POSITIVE_INFINITY].entries()) {
    if (at > owed + 10) {
      scene.keepalive(owed + 10.01, SERVER, CLIENT, 1, said++);
      owed = Number.POSITIVE_INFINITY;
    }
    if (at === Number.POSITIVE_INFINITY) break;
    scene.data(at, CLIENT, SERVER, 1001, sent++, { length: lengths[i % lengths.length] ?? 128 });
    owed = Math.min(owed, at);
  }
  return scene;
}

const every = (seconds: number, count: number): number[] => Array.from({ length: count }, (_, i) => 2 + i * seconds);
const only = (scene: Scene) => {
  const found = scene.finish().oneWays;
  expect(found.length).toBeLessThan(2);
  return found[0];
};

describe('repetition', () => {
  test.each<[string, readonly number[], readonly number[], number]>([
    ['one a second', every(1, 24), [128], 24],
    ['with the jitter of a timer', every(1, 12).map((at, i) => at + (i % 2) * 0.02), [128], 12],
    ['TCP that asks again', [2, 3, 5, 9, 17, 33], [96], 6],
    ['of changing size', every(1, 24), [128, 144], 1],
    ['a burst', every(0.05, 240), [128], 1],
    ['now and then', [2, 3.7, 4.1, 8.4, 9, 13.9, 14.3], [128], 2],
  ])('%s', (_, times, lengths, asking) => {
    expect(only(taken(times, lengths))).toMatchObject({ senderName: CLIENT, packets: times.length, asking });
  });
});

test('both how often it was taken and what was answered before are counted', () => {
  expect(only(taken(every(1, 24)))).toMatchObject({ answersBefore: 1, end: undefined, askingLength: 128 });
  expect(only(taken(every(1, 24)))?.taken.map(({ frame }) => frame)).toEqual([17, 29, 32]);
});

describe('none', () => {
  const answered = new Scene('a', CLIENT).session(0, CLIENT, SERVER);
  for (let s = 1; s < 30; s++) answered.data(s, CLIENT, SERVER, 1001, s).data(s + 0.1, SERVER, CLIENT, 1, s);
  const silent = new Scene('a', CLIENT).session(0, CLIENT, SERVER);
  for (let s = 1; s < 30; s++) silent.data(s, CLIENT, SERVER, 1001, s);
  const persistent = new Scene('a', CLIENT).session(0, CLIENT, SERVER).keepalive(0.5, SERVER, CLIENT, 1, 1);
  for (let s = 1; s < 30; s++) persistent.data(s, CLIENT, SERVER, 1001, s);
  persistent.keepalive(25.5, SERVER, CLIENT, 1, 2);

  test.each([
    ['each answered', answered],
    ['nothing shows that it arrives', silent],
    ['a keepalive that comes of itself', persistent],
    ['two are too few', taken([2, 3])],
    ['keepalives are no data', new Scene('a', CLIENT).session(0, CLIENT, SERVER).keepalive(10, SERVER, CLIENT, 1, 1)],
  ])('%s', (_, scene) => {
    expect(scene.finish().oneWays).toEqual([]);
  });
});

test('data of the other end ends it', () => {
  const scene = taken(every(1, 24)).data(40, SERVER, CLIENT, 1, 90);
  expect(only(scene)).toMatchObject({ packets: 24, end: { time: { sec: 1_700_000_040 } } });
});
