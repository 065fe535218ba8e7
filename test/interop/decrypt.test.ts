/** What `decrypt` writes, read by tshark and tcpdump: the same inner packets, counts and fields as Wireshark's own decryption. */
import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Bytes, concatAll } from '../../src/base/bytes.ts';
import { fastestOnNode } from '../../src/io/fastest-crypto.ts';
import { decrypt } from '../../src/report/decrypt.ts';
import { knownKeys } from '../../src/report/keys.ts';
import { bytesSource } from '../scenarios/lab.ts';
import { SHARED_ABSENT, shared } from '../shared.ts';
import { filesOf } from '../simulation/files.ts';
import { planOf, type Weather } from '../simulation/plan.ts';
import { Simulation } from '../simulation/simulation.ts';

const lacking = ['tshark', 'tcpdump', 'capinfos'].filter((name) => spawnSync(name, ['--version']).error !== undefined);
if (lacking.length > 0) console.warn(`decrypt: skipped, needs ${lacking.join(', ')}`);

const later = promisify(execFile);
const output = (program: string, args: readonly string[], input?: Bytes) =>
  spawnSync(program, args, { encoding: 'utf8', maxBuffer: 1 << 28, ...(input === undefined ? {} : { input }) });

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'wgwhy-decrypt-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Given {
  readonly capture: Bytes;
  /** Undefined where the capture has them itself. */
  readonly keys: Bytes | undefined;
}

const PER_LAYER: Readonly<Record<string, readonly string[]>> = {
  ip: ['ip.src', 'ip.dst', 'ip.len', 'ip.id', 'ip.ttl', 'ip.proto', 'ip.checksum', 'ip.frag_offset'],
  ipv6: ['ipv6.src', 'ipv6.dst', 'ipv6.plen', 'ipv6.nxt', 'ipv6.hlim'],
  udp: ['udp.srcport', 'udp.dstport', 'udp.length', 'udp.checksum'],
  tcp: ['tcp.srcport', 'tcp.dstport', 'tcp.seq_raw', 'tcp.ack_raw', 'tcp.len', 'tcp.flags', 'tcp.checksum'],
  icmp: ['icmp.type', 'icmp.code', 'icmp.seq', 'icmp.checksum', 'data.len'],
  dns: ['dns.id', 'dns.qry.name', 'dns.a', 'dns.aaaa'],
};
const FIELDS = Object.values(PER_LAYER).flat();
const ABOUT = ['frame.number', 'frame.time_epoch', 'frame.protocols'];
const SEPARATOR = '\u0001';

const HANDSHAKE = ['wg.type', 'wg.receiver_pubkey', 'wg.static', 'wg.handshake_ok', 'wg.keepalive'];

/** Every field of every packet that the filter lets through. */
async function fieldsOf(
  path: string,
  filter: string,
  names: readonly string[],
  options: readonly string[] = [],
): Promise<Map<string, string>[]> {
  const columns = names.flatMap((name) => ['-e', name]);
  const shape = ['-T', 'fields', '-E', `separator=${SEPARATOR}`, '-E', 'occurrence=a', '-E', 'aggregator=;'];
  const { stdout, stderr } = await later('tshark', ['-r', path, ...options, '-Y', filter, ...shape, ...columns], {
    maxBuffer: 1 << 28,
  });
  expect(stderr.replace(/^Running as user.*\n/m, '')).toBe('');
  return stdout
    .split('\n')
    .slice(0, -1)
    .map((line) => {
      const cells = line.split(SEPARATOR);
      return new Map(names.map((name, i) => [name, cells[i] ?? '']));
    });
}

interface Row {
  readonly frame: number;
  readonly time: string;
  readonly protocols: string;
  readonly fields: readonly string[];
}

/** What Wireshark shows of a capture: inside the tunnel, and of the handshakes. */
interface Shown {
  readonly inner: readonly Row[];
  readonly messages: readonly string[];
  readonly keepalives: number;
}

