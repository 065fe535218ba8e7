/** Sockets with options on the loopback interface: addresses of arrival and departure, traffic class, ICMP errors, full buffers. */
import { afterEach, describe, expect, test } from 'vitest';
import type { Endpoint } from '../../../src/base/address.ts';
import type { Bytes } from '../../../src/base/bytes.ts';
import { u32le } from '../../../src/base/bytes.ts';
import type { SocketTrouble } from '../../../src/io/linux/icmp-error.ts';
import type { Libc } from '../../../src/io/linux/libc.ts';
import { MessageHeader } from '../../../src/io/linux/message-header.ts';
import { Poller } from '../../../src/io/linux/poller.ts';
import { int, readAncillary, writeAddress } from '../../../src/io/linux/socket-address.ts';
import { sourceFor } from '../../../src/io/linux/source-address.ts';
import { LinuxUdpSocket, openLinuxPort } from '../../../src/io/linux/udp.ts';
import { UdpError } from '../../../src/io/udp.ts';
import { at } from '../../wg/harness.ts';
import { Heard, hasIpv6, libc, noLibc } from './loopback.ts';

interface Datagram {
  readonly bytes: Bytes;
  readonly from: string;
  readonly local: string | undefined;
  readonly hopLimit: number | undefined;
}

const failed = (code: string): void => expect.fail(code);
const bytes = (...values: number[]): Bytes => Uint8Array.from(values);
const ipOf = ({ ip }: Endpoint): string => ip.join('.');

