/** Decryption of captures: nothing but what was sent, all of what was received, at its time; and secrets that suffice. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Bytes, concat, concatAll, toHex } from '../../src/base/bytes.ts';
import { SECRETS_WIREGUARD } from '../../src/capture/pcapng-blocks.ts';
import { type PcapFrame, pcapFile } from '../../src/capture/write-pcap.ts';
import { type PcapngBlock, pcapngFile } from '../../src/capture/write-pcapng.ts';
import { nodeCrypto } from '../../src/crypto/node.ts';
import { type Decryption, type DecryptOptions, decrypt } from '../../src/report/decrypt.ts';
import { knownKeys } from '../../src/report/keys.ts';
import { packetsOf, type ReadBlock, readPcapng } from '../capture/pcapng-read.ts';
import { keyLog } from '../diagnose/handshakes.ts';
import { CLIENT_IN, ping, pong, SERVER_IN, Tunnel } from '../diagnose/inside.ts';
import { CLIENT, conf, fittingFiles, PSK_A, SERVER } from '../diagnose/keys.ts';
import { CAPTURE_BEGAN, capture } from '../diagnose/traffic.ts';
import { bytesSource } from '../scenarios/lab.ts';
import { filesOf } from '../simulation/files.ts';
import { planOf } from '../simulation/plan.ts';
import { Simulation } from '../simulation/simulation.ts';

type Files = Readonly<Record<string, string | Bytes>>;

interface Decrypted extends Decryption {
  readonly blocks: readonly ReadBlock[];
  readonly packets: ReturnType<typeof packetsOf>;
  readonly outside: Bytes;
}

async function decrypted(files: Files, options: Partial<DecryptOptions> = {}): Promise<Decrypted> {
  const inner: Bytes[] = [];
  const outer: Bytes[] = [];
  const sources = Object.entries(files).map(([name, content]) =>
    bytesSource(name, typeof content === 'string' ? new TextEncoder().encode(content) : content),
  );
  const decryption = await decrypt(sources, {
    crypto: nodeCrypto,
    inner: (bytes) => inner.push(bytes),
    outer: (bytes) => outer.push(bytes),
    ...options,
  });
  const blocks = readPcapng(concatAll(inner));
  return { ...decryption, blocks, packets: packetsOf(blocks), outside: concatAll(outer) };
}

const tallyOf = ({ captures }: Decryption) => captures.map(({ tally }) => tally);
const first = <T>(list: readonly T[]): T => {
  const [one] = list;
  if (one === undefined) throw new Error('there is none');
  return one;
};
const namesOf = (blocks: readonly ReadBlock[]) =>
  blocks.flatMap((block) => (block.kind === 'interface' ? [block.name] : []));

const statics = `LOCAL_STATIC_PRIVATE_KEY = ${CLIENT.secret}\nREMOTE_STATIC_PUBLIC_KEY = ${SERVER.public}\n`;
const KEYS = statics + keyLog(0x11);

/** Ping and answer, a keepalive, and a packet of odd length both ways. */
function talk(): Tunnel {
  return new Tunnel()
    .there(ping(CLIENT_IN, SERVER_IN))
    .back(pong(SERVER_IN, CLIENT_IN))
    .there(new Uint8Array(0))
    .there(ping(CLIENT_IN, SERVER_IN, { size: 13 }))
    .back(pong(SERVER_IN, CLIENT_IN, { size: 13 }));
}