/** Of each field inside the tunnel those values count that belong to no layer outside of it. */
async function shown(path: string, options: readonly string[]): Promise<Shown> {
  const packets = await fieldsOf(path, 'wg', [...ABOUT, ...FIELDS, ...HANDSHAKE], options);
  const inner = packets.flatMap((packet): Row[] => {
    const protocols = packet.get('frame.protocols') ?? '';
    const cut = protocols.indexOf(':wg:');
    if (cut < 0) return [];
    const outside = protocols.slice(0, cut).split(':');
    const fields = FIELDS.map((name) => {
      const layer = name.split('.', 1)[0] ?? '';
      const skipped = outside.filter((one) => one === layer).length;
      return (packet.get(name) ?? '').split(';').slice(skipped).join(';');
    });
    const [frame, time] = [Number(packet.get('frame.number')), packet.get('frame.time_epoch') ?? ''];
    // it goes by way of its dissector of IPv4
    return [{ frame, time, protocols: protocols.slice(cut + 4).replace(/^ip:ipv6/, 'ipv6'), fields }];
  });
  return {
    inner,
    messages: packets.map((packet) => ['frame.number', ...HANDSHAKE].map((name) => packet.get(name)).join(' ')),
    keepalives: packets.filter((packet) => packet.get('wg.keepalive') !== '').length,
  };
}

/** Of a decrypted file; `frame` is the outer one that the comment names. */
async function decryptedRows(path: string): Promise<Row[]> {
  const packets = await fieldsOf(path, 'frame', ['frame.comment', ...ABOUT, ...FIELDS]);
  return packets.map((packet) => ({
    frame: Number(/ frame (\d+)[,;]/.exec(packet.get('frame.comment') ?? '')?.[1]),
    time: packet.get('frame.time_epoch') ?? '',
    protocols: (packet.get('frame.protocols') ?? '').replace(/^raw:/, ''),
    fields: FIELDS.map((name) => packet.get(name) ?? ''),
  }));
}

interface Written {
  readonly capture: string;
  readonly inner: string;
  readonly innerBytes: Bytes;
  readonly outer: string;
  readonly wiresharkOptions: readonly string[];
  readonly written: number;
  readonly keepalives: number;
}

let count = 0;
async function written({ capture, keys }: Given, name: string): Promise<Written> {
  const inner: Bytes[] = [];
  const outer: Bytes[] = [];
  const sources = [bytesSource(name, capture), ...(keys === undefined ? [] : [bytesSource('keys.txt', keys)])];
  const { captures } = await decrypt(sources, {
    crypto: fastestOnNode(),
    // Wireshark opens what comes twice, too
    all: true,
    inner: (bytes) => inner.push(bytes),
    outer: (bytes) => outer.push(bytes),
  });
  const save = (suffix: string, bytes: Bytes): string => {
    const path = join(folder, `${count++}-${suffix}`);
    writeFileSync(path, bytes);
    return path;
  };
  const innerBytes = concatAll(inner);
  const [tally] = captures.map((one) => one.tally);
  return {
    capture: save(name, capture),
    inner: save('inner.pcapng', innerBytes),
    innerBytes,
    outer: save('outer.pcapng', concatAll(outer)),
    wiresharkOptions: keys === undefined ? [] : ['-o', `wg.keylog_file:${save('keys.txt', keys)}`],
    written: tally?.written ?? -1,
    keepalives: tally?.keepalives ?? -1,
  };
}

/** Given back for further questions. */
async function agrees(given: Given, name: string, least: number): Promise<Written> {
  const made = await written(given, name);
  const [theirs, ours, outside] = await Promise.all([
    shown(made.capture, made.wiresharkOptions),
    decryptedRows(made.inner),
    // which brings its keys along
    shown(made.outer, []),
  ]);
  expect(theirs.inner.length).toBeGreaterThanOrEqual(least);
  expect(ours).toEqual(theirs.inner);
  expect([made.written, made.keepalives]).toEqual([theirs.inner.length, theirs.keepalives]);
  expect(outside).toEqual(theirs);
  expect(outside.messages.some((message) => / 2 \S+ {2}1 /.test(message))).toBe(true);
  return made;
}

