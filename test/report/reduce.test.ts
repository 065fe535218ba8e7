/** Shares of captures: their events are those of the whole, and what is made of them together is the same report. */
import { Ajv2020 } from 'ajv/dist/2020.js';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Piece } from '../../src/analyze/timeline-code.ts';
import { concatAll, utf8 } from '../../src/base/bytes.ts';
import type { Diagnosis, Source } from '../../src/report/diagnose.ts';
import type { TimelineEvent } from '../../src/report/event.ts';
import { eventLine } from '../../src/report/json.ts';
import { reduce } from '../../src/report/reduce.ts';
import { eventSchema } from '../../src/report/schema.ts';
import { headline } from '../../src/report/text-verdict.ts';
import { checkOf } from '../../src/report/timeline-events.ts';
import { answer, ask, keyLog } from '../diagnose/handshakes.ts';
import { CLIENT_IN, keysFor, ping, SERVER_IN, Tunnel } from '../diagnose/inside.ts';
import { CLIENT, conf, fittingFiles, OTHER, PSK_A, PSK_B, SERVER, type TestPair } from '../diagnose/keys.ts';
import { capture } from '../diagnose/traffic.ts';
import { bytesSource, LAB_CASES } from '../scenarios/lab.ts';
import { filesOf } from '../simulation/files.ts';
import { planOf } from '../simulation/plan.ts';
import { Simulation } from '../simulation/simulation.ts';
import { bigCapture } from './big-capture.ts';
import {
  comparable,
  crypto,
  isCapture,
  lines,
  ndjson,
  sharedOut,
  sharesOf,
  sources,
  type Text,
  textsOf,
  withoutCaptures,
  written,
} from './shared-out.ts';

const isEvent = new Ajv2020({ strict: true, allowUnionTypes: true }).compile(eventSchema);

/** Where something joins conversations: a NAT, roaming, copies, one key twice, fragments, variants of the endpoints. */
const SPANNING = [
  'lab/any-interface-on-nat-router',
  'lab/healthy-psk-nat',
  'lab/idle-peers-on-server',
  'lab/kernel-clock-reset',
  'lab/old-initiation-replayed',
  'lab/port-unreachable',
  'lab/roaming',
  'lab-more/allowedips-server-drops',
  'lab-more/any-interface',
  'lab-more/both-initiate',
  'lab-more/duplicate-client-key',
  'lab-more/mtu-fragmented',
  'lab-more/multihomed-reply-nat',
  'lab-more/nat-mapping-lost',
  'lab-more/three-captures',
  'lab-more/two-clients-one-nat',
];

const BOTH = LAB_CASES.filter(({ vantage, folder }) => vantage === 'both' && SPANNING.includes(folder));

describe('shares of the lab', () => {
  test('the set', () => expect(BOTH.length).toBe(SPANNING.length));

  test.each(BOTH.map((one) => [one.id, one] as const))('%s', async (_, one) => {
    const { whole, runs, reduced } = await sharedOut(textsOf(one), 2, one);
    expect(lines(runs)).toEqual(lines([whole]));
    for (const { report } of runs) expect(report.findings).toEqual([]);
    expect(comparable(reduced)).toEqual(comparable(whole));
  });
});

