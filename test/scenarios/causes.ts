/**
 * Every cause that guides name (A1 to A48 of the list this project began with) and every failure story of its issue
 * threads (S1 to S24): a capture, files or texts that show it, and the findings it gets.
 */
import { CLIENT, fittingFiles, OTHER, SERVER } from '../diagnose/keys.ts';
import { quick, ros } from '../diagnose/texts.ts';

export type Texts = Readonly<Record<string, string>>;

export type Case =
  /** Of the lab, by the id that vectors/findings.json has for it. */
  | { readonly lab: string; readonly finds: string }
  | { readonly texts: Texts; readonly finds: string }
  /** Made packets, in a test of test/diagnose that names the finding. */
  | { readonly test: string; readonly finds: string }
  /** Nothing that a capture or a file can show. */
  | { readonly advice: string };

export interface Cause {
  readonly id: string;
  readonly what: string;
  readonly cases: readonly [Case, ...Case[]];
}

const { 'client.conf': client = '', 'server.conf': server = '' } = fittingFiles();
/** One line of a fitting configuration replaced. */
const but = (text: string, line: RegExp, by: string): string => text.replace(line, by);
const files = (change: Parameters<typeof fittingFiles>[0]): Texts => fittingFiles(change);

const HEAD = 'State  Recv-Q Send-Q Local Address:Port Peer Address:Port Process';
const sockets = (...lines: readonly string[]): string => `${[HEAD, ...lines].join('\n')}\n`;
const DROPPING =
  '*filter\n:INPUT DROP [340:27200]\n:FORWARD DROP [0:0]\n:OUTPUT ACCEPT [9:700]\n-A INPUT -i lo -j ACCEPT\n-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT\nCOMMIT\n';
const ROUTES =
  'default via 203.0.113.1 dev eth0 proto static\n10.66.66.0/24 dev wg0 proto kernel scope link src 10.66.66.1\n10.10.0.0/24 dev eth1 proto kernel scope link src 10.10.0.1\n';
const NAT = (rules: string): string => `*nat\n:PREROUTING ACCEPT [0:0]\n:POSTROUTING ACCEPT [0:0]\n${rules}COMMIT\n`;
const FULL = { clientPeer: { allowed: '0.0.0.0/0' } };

const rosWireGuard = (more = ''): string =>
  `/interface wireguard\nadd listen-port=13231 mtu=1420 name=wireguard1 private-key="${SERVER.secret}"\n/interface wireguard peers\nadd allowed-address=10.66.66.2/32 interface=wireguard1 name=phone public-key="${CLIENT.public}"${more}\n/ip address\nadd address=10.66.66.1/24 interface=wireguard1 network=10.66.66.0`;
const rosFilter = (...lines: readonly string[]): string => ['/ip firewall filter', ...lines].join('\n');
const EST = 'add action=accept chain=input connection-state=established,related,untracked';
const ACCEPT = 'add action=accept chain=input dst-port=13231 protocol=udp';
const DROP = 'add action=drop chain=input';

