/** `wg show` for people and as a dump, and what `wg showconf` prints. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { formatPrefix } from '../../src/base/address.ts';
import { toBase64 } from '../../src/base/base64.ts';
import { parseWgConf } from '../../src/config/wg-quick.ts';
import { parseWgShow } from '../../src/config/wg-show.ts';
import { parseWgShowDump } from '../../src/config/wg-show-dump.ts';
import { shared } from '../shared.ts';
import { KEYS, PSK, secretsIn } from './samples.ts';

const [[PRIVATE_A, PUBLIC_A], [, PUBLIC_B], [, PUBLIC_C]] = KEYS;

describe('wg show', () => {
  const text = `interface: wg0
  public key: ${PUBLIC_A}
  private key: (hidden)
  listening port: 51820
  fwmark: 0xca6c

peer: ${PUBLIC_B}
  preshared key: (hidden)
  endpoint: 198.51.100.7:51820
  allowed ips: 10.200.0.2/32, 192.168.88.0/24, fd00::/64
  latest handshake: 1 year, 2 days, 3 hours, 1 minute, 5 seconds ago
  transfer: 1.46 KiB received, 444 B sent
  persistent keepalive: every 25 seconds

peer: ${PUBLIC_C}
  allowed ips: (none)

interface: wg1
  public key: ${PUBLIC_C}
  private key: (hidden)
  listening port: 51821
`;

  test('every value with its line', () => {
    const { interfaces, problems } = parseWgShow(text);
    expect(problems).toEqual([]);
    expect(
      interfaces.map((i) => [i.line, i.name?.value, i.listenPort?.value, i.fwMark?.value, i.peers.length]),
    ).toEqual([
      [1, 'wg0', 51820, 0xca6c, 2],
      [18, 'wg1', 51821, undefined, 0],
    ]);
    const [wg0] = interfaces;
    expect(wg0?.publicKey && [toBase64(wg0.publicKey.value), wg0.publicKey.line, wg0.publicKey.column]).toEqual([
      PUBLIC_A,
      2,
      15,
    ]);
    expect(wg0?.privateKey).toEqual({ value: { kind: 'hidden' }, line: 3, column: 16 });
    const [full, bare] = wg0?.peers ?? [];
    expect(full?.presharedKey?.value).toEqual({ kind: 'hidden' });
    expect([full?.endpoint?.value.host, full?.endpoint?.value.port, full?.endpoint?.column]).toEqual([
      '198.51.100.7',
      51820,
      13,
    ]);
    expect(full?.allowedIps.map(({ value, line, column }) => [formatPrefix(value), line, column])).toEqual([
      ['10.200.0.2/32', 10, 16],
      ['192.168.88.0/24', 10, 31],
      ['fd00::/64', 10, 48],
    ]);
    const ageMs = (((365 + 2) * 24 + 3) * 3600 + 65) * 1000;
    expect(full?.latestHandshake?.value).toEqual({ kind: 'ago', ageMs });
    expect([full?.rx, full?.tx]).toEqual([
      { value: { bytes: 1495, uncertaintyBytes: 6 }, line: 12, column: 13, raw: '1.46 KiB' },
      { value: { bytes: 444, uncertaintyBytes: 0 }, line: 12, column: 32, raw: '444 B' },
    ]);
    expect(full?.persistentKeepaliveSec?.value).toBe(25);
    expect(bare).toMatchObject({ line: 15, allowedIps: [] });
    expect(Object.keys(bare ?? {}).sort()).toEqual(['allowedIps', 'line', 'publicKey']);
  });

  test('colours, lost indentation and CR LF do not matter', () => {
    const coloured = text
      .replace(/^( *)([a-z ]+): /gm, '$1\u001b[1m$2\u001b[0m: ')
      .replace(/ (minute|second|KiB|B)\b/g, ' \u001b[36m$1\u001b[0m');
    const plain = parseWgShow(text).interfaces;
    expect(parseWgShow(coloured).interfaces).toEqual(plain);
    const flat = parseWgShow(text.replace(/^ +/gm, '').replace(/\n/g, '\r\n'));
    expect(flat.problems).toEqual([]);
    expect(flat.interfaces[0]?.peers[0]?.rx?.value).toEqual(plain[0]?.peers[0]?.rx?.value);
  });

  test.each<[string, unknown]>([
    ['Now', { kind: 'ago', ageMs: 0 }],
    ['1 second ago', { kind: 'ago', ageMs: 1000 }],
    ['54 years, 33 days, 10 hours, 32 minutes, 50 seconds ago', { kind: 'ago', ageMs: 1_705_833_170_000 }],
    ['(System clock wound backward; connection problems may ensue.)', { kind: 'clock-went-back' }],
    ['(none)', undefined],
    ['never', undefined],
  ])('latest handshake: %s', (said, value) => {
    const { interfaces, problems } = parseWgShow(`peer: ${PUBLIC_A}\n  latest handshake: ${said}\n`);
    expect([interfaces[0]?.peers[0]?.latestHandshake?.value, problems]).toEqual([value, []]);
  });

  test('AmneziaWG settings', () => {
    const { interfaces } = parseWgShow('interface: awg0\n  jc: 4\n  s1: 50\n  h1: 1234\n');
    expect(interfaces[0]?.amnezia.map(({ value, line }) => [value, line])).toEqual([
      ['Jc', 2],
      ['S1', 3],
      ['H1', 4],
    ]);
  });

  test('keys in the clear (WG_HIDE_KEYS=never) are not shown again', () => {
    const { interfaces, problems } = parseWgShow(
      `interface: wg0\n  private key: ${PRIVATE_A}\npeer: ${PUBLIC_B}\n  preshared key: ${PSK}\n`,
    );
    expect(problems).toEqual([]);
    const key = interfaces[0]?.privateKey?.value;
    expect(key?.kind === 'key' && toBase64(key.key)).toBe(PRIVATE_A);
    expect(interfaces[0]?.peers[0]?.presharedKey?.value.kind).toBe('key');
    expect(secretsIn(interfaces)).toEqual([]);
  });

  test.each([
    ['peer: abc', 7, 'peer has 3 characters, a key has 44'],
    ['  endpoint: 198.51.100.7', 13, 'endpoint has no port'],
    ['  allowed ips: 10.0.0.0/40', 16, "allowed ips has a wrong prefix length '10.0.0.0/40'"],
    ['  transfer: much', 13, 'transfer cannot be read'],
    ['  latest handshake: soon', 21, 'latest handshake is not a time'],
    ['  preshared key: abc', 18, 'preshared key has 3 characters, a key has 44'],
  ])('%j', (line, column, message) => {
    const { problems } = parseWgShow(`interface: wg0\npeer: ${PUBLIC_A}\n${line}\n`);
    expect(problems).toMatchObject([{ line: 3, column, message }]);
  });
});

describe('wg show dump', () => {
  const rows = [
    [PRIVATE_A, PUBLIC_A, '51820', '0xca6c'],
    [PUBLIC_B, PSK, '[2001:db8::1]:51820', '10.0.0.2/32,fd00::/64', '1767323045', '180', '92', '25'],
    [PUBLIC_C, '(none)', '(none)', '(none)', '0', '0', '0', 'off'],
  ];

  test.each([
    ['one interface', '\t', undefined],
    ['all', '\t', 'wg0'],
    ['all, tabs lost', '    ', 'wg0'],
  ])('%s', (_, separator, name) => {
    const text = rows.map((row) => [...(name === undefined ? [] : [name]), ...row].join(separator)).join('\n');
    const { interfaces, problems } = parseWgShowDump(`${text}\n`);
    expect(problems).toEqual([]);
    expect(interfaces.map((i) => [i.line, i.name?.value, i.listenPort?.value, i.fwMark?.value, i.amnezia])).toEqual([
      [1, name, 51820, 0xca6c, []],
    ]);
    const [device] = interfaces;
    expect([device?.privateKey?.value.kind, device?.publicKey && toBase64(device.publicKey.value)]).toEqual([
      'key',
      PUBLIC_A,
    ]);
    const [full, bare] = device?.peers ?? [];
    expect(full?.presharedKey?.value.kind).toBe('key');
    expect([full?.line, full?.endpoint?.value.host, full?.endpoint?.value.port]).toEqual([2, '2001:db8::1', 51820]);
    expect(full?.allowedIps.map(({ value }) => formatPrefix(value))).toEqual(['10.0.0.2/32', 'fd00::/64']);
    expect([full?.latestHandshake?.value, full?.rx?.value.bytes, full?.tx?.value.bytes]).toEqual([
      { kind: 'at', sec: 1_767_323_045 },
      180,
      92,
    ]);
    expect(full?.persistentKeepaliveSec?.value).toBe(25);
    expect(bare?.presharedKey?.value).toEqual({ kind: 'none' });
    expect([bare?.endpoint, bare?.allowedIps, bare?.latestHandshake, bare?.persistentKeepaliveSec?.value]).toEqual([
      undefined,
      [],
      undefined,
      0,
    ]);
    expect(secretsIn(interfaces)).toEqual([]);
  });

  test('two interfaces, one without a key, and one whose own line is missing', () => {
    const { interfaces } = parseWgShowDump(
      `wg0\t(none)\t(none)\t0\toff\nwg1\t(hidden)\t${PUBLIC_A}\t51821\toff\nwg0\t${PUBLIC_B}\t(none)\t(none)\t(none)\t0\t0\t0\toff\nwg9\t${PUBLIC_C}\t(none)\t(none)\t(none)\t0\t148\t92\toff\n`,
    );
    expect(
      interfaces.map((i) => [i.name?.value, i.privateKey?.value.kind, i.listenPort?.value, i.peers.length]),
    ).toEqual([
      ['wg0', 'none', 0, 1],
      ['wg1', 'hidden', 51821, 0],
      ['wg9', undefined, undefined, 1],
    ]);
  });

  test('AmneziaWG prints its settings in between', () => {
    const { interfaces, problems } = parseWgShowDump(
      `awg0\t${PRIVATE_A}\t${PUBLIC_A}\t51820\t4\t40\t70\t0\t0\t1\t2\t3\t4\toff\n`,
    );
    expect([interfaces[0]?.amnezia.map(({ value }) => value), problems]).toEqual([['Jc', 'Jmin', 'Jmax'], []]);
  });

  test('what is no line of a dump', () => {
    const { problems } = parseWgShowDump('a b c d e\n');
    expect(problems).toEqual([
      { message: 'this line is not one of a dump', line: 1, column: 1, hint: 'copy whole lines of it' },
    ]);
  });

  test.skipIf(!existsSync(fileURLToPath(shared('captures/lab/'))))('of the lab', () => {
    const lab = fileURLToPath(shared('captures/lab/'));
    for (const name of readdirSync(lab)) {
      const { interfaces, problems } = parseWgShowDump(readFileSync(`${lab}${name}/wg-show-server.txt`, 'utf8'));
      expect(problems).toEqual([]);
      expect(interfaces.map((i) => [i.privateKey?.value.kind, i.peers.length > 0])).toEqual([['key', true]]);
    }
  });
});

test('wg showconf is a configuration', () => {
  const { conf, problems } = parseWgConf(`[Interface]
ListenPort = 51820
FwMark = 0xca6c
PrivateKey = ${PRIVATE_A}

[Peer]
PublicKey = ${PUBLIC_B}
PresharedKey = ${PSK}
AllowedIPs = 10.200.0.2/32, fd00::/64
Endpoint = 198.51.100.7:51820
PersistentKeepalive = 25
`);
  expect(problems).toEqual([]);
  expect([conf.interface.listenPort?.value, conf.peers[0]?.allowedIps.length]).toEqual([51820, 2]);
});
