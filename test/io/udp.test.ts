/** Sockets on the loopback interface: ICMP errors, answers from elsewhere, both families on one port, an orderly end. */
import { createSocket, type Socket } from 'node:dgram';
import { networkInterfaces } from 'node:os';
import { describe, expect, test } from 'vitest';
import { type Endpoint, endpoint, parseEndpoint } from '../../src/base/address.ts';
import type { Bytes } from '../../src/base/bytes.ts';
import { systemClock } from '../../src/io/clock.ts';
import { plainNetwork, systemNetwork } from '../../src/io/probe-network.ts';
import { systemRandom } from '../../src/io/random.ts';
import { resolveEndpoint } from '../../src/io/resolve.ts';
import { UdpError, UdpPort, UdpSocket } from '../../src/io/udp.ts';

const LOCALHOST = Uint8Array.of(127, 0, 0, 1);
const hasIpv6 = Object.values(networkInterfaces()).some((list) => list?.some(({ address }) => address === '::1'));

interface Heard {
  readonly from: Endpoint;
  readonly bytes: Bytes;
}

function once<T>(): { readonly come: Promise<T>; readonly take: (value: T) => void } {
  let take: (value: T) => void = () => {};
  const come = new Promise<T>((resolve) => (take = resolve));
  return { come, take };
}

async function plainSocket(onMessage: (socket: Socket, port: number, bytes: Bytes) => void): Promise<Socket> {
  const socket = createSocket('udp4');
  socket.on('message', (bytes, { port }) => onMessage(socket, port, bytes));
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  return socket;
}

const never = (): void => expect.fail('nothing should come');
const failed = (code: string): void => expect.fail(code);

describe.each([
  ['plain', plainNetwork],
  ['of this system', systemNetwork],
])('network: %s', (_, network) => {
  test('a port where nobody listens refuses, by ICMP', async () => {
    const gone = await plainSocket(never);
    const { port } = gone.address();
    await new Promise<void>((resolve) => gone.close(resolve));
    const error = once<string>();
    const socket = await network.open(endpoint(LOCALHOST, port), { onDatagram: never, onError: error.take });
    if (typeof socket === 'string') return expect.fail(socket);
    socket.send(Uint8Array.of(1), endpoint(LOCALHOST, port));
    expect(await error.come).toBe('ECONNREFUSED');
    await socket.close();
  });

  test('an answer from another port is heard, and answered there', async () => {
    const back = once<Bytes>();
    const other = await plainSocket((_, __, bytes) => back.take(new Uint8Array(bytes)));
    const asked = await plainSocket((_, port) => other.send(Uint8Array.of(2, 2), port, '127.0.0.1'));
    const heard = once<Heard>();
    const to = endpoint(LOCALHOST, asked.address().port);
    const onDatagram = (bytes: Bytes, from: Endpoint): void => heard.take({ bytes, from });
    const socket = await network.open(to, { onDatagram, onError: failed });
    if (typeof socket === 'string') return expect.fail(socket);
    socket.send(Uint8Array.of(1), to);
    const { bytes, from } = await heard.come;
    expect([from.text, [...bytes]]).toEqual([`127.0.0.1:${other.address().port}`, [2, 2]]);
    socket.send(Uint8Array.of(3), from);
    expect([...(await back.come)]).toEqual([3]);
    await Promise.all([socket.close(), ...[asked, other].map((one) => new Promise<void>((end) => one.close(end)))]);
  });

  test('no way at all', async () => {
    const broadcast = parseEndpoint('255.255.255.255:9') ?? expect.fail();
    const error = once<string>();
    const socket = await network.open(broadcast, { onDatagram: never, onError: error.take });
    if (typeof socket === 'string') return expect(socket).toBe('EACCES');
    socket.send(Uint8Array.of(1), broadcast);
    expect(await error.come).toBe('EACCES');
    await socket.close();
  });
});

