/** Sockets, routes, kernel settings, clock and ping, of Linux and Windows. */
import { describe, expect, test } from 'vitest';
import { formatIp, formatPrefix, type IpBytes } from '../../../src/base/address.ts';
import { formatTime } from '../../../src/base/time.ts';
import { parsePing } from '../../../src/config/host/ping.ts';
import { type HostRoute, parseIpRoute, parseRoutePrint } from '../../../src/config/host/routes.ts';
import { parseUdpSockets } from '../../../src/config/host/sockets.ts';
import { parseSysctl } from '../../../src/config/host/sysctl.ts';
import { parseTimedatectl } from '../../../src/config/host/timedatectl.ts';

const ip = (address: IpBytes | undefined): string | undefined => address && formatIp(address);

describe('UDP sockets', () => {
  const shown = (text: string): unknown[] =>
    parseUdpSockets(text).map((s) => [s.line, ip(s.address) ?? '*', s.port, s.ipv6, s.program, s.interface, s.peer]);

  test('ss -ulnp', () => {
    expect(
      shown(`State    Recv-Q   Send-Q     Local Address:Port      Peer Address:Port  Process
UNCONN   0        0                0.0.0.0:51820          0.0.0.0:*             
UNCONN   0        0         10.0.0.1%eth0:68             0.0.0.0:*      users:(("dhclient",pid=612,fd=7))
UNCONN   213      0                      *:51821                *:*      users:(("wireguard-go",pid=77,fd=8))
UNCONN   0        0                   [::]:51820             [::]:*             
ESTAB    0        0          192.168.1.2:40000    198.51.100.7:51820            
`),
    ).toEqual([
      [2, '*', 51820, false, undefined, undefined, undefined],
      [3, '10.0.0.1', 68, false, 'dhclient,pid=612,fd=7', 'eth0', undefined],
      [4, '*', 51821, false, 'wireguard-go,pid=77,fd=8', undefined, undefined],
      [5, '*', 51820, true, undefined, undefined, undefined],
      [6, '192.168.1.2', 40000, false, undefined, undefined, '198.51.100.7:51820'],
    ]);
    expect(parseUdpSockets('UNCONN 213 0 *:5 *:*')[0]?.receiveQueueBytes).toBe(213);
  });

  test('ss -uanp with the kind in front, netstat of Linux, BSD and Windows', () => {
    expect(
      shown(`udp   UNCONN 0      0            0.0.0.0:51820      0.0.0.0:*
tcp   LISTEN 0      128          0.0.0.0:22         0.0.0.0:*
udp        0      0 0.0.0.0:51821           0.0.0.0:*                           -
udp6       0      0 :::51821                :::*                                77/wireguard-go
udp        0      0 10.0.0.1:5353           0.0.0.0:*                           0          20211      612/avahi
udp4       0      0 *.51822                *.*
  UDP    0.0.0.0:51823          *:*                                    1234
  UDP    [fe80::1%12]:1900      *:*
  TCP    0.0.0.0:135            0.0.0.0:0              LISTENING       992
`),
    ).toEqual([
      [1, '*', 51820, false, undefined, undefined, undefined],
      [3, '*', 51821, false, undefined, undefined, undefined],
      [4, '*', 51821, true, '77/wireguard-go', undefined, undefined],
      [5, '10.0.0.1', 5353, false, '612/avahi', undefined, undefined],
      [6, '*', 51822, false, undefined, undefined, undefined],
      [7, '*', 51823, false, 'pid 1234', undefined, undefined],
      [8, 'fe80::1', 1900, true, undefined, '12', undefined],
    ]);
  });
});

