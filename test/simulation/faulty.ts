/** Networks with one thing wrong, and what our own analyzer must say of each from each end. */
import { endpoint } from '../../src/base/address.ts';
import { presharedKey } from '../../src/base/keys.ts';
import { Chance, quantised } from './chance.ts';
import type { View } from './files.ts';
import type { HostPlan, PeerPlan } from './host.ts';
import { CLEAN } from './network.ts';
import { type Identity, identity, ip } from './plan.ts';
import type { Flow, Incident, Plan } from './simulation.ts';

/** What may stand first among what is not `info`; null for nothing. */
export interface Expected {
  readonly first: readonly (string | null)[];
  /** What else may be said that is not `info`. */
  readonly also?: readonly string[];
}

export interface Fault {
  readonly name: string;
  plan(seed: number): Plan;
  readonly expected: Readonly<Record<View, Expected>>;
}

const SECOND = 1000;
const NEVER_MS = 86_400_000;
const EPOCH_SEC = 1_760_000_000;

interface Given {
  /** How the client's peer entry differs from what is right. */
  readonly clientPeer?: (chance: Chance) => Partial<PeerPlan>;
  readonly serverPeer?: (chance: Chance) => Partial<PeerPlan>;
  readonly nat?: { readonly timeoutMs: number };
  readonly incidents?: (chance: Chance) => Incident[];
  readonly flows?: (chance: Chance) => Flow[];
  readonly mtu?: number;
  readonly endMs?: number;
}

const ping = (from: string, to: string, fromMs: number, untilMs: number, everyMs: number, size = 84): Flow => ({
  from,
  to,
  fromMs,
  untilMs,
  everyMs,
  random: false,
  burst: 1,
  size,
  answered: true,
});

function planWith(seed: number, given: Given): Plan {
  const chance = new Chance(seed);
  const v6 = chance.happens(0.3);
  const psk = chance.happens(0.4) ? presharedKey(chance.bytes(32)) : undefined;
  const endMs = given.endMs ?? 90 * SECOND;
  const outer = (n: number) => ip(v6 ? `2001:db8:${n}::1` : `198.51.100.${n}`);
  const host = (name: string, n: number, { secret }: Identity, peers: readonly PeerPlan[]): HostPlan => {
    const inside = name === 'client' && given.nat !== undefined;
    const address = inside ? ip(v6 ? 'fd00:7::5' : '192.168.7.5') : outer(n);
    return {
      name,
      secret,
      inner: [ip(`10.9.0.${n}`)],
      address: endpoint(address, name === 'server' ? 51_820 : chance.whole(1024, 65_535)),
      nat: inside && given.nat !== undefined ? { outside: outer(100), ...given.nat } : undefined,
      epoch: { sec: EPOCH_SEC + chance.whole(-5, 5), nsec: chance.whole(0, 999_999_999) },
      peers,
    };
  };
  const [server, client] = [identity(chance), identity(chance)];
  const common = { psk, keepalive: 0 };
  const atServer = { ...common, name: 'client', publicKey: client.publicKey, endpoint: undefined };
  const atClient = { ...common, name: 'server', publicKey: server.publicKey, endpoint: endpoint(outer(1), 51_820) };
  return {
    seed,
    hosts: [
      host('server', 1, server, [{ ...atServer, allowedIps: ['10.9.0.2/32'], ...given.serverPeer?.(chance) }]),
      host('client', 2, client, [{ ...atClient, allowedIps: ['10.9.0.0/24'], ...given.clientPeer?.(chance) }]),
    ],
    conditions: { ...CLEAN, delayMs: quantised(chance.pick([1, 10, 60])), mtu: given.mtu ?? CLEAN.mtu },
    flows: given.flows?.(chance) ?? [
      ping('client', 'server', chance.ms(0, 3 * SECOND), endMs, chance.pick([500, 1000, 3000])),
    ],
    incidents: given.incidents?.(chance) ?? [],
    adversary: false,
    calmMs: endMs,
    endMs,
    captureFromMs: 0,
    captureUntilMs: endMs,
  };
}

const fault = (name: string, given: Given, expected: Fault['expected']): Fault => ({
  name,
  plan: (seed) => planWith(seed, given),
  expected,
});

const one = (...first: readonly (string | null)[]): Expected => ({ first });

/** Of the path from the very beginning. */
const black = (from: string, to: string): Pick<Given, 'incidents'> => ({
  incidents: () => [{ atMs: 0, what: 'blackout', from, to, untilMs: NEVER_MS }],
});

const DAY_MS = 86_400_000;

