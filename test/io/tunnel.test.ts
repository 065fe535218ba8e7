/** Two tunnels of our own over the loopback interface: real sockets, real timers, no waiting but for what happens. */
import { createSocket } from 'node:dgram';
import { afterEach, expect, test } from 'vitest';
import { toBase64 } from '../../src/base/base64.ts';
import { type Bytes, equal } from '../../src/base/bytes.ts';
import { privateKey } from '../../src/base/keys.ts';
import { parseWgConf } from '../../src/config/wg-quick.ts';
import { nodeCrypto } from '../../src/crypto/node.ts';
import { systemRandom } from '../../src/io/random.ts';
import { type LookedUp, openTunnel, type Tunnel, TunnelError, type TunnelOptions } from '../../src/io/tunnel.ts';
import { UdpError } from '../../src/io/udp.ts';
import type { Drop } from '../../src/wg/drop.ts';
import { ipv4 } from '../wg/harness.ts';
import { VirtualClock } from './virtual.ts';

const ALPHA = privateKey(new Uint8Array(32).fill(0x41));
const BETA = privateKey(new Uint8Array(32).fill(0x42));
const publicText = (secret: typeof ALPHA): string => toBase64(nodeCrypto.publicKey(secret));

const open: Tunnel[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((tunnel) => tunnel.close()));
});

interface ConfOptions {
  readonly secret: typeof ALPHA;
  readonly peer: typeof ALPHA;
  readonly allowed: string;
  readonly endpoint?: string;
  readonly psk?: string;
}

function conf({ secret, peer, allowed, endpoint, psk }: ConfOptions) {
  const lines = ['[Interface]', `PrivateKey = ${toBase64(secret)}`, '[Peer]', `PublicKey = ${publicText(peer)}`];
  lines.push(`AllowedIPs = ${allowed}`);
  if (endpoint !== undefined) lines.push(`Endpoint = ${endpoint}`);
  if (psk !== undefined) lines.push(`PresharedKey = ${psk}`);
  return parseWgConf(lines.join('\n')).conf;
}

async function opened(options: TunnelOptions): Promise<Tunnel> {
  const tunnel = await openTunnel({ listenOn: ['127.0.0.1'], listenPort: 0, ...options });
  open.push(tunnel);
  return tunnel;
}

/** What one callback is called with first. */
function first<T>(): { readonly come: Promise<T>; readonly take: (value: T) => void } {
  let take: (value: T) => void = () => {};
  const come = new Promise<T>((resolve) => (take = resolve));
  return { come, take };
}

const BETA_PEER = { secret: BETA, peer: ALPHA, allowed: '10.0.0.1/32' };
const ALPHA_PEER = { secret: ALPHA, peer: BETA, allowed: '10.0.0.0/24' };

test('inner packets go both ways, by a name that has several addresses', async () => {
  const atBeta = first<Bytes>();
  const atAlpha = first<Bytes>();
  const beta = await opened({ conf: conf(BETA_PEER), onPacket: atBeta.take });
  const alpha = await opened({
    conf: conf({ ...ALPHA_PEER, endpoint: `beta.example:${beta.port}` }),
    lookUp: async (host) => (host === 'beta.example' ? ['127.0.0.1', '::1'] : []),
    onPacket: atAlpha.take,
  });
  const there = ipv4('10.0.0.1', '10.0.0.2', 1000);
  expect(alpha.send(there)).toMatchObject({ kind: 'accepted', message: 'packet' });
  expect(equal(await atBeta.come, there)).toBe(true);
  const back = ipv4('10.0.0.2', '10.0.0.1', 61);
  expect(beta.send(back)).toMatchObject({ kind: 'accepted' });
  expect(equal(await atAlpha.come, back)).toBe(true);
  const [status] = beta.status();
  expect(status?.endpoint?.text).toBe(`127.0.0.1:${alpha.port}`);
  expect(status?.sessions.map(({ role }) => role)).toEqual(['responder']);
  expect(alpha.status()[0]?.latestHandshake).toBeDefined();
});

