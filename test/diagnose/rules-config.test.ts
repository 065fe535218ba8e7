/** Rules on configuration files: tables of files that fit and files that do not, and no secret in what is said. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { allowedipsMissingAddress } from '../../src/diagnose/rules/allowedips-missing-address.ts';
import { allowedipsOverlap } from '../../src/diagnose/rules/allowedips-overlap.ts';
import { endpointPortMismatch } from '../../src/diagnose/rules/endpoint-port-mismatch.ts';
import { keyMismatch } from '../../src/diagnose/rules/key-mismatch.ts';
import { keyRoleSwap } from '../../src/diagnose/rules/key-role-swap.ts';
import { peerHeaderMissing } from '../../src/diagnose/rules/peer-header-missing.ts';
import { pskDiffers } from '../../src/diagnose/rules/psk-differs.ts';
import { runRules } from '../../src/diagnose/run.ts';
import { SHARED_ABSENT, shared } from '../shared.ts';
import { CLIENT, conf, FOURTH, fittingFiles, OTHER, PSK_A, PSK_B, pair, SERVER } from './keys.ts';
import { findingsOf, said, worldOf } from './world.ts';

const RULES = [
  peerHeaderMissing,
  keyRoleSwap,
  keyMismatch,
  pskDiffers,
  endpointPortMismatch,
  allowedipsOverlap,
  allowedipsMissingAddress,
];

/** One character of a public key, typed wrong; the last is left alone, since its low bits must be 0. */
function mistyped(key: string): string {
  return `${key.slice(0, 7)}${key.charAt(7) === 'A' ? 'B' : 'A'}${key.slice(8)}`;
}

const short = (key: string): string => `${key.slice(0, 6)}…${key.slice(-4)}`;

const withSecondPeer = (allowed: string, key = OTHER.public) => ({
  peers: [
    { key: CLIENT.public, allowed: '10.66.66.2/32' },
    { key, allowed },
  ],
});

const FITTING: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
  ['client and server', fittingFiles()],
  ['one file alone', { 'client.conf': fittingFiles()['client.conf'] ?? '' }],
  ['the same PSK on both', fittingFiles({ clientPeer: { psk: PSK_A }, serverPeer: { psk: PSK_A } })],
  ['a PSK of zeros and none', fittingFiles({ clientPeer: { psk: `${'A'.repeat(43)}=` } })],
  [
    'an unreadable PSK is another fault',
    fittingFiles({ clientPeer: { psk: PSK_A }, serverPeer: { psk: PSK_A.slice(0, 40) } }),
  ],
  [
    'the same file twice',
    { 'a.conf': fittingFiles()['client.conf'] ?? '', 'b.conf': fittingFiles()['client.conf'] ?? '' },
  ],
  ['a random listen port', fittingFiles({ server: { port: 0 }, clientPeer: { endpoint: '203.0.113.10:51999' } })],
  [
    'no addresses (wg setconf)',
    {
      'a.conf': conf({ secret: CLIENT.secret, peers: [{ key: SERVER.public }] }),
      'b.conf': conf({ secret: SERVER.secret, peers: [{ key: CLIENT.public }] }),
    },
  ],
  ['nested prefixes', fittingFiles({ server: withSecondPeer('10.66.66.0/24') })],
  ['a prefix twice on one peer', fittingFiles({ serverPeer: { allowed: '10.66.66.2/32, 10.66.66.2/32' } })],
  ['a peer listed twice', fittingFiles({ server: withSecondPeer('10.66.66.2/32', CLIENT.public) })],
  ['one of two addresses is allowed', fittingFiles({ client: { address: '192.168.7.7/24, 10.66.66.2/24' } })],
  [
    'an IPv6 address that is not routed to this peer',
    fittingFiles({ client: { address: '10.66.66.2/24, fd00::2/64' } }),
  ],
  ['two clients of one server, only one of them here', fittingFiles({ server: withSecondPeer('10.66.66.3/32') })],
  [
    'two clients, who do not know each other',
    {
      ...fittingFiles({ server: withSecondPeer('10.66.66.3/32') }),
      'other.conf': conf({
        secret: OTHER.secret,
        address: '10.66.66.3/24',
        peers: [{ key: SERVER.public, endpoint: '203.0.113.10:51820', allowed: '10.66.66.0/24' }],
      }),
    },
  ],
  [
    'a former server, which the client has left for another',
    {
      ...fittingFiles(),
      'former.conf': conf({
        secret: FOURTH.secret,
        address: '10.9.9.1/24',
        port: 51820,
        peers: [{ key: CLIENT.public, allowed: '10.66.66.2/32' }],
      }),
    },
  ],
];