describe('simulated networks', () => {
  test.each([
    [3, 'clean'],
    [5, 'rough'],
    [8, 'wild'],
  ] as const)('seed %i, %s: what was sent, and all that was delivered', async (seed, weather) => {
    const plan = planOf(seed, weather, 'brief');
    const outcome = new Simulation(plan).run();
    for (const view of ['client', 'server'] as const) {
      const files = Object.fromEntries(filesOf(plan, outcome, view, true).map(({ name, bytes }) => [name, bytes]));
      const one = await decrypted(files);
      const tally = first(tallyOf(one));
      const kept = tally.written + tally.keepalives + tally.unopenedCount;
      const left = [...tally.leftOut].reduce((sum, [what, { count }]) => sum + (what === 'copy' ? 0 : count), 0);
      expect(kept + left).toBe(tally.messages);
      expect(one.packets.length).toBe(tally.written);

      const sent = new Set(outcome.sent.map(({ bytes }) => toHex(bytes)));
      const found = new Set(one.packets.map(({ bytes }) => toHex(bytes)));
      expect([...found].filter((packet) => !sent.has(packet))).toEqual([]);
      const from = plan.captureFromMs;
      const [server, client] = plan.hosts;
      const own = (view === 'client' ? client : server)?.name;
      const received = outcome.sent.filter(
        ({ to, deliveredMs = 0, forged }) =>
          to === own && !forged && deliveredMs > from && deliveredMs < plan.captureUntilMs,
      );
      const missed = received.filter(({ bytes }) => !found.has(toHex(bytes)));
      // only sessions that were there before the capture began stay closed
      if (tally.unopenedCount === 0) expect(missed).toEqual([]);
      expect(received.length - missed.length).toBeGreaterThan(received.length / 2);
    }
  });
});

