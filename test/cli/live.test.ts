/**
 * `diagnose --live` and `listen` from arguments to the last line, in time that stands still until it is passed. The texts
 * stand in test/cli/transcripts/; `npx vitest run test/cli/live.test.ts -u` writes them anew.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { endpoint, parseIp } from '../../src/base/address.ts';
import { concat, fromHex } from '../../src/base/bytes.ts';
import { msBetween } from '../../src/base/time.ts';
import type { Frame } from '../../src/capture/frame.ts';
import { openCapture } from '../../src/capture/open.ts';
import { pcapHeader, pcapRecord } from '../../src/capture/write-pcap.ts';
import type { Environment, Live } from '../../src/cli/environment.ts';
import { run } from '../../src/cli/run.ts';
import { noble } from '../../src/crypto/noble.ts';
import { rules } from '../../src/diagnose/registry.ts';
import { UdpPort } from '../../src/io/udp.ts';
import { diagnose } from '../../src/report/diagnose.ts';
import type { WgwhyEvent } from '../../src/report/event.ts';
import type { Report } from '../../src/report/model.ts';
import { eventSchema, reportSchema } from '../../src/report/schema.ts';
import { VirtualClock, VirtualNetwork } from '../io/virtual.ts';

const LAB = 'vectors/lab';
const CLIENT = [`${LAB}/wrong-server-key/client.conf`, '--at', 'initiator'];

async function framesOf(path: string): Promise<Frame[]> {
  const opened = await openCapture(
    (async function* () {
      yield new Uint8Array(readFileSync(path));
    })(),
  );
  if (!opened.ok) throw new Error(opened.error.message);
  const frames: Frame[] = [];
  for await (const batch of opened.value.batches()) {
    for (const item of batch)
      if (item.kind === 'frame') frames.push({ ...item.frame, bytes: item.frame.bytes.slice() });
  }
  return frames;
}

/** A command that runs, and the world that it runs in. */
class Running {
  readonly clock = new VirtualClock();
  stdout = '';
  stderr = '';
  readonly code: Promise<number>;
  interrupt = (_: string): void => {};

  constructor(argv: readonly string[], stdin?: (clock: VirtualClock) => AsyncIterable<Uint8Array>) {
    const { clock } = this;
    const signal = new Promise<string>((resolve) => (this.interrupt = resolve));
    const live: Live = {
      crypto: noble,
      random: () => new Uint8Array(0),
      clock,
      network: new VirtualNetwork(clock, {}),
      lookUp: async () => [],
      bringUp: () => Promise.reject(new Error('nobody asked for a tunnel')),
      untilSignal: () => signal,
    };
    const environment: Environment = {
      stdout: { write: (text) => (this.stdout += text) },
      stderr: { write: (text) => (this.stderr += text) },
      stdin: () => {
        if (stdin === undefined) throw new Error('nobody asked for standard input');
        return stdin(clock);
      },
      isTTY: { stdin: false, stdout: false, stderr: false },
      columns: 100,
      env: {},
      rules,
      live,
      diagnose: (sources, options) => diagnose(sources, { ...options, tool: 'wgwhy 0.0.0' }),
    };
    this.code = run(argv, environment);
  }

  end(): Promise<number> {
    return this.clock.until(this.code);
  }

  get events(): WgwhyEvent[] {
    return this.stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as WgwhyEvent);
  }
}

/** As tcpdump writes it: each frame at its moment, and then nothing for so long. */
function taken(frames: readonly Frame[], quietMs: number, quiet = (): void => {}) {
  return async function* (clock: VirtualClock): AsyncGenerator<Uint8Array> {
    const until = (ms: number): Promise<void> => new Promise((resolve) => clock.at(ms, resolve));
    const linkType = frames[0]?.linkType ?? 1;
    yield pcapHeader({ linkType });
    const [first] = frames;
    let ms = 0;
    for (const frame of frames) {
      ms = first?.time === undefined || frame.time === undefined ? 0 : msBetween(first.time, frame.time);
      await until(ms);
      yield pcapRecord({ linkType }, frame);
    }
    quiet();
    await until(ms + quietMs);
  };
}

