/** wg and wg-quick files: fields with their places, tables of what people get wrong, what wg itself says. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { formatIp, formatPrefix } from '../../src/base/address.ts';
import { toBase64 } from '../../src/base/base64.ts';
import type { WgConf } from '../../src/config/wg-conf.ts';
import { MAX_CONF_LENGTH, MAX_CONF_PEERS, parseWgConf } from '../../src/config/wg-quick.ts';

const SHARED = fileURLToPath(new URL('../../../shared/', import.meta.url));
/** Made for this file. */
const KEY = '4HqMZSgBCSHbezINAvc7nkbaQJ2ncFoOk73jEnnsRFs=';
const KEY2 = 'Y6fMlVzCFxBdLzQarWq+jy7gv9uKGpDAhdE9qyQTznM=';
const KEY3 = 'L12K4xMcLscwAp2sJyDbCOKLbiAKjHus4SWpGKTSSn4=';
const PEER = `[Peer]\nPublicKey = ${KEY2}\n`;

/** `line:column message | hint` of each problem. */
function said(text: string): string[] {
  return parseWgConf(text).problems.map(
    ({ line, column, message, hint }) =>
      `${line ?? '-'}:${column ?? '-'} ${message}${hint === undefined ? '' : ` | ${hint}`}`,
  );
}

describe('a whole file', () => {
  const { conf, problems } = parseWgConf(`# made by hand
[Interface]
# Name = office
PrivateKey = ${KEY}
Address = 10.66.66.1/24, fd00::1/64
Address=10.67.0.1
ListenPort = 51820
MTU = 1420   # fits
DNS = 1.1.1.1, 2606:4700::1111, corp.example
FwMark = 0xca6c
Table = auto
SaveConfig = TRUE
PostUp = iptables -A FORWARD -i %i -j ACCEPT # not a comment
PostUp = second
PreDown = third

### Client phone
[Peer]
publickey=${KEY2}
PRESHAREDKEY = ${KEY3}
AllowedIPs = 10.66.66.2/32 , fd00::2/128
AllowedIPs = 192.168.1.7/24
Endpoint = [2001:db8::1]:51821
PersistentKeepalive = 25

[Peer] # laptop
PublicKey = ${KEY3}
Endpoint = vpn.example.net:51820
PersistentKeepalive = off
`);

  test('has no problems and no faults', () => {
    expect(problems).toEqual([]);
    expect(conf.faults).toEqual([]);
  });

  test('gives the interface with places', () => {
    const { privateKey, addresses, dns, dnsSearch, ...rest } = conf.interface;
    expect(privateKey === undefined ? undefined : toBase64(privateKey.value)).toBe(KEY);
    expect(privateKey).not.toHaveProperty('raw');
    expect(addresses.map((a) => [formatPrefix(a.value), a.line, a.column, a.raw])).toEqual([
      ['10.66.66.1/24', 5, 11, '10.66.66.1/24'],
      ['fd00::1/64', 5, 26, 'fd00::1/64'],
      ['10.67.0.1/32', 6, 9, '10.67.0.1'],
    ]);
    expect(dns.map((d) => formatIp(d.value))).toEqual(['1.1.1.1', '2606:4700::1111']);
    expect(dnsSearch.map((d) => d.value)).toEqual(['corp.example']);
    expect(rest).toEqual({
      line: 2,
      comment: 'office',
      listenPort: { value: 51820, line: 7, column: 14, raw: '51820' },
      mtu: { value: 1420, line: 8, column: 7, raw: '1420' },
      fwMark: { value: 0xca6c, line: 10, column: 10, raw: '0xca6c' },
      table: { value: 'auto', line: 11, column: 9, raw: 'auto' },
      saveConfig: { value: true, line: 12, column: 14, raw: 'TRUE' },
      preUp: [],
      postUp: [
        { value: 'iptables -A FORWARD -i %i -j ACCEPT # not a comment', line: 13, column: 10 },
        { value: 'second', line: 14, column: 10 },
      ],
      preDown: [{ value: 'third', line: 15, column: 11 }],
      postDown: [],
    });
  });

  test('gives the peers with places', () => {
    const [phone, laptop] = conf.peers;
    expect(phone).toMatchObject({
      line: 18,
      comment: 'phone',
      endpoint: { value: { host: '2001:db8::1', port: 51821 }, line: 23, column: 12 },
      persistentKeepalive: { value: 25, line: 24, column: 23 },
    });
    expect(phone?.presharedKey).not.toHaveProperty('raw');
    expect(phone?.endpoint?.value.ip?.length).toBe(16);
    expect(phone?.allowedIps.map((a) => formatPrefix(a.value))).toEqual([
      '10.66.66.2/32',
      'fd00::2/128',
      '192.168.1.7/24',
    ]);
    expect(laptop).toMatchObject({ line: 26, comment: 'laptop', persistentKeepalive: { value: 0 } });
    expect(laptop?.endpoint?.value).toEqual({ host: 'vpn.example.net', port: 51820 });
    expect(laptop).not.toHaveProperty('presharedKey');
  });
});