describe('inner packets', () => {
  test('cut to their own length, at their time, with a comment, on an interface of their direction', async () => {
    const tunnel = talk();
    const { packets, blocks } = await decrypted({ 'c.pcap': capture(tunnel.packets), 'k.txt': KEYS });
    expect(packets.map(({ bytes }) => toHex(bytes))).toEqual(
      [
        ping(CLIENT_IN, SERVER_IN),
        pong(SERVER_IN, CLIENT_IN),
        ping(CLIENT_IN, SERVER_IN, { size: 13 }),
        pong(SERVER_IN, CLIENT_IN, { size: 13 }),
      ].map(toHex),
    );
    const data = tunnel.packets.filter(({ payload }) => payload[0] === 4 && payload.length > 32);
    // the capture has microseconds
    const at = data.map((sent) => BigInt(CAPTURE_BEGAN) * 1_000_000_000n + BigInt(Math.floor(sent.at * 1e6)) * 1000n);
    const gaps = packets.map(({ timeNs }, i) => Number((timeNs ?? 0n) - (at[i] ?? 0n)));
    expect(Math.max(...gaps.map(Math.abs))).toBeLessThanOrEqual(1000);
    expect(packets.map(({ comment }) => comment)).toEqual([
      'c.pcap frame 3, 10.99.1.2:51821 → 203.0.113.10:51820, receiver 0x00000111, counter 0',
      'c.pcap frame 4, 203.0.113.10:51820 → 10.99.1.2:51821, receiver 0x00000011, counter 0',
      'c.pcap frame 6, 10.99.1.2:51821 → 203.0.113.10:51820, receiver 0x00000111, counter 2',
      'c.pcap frame 7, 203.0.113.10:51820 → 10.99.1.2:51821, receiver 0x00000011, counter 1',
    ]);
    expect(blocks.slice(0, 1)).toEqual([{ kind: 'section', application: 'wgwhy' }]);
    const ways = packets.map((packet) => packet.interface?.name);
    expect(new Set(namesOf(blocks)).size).toBe(2);
    expect([ways[0], ways[1]]).toEqual([ways[2], ways[3]]);
    expect(packets.map((packet) => packet.interface?.linkType)).toEqual([12, 12, 12, 12]);
  });

  test('ends are called as their files are', async () => {
    const files = { 'c.pcap': capture(talk().packets), 'k.txt': KEYS, ...fittingFiles() };
    const { blocks } = await decrypted(files);
    expect(namesOf(blocks)).toEqual(['client.conf → server.conf', 'server.conf → client.conf']);
  });

  test('a peer that moves stays on its interface; its next handshake too', async () => {
    const moved = new Tunnel({ at: 130, index: 0x12, from: { ip: [198, 51, 100, 7], port: 4000 } });
    moved.there(ping(CLIENT_IN, SERVER_IN)).back(pong(SERVER_IN, CLIENT_IN));
    const packets = [...talk().packets, ...moved.packets];
    const one = await decrypted({ 'c.pcap': capture(packets), 'k.txt': KEYS + keyLog(0x12) });
    expect([one.packets.length, namesOf(one.blocks).length]).toEqual([6, 2]);
  });

  test('a private key that stands as a public one is in no name', async () => {
    const swapped = conf({ secret: CLIENT.secret, peers: [{ key: SERVER.public }, { key: SERVER.secret }] });
    const { blocks } = await decrypted({ 'c.pcap': capture(talk().packets), 'k.txt': KEYS, 'client.conf': swapped });
    const texts = JSON.stringify(blocks, (_, value: unknown) => (typeof value === 'bigint' ? '' : value));
    for (const { secret } of [CLIENT, SERVER]) expect(texts).not.toContain(secret.slice(0, 6));
  });

  test('traffic keys alone: interfaces by address', async () => {
    const tunnel = talk();
    const sources = [
      bytesSource('c.pcap', capture(tunnel.packets)),
      bytesSource('k.txt', new TextEncoder().encode(KEYS)),
    ];
    const { files } = await knownKeys(sources, { crypto: nodeCrypto, files: true });
    const one = await decrypted({ 'c.pcap': capture(tunnel.packets.slice(2)), 't.txt': files.trafficKeys });
    expect(one.packets.length).toBe(4);
    expect(namesOf(one.blocks)).toEqual([
      '10.99.1.2:51821 → 203.0.113.10:51820',
      '203.0.113.10:51820 → 10.99.1.2:51821',
    ]);
  });

  test('two captures: in the order of their times, interfaces by capture', async () => {
    const tunnel = talk();
    const late = tunnel.packets.map((sent) => ({ ...sent, at: sent.at + 0.003 }));
    const one = await decrypted({ 'a/c.pcap': capture(tunnel.packets), 'b/c.pcap': capture(late), 'k.txt': KEYS });
    expect(one.packets.length).toBe(8);
    const times = one.packets.map(({ timeNs }) => timeNs ?? 0n);
    expect([...times].sort((a, b) => Number(a - b))).toEqual(times);
    expect(new Set(one.packets.map(({ comment }) => comment?.split(' ', 1)[0]))).toEqual(
      new Set(['a/c.pcap', 'b/c.pcap']),
    );
    expect(
      namesOf(one.blocks)
        .map((name) => name?.split(':', 1)[0])
        .sort(),
    ).toEqual(['a/c.pcap', 'a/c.pcap', 'b/c.pcap', 'b/c.pcap']);
  });

  test('a second view of a datagram and a replay: left out, with all written and said to be so', async () => {
    const tunnel = talk();
    const [data] = tunnel.packets.slice(2);
    if (data === undefined) throw new Error('no data');
    const copy = { ...data, at: data.at + 0.001, ttl: 63 };
    const replay = { ...data, at: tunnel.now + 5 };
    const packets = [...tunnel.packets.slice(0, 3), copy, ...tunnel.packets.slice(3), replay];
    const files = { 'c.pcap': capture(packets), 'k.txt': KEYS };
    const usual = await decrypted(files);
    expect(usual.packets.length).toBe(4);
    expect([...first(tallyOf(usual)).leftOut]).toEqual([
      ['copy', { count: 1, frames: [4] }],
      ['counter-replayed', { count: 1, frames: [9] }],
    ]);
    const all = await decrypted(files, { all: true });
    expect(all.packets.length).toBe(6);
    expect(all.packets.map(({ comment }) => comment?.split('; ')[1])).toEqual([
      undefined,
      'the same datagram once more',
      undefined,
      undefined,
      undefined,
      'its receiver refuses it: counter-replayed',
    ]);
    expect([...first(tallyOf(all)).refused.keys()]).toEqual(['copy', 'counter-replayed']);
  });

  test('what AllowedIPs refuse is written, what is no IP packet is not', async () => {
    const tunnel = new Tunnel()
      .there(ping('10.1.2.3', SERVER_IN))
      .there(new Uint8Array(40).fill(0x33))
      .there(ping(CLIENT_IN, SERVER_IN));
    const one = await decrypted({ 'c.pcap': capture(tunnel.packets), 'k.txt': KEYS, ...fittingFiles() });
    const tally = first(tallyOf(one));
    expect([tally.written, [...tally.refused.keys()], [...tally.leftOut.keys()]]).toEqual([
      2,
      ['source-not-allowed'],
      ['inner-version'],
    ]);
  });
});

