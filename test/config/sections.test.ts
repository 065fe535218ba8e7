/** Mixed pastes: prompts, commands and several outputs in one text. */
import { describe, expect, test } from 'vitest';
import { parseUdpSockets } from '../../src/config/host/sockets.ts';
import { parseSysctl } from '../../src/config/host/sysctl.ts';
import { readPrompt } from '../../src/config/prompt.ts';
import { parseRosExport } from '../../src/config/routeros/export.ts';
import { parseRosPrint } from '../../src/config/routeros/print.ts';
import { sectionText, splitSections, type TextSection } from '../../src/config/sections.ts';
import { parseWgConf } from '../../src/config/wg-quick.ts';
import { parseWgShow } from '../../src/config/wg-show.ts';
import { KEYS, sample } from './samples.ts';

const [[PRIVATE_A, PUBLIC_A], [PRIVATE_B, PUBLIC_B]] = KEYS;
const shown = (sections: readonly TextSection[]): unknown[] =>
  sections.map((s) => [s.kind, s.command, s.lines[0]?.number, s.lines.length]);

test.each<[string, string, string | undefined]>([
  ['root@host:~# wg show', 'shell', 'wg show'],
  ['me@host:/etc/wireguard$ sudo wg', 'shell', 'sudo wg'],
  ['me@mac ~ % ping -D -s 1472 10.0.0.1', 'shell', 'ping -D -s 1472 10.0.0.1'],
  ['(venv) me@host:~$ ip route', 'shell', 'ip route'],
  ['[root@host ~]# ss -ulnp', 'shell', 'ss -ulnp'],
  ['[root@host wireguard]$ wg', 'shell', 'wg'],
  ['vyos@vyos:~$', 'shell', ''],
  ['C:\\Windows\\system32>route print', 'shell', 'route print'],
  ['PS C:\\Users\\me> Get-NetAdapter', 'shell', 'Get-NetAdapter'],
  ['# wg show', 'shell', 'wg show'],
  ['/ # ip r', 'shell', 'ip r'],
  ['$ sudo iptables -L -n -v', 'shell', 'sudo iptables -L -n -v'],
  ['bash-5.1# nft list ruleset', 'shell', 'nft list ruleset'],
  ['[admin@MikroTik] > /interface wireguard print', 'routeros', '/interface wireguard print'],
  ['[admin@Home - hAP ax] > export', 'routeros', 'export'],
  ['[admin@MikroTik] <SAFE> > /ip route print', 'routeros', '/ip route print'],
  ['[admin@MikroTik] /interface/wireguard/peers> print detail', 'routeros', '/interface/wireguard/peers print detail'],
  ['[admin@MikroTik] /ip firewall filter>print', 'routeros', '/ip firewall filter print'],
  ['[admin@MikroTik] /ip firewall filter> /ip route print', 'routeros', '/ip route print'],
  ['/interface/wireguard/peers> print', 'routeros', '/interface/wireguard/peers print'],
  ['> interface wireguard print detail', 'routeros', 'interface wireguard print detail'],
  ['[admin@MikroTik] >', 'routeros', ''],
  ['# ip route add 10.0.0.0/8 via 10.0.0.1', '', undefined],
  ['# wg0 of the office', '', undefined],
  ['[Interface]', '', undefined],
  ['$ 5 a month', '', undefined],
  ['> as I said', '', undefined],
  ['PublicKey = a@b', '', undefined],
])('prompt %j', (line, kind, command) => {
  const prompt = readPrompt(line);
  expect([prompt?.kind ?? '', prompt?.command]).toEqual([kind, command]);
});