describe('routes', () => {
  const shown = (routes: readonly HostRoute[]): unknown[] =>
    routes.map((r) => [
      r.line,
      formatPrefix(r.destination),
      ip(r.gateway),
      r.interface,
      ip(r.source),
      r.metric,
      r.table,
      r.type,
    ]);

  test('ip route', () => {
    const text = `default via 192.168.1.1 dev eth0 proto dhcp src 192.168.1.10 metric 100 
default dev wg0 table 51820 scope link 
10.200.0.0/24 dev wg0 proto kernel scope link src 10.200.0.1 
10/8 via 10.0.0.1 dev eth1
192.168.88.1 dev wg0 scope link
blackhole 172.16.0.0/12 
local 10.200.0.1 dev wg0 table local proto kernel scope host src 10.200.0.1 
fe80::/64 dev eth0 proto kernel metric 256 pref medium
default via fe80::1 dev eth0 proto ra metric 1024 expires 1700sec pref medium
203.0.113.0/24 proto static metric 20 
	nexthop via 192.168.1.1 dev eth0 weight 1 
	nexthop via 192.168.2.1 dev eth1 weight 1 
198.51.100.0/24 via inet6 fe80::2 dev eth0
`;
    expect(shown(parseIpRoute(text))).toEqual([
      [1, '0.0.0.0/0', '192.168.1.1', 'eth0', '192.168.1.10', 100, undefined, undefined],
      [2, '0.0.0.0/0', undefined, 'wg0', undefined, undefined, '51820', undefined],
      [3, '10.200.0.0/24', undefined, 'wg0', '10.200.0.1', undefined, undefined, undefined],
      [4, '10.0.0.0/8', '10.0.0.1', 'eth1', undefined, undefined, undefined, undefined],
      [5, '192.168.88.1/32', undefined, 'wg0', undefined, undefined, undefined, undefined],
      [6, '172.16.0.0/12', undefined, undefined, undefined, undefined, undefined, 'blackhole'],
      [7, '10.200.0.1/32', undefined, 'wg0', '10.200.0.1', undefined, 'local', 'local'],
      [8, 'fe80::/64', undefined, 'eth0', undefined, 256, undefined, undefined],
      [9, '::/0', 'fe80::1', 'eth0', undefined, 1024, undefined, undefined],
      [11, '203.0.113.0/24', '192.168.1.1', 'eth0', undefined, 20, undefined, undefined],
      [12, '203.0.113.0/24', '192.168.2.1', 'eth1', undefined, 20, undefined, undefined],
      [13, '198.51.100.0/24', 'fe80::2', 'eth0', undefined, undefined, undefined, undefined],
    ]);
  });

  test('route print', () => {
    const text = `===========================================================================
Interface List
  7...........................WireGuard Tunnel
 12...a4 bb 6d 00 00 01 ......Intel(R) Ethernet Connection
===========================================================================

IPv4 Route Table
===========================================================================
Active Routes:
Network Destination        Netmask          Gateway       Interface  Metric
          0.0.0.0          0.0.0.0      192.168.1.1    192.168.1.10     25
       10.200.0.0    255.255.255.0         On-link       10.200.0.2      5
  255.255.255.255  255.255.255.255         On-link       10.200.0.2    261
===========================================================================
Persistent Routes:
  Network Address          Netmask  Gateway Address  Metric
          0.0.0.0          0.0.0.0      192.168.1.1  Default 
===========================================================================

IPv6 Route Table
===========================================================================
Active Routes:
 If Metric Network Destination      Gateway
 12    281 ::/0                     fe80::1
  1    331 ::1/128                  On-link
===========================================================================
Persistent Routes:
  None
`;
    expect(parseRoutePrint(text).map((r) => [...(shown([r])[0] as unknown[]).slice(0, 6), r.persistent])).toEqual([
      [11, '0.0.0.0/0', '192.168.1.1', '192.168.1.10', undefined, 25, undefined],
      [12, '10.200.0.0/24', undefined, '10.200.0.2', undefined, 5, undefined],
      [13, '255.255.255.255/32', undefined, '10.200.0.2', undefined, 261, undefined],
      [17, '0.0.0.0/0', '192.168.1.1', undefined, undefined, undefined, true],
      [24, '::/0', 'fe80::1', '12', undefined, 281, undefined],
      [25, '::1/128', undefined, '1', undefined, 331, undefined],
    ]);
  });
});

test('sysctl in all its forms', () => {
  const text = `net.ipv4.ip_forward = 1
net.ipv4.conf.all.forwarding=0
/proc/sys/net/ipv4/ip_forward:1
net/ipv4/conf/eth0.10/rp_filter = 2
net.ipv4.ping_group_range = 0	2147483647
sysctl: cannot stat /proc/sys/net/x: No such file or directory
`;
  expect(parseSysctl(text).map((s) => [s.line, s.name, s.value])).toEqual([
    [1, 'net.ipv4.ip_forward', '1'],
    [2, 'net.ipv4.conf.all.forwarding', '0'],
    [3, 'net.ipv4.ip_forward', '1'],
    [4, 'net.ipv4.conf.eth0/10.rp_filter', '2'],
    [5, 'net.ipv4.ping_group_range', '0\t2147483647'],
  ]);
  const cat = { line: 1, name: 'net.ipv4.ip_forward', value: '1' };
  expect(parseSysctl('1\n', 'cat /proc/sys/net/ipv4/ip_forward')).toEqual([cat]);
  expect(parseSysctl('1\n', 'sudo sysctl -n net.ipv4.ip_forward')).toEqual([cat]);
  expect(parseSysctl('1\n')).toEqual([]);
});

