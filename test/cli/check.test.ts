/** `wgwhy check` on files of a folder: text, JSON, the diff and what comes of it, exit codes, and no secret anywhere. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { rules } from '../../src/diagnose/registry.ts';
import { diagnose } from '../../src/report/diagnose.ts';
import type { Report } from '../../src/report/model.ts';
import { reportSchema } from '../../src/report/schema.ts';
import type { Texts } from '../diagnose/checked.ts';
import { HEALTHY_SECRETS, HEALTHY_TEXTS } from '../diagnose/healthy.ts';
import { CLIENT, fittingFiles, OTHER, PSK_A, PSK_B, SERVER } from '../diagnose/keys.ts';
import { quick, ros } from '../diagnose/texts.ts';
import { cli, type Ran } from './harness.ts';
import { patched } from './patch.ts';

let root = '';
let count = 0;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'wgwhy-check-'));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

interface Checked extends Ran {
  readonly folder: string;
}

async function check(texts: Texts, ...options: readonly string[]): Promise<Checked> {
  const folder = mkdtempSync(join(root, `${count++}-`));
  const files = Object.entries(texts).map(([name, text]) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  });
  const ran = await cli(['check', ...files, ...options], {
    rules,
    columns: 100,
    diagnose: (sources, given) => diagnose(sources, { ...given, tool: 'wgwhy 0.0.0' }),
  });
  return { ...ran, folder };
}

/** Without the folder, and in one line each. */
const plain = ({ stdout, folder }: Checked): string =>
  stdout.replaceAll(`${folder}/`, '').replace(/\n {4,}(?=\S)/g, ' ');

const WRONG_KEY = fittingFiles({ clientPeer: { key: OTHER.public } });
const short = (key: string): string => `${key.slice(0, 6)}…${key.slice(-4)}`;

describe('text', () => {
  test('file by file, the line as it should read, and the tally', async () => {
    const ran = await check(WRONG_KEY);
    expect(plain(ran)).toBe(
      [
        'client.conf',
        `  error   key-mismatch: client.conf line 7 has the key ${short(OTHER.public)} where the key of server.conf is meant, which by server.conf line 2 is ${short(SERVER.public)} (deduced) - server.conf line 7 has the key of client.conf, so the two files mean each other line 7: PublicKey = ${SERVER.public}`,
        '',
        'server.conf: nothing wrong was found',
        '',
        '2 files: 1 error, 0 warnings, 0 remarks',
        '',
      ].join('\n'),
    );
    expect([ran.code, ran.stderr]).toEqual([1, '']);
  });

  test('nothing wrong', async () => {
    const ran = await check(fittingFiles());
    expect(plain(ran)).toBe(
      'client.conf: nothing wrong was found\n\nserver.conf: nothing wrong was found\n\n2 files: 0 errors, 0 warnings, 0 remarks\n',
    );
    expect(ran.code).toBe(0);
  });

  test('colour only where the terminal takes it', async () => {
    expect((await check(WRONG_KEY)).stdout).not.toContain('\u001b');
  });
});

test('--json is the report of diagnose, by its schema', async () => {
  const ran = await check(WRONG_KEY, '--json');
  const report = JSON.parse(ran.stdout) as Report;
  const valid = new Ajv2020({ strict: false }).compile(reportSchema);
  expect([valid(report), valid.errors]).toEqual([true, null]);
  expect(report.findings.map(({ rule, edits }) => [rule, edits])).toEqual([
    ['key-mismatch', [{ input: 'a', line: 7, kind: 'replace', text: `PublicKey = ${SERVER.public}` }]],
  ]);
  expect(ran.code).toBe(1);
});

