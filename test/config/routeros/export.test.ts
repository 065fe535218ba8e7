/** RouterOS exports and command scripts. */
import { describe, expect, test } from 'vitest';
import { formatPrefix } from '../../../src/base/address.ts';
import { toBase64 } from '../../../src/base/base64.ts';
import { formatTime } from '../../../src/base/time.ts';
import { parseRosExport } from '../../../src/config/routeros/export.ts';
import type { RosField } from '../../../src/config/routeros/fields.ts';
import type { Located } from '../../../src/config/text.ts';
import { KEYS, PSK, sample, secretsIn } from '../samples.ts';

const FULL = sample('ros-export-sensitive.rsc');
/** The same router without show-sensitive: private keys, PSKs and passwords are left out. */
const PLAIN = FULL.replace(/ \\\n {4}private-key="[^"]+"/, '')
  .replace(/ private-key=\\\n {4}"[^"]+"/, '')
  .replace(/ preshared-key=\\\n {4}"[^"]+"/, '')
  .replace(/ password="[^ ]+"/, '');

const shown = (fields: readonly RosField[]): string[] =>
  fields.map((field) => `${field.name}=${field.kind === 'text' ? field.value : `(${field.kind})`}`);
const at = (found: Located<unknown> | undefined): unknown => found && [found.value, found.line, found.column];