test.each([
  [
    'now',
    `               Local time: Sat 2026-11-21 03:15:36 CET
           Universal time: Sat 2026-11-21 02:15:36 UTC
                 RTC time: Thu 1970-01-01 00:03:09
                Time zone: Europe/Berlin (CET, +0100)
System clock synchronized: no
              NTP service: inactive
          RTC in local TZ: no
`,
  ],
  [
    'before systemd 239',
    `      Local time: Sat 2026-11-21 03:15:36 CET
  Universal time: Sat 2026-11-21 02:15:36 UTC
        RTC time: Thu 1970-01-01 00:03:09
       Time zone: Europe/Berlin (CET, +0100)
 Network time on: no
NTP synchronized: no
 RTC in local TZ: no
`,
  ],
])('timedatectl %s', (_, text) => {
  const clock = parseTimedatectl(text);
  expect([clock.universalTime, clock.rtcTime].map((t) => t && formatTime(t.value).slice(0, 19))).toEqual([
    '2026-11-21T02:15:36',
    '1970-01-01T00:03:09',
  ]);
  expect(clock.timeZone?.value).toBe('Europe/Berlin (CET, +0100)');
  expect([clock.synchronized?.value, clock.ntpActive?.value]).toEqual([false, false]);
  expect(clock.synchronized?.line).toBeGreaterThan(4);
});

describe('ping', () => {
  test('Linux, -M do', () => {
    const [run] = parsePing(`PING vpn.example.net (203.0.113.10) 1472(1500) bytes of data.
ping: local error: message too long, mtu=1420
From 192.168.1.1 icmp_seq=2 Frag needed and DF set (mtu = 1492)
1480 bytes from vpn.example.net (203.0.113.10): icmp_seq=3 ttl=58 time=12.3 ms
From 10.0.0.1 icmp_seq=4 Destination Host Unreachable

--- vpn.example.net ping statistics ---
4 packets transmitted, 1 received, +3 errors, 75% packet loss, time 3004ms
rtt min/avg/max/mdev = 12.3/12.3/12.3/0.000 ms
`);
    expect([run?.target, ip(run?.address), run?.payloadBytes, run?.sent, run?.received]).toEqual([
      'vpn.example.net',
      '203.0.113.10',
      1472,
      4,
      1,
    ]);
    expect(run?.events).toEqual([
      { line: 2, kind: 'too-long', mtu: 1420 },
      { line: 3, kind: 'fragmentation-needed', from: '192.168.1.1', mtu: 1492 },
      { line: 4, kind: 'reply', from: 'vpn.example.net', payloadBytes: 1472, rttMs: 12.3 },
      { line: 5, kind: 'unreachable', from: '10.0.0.1', what: 'destination host unreachable' },
    ]);
  });

  test('Windows, -f -l', () => {
    const [run] = parsePing(`Pinging vpn.example.net [203.0.113.10] with 1472 bytes of data:
Packet needs to be fragmented but DF set.
Reply from 192.168.1.1: Packet needs to be fragmented but DF set.
Request timed out.
Reply from 203.0.113.10: bytes=1472 time<1ms TTL=58

Ping statistics for 203.0.113.10:
    Packets: Sent = 4, Received = 1, Lost = 3 (75% loss),
`);
    expect([run?.payloadBytes, run?.sent, run?.received]).toEqual([1472, 4, 1]);
    expect(run?.events).toEqual([
      { line: 2, kind: 'too-long' },
      { line: 3, kind: 'fragmentation-needed', from: '192.168.1.1' },
      { line: 4, kind: 'timeout' },
      { line: 5, kind: 'reply', from: '203.0.113.10', payloadBytes: 1472, rttMs: 1 },
    ]);
  });

  test.each<[string, unknown]>([
    ['ping: sendmsg: Required key not available', { line: 2, kind: 'no-peer' }],
    ['ping: sendmsg: Destination address required', { line: 2, kind: 'no-endpoint' }],
    ['ping: sendmsg: Operation not permitted', { line: 2, kind: 'not-permitted' }],
    ['connect: Network is unreachable', { line: 2, kind: 'unreachable', what: 'network is unreachable' }],
    ['ping: sendto: Message too long', { line: 2, kind: 'too-long' }],
    ['Request timeout for icmp_seq 0', { line: 2, kind: 'timeout' }],
    [
      '64 bytes from 10.66.66.1: seq=0 ttl=64 time=27.508 ms',
      { line: 2, kind: 'reply', from: '10.66.66.1', payloadBytes: 56, rttMs: 27.508 },
    ],
  ])('%s', (line, event) => {
    expect(parsePing(`PING 10.66.66.1 (10.66.66.1): 56 data bytes\n${line}\n`)[0]?.events).toEqual([event]);
  });

  test.each([
    ['PING 2001:db8::1(2001:db8::1) 56 data bytes', '2001:db8::1', 56],
    ['PING 2001:db8::1 (2001:db8::1) from fe80::1%eth0 eth0: 1452 data bytes', '2001:db8::1', 1452],
    ['PING6(1500=40+8+1452 bytes) 2001:db8::9 --> 2001:db8::1', '2001:db8::1', 1452],
    ['PING 192.0.2.1 (192.0.2.1) from 10.0.0.1 wg0: 1392(1420) bytes of data.', '192.0.2.1', 1392],
    ['Pinging 192.0.2.1 with 1392 bytes of data:', '192.0.2.1', 1392],
  ])('%s', (head, address, payload) => {
    const [run] = parsePing(head);
    expect([ip(run?.address), run?.payloadBytes]).toEqual([address, payload]);
  });
});