describe('made traffic', () => {
  test.each([
    [8, 'clean', 'server'],
    [11, 'rough', 'server'],
    [23, 'wild', 'both'],
    [25, 'wild', 'server'],
  ] as const)('many peers, seed %i, %s', async (seed, weather, view) => {
    const plan = planOf(seed, weather, 'brief');
    const files = filesOf(plan, new Simulation(plan).run(), view, true);
    const sorted = [...files.filter(({ name }) => isCapture(name)), ...files.filter(({ name }) => !isCapture(name))];
    const { whole, runs, reduced } = await sharedOut(sorted, 3);
    expect(lines(runs)).toEqual(lines([whole]));
    expect(lines([whole]).some((line) => line.includes('"inner":{'))).toBe(true);
    expect(comparable(reduced)).toEqual(comparable(whole));
  });

  test('many peers: everyone has something to do', async () => {
    const made: Uint8Array[] = [];
    for await (const chunk of bigCapture({ peers: 40, rounds: 3, data: 4, size: 200, lossEvery: 5 })) made.push(chunk);
    const { whole, runs, reduced } = await sharedOut([{ name: 'big.pcap', bytes: concatAll(made) }], 4);
    expect(lines(runs)).toEqual(lines([whole]));
    expect(comparable(reduced)).toEqual(comparable(whole));
    for (const { events } of runs) {
      const share = events.filter(({ event }) => event === 'message').length / (40 * 3 * 10);
      expect(share).toBeGreaterThan(0.1);
      expect(share).toBeLessThan(0.4);
    }
  });

  const refused = (): Text[] => {
    const tunnel = new Tunnel();
    for (let i = 0; i < 12; i++) tunnel.there(ping(CLIENT_IN, SERVER_IN), 1);
    const confs = Object.entries(fittingFiles({ serverPeer: { allowed: '10.66.66.9/32' } }));
    return [
      { name: 'a.pcap', bytes: capture(tunnel.idle(12).packets) },
      ...[...confs, ['keys.log', keysFor(tunnel)] as const].map(([name, text]) => ({ name, bytes: utf8(text) })),
    ];
  };

  test('what a configuration refuses', async () => {
    const { whole, reduced } = await sharedOut(refused(), 2);
    expect(whole.report.findings[0]?.rule).toBe('source-not-allowed');
    expect(comparable(reduced)).toEqual(comparable(whole));
  });

  const UNKNOWN = 'server.conf refused packets of it, and is not here, or has other AllowedIPs: they are not judged';

  test('and the configuration is called otherwise', async () => {
    const { whole, runs } = await sharedOut(refused(), 2);
    const { report } = await reduce([...written(runs), ...renamed(refused())], { crypto });
    expect(report.problems).toEqual([]);
    expect(report.findings.map(({ rule, certainty }) => [rule, certainty])).toEqual(
      whole.report.findings.map(({ rule, certainty }) => [rule, certainty]),
    );
    expect(report.findings[0]?.message).toContain('server.conf.old');
  });

  test('and the configuration is not there', async () => {
    const { whole, runs } = await sharedOut(refused(), 1);
    const { report } = await reduce(written(runs), { crypto });
    expect(report.problems.map(({ message }) => message)).toEqual([UNKNOWN]);
    expect(report.counts).toEqual(whole.report.counts);
  });

  test('and another host has a file of that name, or the file has changed', async () => {
    const { runs } = await sharedOut(refused(), 1);
    const server = { peers: [{ key: CLIENT.public, allowed: '10.66.66.2/32' }] };
    for (const secret of [OTHER.secret, SERVER.secret]) {
      const files = { ...fittingFiles(), 'server.conf': conf({ secret, ...server }) };
      const others = Object.entries(files).map(([name, text]) => bytesSource(name, utf8(text)));
      const { report } = await reduce([...written(runs), ...others], { crypto });
      expect(report.problems.map(({ message }) => message)).toEqual([UNKNOWN]);
      expect(report.findings.filter(({ rule }) => rule === 'source-not-allowed')).toEqual([]);
    }
  });
});

