/** The probe on a virtual clock and network: every outcome, and never two initiations within five seconds. */
import { describe, expect, test } from 'vitest';
import { parseIp } from '../../src/base/address.ts';
import { putU16be } from '../../src/base/bytes.ts';
import { presharedKey, privateKey, ZERO_PSK } from '../../src/base/keys.ts';
import { nodeCrypto } from '../../src/crypto/node.ts';
import { type ProbeOptions, type ProbeResult, type ProbeTarget, probe } from '../../src/io/probe.ts';
import { LINUX, type Policy } from '../../src/wg/policy.ts';
import { at, chance, net } from '../wg/harness.ts';
import { Server, type Setup } from './server.ts';
import { type Host, VirtualClock, VirtualNetwork } from './virtual.ts';

const US = privateKey(new Uint8Array(32).fill(0x11));
const SERVER = privateKey(new Uint8Array(32).fill(0x22));
const PSK = presharedKey(new Uint8Array(32).fill(0x33));
const OTHER_PSK = presharedKey(new Uint8Array(32).fill(0x44));
const V4 = at('203.0.113.10:51820');
const V6 = at('[2001:db8::10]:51820');

interface Ran {
  readonly result: ProbeResult;
  readonly network: VirtualNetwork;
  readonly tookMs: number;
}

const KNOWN: Setup = { secret: SERVER, client: nodeCrypto.publicKey(US) };

const target = (change: Partial<ProbeTarget> = {}): ProbeTarget => ({
  secret: US,
  publicKey: nodeCrypto.publicKey(SERVER),
  psk: ZERO_PSK,
  allowedIps: [net('0.0.0.0/0'), net('::/0')],
  endpoints: [V4],
  mtu: 1420,
  ...change,
});

async function run(
  hosts: (clock: VirtualClock) => Readonly<Record<string, Host | string>>,
  options: Partial<Omit<ProbeOptions, 'target'>> & { readonly target?: Partial<ProbeTarget> } = {},
): Promise<Ran> {
  const clock = new VirtualClock();
  const network = new VirtualNetwork(clock, hosts(clock));
  const ports = { crypto: nodeCrypto, random: chance(3), clock, network };
  const whole = { candidates: [], tries: 3, ...options, target: target(options.target) };
  const result = await clock.until(probe(ports, whole));
  const initiations = network.sent.filter(({ type }) => type === 1);
  for (const [i, { atMs }] of initiations.entries()) {
    if (i > 0) expect(atMs - (initiations[i - 1]?.atMs ?? 0)).toBeGreaterThanOrEqual(5000);
  }
  expect(network.openSockets).toBe(0);
  return { result, network, tookMs: clock.nowMs };
}

const types = ({ network }: Ran): number[] => network.sent.map(({ type }) => type);