describe('what does not open, and why', () => {
  const reasons = (one: Decrypted): string[] => [...first(tallyOf(one)).unopened.values()].map(({ reason }) => reason);
  const bytes = capture(talk().packets);

  test.each<readonly [string, Files, RegExp]>([
    ['no keys', { 'c.pcap': bytes }, /^missing: an ephemeral private key of either end/],
    [
      'configurations alone',
      { 'c.pcap': bytes, ...fittingFiles() },
      /^missing: an ephemeral private key of either end/,
    ],
    ['no static key', { 'c.pcap': bytes, 'k.txt': keyLog(0x11) }, /^missing: a public key of either end/],
    [
      'no handshake',
      { 'c.pcap': capture(talk().packets.slice(2)), 'k.txt': KEYS },
      /; the handshake is not in the capture$/,
    ],
    [
      'no initiation',
      { 'c.pcap': capture(talk().packets.slice(1)), 'k.txt': KEYS },
      /; the initiation of the handshake is not in the capture$/,
    ],
    [
      'another PSK',
      { 'c.pcap': capture(new Tunnel({ psk: PSK_A }).there(ping(CLIENT_IN, SERVER_IN)).packets), 'k.txt': KEYS },
      /its response does not open without a PSK$/,
    ],
  ])('%s', async (_, files, said) => {
    const one = await decrypted(files);
    expect(one.packets).toEqual([]);
    expect(reasons(one)).toEqual([expect.stringMatching(said)]);
    // an interface all the same: libpcap takes no file without one
    expect(one.blocks.map(({ kind }) => kind)).toEqual(['section', 'interface']);
  });

  test('cut by the capture, altered on the way', async () => {
    const tunnel = talk();
    const [, , whole, second, ...others] = tunnel.packets;
    if (whole === undefined || second === undefined) throw new Error('too few');
    const altered = { ...second, payload: second.payload.map((byte, i) => (i === 40 ? byte ^ 1 : byte)) };
    const packets = [...tunnel.packets.slice(0, 2), { ...whole, kept: 80 }, altered, ...others];
    const one = await decrypted({ 'c.pcap': capture(packets), 'k.txt': KEYS });
    expect(reasons(one)).toEqual([
      expect.stringMatching(/^the capture cut them/),
      expect.stringMatching(/altered on the way/),
    ]);
    expect(first(tallyOf(one)).written).toBe(2);
  });

  test('damage is kept, what stands before it is written', async () => {
    const one = await decrypted({ 'c.pcap': bytes.subarray(0, -7), 'k.txt': KEYS });
    const { damage, written } = first(tallyOf(one));
    expect([damage.map(({ kind }) => kind), written]).toEqual([['truncated-record'], 3]);
  });
});