test.each(FITTING)('nothing is said of %s', async (_, confs) => {
  expect(said(await findingsOf(RULES, { confs }))).toEqual([]);
});

const FAULTS: readonly (readonly [string, Readonly<Record<string, string>>, readonly string[]])[] = [
  [
    'the client has another key for the server',
    fittingFiles({ clientPeer: { key: OTHER.public } }),
    [
      `error key-mismatch: client.conf line 7 has the key ${short(OTHER.public)} where the key of server.conf is meant, which by server.conf line 2 is ${short(SERVER.public)}`,
    ],
  ],
  [
    'the server has a mistyped key for the client',
    fittingFiles({ serverPeer: { key: mistyped(CLIENT.public) } }),
    [
      `error key-mismatch: server.conf line 7 has the key ${short(mistyped(CLIENT.public))} where the key of client.conf is meant, which by client.conf line 2 is ${short(CLIENT.public)} (one character differs)`,
    ],
  ],
  [
    'the server does not have the client at all',
    fittingFiles({ server: { peers: [] } }),
    [
      `error key-mismatch: client.conf line 7 has server.conf as its peer, which has no [Peer] with the key of client.conf, ${short(CLIENT.public)}`,
    ],
  ],
  [
    'different PSKs',
    fittingFiles({ clientPeer: { psk: PSK_A }, serverPeer: { psk: PSK_B } }),
    ['error psk-differs: the PresharedKeys of one tunnel differ: client.conf line 8 and server.conf line 8'],
  ],
  [
    'a PSK at the server only',
    fittingFiles({ serverPeer: { psk: PSK_B } }),
    [
      'error psk-differs: server.conf line 8 has a PresharedKey, and the [Peer] for the other end at client.conf line 6 has none',
    ],
  ],
  [
    'a PSK at the client only',
    fittingFiles({ clientPeer: { psk: PSK_B } }),
    [
      'error psk-differs: client.conf line 8 has a PresharedKey, and the [Peer] for the other end at server.conf line 6 has none',
    ],
  ],
  [
    'another port',
    fittingFiles({ clientPeer: { endpoint: 'vpn.example.org:51999' } }),
    [
      'error endpoint-port-mismatch: client.conf line 8 writes to port 51999 of server.conf, which listens on 51820 (server.conf line 4)',
    ],
  ],
  [
    'one prefix on two peers, with host bits in one',
    fittingFiles({
      serverPeer: {},
      server: {
        peers: [
          { key: CLIENT.public, allowed: '10.66.66.0/24' },
          { key: OTHER.public, allowed: '10.66.66.9/24' },
        ],
      },
    }),
    [
      'error allowedips-overlap: 10.66.66.0/24 is in the AllowedIPs of 2 peers of server.conf (lines 8, 12): on Linux only the last, line 12, has it',
    ],
  ],
  [
    'an address that is not allowed',
    fittingFiles({ serverPeer: { allowed: '10.66.66.9/32' } }),
    [
      'error allowedips-missing-address: client.conf line 3 sends from 10.66.66.2, and server.conf line 8 allows only 10.66.66.9/32 for it',
    ],
  ],
  [
    'no AllowedIPs',
    fittingFiles({ server: { peers: [{ key: CLIENT.public }] } }),
    [
      'error allowedips-missing-address: client.conf line 3 sends from 10.66.66.2, and server.conf line 6 allows no AllowedIPs for it',
    ],
  ],
  [
    'only the network behind the sender is allowed: routed traffic passes',
    fittingFiles({ serverPeer: { allowed: '192.168.88.0/24' } }),
    [
      'warning allowedips-missing-address: client.conf line 3 sends from 10.66.66.2, and server.conf line 8 allows only 192.168.88.0/24 for it',
    ],
  ],
  [
    'IPv6 is routed to the peer and not allowed by it',
    fittingFiles({ client: { address: '10.66.66.2/24, fd00::2/64' }, clientPeer: { allowed: '0.0.0.0/0, ::/0' } }),
    [
      'warning allowedips-missing-address: client.conf line 3 sends from fd00::2, and server.conf line 8 allows only 10.66.66.2/32 for it',
    ],
  ],
  [
    'the own public key as a peer',
    fittingFiles({ clientPeer: { key: CLIENT.public } }),
    [
      'error key-role-swap: the PublicKey at client.conf line 7 is the own public key of this interface (client.conf line 2), not that of another end',
    ],
  ],
  [
    'a private key as a public key',
    fittingFiles({ clientPeer: { key: SERVER.secret } }),
    ['error key-role-swap: the PublicKey at client.conf line 7 is a private key, that of server.conf line 2'],
  ],
  [
    'a missing [Peer] line',
    {
      ...fittingFiles(),
      'server.conf': `[Interface]\nPrivateKey = ${SERVER.secret}\nListenPort = 51820\n[Peer]\nPublicKey = ${CLIENT.public}\nAllowedIPs = 10.66.66.2/32\nPublicKey = ${OTHER.public}\nAllowedIPs = 10.66.66.3/32\n`,
    },
    [
      'error peer-header-missing: the [Peer] at server.conf line 4 has two PublicKeys (lines 5 and 7): the first, that of client.conf, is lost',
    ],
  ],
];

