/**
 * `wgwhy up` as it is installed, against wireguard-go behind a router: both roles, both families, the files it writes, what
 * it does to its machine and takes back, and how it comes through trouble. The stories run side by side.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, type TestContext, test } from 'vitest';
import type { WgwhyEvent } from '../../src/report/event.ts';
import type { Report } from '../../src/report/model.ts';
import { Lab, type Side, until } from './lab/network.ts';
import { newPresharedKey } from './lab/plan.ts';
import { runLater } from './lab/shell.ts';
import { dualPair, INSIDE, type Outer, Story } from './lab/story.ts';
import { PROGRAM } from './lab/wgwhy.ts';
import { obstacle } from './obstacle.ts';

const why = obstacle(['iperf3', 'tshark', 'ss', 'sysctl']);
const title = `wgwhy up and wireguard-go${why === undefined ? '' : ` (skipped: ${why})`}`;

/** For what the timers bring: 15 s until a silence is noticed, then a try every 5 s (wp §6.1, §6.5). */
const TIMERS_MS = 45_000;
const BULK_BYTES = 1_000_000;

interface Iperf3 {
  readonly error?: string;
  readonly end: { readonly sum?: { readonly bytes: number }; readonly sum_received?: { readonly bytes: number } };
}

/**
 * Both kinds, both directions, so many bytes: how fast is the machine's matter. What TCP still has in its buffers when the
 * sender is done, iperf3 does not wait for.
 */
async function bulk({ lab }: Story): Promise<void> {
  const [address] = INSIDE.server;
  for (const kind of [[], ['-R'], ['-u'], ['-u', '-R']]) {
    // One for each: while it clears up after a run, it refuses the next.
    const server = lab.spawn('server', ['iperf3', '-s', '-1', '-B', address]);
    await until('iperf3', () => lab.exec('server', 'ss', '-ltnH').includes(`${address}:5201`));
    const argv = ['iperf3', '-J', '-c', address, '-n', `${BULK_BYTES}`, '-b', '20M', ...kind];
    const { error, end } = JSON.parse(await lab.execLater('client', ...argv)) as Iperf3;
    expect(error).toBeUndefined();
    expect((end.sum_received ?? end.sum)?.bytes).toBeGreaterThan(BULK_BYTES / 10);
    await server.ended;
  }
}

const countOf = (values: readonly unknown[], wanted: unknown): number => values.filter((one) => one === wanted).length;

/** Wireshark opens all of the capture with the key log, and so do we, and find nothing wrong in it. */
async function filesAreGood(pcap: string, keyLog: string): Promise<void> {
  const fields = ['wg.type', 'wg.handshake_ok', 'wg.keepalive', 'wg.decryption_error', 'frame.protocols'];
  const columns = fields.flatMap((name) => ['-e', name]);
  const diagnose = [PROGRAM, 'diagnose', pcap, keyLog];
  const [theirs, report, events] = await Promise.all([
    runLater('tshark', ['-r', pcap, '-o', `wg.keylog_file:${keyLog}`, '-T', 'fields', ...columns]),
    runLater(process.execPath, [...diagnose, '--json']),
    runLater(process.execPath, [...diagnose, '--ndjson']),
  ]);
  const rows = theirs.split('\n').slice(0, -1);
  const cells = rows.map((row) => row.split('\t'));
  const [types, handshakes, keepalives, errors, protocols] = fields.map((_, i) => cells.map((row) => row[i] ?? ''));
  const { counts, findings } = JSON.parse(report) as Report;
  const ofType = ['1', '2', '3', '4'].map((type) => countOf(types ?? [], type));
  expect(ofType).toEqual(Object.values(counts.messages));
  expect(rows.length).toBe(counts.frames);
  expect(findings.filter(({ severity }) => severity !== 'info')).toEqual([]);
  expect(counts.verdicts['refused']).toBe(0);

  const told = events.split('\n').slice(0, -1);
  const messages = told.map((line) => JSON.parse(line) as WgwhyEvent).filter((one) => one.event === 'message');
  const data = messages.filter(({ message }) => message === 'data').map(({ innerLength }) => innerLength);
  expect(data.length).toBe(counts.messages['data']);
  expect(countOf(data, undefined)).toBe(0);
  expect(countOf(data, 0)).toBe(countOf(keepalives ?? [], '1'));
  const inside = (protocols ?? []).filter((path) => /:wg:ip/.test(path));
  expect(inside.length).toBe(data.length - countOf(data, 0));
  await runLater(process.execPath, [PROGRAM, 'decrypt', pcap, keyLog, '-o', `${pcap}.inner`]);
  const decrypted = await runLater('tshark', ['-r', `${pcap}.inner`, '-T', 'fields', '-e', 'frame.protocols']);
  // Wireshark goes to IPv6 by way of its dissector of IPv4
  expect(decrypted.split('\n').slice(0, -1)).toEqual(
    inside.map((path) => path.replace(/^.*:wg:(ip:(?=ipv6))?/, 'raw:')),
  );
  expect(new Set(errors)).toEqual(new Set(['']));
  const responses = messages.filter(({ message }) => message === 'response').map(({ handshakeOk }) => handshakeOk);
  expect(responses.length).toBeGreaterThan(0);
  expect(countOf(responses, true)).toBe(responses.length);
  expect(countOf(handshakes ?? [], '1')).toBe(responses.length);
}