describe('an export with show-sensitive', () => {
  const { config, problems } = parseRosExport(FULL);

  test('is read without a problem', () => {
    expect(problems).toEqual([]);
    expect(config.faults).toEqual([]);
  });

  test('header', () => {
    const { header } = config;
    expect(header?.exportedAt && formatTime(header.exportedAt.value)).toBe('2026-03-14T09:21:55.000000000Z');
    expect(at(header?.version)).toEqual(['7.16.2', 1, 35]);
    expect(at(header?.model)).toEqual(['RB760iGS', 4, 11]);
  });

  test('interfaces', () => {
    expect(config.wireguard.map((w) => [w.line, w.name?.value, w.listenPort?.value, w.mtu?.value, w.disabled])).toEqual(
      [
        [15, 'wg-cloud', 13231, 1420, false],
        [17, 'wg-old', 51821, undefined, true],
      ],
    );
    const [cloud] = config.wireguard;
    expect(at(cloud?.comment)).toEqual(['to the cloud', 15, 14]);
    expect(cloud?.privateKey?.line).toBe(16);
    const key = cloud?.privateKey?.value;
    expect(key?.kind === 'key' && toBase64(key.key)).toBe(KEYS[0][0]);
    expect(cloud).not.toHaveProperty('running');
  });

  test('peers', () => {
    const [cloud, phone] = config.peers;
    expect(cloud?.line).toBe(28);
    expect(at(cloud?.comment)).toEqual(['cloud; "main"', 29, 6]);
    expect(cloud?.allowedAddresses.map(({ value }) => formatPrefix(value))).toEqual([
      '10.200.0.1/32',
      '10.10.0.0/24',
      'fd00:200::/64',
    ]);
    expect([at(cloud?.endpointAddress), cloud?.endpointPort?.value]).toEqual([['vpn.example.net', 29, 40], 51820]);
    expect(cloud?.persistentKeepaliveMs?.value).toBe(25_000);
    expect(cloud?.publicKey && toBase64(cloud.publicKey.value)).toBe(KEYS[1][1]);
    const psk = cloud?.presharedKey?.value;
    expect(psk?.kind === 'key' && toBase64(psk.key)).toBe(PSK);
    expect([cloud?.disabled, cloud?.responder]).toEqual([false, undefined]);

    expect([phone?.name?.value, phone?.disabled, phone?.responder?.value]).toEqual(['phone', true, true]);
    expect(phone?.privateKey?.value.kind).toBe('key');
    expect([phone?.client.endpoint?.value, phone?.client.keepaliveMs?.value, phone?.client.listenPort?.value]).toEqual([
      'home.example.net',
      60_000,
      51820,
    ]);
    expect([phone?.client.addresses.length, phone?.client.dns.length]).toEqual([1, 1]);
  });

  test('filter rules keep their order, their matchers and what RouterOS notes on them', () => {
    const filter = config.rules.filter((rule) => rule.family === 'ip' && rule.table === 'filter');
    expect(filter.map((r) => [r.number, r.chain?.value, r.action.value, r.disabled, ...shown(r.matchers)])).toEqual([
      [0, 'input', 'accept', false, 'connection-state=established,related,untracked'],
      [1, 'input', 'drop', false, 'connection-state=invalid'],
      [2, 'input', 'accept', false, 'dst-port=13231', 'in-interface-list=WAN', 'protocol=udp'],
      [3, 'input', 'drop', false, 'in-interface-list=!LAN'],
      [4, 'forward', 'fasttrack-connection', true, 'connection-state=established,related'],
      [5, 'forward', 'accept', false, 'src-address-list=trusted'],
      [6, 'forward', 'drop', false, 'in-interface=ether2'],
    ]);
    expect(shown(filter[2]?.parameters ?? [])).toEqual(['log=yes', 'log-prefix=wg in']);
    expect(filter[6]?.remark?.value).toMatch(/^in\/out-interface matcher not possible/);
    expect(filter[5]).not.toHaveProperty('remark');
  });

  test('nat, mangle and IPv6', () => {
    const rest = config.rules.filter((rule) => rule.table !== 'filter' || rule.family === 'ipv6');
    expect(rest.map((r) => [r.family, r.table, r.number, r.action.value, ...shown(r.parameters)])).toEqual([
      ['ip', 'nat', 0, 'masquerade'],
      ['ip', 'nat', 1, 'dst-nat', 'to-addresses=192.168.88.10', 'to-ports=51820'],
      ['ip', 'mangle', 0, 'change-mss', 'new-mss=clamp-to-pmtu', 'passthrough=yes'],
      ['ipv6', 'filter', 0, 'accept'],
    ]);
  });

  test('the network around', () => {
    expect(config.addresses.map((a) => [formatPrefix(a.address.value), a.interface?.value])).toEqual([
      ['192.168.88.1/24', 'bridge'],
      ['10.200.0.2/24', 'wg-cloud'],
    ]);
    expect(
      config.routes.map((r) => [r.destination && formatPrefix(r.destination.value), r.gateway?.value, r.blackhole]),
    ).toEqual([
      ['10.10.0.0/24', 'wg-cloud', false],
      ['10.0.0.0/8', undefined, true],
    ]);
    expect(config.addressLists.map((i) => [i.list.value, i.address.value, i.prefix !== undefined])).toEqual([
      ['cloud', '10.10.0.0/24', true],
      ['trusted', '198.51.100.0-198.51.100.7', false],
    ]);
    expect(config.interfaceLists.map(({ value }) => value)).toEqual(['WAN', 'LAN']);
    expect(config.listMembers.map((m) => [m.interface.value, m.list.value])).toEqual([
      ['bridge', 'LAN'],
      ['pppoe-out1', 'WAN'],
      ['wg-cloud', 'LAN'],
    ]);
    const [pppoe] = config.pppoeClients;
    expect([pppoe?.name?.value, pppoe?.interface?.value, pppoe?.maxMtu?.value, pppoe?.disabled]).toEqual([
      'pppoe-out1',
      'ether1-wan',
      1492,
      false,
    ]);
    expect(config.queues.map((q) => [q.kind, q.name?.value, q.maxLimit?.value])).toEqual([
      ['simple', 'guests', '20M/100M'],
    ]);
    expect([
      config.connectionTracking?.udpTimeoutMs?.value,
      config.connectionTracking?.udpStreamTimeoutMs?.value,
    ]).toEqual([10_000, 120_000]);
  });

  test('the router itself', () => {
    expect(config.identity?.value).toBe('hEX S');
    expect(config.clock?.timeZone?.value).toBe('Europe/Riga');
    expect([config.ntpClient?.enabled?.value, config.ntpClient?.servers.map(({ value }) => value)]).toEqual([
      true,
      ['0.pool.ntp.org', '1.pool.ntp.org'],
    ]);
    expect([config.cloud?.ddnsEnabled?.value, config.cloud?.updateTime?.value]).toEqual([true, false]);
    expect(
      config.services.map((s) => [s.name.value, s.disabled, s.port?.value, s.addresses.map(({ value }) => value)]),
    ).toEqual([
      ['telnet', true, undefined, []],
      ['www', false, 8080, ['192.168.88.0/24', '10.200.0.0/24']],
    ]);
  });

  test('prints no secret by accident', () => {
    expect(secretsIn(config)).toEqual([]);
    expect(JSON.stringify(config)).not.toContain('p\\"w;rd');
  });
});

