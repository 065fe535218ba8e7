/** Why each handshake began: every occasion that the protocol knows, and the nearest ones that it does not. */
import { describe, expect, test } from 'vitest';
import { KeySet } from '../../src/analyze/key-set.ts';
import { buildWorld } from '../../src/analyze/world.ts';
import { nodeCrypto } from '../../src/crypto/node.ts';
import { auditOf, occasionWords } from '../../src/diagnose/timer-audit.ts';
import { diagnoseLab, LAB_CASES } from '../scenarios/lab.ts';
import { Scene } from './scene.ts';

const CLIENT = '10.0.0.2:5000';
const SERVER = '198.51.100.10:51820';

function audited(scene: Scene) {
  const world = buildWorld([scene.finish()], new KeySet(nodeCrypto), new Map());
  return world.tunnels.flatMap(auditOf);
}

const occasions = (scene: Scene): string[] => audited(scene).map(({ occasion }) => occasion);
const words = (scene: Scene): (string | undefined)[] => audited(scene).map(occasionWords);
const begun = (): Scene => new Scene('a', CLIENT).session(0, CLIENT, SERVER);

/** Data each way, once a second. */
function talk(scene: Scene, from: number, to: number, counter = 1): Scene {
  for (let s = from; s < to; s++) {
    scene.data(s, CLIENT, SERVER, 1001, counter + s - from).data(s + 0.01, SERVER, CLIENT, 1, counter + s - from);
  }
  return scene;
}

/** The server sends, the client says every ten seconds that it has it. */
function stream(scene: Scene, from: number, to: number): Scene {
  for (let s = from; s < to; s++) {
    scene.data(s, SERVER, CLIENT, 1, 1 + s - from);
    if (s % 10 === 9) scene.keepalive(s + 0.5, CLIENT, SERVER, 1001, s);
  }
  return scene;
}

const again = (scene: Scene, at: number): Scene => scene.session(at, CLIENT, SERVER, 2);

describe('every occasion', () => {
  test.each<[string, Scene, (string | undefined)[]]>([
    ['the first', begun(), [undefined]],
    [
      'retries',
      new Scene('a', CLIENT)
        .initiation(0, CLIENT, SERVER, 1)
        .initiation(5.1, CLIENT, SERVER, 2)
        .initiation(10.4, CLIENT, SERVER, 3),
      [undefined, 'retry 2 of 20, after 5.1 s', 'retry 3 of 20, after 5.3 s'],
    ],
    [
      'its initiator sends after two minutes',
      again(talk(begun(), 1, 121), 121.001),
      [undefined, 'rekey on send, 121.0 s after the handshake before (due from 120 s)'],
    ],
    [
      'its initiator receives shortly before the end',
      again(stream(begun(), 1, 166), 165.001),
      [undefined, 'rekey on receive, 165.0 s after the handshake before (due from 165 s)'],
    ],
    [
      'data that nothing came for',
      again(talk(begun(), 1, 20).data(25, CLIENT, SERVER, 1001, 30), 40.2),
      [undefined, 'nothing came for data sent 15.2 s before (due after 15 s)'],
    ],
    [
      'the session was over',
      again(talk(begun(), 1, 20), 400),
      [undefined, 'the session before was over: 400.0 s old (ends at 180 s)'],
    ],
    [
      'long before any timer',
      again(talk(begun(), 1, 37), 37),
      [undefined, '37.0 s after the one before, and no timer asks for it: perhaps a restart'],
    ],
    [
      'both at once',
      new Scene('a', CLIENT)
        .initiation(0, CLIENT, SERVER, 1)
        .initiation(0.01, SERVER, CLIENT, 2)
        .response(0.02, SERVER, CLIENT, 1001, 1)
        .response(0.021, CLIENT, SERVER, 1002, 2)
        .nothing(9),
      ['crosses the other end’s own initiation', 'crosses the other end’s own initiation'],
    ],
    [
      'after a pause without any session',
      new Scene('a', CLIENT).initiation(0, CLIENT, SERVER, 1).initiation(60, CLIENT, SERVER, 2),
      [undefined, 'tried anew: no session before it'],
    ],
    [
      'the handshake before was not captured',
      again(new Scene('a', CLIENT).data(0, CLIENT, SERVER, 77, 5).data(0.1, SERVER, CLIENT, 78, 5), 60),
      [undefined],
    ],
    ['without times', new Scene('a', CLIENT, false).session(0, CLIENT, SERVER), [undefined]],
  ])('%s', (_, scene, wanted) => {
    expect(words(scene)).toEqual(wanted);
  });

  test.each<[string, Scene, string[]]>([
    [
      'the other end begins: it waits until the session is over',
      talk(begun(), 1, 125).session(125, SERVER, CLIENT, 2),
      ['first', 'early'],
    ],
    ['it may, then', talk(begun(), 1, 181).session(181, SERVER, CLIENT, 2), ['first', 'expired']],
    [
      'at 165 s by sending',
      again(talk(begun(), 1, 165).data(166, CLIENT, SERVER, 1001, 900), 166.001),
      ['first', 'rekey-on-send'],
    ],
    ['silence of twelve seconds is no reason', again(begun().data(5, CLIENT, SERVER, 1001, 1), 17), ['first', 'early']],
    ['unknown is not first', again(new Scene('a', CLIENT).data(0, CLIENT, SERVER, 77, 5), 60), ['unknown']],
    [
      'a retry too soon for the timer',
      new Scene('a', CLIENT).initiation(0, CLIENT, SERVER, 1).initiation(2, CLIENT, SERVER, 2),
      ['first', 'early'],
    ],
  ])('%s', (_, scene, wanted) => {
    expect(occasions(scene)).toEqual(wanted);
  });
});

test.each([
  ['lab/rekey-after-120 both', ['first confirmed', 'rekey-on-send confirmed']],
  ['lab/first-initiation-lost both', ['first unanswered', 'retry confirmed']],
  ['lab-more/give-up client', ['first unanswered', ...Array.from({ length: 19 }, () => 'retry unanswered')]],
  ['lab-more/idle-then-resume client', ['first confirmed', 'expired confirmed']],
  ['lab-more/server-restart-slow client', ['first confirmed', 'silence confirmed']],
])('of the lab: %s', async (id, wanted) => {
  const one = LAB_CASES.find((each) => each.id === id);
  if (one === undefined) throw new Error(`no case ${id}`);
  const { handshakes = [] } = await diagnoseLab(one, { crypto: nodeCrypto });
  expect(handshakes.map(({ occasion, outcome }) => `${occasion} ${outcome}`)).toEqual(wanted);
});