describe(title, { concurrent: true, skip: why !== undefined, timeout: 120_000 }, () => {
  let folder = '';
  const labs: Lab[] = [];
  const abandon = (): void => {
    for (const lab of labs) lab.abandon();
  };

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'wgwhy-up-'));
    process.on('exit', abandon);
  });

  afterAll(async () => {
    const closed = await Promise.allSettled(labs.splice(0).map((lab) => lab.close()));
    process.off('exit', abandon);
    rmSync(folder, { recursive: true, force: true });
    expect(closed.filter(({ status }) => status === 'rejected')).toEqual([]);
  }, 60_000);

  function begin({ onTestFailed }: TestContext, letter: string, ours: Side, pair = dualPair()): Story {
    const lab = new Lab(`${process.pid % 1000}${letter}`, join(folder, letter));
    labs.push(lab);
    const story = new Story(lab, ours, pair);
    onTestFailed(() => console.log(story.told));
    return story;
  }

  test('the way is cut for a while', async (context) => {
    const story = begin(context, 'a', 'client');
    const { lab } = story;
    await lab.up('server');
    const wgwhy = await story.up();
    await story.pings('client');
    const mark = wgwhy.stdout.mark;
    lab.routerDrops('meta l4proto udp');
    lab.ping('client', INSIDE.server[0], { count: 600, interval: 0.2 });
    await wgwhy.said('nothing came back for 15 s after data was sent: a new handshake begins', mark, TIMERS_MS);
    await wgwhy.said('no answer to the handshake for 5 s, try 2', mark, TIMERS_MS);
    lab.routerDrops();
    // The other end knows by now where we are, and its timers run as well.
    await wgwhy.said('handshake complete', mark, TIMERS_MS);
    await story.pings('client');
    await story.pings('server');
    expect(await wgwhy.end()).toBe(0);
    expect(wgwhy.stderr.lines).toEqual([]);
  });

  test('the other end dies and comes back', async (context) => {
    const story = begin(context, 'b', 'client');
    const { lab } = story;
    await lab.up('server');
    const wgwhy = await story.up();
    await story.pings('client');
    const mark = wgwhy.stdout.mark;
    await lab.kill('server');
    lab.ping('client', INSIDE.server[0], { count: 600, interval: 0.2 });
    await wgwhy.complained(
      '203.0.113.10 answers ICMP port unreachable (type 3, code 3), about what went to 203.0.113.10:51820',
    );
    await lab.up('server');
    await wgwhy.said('nothing came back for 15 s after data was sent: a new handshake begins', mark, TIMERS_MS);
    await wgwhy.said('handshake complete, we began it', mark, TIMERS_MS);
    await story.pings('client');
    await story.pings('server');
    expect(await wgwhy.end('SIGINT')).toBe(0);
  });

  test('we are killed and come back, and only the other end knows where to write to', async (context) => {
    const story = begin(context, 'c', 'server');
    const { lab } = story;
    await lab.up('client');
    const first = await story.up();
    await story.pings('client');
    lab.ping('client', INSIDE.server[0], { count: 600, interval: 0.2 });
    expect(await first.end('SIGKILL')).toBeNull();
    await until('the interface to be gone', () => story.left().length === 0);
    const second = await story.up();
    await second.complained('data for a session that is not here: this end was restarted');
    await second.said('handshake complete, the other end began it', 0, TIMERS_MS);
    await story.pings('client');
    await story.pings('server');
    expect(await second.end()).toBe(0);
  });

  test('the other end, which begins, is restarted', async (context) => {
    const story = begin(context, 'd', 'server');
    const { lab } = story;
    await lab.up('client');
    const wgwhy = await story.up();
    await story.pings('client');
    await lab.kill('client');
    const mark = wgwhy.stdout.mark;
    await lab.up('client');
    await story.pings('client');
    await wgwhy.said('handshake complete, the other end began it', mark);
    await story.pings('server');
    expect(await wgwhy.end()).toBe(0);
  });

  test('the name of the endpoint moves', async (context) => {
    const pair = dualPair();
    const story = begin(context, 'e', 'client', pair);
    const { lab, name } = story;
    lab.hosts('client', '203.0.113.99 vpn.example\n');
    await lab.up('server');
    const wgwhy = await story.up(story.write('named.conf', story.peer({ endpoint: 'vpn.example:51820' })));
    expect(lab.exec('client', 'wg', 'show', name, 'endpoints')).toContain('\t203.0.113.99:51820\n');
    lab.ping('client', INSIDE.server[0], { count: 600, interval: 0.2 });
    await wgwhy.complained('10.99.1.1 answers ICMP host unreachable');
    lab.hosts('client', '203.0.113.10 vpn.example\n');
    await wgwhy.said('no answer to the handshake for 5 s, try 2');
    await wgwhy.said('vpn.example is 203.0.113.10:51820 now, and was 203.0.113.99:51820', 0, TIMERS_MS);
    await wgwhy.said('handshake complete, we began it', 0, TIMERS_MS);
    await story.pings('client');
    expect(lab.exec('client', 'wg', 'show', name, 'endpoints')).toContain('\t203.0.113.10:51820\n');
    expect(await wgwhy.end()).toBe(0);
  });

  test('drops are explained, and what was wrong is mended while it runs', async (context) => {
    const story = begin(context, 'f', 'client');
    const { lab, pair, name } = story;
    const { server } = pair;
    await lab.up('server');
    lab.reconfigure('server', {
      ...server,
      peers: server.peers.map((peer) => ({ ...peer, presharedKey: newPresharedKey() })),
    });
    const wgwhy = await story.up();
    lab.ping('client', INSIDE.server[0], { count: 600, interval: 0.2 });
    const complaint = await wgwhy.complained('the response does not open: the preshared keys differ');
    expect(complaint).toMatch(/ dropped from 203\.0\.113\.10:51820: .* \(empty-unsealable\)$/);
    await wgwhy.complained('  the same PresharedKey at both ends, or none at both; wgwhy rules psk-mismatch');
    lab.reconfigure('server', server);
    await wgwhy.said('handshake complete', 0, TIMERS_MS);
    await story.pings('client');

    const theirs = lab.device('server');
    lab.exec('server', 'ip', 'addr', 'add', '10.9.9.9/32', 'dev', theirs);
    lab.exec('server', 'ip', 'route', 'replace', '10.66.66.2/32', 'dev', theirs, 'src', '10.9.9.9');
    lab.ping('server', INSIDE.client[0], { count: 600, interval: 0.2 });
    await wgwhy.complained("sent a packet from 10.9.9.9, which is in nobody's AllowedIPs (source-not-allowed)");

    lab.exec('client', 'ip', 'route', 'add', '10.8.8.0/24', 'dev', name);
    lab.ping('client', '10.8.8.8', { count: 600, interval: 0.2 });
    await wgwhy.complained('a packet to 10.8.8.8 was routed here, but no peer has that address in its AllowedIPs');

    const [key = ''] = pair.client.peers.map(({ publicKey }) => publicKey);
    lab.exec('client', 'wg', 'set', name, 'peer', key, 'remove');
    await wgwhy.said(/ changed by wg: peer \S+ removed$/);
    await wgwhy.complained('a packet to 10.66.66.1 was routed here');
    expect(await wgwhy.end()).toBe(0);
  });

  test('a default route, hooks, and every way to end', async (context) => {
    const story = begin(context, 'g', 'client');
    const { lab, name } = story;
    const hooks = ['PreUp', 'PostUp', 'PreDown', 'PostDown'];
    const done = story.file('hooks.txt');
    const conf = story.write(
      'all.conf',
      story.peer({ allowedIps: '0.0.0.0/0, ::/0' }),
      hooks.map((hook) => `${hook} = echo ${hook} %i >>${done}`),
    );
    await lab.up('server');
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGKILL'] as const) {
      const killed = signal === 'SIGKILL';
      rmSync(done, { force: true });
      const wgwhy = await story.up(conf, '--hooks');
      await story.pings('client');
      await story.pings('server');
      expect(story.left()).toEqual(
        expect.arrayContaining([
          expect.stringContaining(`: ${name}: <`),
          expect.stringMatching(/^\d+:\s+not from all fwmark 0xca6c lookup 51820$/),
          expect.stringMatching(new RegExp(`^default dev ${name} table 51820 `)),
          `table ip wgwhy-${name} {`,
          `table ip6 wgwhy-${name} {`,
        ]),
      );
      expect(await wgwhy.end(signal)).toBe(killed ? null : 0);
      if (!killed) await wgwhy.said(`${name} is down (${signal})`);
      await until(`the machine to be as before after ${signal}`, () => story.left().length === 0);
      const ran = hooks.filter((hook) => !killed || hook !== 'PreDown').map((hook) => `${hook} ${name}\n`);
      await until(`the hooks after ${signal}`, () => readFileSync(done, 'utf8') === ran.join(''));
      // The other end may have something to say yet under the session before.
      expect(wgwhy.stderr.lines.filter((line) => line.includes(' note: '))).toEqual([]);
    }
  });

  test('a route that leads our own datagrams into the tunnel', async (context) => {
    const story = begin(context, 'm', 'client');
    const { lab } = story;
    await lab.up('server');
    const wgwhy = await story.up(story.write('loop.conf', story.peer({ allowedIps: '10.66.66.0/24, 203.0.113.0/24' })));
    lab.ping('client', INSIDE.server[0], { count: 600, interval: 0.2 });
    await wgwhy.complained('dropped: what this tunnel sends to 203.0.113.10:51820 was routed into the tunnel itself');
    await wgwhy.complained('ip route add 203.0.113.10 via GATEWAY; wgwhy rules endpoint-loops-into-tunnel');
    lab.exec('client', 'ip', 'route', 'add', '203.0.113.10', 'via', '10.99.1.1');
    await wgwhy.said('handshake complete, we began it', 0, TIMERS_MS);
    expect(await wgwhy.end()).toBe(0);
  });

  test('a hook that hangs: asked twice, it ends at once, and everything is taken back', async (context) => {
    const story = begin(context, 'n', 'client');
    const { lab, name } = story;
    const pid = story.file('hook.pid');
    const wgwhy = await story.up(
      story.write('hangs.conf', {}, [`PreDown = echo $$ >${pid}; exec sleep 600`]),
      '--hooks',
    );
    const ended = wgwhy.end('SIGINT');
    await until('the hook', () => existsSync(pid) && readFileSync(pid, 'utf8').endsWith('\n'));
    // Within a second it is taken for the same wish.
    await until('the end', () => {
      void wgwhy.end('SIGTERM');
      return !wgwhy.running;
    });
    // It holds the outputs open.
    lab.exec('client', 'kill', readFileSync(pid, 'utf8').trim());
    expect(await ended).toBeNull();
    await until('the machine to be as before', () => story.left().length === 0);
    expect(wgwhy.stdout.lines.some((line) => line.includes(`${name} is down`))).toBe(false);
    expect(lab.exec('client', 'ip', 'link')).not.toContain(name);
  });

  test('started twice, then its interface is deleted', async (context) => {
    const story = begin(context, 'h', 'client');
    const { lab, name, conf } = story;
    const keyLog = story.file('keys.log');
    const pcap = story.file('outer.pcapng');
    await lab.up('server');
    const first = await story.up(conf, '--key-log', keyLog, '--pcap', pcap);
    await story.pings('client');
    const written = [readFileSync(keyLog, 'utf8'), statSync(pcap).size];
    const second = story.begin(conf, '--key-log', keyLog, '--pcap', pcap);
    expect(await second.ended).toBe(2);
    expect(second.stdout.lines).toEqual([]);
    expect(second.stderr.lines[0]).toBe(`wgwhy: there is an interface ${name} already`);
    expect([readFileSync(keyLog, 'utf8'), statSync(pcap).size]).toEqual(written);
    await story.pings('client');
    lab.exec('client', 'ip', 'link', 'del', name);
    expect(await first.ended).toBe(0);
    await first.said(`${name} is down (the interface was deleted)`);
    expect(story.left()).toEqual([]);
  });

  const carrying: readonly (readonly [string, Side, Outer])[] = [
    ['i', 'client', 4],
    ['j', 'client', 6],
    ['k', 'server', 4],
    ['l', 'server', 6],
  ];
  test.for(carrying)(
    'carries pings, TCP and UDP, and the files show it: %s, as the %s, IPv%i outside',
    async (row, context) => {
      const [letter, ours, outer] = row;
      const story = begin(context, letter, ours, dualPair(outer));
      const { lab, pair, name, theirs } = story;
      const [pcap, keyLog] = [story.file('outer.pcapng'), story.file('keys.log')];
      await lab.up(theirs);
      const wgwhy = await story.up(story.conf, '--pcap', pcap, '--key-log', keyLog);
      await story.pings('client');
      await story.pings('server');
      await bulk(story);

      const [peer] = pair[ours].peers;
      const shown = lab
        .exec(ours, 'wg', 'show', name, 'dump')
        .split('\n')
        .map((line) => line.split('\t'));
      expect(shown).toEqual([
        [pair[ours].privateKey, pair[theirs].peers[0]?.publicKey, `${pair[ours].listenPort}`, 'off'],
        [
          peer?.publicKey,
          peer?.presharedKey,
          expect.stringMatching(outer === 4 ? /^\d+\.\d+\.\d+\.\d+:\d+$/ : /^\[[0-9a-f:]+\]:\d+$/),
          peer?.allowedIps.replaceAll(' ', ''),
          expect.stringMatching(/^[1-9]\d{9}$/),
          expect.stringMatching(/^[1-9]\d{6,}$/),
          expect.stringMatching(/^[1-9]\d{6,}$/),
          'off',
        ],
        [''],
      ]);

      expect(await wgwhy.end()).toBe(0);
      expect(wgwhy.stderr.lines).toEqual([]);
      const who = ours === 'client' ? 'we began it' : 'the other end began it';
      await wgwhy.said(`handshake complete, ${who}`);
      await wgwhy.said(`${name} is down (SIGTERM)`);
      expect(story.left()).toEqual([]);
      for (const path of [pcap, keyLog]) expect(statSync(path).mode & 0o777).toBe(0o600);
      await filesAreGood(pcap, keyLog);
    },
  );
});