test.each(FAULTS)('%s', async (_, confs, wanted) => {
  const findings = await findingsOf(RULES, { confs });
  expect(said(findings)).toEqual(wanted);
  for (const finding of findings) {
    expect(finding.subject).toMatch(/^file:(client|server)\.conf$/);
    expect(Object.keys(finding.fix).length).toBeGreaterThan(0);
  }
});

test('the same key twice under one [Peer] changes nothing', async () => {
  const text = `[Interface]\nPrivateKey = ${SERVER.secret}\n[Peer]\nPublicKey = ${CLIENT.public}\nPublicKey = ${CLIENT.public}\n`;
  expect(said(await findingsOf(RULES, { confs: { 'a.conf': text } }))).toEqual([]);
});

test('a port is only suspected until ICMP shows it', async () => {
  const [finding] = await findingsOf(RULES, {
    confs: fittingFiles({ clientPeer: { endpoint: '203.0.113.10:51999' } }),
  });
  expect(finding?.certainty).toBe('suspected');
  expect(finding?.notes.join()).toContain('forwards this port');
});

test('many peers with one prefix are one finding, and the lines in it are few', async () => {
  const peers = Array.from({ length: 200 }, (_, i) => ({ key: pair(20 + i).public, allowed: '0.0.0.0/0' }));
  const findings = await findingsOf(RULES, { confs: { 'wg0.conf': conf({ secret: SERVER.secret, peers }) } });
  expect(said(findings)).toEqual([
    'error allowedips-overlap: 0.0.0.0/0 is in the AllowedIPs of 200 peers of wg0.conf (lines 6, 10, 14, 18, 22, 26, 30, 34 and 192 more): on Linux only the last, line 802, has it',
  ]);
});