describe('a preshared key', () => {
  const unused = (change: Parameters<typeof fittingFiles>[0]): Text[] => {
    const asked = [0, 1, 2, 3].map((i) => ask(i * 5.1, 0x20 + i));
    const packets = asked.flatMap((one, i) => [one, answer(one, 0x120 + i, { psk: PSK_A })]);
    const log = keyLog(0x20, 0x21, 0x22, 0x23);
    return [
      { name: 'a.pcap', bytes: capture(packets) },
      ...Object.entries({ ...fittingFiles(change), 'keys.log': log }).map(([name, text]) => ({
        name,
        bytes: utf8(text),
      })),
    ];
  };
  const [same, differs] = [
    { clientPeer: { psk: PSK_A }, serverPeer: { psk: PSK_A } },
    { clientPeer: { psk: PSK_B }, serverPeer: { psk: PSK_A } },
  ];
  const rulesOf = ({ report }: Diagnosis): (readonly string[])[] =>
    report.findings.map(({ rule, certainty }) => [rule, certainty]);

  test.each([
    ['the same', same],
    ['another', differs],
  ])('%s at the other end, and the files are called otherwise', async (_, change) => {
    const { whole, runs, reduced } = await sharedOut(unused(change), 2);
    const other = await reduce([...written(runs), ...renamed(unused(change))], { crypto });
    expect(other.report.problems).toEqual([]);
    expect(rulesOf(other)).toEqual(rulesOf(whole));
    expect(comparable(reduced)).toEqual(comparable(whole));
    expect(rulesOf(whole).join()).toContain(change === same ? 'session-unconfirmed' : 'psk-mismatch,proven');
  });

  test('that is in no file here is not a different one', async () => {
    const { runs } = await sharedOut(unused(same), 1);
    const changed = unused({ clientPeer: { psk: PSK_B }, serverPeer: { psk: PSK_B } });
    const other = await reduce([...written(runs), ...withoutCaptures(changed)], { crypto });
    expect(other.report.problems.map(({ message }) => message)).toEqual([
      'the preshared key that opens responses in it is in no file here: that they open is not judged',
    ]);
    expect(rulesOf(other).join()).not.toMatch(/psk-mismatch,proven|response-unsealable/);
  });
});

/** All but captures, under other names and in another order. */
function renamed(files: readonly Text[]): Source[] {
  const others = files.filter(({ name }) => !isCapture(name)).reverse();
  return sources(others.map(({ name, bytes }) => ({ name: `${name}.old`, bytes })));
}

function labTexts(id: string): Text[] {
  const found = LAB_CASES.find((one) => one.id === id);
  if (found === undefined) throw new Error(id);
  return textsOf(found);
}

