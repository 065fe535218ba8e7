/** Configurations as people have them, in which nothing is wrong; the keys are made for these tests. */
import type { Texts } from './checked.ts';
import { PSK_A, PSK_B, pair } from './keys.ts';
import { dump, show } from './texts.ts';

const [A, B, C, D, E] = [pair(31), pair(32), pair(33), pair(34), pair(35)] as const;

const siteA = `# Name = berlin
[Interface]
PrivateKey = ${A.secret}
Address = 10.255.0.1/30
ListenPort = 51820
MTU = 1420
PostUp = iptables -A FORWARD -i %i -j ACCEPT; iptables -A FORWARD -o %i -j ACCEPT
PostDown = iptables -D FORWARD -i %i -j ACCEPT; iptables -D FORWARD -o %i -j ACCEPT

# Name = madrid
[Peer]
PublicKey = ${B.public}
PresharedKey = ${PSK_A}
Endpoint = 198.51.100.20:51820
AllowedIPs = 10.255.0.2/32, 192.168.20.0/24
`;
const siteB = `[Interface]
PrivateKey = ${B.secret}
Address = 10.255.0.2/30
ListenPort = 51820
MTU = 1420

[Peer]
PublicKey = ${A.public}
PresharedKey = ${PSK_A}
Endpoint = 203.0.113.10:51820
AllowedIPs = 10.255.0.1/32, 192.168.10.0/24
PersistentKeepalive = 25
`;

const server = (...peers: readonly string[]): string =>
  `[Interface]\nAddress = 10.66.66.1/24, fd42:42:42::1/64\nListenPort = 51820\nPrivateKey = ${A.secret}\n${peers.join('')}`;
const client = (key: string, host: number, peer: string, psk: string): string =>
  `\n### Client phone-${host}\n[Peer]\nPublicKey = ${key}\nPresharedKey = ${psk}\nAllowedIPs = 10.66.66.${host}/32,fd42:42:42::${host}/128\n${peer}`;
const phone = `[Interface]
PrivateKey = ${B.secret}
Address = 10.66.66.2/32,fd42:42:42::2/128
DNS = 1.1.1.1,1.0.0.1

[Peer]
PublicKey = ${A.public}
PresharedKey = ${PSK_A}
Endpoint = vpn.example.net:51820
AllowedIPs = 0.0.0.0/0,::/0
`;

const hub = `[Interface]\nPrivateKey = ${A.secret}\nAddress = 10.8.0.1/16\nListenPort = 443\nSaveConfig = false\n${Array.from(
  { length: 60 },
  (_, i) => `\n[Peer]\nPublicKey = ${pair(100 + i).public}\nAllowedIPs = 10.8.${i >> 5}.${(i & 31) + 2}/32\n`,
).join('')}`;
const spoke = (i: number): string =>
  `[Interface]\nPrivateKey = ${pair(100 + i).secret}\nAddress = 10.8.${i >> 5}.${(i & 31) + 2}/16\n\n[Peer]\nPublicKey = ${A.public}\nAllowedIPs = 10.8.0.0/16\nEndpoint = hub.example.org:443\nPersistentKeepalive = 25\n`;

const v6 = {
  'a.conf': `[Interface]\nPrivateKey = ${A.secret}\nAddress = fd00:66::1/64\nListenPort = 51820\n[Peer]\nPublicKey = ${B.public}\nAllowedIPs = fd00:66::2/128\n`,
  'b.conf': `[Interface]\nPrivateKey = ${B.secret}\nAddress = fd00:66::2/64\n[Peer]\nPublicKey = ${A.public}\nEndpoint = [2001:db8:2::10]:51820\nAllowedIPs = fd00:66::/64, 2001:db8:77::/48\n`,
} as const;

const provider = `[Interface]
# Key for laptop
# Bouncing = 0
# NAT-PMP (Port Forwarding) = off
PrivateKey = ${B.secret}
Address = 10.2.0.2/32
DNS = 10.2.0.1

[Peer]
# NL#42
PublicKey = ${C.public}
AllowedIPs = 0.0.0.0/0, ::/0
Endpoint = 185.159.157.9:51820
`;