export const FAULTS: readonly Fault[] = [
  fault(
    'wrong responder key',
    { clientPeer: (chance) => ({ publicKey: identity(chance).publicKey }) },
    {
      client: one('no-response'),
      server: { first: ['wrong-responder-key'], also: ['key-mismatch'] },
      both: { first: ['wrong-responder-key'], also: ['key-mismatch'] },
    },
  ),
  fault(
    'unknown initiator',
    { serverPeer: (chance) => ({ publicKey: identity(chance).publicKey }) },
    {
      client: one('no-response'),
      server: { first: ['unknown-initiator'], also: ['key-mismatch'] },
      both: { first: ['unknown-initiator'], also: ['key-mismatch'] },
    },
  ),
  fault(
    'preshared keys differ',
    { clientPeer: (chance) => ({ psk: presharedKey(chance.bytes(32)) }) },
    {
      client: one('psk-mismatch'),
      server: one('session-unconfirmed', 'psk-mismatch'),
      both: { first: ['psk-mismatch'], also: ['psk-differs'] },
    },
  ),
  fault('responses lost on the path', black('server', 'client'), {
    client: one('no-response'),
    server: one('session-unconfirmed', 'response-lost-on-path'),
    both: one('response-lost-on-path'),
  }),
  fault('initiations lost on the path', black('client', 'server'), {
    client: one('no-response'),
    server: one('initiation-never-arrives', null),
    both: one('initiation-lost-on-path', 'no-response'),
  }),
  fault(
    'path fails for good',
    {
      endMs: 320 * SECOND,
      incidents: (chance) => [
        { atMs: chance.ms(30 * SECOND, 60 * SECOND), what: 'blackout', from: '*', to: '*', untilMs: NEVER_MS },
      ],
    },
    {
      client: { first: ['rekey-failed'], also: ['packet-loss'] },
      server: { first: [null, 'rekey-failed', 'peer-went-away', 'session-unconfirmed'], also: ['packet-loss'] },
      both: { first: ['rekey-failed', 'initiation-lost-on-path'], also: ['packet-loss', 'initiation-lost-on-path'] },
    },
  ),
  fault(
    'clock set back and restarted',
    {
      endMs: 150 * SECOND,
      incidents: (chance) => {
        const atMs = chance.ms(20 * SECOND, 60 * SECOND);
        return [
          { atMs, what: 'wall-jump', host: 'client', byMs: -DAY_MS * chance.pick([1, 30, 9000]) },
          { atMs, what: 'restart', host: 'client' },
        ];
      },
    },
    {
      client: one(null, 'no-response', 'rekey-failed'),
      server: one('timestamp-replayed'),
      both: one('timestamp-replayed'),
    },
  ),
  fault(
    'clock set back, and the other end has nothing to say',
    {
      endMs: 200 * SECOND,
      incidents: (chance) => {
        const atMs = chance.ms(20 * SECOND, 60 * SECOND);
        return [
          { atMs, what: 'wall-jump', host: 'client', byMs: -DAY_MS * chance.pick([1, 30, 9000]) },
          { atMs, what: 'restart', host: 'client' },
        ];
      },
      flows: () => [{ ...ping('client', 'server', 0, 200 * SECOND, 2 * SECOND), answered: false }],
    },
    {
      client: one('rekey-failed', 'no-response'),
      server: one('timestamp-replayed'),
      both: one('timestamp-replayed'),
    },
  ),
  fault(
    'way back fails in mid-session',
    {
      endMs: 320 * SECOND,
      incidents: (chance) => [
        { atMs: chance.ms(30 * SECOND, 60 * SECOND), what: 'blackout', from: 'server', to: '*', untilMs: NEVER_MS },
      ],
    },
    {
      client: { first: ['rekey-failed'], also: ['packet-loss'] },
      server: one('session-unconfirmed', 'response-lost-on-path', 'rekey-failed'),
      both: { first: ['response-lost-on-path', 'rekey-failed'], also: ['packet-loss'] },
    },
  ),
  fault(
    'load, and cookies that work',
    { incidents: () => [{ atMs: 0, what: 'load', host: 'server', untilMs: NEVER_MS }] },
    { client: one(null), server: one(null), both: one(null) },
  ),
  fault(
    'responder restarts',
    {
      incidents: (chance) => [{ atMs: chance.ms(20 * SECOND, 40 * SECOND), what: 'restart', host: 'server' }],
    },
    {
      client: { first: ['peer-restarted'], also: ['packet-loss'] },
      server: { first: ['peer-restarted'], also: ['packet-loss'] },
      both: { first: ['peer-restarted'], also: ['packet-loss'] },
    },
  ),
  fault(
    'NAT mapping expired',
    {
      nat: { timeoutMs: 30 * SECOND },
      endMs: 150 * SECOND,
      flows: (chance) => {
        const from = chance.ms(80 * SECOND, 90 * SECOND);
        return [
          ping('client', 'server', 0, 10 * SECOND, SECOND),
          ping('server', 'client', from, 110 * SECOND, SECOND),
          ping('client', 'server', 115 * SECOND, 150 * SECOND, SECOND),
        ];
      },
    },
    {
      client: one(null),
      server: { first: ['nat-mapping-expired'], also: ['packet-loss'] },
      both: { first: ['nat-mapping-expired'], also: ['packet-loss'] },
    },
  ),
  fault(
    'big packets vanish',
    {
      mtu: 1400,
      flows: () => [
        ping('client', 'server', 0, 90 * SECOND, SECOND),
        ping('client', 'server', 10 * SECOND, 90 * SECOND, 2 * SECOND, 1420),
      ],
    },
    {
      client: { first: ['mtu-blackhole', null], also: ['packet-loss'] },
      server: { first: ['packet-loss', null], also: ['mtu-blackhole'] },
      both: { first: ['mtu-blackhole'], also: ['packet-loss'] },
    },
  ),
];