/** Faults of which every line to mend is shown, and what they are. */
const MENDED: readonly (readonly [string, Texts, readonly string[]])[] = [
  ['a wrong key', WRONG_KEY, ['key-mismatch']],
  ['a wrong port', fittingFiles({ clientPeer: { endpoint: '203.0.113.10:51999' } }), ['endpoint-port-mismatch']],
  [
    'an address that is not allowed',
    fittingFiles({ serverPeer: { allowed: '10.66.66.9/32' } }),
    ['allowedips-missing-address'],
  ],
  [
    'no AllowedIPs at all: a line more',
    fittingFiles({ server: { peers: [{ key: CLIENT.public }] } }),
    ['allowedips-missing-address'],
  ],
  [
    'a [Peer] line that is missing',
    {
      'hub.conf': quick(
        SERVER.secret,
        `[Peer] ${CLIENT.public}`,
        'AllowedIPs = 10.1.0.2/32',
        `PublicKey = ${OTHER.public}`,
        'AllowedIPs = 10.1.0.3/32',
      ),
    },
    ['peer-header-missing'],
  ],
  [
    'host bits, twice in one line',
    {
      'hub.conf': quick(
        SERVER.secret,
        `[Peer] ${CLIENT.public}`,
        'AllowedIPs = 10.1.0.2/24, 10.2.0.2/24',
        `[Peer] ${OTHER.public}`,
        'AllowedIPs = 10.1.0.3/32, 10.2.0.3/32',
      ),
    },
    ['cidr-host-bits', 'cidr-host-bits'],
  ],
  [
    'a packet size that is too large',
    { 'a.conf': quick(CLIENT.secret, 'MTU = 1500', `[Peer] ${SERVER.public}`) },
    ['mtu-too-large'],
  ],
  [
    'the Endpoint within AllowedIPs',
    {
      'a.conf': quick(
        CLIENT.secret,
        `[Peer] ${SERVER.public}`,
        'Endpoint = 203.0.113.10:51820',
        'AllowedIPs = 10.66.66.0/24, 203.0.113.0/24',
      ),
    },
    ['endpoint-loops-into-tunnel'],
  ],
  [
    'one address twice: the one that the server has for it',
    {
      'a.conf': quick(
        CLIENT.secret,
        'Address = 10.66.66.2/24',
        `[Peer] ${SERVER.public}`,
        'Endpoint = 203.0.113.10:51820',
        'AllowedIPs = 10.66.66.0/24',
      ),
      'b.conf': quick(
        OTHER.secret,
        'Address = 10.66.66.2/24',
        `[Peer] ${SERVER.public}`,
        'Endpoint = 203.0.113.10:51820',
        'AllowedIPs = 10.66.66.0/24',
      ),
      'hub.conf': quick(
        SERVER.secret,
        'Address = 10.66.66.1/24',
        'ListenPort = 51820',
        `[Peer] ${CLIENT.public}`,
        'AllowedIPs = 10.66.66.2/32',
        `[Peer] ${OTHER.public}`,
        'AllowedIPs = 10.66.66.3/32',
      ),
    },
    ['address-duplicate', 'allowedips-missing-address'],
  ],
  [
    'a key that was cut',
    {
      ...fittingFiles(),
      'client.conf': (fittingFiles()['client.conf'] ?? '').replace(SERVER.public, SERVER.public.slice(0, 40)),
    },
    ['key-malformed'],
  ],
];

describe('--fix-preview', () => {
  const forms: readonly (readonly [string, (text: string) => string])[] = [
    ['LF', (text) => text],
    ['CR LF', (text) => text.replaceAll('\n', '\r\n')],
    ['no line end at the end', (text) => text.trimEnd()],
  ];
  for (const [form, as] of forms) {
    test.each(MENDED)(`%s (${form}): the diff applies, and then nothing is wrong`, async (_, texts, found) => {
      // a line cannot be put after a last one that has no end
      if (form === 'no line end at the end' && Object.values(texts).some((text) => /PublicKey = \S+\n$/.test(text)))
        return;
      const before = Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, as(text)]));
      const ran = await check(before, '--fix-preview');
      const told = [...ran.stdout.matchAll(/^ {2}(?:error|warning) +([a-z-]+):/gm)].map(([, rule]) => rule);
      expect(told).toEqual(found);
      const after = patched(before, ran.stdout.slice(ran.stdout.indexOf('\n--- ') + 1), ran.folder);
      expect(after).not.toEqual(before);
      const again = await check(after);
      expect(again.stdout).toMatch(/: 0 errors, 0 warnings, \d+ remarks?\n$/);
      expect(again.code).toBe(0);
      // the files themselves are as they were
      for (const [name, text] of Object.entries(before))
        expect(readFileSync(join(ran.folder, name), 'utf8')).toBe(text);
    });
  }

  test('what it looks like: no line with a secret stands near a change', async () => {
    const texts = fittingFiles({ clientPeer: { key: OTHER.public, psk: PSK_A }, serverPeer: { psk: PSK_A } });
    const ran = await check(texts, '--fix-preview');
    const diff = ran.stdout.slice(ran.stdout.indexOf('\n--- ') + 1).replaceAll(`${ran.folder}/`, '');
    expect(diff).toBe(
      [
        '--- client.conf',
        '+++ client.conf\t(mended)',
        '@@ -5,3 +5,3 @@',
        ' ',
        ' [Peer]',
        `-PublicKey = ${OTHER.public}`,
        `+PublicKey = ${SERVER.public}`,
        '',
      ].join('\n'),
    );
  });

  test('nothing to mend', async () => {
    const ran = await check(fittingFiles(), '--fix-preview');
    expect(ran.stdout).toMatch(/\nno line of a file would mend it by itself\n$/);
  });
});

