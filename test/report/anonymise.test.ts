/** Anonymising what the lab has none of: key logs and opened data, other containers, other protocols, cut and odd frames. */
import { describe, expect, test } from 'vitest';
import { toHex, u32le, utf8 } from '../../src/base/bytes.ts';
import { openCapture } from '../../src/capture/open.ts';
import { SECRETS_WIREGUARD } from '../../src/capture/pcapng-blocks.ts';
import { pcapFile } from '../../src/capture/write-pcap.ts';
import { pcapngFile } from '../../src/capture/write-pcapng.ts';
import type { Datagram } from '../../src/packet/datagram.ts';
import { Decoder } from '../../src/packet/decode.ts';
import { diagnose } from '../../src/report/diagnose.ts';
import type { WgwhyEvent } from '../../src/report/event.ts';
import { ask } from '../diagnose/handshakes.ts';
import { asks, pings } from '../diagnose/inner-flows.ts';
import { ACK, CLIENT_IN, dns, keysFor, LAN_HOST, SERVER_IN, SYN, Tunnel, tcp } from '../diagnose/inside.ts';
import { fittingFiles, PSK_A } from '../diagnose/keys.ts';
import { CLIENT_END, capture, data, initiation, SERVER_END, type Sent } from '../diagnose/traffic.ts';
import { bytes, ethernet, ipv4, udp } from '../packet/build.ts';
import { anonymised, type Files, leaks } from '../scenarios/anonymised.ts';
import { bytesSource, labFile } from '../scenarios/lab.ts';

const files = (given: Readonly<Record<string, string | Uint8Array>>): Files =>
  new Map(
    Object.entries(given).map(([name, content]) => [name, typeof content === 'string' ? utf8(content) : content]),
  );

async function eventsOf(given: Files): Promise<WgwhyEvent[]> {
  const events: WgwhyEvent[] = [];
  const sources = [...given].map(([name, content]) => bytesSource(name, content));
  await diagnose(sources, { onEvent: (event) => events.push(event) });
  return events;
}

const told = (events: readonly WgwhyEvent[]): string[] =>
  events.flatMap((event) => {
    if (event.event !== 'message') return [];
    const { message, length, innerLength = '', handshakeOk = '', verdict = '', drop = '' } = event;
    return [`${message} ${length} ${innerLength} ${handshakeOk} ${verdict} ${drop}`];
  });

describe('with a key log', () => {
  const on = asks(pings(new Tunnel({ psk: PSK_A }), CLIENT_IN, SERVER_IN, 5), CLIENT_IN, LAN_HOST, 6)
    .there(tcp(CLIENT_IN, LAN_HOST, { flags: SYN, mss: 1460 }))
    .back(
      tcp(LAN_HOST, CLIENT_IN, { flags: SYN | ACK, mss: 1400, ports: [443, 40_000], sequence: 9, acknowledged: 1001 }),
    )
    .there(dns(CLIENT_IN, SERVER_IN, 5))
    .there(tcp(CLIENT_IN, LAN_HOST, { payload: 700 }))
    .idle(12);
  const keys = `${keysFor(on)}PRESHARED_KEY = ${PSK_A}\n`;

  test.each([
    ['with the PSK that is bound', keys],
    ['without it: the handshake stays unopened', keysFor(on)],
  ])('%s', async (_, log) => {
    const given = files({ 'f.pcap': capture(on.packets), 'keys.log': log, ...fittingFiles() });
    const { done, files: made } = await anonymised(given);
    expect([done.lost, done.added, done.problems]).toEqual([[], [], []]);
    expect(done.remade).toBe(1);
    expect(told(await eventsOf(made))).toEqual(told(await eventsOf(given)));
    expect((await leaks(given, made)).found).toEqual([]);
  });

  test('data are sealed anew, with nothing in them', async () => {
    const { done, files: made } = await anonymised(files({ 'f.pcap': capture(on.packets), 'keys.log': keys }));
    expect(done.resealed).toBe(on.packets.length - 2);
    expect(told(await eventsOf(made)).filter((line) => / accepted $/.test(line)).length).toBeGreaterThan(10);
  });

  test('in the secrets block of a pcapng', async () => {
    const packets = on.packets.map(({ at, from, to, payload }) => ({
      kind: 'packet' as const,
      time: { sec: 1_700_000_000 + Math.floor(at), nsec: 0 },
      bytes: packetOf({ from, to, payload }),
    }));
    const blocks = [
      { kind: 'section' },
      { kind: 'interface', linkType: 101 },
      { kind: 'secrets', secretsType: SECRETS_WIREGUARD, data: utf8(keys) },
      ...packets,
    ] as const;
    const given = files({ 'f.pcapng': pcapngFile(blocks) });
    const { done, files: made } = await anonymised(given);
    expect([...made.keys()]).toEqual(['a.pcapng']);
    expect([done.lost, done.added, done.resealed]).toEqual([[], [], on.packets.length - 2]);
    expect((await leaks(given, made)).found).toEqual([]);
  });
});

