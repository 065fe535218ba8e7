/** Changes to a running device. */
import { describe, expect, test } from 'vitest';
import { fromHex, toHex } from '../../src/base/bytes.ts';
import { presharedKey, privateKey, ZERO_PSK } from '../../src/base/keys.ts';
import { nodeCrypto } from '../../src/crypto/node.ts';
import { LINUX } from '../../src/wg/policy.ts';
import {
  ADDRESS_A,
  drops,
  INNER_A,
  INNER_B,
  ipv4,
  Link,
  net,
  onlySend,
  outcome,
  type PairOptions,
  Party,
  pair,
  SECRET_A,
  SECRET_B,
  sends,
} from './harness.ts';

const TO_B = ipv4(INNER_A, INNER_B);
const TO_A = ipv4(INNER_B, INNER_A);
const PSK = presharedKey(new Uint8Array(32).fill(0x51));

const linkOf = (options: PairOptions = {}): Link => new Link(pair(options));

function established(options: PairOptions = {}): Link {
  const link = linkOf(options);
  link.send('a', TO_B);
  link.runTo(40);
  expect(link.got).toEqual([{ ms: 30, who: 'b', bytes: TO_B }]);
  return link;
}

describe('configuration', () => {
  test('removing a peer forgets its timestamp: the usual cure for a clock that went back', () => {
    const link = established();
    const first = link.seen[0] ?? expect.fail();
    expect(outcome(link.b.datagram(first.bytes, link.a.address, 1000))).toBe('timestamp-replayed');
    link.b.handle({ kind: 'configure', change: 'remove-peer', publicKey: link.a.publicKey }, 1000);
    expect([link.b.device.peers(), link.b.device.indices, link.b.device.nextDeadline()]).toEqual([[], 0, undefined]);
    expect(outcome(link.b.datagram(first.bytes, link.a.address, 1000))).toBe('unknown-peer');
    link.b.peer({ publicKey: link.a.publicKey }, 1000);
    expect(outcome(link.b.datagram(first.bytes, link.a.address, 1000))).toBe('initiation');
  });

  test('a new private key: sessions go on receiving, sending needs a new one', () => {
    const link = established();
    const secret = privateKey(new Uint8Array(32).fill(0x40));
    link.b.handle({ kind: 'configure', change: 'private-key', privateKey: secret }, 50);
    link.send('a', TO_B);
    link.runTo(70);
    expect(link.outcomes.at(-1)).toBe('data');
    expect(onlySend(link.b.packet(TO_A, 80)).message).toBe('initiation');
  });

  test('a new private key makes new handshakes with it, and forgets those under way', () => {
    const { a, b } = pair();
    const secret = privateKey(new Uint8Array(32).fill(0x40));
    const publicKey = nodeCrypto.publicKey(secret);
    const old = onlySend(a.packet(TO_B, 0));
    const answer = onlySend(b.datagram(old.bytes, a.address, 1));
    const changed = a.handle({ kind: 'configure', change: 'private-key', privateKey: secret }, 2);
    b.peer({ publicKey, allowedIps: [net('10.0.0.1/32')] });
    expect(a.datagram(answer.bytes, b.address, 3).verdict.kind).toBe('refused');
    expect(a.device.indices).toBe(1);
    // The packet that still waited asks for a session at once.
    const response = onlySend(b.datagram(onlySend(changed).bytes, a.address, 4));
    const [data] = sends(a.datagram(response.bytes, b.address, 5));
    expect(outcome(b.datagram(data?.bytes ?? expect.fail(), a.address, 6))).toBe('data');
  });

  test('AllowedIPs: the last writer has a prefix, replacing drops the rest', () => {
    const { a, b } = pair();
    const third = nodeCrypto.publicKey(privateKey(new Uint8Array(32).fill(0x48)));
    a.peer({ publicKey: third, allowedIps: [net('10.0.0.2/32'), net('10.9.0.0/16')] });
    expect(a.device.peers().map(({ allowedIps }) => allowedIps.length)).toEqual([0, 2]);
    a.peer({ publicKey: b.publicKey, allowedIps: [net('10.0.0.0/8')], replaceAllowedIps: true });
    expect(a.packet(ipv4(INNER_A, '10.7.0.1'), 0).verdict).toMatchObject({ peer: b.id });
    expect(outcome(a.packet(ipv4(INNER_A, '10.9.0.1'), 0))).toBe('no-endpoint');
  });

  test('a persistent keepalive begins when it is set, and ends when it is 0', () => {
    const { a, b, first } = pair({ keepaliveA: 25 });
    expect(onlySend(first).message).toBe('initiation');
    expect(a.status().timers['persistent-keepalive']).toBe(25_000);
    a.peer({ publicKey: b.publicKey, persistentKeepalive: 0 });
    expect(a.status().timers['persistent-keepalive']).toBeUndefined();
  });

  test('padding ends at the MTU', () => {
    const link = established();
    const big = ipv4(INNER_A, INNER_B, 1395);
    expect(onlySend(link.send('a', big)).bytes.length).toBe(1408 + 32);
    link.a.handle({ kind: 'configure', change: 'mtu', mtu: 1400 }, 50);
    expect(onlySend(link.send('a', big)).bytes.length).toBe(1400 + 32);
  });

  test('a device tells its policy and its public key, never a private one', () => {
    const { a } = pair({ pskA: PSK });
    expect([a.device.policy, a.device.publicKey]).toEqual([LINUX, a.publicKey]);
    const told = JSON.stringify([a.device, a.device.peers(), a.effects], (_, value: unknown) =>
      value instanceof Uint8Array ? toHex(value) : value,
    );
    expect(told).toContain(toHex(a.status().publicKey));
    for (const secret of [SECRET_A, PSK]) expect(told).not.toContain(toHex(secret));
    a.handle({ kind: 'configure', change: 'private-key', privateKey: undefined }, 0);
    expect(a.device.publicKey).toBeUndefined();
  });

  test('its secrets are told when they are asked for, as copies, and the private key clamped', () => {
    const { a, b } = pair({ pskA: PSK });
    const { privateKey: secret, presharedKeys } = a.device.secrets();
    expect([secret, [...presharedKeys]]).toEqual([SECRET_A, [[b.id, PSK]]]);
    secret?.fill(0);
    for (const psk of presharedKeys.values()) psk.fill(0);
    expect(a.device.secrets()).toEqual({ privateKey: SECRET_A, presharedKeys: new Map([[b.id, PSK]]) });

    const unclamped = privateKey(new Uint8Array(32).fill(0xff));
    a.handle({ kind: 'configure', change: 'private-key', privateKey: unclamped }, 0);
    a.peer({ publicKey: b.publicKey, presharedKey: ZERO_PSK });
    const kept = privateKey(fromHex(`f8${'ff'.repeat(30)}7f`));
    expect(a.device.secrets()).toEqual({ privateKey: kept, presharedKeys: new Map() });
    expect(a.device.publicKey).toEqual(nodeCrypto.publicKey(kept));
    // The same key in either form is no change: the handshake under way is not begun again.
    expect(onlySend(a.packet(TO_B, 1)).message).toBe('initiation');
    expect(a.handle({ kind: 'configure', change: 'private-key', privateKey: unclamped }, 2).effects).toEqual([]);
    a.handle({ kind: 'configure', change: 'private-key', privateKey: undefined }, 3);
    expect(a.device.secrets().privateKey).toBeUndefined();
  });

  test('AllowedIPs are taken away before others are added, and only what is the peer’s own', () => {
    const { a, b } = pair();
    const third = nodeCrypto.publicKey(privateKey(new Uint8Array(32).fill(0x48)));
    a.peer({ publicKey: third, allowedIps: [net('10.9.0.0/16')] });
    a.peer({ publicKey: b.publicKey, removeAllowedIps: [net('10.0.0.2/32'), net('10.9.0.0/16'), net('0.0.0.0/0')] });
    expect(outcome(a.packet(TO_B, 0))).toBe('no-allowed-ip');
    expect(outcome(a.packet(ipv4(INNER_A, '10.9.0.1'), 0))).toBe('no-endpoint');
    a.peer({ publicKey: b.publicKey, allowedIps: [net('10.0.0.2/32')], removeAllowedIps: [net('10.0.0.2/32')] });
    expect(outcome(a.packet(TO_B, 0))).toBe('packet');
  });

  test('what waited for an endpoint or a private key goes when it comes', () => {
    const a = new Party({ secret: SECRET_A, address: ADDRESS_A });
    const publicKey = nodeCrypto.publicKey(SECRET_B);
    expect(drops(a.peer({ publicKey, persistentKeepalive: 5 })).map(({ kind }) => kind)).toContain('no-endpoint');
    expect(onlySend(a.peer({ publicKey, endpoint: ADDRESS_A })).message).toBe('initiation');
  });
});