test('a name is looked up again with each retry, and its addresses are taken in turn', async () => {
  const atBeta = first<Bytes>();
  const beta = await opened({ conf: conf(BETA_PEER), onPacket: atBeta.take });
  const clock = new VirtualClock(2_000_000_000);
  let lookUps = 0;
  let looked = first<void>();
  const told: LookedUp[] = [];
  const alpha = await opened({
    conf: conf({ ...ALPHA_PEER, endpoint: `beta.example:${beta.port}` }),
    clock,
    lookUp: async () => {
      lookUps++;
      looked.take();
      return ['127.0.0.9', '127.0.0.1'];
    },
    onLookUp: (found) => told.push(found),
  });
  alpha.send(ipv4('10.0.0.1', '10.0.0.2'));
  const next = async (): Promise<void> => {
    looked = first<void>();
    clock.pass(5400);
    await looked.come;
  };
  // The first retry asks for the names, the second goes to where they say.
  await next();
  expect([lookUps, alpha.status()[0]?.endpoint?.text]).toEqual([2, `127.0.0.1:${beta.port}`]);
  const [from, to] = [`127.0.0.9:${beta.port}`, `127.0.0.1:${beta.port}`];
  expect(told).toMatchObject([{ kind: 'found', host: 'beta.example', from: { text: from }, to: { text: to } }]);
  clock.pass(5400);
  await clock.standUntil(atBeta.come);
  expect(alpha.status()[0]?.sessions).toHaveLength(1);
});

test('a name is looked up again also where packets begin the handshakes, before the timer does', async () => {
  const clock = new VirtualClock(2_000_000_000);
  const events: string[] = [];
  let lookUps = 0;
  let unanswered = 0;
  const alpha = await opened({
    conf: conf({ ...ALPHA_PEER, endpoint: 'beta.example:9' }),
    clock,
    // without jitter the timer would come just when the packets do
    random: (out, purpose) => (purpose === 'jitter' ? out.fill(1) : systemRandom(out, purpose)),
    lookUp: async () => {
      lookUps++;
      return ['127.0.0.1'];
    },
    onEvent: ({ what }) => events.push(what),
    onUnanswered: () => unanswered++,
  });
  for (let i = 0; i < 4; i++) {
    alpha.send(ipv4('10.0.0.1', '10.0.0.2'));
    await new Promise((resolve) => setImmediate(resolve));
    clock.pass(5000);
  }
  expect(events).toEqual([]);
  expect([unanswered, lookUps]).toEqual([3, 4]);
});

test('a name that could not be looked up is asked for again when a packet wants to go there', async () => {
  const clock = new VirtualClock(2_000_000_000);
  const looked = first<void>();
  const answers: (readonly string[])[] = [[], ['127.0.0.1']];
  const told: LookedUp[] = [];
  const alpha = await opened({
    conf: conf({ ...ALPHA_PEER, endpoint: 'beta.example:9' }),
    clock,
    lookUp: async () => {
      if (answers.length === 1) looked.take();
      return answers.shift() ?? [];
    },
    onLookUp: (found) => told.push(found),
  });
  expect(told).toEqual([{ kind: 'unresolved', host: 'beta.example', code: 'ENOTFOUND' }]);
  const packet = ipv4('10.0.0.1', '10.0.0.2');
  expect(alpha.send(packet)).toMatchObject({ drop: { kind: 'no-endpoint' } });
  expect(answers).toHaveLength(1);
  clock.pass(5000);
  expect(alpha.send(packet)).toMatchObject({ drop: { kind: 'no-endpoint' } });
  await looked.come;
  await Promise.resolve();
  expect(alpha.send(packet)).toMatchObject({ kind: 'accepted' });
  expect(told.slice(1)).toMatchObject([{ kind: 'found', from: undefined, to: { text: '127.0.0.1:9' } }]);
});