const ends = (from: Sent['from'], to: Sent['to']) => ({
  source: bytes(...from.ip),
  destination: bytes(...to.ip),
  sourcePort: from.port,
  destinationPort: to.port,
});

function packetOf({ from, to, payload }: Pick<Sent, 'from' | 'to' | 'payload'>): Uint8Array {
  return ipv4(ends(from, to), udp(ends(from, to), payload));
}

const there = (at: number, payload: Uint8Array): Sent => ({ at, from: CLIENT_END, to: SERVER_END, payload });

async function datagrams(content: Uint8Array): Promise<Datagram[]> {
  const opened = await openCapture(bytesSource('f', content).open());
  if (!opened.ok) throw new Error(opened.error.message);
  const decoder = new Decoder();
  const found: Datagram[] = [];
  for await (const batch of opened.value.batches()) {
    for (const item of batch) {
      for (const one of item.kind === 'frame' ? decoder.decode(item.frame) : []) {
        if (one.kind === 'datagram') found.push({ ...one, bytes: one.bytes.slice() });
      }
    }
  }
  return found;
}

describe('what is no message', () => {
  test('other protocols keep number and time only', async () => {
    const secret = utf8('a secret that somebody sent in the clear');
    const given = files({ 'f.pcap': capture([there(0, secret), there(1, initiation(7)), there(2, secret)], 101) });
    const { done, files: made } = await anonymised(given);
    expect(done.files).toMatchObject([{ frames: 3, emptied: 2 }]);
    const [one, ...others] = await datagrams(made.get('a.pcap') ?? new Uint8Array());
    expect([one?.frame.number, others]).toEqual([2, []]);
  });

  test('of the wrong length: type and index stay', async () => {
    const odd = initiation(0x01020304).slice(0, 140);
    const given = files({ 'f.pcap': capture([there(0, odd), there(1, initiation(7))]) });
    const { done, files: made } = await anonymised(given);
    expect([done.lost, done.added]).toEqual([[], []]);
    const [one] = await datagrams(made.get('a.pcap') ?? new Uint8Array());
    expect([one?.length, toHex(one?.bytes.subarray(0, 8) ?? new Uint8Array())]).toEqual([140, '0100000004030201']);
    expect((await leaks(given, made)).found).toEqual([]);
  });

  test('a capture with nothing in it is one still', async () => {
    const { files: made } = await anonymised(files({ 'f.pcap': pcapFile({ linkType: 1 }, []) }));
    expect(made.get('a.pcap')?.length).toBe(24);
  });
});

