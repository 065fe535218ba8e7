/** Whatever is put into devices, in whatever order: nothing throws, nothing grows, and the next deadline is the least. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { privateKey } from '../../src/base/keys.ts';
import { nodeCrypto } from '../../src/crypto/node.ts';
import { POLICIES, type PolicyName } from '../../src/wg/policy.ts';
import type { Step } from '../../src/wg/step.ts';
import { at, INNER_A, INNER_B, ipv4, net, type Party, pair, SECRET_A, sends } from './harness.ts';

const THIRD = nodeCrypto.publicKey(privateKey(new Uint8Array(32).fill(0x58)));
const names = Object.keys(POLICIES) as PolicyName[];

const who = fc.boolean();
const action = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('packet' as const), a: who, foreign: fc.boolean() }) },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('deliver' as const),
      toA: who,
      /** Counted from the last that was sent. */
      which: fc.nat(6),
      flip: fc.option(fc.nat(160), { freq: 4 }),
      depth: fc.constantFrom(0, 0, 0, 130, 600, 5000),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('noise' as const), a: who, bytes: fc.uint8Array({ maxLength: 200 }) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('wait' as const),
      ms: fc.constantFrom(1, 25, 5000, 15_000, 121_000, 541_000),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('configure' as const),
      a: who,
      what: fc.constantFrom('keepalive', 'third', 'no-third', 'key', 'no-key', 'psk', 'socket'),
    }),
  },
);

function configure(party: Party, what: string, ms: number): Step {
  const remote = party.status().publicKey;
  const change = (rest: object) => party.peer({ publicKey: remote, ...rest }, ms);
  switch (what) {
    case 'keepalive':
      return change({ persistentKeepalive: 7 });
    case 'third':
      return party.peer(
        { publicKey: THIRD, endpoint: at('192.0.2.99:9'), allowedIps: [net('10.0.0.0/8')], persistentKeepalive: 3 },
        ms,
      );
    case 'no-third':
      return party.handle({ kind: 'configure', change: 'remove-peer', publicKey: THIRD }, ms);
    case 'key':
      return party.handle({ kind: 'configure', change: 'private-key', privateKey: privateKey(SECRET_A.slice()) }, ms);
    case 'no-key':
      return party.handle({ kind: 'configure', change: 'private-key', privateKey: undefined }, ms);
    case 'psk':
      return change({ presharedKey: new Uint8Array(32).fill(3) });
    default:
      return party.handle({ kind: 'socket-error', peer: party.id, to: party.address, error: 'EPERM' }, ms);
  }
}

function check({ device }: Party): void {
  const peers = device.peers();
  const timers = peers.flatMap((peer) => Object.values(peer.timers));
  expect({
    next: device.nextDeadline()?.atMs ?? Number.POSITIVE_INFINITY,
    tooManyIndices: device.indices > 5 * peers.length,
    tooMuch: peers.filter(({ staged, sessions }) => staged > device.policy.staged.limit || sessions.length > 3),
  }).toEqual({ next: Math.min(...timers), tooManyIndices: false, tooMuch: [] });
}

test.each(names)('%s', (name) => {
  const policy = POLICIES[name];
  fc.assert(
    fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
      const { a, b } = pair({ bKnowsA: true, a: { policy }, b: { policy } });
      const flying: Uint8Array[] = [];
      let ms = 0;
      for (const act of actions) {
        const steps: Step[] = [];
        if (act.do === 'wait') {
          ms += act.ms;
          steps.push(a.tick(ms), b.tick(ms));
          // A tick leaves nothing behind that was due.
          for (const { device } of [a, b]) expect(device.nextDeadline()?.atMs ?? Infinity).toBeGreaterThan(ms);
        } else if (act.do === 'packet') {
          const [party, from, to] = act.a ? ([a, INNER_A, INNER_B] as const) : ([b, INNER_B, INNER_A] as const);
          steps.push(party.packet(ipv4(act.foreign ? '172.16.0.1' : from, to), ms));
        } else if (act.do === 'noise') {
          steps.push((act.a ? a : b).datagram(act.bytes, at('203.0.113.1:1'), ms));
        } else if (act.do === 'configure') {
          if ((act.a ? a : b).device.peers().length > 0) steps.push(configure(act.a ? a : b, act.what, ms));
        } else {
          const bytes = flying.at(-1 - act.which)?.slice();
          if (bytes === undefined) continue;
          if (act.flip !== null) bytes[act.flip % bytes.length] = (bytes[act.flip % bytes.length] ?? 0) ^ 1;
          const [to, from] = act.toA ? [a, b] : [b, a];
          steps.push(to.datagram(bytes, from.address, ms, act.depth));
        }
        for (const step of steps) flying.push(...sends(step).map(({ bytes }) => bytes));
        check(a);
        check(b);
      }
    }),
    { numRuns: 60 },
  );
});
