/**
 * `wgwhy trace` and `wgwhy vectors` as their user runs them: tables, JSON, exit codes, and no secret anywhere. The texts
 * stand in test/cli/transcripts/; `npx vitest run test/cli/trace.test.ts -u` writes them anew after a change that is meant.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { toBase64 } from '../../src/base/base64.ts';
import { fromHex } from '../../src/base/bytes.ts';
import { SECRETS_WIREGUARD } from '../../src/capture/pcapng-blocks.ts';
import { type PcapngBlock, pcapngFile } from '../../src/capture/write-pcapng.ts';
import { formatTrafficKey } from '../../src/config/traffic-keys.ts';
import { traceSchema, vectorsSchema } from '../../src/report/trace-schema.ts';
import { amnezia, type Form, geneve, lwo, warp } from '../diagnose/forms.ts';
import { answer, ask, keyLog } from '../diagnose/handshakes.ts';
import { CLIENT, fittingFiles, OTHER, PSK_A, PSK_B, SERVER } from '../diagnose/keys.ts';
import { back, CLIENT_END, capture, SERVER_END, type Sent } from '../diagnose/traffic.ts';
import { cli, type Ran } from './harness.ts';

let root = '';
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'wgwhy-trace-'));
  for (const [name, content] of Object.entries(files())) writeFileSync(join(root, name), content);
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** The initiator's index is its ephemeral, too: see `ephemeralOf`. */
function files(): Record<string, string | Uint8Array> {
  const asked = ask(1, 0x11);
  const again = ask(8, 0x33);
  const other: Sent = { at: 3, from: CLIENT_END, to: SERVER_END, payload: Uint8Array.of(1, 2, 3) };
  const cookie = back(
    9,
    Uint8Array.from({ length: 64 }, (_, i) => (i === 0 ? 3 : i < 4 ? 0 : i)),
  );
  const whole = capture([asked, answer(asked, 0x22, { psk: PSK_A }), other, again, answer(again, 0x44), cookie]);
  const confs = fittingFiles({ clientPeer: { psk: PSK_A }, serverPeer: { psk: PSK_A } });
  const twice = fittingFiles({ client: { peers: [PSK_A, PSK_B].map((psk) => ({ key: SERVER.public, psk })) } });
  return {
    ...confs,
    'f.pcap': whole,
    'keys.log': keyLog(0x11, 0x33),
    'server.log': keyLog(0x22),
    'cut.pcap': whole.slice(0, -100),
    'garbled.pcap': garbled(whole),
    'snap.pcap': capture([{ ...asked, kept: 100 }]),
    'late.pcap': capture([answer(asked, 0x22, { psk: PSK_A })]),
    'stranger.conf': `[Interface]\nPrivateKey = ${OTHER.secret}\n`,
    'psk-b': `${PSK_B}\n`,
    'two-psks.conf': twice['client.conf'] ?? '',
    'note.txt': 'nothing of use\n',
  };
}

/** The first packet's record claims more than there is. */
function garbled(bytes: Uint8Array): Uint8Array {
  const copy = bytes.slice();
  copy.fill(0xff, 24 + 8, 24 + 16);
  return copy;
}

const SECRETS = [CLIENT.secret, SERVER.secret, PSK_A, PSK_B];

async function trace(...argv: readonly string[]): Promise<Ran> {
  const paths = argv.map((one) => (one.startsWith('-') || /^\d+$/.test(one) ? one : join(root, one)));
  const ran = await cli(['trace', ...paths]);
  const clean = (text: string): string => text.replaceAll(`${root}/`, '');
  return { ...ran, stdout: clean(ran.stdout), stderr: clean(ran.stderr) };
}

const whole = ['f.pcap', 'client.conf', 'keys.log'] as const;