export const CAUSES: readonly Cause[] = [
  {
    id: 'A1',
    what: 'a provider’s firewall blocks inbound UDP',
    cases: [
      { lab: 'lab/path-drop client', finds: 'no-response' },
      { lab: 'lab/path-drop both', finds: 'initiation-lost-on-path' },
      { lab: 'lab/path-drop server', finds: 'initiation-never-arrives' },
    ],
  },
  {
    id: 'A2',
    what: 'the server’s own firewall drops',
    cases: [
      { lab: 'lab/server-firewall-drop server', finds: 'responder-silent' },
      { texts: { ...fittingFiles(), 'server.txt': DROPPING + ROUTES }, finds: 'port-not-let-in' },
    ],
  },
  {
    id: 'A3',
    what: 'RouterOS drops by default in its input chain',
    cases: [
      {
        texts: { 'router.rsc': ros(rosWireGuard(), rosFilter(EST, DROP)) },
        finds: 'ros-input-rule-missing',
      },
    ],
  },
  {
    id: 'A4',
    what: 'a stale rule drops the port now and then',
    cases: [
      { lab: 'lab-more/periodic-block-3min both', finds: 'handshake-lost-periodically' },
      {
        texts: { 'router.rsc': ros(rosWireGuard(), rosFilter(EST, DROP, ACCEPT)) },
        finds: 'ros-rule-shadowed',
      },
    ],
  },
  {
    id: 'A5',
    what: 'nothing listens at the server',
    cases: [
      { lab: 'lab/port-unreachable both', finds: 'icmp-unreachable' },
      {
        texts: { ...fittingFiles(), 'server.txt': sockets('UNCONN 0 0 0.0.0.0:68 0.0.0.0:*') + ROUTES },
        finds: 'port-not-listening',
      },
    ],
  },
  {
    id: 'A6',
    what: 'a hop on the path refuses',
    cases: [{ lab: 'lab-more/admin-prohibited client', finds: 'icmp-unreachable' }],
  },
  {
    id: 'A7',
    what: 'wrong Endpoint: address or port',
    cases: [
      { texts: files({ clientPeer: { endpoint: '203.0.113.10:51821' } }), finds: 'endpoint-port-mismatch' },
      { lab: 'lab-more/wrong-port-no-icmp server', finds: 'endpoint-port-mismatch' },
      { test: 'rules-config-place.test.ts', finds: 'endpoint-address-mismatch' },
    ],
  },
  {
    id: 'A8',
    what: 'the Endpoint is the server’s address in its own network',
    cases: [{ texts: files({ clientPeer: { endpoint: '192.168.1.10:51820' } }), finds: 'endpoint-private-address' }],
  },
  {
    id: 'A9',
    what: 'the server’s address has changed, the Endpoint has not',
    cases: [{ test: 'rules-config-place.test.ts', finds: 'endpoint-stale' }],
  },
  {
    id: 'A10',
    what: 'dynamic DNS is out of date',
    cases: [{ test: 'rules-config-place.test.ts', finds: 'endpoint-stale' }],
  },
  {
    id: 'A11',
    what: 'the client does not look the name up again',
    cases: [{ test: 'rules-config-place.test.ts', finds: 'endpoint-stale' }],
  },
  {
    id: 'A12',
    what: 'the answer is dropped on its way back',
    cases: [
      { lab: 'lab/reply-drop both', finds: 'response-lost-on-path' },
      { lab: 'lab/reply-drop server', finds: 'session-unconfirmed' },
    ],
  },
  {
    id: 'A13',
    what: 'a NAT mapping runs out while idle',
    cases: [
      { lab: 'lab-more/nat-mapping-lost both', finds: 'nat-mapping-expired' },
      { lab: 'lab/nat-expired-silent server', finds: 'nat-mapping-expired' },
    ],
  },
  {
    id: 'A14',
    what: 'the server is behind the provider’s NAT',
    cases: [{ texts: files({ clientPeer: { endpoint: '100.72.3.4:51820' } }), finds: 'endpoint-cgnat' }],
  },
  {
    id: 'A15',
    what: 'the router in front forwards the port nowhere, or elsewhere',
    cases: [{ test: 'rules-machine-forward.test.ts', finds: 'port-forward-missing' }],
  },
  {
    id: 'A16',
    what: 'the provider filters by what packets look like',
    cases: [{ test: 'rules-handshake.test.ts', finds: 'path-filtered' }],
  },
  {
    id: 'A17',
    what: 'the client has a wrong key for the server',
    cases: [
      { lab: 'lab/wrong-server-key server', finds: 'wrong-responder-key' },
      { texts: files({ clientPeer: { key: OTHER.public } }), finds: 'key-mismatch' },
    ],
  },
  {
    id: 'A18',
    what: 'the server has a wrong key for the client, or none',
    cases: [
      { lab: 'lab/unknown-client-key server', finds: 'unknown-initiator' },
      { lab: 'lab/unknown-client-key both', finds: 'key-mismatch' },
    ],
  },
  {
    id: 'A19',
    what: 'keys were made anew at one end',
    cases: [
      { lab: 'lab-more/server-key-changed both', finds: 'wrong-responder-key' },
      { test: 'rules-handshake.test.ts', finds: 'key-changed' },
    ],
  },
  {
    id: 'A20',
    what: 'the preshared keys differ, or only one end has one',
    cases: [
      { lab: 'lab/psk-mismatch both', finds: 'psk-mismatch' },
      { lab: 'lab-more/psk-one-side both', finds: 'psk-differs' },
    ],
  },
  {
    id: 'A21',
    what: 'a key with a typing error, cut, or with something in it',
    cases: [
      { texts: { 'wg0.conf': but(client, /(PublicKey = .{40}).*/, '$1') }, finds: 'key-malformed' },
      { test: 'rules-config-keys.test.ts', finds: 'key-confusable' },
    ],
  },
  {
    id: 'A22',
    what: 'a public key where the private one belongs, or the own one as the peer’s',
    cases: [
      { texts: { 'wg0.conf': quick(CLIENT.secret, `[Peer] ${CLIENT.public}`) }, finds: 'key-role-swap' },
      {
        texts: { 'a.conf': quick(SERVER.public, `[Peer] ${OTHER.public}`), 'b.conf': server },
        finds: 'key-role-swap',
      },
    ],
  },
  {
    id: 'A23',
    what: 'a clock that went back',
    cases: [
      { lab: 'lab/kernel-clock-reset server', finds: 'timestamp-replayed' },
      { test: 'rules-handshake.test.ts', finds: 'timestamp-suspect' },
      {
        texts: {
          'router.rsc': `# 1970-01-02 00:09:21 by RouterOS 7.16.2\n${rosWireGuard(' endpoint-address=203.0.113.10 endpoint-port=51820')}\n`,
        },
        finds: 'ros-clock-1970',
      },
    ],
  },
  {
    id: 'A24',
    what: 'the AllowedIPs lack the destination',
    cases: [
      {
        texts: {
          'server.log': '[1.5] wireguard: wg0: No peer has allowed IPs matching 10.9.0.7\n',
        },
        finds: 'log-refusal',
      },
      { test: 'rules-inner-edge.test.ts', finds: 'allowedips-missing-lan' },
    ],
  },
  {
    id: 'A25',
    what: 'the AllowedIPs lack the source',
    cases: [
      { lab: 'lab-more/allowedips-server-drops both', finds: 'source-not-allowed' },
      { texts: files({ client: { address: '10.66.66.3/24' } }), finds: 'allowedips-missing-address' },
    ],
  },
  {
    id: 'A26',
    what: 'two peers have the same AllowedIPs, or one has the other’s inside its own',
    cases: [
      { lab: 'lab-more/overlapping-allowedips server', finds: 'allowedips-overlap' },
      {
        texts: {
          'wg0.conf': quick(
            SERVER.secret,
            `[Peer] ${CLIENT.public}`,
            'AllowedIPs = 10.66.66.0/24',
            `[Peer] ${OTHER.public}`,
            'AllowedIPs = 10.66.66.3/32',
          ),
        },
        finds: 'allowedips-nested',
      },
    ],
  },
  {
    id: 'A27',
    what: 'AllowedIPs too wide or too narrow at the client',
    cases: [
      { test: 'rules-config-begin.test.ts', finds: 'endpoint-loops-into-tunnel' },
      { test: 'rules-inner-edge.test.ts', finds: 'allowedips-missing-lan' },
    ],
  },
  {
    id: 'A28',
    what: 'the networks of both ends do not fit',
    cases: [
      { texts: files({ client: { address: '10.0.1.2/24' } }), finds: 'allowedips-missing-address' },
      { test: 'rules-inner-edge.test.ts', finds: 'allowedips-missing-lan' },
    ],
  },
  {
    id: 'A29',
    what: 'two ends have one address',
    cases: [
      {
        texts: files({ client: { address: '10.66.66.1/24' } }),
        finds: 'address-duplicate',
      },
    ],
  },
  {
    id: 'A30',
    what: 'the server has an Endpoint for a client that moves',
    cases: [{ test: 'rules-config-begin.test.ts', finds: 'endpoint-on-server' }],
  },
  {
    id: 'A31',
    what: 'the server does not forward',
    cases: [
      { lab: 'lab-more/forwarding-off both', finds: 'inner-unanswered' },
      { texts: { ...fittingFiles(FULL), 'server.txt': `net.ipv4.ip_forward = 0\n${ROUTES}` }, finds: 'ip-forward-off' },
    ],
  },
  {
    id: 'A32',
    what: 'the server does not masquerade',
    cases: [
      {
        texts: { ...fittingFiles(FULL), 'server.txt': `net.ipv4.ip_forward = 1\n${ROUTES}${NAT('')}` },
        finds: 'masquerade-missing',
      },
    ],
  },
  {
    id: 'A33',
    what: 'the forward chain drops',
    cases: [
      {
        texts: {
          ...fittingFiles(FULL),
          'server.txt': `net.ipv4.ip_forward = 1\n${ROUTES}*filter\n:INPUT ACCEPT [0:0]\n:FORWARD DROP [17:1428]\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n${NAT('-A POSTROUTING -o eth0 -j MASQUERADE\n')}`,
        },
        finds: 'forward-rule-missing',
      },
    ],
  },
  {
    id: 'A34',
    what: 'RouterOS has no route into the tunnel',
    cases: [{ test: 'rules-routeros.test.ts', finds: 'ros-route-missing' }],
  },
  {
    id: 'A35',
    what: 'large packets vanish, or are cut in two',
    cases: [
      { lab: 'lab/mtu-blackhole both', finds: 'mtu-blackhole' },
      { lab: 'lab-more/mtu-fragmented client', finds: 'outer-fragmentation' },
    ],
  },
  {
    id: 'A36',
    what: 'no MSS clamp',
    cases: [
      { test: 'rules-inner-unanswered.test.ts', finds: 'mss-too-large' },
      { test: 'rules-routeros.test.ts', finds: 'ros-mss-clamp-missing' },
    ],
  },
  {
    id: 'A37',
    what: 'names are not looked up through the tunnel, or not answered',
    cases: [
      { test: 'rules-inner-edge.test.ts', finds: 'dns-outside-tunnel' },
      { test: 'rules-inner-unanswered.test.ts', finds: 'dns-unanswered' },
    ],
  },
  {
    id: 'A38',
    what: 'another interface has the route',
    cases: [{ test: 'rules-config-network.test.ts', finds: 'route-overlap' }],
  },
  {
    id: 'A39',
    what: 'a broken network adapter or firewall of Windows',
    cases: [{ advice: 'what never leaves the machine is in no capture: only its own tools can tell' }],
  },
  {
    id: 'A40',
    what: 'a flood of handshakes, or a rule against one that blocks peers',
    cases: [
      { lab: 'lab-more/cookie-under-load server', finds: 'under-load-cookie' },
      { test: 'rules-handshake.test.ts', finds: 'initiation-flood' },
      { test: 'guide-template.test.ts', finds: 'ros-flood-rule-blocks-peers' },
    ],
  },
  {
    id: 'A41',
    what: 'the last handshake is old and there is traffic',
    cases: [{ test: 'rules-inner-edge.test.ts', finds: 'handshake-stale' }],
  },
  {
    id: 'A42',
    what: 'data stops after two minutes',
    cases: [
      { lab: 'lab-more/nat-mapping-lost server', finds: 'nat-mapping-expired' },
      { lab: 'lab-more/rekey-failed client', finds: 'rekey-failed' },
    ],
  },
  {
    id: 'A43',
    what: 'the server was installed anew, or paused',
    cases: [
      { lab: 'lab-more/server-restart-slow both', finds: 'peer-restarted' },
      { lab: 'lab/kernel-clock-reset both', finds: 'timestamp-replayed' },
    ],
  },
  {
    id: 'A44',
    what: 'an address where a network was meant',
    cases: [
      {
        texts: { 'wg0.conf': quick(CLIENT.secret, `[Peer] ${SERVER.public}`, 'AllowedIPs = 10.0.0.5/24') },
        finds: 'cidr-host-bits',
      },
    ],
  },
  {
    id: 'A45',
    what: 'one peer twice',
    cases: [
      {
        texts: {
          'wg0.conf': quick(
            SERVER.secret,
            `[Peer] ${CLIENT.public}`,
            'AllowedIPs = 10.66.66.2/32',
            `[Peer] ${CLIENT.public}`,
            'AllowedIPs = 10.66.66.3/32',
          ),
        },
        finds: 'peer-duplicate-key',
      },
    ],
  },
  {
    id: 'A46',
    what: 'there is nothing to send, so there is no handshake',
    cases: [
      { lab: 'lab-more/server-first-no-endpoint both', finds: 'idle-no-attempt' },
      { lab: 'lab-more/keepalive-only both', finds: 'keepalive-only' },
    ],
  },
  {
    id: 'A47',
    what: 'other VPNs fail at the same time',
    cases: [{ advice: 'what else fails, a capture of WireGuard does not show: it points at UDP, or at the provider' }],
  },
  {
    id: 'A48',
    what: 'a slow server, router or radio',
    cases: [
      { lab: 'lab-more/lossy-path both', finds: 'packet-loss' },
      { lab: 'lab-more/late-response both', finds: 'response-late' },
    ],
  },
];

