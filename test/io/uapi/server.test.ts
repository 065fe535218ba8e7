/** The control socket over a real one: many requests, bad ones, clients that go away, and whose file it is. */
import { linkSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { UapiChange, UapiRefusal, UapiSnapshot } from '../../../src/config/uapi.ts';
import { openUapi, type UapiOptions, type UapiServer, type UapiTarget } from '../../../src/io/uapi/server.ts';
import { UapiError } from '../../../src/io/uapi/socket-file.ts';

const EMPTY: UapiSnapshot = { privateKey: undefined, listenPort: 7, fwmark: 0, peers: [] };
const GOT = 'listen_port=7\nerrno=0\n\n';

let parent: string;
let folder: string;
const servers: UapiServer[] = [];

beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'wgwhy-uapi-'));
  folder = join(parent, 'wireguard');
});

afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
  rmSync(parent, { recursive: true, force: true });
});

/** Notes what it was asked for. */
class Target implements UapiTarget {
  readonly applied: (readonly UapiChange[])[] = [];
  answer: () => Promise<UapiRefusal | undefined> = async () => undefined;

  snapshot(): UapiSnapshot {
    return EMPTY;
  }

  apply(changes: readonly UapiChange[]): Promise<UapiRefusal | undefined> {
    this.applied.push(changes);
    return this.answer();
  }
}

async function open(target: UapiTarget, options: Partial<UapiOptions> = {}): Promise<UapiServer> {
  const server = await openUapi({ target, name: 'wg0', folder, ...options });
  servers.push(server);
  return server;
}

/** Says something, and waits until so many answers are there or the other end hangs up. */
class Client {
  readonly socket: Socket;
  #heard = '';
  #listen = (): void => {};

  constructor(server: UapiServer) {
    this.socket = connect(server.path);
    this.socket.setEncoding('latin1');
    this.socket.on('data', (text: string) => {
      this.#heard += text;
      this.#listen();
    });
  }

  async ask(request: string, answers = 1): Promise<string> {
    this.#heard = '';
    if (request !== '') this.socket.write(request);
    await new Promise<void>((resolve) => {
      this.#listen = () => {
        if (this.#heard.split('\n\n').length > answers) resolve();
      };
      this.socket.once('close', resolve);
      this.#listen();
    });
    return this.#heard;
  }

  get closed(): Promise<void> {
    return new Promise((resolve) => this.socket.once('close', () => resolve()));
  }

  /** As a process that ends. */
  leave(): Promise<void> {
    const { closed } = this;
    this.socket.destroy();
    return closed;
  }
}

describe('requests', () => {
  test('many on one connection, in any pieces, and on several connections', async () => {
    const target = new Target();
    const server = await open(target);
    const one = new Client(server);
    const two = new Client(server);
    expect(await one.ask('get=1\n\n')).toBe(GOT);
    expect(await two.ask('get=1\n\nset=1\nfwmark=1\n\nget=1\n\n', 3)).toBe(`${GOT}errno=0\n\n${GOT}`);
    one.socket.write('set=1\nfwm');
    expect(await two.ask('set=1\n\n')).toBe('errno=0\n\n');
    expect(await one.ask('ark=2\n\n')).toBe('errno=0\n\n');
    expect(target.applied).toEqual([[{ kind: 'fwmark', fwmark: 1 }], [], [{ kind: 'fwmark', fwmark: 2 }]]);
    await one.leave();
    await two.leave();
  });

  test('a set with one bad line is not done at all, and the reason is told to whoever runs the tunnel', async () => {
    const target = new Target();
    const refusals: UapiRefusal[] = [];
    const client = new Client(await open(target, { onRefused: (refusal) => refusals.push(refusal) }));
    expect(await client.ask('set=1\nfwmark=1\nlisten_port=no\n\n')).toBe('errno=-22\n\n');
    expect(await client.ask('set=1\nnonsense\n\n')).toBe('errno=-71\n\n');
    expect(await client.ask('hello\n\n')).toBe('errno=-71\n\n');
    expect(await client.ask('get=1\n\n')).toBe(GOT);
    expect(target.applied).toEqual([]);
    expect(refusals.map(({ code, problems }) => [code, problems.map(({ line }) => line)])).toEqual([
      ['EINVAL', [3]],
      ['EPROTO', [2]],
      ['EPROTO', [1]],
    ]);
    await client.leave();
  });

  test('what the target refuses, and what it fails at', async () => {
    const target = new Target();
    const refusals: UapiRefusal[] = [];
    const client = new Client(await open(target, { onRefused: (refusal) => refusals.push(refusal) }));
    const told: UapiRefusal = { code: 'EADDRINUSE', problems: [{ message: 'UDP port 5 cannot be opened' }] };
    target.answer = async () => told;
    expect(await client.ask('set=1\nlisten_port=5\n\n')).toBe('errno=-98\n\n');
    target.answer = async () => ({ code: 'of no system', problems: [] });
    expect(await client.ask('set=1\n\n')).toBe('errno=-5\n\n');
    target.answer = () => Promise.reject(new TypeError('the device was closed'));
    expect(await client.ask('set=1\n\n')).toBe('errno=-5\n\n');
    expect(refusals).toEqual([
      told,
      { code: 'of no system', problems: [] },
      { code: 'EIO', problems: [{ message: 'the tunnel failed at it: TypeError: the device was closed' }] },
    ]);
    expect(await client.ask('get=1\n\n')).toBe(GOT);
    await client.leave();
  });

  test('one after the other, whoever asks', async () => {
    const target = new Target();
    const server = await open(target);
    let finish = (): void => {};
    const begun = new Promise<void>((resolve) => {
      target.answer = () => {
        resolve();
        return new Promise((done) => (finish = () => done(undefined)));
      };
    });
    const one = new Client(server);
    const two = new Client(server);
    const first = one.ask('set=1\nlisten_port=1\n\n');
    await begun;
    let answered = false;
    const second = two.ask('get=1\n\n').finally(() => (answered = true));
    await new Client(server).leave();
    expect(answered).toBe(false);
    finish();
    expect([await first, await second]).toEqual(['errno=0\n\n', GOT]);
    await one.leave();
    await two.leave();
  });

  test('a request that is too large is passed over, refused at its end, and does no harm', async () => {
    const target = new Target();
    const client = new Client(await open(target));
    const megabyte = 'fwmark=1\n'.repeat(116_600);
    client.socket.write('set=1\n');
    for (let i = 0; i < 33; i++) client.socket.write(megabyte);
    expect(await client.ask('\n')).toBe('errno=-90\n\n');
    expect(await client.ask('get=1\n\n')).toBe(GOT);
    expect(target.applied).toEqual([]);
    await client.leave();
  });
});