describe.skipIf(!existsSync(SHARED))('the configurations of the lab', () => {
  const lab = `${SHARED}captures/lab`;
  const names = existsSync(lab) ? readdirSync(lab) : [];
  /** The plainest reading there is: name and value of each line, grouped by section. */
  function plain(text: string): Map<string, string>[] {
    const out: Map<string, string>[] = [];
    for (const line of text.split('\n')) {
      if (line.startsWith('[')) out.push(new Map());
      const at = line.indexOf(' = ');
      if (at > 0) out.at(-1)?.set(line.slice(0, at), line.slice(at + 3));
    }
    return out;
  }
  function written(conf: WgConf): Map<string, string>[] {
    const rows: [string, string | undefined][][] = [
      [
        ['PrivateKey', conf.interface.privateKey && toBase64(conf.interface.privateKey.value)],
        ['Address', conf.interface.addresses.map((a) => formatPrefix(a.value)).join(', ')],
        ['ListenPort', conf.interface.listenPort?.value.toString()],
        ['MTU', conf.interface.mtu?.value.toString()],
      ],
      ...conf.peers.map((peer): [string, string | undefined][] => [
        ['PublicKey', peer.publicKey && toBase64(peer.publicKey.value)],
        ['PresharedKey', peer.presharedKey && toBase64(peer.presharedKey.value)],
        ['Endpoint', peer.endpoint && `${peer.endpoint.value.host}:${peer.endpoint.value.port}`],
        ['AllowedIPs', peer.allowedIps.map((a) => formatPrefix(a.value)).join(', ')],
        ['PersistentKeepalive', peer.persistentKeepalive?.value.toString()],
      ]),
    ];
    return rows.map((row) => new Map(row.filter((pair): pair is [string, string] => pair[1] !== undefined)));
  }

  test.each(names.flatMap((name) => [`${name}/client.conf`, `${name}/server.conf`]))('%s', (file) => {
    const text = readFileSync(`${lab}/${file}`, 'utf8');
    const { conf, problems } = parseWgConf(text);
    expect(problems).toEqual([]);
    expect(written(conf)).toEqual(plain(text));
  });
});

