/** `wgwhy diagnose --live` and `wgwhy listen` as they are installed, while real peers fail and recover. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { msBetween } from '../../src/base/time.ts';
import { openCapture } from '../../src/capture/open.ts';
import { Lab, type Side } from './lab/network.ts';
import { formatQuickFile, freshPair, type PairPlan } from './lab/plan.ts';
import { type Background, run, sleep } from './lab/shell.ts';
import { obstacle } from './obstacle.ts';

const FILTER = ['udp', 'or', 'icmp'];

interface Told {
  readonly event: string;
  readonly finding?: { readonly rule: string; readonly severity: string };
}

/** The command, running; what it has said so far. */
class Wgwhy {
  stdout = '';
  stderr = '';
  readonly code: Promise<number | null>;
  readonly #child: ChildProcess;

  /** `stdin`: a named pipe that somebody writes into. */
  constructor(argv: readonly string[], stdin?: string) {
    const fd = stdin === undefined ? undefined : openSync(stdin, 'r');
    this.#child = spawn(process.execPath, ['dist/cli/main.js', ...argv], { stdio: [fd ?? 'ignore', 'pipe', 'pipe'] });
    if (fd !== undefined) closeSync(fd);
    this.#child.stdout?.on('data', (text: Buffer) => (this.stdout += text.toString()));
    this.#child.stderr?.on('data', (text: Buffer) => (this.stderr += text.toString()));
    this.code = new Promise((resolve) => this.#child.on('close', resolve));
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** `finding-opened no-response`, in order. */
  get findings(): string[] {
    const lines = this.stdout.split('\n').slice(0, -1);
    const events = lines.map((line) => JSON.parse(line) as Told);
    return events.flatMap(({ event, finding }) => (finding === undefined ? [] : [`${event} ${finding.rule}`]));
  }

  async says(what: string, seconds: number): Promise<void> {
    for (let waited = 0; waited < seconds * 10; waited++) {
      if (this.findings.includes(what)) return;
      await sleep(0.1);
    }
    throw new Error(`it never said "${what}", but: ${this.findings.join(', ')}\n${this.stderr}`);
  }
}

describe.skipIf(obstacle() !== undefined)('while real peers fail and recover', () => {
  const folder = mkdtempSync(join(tmpdir(), 'wgwhy-live-'));
  const running: Wgwhy[] = [];
  const lab = new Lab(`${process.pid % 1000}l`, join(folder, 'lab'));
  const file = (name: string): string => join(folder, name);
  let pair: PairPlan;

  beforeAll(async () => {
    pair = freshPair();
    lab.build();
    await lab.start(pair, ['client']);
    for (const side of ['client', 'server'] as const)
      writeFileSync(file(`${side}.conf`), formatQuickFile(pair[side]), { mode: 0o600 });
  }, 60_000);

  afterAll(async () => {
    for (const program of running) program.signal('SIGKILL');
    await lab.close();
    rmSync(folder, { recursive: true, force: true });
  }, 30_000);

  const pipe = (name: string): string => {
    run('mkfifo', [file(name)]);
    return file(name);
  };
  const tcpdump = (side: Side, target: string): Background => {
    const options = ['-n', '-U', '--immediate-mode', '-Z', 'root', '-i', side === 'client' ? 'c' : 's', '-w', target];
    return lab.spawn(side, ['tcpdump', ...options, ...FILTER]);
  };
  const wgwhy = (argv: readonly string[], stdin?: string): Wgwhy => {
    const started = new Wgwhy(argv, stdin);
    running.push(started);
    return started;
  };

  test('from one end, over a pipe: a server that is down, and comes up', async () => {
    // a host that is off sends no ICMP error either
    lab.nft('server', 'chain input { type filter hook input priority 0; udp dport 51820 drop\n}');
    const stdin = pipe('stdin.pipe');
    const capture = tcpdump('client', stdin);
    const live = wgwhy(['diagnose', '--live', '--ndjson', '-', file('client.conf'), '--at', 'initiator'], stdin);
    const ping = lab.ping('client', '10.66.66.1', { count: 60 });
    await live.says('finding-opened no-response', 30);
    expect(live.findings).toEqual(['finding-opened no-response']);

    await lab.up('server');
    lab.nft('server', 'chain input { type filter hook input priority 0;\n}');
    await live.says('finding-closed no-response', 30);
    await live.says('finding-opened handshake-retried', 30);
    expect(live.findings.toSorted()).toEqual([
      'finding-closed no-response',
      'finding-opened handshake-retried',
      'finding-opened no-response',
    ]);

    await ping.stop();
    await capture.stop('SIGINT');
    expect(await live.code).toBe(0);
    expect(live.stderr).toBe('findings are told as they come; Ctrl-C ends it with the report\n');
  });

  test('from both ends, over named pipes: a path that is cut and mended, ended by Ctrl-C', async () => {
    await lab.kill('client');
    lab.routerDrops('udp dport 51820');
    const pipes = ['client', 'server'].map((name) => pipe(`${name}.pipe`));
    const confs = [file('client.conf'), file('server.conf')];
    const live = wgwhy(['diagnose', '--live', '--ndjson', ...pipes, ...confs]);
    for (const [i, side] of (['client', 'server'] as const).entries()) tcpdump(side, pipes[i] ?? '');
    await lab.up('client');
    const ping = lab.ping('client', '10.66.66.1', { count: 60 });
    await live.says('finding-opened initiation-lost-on-path', 30);

    lab.routerDrops();
    await live.says('finding-closed initiation-lost-on-path', 30);
    await ping.stop();
    live.signal('SIGINT');
    expect(await live.code).toBe(0);
    expect(live.findings.filter((line) => line.startsWith('finding-opened')).toSorted()).toEqual([
      'finding-opened handshake-retried',
      'finding-opened initiation-lost-on-path',
    ]);
  });
});

test('a RouterOS stream, with the pauses of the capture it is made of', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'wgwhy-tzsp-'));
  const write = join(folder, 'frames.pcapng');
  const port = 37_000 + (process.pid % 1000) + 9;
  const conf = 'vectors/lab/wrong-server-key/client.conf';
  const argv = ['listen', '--bind', '127.0.0.1', '--port', `${port}`, '--write', write, '--at', 'initiator', conf];
  const live = new Wgwhy([...argv, '--ndjson']);
  try {
    while (!live.stderr.includes('Ctrl-C')) await sleep(0.05);
    await streamAsTzsp('vectors/lab/wrong-server-key/client.pcap', port);
    await live.says('finding-opened no-response', 10);
    live.signal('SIGTERM');
    expect(await live.code).toBe(1);
    expect(live.stderr).toContain('from 127.0.0.1: 3 TZSP packets, 3 frames\n');
    const written = run('tcpdump', ['-r', write, '-n']);
    expect(written.match(/10\.99\.1\.2\.51821 > 203\.0\.113\.10\.51820/g)).toHaveLength(3);
  } finally {
    live.signal('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  }
});

async function streamAsTzsp(path: string, port: number): Promise<void> {
  const opened = await openCapture(
    (async function* () {
      yield new Uint8Array(readFileSync(path));
    })(),
  );
  if (!opened.ok) throw new Error(opened.error.message);
  const socket = createSocket('udp4');
  let before: { sec: number; nsec: number } | undefined;
  for await (const batch of opened.value.batches()) {
    for (const item of batch) {
      if (item.kind !== 'frame' || item.frame.time === undefined) continue;
      if (before !== undefined) await sleep(msBetween(before, item.frame.time) / 1000);
      before = item.frame.time;
      await new Promise((resolve) =>
        socket.send([Uint8Array.of(1, 0, 0, 1, 1), item.frame.bytes], port, '127.0.0.1', resolve),
      );
    }
  }
  await new Promise<void>((resolve) => socket.close(resolve));
}