describe('tables', () => {
  test.each<[string, readonly string[], number]>([
    ['trace-response', whole, 0],
    ['trace-initiation', [...whole, '--frame', '1'], 0],
    ['trace-other-psk', [...whole, '--other-psk', 'psk-b'], 0],
    ['trace-no-ephemeral', ['f.pcap', 'server.conf'], 1],
    ['trace-no-key', ['f.pcap', 'stranger.conf', '--frame', '1'], 1],
    ['trace-psk-unfit', ['f.pcap', 'client.conf', 'keys.log', '--frame', '5', '--other-psk', 'psk-b'], 0],
  ])('%s', async (name, argv, code) => {
    const ran = await trace(...argv);
    expect([ran.code, ran.stderr]).toEqual([code, '']);
    await expect(ran.stdout).toMatchFileSnapshot(`transcripts/${name}.txt`);
    for (const secret of SECRETS) expect(ran.stdout).not.toContain(secret);
  });

  test('what is before the damage is traced, and the damage told', async () => {
    const ran = await trace('cut.pcap', 'client.conf', 'keys.log', '--frame', '2');
    expect(ran.code).toBe(0);
    const undamaged = await trace(...whole);
    expect(ran.stdout.replace('cut.pcap', 'f.pcap')).toBe(undamaged.stdout);
    const late = await trace('cut.pcap', 'client.conf', 'keys.log', '--frame', '6');
    expect([late.code, late.stdout]).toEqual([2, '']);
    await expect(late.stderr).toMatchFileSnapshot('transcripts/trace-damaged.txt');
  });

  test('either end’s log gives the same table', async () => {
    const rows = ({ stdout }: Ran): string => stdout.slice(stdout.indexOf('\n\n'));
    expect(rows(await trace('f.pcap', 'server.conf', 'server.log'))).toBe(rows(await trace(...whole)));
  });

  test.each<[string, Form, readonly string[]]>([
    ['WARP', warp([35, 74, 190]), []],
    ['LWO', lwo(), []],
    ['Geneve', geneve(7), []],
    ['AmneziaWG', amnezia(), ['Jc = 0', 'S1 = 15', 'S2 = 18', 'H1 = 1234567891', 'H2 = 1234567892']],
  ])('in the form of %s: the same but for the MACs', async (_, form, settings) => {
    const asked = ask(1, 0x11);
    writeFileSync(join(root, 'form.pcap'), capture([asked, answer(asked, 0x22, { psk: PSK_A })].flatMap(form)));
    const conf = readFileSync(join(root, 'client.conf'), 'utf8').replace('\n', `\n${settings.join('\n')}\n`);
    writeFileSync(join(root, 'form.conf'), conf);
    const ran = await trace('form.pcap', 'form.conf', 'keys.log', '--frame', '2');
    expect(ran.code).toBe(0);
    const rows = ({ stdout }: Ran): string[] =>
      stdout
        .slice(stdout.indexOf('\n\n'))
        .split('\n')
        .filter((line) => !line.includes('msg.mac1'));
    expect(rows(ran)).toEqual(rows(await trace(...whole)));
  });

  test('a private key that was pasted as a public one is not shown either', async () => {
    const pasted = { secret: CLIENT.secret, public: SERVER.secret };
    writeFileSync(join(root, 'pasted.pcap'), capture([ask(1, 0x11, { forKey: pasted })]));
    writeFileSync(join(root, 'pasted.conf'), fittingFiles({ clientPeer: { key: pasted.public } })['client.conf'] ?? '');
    const hex = Buffer.from(SERVER.secret, 'base64').toString('hex');
    for (const more of [[], ['--json']]) {
      const ran = await trace('pasted.pcap', 'pasted.conf', 'server.conf', 'keys.log', ...more);
      expect(ran.code).toBe(0);
      for (const text of [hex, SERVER.secret, SERVER.secret.slice(0, 12)]) expect(ran.stdout).not.toContain(text);
      expect(ran.stdout).toContain(
        more.length === 0 ? 'S_r^pub                                            #' : '"secrets"',
      );
    }
  });

  test('--show-secrets shows them', async () => {
    const { stdout } = await trace(...whole, '--show-secrets');
    expect(stdout).toContain('a7'.repeat(32));
    expect(stdout).not.toMatch(/#[0-9a-f]{8}/);
  });

  test('--without-psk is --other-psk with zero', async () => {
    const { stdout, code } = await trace(...whole, '--without-psk');
    expect(stdout).toMatch(/Q {20,}#[0-9a-f]{8} +zero +← the first that differs/);
    expect(stdout).toContain('the first line that differs: response psk, Q\n');
    expect(code).toBe(0);
  });

  test('keys from a secrets block, even one behind what it opens', async () => {
    const asked = ask(1, 0x11);
    const sent = [asked, answer(asked, 0x22, { psk: PSK_A })];
    const packets = sent.map((one): PcapngBlock => {
      const whole = capture([one]);
      // without the headers of the file and of the record
      return { kind: 'packet', time: { sec: 1, nsec: 0 }, bytes: whole.slice(24 + 16) };
    });
    const data = new TextEncoder().encode(keyLog(0x11));
    const secrets: PcapngBlock = { kind: 'secrets', secretsType: SECRETS_WIREGUARD, data };
    const begin: PcapngBlock[] = [{ kind: 'section' }, { kind: 'interface', linkType: 101 }];
    for (const blocks of [
      [...begin, secrets, ...packets],
      [...begin, ...packets, secrets],
    ]) {
      writeFileSync(join(root, 'f.pcapng'), pcapngFile(blocks));
      const { code, stdout } = await trace('f.pcapng', 'client.conf', '--frame', '2');
      expect(code).toBe(0);
      expect(stdout).toContain('private key in secrets block of the capture:1');
    }
  });

  test('where both runs end alike it is said once, and of no one in particular', async () => {
    const { stdout, code } = await trace('f.pcap', 'server.conf', '--without-psk');
    expect(code).toBe(1);
    expect(stdout.match(/cannot be computed: .*/g)).toEqual(['cannot be computed: missing E_i^priv or E_r^priv']);
    expect(stdout).toContain('the two runs are the same, line by line: a PSK is mixed in by the token psk only');
  });

  test('on a narrow terminal values stand below their formulas', async () => {
    const argv = ['trace', ...whole.map((name) => join(root, name))];
    for (const columns of [40, 80, 100]) {
      const { stdout } = await cli(argv, { columns });
      for (const line of stdout.split('\n')) if (!/[0-9a-f]{64}/.test(line)) expect(line.length).toBeLessThan(100);
    }
  });
});

describe('data', () => {
  type Made = {
    keys_base64: Record<string, string>;
    responder_index: number;
    inner_ping: string;
    trace_response: Record<string, string>;
    cases: { id: string; packet: string }[];
  };
  let made: Made;
  beforeAll(async () => {
    made = JSON.parse((await cli(['vectors', '--seed', 'data'])).stdout);
    const packet = (id: string): Uint8Array => fromHex(made.cases.find((one) => one.id === id)?.packet ?? '');
    const there = (at: number, id: string): Sent => ({ at, from: CLIENT_END, to: SERVER_END, payload: packet(id) });
    const all = [there(1, 'init.ok'), back(1.1, packet('resp.ok')), there(1.2, 'data.ok')];
    writeFileSync(join(root, 'data.pcap'), capture(all));
    writeFileSync(join(root, 'data-only.pcap'), capture(all.slice(2)));
    const lines = [
      `LOCAL_STATIC_PRIVATE_KEY = ${made.keys_base64['initiator_static_private']}`,
      `REMOTE_STATIC_PUBLIC_KEY = ${made.keys_base64['responder_static_public']}`,
      `LOCAL_EPHEMERAL_PRIVATE_KEY = ${made.keys_base64['initiator_ephemeral_private']}`,
      `PRESHARED_KEY = ${made.keys_base64['psk']}`,
    ];
    writeFileSync(join(root, 'data.log'), `${lines.join('\n')}\n`);
    const key = fromHex(made.trace_response['transport_key_initiator_to_responder'] ?? '');
    const wrong = key.map((byte) => byte ^ 1);
    writeFileSync(
      join(root, 'traffic'),
      [wrong, key].map((one) => formatTrafficKey(made.responder_index, one)).join(''),
    );
  });

  test('after the handshake of its session, with the plaintext', async () => {
    const ran = await trace('data.pcap', 'data.log', '--frame', '3');
    expect([ran.code, ran.stderr]).toEqual([0, '']);
    await expect(ran.stdout.slice(ran.stdout.indexOf('  keys '))).toMatchFileSnapshot('transcripts/trace-data.txt');
    const shown = await trace('data.pcap', 'data.log', '--frame', '3', '--show-secrets');
    expect(shown.stdout).toMatch(new RegExp(` P +${made.inner_ping.slice(0, 96)}`));
  });

  test('by its traffic key alone, of several the one that opens it', async () => {
    for (const capture of ['data.pcap', 'data-only.pcap']) {
      const { code, stdout } = await trace(capture, 'traffic', '--frame', capture === 'data.pcap' ? '3' : '1');
      expect(code).toBe(0);
      expect(stdout).toMatch(/^ {2}packet {2}T\S* +#[0-9a-f]{8}\n/m);
    }
  });

  test('without any of these, both ways to it are named', async () => {
    const { code, stdout } = await trace('data-only.pcap', 'data.log', '--frame', '1');
    expect(code).toBe(1);
    expect(stdout).toMatch(/missing T: a handshake of index 0x[0-9a-f]{8} before it or its traffic key/);
  });
});

describe('nothing to trace', () => {
  test.each<[readonly string[], string]>([
    [[...whole, '--frame', '3'], 'f.pcap: frame 3 holds no WireGuard message that is read'],
    [[...whole, '--frame', '6'], 'f.pcap: frame 6 is a cookie reply'],
    [
      [...whole, '--frame', '77'],
      'f.pcap: the capture has 6 frames; there is no frame 77\n  handshake messages are in the frames 1 (init',
    ],
    [['snap.pcap', 'client.conf'], 'snap.pcap: frame 1 was cut by the capture: 72 bytes of the initiation are there'],
    [['client.conf'], 'none of the files is a capture'],
    [['f.pcap', 'late.pcap'], 'trace reads one capture'],
    [['f.pcap', 'nothing.conf'], 'a file cannot be read'],
    [['--vector', 'client.conf'], 'client.conf is not JSON'],
    [[...whole, '--other-psk', 'note.txt'], 'note.txt holds no PSK'],
    [[...whole, '--other-psk', 'two-psks.conf'], 'two-psks.conf holds 2 PSKs'],
    [
      [...whole, '--other-psk', 'psk-b', '--without-psk'],
      "'--other-psk <FILE>' cannot be used with option '--without-psk'",
    ],
    [[...whole, '--frame', '0'], 'a frame is a number from 1'],
    [['-'], 'trace reads files'],
  ])('%j', async (argv, told) => {
    const ran = await trace(...argv);
    expect([ran.code, ran.stdout]).toEqual([2, '']);
    expect(ran.stderr).toContain(told);
  });

  test('a capture that begins with the response', async () => {
    const { code, stdout } = await trace('late.pcap', 'client.conf', 'keys.log');
    expect(code).toBe(1);
    expect(stdout).toContain('cannot be computed: missing the initiation that this answers');
  });

  test('damage in the middle is told, and what it took away is missing', async () => {
    const { code, stdout, stderr } = await trace('garbled.pcap', 'client.conf', 'keys.log');
    expect(code).toBe(1);
    expect(stderr).toMatch(/^garbled\.pcap at byte 24: /);
    expect(stdout).toContain('cannot be computed: missing the initiation that this answers');
  });
});

describe('JSON and vectors', () => {
  const ajv = new Ajv2020({ allErrors: true, strict: true, allowUnionTypes: true });
  const validTrace = ajv.compile(traceSchema);
  const validVectors = ajv.compile(vectorsSchema);

  test.each<[readonly string[]]>([
    [whole],
    [[...whole, '--show-secrets']],
    [[...whole, '--without-psk']],
    [['f.pcap', 'server.conf']],
    [['f.pcap', 'stranger.conf']],
    [['late.pcap', 'client.conf']],
  ])('%j --json, by its schema', async (argv) => {
    const ran = await trace(...argv, '--json');
    expect(validTrace(JSON.parse(ran.stdout)), ajv.errorsText(validTrace.errors)).toBe(true);
    if (!argv.includes('--show-secrets')) for (const secret of SECRETS) expect(ran.stdout).not.toContain(secret);
  });

  test('what trace writes with its secrets, --vector holds against the engine', async () => {
    const { stdout } = await trace(...whole, '--json', '--show-secrets');
    writeFileSync(join(root, 'traced.json'), stdout);
    const ran = await trace('--vector', 'traced.json');
    expect(ran.stdout).toContain('28 of 28 figures of the file agree\n');
    expect(ran.code).toBe(0);
    writeFileSync(join(root, 'hidden.json'), (await trace(...whole, '--json')).stdout);
    expect((await trace('--vector', 'hidden.json')).stderr).toContain('a trace has them with --show-secrets');
  });

  test('vectors --seed: the same bytes each time, whole; without one, a fresh seed that is told', async () => {
    const made = await cli(['vectors', '--seed', '7']);
    expect((await cli(['vectors', '--seed', '7'])).stdout).toBe(made.stdout);
    const json: unknown = JSON.parse(made.stdout);
    expect(validVectors(json), ajv.errorsText(validVectors.errors)).toBe(true);
    writeFileSync(join(root, 'made.json'), made.stdout);
    const ran = await trace('--vector', 'made.json');
    expect([ran.code, ran.stderr]).toEqual([0, '']);
    await expect(ran.stdout).toMatchFileSnapshot('transcripts/trace-vector.txt');
    const [one, two] = [await cli(['vectors']), await cli(['vectors'])].map(({ stdout }) => JSON.parse(stdout).seed);
    expect(one).toMatch(/^[0-9a-f]{16}$/);
    expect(one).not.toBe(two);
  });

  test('a figure of somebody else’s that differs is marked where it stands', async () => {
    const json = JSON.parse((await cli(['vectors', '--seed', '7'])).stdout);
    json.trace_response.ck_after_se = toHexOf(json.keys.psk);
    json.trace_initiation.hash_after_s = 'ab'.repeat(32);
    writeFileSync(join(root, 'unlike.json'), JSON.stringify(json));
    const ran = await trace('--vector', 'unlike.json');
    expect(ran.code).toBe(1);
    expect(ran.stdout).toMatch(/ ≠ the file says +(ab){32}\n/);
    expect(ran.stdout).toMatch(/ ≠ the file says +#[0-9a-f]{8}\n/);
    expect(ran.stdout).toContain(
      '27 of 29 figures of the file agree\nthe first that differs: initiation.hash_after_s\n',
    );
    expect(ran.stdout).not.toContain(json.keys.psk);
  });
});

/** The same digits: only that it is one whole value matters. */
const toHexOf = (hex: string): string => Buffer.from(fromHex(hex)).toString('hex');

test('the help says what fingerprints are, and what the exit codes mean', async () => {
  const { stdout, code } = await cli(['trace', '--help']);
  expect(code).toBe(0);
  expect(stdout).toContain('keyed with\nthe handshake’s own DH results'.replace('’', "'"));
  expect(stdout).toContain('Exit code: 0 every row was computed');
});

test('the project’s own vectors, by their paths', async () => {
  for (const [file, told] of [
    ['drop_corpus.json', ['27 of 27']],
    ['noise_ikpsk2.json', ['9 of 9', '7 of 7']],
  ] as const) {
    const ran = await cli(['trace', '--vector', `vectors/${file}`]);
    expect(ran.code).toBe(0);
    for (const text of told) expect(ran.stdout).toContain(`${text} figures of the file agree`);
    const { keys, cases } = JSON.parse(readFileSync(`vectors/${file}`, 'utf8'));
    const secrets: string[] = [keys?.psk ?? cases[0].psk, keys?.initiator_static_private ?? cases[0].init_static];
    for (const secret of secrets) {
      expect(ran.stdout).not.toContain(secret);
      expect(ran.stdout).not.toContain(toBase64(fromHex(secret)));
    }
  }
});
