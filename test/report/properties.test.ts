/** The analysis as a whole against broken and hostile input: it never throws, never ends up elsewhere, never tells a secret. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { nodeCrypto } from '../../src/crypto/node.ts';
import { openWithPcapParser } from '../../src/io/pcap-parser-reader.ts';
import { type DiagnoseOptions, diagnose, type Source } from '../../src/report/diagnose.ts';
import type { Report } from '../../src/report/model.ts';
import { renderText } from '../../src/report/text.ts';
import {
  bytesSource,
  declaredFindings,
  diagnoseLab,
  findingLines,
  LAB_CAPTURES,
  LAB_CASES,
  labFile,
} from '../scenarios/lab.ts';

/** Small ones that have what is worth breaking: a PSK, a NAT, cookies, fragments, ICMP errors, a cut capture. */
const CAPTURES = [
  'lab/healthy-psk-nat/client.pcap',
  'lab/psk-mismatch/server.pcap',
  'lab/port-unreachable/client.pcap',
  'lab/snaplen-96/server.pcap',
  'lab/mtu-blackhole/server.pcap',
  'lab-more/cookie-under-load/client.pcap.gz',
  'lab-more/ipv6-port-unreachable/client.pcap',
] as const;
const CONFS = ['client.conf', 'server.conf'] as const;

const folderOf = (path: string): string => path.replace(/\/[^/]*$/, '');
const textOf = (path: string): string => new TextDecoder().decode(labFile(path));
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

/** A key log from configurations: statics and PSKs under their names there. */
const keyLogOf = (conf: string): string =>
  secretsOf(conf)
    .map((key) => `LOCAL_STATIC_PRIVATE_KEY=${key}\nLOCAL_EPHEMERAL_PRIVATE_KEY=${key}\nPRESHARED_KEY=${key}\n`)
    .join('');

const secretsOf = (conf: string): string[] =>
  [...conf.matchAll(/(?:PrivateKey|PresharedKey) *= *([A-Za-z0-9+/]{43}=)/g)].map(([, key]) => key ?? '');

const RUN = 12;

/** Any twelve characters in a row of a secret, as base64 or as hexadecimal digits. */
function leaks(output: string, secrets: readonly string[]): string[] {
  const found: string[] = [];
  for (const secret of secrets) {
    for (const form of [secret, Buffer.from(secret, 'base64').toString('hex')]) {
      for (let at = 0; at + RUN <= form.length; at++) {
        if (output.includes(form.slice(at, at + RUN))) found.push(form.slice(at, at + RUN));
      }
    }
  }
  return found;
}

interface Everything {
  readonly report: Report;
  readonly output: string;
}

async function everything(sources: readonly Source[], options: DiagnoseOptions = {}): Promise<Everything> {
  const events: unknown[] = [];
  const { report } = await diagnose(sources, {
    crypto: nodeCrypto,
    onEvent: (event) => events.push(event),
    ...options,
  });
  return { report, output: JSON.stringify(report) + JSON.stringify(events) + renderText(report, { verbose: true }) };
}

type Edit = (bytes: Uint8Array) => Uint8Array;
const place = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const edit: fc.Arbitrary<Edit> = fc.oneof(
  fc.tuple(place, fc.nat(255)).map(
    ([at, value]): Edit =>
      (bytes) =>
        bytes.map((b, i) => (i === index(bytes, at) ? value : b)),
  ),
  fc.tuple(place, fc.nat(255)).map(
    ([at, value]): Edit =>
      (bytes) =>
        bytes.map((b, i) => (i === index(bytes, at) % 120 ? value : b)),
  ),
  place.map(
    (at): Edit =>
      (bytes) =>
        bytes.slice(0, index(bytes, at)),
  ),
  fc.tuple(place, fc.nat(200)).map(
    ([at, n]): Edit =>
      (bytes) =>
        splice(bytes, index(bytes, at), n, new Uint8Array()),
  ),
  fc.tuple(place, fc.uint8Array({ maxLength: 64 })).map(
    ([at, more]): Edit =>
      (bytes) =>
        splice(bytes, index(bytes, at), 0, more),
  ),
  fc.tuple(place, place, fc.nat(400)).map(
    ([at, from, n]): Edit =>
      (bytes) =>
        splice(bytes, index(bytes, at), 0, bytes.slice(index(bytes, from), index(bytes, from) + n)),
  ),
);
const edits = fc.array(edit, { minLength: 1, maxLength: 4 });

const index = (bytes: Uint8Array, at: number): number => Math.floor(at * bytes.length);
const splice = (bytes: Uint8Array, at: number, removed: number, added: Uint8Array): Uint8Array =>
  Uint8Array.from([...bytes.subarray(0, at), ...added, ...bytes.subarray(at + removed)]);