test('without show-sensitive the keys are absent and all else is the same', () => {
  const { config, problems } = parseRosExport(PLAIN);
  expect(PLAIN).not.toMatch(/private-key|preshared|password/);
  expect(problems).toEqual([]);
  expect(config.wireguard.map((w) => w.privateKey)).toEqual([undefined, undefined]);
  expect(config.peers.map((p) => [p.name?.value, p.presharedKey, p.privateKey, p.publicKey !== undefined])).toEqual([
    ['peer1', undefined, undefined, true],
    ['phone', undefined, undefined, true],
  ]);
});

test.each([
  ['# jul/21/2023 09:42:42 by RouterOS 6.48.6', '2023-07-21T09:42:42', '6.48.6'],
  ['# jan/02/1970 00:07:12 by RouterOS 7.9', '1970-01-02T00:07:12', '7.9'],
  ['  # 1970-01-03 15:55:30 by RouterOS 7.17', '1970-01-03T15:55:30', '7.17'],
])('header %j', (line, time, version) => {
  const { header } = parseRosExport(`pasted:\n${line}\n/ip route\n`).config;
  expect(header?.exportedAt && formatTime(header.exportedAt.value).slice(0, 19)).toBe(time);
  expect([header?.version.value, header?.line]).toEqual([version, 2]);
});

describe('commands as guides print them', () => {
  const peers = (text: string): unknown[] =>
    parseRosExport(text).config.peers.map((p) => [
      p.line,
      p.interface?.value,
      p.endpointAddress?.value,
      p.persistentKeepaliveMs?.value,
    ]);

  test.each([
    ['one line, words', '/interface wireguard peers add interface=wg1 endpoint-address=192.0.2.1'],
    ['one line, slashes', '/interface/wireguard/peers/add interface=wg1 endpoint-address=192.0.2.1'],
    ['a menu with slashes', '/interface/wireguard/peers\nadd interface=wg1 endpoint-address=192.0.2.1'],
    ['step by step', '/interface wireguard\npeers\nadd interface=wg1 endpoint-address=192.0.2.1'],
    ['from the menu above', '/interface wireguard\npeers add interface=wg1 endpoint-address=192.0.2.1'],
    ['up and down', '/interface wireguard\n.. wireguard peers add interface=wg1 endpoint-address=192.0.2.1'],
    ['two commands in a line', '/interface wireguard; peers add interface="wg1" endpoint-address=192.0.2.1;'],
    ['no slash', 'interface wireguard peers add interface=wg1 endpoint-address=192.0.2.1'],
    ['trailing space after \\', '/interface wireguard peers add \\ \n  interface=wg1 \\\t\nendpoint-address=192.0.2.1'],
    ['CR LF', '/interface wireguard peers\r\nadd interface=\\\r\n    wg1 endpoint-address=192.0.2.1\r\n'],
    ['broken value', '/interface wireguard peers add interface=wg1 endpoint-address=192.0.\\\n    2.1'],
  ])('%s', (_, text) => {
    const found = parseRosExport(text);
    expect(found.problems).toEqual([]);
    expect(found.config.peers.map((p) => [p.interface?.value, p.endpointAddress?.value])).toEqual([
      ['wg1', '192.0.2.1'],
    ]);
  });

  test('a command in no menu is taken for the last one, and that is said', () => {
    const { config, problems } = parseRosExport('/ip firewall nat add chain=srcnat\nadd chain=dstnat\n');
    expect(config.rules.map((r) => [r.table, r.chain?.value])).toEqual([
      ['nat', 'srcnat'],
      ['nat', 'dstnat'],
    ]);
    expect(problems).toEqual([
      {
        message: 'this command stands in no menu',
        line: 2,
        column: 1,
        hint: 'the line that names the menu, such as /interface wireguard peers, is missing above it',
      },
    ]);
  });

  test('set, disable and remove change what was added', () => {
    const text = `/interface wireguard peers
add comment=a interface=wg1 endpoint-address=192.0.2.1
add comment=b interface=wg1 endpoint-address=192.0.2.2
add comment=c interface=wg1 endpoint-address=192.0.2.3
set [find comment=b] persistent-keepalive=25s endpoint-address=vpn.example.net
set [ find where interface=wg1 and comment="a" ] persistent-keepalive=00:00:15
set 2 persistent-keepalive=20
remove [find comment=a]
disable numbers=0
`;
    expect(peers(text)).toEqual([
      [3, 'wg1', 'vpn.example.net', 25_000],
      [4, 'wg1', '192.0.2.3', 20_000],
    ]);
    expect(parseRosExport(text).problems).toEqual([]);
    expect(parseRosExport(text).config.peers.map((p) => p.disabled)).toEqual([true, false]);
  });

  test.each([
    'set [find comment=other] persistent-keepalive=25s',
    'set [find comment~"a"] persistent-keepalive=25s',
    'set $peer persistent-keepalive=25s',
    'set 7 persistent-keepalive=25s',
    'enable office',
  ])('%s: what it changes is not here', (command) => {
    const { problems } = parseRosExport(`/interface wireguard peers\nadd comment=a\n${command}\n`);
    expect(problems).toEqual([
      {
        message: 'this changes something that is not in this text',
        line: 3,
        column: 1,
        hint: 'hand over the whole /export, which shows what it comes to',
      },
    ]);
  });

  test('script code is passed over, with its blocks', () => {
    const { config, problems } = parseRosExport(`:local key "${KEYS[0][0]}"
:if ([:len [/interface wireguard find name="wg1"]] > 0) do={
    /interface wireguard remove [find name="wg1"]; :log info "}"
}
/interface wireguard add name=wg1 listen-port=$port private-key=$key
:delay 1s
`);
    expect(config.wireguard.map((w) => [w.line, w.name?.value, w.listenPort, w.privateKey])).toEqual([
      [5, 'wg1', undefined, undefined],
    ]);
    expect(problems.map((p) => [p.line, p.message])).toEqual([[1, 'script commands are not followed']]);
    expect(secretsIn([config, problems])).toEqual([]);
  });
});

