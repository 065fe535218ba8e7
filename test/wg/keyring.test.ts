/** How sessions follow each other: the kernel's rotation as a table (noise.c, add_new_keypair and received_with_keypair). */
import { expect, test } from 'vitest';
import { toHex } from '../../src/base/bytes.ts';
import { nodeCrypto } from '../../src/crypto/node.ts';
import { Keyring } from '../../src/wg/keyring.ts';
import { LINUX } from '../../src/wg/policy.ts';
import { type Role, Session } from '../../src/wg/session.ts';

type Action = readonly ['add', Role, string] | readonly ['confirm', string];

const I = (name: string): Action => ['add', 'initiator', name];
const R = (name: string): Action => ['add', 'responder', name];
const data = (name: string): Action => ['confirm', name];

function session(role: Role): Session {
  const keys = { initiatorToResponder: new Uint8Array(32), responderToInitiator: new Uint8Array(32) };
  return new Session(nodeCrypto, LINUX, { role, localIndex: 1, remoteIndex: 2, keys, nowMs: 0 });
}

test.each<readonly [string, readonly Action[], string, string]>([
  ['an initiator’s first is used at once', [I('a')], '- a -', ''],
  ['its second moves the first back', [I('a'), I('b')], 'a b -', ''],
  ['its third pushes the first out', [I('a'), I('b'), I('c')], 'b c -', 'a'],
  ['a responder’s first waits', [R('a')], '- - a', ''],
  ['and is current with the first data', [R('a'), data('a')], '- a -', ''],
  ['a responder’s second replaces one that was never confirmed', [R('a'), R('b')], '- - b', 'a'],
  ['data under the current one confirms nothing', [R('a'), data('a'), R('b'), data('a')], '- a b', ''],
  ['confirming moves the current one back', [R('a'), data('a'), R('b'), data('b')], 'a b -', ''],
  ['a new one that waits costs the previous one', [R('a'), data('a'), R('b'), data('b'), R('c')], '- b c', 'a'],
  ['confirming pushes the previous one out', [I('a'), R('b'), data('b'), I('c')], 'b c -', 'a'],
  ['an own session puts one that waits into previous, and drops current', [I('a'), R('b'), I('c')], 'b c -', 'a'],
  ['the same, with a previous one', [I('a'), I('b'), R('c'), I('d')], 'c d -', 'a,b'],
  ['what was put back may still receive, but is not confirmed', [I('a'), R('b'), I('c'), data('b')], 'b c -', 'a'],
])('%s', (_, actions, slots, fallen) => {
  const ring = new Keyring();
  const names = new Map<Session, string>();
  const out: string[] = [];
  const byName = (name: string): Session => [...names].find(([, known]) => known === name)?.[0] ?? expect.fail(name);
  for (const action of actions) {
    let gone: readonly Session[] | undefined;
    if (action[0] === 'add') {
      const added = session(action[1]);
      names.set(added, action[2]);
      gone = ring.add(added);
    } else gone = ring.confirm(byName(action[1]));
    out.push(...(gone ?? []).map((one) => names.get(one) ?? '?'));
  }
  const nameOf = (one: Session | undefined): string => (one === undefined ? '-' : (names.get(one) ?? '?'));
  expect([ring.previous, ring.current, ring.next].map(nameOf).join(' ')).toBe(slots);
  expect(out.sort().join()).toBe(fallen);
  const held = ring.sessions().length;
  expect(ring.clear()).toHaveLength(held);
  expect(ring.sessions()).toEqual([]);
});

test('a session: counters, ages, and keys that are gone after wiping', () => {
  const [keyA, keyB] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];
  const make = (role: Role, localIndex: number, remoteIndex: number) =>
    new Session(nodeCrypto, LINUX, {
      role,
      localIndex,
      remoteIndex,
      keys: { initiatorToResponder: keyA.slice(), responderToInitiator: keyB.slice() },
      nowMs: 1000,
    });
  const [a, b] = [make('initiator', 10, 20), make('responder', 20, 10)];
  const room = new Uint8Array(64);
  expect(a.seal(room, 32)).toBe(64);
  expect(a.counter).toEqual({ low: 1, high: 0 });
  expect(b.open(room, new Uint8Array(32))).toBe(true);
  expect(a.open(room, new Uint8Array(32))).toBe(false);
  expect([a.canSend(180_999), a.canSend(181_000), a.expired(181_000)]).toEqual([true, false, true]);
  a.stopSending();
  expect(a.canSend(1000)).toBe(false);
  b.wipe();
  expect(() => b.open(room, new Uint8Array(32))).toThrow();
});

test('the caller’s copies of the keys are wiped', () => {
  const keys = { initiatorToResponder: new Uint8Array(32).fill(1), responderToInitiator: new Uint8Array(32).fill(2) };
  new Session(nodeCrypto, LINUX, { role: 'initiator', localIndex: 1, remoteIndex: 2, keys, nowMs: 0 });
  expect(keys.initiatorToResponder).toEqual(new Uint8Array(32));
  expect(keys.responderToInitiator).toEqual(new Uint8Array(32));
});

test('the counter carries over into its upper half, and both go on the wire', () => {
  const keys = () => ({ initiatorToResponder: new Uint8Array(32), responderToInitiator: new Uint8Array(32) });
  const ends = { localIndex: 1, remoteIndex: 2, nowMs: 0 };
  const counter = { low: 0xffff_ffff, high: 6 };
  const from = new Session(nodeCrypto, LINUX, { ...ends, role: 'initiator', keys: keys(), counter });
  const to = new Session(nodeCrypto, LINUX, { ...ends, role: 'responder', keys: keys() });
  const room = new Uint8Array(32);
  const sealed = [0, 1].map(() => {
    from.seal(room, 0);
    expect(to.open(room, new Uint8Array())).toBe(true);
    return toHex(room.subarray(8, 16));
  });
  expect(sealed).toEqual(['ffffffff06000000', '0000000007000000']);
  expect(from.counter).toEqual({ low: 1, high: 7 });
});