describe.skipIf(SHARED_ABSENT)('with a capture of what really ran', () => {
  const text = (path: string) => readFileSync(shared(`captures/lab/${path}`), 'utf8');
  const bytes = (path: string) => new Uint8Array(readFileSync(shared(`captures/lab/${path}`)));
  const healthy = { 'client.conf': text('healthy/client.conf'), 'server.conf': text('healthy/server.conf') };
  const captures = { 'client.pcap': bytes('healthy/client.pcap') };
  const changed = (file: keyof typeof healthy, from: string | RegExp, to: string) => ({
    ...healthy,
    [file]: healthy[file].replace(from, to),
  });

  test.each([
    ['psk-differs', changed('client.conf', 'Endpoint', `PresharedKey = ${PSK_A}\nEndpoint`)],
    ['key-mismatch', changed('server.conf', /PublicKey = .*/, `PublicKey = ${OTHER.public}`)],
    ['endpoint-port-mismatch', changed('server.conf', 'ListenPort = 51820', 'ListenPort = 51900')],
  ])('%s is information where the pair has worked', async (name, confs) => {
    const findings = await findingsOf(RULES, { confs, captures });
    expect(findings.map(({ rule, severity }) => [rule.name, severity])).toEqual([[name, 'info']]);
    expect(findings[0]?.notes.join()).toContain('is not what ran');
    expect(findings[0]?.frames.length).toBeGreaterThan(0);
  });

  test('ICMP port unreachable proves the port', async () => {
    const confs = {
      'client.conf': text('port-unreachable/client.conf'),
      'server.conf': text('port-unreachable/server.conf'),
    };
    const findings = await findingsOf(RULES, {
      confs,
      captures: { 'client.pcap': bytes('port-unreachable/client.pcap') },
    });
    expect(findings.map(({ rule, certainty }) => [rule.name, certainty])).toEqual([
      ['endpoint-port-mismatch', 'proven'],
    ]);
    expect(findings[0]?.frames.length).toBeGreaterThan(0);
  });

  test('initiations that arrive at another port than the file has', async () => {
    const server = text('server-firewall-drop/server.conf').replace('ListenPort = 51820', 'ListenPort = 51900');
    const given = {
      confs: { 'server.conf': server },
      captures: { 'server.pcap': bytes('server-firewall-drop/server.pcap') },
      at: { 'server.pcap': 'responder' as const },
    };
    expect(said(await findingsOf(RULES, given))).toEqual([
      'error endpoint-port-mismatch: initiations for the key of server.conf arrive at port 51820, and it listens on 51900 (server.conf line 4)',
    ]);
    expect(
      await findingsOf(RULES, { ...given, confs: { 'server.conf': text('server-firewall-drop/server.conf') } }),
    ).toEqual([]);
  });
});

/** Everything that a report could take from a finding. */
function everything(findings: ReturnType<typeof runRules>['findings']): string {
  return JSON.stringify(findings.map(({ rule, ...rest }) => ({ ...rest, rule: rule.name })));
}

test('no private and no preshared key is ever said, whatever stands where', async () => {
  const pairs = [CLIENT, SERVER, OTHER];
  const secrets = [...pairs.map(({ secret }) => secret), PSK_A, PSK_B];
  const anyKey = fc.constantFrom(...pairs.map((one) => one.public), mistyped(CLIENT.public), ...secrets);
  const peer = fc.record(
    {
      key: anyKey,
      psk: fc.constantFrom(PSK_A, PSK_B, CLIENT.secret),
      endpoint: fc.constantFrom('203.0.113.10:51820', '[2001:db8::1]:51999', 'a.example:1'),
      allowed: fc.constantFrom('10.0.0.1/32', '10.0.0.0/24', '0.0.0.0/0, ::/0', '10.0.0.7/24', ''),
    },
    { requiredKeys: ['key'] },
  );
  const file = fc
    .record({
      secret: fc.constantFrom(...pairs.map(({ secret }) => secret)),
      port: fc.constantFrom(0, 51820, 51821),
      address: fc.constantFrom('10.0.0.1/24', '10.0.0.2/24, fd00::2/64'),
      peers: fc.array(peer, { maxLength: 4 }),
      headers: fc.boolean(),
    })
    .map(({ headers, ...lines }) =>
      headers ? conf(lines) : conf(lines).replaceAll('\n\n[Peer]', '').replace('PublicKey', '[Peer]\nPublicKey'),
    );
  const seen = new Set<string>();
  await fc.assert(
    fc.asyncProperty(fc.array(file, { minLength: 1, maxLength: 4 }), async (files) => {
      const confs = Object.fromEntries(files.map((text, i) => [`${i}.conf`, text]));
      const { findings } = runRules(RULES, await worldOf({ confs }));
      for (const { rule } of findings) seen.add(rule.name);
      const output = everything(findings);
      for (const secret of secrets) expect(output).not.toContain(secret.slice(0, 12));
    }),
    { numRuns: 150, seed: 20_261_121 }, // one that reaches every rule,
  );
  expect(seen.size).toBe(RULES.length);
});