describe('handshake', () => {
  test('answered, and confirmed with a keepalive', async () => {
    const servers: Server[] = [];
    const ran = await run(
      (clock) => {
        servers.push(new Server(clock, { ...KNOWN, psk: PSK }));
        return { [V4.text]: servers[0] ?? 'none' };
      },
      { target: { psk: PSK } },
    );
    expect(ran.result.attempts).toEqual([
      {
        endpoint: V4,
        initiations: 1,
        cookies: 0,
        refused: {},
        outcome: { kind: 'answered', afterMs: 30, from: V4, withMac2: false },
      },
    ]);
    expect(types(ran)).toEqual([1, 4]);
  });

  test('answered from another address: the confirmation goes there', async () => {
    const elsewhere = at('203.0.113.11:51820');
    const ran = await run((clock) => ({ [V4.text]: new Server(clock, { ...KNOWN, answersFrom: elsewhere }) }));
    expect(ran.result.attempts[0]?.outcome).toMatchObject({ kind: 'answered', from: elsewhere });
    expect(ran.network.sent.map(({ to }) => to)).toEqual([V4.text, elsewhere.text]);
  });

  test('silence: as many tries as were asked for', async () => {
    const ran = await run(() => ({}), { tries: 2 });
    expect(ran.result.attempts).toMatchObject([{ initiations: 2, outcome: { kind: 'silent' } }]);
    expect(types(ran)).toEqual([1, 1]);
    expect(ran.tookMs).toBeLessThan(10_500);
  });

  test.each([
    ['another key', { secret: OTHER_PSK as unknown as typeof SERVER }, 'mac1-invalid'],
    ['an unknown peer', { client: undefined }, 'unknown-peer'],
  ])('%s is silence as well', async (_, setup, drop) => {
    const servers: Server[] = [];
    const ran = await run((clock) => {
      servers.push(new Server(clock, { ...KNOWN, ...setup }));
      return { [V4.text]: servers[0] ?? 'none' };
    });
    expect(ran.result.attempts).toMatchObject([{ initiations: 3, outcome: { kind: 'silent' } }]);
    expect(servers[0]?.verdicts).toEqual([drop, drop, drop]);
  });

  test('an ICMP error ends it at once', async () => {
    const ran = await run(() => ({ [V4.text]: { receive: (_, line) => line.error('ECONNREFUSED') } }));
    expect(ran.result.attempts).toMatchObject([{ initiations: 1, outcome: { kind: 'error', code: 'ECONNREFUSED' } }]);
    expect(ran.tookMs).toBe(30);
  });

  test('what answers with something else', async () => {
    const host: Host = { receive: (_, line) => line.reply(Uint8Array.of(0, 1, 2, 3, 4)) };
    const ran = await run(() => ({ [V4.text]: host }), { tries: 1 });
    expect(ran.result.attempts).toMatchObject([{ refused: { 'unknown-type': 1 }, outcome: { kind: 'silent' } }]);
  });

  test.each([
    ['our own key', { publicKey: nodeCrypto.publicKey(US) }, 'peer-is-self'],
    ['a key of low order', { publicKey: nodeCrypto.publicKey(US).fill(0) }, 'weak-shared-secret'],
  ])('%s cannot be asked', async (_, change, kind) => {
    const ran = await run(() => ({}), { target: change as Partial<ProbeTarget> });
    expect(ran.result.attempts[0]?.outcome).toMatchObject({ kind: 'untried', drop: { kind } });
    expect(ran.network.sent).toEqual([]);
  });
});

describe('several addresses', () => {
  test('the next one is asked when one refuses or is silent, five seconds later', async () => {
    const ran = await run(
      (clock) => ({
        [V6.text]: { receive: (_, line) => line.error('EHOSTUNREACH') },
        [V4.text]: new Server(clock, KNOWN),
      }),
      { target: { endpoints: [V6, at('192.0.2.1:51820'), V4] }, tries: 1 },
    );
    expect(ran.result.attempts.map(({ outcome }) => outcome.kind)).toEqual(['error', 'silent', 'answered']);
    expect(ran.network.sent.map(({ to }) => to)).toEqual([V6.text, '192.0.2.1:51820', V4.text, V4.text]);
  });

  test('an address that cannot be had is passed over', async () => {
    const ran = await run((clock) => ({ [V6.text]: 'ENETUNREACH', [V4.text]: new Server(clock, KNOWN) }), {
      target: { endpoints: [V6, V4] },
    });
    expect(ran.result.attempts).toMatchObject([
      { initiations: 0, outcome: { kind: 'error', code: 'ENETUNREACH' } },
      { outcome: { kind: 'answered' } },
    ]);
    expect(ran.tookMs).toBeLessThan(1000);
  });

  test('none can be had', async () => {
    const ran = await run(() => ({ [V4.text]: 'ENETUNREACH' }));
    expect(ran.result.attempts).toMatchObject([{ outcome: { kind: 'error', code: 'ENETUNREACH' } }]);
  });
});

describe('preshared keys', () => {
  const wrong = (candidates: ProbeOptions['candidates'], server: Partial<Setup>, psk = PSK): Promise<Ran> =>
    run((clock) => ({ [V4.text]: new Server(clock, { ...KNOWN, ...server }) }), { candidates, target: { psk } });
  const named = [
    { where: '', psk: ZERO_PSK },
    { where: 'server.conf:9', psk: presharedKey(new Uint8Array(32).fill(0x55)) },
    { where: 'server.conf:14', psk: OTHER_PSK },
  ];

  test('the one that fits is named', async () => {
    const ran = await wrong(named, { psk: OTHER_PSK });
    expect(ran.result.attempts).toMatchObject([
      {
        initiations: 1,
        refused: { 'empty-unsealable': 1 },
        outcome: { kind: 'unopened', fits: 'server.conf:14', tried: 3 },
      },
    ]);
    expect(types(ran)).toEqual([1]);
  });

  test('none where one is configured', async () => {
    expect((await wrong(named, {})).result.attempts[0]?.outcome).toEqual({ kind: 'unopened', fits: '', tried: 3 });
  });

  test('one where none is configured, and it is not at hand', async () => {
    const { result } = await wrong(named.slice(0, 2), { psk: OTHER_PSK }, ZERO_PSK);
    expect(result.attempts[0]?.outcome).toEqual({ kind: 'unopened', fits: undefined, tried: 2 });
  });
});