describe('exit codes', () => {
  test('0: only remarks', async () => {
    const ran = await check(fittingFiles({ clientPeer: { endpoint: '192.168.7.1:51820' } }));
    expect([ran.code, ran.stdout.includes('endpoint-private-address')]).toEqual([0, true]);
  });

  test('0: only warnings', async () => {
    expect((await check({ 'a.conf': quick(CLIENT.secret, 'MTU = 1500', `[Peer] ${SERVER.public}`) })).code).toBe(0);
  });

  test.each<readonly [string, string, string]>([
    [
      'a port',
      'ListenPort = 99999',
      '3:14: ListenPort has a port above 65535; wg on Linux would silently use 34463 instead',
    ],
    ['a setting', 'ListenProt = 51820', '3:1: this setting is not known to WireGuard; did you mean ListenPort'],
    [
      'an address',
      'Address = 10.0.0.300/24',
      "3:11: Address has an address that is not IPv4 '10.0.0.300/24'; an IPv4 address is four numbers from 0 to 255",
    ],
    ['no =', 'MTU 1420', "3:1: this line has no '='; write NAME = VALUE"],
  ])('2: %s that cannot be read, as file:line:column with a hint', async (_, line, said) => {
    const ran = await check({ 'bad.conf': quick(CLIENT.secret, line) });
    expect(ran.code).toBe(2);
    expect(plain(ran)).toContain(`bad.conf:${said}`);
  });

  test('1 where an error was found beside it', async () => {
    expect((await check({ ...WRONG_KEY, 'bad.conf': quick(CLIENT.secret, 'ListenPort = 99999') })).code).toBe(1);
  });

  test('2: nothing that is read', async () => {
    const ran = await check({ 'notes.txt': 'remember the milk\n' });
    expect([ran.code, ran.stdout]).toEqual([2, '']);
    expect(ran.stderr.replace(/\s+/g, ' ')).toContain(
      'notes.txt: this is text of no format that is known, which is not read',
    );
  });

  test('2: one of the files is not read', async () => {
    const ran = await check({ ...fittingFiles(), 'empty.conf': '' });
    expect(ran.code).toBe(2);
    expect(plain(ran)).toContain('empty.conf: this is an empty file');
  });

  test('2: no such file, standard input, a capture', async () => {
    const none = await cli(['check', join(root, 'none.conf')]);
    expect([none.code, none.stderr]).toEqual([2, expect.stringContaining('none.conf: there is no such file')]);
    expect((await cli(['check', '-'])).stderr).toContain('check reads files');
    const capture = new URL('../../vectors/lab/healthy/client.pcap', import.meta.url).pathname;
    const ran = await cli(['check', capture], { rules, diagnose });
    expect([ran.code, ran.stderr]).toEqual([2, expect.stringContaining('wgwhy diagnose takes captures')]);
  });
});

/** Whether any part of a secret that is long enough to be one stands there. */
const leaked = (out: string, secrets: readonly string[]): string[] =>
  secrets.filter((secret) => out.includes(secret.slice(0, 12)) || out.includes(secret.slice(-13, -1)));