describe('what is wrong with the events', () => {
  const files = labTexts('lab/psk-mismatch both');
  const others = (): Source[] => withoutCaptures(files);
  const texts = async (of: number): Promise<string[]> => (await sharesOf(files, of)).map(ndjson);
  const of = (...files: readonly string[]): Source[] =>
    files.map((file, i) => bytesSource(`${i}.ndjson`, new TextEncoder().encode(file)));
  const problems = async (sources: readonly Source[]): Promise<string[]> =>
    (await reduce(sources, { crypto })).report.problems.map(({ input, message }) => `${input}: ${message}`);

  test('one share is not there', async () => {
    const [first = ''] = await texts(2);
    const missing = (name: string): string =>
      `0.ndjson: shard 2/2 of ${name} is not here, or cannot be read: that capture is not judged`;
    expect(await problems([...of(first), ...others()])).toEqual([missing('client.pcap'), missing('server.pcap')]);
    const { report, usable } = await reduce([...of(first), ...others()], { crypto });
    expect(usable).toBe(false);
    expect(report).toMatchObject({ partly: true, findings: [] });
    expect(report.counts.frames).toBeGreaterThan(0);
    expect(headline(report).label).toBe('nothing to judge');
  });

  test('one share of one of two captures is not there: the other is judged alone', async () => {
    const at = (side: string): Text[] => files.filter(({ name }) => !isCapture(name) || name.includes(side));
    const client = (await sharesOf(at('client'), 2)).map(ndjson);
    const [server = ''] = (await sharesOf(at('server'), 2)).map(ndjson);
    const { report, usable } = await reduce([...of(...client, server), ...others()], { crypto });
    const alone = await sharedOut(at('client'), 1);
    expect(usable).toBe(true);
    expect(report.problems).toHaveLength(1);
    expect(report.findings).toEqual(alone.whole.report.findings);
  });

  test('one share is there twice', async () => {
    const [first = '', second = ''] = await texts(2);
    expect(await problems([...of(first, second, second), ...others()])).toEqual([
      '2.ndjson: shard 2/2 of client.pcap is here twice: one is left out',
      '2.ndjson: shard 2/2 of server.pcap is here twice: one is left out',
    ]);
  });

  test('captures of one name, one extent and other contents are two', async () => {
    const asked = ask(0, 0x20);
    const both = [answer(asked, 0x120), ask(0.02, 0x21)].map((next) => capture([asked, next]));
    const runs = await Promise.all(both.map((bytes) => sharesOf([{ name: 'a.pcap', bytes }], 2)));
    const told = await problems(of(...runs.map((run, i) => run.map(ndjson)[i] ?? '')));
    expect(told.map((text) => text.replace(/^.*: shard (\S+) .*/, '$1'))).toEqual(['2/2', '1/2']);
  });

  test('shares that were read with different keys', async () => {
    const [first = ''] = await texts(2);
    const fewer = files.filter(({ name }) => !name.endsWith('server.conf'));
    expect(fewer.length).toBeLessThan(files.length);
    const second = (await sharesOf(fewer, 2)).map(ndjson)[1] ?? '';
    const different = (name: string): string =>
      `0.ndjson: the shards of ${name} were read with different keys: what some of them open is closed to others`;
    const told = await problems([...of(first, second), ...others()]);
    expect(told).toEqual(expect.arrayContaining([different('client.pcap'), different('server.pcap')]));
  });

  test('cut, or damaged', async () => {
    const [all = ''] = await texts(1);
    const cut = await problems([...of(all.slice(0, -100)), ...others()]);
    expect(cut[0]).toMatch(/^0\.ndjson: its last line has no end: it was cut$/);
    const [damaged] = await problems([...of(all.replace('"first":0', '"first":1')), ...others()]);
    expect(damaged).toBe('0.ndjson: a timeline event is damaged, or one is missing before it');
  });

  test('of another version', async () => {
    const runs = await sharesOf(files, 1);
    const { report } = await reduce([...written(runs), ...others()], { crypto, tool: 'wgwhy 9.9.9' });
    expect(report.problems).toEqual([
      {
        input: '0.ndjson',
        message: 'shard 1/1 is of wgwhy, and this is wgwhy 9.9.9: it is left out',
        hint: 'read the captures anew with this version, or put them together with that one',
      },
    ]);
    expect(report.inputs.some(({ kind }) => kind === 'capture')).toBe(false);
    expect(headline(report).label).toBe('nothing to judge');
  });

  test('of a version with other fields', async () => {
    const other = (await texts(1)).map((text) => text.replaceAll('"tool":"wgwhy","keys"', '"tool":"wgwhy 9","other"'));
    expect(await problems([...of(...other), ...others()])).toEqual([
      '0.ndjson: it is of wgwhy 9, and this is wgwhy: it cannot be read',
      '0.ndjson: it holds no timeline',
    ]);
  });

  const made = (pieces: TimelineEvent['pieces'], shard = '1/1'): string => {
    const rest = { input: 'a', shard, tool: 'wgwhy', keys: '', first: 0, total: pieces.length, pieces };
    return eventLine({ schema: 'wgwhy/event/1', event: 'timeline', ...rest, check: checkOf(rest) });
  };
  const piecesOf = async (): Promise<Piece[]> => {
    const events = (await sharesOf(files, 1)).flatMap((run) => run.events);
    return events.flatMap((event) => (event.event === 'timeline' && event.input === 'a' ? event.pieces : []));
  };

  test('made up', async () => {
    const pieces = await piecesOf();
    expect(await problems(of(made(pieces)))).not.toContain('0.ndjson: it cannot be read');
    expect(await problems(of(made([{ exchanges: [1] }, ['list']])))).toEqual(['0.ndjson: it holds no timeline']);
    expect(await problems(of(made([{ name: 'a', inner: [1] }, ['map', [2], [3]], ['bytes', 7]])))).toEqual([
      '0.ndjson: bytes in it are none',
    ]);
    const times = pieces.map((piece) => ('sec' in piece ? { ...piece, sec: 'x' } : piece));
    expect(await problems(of(made(times)))).toEqual(['0.ndjson: sec in it is no number']);
    const ends = [...pieces, { refused: 5, refusedMore: 0 }];
    expect(await problems(of(made(ends)))).toEqual(['0.ndjson: it cannot be read']);
  });

  test('a share beyond the last', async () => {
    const told = await problems(of(made(await piecesOf(), '5/2')));
    expect(told[0]).toBe('0.ndjson: a timeline event is damaged, or one is missing before it');
  });

  test('any change of the text: never thrown at', async () => {
    const [all = ''] = await texts(1);
    const at = all.indexOf('"event":"timeline"');
    await fc.assert(
      fc.asyncProperty(fc.nat(all.length - at - 1), fc.constantFrom('0', '9', '"', ']', '{', 'x', ''), async (i, c) => {
        const changed = all.slice(0, at + i) + c + all.slice(at + i + 1);
        expect((await reduce([...of(changed), ...others()], { crypto })).report.schema).toBe('wgwhy/report/1');
      }),
      { numRuns: 30 },
    );
  });

  test('no timeline, a capture, nothing', async () => {
    const [all = ''] = await texts(1);
    const first = all.slice(0, all.indexOf('\n') + 1);
    expect(await problems(of(first))).toEqual(['0.ndjson: it holds no timeline']);
    expect(await problems(sources(files.slice(0, 1)))).toEqual([
      `${files[0]?.name}: it is a capture, and here events are put together`,
    ]);
    expect((await reduce(of(''), { crypto })).usable).toBe(false);
  });
});