describe('a thread', () => {
  const text = `Hi all, my tunnel does not come up. On the server:

root@vps:~# wg show
interface: wg0
  public key: ${PUBLIC_A}
  private key: (hidden)
  listening port: 51820

peer: ${PUBLIC_B}
  allowed ips: 10.200.0.2/32
root@vps:~# ss -ulnp
State    Recv-Q   Send-Q     Local Address:Port      Peer Address:Port  Process
UNCONN   0        0                0.0.0.0:51820          0.0.0.0:*             
root@vps:~# cat /proc/sys/net/ipv4/ip_forward
1
root@vps:~# cat /etc/wireguard/wg0.conf
[Interface]
# ip route add 10.0.0.0/8 dev eth1
PrivateKey = ${PRIVATE_A}
ListenPort = 51820
PostUp = iptables -A FORWARD -i wg0 -j ACCEPT; logger "wireguard: up"

[Peer]
PublicKey = ${PUBLIC_B}
AllowedIPs = 10.200.0.2/32
root@vps:~# dmesg -T | grep wireguard
[Sat Nov 21 02:15:36 2026] wireguard: wg0: Invalid handshake initiation from 203.0.113.9:13231
root@vps:~# 

and on the router:

\`\`\`
[admin@MikroTik] > /interface wireguard peers print detail
Flags: X - DISABLED; D - DYNAMIC 
 0    interface=wg1 name="peer1" public-key="${PUBLIC_A}" endpoint-address=198.51.100.7 
      endpoint-port=51820 allowed-address=10.200.0.0/24 rx=0 tx=444 
[admin@MikroTik] > /ip/firewall/nat/add chain=srcnat action=masquerade
[admin@MikroTik] > /interface/wireguard/peers
[admin@MikroTik] /interface/wireguard/peers> set 0 persistent-keepalive=25s
\`\`\`
C:\\Users\\me>ping -f -l 1472 198.51.100.7

Pinging 198.51.100.7 with 1472 bytes of data:
Packet needs to be fragmented but DF set.
`;
  const sections = splitSections(text);

  test('is split at prompts', () => {
    expect(shown(sections)).toEqual([
      ['unknown', undefined, 1, 2],
      ['wg-show', 'wg show', 4, 7],
      ['sockets', 'ss -ulnp', 12, 2],
      ['sysctl', 'cat /proc/sys/net/ipv4/ip_forward', 15, 1],
      ['wg-conf', 'cat /etc/wireguard/wg0.conf', 17, 9],
      ['log', 'dmesg -T | grep wireguard', 27, 1],
      ['unknown', undefined, 29, 3],
      ['routeros-print', '/interface wireguard peers print detail', 34, 3],
      ['routeros-export', undefined, 37, 1],
      ['routeros-export', undefined, 39, 1],
      ['ping', 'ping -f -l 1472 198.51.100.7', 42, 3],
    ]);
  });

  test('and what reads a section finds its lines where they are', () => {
    const of = (kind: string): TextSection => sections.find((s) => s.kind === kind) ?? { kind: 'unknown', lines: [] };
    expect(parseWgShow(of('wg-show').lines).interfaces[0]?.peers[0]?.allowedIps[0]).toMatchObject({
      line: 10,
      column: 16,
    });
    expect(parseUdpSockets(of('sockets').lines)).toMatchObject([{ line: 13, port: 51820 }]);
    const { lines, command } = of('sysctl');
    expect(parseSysctl(lines, command)).toEqual([{ line: 15, name: 'net.ipv4.ip_forward', value: '1' }]);
    const { conf, problems } = parseWgConf(sectionText(of('wg-conf')));
    expect([conf.interface.listenPort?.line, conf.peers[0]?.publicKey?.line, problems]).toEqual([20, 24, []]);
    const print = of('routeros-print');
    const [table] = parseRosPrint(print.lines, print.command).tables;
    expect([table?.kind, table?.line]).toEqual(['peers', 35]);
    const nat = parseRosExport(of('routeros-export').lines).config.rules[0];
    expect([nat?.line, nat?.table, nat?.chain?.column]).toEqual([37, 'nat', 47]);
  });
});

test('several commands to a router are one script', () => {
  const { length, 0: only } = splitSections(`[admin@MikroTik] > /interface/wireguard/add name=wg1 listen-port=13231
[admin@MikroTik] /interface/wireguard/peers> add interface=wg1 public-key="${PUBLIC_A}" \\
\\...     allowed-address=10.0.0.0/24
[admin@MikroTik] > /ip address add address=10.0.0.1/24 interface=wg1
`);
  expect([length, only?.kind]).toEqual([1, 'routeros-export']);
  const { config } = parseRosExport(only?.lines ?? []);
  expect(config.wireguard[0]?.listenPort).toMatchObject({ value: 13231, line: 1, column: 66 });
  expect([config.peers[0]?.line, config.peers[0]?.interface?.column, config.addresses[0]?.line]).toEqual([2, 60, 4]);
});

test('without prompts each kind begins where its first line stands', () => {
  const text = `# client
[Interface]
PrivateKey = ${PRIVATE_A}
[Peer]
PublicKey = ${PUBLIC_B}

# server
[Interface]
PrivateKey = ${PRIVATE_B}
[Peer]
PublicKey = ${PUBLIC_A}

interface: wg0
  public key: ${PUBLIC_A}
default via 192.168.1.1 dev eth0
[    5.1] wireguard: wg0: Interface created
PING 10.0.0.1 (10.0.0.1): 56 data bytes
[    5.2] wireguard: wg0: Peer 1 created
*filter
:INPUT DROP [0:0]
-A INPUT -j ACCEPT
COMMIT
table inet filter {
  chain input {
    type filter hook input priority 0;
  }
}
${PUBLIC_B}
`;
  expect(shown(splitSections(text))).toEqual([
    ['wg-conf', undefined, 1, 6],
    ['wg-conf', undefined, 7, 6],
    ['wg-show', undefined, 13, 2],
    ['ip-route', undefined, 15, 1],
    ['log', undefined, 16, 1],
    ['ping', undefined, 17, 1],
    ['log', undefined, 18, 1],
    ['iptables-save', undefined, 19, 4],
    ['nft-ruleset', undefined, 23, 6],
  ]);
});

test('a file of one kind stays whole', () => {
  for (const name of ['ros-export-sensitive.rsc']) {
    const [section, ...more] = splitSections(sample(name));
    expect([section?.kind, more]).toEqual(['routeros-export', []]);
    expect(sectionText(section ?? { kind: 'unknown', lines: [] })).toBe(sample(name));
  }
  const two = splitSections(`${sample('ros-export-sensitive.rsc')}${sample('ros-export-sensitive.rsc')}`);
  expect(two.map((s) => s.kind)).toEqual(['routeros-export', 'routeros-export']);
  // A second [Interface] before any peer is a slip in one file, not a second file.
  expect(splitSections('[Interface]\n[Interface]\n[Peer]\n')).toHaveLength(1);
  expect(splitSections('')).toEqual([]);
});

test('what has no first line of its own', () => {
  expect(shown(splitSections(`${PUBLIC_A}\n`))).toEqual([['lone-key', undefined, 1, 1]]);
  expect(shown(splitSections('{"a":\n 1}\n'))).toEqual([['json', undefined, 1, 2]]);
  expect(shown(splitSections('AllowedIPs = ::/0\n'))).toEqual([['wg-conf', undefined, 1, 1]]);
  expect(shown(splitSections('so it goes\n'))).toEqual([['unknown', undefined, 1, 1]]);
});