describe('clients that go away', () => {
  test('with nothing more to say: the answer still comes, and then the end', async () => {
    const client = new Client(await open(new Target()));
    client.socket.end('get=1\n\n');
    const { closed } = client;
    expect(await client.ask('')).toBe(GOT);
    await closed;
  });

  test('in the middle of a set: nothing of it is done', async () => {
    const target = new Target();
    const server = await open(target);
    const half = new Client(server);
    // wireguard-go does what came so far.
    half.socket.end('set=1\nreplace_peers=true\n');
    expect(await half.ask('')).toBe('');
    await new Client(server).leave();
    const other = new Client(server);
    expect(await other.ask('get=1\n\n')).toBe(GOT);
    expect(target.applied).toEqual([]);
    await other.leave();
  });

  test('while their set is being done', async () => {
    const target = new Target();
    const server = await open(target);
    let finish = (): void => {};
    const begun = new Promise<void>((resolve) => {
      target.answer = () => {
        resolve();
        return new Promise((done) => (finish = () => done(undefined)));
      };
    });
    const gone = new Client(server);
    gone.socket.write('set=1\nlisten_port=1\n\n');
    await begun;
    await gone.leave();
    finish();
    const other = new Client(server);
    expect(await other.ask('get=1\n\n')).toBe(GOT);
    await other.leave();
  });
});

describe('the file', () => {
  test('belongs to its owner alone, as does a folder that was not there, and goes with the server', async () => {
    const server = await open(new Target());
    expect(server.path).toBe(join(folder, 'wg0.sock'));
    expect(lstatSync(server.path).mode & 0o777).toBe(0o600);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    const client = new Client(server);
    await client.ask('get=1\n\n');
    const { closed } = client;
    await server.close();
    await server.close();
    await closed;
    expect(readdirSync(folder)).toEqual([]);
    await open(new Target());
  });

  test('a folder that is there stays as it is', async () => {
    mkdirSync(folder, { mode: 0o755 });
    await open(new Target());
    expect(statSync(folder).mode & 0o777).toBe(0o755);
  });

  test('of a process that is gone is replaced', async () => {
    mkdirSync(folder);
    const gone = createServer();
    await new Promise<void>((resolve) => gone.listen(join(parent, 'gone'), resolve));
    linkSync(join(parent, 'gone'), join(folder, 'wg0.sock'));
    await new Promise((resolve) => gone.close(resolve));
    const client = new Client(await open(new Target()));
    expect(await client.ask('get=1\n\n')).toBe(GOT);
    await client.leave();
  });

  test('of a live one is left to it', async () => {
    const first = await open(new Target());
    const second = open(new Target());
    await expect(second).rejects.toThrow(UapiError);
    await expect(second).rejects.toMatchObject({
      code: 'EADDRINUSE',
      message: `another process already answers at ${first.path}`,
    });
    const client = new Client(first);
    expect(await client.ask('get=1\n\n')).toBe(GOT);
    await client.leave();
  });

  test('something else in its place is not touched', async () => {
    mkdirSync(folder);
    writeFileSync(join(folder, 'wg0.sock'), 'mine');
    await expect(open(new Target())).rejects.toMatchObject({ code: 'EEXIST' });
    expect(statSync(join(folder, 'wg0.sock')).size).toBe(4);
  });

  test.each(['', 'a/b', '../x', 'sixteen-letters-', 'a b'])('the name %j is none', async (name) => {
    await expect(open(new Target(), { name })).rejects.toMatchObject({ name: 'UapiError', code: 'EINVAL' });
  });

  test('where none can be made, the reason is told', async () => {
    writeFileSync(folder, '');
    await expect(open(new Target())).rejects.toMatchObject({ name: 'UapiError', code: 'EEXIST' });
    const long = join(parent, 'x'.repeat(80));
    await expect(open(new Target(), { folder: long })).rejects.toMatchObject({ code: 'ENAMETOOLONG' });
  });

  test('removed by somebody else: told once, and not when the server itself goes', async () => {
    let removals = 0;
    let told = (): void => {};
    const removed = new Promise<void>((resolve) => (told = resolve));
    const onRemoved = (): void => {
      removals++;
      told();
    };
    const other = await open(new Target(), { name: 'wg1', onRemoved });
    const server = await open(new Target(), { onRemoved });
    await other.close();
    expect(removals).toBe(0);
    rmSync(server.path);
    await removed;
    await server.close();
    expect(removals).toBe(1);
  });
});
