/** ufw and firewalld. */
import { describe, expect, test } from 'vitest';
import { parseFirewalld } from '../../../src/config/host/firewalld.ts';
import { parseUfwStatus, type UfwSide } from '../../../src/config/host/ufw.ts';

const side = (s: UfwSide): string =>
  [
    s.address ?? '',
    s.ports?.map((r) => `${r.from}${r.to === r.from ? '' : `-${r.to}`}`).join(',') ?? '',
    s.protocol ?? '',
    s.interface ?? '',
    s.application ?? '',
  ].join('|');

describe('ufw status', () => {
  test('verbose', () => {
    const { ufw, problems } = parseUfwStatus(`Status: active
Logging: on (low)
Default: deny (incoming), allow (outgoing), disabled (routed)
New profiles: skip

To                         Action      From
--                         ------      ----
22/tcp                     LIMIT IN    Anywhere                  
51820/udp                  ALLOW IN    Anywhere                   # wg main
6000:6007/tcp              DENY IN     192.168.0.0/16            
80,443/tcp (Nginx Full)    ALLOW IN    Anywhere                  
53 on wg0                  ALLOW IN    10.200.0.0/24             
10.0.0.1 53/udp            REJECT IN   203.0.113.9 1024:65535/udp
Anywhere on eth0           ALLOW FWD   Anywhere on wg0           
51820/udp (v6)             ALLOW IN    Anywhere (v6)             

Anywhere                   ALLOW OUT   Anywhere on wg0           
OpenSSH                    ALLOW IN    Anywhere                  
`);
    expect(problems).toEqual([]);
    expect([ufw?.active.value, ufw?.incoming?.value, ufw?.outgoing?.value, ufw?.routed?.value]).toEqual([
      true,
      'deny',
      'allow',
      'disabled',
    ]);
    expect(ufw?.rules.map((r) => [r.line, r.action, r.direction, side(r.to), side(r.from), r.ipv6, r.comment])).toEqual(
      [
        [8, 'limit', 'in', '|22|tcp||', '||||', false, undefined],
        [9, 'allow', 'in', '|51820|udp||', '||||', false, 'wg main'],
        [10, 'deny', 'in', '|6000-6007|tcp||', '192.168.0.0/16||||', false, undefined],
        [11, 'allow', 'in', '|80,443|tcp||', '||||', false, undefined],
        [12, 'allow', 'in', '|53||wg0|', '10.200.0.0/24||||', false, undefined],
        [13, 'reject', 'in', '10.0.0.1|53|udp||', '203.0.113.9|1024-65535|udp||', false, undefined],
        [14, 'allow', 'forward', '|||eth0|', '|||wg0|', false, undefined],
        [15, 'allow', 'in', '|51820|udp||', '||||', true, undefined],
        [17, 'allow', 'out', '||||', '|||wg0|', false, undefined],
        [18, 'allow', 'in', '||||OpenSSH', '||||', false, undefined],
      ],
    );
  });

  test('plain, numbered, inactive', () => {
    const plain = parseUfwStatus(
      'Status: active\n\nTo  Action  From\n--  ------  ----\n51820/udp   ALLOW   Anywhere\n',
    ).ufw;
    expect(plain?.rules.map((r) => [r.action, r.direction, side(r.to)])).toEqual([['allow', 'in', '|51820|udp||']]);
    expect(plain).not.toHaveProperty('incoming');
    const numbered = parseUfwStatus(
      'Status: active\n[ 1] 51820/udp    ALLOW IN    Anywhere\n[12] 22    DENY IN    Anywhere\n',
    );
    expect(numbered.ufw?.rules.map((r) => [r.line, r.action])).toEqual([
      [2, 'allow'],
      [3, 'deny'],
    ]);
    expect(parseUfwStatus('Status: inactive\n')).toEqual({
      ufw: { active: { value: false, line: 1, column: 1 }, rules: [] },
      problems: [],
    });
    expect(parseUfwStatus('hello').ufw).toBeUndefined();
  });
});

test('firewall-cmd --list-all', () => {
  const { zones, problems } = parseFirewalld(`public (active)
  target: default
  icmp-block-inversion: no
  interfaces: eth0 wg0
  sources: 
  services: cockpit dhcpv6-client ssh
  ports: 51820/udp 8000-8100/tcp
  protocols: 
  forward: yes
  masquerade: no
  forward-ports: 
	port=51821:proto=udp:toport=51820:toaddr=10.0.0.2
  source-ports: 
  icmp-blocks: 
  rich rules: 
	rule family="ipv4" source address="10.0.0.0/8" port port="51822" protocol="udp" accept
	rule protocol value="esp" accept

trusted
  target: ACCEPT
  services: wireguard
  forward-ports: port=80:proto=tcp:toport=8080:toaddr=
`);
  expect(problems).toEqual([]);
  expect(zones.map((z) => [z.line, z.name, z.active, z.target?.value, z.services.map(({ value }) => value)])).toEqual([
    [1, 'public', true, 'default', ['cockpit', 'dhcpv6-client', 'ssh']],
    [19, 'trusted', false, 'ACCEPT', ['wireguard']],
  ]);
  const [zone] = zones;
  expect(zone?.ports).toEqual([
    { value: { range: { from: 51820, to: 51820 }, protocol: 'udp' }, line: 7, column: 10 },
    { value: { range: { from: 8000, to: 8100 }, protocol: 'tcp' }, line: 7, column: 20 },
  ]);
  expect([zone?.interfaces.length, zone?.forward?.value, zone?.masquerade?.value]).toEqual([2, true, false]);
  expect(zone?.forwardPorts.map(({ value, line }) => [value, line])).toEqual([
    ['port=51821:proto=udp:toport=51820:toaddr=10.0.0.2', 12],
  ]);
  expect(zone?.richRules.map(({ line }) => line)).toEqual([16, 17]);
  expect(zones[1]?.forwardPorts).toHaveLength(1);
});