describe('the outer capture', () => {
  const secretsOf = (blocks: readonly ReadBlock[]): string =>
    blocks.flatMap((block) => (block.kind === 'secrets' ? [block.text] : [])).join('');

  test.each([
    ['of the initiator', KEYS],
    ['of the responder', `LOCAL_STATIC_PRIVATE_KEY = ${SERVER.secret}\n${keyLog(0x111)}`],
  ])('opens by itself with the keys %s, and holds no others', async (_, keys) => {
    const unneeded = keyLog(0x77);
    const packets = talk().packets;
    const { outside, outer } = await decrypted({ 'c.pcap': capture(packets), 'k.txt': keys + unneeded });
    const blocks = readPcapng(outside);
    expect(packetsOf(blocks).map(({ bytes }) => bytes.subarray(28))).toEqual(packets.map(({ payload }) => payload));
    expect(secretsOf(blocks)).not.toContain(keyLog(0x77).trim());
    expect(outer).toMatchObject({ frames: 7, initiations: 1, responses: 1, holdsPrivate: true });
    const again = await decrypted({ 'outer.pcapng': outside });
    expect(again.packets.length).toBe(4);
    expect(secretsOf(readPcapng(again.outside))).toBe(secretsOf(blocks));
  });

  test('each secret stands before the first frame that needs it', async () => {
    const later = new Tunnel({ at: 130, index: 0x12, psk: PSK_A }).there(ping(CLIENT_IN, SERVER_IN));
    const psk = `PRESHARED_KEY = ${PSK_A}\n`;
    const { outside } = await decrypted({
      'c.pcap': capture([...talk().packets, ...later.packets]),
      'k.txt': `${KEYS}${keyLog(0x12)}${psk}`,
    });
    const kinds = readPcapng(outside).map((block) =>
      block.kind === 'secrets' ? 'S' : block.kind === 'packet' ? '.' : '',
    );
    expect(kinds.join('')).toBe('S.......S...');
    expect(secretsOf(readPcapng(outside))).toBe(
      `REMOTE_STATIC_PUBLIC_KEY = ${SERVER.public}\nLOCAL_STATIC_PRIVATE_KEY = ${CLIENT.secret}\n${keyLog(0x11)}${keyLog(0x12)}${psk}`,
    );
  });

  test('a PSK that stood in another place is bound to the handshake that it opens', async () => {
    const tunnel = new Tunnel({ psk: PSK_A }).there(ping(CLIENT_IN, SERVER_IN));
    const files = fittingFiles({ clientPeer: { psk: PSK_A }, serverPeer: { psk: PSK_A } });
    const { outside } = await decrypted({ 'c.pcap': capture(tunnel.packets), 'k.txt': keyLog(0x11), ...files });
    expect(secretsOf(readPcapng(outside))).toContain(`${keyLog(0x11)}PRESHARED_KEY = ${PSK_A}\n`);
    expect((await decrypted({ 'outer.pcapng': outside })).packets.length).toBe(1);
  });

  test('no key, no block', async () => {
    const { outside, outer } = await decrypted({ 'c.pcap': capture(talk().packets) });
    expect(secretsOf(readPcapng(outside))).toBe('');
    expect(outer).toMatchObject({ frames: 7, initiations: 0, responses: 0, holdsPrivate: false });
  });

  test('secrets of other protocols go on with the frames, interfaces and times too', async () => {
    const packets = packetsOf(readPcapng((await decrypted({ 'c.pcap': capture(talk().packets) })).outside));
    const tls = new TextEncoder().encode('CLIENT_RANDOM 00 11\n');
    const file: PcapngBlock[] = [
      { kind: 'section' },
      { kind: 'interface', linkType: 101, fcsBytes: 0 },
      { kind: 'interface', linkType: 228 },
      { kind: 'secrets', secretsType: 0x544c534b, data: tls },
      { kind: 'secrets', secretsType: SECRETS_WIREGUARD, data: new TextEncoder().encode(KEYS) },
      ...packets.map(({ bytes, timeNs }, i): PcapngBlock => {
        const ns = (timeNs ?? 0n) + 7n;
        const time = { sec: Number(ns / 1_000_000_000n), nsec: Number(ns % 1_000_000_000n) };
        return { kind: 'packet', bytes, time, interfaceId: i % 2, direction: i % 2 === 0 ? 'out' : 'in' };
      }),
    ];
    const one = await decrypted({ 'c.pcapng': pcapngFile(file) });
    const blocks = readPcapng(one.outside);
    expect(blocks.find((block) => block.kind === 'secrets')).toEqual({
      kind: 'secrets',
      type: 0x544c534b,
      text: 'CLIENT_RANDOM 00 11\n',
    });
    const again = packetsOf(blocks);
    expect(again.map(({ timeNs }) => timeNs)).toEqual(packets.map(({ timeNs }) => (timeNs ?? 0n) + 7n));
    expect(again.map((packet) => [packet.interface?.linkType, packet.flags])).toEqual(
      packets.map((_, i) => (i % 2 === 0 ? [101, 2] : [228, 1])),
    );
    expect(one.packets.map(({ flags }) => flags)).toEqual([2, 1, 1, 2]);
  });

  test('frames without a time keep having none, on whatever interface', async () => {
    const raw = packetsOf(readPcapng((await decrypted({ 'c.pcap': capture(talk().packets) })).outside));
    const untimed = pcapngFile([
      { kind: 'section' },
      { kind: 'interface', linkType: 101 },
      ...raw.map(({ bytes }): PcapngBlock => ({ kind: 'packet', bytes, time: undefined })),
    ]);
    const timed: PcapFrame[] = raw.map(({ bytes }) => ({ bytes, time: { sec: 5, nsec: 0 } }));
    const one = await decrypted({
      'a.pcap': pcapFile({ linkType: 101 }, timed),
      'b.pcapng': untimed,
      'k.txt': KEYS,
    });
    const again = packetsOf(readPcapng(one.outside));
    expect(again.filter(({ timeNs }) => timeNs === undefined).map(({ bytes }) => bytes)).toEqual(
      raw.map(({ bytes }) => bytes),
    );
    expect(again.length).toBe(14);
    expect(tallyOf(one).map(({ untimed: none, written }) => [none, written])).toEqual([
      [false, 4],
      [true, 4],
    ]);
  });
});