describe('what is wrong is said with its place', () => {
  const peer = (settings: string): [unknown, unknown] => {
    const { config, problems } = parseRosExport(`/interface/wireguard/peers\nadd \\\n${settings}`);
    return [problems.map((p) => [p.column, p.message]), config.faults.map((f) => [f.setting, f.fault])];
  };

  test.each<[string, unknown[], unknown[]]>([
    [
      'public-key="IuhDf01HadTyRD8809kLhOBf3xB+3aRrG+oiCqnhlyo"',
      [[13, "public-key has 43 characters: the '=' at the end is missing"]],
      [['public-key', 'length']],
    ],
    ['public-key="<key>"', [[13, 'public-key holds a placeholder instead of a key']], [['public-key', 'placeholder']]],
    ['preshared-key=abc', [[15, 'preshared-key has 3 characters, a key has 44']], [['preshared-key', 'length']]],
    ['preshared-key="" private-key=none', [], []],
    ['private-key=auto', [], []],
    ['endpoint-port=70000', [[15, 'endpoint-port has a port above 65535']], []],
    ['endpoint-port=0', [], []],
    ['persistent-keepalive=soon', [[22, 'persistent-keepalive is not a time']], []],
    ['allowed-address=10.0.0.0/33', [[17, "allowed-address has a wrong prefix length '10.0.0.0/33'"]], []],
    ['allowed-address=10.0.0.0/255.0.0.0', [[17, "allowed-address has a netmask '10.0.0.0/255.0.0.0'"]], []],
    ['comment="open', [[9, 'this quotation mark is not closed on its line']], []],
    ['comment=\u201ccurly\u201d', [[9, 'the quotation marks are curly ones, which RouterOS does not know']], []],
    ['responder=maybe', [[11, 'responder is neither yes nor no']], []],
  ])('%s', (settings, problems, faults) => {
    expect(peer(settings)).toEqual([problems, faults]);
  });

  test('auto and none are told from a key', () => {
    const { config } = parseRosExport('/interface wireguard peers add private-key=auto preshared-key=none');
    expect([config.peers[0]?.privateKey?.value, config.peers[0]?.presharedKey?.value]).toEqual([
      { kind: 'auto' },
      { kind: 'none' },
    ]);
  });
});

test('escapes in strings', () => {
  const text = '/interface wireguard add name="a\\"b\\\\c\\_d\\24e\\r\\n\\\n    f" comment="one \\\n    two"';
  const [interface_] = parseRosExport(text).config.wireguard;
  expect(interface_?.name?.value).toBe('a"b\\c d$e\r\nf');
  expect(interface_?.comment?.value).toBe('one two');
});