const FIREWALL = `/ip firewall filter
add action=accept chain=input comment="defconf: accept established,related,untracked" connection-state=established,related,untracked
add action=drop chain=input comment="defconf: drop invalid" connection-state=invalid
add action=accept chain=input comment="allow WireGuard" dst-port=13231 protocol=udp
add action=drop chain=input comment="defconf: drop all not coming from LAN" in-interface-list=!LAN
`;
const MANGLE = `/ip firewall mangle
add action=change-mss chain=forward new-mss=clamp-to-pmtu out-interface=wg-cloud passthrough=yes protocol=tcp tcp-flags=syn
add action=change-mss chain=forward in-interface=wg-cloud new-mss=clamp-to-pmtu passthrough=yes protocol=tcp tcp-flags=syn
`;
/** An export of a router with a LAN; \`secret\` as with show-sensitive. */
const router = (
  own: { readonly secret: string },
  peer: string,
  sensitive: boolean,
  lan: string,
  host: string,
  route: string,
): string => `# 2026-03-14 09:21:55 by RouterOS 7.16.2
# software id = ABCD-1234
#
# model = RB760iGS
/interface bridge
add name=bridge
/interface wireguard
add listen-port=13231 mtu=1420 name=wg-cloud${sensitive ? ` private-key="${own.secret}"` : ''}
/interface list
add name=WAN
add name=LAN
/interface list member
add interface=bridge list=LAN
add interface=ether1 list=WAN
add interface=wg-cloud list=LAN
/interface wireguard peers
${peer}
/ip address
add address=${lan} interface=bridge
add address=${host} interface=wg-cloud
/ip dhcp-client
add interface=ether1
${FIREWALL}${MANGLE}/ip firewall nat
add action=masquerade chain=srcnat ipsec-policy=out,none out-interface-list=WAN
/ip route
${route}
`;
const rosPeer = (key: string, allowed: string, more = ''): string =>
  `add allowed-address=${allowed}${more} interface=wg-cloud name=peer1 public-key=\\\n    "${key}"`;
const rosClient = (sensitive: boolean): string =>
  router(
    B,
    rosPeer(
      A.public,
      '10.200.0.1/32,10.10.0.0/24',
      ' endpoint-address=vpn.example.net endpoint-port=51820 persistent-keepalive=25s',
    ),
    sensitive,
    '192.168.88.1/24',
    '10.200.0.2/24',
    'add dst-address=10.10.0.0/24 gateway=wg-cloud',
  );
const cloud = `[Interface]\nPrivateKey = ${A.secret}\nAddress = 10.200.0.1/24\nListenPort = 51820\nMTU = 1420\n\n[Peer]\nPublicKey = ${B.public}\nAllowedIPs = 10.200.0.2/32, 192.168.88.0/24\n`;
const rosSite = (own: typeof C, other: typeof C, n: number, m: number, begins: boolean): string =>
  router(
    own,
    rosPeer(
      other.public,
      `10.77.0.${m}/32,192.168.${m}0.0/24`,
      begins ? ' endpoint-address=branch.example.org endpoint-port=13231 persistent-keepalive=25s' : '',
    ),
    true,
    `192.168.${n}0.1/24`,
    `10.77.0.${n}/30`,
    `add dst-address=192.168.${m}0.0/24 gateway=wg-cloud`,
  );

const several = `# 2026-03-14 09:21:55 by RouterOS 7.16.2
/interface wireguard
add listen-port=13231 mtu=1420 name=wg-a private-key="${C.secret}"
add listen-port=13232 mtu=1420 name=wg-b private-key="${D.secret}"
/interface wireguard peers
add allowed-address=10.1.0.2/32 interface=wg-a public-key="${A.public}"
add allowed-address=10.2.0.2/32 interface=wg-b public-key="${A.public}"
add allowed-address=10.2.0.3/32 disabled=yes interface=wg-b public-key="${A.public}"
/ip address
add address=10.1.0.1/24 interface=wg-a
add address=10.2.0.1/24 interface=wg-b
/ip firewall filter
add action=accept chain=input dst-port=13231,13232 protocol=udp
`;