export const STORIES: readonly Cause[] = [
  {
    id: 'S1',
    what: 'after a power cut: “invalid handshake initiation” for hours',
    cases: [{ lab: 'lab/kernel-clock-reset both', finds: 'timestamp-replayed' }],
  },
  {
    id: 'S2',
    what: 'the handshake begins anew every five seconds, and the server answers',
    cases: [{ lab: 'lab/psk-mismatch client', finds: 'psk-mismatch' }],
  },
  {
    id: 'S3',
    what: 'the server is silent: the client has a wrong key for it',
    cases: [{ lab: 'lab/wrong-server-key both', finds: 'wrong-responder-key' }],
  },
  {
    id: 'S4',
    what: 'the server is silent: it does not know the client',
    cases: [
      { lab: 'lab/unknown-client-key both', finds: 'unknown-initiator' },
      {
        texts: {
          'wg0.conf': but(server, /\n\[Peer\]\n(PublicKey = .*\n)/, `\n[Peer]\n$1PublicKey = ${OTHER.public}\n`),
        },
        finds: 'peer-header-missing',
      },
    ],
  },
  {
    id: 'S5',
    what: 'the response comes from another address or port',
    cases: [{ lab: 'lab-more/multihomed-reply both', finds: 'reply-from-other-address' }],
  },
  {
    id: 'S6',
    what: 'initiations, and nothing back',
    cases: [{ lab: 'lab/path-drop client', finds: 'no-response' }],
  },
  {
    id: 'S7',
    what: 'the server answers, the client never gets it',
    cases: [{ lab: 'lab/reply-drop both', finds: 'response-lost-on-path' }],
  },
  {
    id: 'S8',
    what: 'a handshake, but no traffic: the AllowedIPs are another peer’s',
    cases: [{ lab: 'lab-more/overlapping-allowedips both', finds: 'allowedips-overlap' }],
  },
  {
    id: 'S9',
    what: 'traffic in one direction: a source that is not in the AllowedIPs',
    cases: [
      { lab: 'lab-more/allowedips-server-drops both', finds: 'source-not-allowed' },
      { test: 'rules-inner.test.ts', finds: 'source-not-allowed' },
    ],
  },
  {
    id: 'S10',
    what: 'two devices with one key',
    cases: [{ lab: 'lab-more/duplicate-client-key server', finds: 'duplicate-identity' }],
  },
  {
    id: 'S11',
    what: 'small packets pass, large ones do not',
    cases: [{ lab: 'lab/mtu-blackhole both', finds: 'mtu-blackhole' }],
  },
  {
    id: 'S12',
    what: 'the ends disagree on how the packets are disguised',
    cases: [{ test: 'rules-forms.test.ts', finds: 'obfuscated' }],
  },
  {
    id: 'S13',
    what: 'the reserved bytes of WARP',
    cases: [{ test: 'rules-forms.test.ts', finds: 'obfuscated' }],
  },
  {
    id: 'S14',
    what: 'all is right, and the handshake is denied: a cookie',
    cases: [
      { lab: 'lab-more/cookie-under-load client', finds: 'under-load-cookie' },
      { test: 'rules-cookie.test.ts', finds: 'cookie-ignored' },
    ],
  },
  {
    id: 'S15',
    what: 'both ends begin at once',
    cases: [{ lab: 'lab-more/both-initiate-never both', finds: 'crossing-initiations' }],
  },
  {
    id: 'S16',
    what: 'the Endpoint is the own machine, or a wrong one',
    cases: [{ test: 'rules-config-place.test.ts', finds: 'endpoint-address-mismatch' }],
  },
  {
    id: 'S17',
    what: 'DNS has changed, the client keeps the old address',
    cases: [{ test: 'rules-config-place.test.ts', finds: 'endpoint-stale' }],
  },
  {
    id: 'S18',
    what: 'the Endpoint is routed into the tunnel',
    cases: [
      { test: 'rules-inner.test.ts', finds: 'routing-loop' },
      { test: 'rules-config-begin.test.ts', finds: 'endpoint-loops-into-tunnel' },
    ],
  },
  {
    id: 'S19',
    what: 'no end has an Endpoint',
    cases: [
      {
        texts: { 'client.conf': but(client, /Endpoint.*\n/, ''), 'server.conf': server },
        finds: 'no-endpoint-either-side',
      },
    ],
  },
  {
    id: 'S20',
    what: 'a NAT mapping runs out, and there is no PersistentKeepalive',
    cases: [{ lab: 'lab/nat-expired-silent both', finds: 'nat-mapping-expired' }],
  },
  {
    id: 'S21',
    what: 'a session of which one end knows nothing any more after a restart',
    cases: [{ lab: 'lab-more/client-restart both', finds: 'peer-restarted' }],
  },
  {
    id: 'S22',
    what: 'timestamps of another implementation after the client was changed',
    cases: [
      { lab: 'lab/kernel-clock-reset server', finds: 'timestamp-replayed' },
      {
        texts: { 'server.log': '2026-11-21T02:15:36.123Z ERROR boringtun::device: WrongTai64nTimestamp\n' },
        finds: 'log-refusal',
      },
    ],
  },
  {
    id: 'S23',
    what: 'an implementation that batches datagrams wrongly',
    cases: [
      {
        advice:
          'a fault inside a program: a capture shows datagrams of several messages, which are taken apart, or nothing at all',
      },
    ],
  },
  {
    id: 'S24',
    what: 'a RouterOS peer that was to answer only, and begins handshakes to nowhere',
    cases: [{ test: 'rules-routeros.test.ts', finds: 'ros-responder-missing' }],
  },
];
