/** Where the other implementations part from the kernel, and where they do not. */
import { describe, expect, test } from 'vitest';
import { KeySet } from '../../src/analyze/key-set.ts';
import { buildWorld, type World } from '../../src/analyze/world.ts';
import { nodeCrypto } from '../../src/crypto/node.ts';
import { whatIf } from '../../src/diagnose/what-if.ts';
import { POLICIES, type PolicyName } from '../../src/wg/policy.ts';
import { answer, ask } from './handshakes.ts';
import { fittingFiles } from './keys.ts';
import { Scene } from './scene.ts';
import { capture, type Sent } from './traffic.ts';
import { worldOf } from './world.ts';

const CLIENT = '10.0.0.2:5000';
const SERVER = '203.0.113.10:51820';
const NAMES: readonly PolicyName[] = ['wireguard-go', 'boringtun', 'gotatun'];

const world = (...scenes: readonly Scene[]): World =>
  buildWorld(
    scenes.map((scene) => scene.finish()),
    new KeySet(nodeCrypto),
    new Map(),
  );

/** `kind ×count` under each policy. */
function parting(given: World): Partial<Record<PolicyName, readonly string[]>> {
  const rows = NAMES.map((name) => [name, whatIf(given, POLICIES[name]).map((o) => `${o.kind} ×${o.count}`)] as const);
  return Object.fromEntries(rows.filter(([, told]) => told.length > 0));
}

/** The answer to the first initiation comes this much later, and the second initiation at 5.2 s. */
const late = (answered: number): Scene =>
  new Scene('a', CLIENT)
    .initiation(0, CLIENT, SERVER, 1)
    .initiation(5.2, CLIENT, SERVER, 2)
    .response(answered, SERVER, CLIENT, 1001, 1);

const retries = (n: number): Scene => {
  const scene = new Scene('a', CLIENT);
  for (let i = 0; i < n; i++) scene.initiation(i * 5.2, CLIENT, SERVER, i + 1);
  return scene;
};

/** A packet that many counters behind the greatest. */
const behind = (n: number, name = 'a'): Scene =>
  new Scene(name, CLIENT)
    .session(0, CLIENT, SERVER)
    .data(1, CLIENT, SERVER, 1001, 20_000)
    .data(1.1, CLIENT, SERVER, 1001, 20_000 - n);

describe('they part', () => {
  test.each<[string, World, Partial<Record<PolicyName, readonly string[]>>]>([
    ['a response after a retry', world(late(6)), { boringtun: ['response-late ×1'], gotatun: ['response-late ×1'] }],
    [
      'retries past 90 s',
      world(retries(20)),
      { boringtun: ['handshake-gave-up ×2'], gotatun: ['handshake-gave-up ×2'] },
    ],
    ['2000 behind', world(behind(2000)), { boringtun: ['packet-too-old ×1'] }],
    ['2000 behind, captured twice', world(behind(2000), behind(2000, 'b')), { boringtun: ['packet-too-old ×1'] }],
    ['8150 behind: the kernel refuses it already', world(behind(8150)), { gotatun: ['packet-too-old ×1'] }],
  ])('%s', (_, given, wanted) => {
    expect(parting(given)).toEqual(wanted);
  });

  test('two initiations within 12 ms', async () => {
    const first = ask(1, 1);
    const packets: Sent[] = [first, answer(first, 0x101, { after: 0.001 }), ask(1.012, 2, { ahead: 0.05 })];
    const given = await worldOf({ confs: fittingFiles(), captures: { a: capture(packets) } });
    expect(parting(given)).toEqual({ boringtun: ['initiation-flood ×1'], gotatun: ['initiation-flood ×1'] });
    expect(whatIf(given, POLICIES.gotatun)[0]?.frames.map(({ frame }) => frame)).toEqual([3]);
  });
});

describe('they agree', () => {
  test.each<[string, World]>([
    ['a session', world(new Scene('a', CLIENT).session(0, CLIENT, SERVER))],
    ['a response in time', world(late(5.1))],
    ['a response after the one to the retry', world(late(7).response(6, SERVER, CLIENT, 1002, 2))],
    ['retries of half a minute', world(retries(7))],
    ['100 behind', world(behind(100))],
    ['9000 behind', world(behind(9000))],
  ])('%s', (_, given) => {
    expect(parting(given)).toEqual({});
  });
});

test('the kernel agrees with itself', () => {
  expect(whatIf(world(late(6), retries(20), behind(2000)), POLICIES.linux)).toEqual([]);
});