describe.skipIf(noLibc !== undefined)(`sockets${noLibc === undefined ? '' : ` (${noLibc})`}`, () => {
  const open: (() => void)[] = [];
  afterEach(() => {
    for (const close of open.splice(0).reverse()) close();
  });

  function socket(where: string, from: Libc = libc(), mark?: number) {
    const poller = new Poller(libc());
    open.push(() => poller.close());
    const came = new Heard<Datagram>();
    const troubles = new Heard<SocketTrouble>();
    const handlers = {
      onDatagram: (bytes: Bytes, from: Endpoint, local?: Endpoint, hopLimit?: number) =>
        came.take({ bytes, from: from.text, local: local?.text, hopLimit }),
      onTrouble: troubles.take,
    };
    const made = new LinuxUdpSocket(from, poller, handlers, at(where), mark);
    open.push(() => made.close());
    return { socket: made, came, troubles };
  }

  /** The system's answers to `sendmsg`, in turn; undefined is the real one. */
  function answering(...answers: readonly (string | undefined)[]) {
    const rest = [...answers];
    const polled: number[] = [];
    let code: string | undefined;
    let sends = 0;
    const fake: Libc = {
      ...libc(),
      sendmsg: (fd, header, flags) => {
        sends++;
        code = rest.shift();
        return code === undefined ? libc().sendmsg(fd, header, flags) : -1;
      },
      poll: (fds, count, timeoutMs) => {
        polled.push(timeoutMs);
        return libc().poll(fds, count, timeoutMs);
      },
      code: () => code ?? libc().code(),
    };
    return { fake, polled, sends: () => sends };
  }

  test('a datagram says where it came from, where it was sent to, and its TTL', async () => {
    const far = socket('0.0.0.0:0');
    const near = socket('127.0.0.1:0');
    const { port } = far.socket;
    expect(port).toBeGreaterThan(0);
    near.socket.send({ bytes: bytes(1, 2, 3), to: at(`127.0.0.77:${port}`) }, failed);
    expect(await far.came.next()).toEqual({
      bytes: bytes(1, 2, 3),
      from: `127.0.0.1:${near.socket.port}`,
      local: `127.0.0.77:${port}`,
      hopLimit: 64,
    });
  });

  test.skipIf(!hasIpv6)('the same in IPv6, beside a socket of the other family on that port', async () => {
    const far = socket('[::]:0');
    const near = socket('[::1]:0');
    const beside = socket(`0.0.0.0:${far.socket.port}`);
    expect(beside.socket.port).toBe(far.socket.port);
    near.socket.send({ bytes: bytes(7), to: at(`[::1]:${far.socket.port}`) }, failed);
    expect(await far.came.next()).toEqual({
      bytes: bytes(7),
      from: `[::1]:${near.socket.port}`,
      local: `[::1]:${far.socket.port}`,
      hopLimit: 64,
    });
  });

  test('it leaves from the address that it is to leave from, and from another where that is gone', async () => {
    const far = socket('127.0.0.1:0');
    const near = socket('0.0.0.0:0');
    const to = at(`127.0.0.1:${far.socket.port}`);
    const from = async (local: string): Promise<string> => {
      near.socket.send({ bytes: bytes(1), to, local: at(local) }, failed);
      return (await far.came.next()).from;
    };
    expect(await from('127.0.0.9:1')).toBe(`127.0.0.9:${near.socket.port}`);
    expect(await from('192.0.2.1:1')).toBe(`127.0.0.1:${near.socket.port}`);
    expect(await from('[::1]:1')).toBe(`127.0.0.1:${near.socket.port}`);
  });

  test.each([
    ['127.0.0.1', [0, 13], [0, 1]],
    ['[::1]', [41, 66], [41, 67]],
  ] as const)('traffic class, to %s', (ip, wish, told) => {
    if (ip === '[::1]' && !hasIpv6) return;
    // A plain socket that asks for what ours does not need: IP_RECVTOS, IPV6_RECVTCLASS.
    const far = libc().socket(ip === '[::1]' ? 10 : 2, 2, 0);
    open.push(() => libc().close(far));
    const address = new Uint8Array(28);
    expect(libc().bind(far, address, writeAddress(at(`${ip}:0`), address))).toBe(0);
    expect(libc().setsockopt(far, wish[0], wish[1], int(1), 4)).toBe(0);
    libc().getsockname(far, address, new Uint32Array([28]));
    const port = ((address[2] ?? 0) << 8) | (address[3] ?? 0);
    const near = socket(`${ip}:0`);
    const header = new MessageHeader(libc());
    open.push(() => header.free());
    for (const tos of [0xb9, 0]) {
      near.socket.send({ bytes: bytes(1), to: at(`${ip}:${port}`), tos, local: at(`${ip}:1`) }, failed);
      header.empty();
      expect(libc().recvmsg(far, header.address, 0)).toBe(1);
      const [one] = readAncillary(header.control.subarray(0, header.controlLength));
      expect(one).toMatchObject({ level: told[0], type: told[1] });
      expect(one?.data[0]).toBe(tos);
    }
  });

  test('who sent an ICMP error, and about what; the next message leaves all the same', async () => {
    const gone = socket('127.0.0.1:0');
    const { port } = gone.socket;
    gone.socket.close();
    const near = socket('0.0.0.0:0');
    const to = at(`127.0.0.1:${port}`);
    near.socket.send({ bytes: bytes(1), to }, failed);
    expect(await near.troubles.next()).toEqual({
      code: 'ECONNREFUSED',
      icmp: { family: 4, type: 3, code: 3, from: '127.0.0.1' },
      to,
    });
    // The error stands in the socket's way once more, when it is not read in between.
    const far = socket('127.0.0.2:0');
    for (let i = 0; i < 3; i++) {
      near.socket.send({ bytes: bytes(1), to }, failed);
      near.socket.send({ bytes: bytes(i), to: at(`127.0.0.2:${far.socket.port}`) }, failed);
    }
    for (let i = 0; i < 3; i++) expect((await far.came.next()).bytes).toEqual(bytes(i));
    for (let i = 0; i < 3; i++) expect(await near.troubles.next()).toMatchObject({ code: 'ECONNREFUSED' });
  });

  test('more at once than are taken in a turn: all of them, in their order', async () => {
    const far = socket('127.0.0.1:0');
    const near = socket('127.0.0.1:0');
    const to = at(`127.0.0.1:${far.socket.port}`);
    for (let i = 0; i < 200; i++) near.socket.send({ bytes: bytes(i), to }, failed);
    for (let i = 0; i < 200; i++) expect((await far.came.next()).bytes).toEqual(bytes(i));
  });

  test('what was taken in stays as it is when more comes', async () => {
    const far = socket('127.0.0.1:0');
    const near = socket('127.0.0.1:0');
    const to = at(`127.0.0.1:${far.socket.port}`);
    near.socket.send({ bytes: new Uint8Array(1400).fill(1), to }, failed);
    const first = await far.came.next();
    near.socket.send({ bytes: new Uint8Array(1400).fill(2), to }, failed);
    await far.came.next();
    expect(first.bytes).toEqual(new Uint8Array(1400).fill(1));
  });

  test.each([65_508, 70_000])('%i bytes are too large', (length) => {
    const codes: string[] = [];
    const { socket: near } = socket('127.0.0.1:0');
    near.send({ bytes: new Uint8Array(length), to: at('127.0.0.1:9') }, (code) => codes.push(code));
    expect(codes).toEqual(['EMSGSIZE']);
  });

  describe('what the system answers when something is sent', () => {
    test.each<[string, (string | undefined)[], string[], number]>([
      ['an error of an earlier datagram', ['ECONNREFUSED', undefined], [], 0],
      ['errors of two earlier datagrams', ['ECONNREFUSED', 'EHOSTUNREACH', undefined], [], 0],
      ['an error that stays', ['EPERM', 'EPERM', 'EPERM'], ['EPERM'], 0],
      ['no room, and room a little later', ['EAGAIN', undefined], [], 1],
      ['no room, even later', ['EAGAIN', 'EAGAIN'], ['EAGAIN'], 1],
    ])('%s', (_, answers, codes, waits) => {
      const { fake, polled } = answering(...answers);
      const { socket: near } = socket('127.0.0.1:0', fake);
      const { socket: far } = socket('127.0.0.1:0');
      const told: string[] = [];
      near.send({ bytes: bytes(1), to: at(`127.0.0.1:${far.port}`) }, (code) => told.push(code));
      expect(told).toEqual(codes);
      expect(polled).toHaveLength(waits);
      // It is waited for in this thread: not long.
      for (const ms of polled) expect(ms).toBeLessThanOrEqual(50);
    });
  });

  describe('opening', () => {
    test('one port in both families, and it is ours alone', async () => {
      const poller = new Poller(libc());
      open.push(() => poller.close());
      const handlers = { onDatagram: () => {} };
      const one = await openLinuxPort(libc(), poller, handlers);
      const ports = one.sockets.map(({ port }) => port);
      expect(new Set(ports)).toEqual(new Set([one.port]));
      expect(one.sockets.map(({ family }) => family)).toEqual(hasIpv6 ? [4, 6] : [4]);
      const taken = openLinuxPort(libc(), poller, handlers, { port: one.port });
      await expect(taken).rejects.toThrow(
        new UdpError('EADDRINUSE', `UDP port ${one.port} cannot be opened (EADDRINUSE)`),
      );
      await one.close();
      const again = await openLinuxPort(libc(), poller, handlers, { port: one.port });
      expect(again.port).toBe(one.port);
      await again.close();
    });

    test('an address that is none, one that is not ours, and no family at all', async () => {
      const poller = new Poller(libc());
      open.push(() => poller.close());
      const opened = (address: string, from = libc()) =>
        openLinuxPort(from, poller, { onDatagram: () => {} }, { addresses: [address] });
      await expect(opened('localhost')).rejects.toThrow('localhost is not an address');
      await expect(opened('192.0.2.1')).rejects.toMatchObject({ code: 'EADDRNOTAVAIL' });
      const without: Libc = { ...libc(), socket: () => -1, code: () => 'EAFNOSUPPORT' };
      await expect(opened('127.0.0.1', without)).rejects.toMatchObject({ code: 'EAFNOSUPPORT' });
    });

    test('the mark is set before the port is had; where it is not permitted, nothing stays open', () => {
      const closed: number[] = [];
      const set: string[] = [];
      const marking = (permitted: boolean): Libc => ({
        ...libc(),
        setsockopt: (_, level, option, value, length) => {
          set.push(`${level} ${option} ${u32le(value, 0)} ${length}`);
          return option === 36 && !permitted ? -1 : 0;
        },
        code: () => 'EPERM',
        close: (fd) => {
          closed.push(fd);
          return libc().close(fd);
        },
      });
      socket('127.0.0.1:0', marking(true), 51_820);
      expect(set).toContain('1 36 51820 4');
      set.length = 0;
      socket('127.0.0.1:0', marking(true));
      expect(set.some((one) => one.startsWith('1 36 '))).toBe(false);
      closed.length = 0;
      expect(() => socket('127.0.0.1:0', marking(false), 51_820)).toThrow('the socket cannot be marked (EPERM)');
      expect(closed).toHaveLength(1);
    });
  });

  test('closed, it sends and hears nothing more, and gives back what it took, once', async () => {
    let freed = 0;
    const counting: Libc = {
      ...libc(),
      allocate: (length) => {
        const memory = libc().allocate(length);
        return {
          ...memory,
          free: () => {
            freed++;
            memory.free();
          },
        };
      },
    };
    const far = socket('127.0.0.1:0');
    const near = socket('127.0.0.1:0', counting);
    near.socket.close();
    near.socket.close();
    expect(freed).toBe(2);
    near.socket.send({ bytes: bytes(1), to: at(`127.0.0.1:${far.socket.port}`) }, failed);
    const other = socket('127.0.0.1:0');
    other.socket.send({ bytes: bytes(2), to: at(`127.0.0.1:${far.socket.port}`) }, failed);
    expect((await far.came.next()).bytes).toEqual(bytes(2));
  });

  test('a handler may close it', async () => {
    const poller = new Poller(libc());
    open.push(() => poller.close());
    const heard = new Heard<void>();
    const far: LinuxUdpSocket = new LinuxUdpSocket(
      libc(),
      poller,
      {
        onDatagram: () => {
          far.close();
          heard.take();
        },
      },
      at('127.0.0.1:0'),
    );
    const near = socket('127.0.0.1:0');
    for (let i = 0; i < 3; i++) near.socket.send({ bytes: bytes(i), to: at(`127.0.0.1:${far.port}`) }, failed);
    await heard.next();
    expect(heard.all).toHaveLength(1);
  });

  test('the address that this machine would send from, asked once', () => {
    let asked = 0;
    const counting: Libc = {
      ...libc(),
      connect: (fd, address, length) => {
        asked++;
        return libc().connect(fd, address, length);
      },
    };
    const source = sourceFor(counting, 0);
    const found = source(at('127.0.0.5:9'), 4500);
    expect(found?.port).toBe(4500);
    expect(found && ipOf(found)).toMatch(/^127\./);
    expect(source(at('127.0.0.5:9'), 1)?.port).toBe(1);
    expect(asked).toBe(1);
    const nowhere = sourceFor({ ...libc(), connect: () => -1 }, 0);
    expect(nowhere(at('192.0.2.1:1'), 1)).toBeUndefined();
  });

  describe('gathered', () => {
    const sized = (length: number, value: number): Bytes => new Uint8Array(length).fill(value);
    const SIZES = [100, 100, 100, 40, 100, 100, 1452, 1452, 7, 0, 9];

    /** How many calls `sendmsg` got. */
    function counting() {
      let calls = 0;
      const counted: Libc = {
        ...libc(),
        sendmsg: (fd, header, flags) => {
          calls++;
          return libc().sendmsg(fd, header, flags);
        },
      };
      return { counted, calls: () => calls };
    }

    async function arrive(near: LinuxUdpSocket, host: string, sizes: readonly number[]) {
      const far = socket(`${host}:0`);
      near.cork();
      for (const [i, size] of sizes.entries()) {
        near.send({ bytes: sized(size, i), to: at(`${host}:${far.socket.port}`) }, failed);
      }
      near.uncork();
      const got = [];
      for (let i = 0; i < sizes.length; i++) got.push((await far.came.next()).bytes);
      return got;
    }

    test.each(['127.0.0.1', ...(hasIpv6 ? ['[::1]'] : [])])(
      'all arrive, each by itself, in their order: %s',
      async (host) => {
        const { counted, calls } = counting();
        const near = socket(`${host}:0`, counted).socket;
        expect(await arrive(near, host, SIZES)).toEqual(SIZES.map(sized));
        expect(calls()).toBeLessThan(SIZES.length);
      },
    );

    test('more than one call takes', async () => {
      const { counted, calls } = counting();
      const sizes = Array.from({ length: 200 }, () => 1000);
      expect(await arrive(socket('127.0.0.1:0', counted).socket, '127.0.0.1', sizes)).toEqual(sizes.map(sized));
      expect(calls()).toBe(4);
    });

    test('to several places', async () => {
      const near = socket('127.0.0.1:0').socket;
      const [one, two] = [socket('127.0.0.1:0'), socket('127.0.0.1:0')];
      near.cork();
      for (const [i, { socket: far }] of [one, two, one, two].entries())
        near.send({ bytes: sized(10, i), to: at(`127.0.0.1:${far.port}`) }, failed);
      near.uncork();
      expect([await one.came.next(), await one.came.next()].map(({ bytes }) => bytes[0])).toEqual([0, 2]);
      expect([await two.came.next(), await two.came.next()].map(({ bytes }) => bytes[0])).toEqual([1, 3]);
    });

    test('where the kernel refuses, each goes alone, and after three times nothing is gathered any more', async () => {
      // each turn: together, refused; then both alone
      const { fake, sends } = answering(...Array.from({ length: 3 }, () => ['EINVAL', undefined, undefined]).flat());
      const near = socket('127.0.0.1:0', fake).socket;
      for (let turn = 0; turn < 3; turn++) expect(await arrive(near, '127.0.0.1', [50, 50])).toHaveLength(2);
      expect(sends()).toBe(9);
      expect(await arrive(near, '127.0.0.1', [50, 50])).toHaveLength(2);
      expect(sends()).toBe(11);
    });

    test('what keeps one from leaving is told for that one', async () => {
      const { fake } = answering('EMSGSIZE', undefined, 'EPERM', 'EPERM', 'EPERM');
      const near = socket('127.0.0.1:0', fake).socket;
      const far = socket('127.0.0.1:0');
      const told: string[] = [];
      near.cork();
      for (let i = 0; i < 2; i++)
        near.send({ bytes: sized(8, i), to: at(`127.0.0.1:${far.socket.port}`) }, (code) => told.push(`${i} ${code}`));
      expect(told).toEqual([]);
      near.uncork();
      expect((await far.came.next()).bytes).toEqual(sized(8, 0));
      expect(told).toEqual(['1 EPERM']);
    });
  });
});