const STORY = 'findings are told as they come; Ctrl-C ends it with the report\n';

describe('diagnose --live', () => {
  let wrongKey: Frame[] = [];
  let reset: Frame[] = [];
  beforeAll(async () => {
    wrongKey = await framesOf(`${LAB}/wrong-server-key/client.pcap`);
    reset = await framesOf(`${LAB}/kernel-clock-reset/client.pcap`);
  });

  test('text: a block as it happens, then the report', async () => {
    const running = new Running(['diagnose', '--live', '-', ...CLIENT], taken(wrongKey, 5000));
    expect(await running.end()).toBe(1);
    expect(running.stderr).toBe(STORY);
    await expect(running.stdout).toMatchFileSnapshot('transcripts/live-wrong-server-key.txt');
  });

  test('text: what is over again, and exit code 0', async () => {
    const slow = reset.map((frame, i) => (i < 9 ? frame : later(frame, 20)));
    const conf = `${LAB}/kernel-clock-reset/client.conf`;
    const running = new Running(['diagnose', '--live', '-', conf, '--at', 'initiator'], taken(slow, 5000));
    expect(await running.end()).toBe(0);
    await expect(running.stdout).toMatchFileSnapshot('transcripts/live-recovered.txt');
  });

  test('--ndjson: events that the schema knows, the finding before the end', async () => {
    const valid = new Ajv2020({ allErrors: true, strict: true, allowUnionTypes: true }).compile(eventSchema);
    const running = new Running(['diagnose', '--live', '--ndjson', '-', ...CLIENT], taken(wrongKey, 5000));
    expect(await running.end()).toBe(1);
    for (const event of running.events) expect(valid(event), JSON.stringify(valid.errors)).toBe(true);
    const order = running.events.map((event) => ('message' in event ? event.message : event.event));
    expect(order).toEqual(['initiation', 'initiation', 'finding-opened', 'initiation']);
  });

  test('--json: the report and nothing before it', async () => {
    const running = new Running(['diagnose', '--live', '--json', '-', ...CLIENT], taken(wrongKey, 0));
    expect(await running.end()).toBe(1);
    const valid = new Ajv2020({ allErrors: true, strict: true, allowUnionTypes: true }).compile(reportSchema);
    expect(valid(JSON.parse(running.stdout))).toBe(true);
  });

  test('a signal ends a stream that does not end', async () => {
    const endless = taken(wrongKey, 1e9, () => running.interrupt('SIGINT'));
    const running: Running = new Running(['diagnose', '--live', '--json', '-', ...CLIENT], endless);
    expect(await running.end()).toBe(1);
    const report = JSON.parse(running.stdout) as Report;
    expect([report.counts.frames, report.problems]).toEqual([3, []]);
  });

  test('nothing comes, and then a signal', async () => {
    const silent = async function* (): AsyncGenerator<Uint8Array> {
      await new Promise(() => {});
      yield new Uint8Array(0);
    };
    const running = new Running(['diagnose', '--live', '-'], silent);
    running.clock.at(30_000, () => running.interrupt('SIGINT'));
    expect(await running.end()).toBe(2);
    expect(running.stdout).toBe('');
    expect(running.stderr).toContain(`${STORY}nothing has come from standard input yet (tcpdump needs -U`);
    expect(running.stderr).toContain('this is an empty file');
  });

  test('without --live a stream that goes on is remarked on, once, and read to its end', async () => {
    const [conf = '', ...at] = CLIENT;
    const running = new Running(['diagnose', conf, '-', ...at], taken(wrongKey, 30_000));
    expect(await running.end()).toBe(1);
    expect(running.stderr).toBe(
      'still reading standard input to its end; with --live, findings are told as they come\n',
    );
    const quick = new Running(['diagnose', conf, '-', ...at], taken(wrongKey.slice(0, 2), 0));
    await quick.end();
    expect(quick.stderr).toBe('');
  });
});

const later = (frame: Frame, seconds: number): Frame =>
  frame.time === undefined ? frame : { ...frame, time: { ...frame.time, sec: frame.time.sec + seconds } };