const broken = (bytes: Uint8Array, how: readonly Edit[]): Uint8Array => how.reduce((now, one) => one(now), bytes);

describe('whatever comes in, a report comes out, and no secret with it', { timeout: 60_000 }, () => {
  test('random bytes', async () => {
    const magic = fc.constantFrom('', 'd4c3b2a1', 'a1b23c4d', '0a0d0d0a1c0000004d3c2b1a', '1f8b0800');
    const bytes = fc
      .tuple(magic, fc.uint8Array({ maxLength: 300 }))
      .map(([head, rest]) => Uint8Array.from([...Buffer.from(head, 'hex'), ...rest]));
    await fc.assert(
      fc.asyncProperty(fc.array(bytes, { minLength: 1, maxLength: 3 }), async (files) => {
        const { report } = await everything(files.map((file, i) => bytesSource(`${i}`, file)));
        expect(report.schema).toBe('wgwhy/report/1');
      }),
      { numRuns: 150 },
    );
  });

  test.each(CAPTURES)('%s, broken', async (path) => {
    const confs = CONFS.map((name) => `${folderOf(path)}/${name}`);
    const secrets = confs.flatMap((conf) => secretsOf(textOf(conf)));
    expect(secrets.length).toBeGreaterThanOrEqual(2);
    await fc.assert(
      fc.asyncProperty(edits, async (how) => {
        const capture = bytesSource(path, broken(labFile(path), how));
        const { output } = await everything([capture, ...confs.map((conf) => bytesSource(conf, labFile(conf)))]);
        expect(leaks(output, secrets)).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });

  test('configurations and key logs, broken', async () => {
    const path = CAPTURES[0];
    const [client, server] = CONFS.map((name) => textOf(`${folderOf(path)}/${name}`)) as [string, string];
    const secrets = [client, server].flatMap(secretsOf);
    expect(secrets.length).toBe(4);
    const files = fc.constantFrom(client, server, keyLogOf(client), keyLogOf(server), `${client}\n${keyLogOf(server)}`);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(files, edits), { minLength: 1, maxLength: 3 }), async (given) => {
        const texts = given.map(([text, how], i) => bytesSource(`${i}.conf`, broken(utf8(text), how)));
        const { output } = await everything([bytesSource(path, labFile(path)), ...texts]);
        expect(leaks(output, secrets)).toEqual([]);
      }),
      { numRuns: 120 },
    );
  });

  test('the search for secrets finds one', () => {
    const [secret = ''] = secretsOf(textOf('lab/healthy/client.conf'));
    expect(leaks(`x${secret.slice(20, 32)}y`, [secret]).length).toBe(1);
    expect(leaks(Buffer.from(secret, 'base64').toString('hex'), [secret]).length).toBe(64 - RUN + 1);
  });

  test('sound files: none of them tells a secret', async () => {
    for (const path of LAB_CAPTURES.filter((name) => name.includes('/client.')).slice(0, 20)) {
      const confs = CONFS.map((name) => `${folderOf(path)}/${name}`);
      const sources = [path, ...confs].map((name) => bytesSource(name, labFile(name)));
      const log = bytesSource('all.keys', utf8(confs.map((conf) => keyLogOf(textOf(conf))).join('')));
      const { output } = await everything([...sources, log]);
      expect(
        leaks(
          output,
          confs.flatMap((conf) => secretsOf(textOf(conf))),
        ),
        path,
      ).toEqual([]);
    }
  });
});

test.each(CAPTURES)('%s: the same report however it is cut into chunks', { timeout: 60_000 }, async (path) => {
  const confs = CONFS.map((name) => `${folderOf(path)}/${name}`);
  const run = async (chunk: number): Promise<string> => {
    const sources = [path, ...confs].map((name) => bytesSource(name, labFile(name), chunk));
    return (await everything(sources)).output;
  };
  const whole = await run(1 << 20);
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 2000 }), async (chunk) => {
      expect(await run(chunk)).toBe(whole);
    }),
    { numRuns: 4, examples: [[1]] },
  );
});

describe('pcap-parser as the reader: the same findings', { timeout: 60_000 }, () => {
  const declared = declaredFindings();
  test.each(LAB_CASES.filter(({ vantage }) => vantage === 'both').map((one) => [one.id, one] as const))(
    '%s',
    async (id, one) => {
      const report = await diagnoseLab(one, { crypto: nodeCrypto, openCapture: openWithPcapParser });
      expect(findingLines(report)).toEqual(declared[id]);
    },
  );
});