const alive = { handshake: '1 minute, 12 seconds ago', transfer: '14.31 MiB received, 220.04 MiB sent' } as const;

export const HEALTHY_TEXTS: readonly (readonly [string, Texts])[] = [
  ['site to site, both with Endpoint and PSK', { 'berlin.conf': siteA, 'madrid.conf': siteB }],
  ['one site alone', { 'berlin.conf': siteA }],
  [
    'road warrior with everything through the tunnel',
    { 'wg0.conf': server(client(B.public, 2, '', PSK_A)), 'phone.conf': phone },
  ],
  ['a road warrior alone', { 'phone.conf': phone }],
  [
    'a road warrior with split tunnel',
    { 'phone.conf': phone.replace('0.0.0.0/0,::/0', '10.66.66.0/24, 192.168.10.0/24') },
  ],
  [
    'everything, as two halves and a route around',
    {
      'phone.conf': phone
        .replace('0.0.0.0/0,::/0', '0.0.0.0/1, 128.0.0.0/1')
        .replace('vpn.example.net', '203.0.113.10')
        .replace('DNS', 'PostUp = ip route add 203.0.113.10 via 192.0.2.1\nDNS'),
    },
  ],
  ['a hub with sixty peers', { 'hub.conf': hub }],
  ['a hub and three of its peers', { 'hub.conf': hub, 'a.conf': spoke(0), 'b.conf': spoke(17), 'c.conf': spoke(59) }],
  ['two clients of one server, without its file', { 'a.conf': spoke(3), 'b.conf': spoke(4) }],
  ['IPv6 only, inside and outside', v6],
  [
    'dual stack inside',
    { 'wg0.conf': server(client(B.public, 2, '', PSK_A), client(C.public, 3, '', PSK_B)), 'phone.conf': phone },
  ],
  ['a provider’s file: DNS, /32, everything', { 'nl-42.conf': provider }],
  ['two devices at one provider', { 'laptop.conf': provider, 'phone.conf': provider.replace(B.secret, D.secret) }],
  [
    'two servers of one provider',
    { 'nl.conf': provider, 'de.conf': provider.replace(C.public, D.public).replace('185.159.157.9', '185.159.158.9') },
  ],
  [
    'a provider with IPv6 and a search domain',
    {
      'se.conf': provider
        .replace('10.2.0.2/32', '10.64.12.7/32,fc00:bbbb:bbbb:bb01::1:c07/128')
        .replace('DNS = 10.2.0.1', 'DNS = 10.64.0.1, lan.example'),
    },
  ],
  ['CR LF', { 'berlin.conf': siteA.replaceAll('\n', '\r\n'), 'madrid.conf': siteB.replaceAll('\n', '\r\n') }],
  [
    'mixed case, no space around =',
    {
      'berlin.conf': siteA.replace('[Interface]', '[INTERFACE]').replace('PrivateKey = ', 'privatekey='),
      'madrid.conf': siteB
        .replace('[Peer]', '[peer]')
        .replace('Endpoint = ', 'EndPoint=')
        .replace('AllowedIPs', 'allowedips'),
    },
  ],
  ['comments everywhere', { 'madrid.conf': siteB.replace(/(= .*)\n/g, '$1 # as agreed\n# ----\n') }],
  ['no line end at the end', { 'madrid.conf': siteB.trimEnd() }],
  [
    'wg setconf: no Address, no DNS',
    {
      'wg.conf': `[Interface]\nListenPort = 51820\nFwMark = 0xca6c\nPrivateKey = ${A.secret}\n\n[Peer]\nPublicKey = ${B.public}\nAllowedIPs = 10.0.0.2/32\n`,
    },
  ],
  [
    'Table = off and its own routes',
    {
      'wg.conf': `[Interface]\nPrivateKey = ${A.secret}\nTable = off\nAddress = 169.254.7.1/30\nListenPort = 51821\n[Peer]\nPublicKey = ${B.public}\nEndpoint = 203.0.113.10:51820\nAllowedIPs = 0.0.0.0/0\n`,
    },
  ],
  [
    'a listen port by chance',
    {
      'berlin.conf': siteA.replace('ListenPort = 51820\n', ''),
      'madrid.conf': siteB.replace(/Endpoint.*\n/, '').replace(/PersistentKeepalive.*\n/, ''),
    },
  ],
  [
    'AllowedIPs on several lines',
    {
      'berlin.conf': siteA.replace('10.255.0.2/32, 192.168.20.0/24', '10.255.0.2/32\nAllowedIPs = 192.168.20.0/24'),
      'madrid.conf': siteB,
    },
  ],
  ['RouterOS with show-sensitive, and the cloud', { 'router.rsc': rosClient(true), 'wg0.conf': cloud }],
  ['RouterOS without show-sensitive, and the cloud', { 'router.rsc': rosClient(false), 'wg0.conf': cloud }],
  ['RouterOS alone', { 'router.rsc': rosClient(true) }],
  ['two routers', { 'office.rsc': rosSite(C, D, 1, 2, true), 'branch.rsc': rosSite(D, C, 2, 1, false) }],
  ['several interfaces in one export', { 'router.rsc': several }],
  [
    'wg show of both ends',
    {
      'a.txt': show(A.public, 51820, {
        key: B.public,
        endpoint: '198.51.100.20:51820',
        allowed: '10.255.0.2/32, 192.168.20.0/24',
        ...alive,
      }),
      'b.txt': show(B.public, 51820, {
        key: A.public,
        endpoint: '203.0.113.10:51820',
        allowed: '10.255.0.1/32, 192.168.10.0/24',
        keepalive: 'every 25 seconds',
        ...alive,
      }),
    },
  ],
  [
    'wg show beside the files, a learned port',
    {
      'wg0.conf': server(client(B.public, 2, '', PSK_A)),
      'phone.conf': phone,
      'show.txt': show(A.public, 51820, {
        key: B.public,
        psk: true,
        endpoint: '198.51.100.9:40961',
        allowed: '10.66.66.2/32, fd42:42:42::2/128',
        ...alive,
      }),
    },
  ],
  [
    'wg show of a server with peers that never came',
    {
      'show.txt': show(
        A.public,
        51820,
        { key: B.public, allowed: '10.0.0.2/32' },
        { key: C.public, allowed: '10.0.0.3/32' },
        {
          key: E.public,
          endpoint: '198.51.100.9:40961',
          allowed: '10.0.0.4/32',
          handshake: '12 days, 3 hours ago',
          transfer: '1.03 GiB received, 9.88 GiB sent',
        },
      ),
    },
  ],
  [
    'dumps of both ends',
    {
      'a.txt': dump(A, 51820, {
        key: B.public,
        psk: PSK_A,
        endpoint: '198.51.100.20:51820',
        allowed: '10.255.0.2/32',
        handshake: 1_790_000_000,
        rx: 92_180,
        tx: 148_212,
      }),
      'b.txt': dump(B, 51820, {
        key: A.public,
        psk: PSK_A,
        endpoint: '203.0.113.10:51820',
        allowed: '10.255.0.1/32',
        handshake: 1_790_000_000,
        rx: 148_212,
        tx: 92_180,
      }),
    },
  ],
];

/** Every secret that stands in them. */
export const HEALTHY_SECRETS: readonly string[] = [
  ...[A, B, C, D, E].map(({ secret }) => secret),
  ...Array.from({ length: 60 }, (_, i) => pair(100 + i).secret),
  PSK_A,
  PSK_B,
];