describe.skipIf(lacking.length > 0)('against tshark', () => {
  const PUBLIC: readonly (readonly [string, string | undefined])[] = [
    ['wireguard-ping-tcp.pcap', 'full_initiator.keys'],
    ['wireguard-ping-tcp.pcap', 'full_responder.keys'],
    ['wireguard-ping-tcp-dsb.pcapng', undefined],
    ['formats/en10mb-qinq.pcap', 'full_initiator.keys'],
    ['formats/en10mb-ipfrag.pcap', 'full_initiator.keys'],
    ['formats/en10mb-ipv6.pcap', 'full_initiator.keys'],
    ['formats/tzsp-udp37008.pcap', 'full_initiator.keys'],
    ['formats/epb-pow2-tsoffset.pcapng', 'full_initiator.keys'],
    ['formats/two-sections-le-be.pcapng', 'full_initiator.keys'],
  ];

  describe.skipIf(SHARED_ABSENT)("Wireshark's own capture", () => {
    const load = (name: string): Bytes => new Uint8Array(readFileSync(shared(`captures/public/${name}`)));

    test.each(PUBLIC)('%s, %s', async (name, keys) => {
      const given = { capture: load(name), keys: keys === undefined ? undefined : load(keys) };
      await agrees(given, name.replace('/', '-'), 16);
    });

    test.each(['psk_initiator.keys', 'psk_responder.keys', 'psk_wrong_order.keys'])(
      'the secrets of the outer capture open both PSK handshakes, also from %s',
      async (keys) => {
        const made = await written({ capture: load('wireguard-psk.pcap'), keys: load(keys) }, 'psk.pcap');
        const packets = await fieldsOf(made.outer, 'wg', HANDSHAKE);
        expect(packets.map((packet) => packet.get('wg.handshake_ok'))).toEqual(['', '1', '', '1']);
        expect(packets.map((packet) => packet.get('wg.static') !== '')).toEqual([true, false, true, false]);
      },
    );
  });

  test.each<readonly [number, Weather, 'client' | 'server']>([
    [2, 'clean', 'client'],
    [8, 'clean', 'server'],
    [3, 'rough', 'client'],
    [11, 'rough', 'server'],
  ])('simulated peers, seed %i, %s network, at the %s', async (seed, weather, view) => {
    const plan = planOf(seed, weather, 'brief');
    const files = filesOf(plan, new Simulation(plan).run(), view, true);
    const bytes = (suffix: string): Bytes =>
      files.find(({ name }) => name.endsWith(suffix))?.bytes ?? new Uint8Array(0);
    const made = await agrees({ capture: bytes('.pcap'), keys: bytes('.keys') }, `${view}.pcap`, 100);

    const lines = tcpdump(made.innerBytes);
    expect(lines.length).toBe(made.written);
    const info = output('capinfos', ['-M', '-T', '-m', '-r', '-c', made.inner]);
    expect(info.stdout).toContain(`${made.written}`);
  });

  test('a key log that was written is as good as the one that was read', async () => {
    const plan = planOf(4, 'clean', 'brief');
    const files = filesOf(plan, new Simulation(plan).run(), 'server', true);
    const sources = files.map(({ name, bytes }) => bytesSource(name, bytes));
    const { files: made } = await knownKeys(sources, { crypto: fastestOnNode(), files: true });
    const capture = files.find(({ name }) => name.endsWith('.pcap'))?.bytes ?? new Uint8Array(0);
    await agrees({ capture, keys: new TextEncoder().encode(made.keyLog) }, 'server.pcap', 100);
  });
});

/** Reads a pipe, and takes only interfaces that are all alike. */
function tcpdump(capture: Bytes): string[] {
  const { status, stdout } = output('tcpdump', ['-n', '-r', '-'], capture);
  expect(status).toBe(0);
  return stdout.split('\n').filter((line) => /^\d\d:\d\d:\d\d\./.test(line));
}