describe('cookies', () => {
  const loaded: Policy = { ...LINUX, load: { kind: 'rate', perSecond: 0, per: 'device' } };

  test('it comes back with MAC2, even when that is one more than was asked for', async () => {
    const ran = await run((clock) => ({ [V4.text]: new Server(clock, { ...KNOWN, policy: loaded }) }), { tries: 1 });
    expect(ran.result.attempts).toMatchObject([
      { initiations: 2, cookies: 1, outcome: { kind: 'answered', afterMs: 30, withMac2: true } },
    ]);
    expect(types(ran)).toEqual([1, 1, 4]);
  });
});

describe('through the tunnel', () => {
  const v4 = { from: parseIp('10.0.0.2') ?? ZERO_PSK, to: parseIp('10.0.0.1') ?? ZERO_PSK };
  const v6 = { from: parseIp('fd00::2') ?? ZERO_PSK, to: parseIp('fd00::1') ?? ZERO_PSK };

  test.each([v4, v6])('echoes come back', async (ends) => {
    const ran = await run((clock) => ({ [V4.text]: new Server(clock, KNOWN) }), {
      ping: { ...ends, count: 3, pathMtu: false },
    });
    expect(ran.result.ping).toEqual({ sent: 3, received: 3, timesMs: [30, 30, 30], errors: [], refused: [] });
  });

  test('no echo', async () => {
    const ran = await run((clock) => ({ [V4.text]: new Server(clock, { ...KNOWN, echoes: false }) }), {
      ping: { ...v4, count: 2, pathMtu: true },
    });
    expect(ran.result).toMatchObject({ ping: { sent: 2, received: 0 }, attempts: [{ outcome: { kind: 'answered' } }] });
    expect(ran.result.pathMtu).toBeUndefined();
  });

  test('answers from an address that is not allowed are told', async () => {
    const ran = await run((clock) => ({ [V4.text]: new Server(clock, KNOWN) }), {
      ping: { ...v4, to: parseIp('10.0.0.9') ?? ZERO_PSK, count: 1, pathMtu: false },
      target: { allowedIps: [net('10.0.0.1/32')] },
    });
    expect(ran.result.ping).toMatchObject({
      received: 0,
      refused: [{ kind: 'no-allowed-ip', destination: '10.0.0.9' }],
    });
  });

  test('an ICMP error from inside', async () => {
    const server = (clock: VirtualClock): Host => {
      const inner = new Server(clock, { ...KNOWN, echoes: false });
      return {
        receive: (bytes, line) => {
          inner.receive(bytes, line);
          if (bytes[0] !== 4 || bytes.length === 32) return;
          const error = new Uint8Array(56);
          error.set([0x45, 0, 0, 56, 0, 0, 0, 0, 64, 1, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, 3, 1]);
          putU16be(error, 2, 56);
          for (const effect of inner.party.packet(error, clock.nowMs).effects) {
            if (effect.kind === 'send') line.reply(effect.bytes);
          }
        },
      };
    };
    const ran = await run((clock) => ({ [V4.text]: server(clock) }), { ping: { ...v4, count: 2, pathMtu: false } });
    expect(ran.result.ping).toMatchObject({
      received: 0,
      errors: [{ kind: 'error', from: '10.0.0.1', type: 3, code: 1 }],
    });
  });

  test.each([
    [undefined, { inner: 1420, outer: 1480, lost: undefined }],
    [1400, { inner: 1328, outer: 1388, lost: { inner: 1344, outer: 1404 } }],
    [300, { inner: 0, outer: 0, lost: { inner: 256, outer: 316 } }],
  ])('path of %s bytes', async (pathBytes, pathMtu) => {
    const setup = pathBytes === undefined ? {} : { pathBytes };
    const ran = await run((clock) => ({ [V4.text]: new Server(clock, { ...KNOWN, ...setup }) }), {
      ping: { ...v4, count: 1, pathMtu: true },
    });
    expect(ran.result.pathMtu).toEqual(pathMtu);
  });
});