describe('no secret is ever shown', () => {
  test.each(HEALTHY_TEXTS)('%s', async (_, texts) => {
    for (const options of [['--fix-preview'], ['--json']]) {
      const { stdout, stderr, code } = await check(texts, ...options);
      expect([code, leaked(stdout + stderr, HEALTHY_SECRETS)]).toEqual([0, []]);
    }
  });

  // each stands as a public key beside a line that the preview changes, and is a secret by what another file says
  test.each<readonly [string, string]>([
    ['replaced', `[Peer] ${SERVER.public}\nPresharedKey = ${PSK_A}\nPresharedKey = ${PSK_B}`],
    ['in a section that has none', `PresharedKey = ${PSK_A}`],
    ['in a section that is not known', `[Pear tree]\nPresharedKey = ${PSK_A}`],
    ['with white space', `[Peer] ${SERVER.public}\nPreshared Key = ${PSK_A.slice(0, 20)} ${PSK_A.slice(20)}`],
    ['in quotation marks', `[Peer] ${SERVER.public}\nPresharedKey = "${PSK_A}"`],
    ['with its name misspelt', `[Peer] ${SERVER.public}\npreshared-key = ${PSK_A}`],
    ['in a comment', `#PresharedKey = ${PSK_A}`],
    ['behind a setting', `MTU = 1420 # and PSK = ${PSK_A}`],
  ])('a preshared key %s', async (_, lines) => {
    const ran = await check(
      {
        'named.conf': quick(SERVER.secret, ...lines.split('\n')),
        'shown.conf': quick(CLIENT.secret, 'MTU = 1500', `PublicKey = ${PSK_A}`, `[Peer] ${PSK_A}`),
      },
      '--fix-preview',
    );
    expect(ran.stdout).toContain('+MTU = 1420');
    expect(leaked(ran.stdout + ran.stderr, [PSK_A])).toEqual([]);
  });

  test('of what is disabled on a router', async () => {
    const ran = await check(
      {
        'r1.rsc': ros(
          '/interface wireguard',
          `add disabled=yes name=wg9 private-key="${SERVER.secret}"`,
          '/interface wireguard peers',
          `add disabled=yes interface=wg9 preshared-key="${PSK_A}" public-key="${OTHER.public}"`,
        ),
        'a.conf': quick(CLIENT.secret, 'MTU = 1500', `PublicKey = ${PSK_A}`, `[Peer] ${SERVER.secret}`),
      },
      '--fix-preview',
    );
    expect(ran.stdout).toContain('+MTU = 1420');
    expect(leaked(ran.stdout + ran.stderr, [PSK_A, SERVER.secret])).toEqual([]);
  });

  test('whatever stands where', async () => {
    const secrets = [CLIENT.secret, SERVER.secret, PSK_A, PSK_B];
    const key = fc.constantFrom(CLIENT.public, SERVER.public, OTHER.public, ...secrets);
    const cut = fc.tuple(key, fc.integer({ min: 30, max: 44 })).map(([text, n]) => text.slice(0, n));
    const line = fc.oneof(
      fc
        .tuple(
          fc.constantFrom(
            'PublicKey',
            'PresharedKey',
            'PrivateKey',
            'Endpoint',
            'AllowedIPs',
            'MTU',
            '# old',
            'PostUp',
          ),
          fc.oneof(key, cut),
        )
        .map(([name, value]) => `${name} = ${value}`),
      fc.constantFrom(
        'AllowedIPs = 10.0.0.2/24',
        'AllowedIPs = 10.0.0.3/32',
        'MTU = 1500',
        'Endpoint = 10.0.0.1:51820',
        '[Peer]',
        'Address = 10.0.0.1/24',
      ),
    );
    const secret = fc.constantFrom(CLIENT.secret, SERVER.secret);
    const file = fc.tuple(secret, fc.array(line, { maxLength: 12 })).map(([own, lines]) => quick(own, ...lines));
    await fc.assert(
      fc.asyncProperty(fc.array(file, { minLength: 1, maxLength: 3 }), async (files) => {
        const { stdout, stderr } = await check(
          Object.fromEntries(files.map((text, i) => [`${i}.conf`, text])),
          '--fix-preview',
        );
        // of a secret that no file names as one, nobody can know it
        const named = secrets.filter((one) =>
          files.some((text) =>
            text.match(/^P\w+K\w+ = \S+$/gm)?.some((at) => !at.startsWith('PublicKey') && at.endsWith(` ${one}`)),
          ),
        );
        expect(leaked(stdout + stderr, named)).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });
});