describe('as wg takes it', () => {
  test('the last of several values counts', () => {
    const { conf } = parseWgConf(
      `[Interface]\nListenPort = 1\nListenPort = 2\n${PEER}PresharedKey=${KEY}\nPresharedKey=${KEY3}`,
    );
    expect(conf.interface.listenPort?.value).toBe(2);
    const psk = conf.peers[0]?.presharedKey;
    expect(psk === undefined ? undefined : [toBase64(psk.value), psk.line]).toEqual([KEY3, 7]);
  });

  test('a missing [Peer] line: the last key stays, and both are named', () => {
    const { conf } = parseWgConf(`${PEER}AllowedIPs = 10.0.0.1\nPublicKey = ${KEY3}\nAllowedIPs = 10.0.0.2`);
    expect(conf.peers).toHaveLength(1);
    expect(conf.peers[0]?.allowedIps).toHaveLength(2);
    const [fault] = conf.faults;
    expect(fault).toMatchObject({ kind: 'second-public-key', line: 4, column: 13, firstLine: 2, peer: 0 });
    if (fault?.kind !== 'second-public-key' || fault.first === undefined || fault.second === undefined)
      throw new Error('no fault');
    expect([toBase64(fault.first), toBase64(fault.second)]).toEqual([KEY2, KEY3]);
    expect(conf.peers[0]?.publicKey?.line).toBe(4);
  });

  test('white space inside a key is ignored, with a word', () => {
    const text = `[Peer]\nPublicKey = ${KEY.slice(0, 10)} ${KEY.slice(10)}`;
    const { conf } = parseWgConf(text);
    expect(conf.peers[0]?.publicKey?.value).toEqual(new Uint8Array(Buffer.from(KEY, 'base64')));
    expect(said(text)).toEqual([
      '2:23 PublicKey has white space inside | wg on Linux ignores it, other programs refuse the file',
    ]);
  });

  test('CR LF, capitals, spaces in headers and around everything', () => {
    const { conf, problems } = parseWgConf(
      `\r\n [ INTERFACE ] \r\n\tlistenport\t=\t51820 \r\n[peer]\r\n PUBLICKEY=${KEY} # x\r\n`,
    );
    expect(problems).toEqual([]);
    expect([conf.interface.listenPort?.value, conf.peers.length, conf.interface.line]).toEqual([51820, 1, 2]);
  });

  test('an IPv6 endpoint without brackets', () => {
    const { conf, problems } = parseWgConf(`${PEER}Endpoint = 2001:db8::1:51820`);
    expect(conf.peers[0]?.endpoint?.value).toMatchObject({ host: '2001:db8::1', port: 51820 });
    expect(problems.map((p) => p.message)).toEqual(['Endpoint has an IPv6 address without brackets']);
  });

  test('a zone stays in the host and out of the address', () => {
    const { conf, problems } = parseWgConf(`${PEER}Endpoint = [fe80::1%eth0]:51820`);
    expect(problems).toEqual([]);
    const value = conf.peers[0]?.endpoint?.value;
    expect([value?.host, value?.ip && formatIp(value.ip)]).toEqual(['fe80::1%eth0', 'fe80::1']);
  });

  const wg = spawnSync('wg', ['--version']).status === 0;
  test.skipIf(!wg)('wg itself refuses and takes the same files', () => {
    const files: [string, boolean][] = [
      [`[Interface]\nPrivateKey=${KEY}\r\nFwMark=off\n${PEER}AllowedIPs=10.0.0.5/24, ::/0\nEndpoint=[::1]:1\n`, true],
      [`${PEER}AllowedIPs=10.0.0.0/024\nPersistentKeepalive = 00025 # x\n`, true],
      ['[ interface ]\nfwmark=0x10\nListenPort=0\n', true],
      [`${PEER}AllowedIPs=\n`, false],
      [`${PEER}AllowedIPs=10.0.0.0/24,\n`, false],
      [`${PEER}AllowedIPs=010.0.0.1\n`, false],
      [`${PEER}PersistentKeepalive=25s\n`, false],
      [`[Peer]\nPublicKey=${KEY.slice(0, 42)}t=\n`, false],
      ['[Peer]\n', false],
      ['; note\n', false],
      ['\ufeff[Interface]\n', false],
      ['[Interface]\nPrivateKey=\n', false],
    ];
    const directory = mkdtempSync(join(tmpdir(), 'wgwhy-'));
    try {
      const file = join(directory, 'a.conf');
      for (const [text, fine] of files) {
        writeFileSync(file, text, { mode: 0o600 });
        // No interface of that name: wg stops after reading, whatever the file says.
        const { stderr } = spawnSync('wg', ['setconf', 'wgwhy-none', file], { encoding: 'utf8' });
        expect([text, /Configuration parsing error|Invalid configuration/.test(stderr)]).toEqual([text, !fine]);
        expect([text, parseWgConf(text).problems.length === 0]).toEqual([text, fine]);
      }
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});

describe('names in comments', () => {
  const named = (text: string): (string | undefined)[] => parseWgConf(text).conf.peers.map((p) => p.comment);
  test.each<[string, string, (string | undefined)[]]>([
    ['above', `# alice\n${PEER}\n# bob\n${PEER}`, ['alice', 'bob']],
    ['above with a blank line between', `\n# alice\n\n${PEER}\n# bob\n\n${PEER}`, ['alice', 'bob']],
    [
      'in the section',
      `[Peer]\n# Name = alice\nPublicKey = ${KEY}\n\n[Peer]\n# bob\nPublicKey = ${KEY2}`,
      ['alice', 'bob'],
    ],
    ['at the end of the section', `${PEER}# alice\n\n${PEER}# bob`, ['alice', 'bob']],
    ['on the header', `[Peer] # alice\nPublicKey = ${KEY}`, ['alice']],
    ['on the key', `[Peer]\nPublicKey = ${KEY} # alice`, ['alice']],
    [
      'by wg-easy',
      `# Client: alice (5f6d0b1e-7c1f-4a32-9d70-000000000000)\n${PEER}`,
      ['alice (5f6d0b1e-7c1f-4a32-9d70-000000000000)'],
    ],
    [
      'by scripts',
      `# BEGIN_PEER alice\n${PEER}# END_PEER alice\n# BEGIN_PEER bob\n${PEER}# END_PEER bob`,
      ['alice', 'bob'],
    ],
    ['for exporters', `[Peer]\n# friendly_name=alice\nPublicKey = ${KEY}`, ['alice']],
    ['a name beats a remark', `# Name = alice\n# moved in May\n${PEER}`, ['alice']],
    [
      'a name in the section beats a remark above',
      `# moved in May\n[Peer]\n# Name: alice\nPublicKey = ${KEY}`,
      ['alice'],
    ],
    [
      'never a commented-out setting',
      `# PresharedKey = ${KEY3}\n[Peer]\n#AllowedIPs = ::/0\nPublicKey = ${KEY}`,
      [undefined],
    ],
    ['never something like a key', `# ${KEY3}\n[Peer]\n# old ${KEY3.slice(5, 40)}\nPublicKey = ${KEY}`, [undefined]],
    ['never a line of dashes', `# ------\n${PEER}`, [undefined]],
    ['nor another setting', `# colour = red\n${PEER}`, [undefined]],
  ])('%s', (_, text, wanted) => {
    expect(named(text)).toEqual(wanted);
  });
});

describe('bounds', () => {
  test('too many peers', () => {
    const { conf, problems } = parseWgConf(`[Peer]\nPublicKey=${KEY}\n`.repeat(MAX_CONF_PEERS + 5));
    expect(conf.peers).toHaveLength(MAX_CONF_PEERS);
    expect(problems).toEqual([
      { message: 'there are more than 10000 peers; the rest was not read', line: 2 * MAX_CONF_PEERS + 1, column: 1 },
    ]);
  });

  test('too long a file is read up to its last whole line', () => {
    const { conf, problems } = parseWgConf(
      `[Interface]\nMTU = 1400\n${'# filler\n'.repeat(MAX_CONF_LENGTH / 8)}ListenPort = 1\n`,
    );
    expect([conf.interface.mtu?.value, conf.interface.listenPort]).toEqual([1400, undefined]);
    expect(problems).toEqual([{ message: 'the file is longer than 1048576 characters; the rest was not read' }]);
  });

  test.each([
    ['one long line', 'x'.repeat(MAX_CONF_LENGTH)],
    ['one long key', `[Peer]\nPublicKey = ${'A'.repeat(MAX_CONF_LENGTH - 100)}`],
    ['one long gap', `[Peer]\nPublicKey ${' '.repeat(MAX_CONF_LENGTH - 100)} = A`],
    ['many commas', `[Peer]\nPublicKey = ${KEY}\nAllowedIPs = ${','.repeat(MAX_CONF_LENGTH - 100)}`],
    ['many bad lines', `[Peer]\n${'x\n'.repeat(MAX_CONF_LENGTH / 2 - 10)}`],
    ['many brackets', '['.repeat(MAX_CONF_LENGTH)],
    ['many hashes', `[Peer]\n${'#\n'.repeat(MAX_CONF_LENGTH / 2 - 10)}`],
  ])('%s gives few problems', (_, text) => {
    const { problems } = parseWgConf(text);
    expect(problems.length).toBeGreaterThan(0);
    expect(problems.length).toBeLessThanOrEqual(501);
  });

  test('problems beyond the limit are counted', () => {
    expect(parseWgConf(`[Peer]\n${'x\n'.repeat(600)}`).problems.at(-1)).toEqual({
      message: '101 further problems are not listed',
    });
  });
});