describe('one port', () => {
  test.skipIf(!hasIpv6)('in both families', async () => {
    const heard: string[] = [];
    const both = once<void>();
    const port = await UdpPort.open({
      onDatagram: ({ length }, { ip }) => {
        heard.push(`${length} bytes by ${ip.length}`);
        if (heard.length === 2) both.take();
      },
    });
    const out = await UdpPort.open({ onDatagram: never }, { addresses: ['127.0.0.1', '::1'] });
    const six = new Uint8Array(16);
    six[15] = 1;
    out.send({ bytes: new Uint8Array(5), to: endpoint(LOCALHOST, port.port) }, failed);
    out.send({ bytes: new Uint8Array(6), to: endpoint(six, port.port) }, failed);
    await both.come;
    expect(heard.sort()).toEqual(['5 bytes by 4', '6 bytes by 16']);
    await Promise.all([port.close(), out.close()]);
  });

  test('a family that is not there', async () => {
    const only = await UdpPort.open({ onDatagram: never }, { addresses: ['127.0.0.1'] });
    const code = once<string>();
    only.send({ bytes: Uint8Array.of(1), to: parseEndpoint('[::1]:9') ?? expect.fail() }, code.take);
    expect(await code.come).toBe('EAFNOSUPPORT');
    await only.close();
  });

  test('an address that is not ours', async () => {
    await expect(UdpPort.open({ onDatagram: never }, { addresses: ['192.0.2.1'] })).rejects.toThrow(UdpError);
  });

  test('what was sent before the end still leaves, what comes after it does not', async () => {
    const heard = once<Bytes>();
    const far = await plainSocket((_, __, bytes) => heard.take(new Uint8Array(bytes)));
    const socket = new UdpSocket(4, { onDatagram: never });
    await socket.bind(0, '127.0.0.1');
    const to = endpoint(LOCALHOST, far.address().port);
    socket.send({ bytes: Uint8Array.of(1), to }, failed);
    const closed = socket.close();
    socket.send({ bytes: Uint8Array.of(2), to }, failed);
    await Promise.all([closed, socket.close()]);
    expect([...(await heard.come)]).toEqual([1]);
    await new Promise<void>((resolve) => far.close(resolve));
  });

  test('a message that is too large', async () => {
    const port = await UdpPort.open({ onDatagram: never }, { addresses: ['127.0.0.1'] });
    const code = once<string>();
    port.send({ bytes: new Uint8Array(70_000), to: endpoint(LOCALHOST, 9) }, code.take);
    expect(await code.come).toBe('EMSGSIZE');
    await port.close();
  });
});

describe('names', () => {
  test('all addresses, each once, no zones', async () => {
    const lookUp = async (): Promise<string[]> => ['192.0.2.1', '2001:db8::1', '192.0.2.1', 'fe80::1%eth0'];
    const found = await resolveEndpoint({ host: 'vpn.example', port: 1 }, lookUp);
    expect(found.ok && found.value.map(({ text }) => text)).toEqual(['192.0.2.1:1', '[2001:db8::1]:1']);
  });

  test('an address is not looked up', async () => {
    const found = await resolveEndpoint({ host: '127.0.0.1', port: 1, ip: LOCALHOST }, () => expect.fail());
    expect(found).toMatchObject({ ok: true, value: [{ text: '127.0.0.1:1' }] });
  });

  test('none', async () => {
    expect(await resolveEndpoint({ host: 'x', port: 1 }, async () => [])).toEqual({
      ok: false,
      error: { host: 'x', code: 'ENOTFOUND' },
    });
    const refused = Object.assign(new Error('no'), { code: 'EAI_AGAIN' });
    const found = await resolveEndpoint({ host: 'x', port: 1 }, () => Promise.reject(refused));
    expect(found).toEqual({ ok: false, error: { host: 'x', code: 'EAI_AGAIN' } });
  });
});

describe('clock and chance', () => {
  test('both clocks go on, and the wall clock is the system’s', () => {
    const one = systemClock.now();
    const two = systemClock.now();
    expect(two.monoMs).toBeGreaterThanOrEqual(one.monoMs);
    expect(Math.abs(one.wall.sec - Math.floor(Date.now() / 1000))).toBeLessThanOrEqual(1);
    expect(one.wall.nsec % 1_000_000).toBe(0);
  });

  test('never before its time, and not at all when it was called off', async () => {
    const callOff = systemClock.at(systemClock.now().monoMs + 1, never);
    callOff();
    const due = systemClock.now().monoMs + 3.2;
    await new Promise<void>((resolve) => {
      systemClock.at(due, resolve);
    });
    expect(systemClock.now().monoMs).toBeGreaterThanOrEqual(due);
    await new Promise<void>((resolve) => {
      systemClock.at(Number.NEGATIVE_INFINITY, resolve);
    });
  });

  test('bytes nobody can foresee', () => {
    const [one, two] = [new Uint8Array(32), new Uint8Array(32)];
    systemRandom(one, 'ephemeral');
    systemRandom(two, 'ephemeral');
    expect(one).not.toEqual(two);
  });
});