test('a peer that is removed while its name is looked up stays away', async () => {
  const clock = new VirtualClock(2_000_000_000);
  let answer: (addresses: readonly string[]) => void = () => {};
  const asked = first<void>();
  let lookUps = 0;
  const alpha = await opened({
    conf: conf({ ...ALPHA_PEER, endpoint: 'beta.example:9' }),
    clock,
    lookUp: () => {
      if (lookUps++ === 0) return Promise.resolve([]);
      asked.take();
      return new Promise((resolve) => (answer = resolve));
    },
  });
  clock.pass(5000);
  alpha.send(ipv4('10.0.0.1', '10.0.0.2'));
  await asked.come;
  alpha.driver.configure({ change: 'remove-peer', publicKey: nodeCrypto.publicKey(BETA) });
  alpha.forgetName(publicText(BETA));
  answer(['127.0.0.1']);
  await new Promise((resolve) => setImmediate(resolve));
  expect(alpha.status()).toEqual([]);
});

test('a refusal tells why: a preshared key that only one side has', async () => {
  const beta = await opened({ conf: conf(BETA_PEER) });
  const dropped = first<Drop>();
  const psk = toBase64(new Uint8Array(32).fill(9));
  const alpha = await opened({
    conf: conf({ ...ALPHA_PEER, endpoint: `127.0.0.1:${beta.port}`, psk }),
    onDrop: dropped.take,
  });
  alpha.send(ipv4('10.0.0.1', '10.0.0.2'));
  expect(await dropped.come).toEqual({ kind: 'empty-unsealable' });
});

test('what is not WireGuard is refused as such', async () => {
  const dropped = first<Drop>();
  const beta = await opened({ conf: conf(BETA_PEER), onDrop: dropped.take });
  const stranger = createSocket('udp4');
  stranger.send('hello', beta.port, '127.0.0.1');
  expect(await dropped.come).toEqual({ kind: 'unknown-type', type: 0x6c6c6568 });
  await new Promise<void>((resolve) => stranger.close(resolve));
});

test('packets that have nowhere to go', async () => {
  const alpha = await opened({ conf: conf(ALPHA_PEER) });
  expect(alpha.send(ipv4('10.0.0.1', '192.0.2.1'))).toMatchObject({ drop: { kind: 'no-allowed-ip' } });
  expect(alpha.send(ipv4('10.0.0.1', '10.0.0.2'))).toMatchObject({ drop: { kind: 'no-endpoint' } });
});

test('a message that cannot leave is told', async () => {
  const dropped = first<Drop>();
  // Only IPv4 is listened on.
  const alpha = await opened({ conf: conf({ ...ALPHA_PEER, endpoint: '[::1]:51820' }), onDrop: dropped.take });
  alpha.send(ipv4('10.0.0.1', '10.0.0.2'));
  const peer = publicText(BETA);
  expect(await dropped.come).toEqual({ kind: 'socket-error', peer, to: '[::1]:51820', error: 'EAFNOSUPPORT' });
});

test('a port that is taken', async () => {
  const beta = await opened({ conf: conf(BETA_PEER) });
  await expect(opened({ conf: conf(ALPHA_PEER), listenPort: beta.port })).rejects.toThrow(UdpError);
});

test('no private key', async () => {
  const { conf: empty } = parseWgConf('[Interface]\n');
  await expect(openTunnel({ conf: empty })).rejects.toThrow(TunnelError);
});

test('closed, it takes nothing more and its port is free', async () => {
  const beta = await opened({ conf: conf(BETA_PEER) });
  const { port } = beta;
  await beta.close();
  await beta.close();
  expect(() => beta.send(ipv4('10.0.0.2', '10.0.0.1'))).toThrow('closed');
  const again = await opened({ conf: conf(BETA_PEER), listenPort: port });
  expect(again.port).toBe(port);
});
