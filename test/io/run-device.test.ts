/** The driver on a virtual clock: ticks when they are due and no others, handshakes in a queue that shows load, a quiet end. */
import { expect, test } from 'vitest';
import type { Bytes } from '../../src/base/bytes.ts';
import { privateKey } from '../../src/base/keys.ts';
import { nodeCrypto } from '../../src/crypto/node.ts';
import { DeviceDriver, type DeviceHooks, type SendEffect } from '../../src/io/run-device.ts';
import { Device } from '../../src/wg/device.ts';
import type { Drop } from '../../src/wg/drop.ts';
import { LINUX, type Policy } from '../../src/wg/policy.ts';
import { at, chance, ipv4, net } from '../wg/harness.ts';
import { VirtualClock } from './virtual.ts';

const ONE = privateKey(new Uint8Array(32).fill(1));
const TWO = privateKey(new Uint8Array(32).fill(2));
const THERE = at('192.0.2.2:51820');

interface Side {
  readonly driver: DeviceDriver;
  readonly sent: SendEffect[];
  readonly drops: Drop[];
  readonly packets: Bytes[];
  readonly clock: VirtualClock;
}

function side(secret: typeof ONE, peer: typeof ONE, clock: VirtualClock, policy: Policy = LINUX): Side {
  const sent: SendEffect[] = [];
  const drops: Drop[] = [];
  const packets: Bytes[] = [];
  const hooks: DeviceHooks = {
    send: (message) => sent.push(message),
    onDrop: (drop) => drops.push(drop),
    onPacket: (packet) => packets.push(packet),
  };
  const driver = new DeviceDriver(new Device({ crypto: nodeCrypto, random: chance(9), policy }), clock, hooks);
  driver.configure({ change: 'private-key', privateKey: secret });
  const publicKey = nodeCrypto.publicKey(peer);
  driver.configure({ change: 'peer', publicKey, endpoint: THERE, allowedIps: [net('10.0.0.0/8')] });
  return { driver, sent, drops, packets, clock };
}

const messages = ({ sent }: Side): string[] => sent.map(({ message }) => message);

test('retries by themselves until it gives up, and then nothing is waited for but the end of the keys', () => {
  const one = side(ONE, TWO, new VirtualClock());
  expect(one.driver.packet(ipv4('10.0.0.1', '10.0.0.2'))).toMatchObject({ kind: 'accepted' });
  one.clock.pass(110_000);
  expect(messages(one)).toEqual(Array.from({ length: 20 }, () => 'initiation'));
  expect(one.drops).toMatchObject([{ kind: 'handshake-gave-up', initiations: 20, staged: 1 }]);
  expect(one.driver.device.nextDeadline()?.timer).toBe('zero-keys');
});

test('a packet goes across, and the answer to it', () => {
  const clock = new VirtualClock();
  const one = side(ONE, TWO, clock);
  const two = side(TWO, ONE, clock);
  const carry = (from: Side, to: Side): void => {
    for (const { bytes } of from.sent.splice(0)) to.driver.datagram(new Uint8Array(bytes), THERE);
    clock.pass(0);
  };
  one.driver.packet(ipv4('10.0.0.1', '10.0.0.2'));
  carry(one, two);
  carry(two, one);
  carry(one, two);
  expect(two.packets.map(({ length }) => length)).toEqual([60]);
  // Nothing is said for ten seconds, and then a keepalive, once.
  clock.pass(30_000);
  expect(messages(two)).toEqual(['keepalive']);
});

test('a flood of handshakes waits its turn, is seen as load, and is bounded', () => {
  const clock = new VirtualClock();
  const loaded: Policy = { ...LINUX, handshakeQueue: 4096, load: { kind: 'queue', depth: 8, holdMs: 1000 } };
  const two = side(TWO, ONE, clock, loaded);
  const one = side(ONE, TWO, clock);
  one.driver.packet(ipv4('10.0.0.1', '10.0.0.2'));
  const [initiation] = one.sent;
  if (initiation === undefined) return expect.fail('no initiation');
  const junk = new Uint8Array(148);
  junk[0] = 1;
  for (let i = 0; i < 20; i++) two.driver.datagram(new Uint8Array(junk), THERE);
  two.driver.datagram(new Uint8Array(initiation.bytes), THERE);
  expect(two.drops).toEqual([]);
  clock.pass(0);
  expect(two.drops.map(({ kind }) => kind)).toEqual([...Array<string>(20).fill('mac1-invalid'), 'cookie-demanded']);
  expect(messages(two)).toEqual(['cookie-reply']);

  for (let i = 0; i < 4096; i++) two.driver.datagram(junk, THERE);
  two.drops.length = 0;
  two.driver.datagram(junk, THERE);
  expect(two.drops).toEqual([{ kind: 'handshake-queue-full', depth: 4096, limit: 4096 }]);
});

test('what a socket says goes in, and comes back as a drop', () => {
  const one = side(ONE, TWO, new VirtualClock());
  one.driver.socketError(undefined, THERE, 'ENETUNREACH');
  expect(one.drops).toEqual([{ kind: 'socket-error', peer: undefined, to: THERE.text, error: 'ENETUNREACH' }]);
  expect(one.driver.device.drops().get('socket-error')).toBe(1);
});

test('closed, it is silent and holds no key', () => {
  const one = side(ONE, TWO, new VirtualClock());
  one.driver.packet(ipv4('10.0.0.1', '10.0.0.2'));
  one.driver.datagram(new Uint8Array(148).fill(1), THERE);
  one.driver.close();
  one.driver.close();
  one.sent.length = 0;
  one.driver.datagram(new Uint8Array(148), THERE);
  one.driver.socketError(undefined, THERE, 'EPERM');
  one.clock.pass(600_000);
  expect([one.sent, one.drops]).toEqual([[], []]);
  expect(one.driver.device.publicKey).toBeUndefined();
  expect(one.driver.device.peers()).toEqual([]);
  expect(() => one.driver.packet(ipv4('10.0.0.1', '10.0.0.2'))).toThrow(TypeError);
});