test('whatever is in the capture: a file that can be read, and no packet that was not sent', async () => {
  const whole = capture(talk().packets);
  const sent = new Set(
    [
      ping(CLIENT_IN, SERVER_IN),
      pong(SERVER_IN, CLIENT_IN),
      ping(CLIENT_IN, SERVER_IN, { size: 13 }),
      pong(SERVER_IN, CLIENT_IN, { size: 13 }),
    ].map(toHex),
  );
  const change = fc.tuple(fc.nat(whole.length - 1), fc.nat(255));
  await fc.assert(
    fc.asyncProperty(
      fc.array(change, { maxLength: 8 }),
      fc.nat(whole.length),
      fc.boolean(),
      async (changes, end, all) => {
        const bytes = whole.slice();
        for (const [at, value] of changes) bytes[at] = value;
        const one = await decrypted({ 'c.pcap': bytes.subarray(0, end), 'k.txt': KEYS }, { all });
        readPcapng(one.outside);
        expect(one.packets.filter((packet) => !sent.has(toHex(packet.bytes)))).toEqual([]);
      },
    ),
    { numRuns: 60 },
  );
});

test('sources that are no captures are told, and there is no output', async () => {
  const one = await decrypted({ 'k.txt': KEYS, 'notes.txt': 'remember the milk\n' });
  expect(one.captures).toEqual([]);
  expect(one.blocks).toEqual([]);
  expect(one.problems.map(({ input, message }) => [input, message])).toEqual([
    ['notes.txt', 'this is text of no format that is known, which is not read'],
  ]);
  expect(concat(one.outside).length).toBe(0);
});