test('captures of two machines, each read where it was taken', async () => {
  const files = labTexts('lab/healthy both');
  const at = (side: string): Text[] => files.filter(({ name }) => !isCapture(name) || name.includes(side));
  const runs = [...(await sharesOf(at('client'), 1)), ...(await sharesOf(at('server'), 1))];
  const reduced = await reduce([...written(runs), ...withoutCaptures(files)], { crypto });
  const { whole } = await sharedOut(files, 1);
  expect(comparable(reduced)).toEqual(comparable(whole));
  expect(reduced.report.clockOffsets).toHaveLength(1);
});

test('no secret in any timeline', async () => {
  for (const id of ['lab/healthy-psk-nat both', 'lab/psk-mismatch both', 'lab-more/duplicate-client-key both']) {
    const files = labTexts(id);
    const out = (await sharesOf(files, 1)).map(ndjson).join('');
    expect(out).toContain('"event":"timeline"');
    const confs = files
      .filter(({ name }) => name.endsWith('.conf'))
      .map(({ bytes }) => new TextDecoder().decode(bytes));
    const secrets = confs.flatMap((conf) => [...conf.matchAll(/^(?:PrivateKey|PresharedKey)\s*=\s*(\S+)/gm)]);
    expect(secrets.length).toBeGreaterThan(1);
    for (const [, secret = ''] of secrets) {
      expect(out).not.toContain(secret.slice(0, 12));
      expect(out).not.toContain(Buffer.from(secret, 'base64').toString('hex').slice(0, 16));
    }
  }
});

test('a private key where a public one belongs', async () => {
  const files = fittingFiles({ clientPeer: { key: SERVER.secret } });
  const taken: TestPair = { secret: SERVER.secret, public: SERVER.secret };
  const packets = [0, 1, 2].map((i) => ask(i * 5.1, 0x20 + i, { forKey: taken }));
  const texts = [
    { name: 'a.pcap', bytes: capture(packets) },
    ...Object.entries(files).map(([name, text]) => ({ name, bytes: utf8(text) })),
  ];
  const { whole, runs, reduced } = await sharedOut(texts, 2);
  const events = runs.flatMap((one) => one.events);
  const out = JSON.stringify([events, whole, reduced]);
  expect(out).not.toContain(SERVER.secret.slice(0, 12));
  expect(out).not.toContain(Buffer.from(SERVER.secret, 'base64').toString('hex').slice(0, 16));
  expect(reduced.report.problems).toEqual([]);
  expect(comparable(reduced)).toEqual(comparable(whole));
  for (const event of events) expect(isEvent(event) ? [] : isEvent.errors).toEqual([]);
  const asked = events.filter((event) => event.event === 'message');
  expect(asked.map((event) => 'mac1Owner' in event)).toEqual([false, false, false]);
});