describe('frames', () => {
  test('checksums: right stays right, wrong wrong, absent absent', async () => {
    const right = packetOf(there(0, initiation(7)));
    const wrong = packetOf(there(0, initiation(8)));
    wrong[26] = (wrong[26] ?? 0) ^ 1;
    const absent = packetOf(there(0, initiation(9)));
    absent.fill(0, 26, 28);
    const frames = [right, wrong, absent].map((one, i) => ({
      time: { sec: 1 + i, nsec: 0 },
      bytes: ethernet(0x0800, one),
    }));
    const { files: made } = await anonymised(files({ 'f.pcap': pcapFile({ linkType: 1 }, frames) }));
    const found = await datagrams(made.get('a.pcap') ?? new Uint8Array());
    expect(found.map(({ checksum }) => checksum)).toEqual(['ok', 'bad', 'absent']);
    expect(found.map(({ bytes: message }) => u32le(message, 4))).toEqual([7, 8, 9]);
  });

  test('a cut message begins as the whole one does', async () => {
    const asked = ask(1, 0x11);
    const given = [capture([asked]), capture([{ ...asked, kept: 28 + 60 }])];
    const { files: made } = await anonymised(
      files({ 'a.pcap': given[0] ?? '', 'b.pcap': given[1] ?? '', 's.conf': fittingFiles()['server.conf'] ?? '' }),
    );
    const [whole] = await datagrams(made.get('a.pcap') ?? new Uint8Array());
    const [cut] = await datagrams(made.get('b.pcap') ?? new Uint8Array());
    expect(cut?.bytes.length).toBe(60);
    expect(cut?.bytes).toEqual(whole?.bytes.subarray(0, 60));
    expect(whole?.bytes.subarray(8, 40)).not.toEqual(asked.payload.subarray(8, 40));
  });

  test('--shift-time moves captures and timestamps alike', async () => {
    const given = files({ 'f.pcap': capture([ask(1, 0x11)]), ...fittingFiles() });
    const taken = async (shiftSec: number) => {
      const { files: made } = await anonymised(given, { shiftSec });
      const [message] = await eventsOf(made);
      if (message?.event !== 'message') throw new Error('there is no message');
      return { time: message.at.time, label: BigInt(`0x${message.tai64n?.slice(0, 16)}`) };
    };
    const [still, moved] = [await taken(0), await taken(-86_400)];
    expect(Date.parse(still.time) - Date.parse(moved.time)).toBe(86_400_000);
    expect(still.label - moved.label).toBe(86_400n);
  });

  test('data without keys: header and length stay', async () => {
    const given = files({ 'f.pcap': capture([there(0, data(0x0a0b0c0d, 5, 128)), there(1, data(0x0a0b0c0d, 6, 32))]) });
    const { files: made } = await anonymised(given);
    const found = await datagrams(made.get('a.pcap') ?? new Uint8Array());
    expect(found.map(({ bytes: message }) => [message.length, toHex(message.subarray(0, 16))])).toEqual([
      [128, `04000000${'0d0c0b0a'}0500000000000000`],
      [32, `04000000${'0d0c0b0a'}0600000000000000`],
    ]);
    expect((await leaks(given, made)).found).toEqual([]);
  });
});

describe('findings that are lost are told', () => {
  test('by a file that is not written anew', async () => {
    const folder = 'lab-more/ipv6-port-unreachable';
    const names = ['client.pcap', 'server.pcap', 'client.conf', 'server.conf', 'wg-show-client.txt'];
    const { done } = await anonymised(new Map(names.map((name) => [name, labFile(`${folder}/${name}`)])));
    expect(done.withheld).toEqual([{ name: 'wg-show-client.txt', kind: 'wg-show' }]);
    expect(done.lost).toEqual([
      { rule: 'counters-never-received', severity: 'warning', certainty: 'proven', frames: [] },
    ]);
  });

  test('by damage that is gone', async () => {
    const whole = capture([there(0, initiation(7)), there(1, initiation(8))]);
    const { done } = await anonymised(files({ 'f.pcap': whole.slice(0, -5) }));
    expect(done.lost.map(({ rule }) => rule)).toEqual(['capture-damaged']);
    expect(done.problems.map(({ message }) => message)).toEqual(['the file ends 5 bytes before the end of a record']);
  });
});