describe('listen', () => {
  let folder = '';
  let sender: UdpPort;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'wgwhy-cli-listen-'));
    sender = await UdpPort.open({ onDatagram: () => {} }, { addresses: ['127.0.0.1'] });
  });
  afterAll(async () => {
    await sender.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const send = (port: number, bytes: Uint8Array): void => {
    const ip = parseIp('127.0.0.1');
    if (ip === undefined) throw new Error('no address');
    sender.send({ bytes, to: endpoint(ip, port) }, (code) => {
      throw new Error(code);
    });
  };

  const holds = async (what: () => boolean): Promise<void> => {
    while (!what()) await new Promise((resolve) => setImmediate(resolve));
  };

  async function listening(...argv: string[]): Promise<{ running: Running; port: number }> {
    const running = new Running(['listen', '--port', '0', '--bind', '127.0.0.1', ...argv]);
    await running.clock.standUntil(holds(() => running.stderr.includes('Ctrl-C')));
    return { running, port: Number(/UDP port (\d+)/.exec(running.stderr)?.[1]) };
  }

  test('a router’s stream: findings while it comes, the report and the file at the end', async () => {
    const write = join(folder, 'router.pcapng');
    const { running, port } = await listening('--ndjson', '--write', write, ...CLIENT);
    send(port, fromHex('01040000'));
    send(port, fromHex('0109000001ff'));
    const frames = await framesOf(`${LAB}/wrong-server-key/client.pcap`);
    for (const [i, frame] of frames.entries()) {
      send(port, concat(fromHex('0100000101'), frame.bytes));
      await running.clock.standUntil(holds(() => running.events.filter((e) => e.event === 'message').length === i + 1));
      running.clock.pass(5100);
    }
    const opened = running.events.filter((event) => event.event === 'finding-opened');
    expect(opened).toMatchObject([{ finding: { rule: 'no-response' } }]);
    running.interrupt('SIGINT');
    expect(await running.clock.standUntil(running.code)).toBe(1);

    expect(running.stderr).toContain(`streaming-server=127.0.0.1:${port} filter-stream=yes`);
    expect(running.stderr).toContain('the stream of 127.0.0.1 has begun\n');
    expect(running.stderr).toContain(
      'from 127.0.0.1: 5 TZSP packets, 3 frames, 2 without a frame (TZSP keepalive 1, TZSP type 9 1)\n',
    );
    expect(running.stderr).toContain('udp:0: 1 TZSP packet from 127.0.0.1 not read: TZSP type 9');
    const [written, sent] = [await framesOf(write), frames];
    expect(written.map(({ bytes }) => bytes)).toEqual(sent.map(({ bytes }) => bytes));
  });

  test('nothing comes', async () => {
    const { running } = await listening(...CLIENT);
    running.clock.pass(11_000);
    expect(running.stderr).toContain('nothing has come yet: is the sniffer running there');
    running.interrupt('SIGINT');
    expect(await running.clock.standUntil(running.code)).toBe(0);
    expect(running.stdout).toMatch(/^nothing to judge: there is no WireGuard message in 0 frames/);
  });

  test('a port that is taken', async () => {
    const { running, port } = await listening();
    const second = new Running(['listen', '--port', String(port), '--bind', '127.0.0.1']);
    expect(await second.clock.standUntil(second.code)).toBe(2);
    expect(second.stderr).toMatch(/^wgwhy: UDP port \d+ cannot be opened \(EADDRINUSE\)\n {2}something listens there/);
    running.interrupt('SIGTERM');
    await running.clock.standUntil(running.code);
  });

  test.each([
    ['a port that is none', ['--port', '70000'], '--port takes a UDP port'],
    ['a name to bind to', ['--bind', 'localhost'], '--bind takes an IP address'],
    ['a file that is not there', ['missing.conf'], 'there is no such file'],
    ['standard input', ['-'], 'listen reads no standard input'],
    ['a folder to write to', ['--port', '0', '--bind', '127.0.0.1', '--write', '.'], 'it cannot be written'],
  ])('%s is refused', async (_, argv, wanted) => {
    const running = new Running(['listen', ...argv]);
    expect(await running.clock.standUntil(running.code)).toBe(2);
    expect(running.stderr).toContain(wanted);
  });
});
