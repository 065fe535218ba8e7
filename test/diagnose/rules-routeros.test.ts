/** Rules on RouterOS exports: what its filter does with the port, peers that cannot work, the clock, routes. */
import { expect, test } from 'vitest';
import type { AnyRule } from '../../src/diagnose/rule.ts';
import { rosAutoPrivateKey } from '../../src/diagnose/rules/ros-auto-private-key.ts';
import { rosClock1970 } from '../../src/diagnose/rules/ros-clock-1970.ts';
import { rosFloodRuleBlocksPeers } from '../../src/diagnose/rules/ros-flood-rule-blocks-peers.ts';
import { rosInputRuleMissing } from '../../src/diagnose/rules/ros-input-rule-missing.ts';
import { rosMssClampMissing } from '../../src/diagnose/rules/ros-mss-clamp-missing.ts';
import { rosPortZero } from '../../src/diagnose/rules/ros-port-zero.ts';
import { rosResponderMissing } from '../../src/diagnose/rules/ros-responder-missing.ts';
import { rosRouteMissing } from '../../src/diagnose/rules/ros-route-missing.ts';
import { rosRuleShadowed } from '../../src/diagnose/rules/ros-rule-shadowed.ts';
import { CLIENT, OTHER, SERVER } from './keys.ts';
import { findingsOf, said } from './world.ts';

const RULES: readonly AnyRule[] = [
  rosFloodRuleBlocksPeers,
  rosPortZero,
  rosInputRuleMissing,
  rosRuleShadowed,
  rosResponderMissing,
  rosAutoPrivateKey,
  rosClock1970,
  rosRouteMissing,
  rosMssClampMissing,
];

const HEADER = '# 2026-11-21 02:15:36 by RouterOS 7.16.2\n# software id = ABCD-EFGH\n#\n# model = RB760iGS';

/** The firewall that a router has from the beginning. */
const DEFAULT_FILTER = [
  'add action=accept chain=input comment="defconf: accept established,related,untracked" connection-state=established,related,untracked',
  'add action=drop chain=input comment="defconf: drop invalid" connection-state=invalid',
  'add action=accept chain=input comment="defconf: accept ICMP" protocol=icmp',
  'add action=accept chain=input comment="defconf: accept to local loopback (for CAPsMAN)" dst-address=127.0.0.1',
  'add action=drop chain=input comment="defconf: drop all not coming from LAN" in-interface-list=!LAN',
  'add action=accept chain=forward comment="defconf: accept in ipsec policy" ipsec-policy=in,ipsec',
  'add action=accept chain=forward comment="defconf: accept out ipsec policy" ipsec-policy=out,ipsec',
  'add action=fasttrack-connection chain=forward comment="defconf: fasttrack" connection-state=established,related hw-offload=yes',
  'add action=accept chain=forward comment="defconf: accept established,related, untracked" connection-state=established,related,untracked',
  'add action=drop chain=forward comment="defconf: drop invalid" connection-state=invalid',
  'add action=drop chain=forward comment="defconf: drop all from WAN not DSTNATed" connection-nat-state=!dstnat connection-state=new in-interface-list=WAN',
];
const ACCEPT = 'add action=accept chain=input comment=WireGuard dst-port=13231 protocol=udp';
const withAccept = (accept = ACCEPT): readonly string[] => [accept, ...DEFAULT_FILTER];

interface Change {
  readonly header?: string;
  readonly wireguard?: string;
  readonly peers?: readonly string[];
  readonly filter?: readonly string[];
  readonly mangle?: readonly string[];
  readonly lists?: readonly string[];
  readonly routes?: readonly string[];
  readonly more?: string;
}

const ROAD_WARRIOR = `add allowed-address=10.66.66.2/32 interface=wireguard1 name=phone public-key="${CLIENT.public}" responder=yes`;

/** A router as a server of road warriors, with the default configuration around it. */
function router({
  header = HEADER,
  wireguard = `add listen-port=13231 mtu=1420 name=wireguard1 private-key="${SERVER.secret}"`,
  peers = [ROAD_WARRIOR],
  filter = withAccept(),
  mangle = [],
  lists = [],
  routes = [],
  more = '',
}: Change = {}): string {
  const menu = (path: string, lines: readonly string[]): string =>
    lines.length === 0 ? '' : `${path}\n${lines.join('\n')}\n`;
  return [
    `${header}\n`,
    menu('/interface wireguard', [wireguard]),
    menu('/interface wireguard peers', peers),
    menu('/interface list', ['add comment=defconf name=WAN', 'add comment=defconf name=LAN']),
    menu('/interface list member', [
      'add comment=defconf interface=bridge list=LAN',
      'add comment=defconf interface=ether1 list=WAN',
    ]),
    menu('/ip address', [
      'add address=192.168.88.1/24 comment=defconf interface=bridge network=192.168.88.0',
      'add address=10.66.66.1/24 interface=wireguard1',
    ]),
    menu('/ip firewall address-list', lists),
    menu('/ip firewall filter', filter),
    menu('/ip firewall mangle', mangle),
    menu('/ip firewall nat', [
      'add action=masquerade chain=srcnat comment="defconf: masquerade" ipsec-policy=out,none out-interface-list=WAN',
    ]),
    menu('/ip route', routes),
    more,
  ].join('');
}

const lineOf = (text: string, part: string): number => text.split('\n').findIndex((line) => line.includes(part)) + 1;

const SITE = `add allowed-address=10.66.66.2/32,192.168.5.0/24 endpoint-address=198.51.100.45 endpoint-port=51820 interface=wireguard1 name=site persistent-keepalive=25s public-key="${CLIENT.public}"`;
const SITE_ROUTE = ['add dst-address=192.168.5.0/24 gateway=wireguard1'];
const CLAMP = [
  'add action=change-mss chain=forward new-mss=clamp-to-pmtu out-interface=wireguard1 passthrough=yes protocol=tcp tcp-flags=syn',
];

const HEALTHY: readonly (readonly [string, string])[] = [
  ['the default configuration with a rule for WireGuard', router()],
  ['no filter at all', router({ filter: [] })],
  [
    'everything is accepted in the end',
    router({ filter: ['add action=drop chain=input protocol=tcp', 'add action=accept chain=input'] }),
  ],
  [
    'the port in a chain of its own',
    router({
      filter: [
        'add action=jump chain=input jump-target=in protocol=udp',
        ...DEFAULT_FILTER,
        'add action=accept chain=in dst-port=13000-13300',
      ],
    }),
  ],
  ['the port from the interface of the internet', router({ filter: withAccept(`${ACCEPT} in-interface=ether1`) })],
  ['the port from the list of the internet', router({ filter: withAccept(`${ACCEPT} in-interface-list=WAN`) })],
  ['the port with a limit', router({ filter: withAccept(`${ACCEPT} limit=50,20:packet`) })],
  [
    'the port only from known addresses',
    router({
      filter: withAccept(`${ACCEPT} src-address-list=peers`),
      lists: ['add address=vpn.example.org list=peers'],
    }),
  ],
  [
    'the port after a knock',
    router({
      filter: [
        'add action=add-src-to-address-list address-list=knocked chain=input dst-port=7000 protocol=tcp',
        ...withAccept(`${ACCEPT} src-address-list=knocked`),
      ],
    }),
  ],
  [
    'a list of scanners, filled by other rules',
    router({
      filter: [
        'add action=drop chain=input src-address-list=scanners',
        'add action=add-src-to-address-list address-list=scanners chain=input dst-port=22 protocol=tcp',
        ...withAccept(),
      ],
    }),
  ],
  [
    'a list that is filled after a limit',
    router({
      filter: [
        `${ACCEPT} dst-limit=10,20,src-address/1m`,
        'add action=add-src-to-address-list address-list=flood chain=input dst-port=13231 protocol=udp',
        'add action=drop chain=input src-address-list=flood',
        ...DEFAULT_FILTER,
      ],
    }),
  ],
  [
    'a disabled rule that drops',
    router({ filter: ['add action=drop chain=input disabled=yes protocol=udp', ...withAccept()] }),
  ],
  [
    'a router that always begins needs no rule',
    router({ peers: [SITE], filter: DEFAULT_FILTER, routes: SITE_ROUTE, mangle: CLAMP }),
  ],
  ['a site with its route and its MSS', router({ peers: [SITE], routes: SITE_ROUTE, mangle: CLAMP })],
  [
    'a wider route',
    router({ peers: [SITE], routes: ['add dst-address=192.168.0.0/16 gateway=10.66.66.2'], mangle: CLAMP }),
  ],
  ['everything is allowed for a peer', router({ peers: [SITE.replace('192.168.5.0/24', '0.0.0.0/0')], mangle: CLAMP })],
  [
    'keys of a peer that are kept for its configuration',
    router({ peers: [`${ROAD_WARRIOR} private-key="${CLIENT.secret}"`] }),
  ],
  [
    'a print of peers, where 0 stands for no endpoint',
    `[admin@MikroTik] > /interface/wireguard/peers/print detail\nFlags: X - disabled, D - dynamic \n 0    interface=wireguard1 name="peer1" public-key="${CLIENT.public}" endpoint-address="" endpoint-port=0 current-endpoint-address=198.51.100.7 current-endpoint-port=51821 allowed-address=10.66.66.2/32 rx=1080 tx=900 last-handshake=20s \n`,
  ],
  [
    'addresses of a router with the year right',
    router({ header: HEADER.replace('2026', '2019'), peers: [SITE], routes: SITE_ROUTE, mangle: CLAMP }),
  ],
  ['a wrong clock on a router that only waits', router({ header: HEADER.replace('2026-11-21', '1970-01-02') })],
  [
    'commands alone, which say nothing of what is missing',
    `/interface wireguard add listen-port=13231 name=wireguard1\n/interface wireguard peers\n${SITE}\n`,
  ],
];

test.each(HEALTHY)('nothing is said of %s', async (_, text) => {
  expect(said(await findingsOf(RULES, { confs: { 'hex.rsc': text } }))).toEqual([]);
});

const FLOOD = [
  'add action=add-src-to-address-list address-list=wg_flood address-list-timeout=1m chain=input dst-port=13231 protocol=udp src-address-list=!wg_peers connection-state=new',
  'add action=drop chain=input src-address-list=wg_flood',
];

interface Case {
  readonly name: string;
  readonly text: string;
  /** `@part` stands for the line that holds it. */
  readonly wanted: readonly string[];
}

const FAULTS: readonly Case[] = [
  {
    name: 'no rule for the port',
    text: router({ filter: DEFAULT_FILTER }),
    wanted: [
      'warning ros-input-rule-missing: no rule lets in new packets to UDP port 13231 of wireguard1: the first that fits them is “chain=input action=drop in-interface-list=!LAN comment="defconf: drop all not coming from LAN"” (hex.rsc line @in-interface-list=!LAN@)',
    ],
  },
  {
    name: 'the rule for the port is disabled',
    text: router({ filter: withAccept(`${ACCEPT} disabled=yes`) }),
    wanted: [
      'warning ros-input-rule-missing: no rule lets in new packets to UDP port 13231 of wireguard1: the first that fits them is “chain=input action=drop in-interface-list=!LAN comment="defconf: drop all not coming from LAN"” (hex.rsc line @in-interface-list=!LAN@)',
    ],
  },
  {
    name: 'the rule is for another port',
    text: router({ filter: withAccept(ACCEPT.replace('13231', '51820')) }),
    wanted: [
      'warning ros-input-rule-missing: no rule lets in new packets to UDP port 13231 of wireguard1: the first that fits them is “chain=input action=drop in-interface-list=!LAN comment="defconf: drop all not coming from LAN"” (hex.rsc line @in-interface-list=!LAN@)',
    ],
  },
  {
    name: 'dropped before, in raw',
    text: `${router()}/ip firewall raw\nadd action=drop chain=prerouting in-interface-list=WAN protocol=udp dst-port=!53\n`,
    wanted: [
      'warning ros-rule-shadowed: hex.rsc line @comment=WireGuard@ never sees new packets to UDP port 13231: “chain=input action=accept dst-port=13231 protocol=udp comment="WireGuard"” stands behind line @dst-port=!53@, “chain=prerouting action=drop in-interface-list=WAN protocol=udp dst-port=!53”',
    ],
  },
  {
    name: 'the rule was added at the end',
    text: router({ filter: [...DEFAULT_FILTER, ACCEPT] }),
    wanted: [
      'warning ros-rule-shadowed: hex.rsc line @comment=WireGuard@ never sees new packets to UDP port 13231: “chain=input action=accept dst-port=13231 protocol=udp comment="WireGuard"” stands behind line @in-interface-list=!LAN@, “chain=input action=drop in-interface-list=!LAN comment="defconf: drop all not coming from LAN"”',
    ],
  },
  {
    name: 'a stale rule drops the port',
    text: router({ filter: [`add action=drop chain=input dst-port=13231 protocol=udp`, ...withAccept()] }),
    wanted: [
      'warning ros-rule-shadowed: hex.rsc line @comment=WireGuard@ never sees new packets to UDP port 13231: “chain=input action=accept dst-port=13231 protocol=udp comment="WireGuard"” stands behind line @action=drop chain=input dst-port=13231@, “chain=input action=drop dst-port=13231 protocol=udp”',
    ],
  },
  {
    name: 'traffic of the tunnel behind a last drop',
    text: router({
      filter: [
        ...withAccept(),
        'add action=drop chain=forward comment=last',
        'add action=accept chain=forward in-interface=wireguard1',
      ],
    }),
    wanted: [
      'warning ros-rule-shadowed: hex.rsc line @chain=forward in-interface=wireguard1@ never sees a packet: “chain=forward action=accept in-interface=wireguard1” stands behind line @comment=last@, “chain=forward action=drop comment="last"”',
    ],
  },
  {
    name: 'a rule with a place by number',
    text: `/interface wireguard add listen-port=13231 name=wireguard1\n/ip firewall filter\n${ACCEPT} place-before=1\n`,
    wanted: [
      'warning ros-input-rule-missing: the rule that should let in UDP port 13231 of wireguard1 is placed by a number, “chain=input action=accept dst-port=13231 protocol=udp place-before=1 comment="WireGuard"” (hex.rsc line 3): in a script, or before a print, that fails and the rule is not there',
    ],
  },
  {
    name: 'flood rules before everything',
    text: router({ filter: [...FLOOD, ...withAccept()] }),
    wanted: [
      'error ros-flood-rule-blocks-peers: the first packet of every peer to UDP port 13231 is dropped: hex.rsc line @add-src-to@ puts its source into the list wg_flood, and line @src-address-list=wg_flood@ drops what is in it',
    ],
  },
  {
    name: 'flood rules, and the rule for the port behind the drop',
    text: router({ filter: [...FLOOD, ...DEFAULT_FILTER, ACCEPT] }),
    wanted: [
      'error ros-flood-rule-blocks-peers: the first packet of every peer to UDP port 13231 is dropped: hex.rsc line @add-src-to@ puts its source into the list wg_flood, and line @src-address-list=wg_flood@ drops what is in it',
      'warning ros-rule-shadowed: hex.rsc line @comment=WireGuard@ never sees new packets to UDP port 13231: “chain=input action=accept dst-port=13231 protocol=udp comment="WireGuard"” stands behind line @in-interface-list=!LAN@, “chain=input action=drop in-interface-list=!LAN comment="defconf: drop all not coming from LAN"”',
    ],
  },
  {
    name: 'flood rules on a router that begins',
    text: router({ filter: [...FLOOD, ...DEFAULT_FILTER], peers: [SITE], routes: SITE_ROUTE, mangle: CLAMP }),
    wanted: [
      'warning ros-flood-rule-blocks-peers: the first packet of every peer to UDP port 13231 is dropped: hex.rsc line @add-src-to@ puts its source into the list wg_flood, and line @src-address-list=wg_flood@ drops what is in it',
    ],
  },
  {
    name: 'flood rules in the other order',
    text: router({
      filter: [...[...FLOOD].reverse().map((rule) => rule.replace(' connection-state=new', '')), ...withAccept()],
    }),
    wanted: [
      'error ros-flood-rule-blocks-peers: of every peer that writes to UDP port 13231 the first packet passes, and those after it are dropped: hex.rsc line @add-src-to@ puts its source into the list wg_flood, and line @src-address-list=wg_flood@ drops what is in it',
    ],
  },
  {
    name: 'no endpoint port',
    text: router({ peers: [SITE.replace(' endpoint-port=51820', '')], routes: SITE_ROUTE, mangle: CLAMP }).replace(
      ' persistent-keepalive=25s',
      '',
    ),
    wanted: [
      'error ros-port-zero: hex.rsc line @name=site@ has the endpoint-address 198.51.100.45 and no endpoint-port: the router cannot write to it',
    ],
  },
  {
    name: 'endpoint port 0',
    text: router({ peers: [SITE.replace('port=51820', 'port=0')], routes: SITE_ROUTE, mangle: CLAMP }),
    wanted: [
      'error ros-port-zero: hex.rsc line @name=site@ has endpoint-port 0 beside the endpoint-address 198.51.100.45: the router cannot write to it',
    ],
  },
  {
    name: 'a keepalive towards a peer that roams',
    text: router({ peers: [ROAD_WARRIOR.replace('responder=yes', 'persistent-keepalive=25s')] }),
    wanted: [
      'warning ros-responder-missing: the peer “phone” at hex.rsc line @name=phone@ has no endpoint of its own and no responder=yes, and has a persistent-keepalive (hex.rsc line @name=phone@)',
    ],
  },
  {
    name: 'a log that shows the router calling in vain',
    text: `${router({ peers: [ROAD_WARRIOR.replace(' responder=yes', '')] })}\n[admin@MikroTik] > /log/print\n 2026-11-21 02:10:00 wireguard,info wireguard1: [phone] ${CLIENT.public}: Handshake for peer did not complete after 20 attempts, giving up\n`,
    wanted: [
      'warning ros-responder-missing: the peer “phone” at hex.rsc line @name=phone@ has no endpoint of its own and no responder=yes, and is called in vain (hex.rsc line @giving up@)',
    ],
  },
  {
    name: 'private-key=auto',
    text: router({ peers: [`${ROAD_WARRIOR} private-key=auto`] }),
    wanted: [
      `warning ros-auto-private-key: hex.rsc line @name=phone@ sets private-key=auto on a peer with the public-key ${short(CLIENT.public)}: the router makes up a key pair for it, and that public-key is lost`,
    ],
  },
  {
    name: 'the private key of another',
    text: router({ peers: [`${ROAD_WARRIOR} private-key="${OTHER.secret}"`] }),
    wanted: [
      `warning ros-auto-private-key: hex.rsc line @name=phone@ has a private-key on the peer with the public-key ${short(CLIENT.public)}, which belongs to ${short(OTHER.public)}: the router takes that one`,
    ],
  },
  {
    name: 'a clock without a battery',
    text: router({
      header: HEADER.replace('2026-11-21', '1970-01-02'),
      peers: [SITE],
      routes: SITE_ROUTE,
      mangle: CLAMP,
    }),
    wanted: [
      'warning ros-clock-1970: the router’s clock stood at 1970-01-02 02:15:36 UTC (hex.rsc line 1): an end that has accepted later timestamps from its key drops its initiations as replays',
    ],
  },
  {
    name: 'the clock of an old header',
    text: router({
      header: '# jan/02/1970 00:01:10 by RouterOS 7.8',
      peers: [SITE],
      routes: SITE_ROUTE,
      mangle: CLAMP,
    }),
    wanted: [
      'warning ros-clock-1970: the router’s clock stood at 1970-01-02 00:01:10 UTC (hex.rsc line 1): an end that has accepted later timestamps from its key drops its initiations as replays',
    ],
  },
  {
    name: 'no route to a network behind the peer',
    text: router({ peers: [SITE], mangle: CLAMP }),
    wanted: [
      'info ros-route-missing: hex.rsc line @name=site@ allows 192.168.5.0/24 for a peer, and no route leads there through wireguard1',
    ],
  },
  {
    name: 'a disabled route, and one to somewhere else',
    text: router({
      peers: [SITE],
      mangle: CLAMP,
      routes: [`${SITE_ROUTE[0]} disabled=yes`, 'add dst-address=192.168.5.0/24 gateway=192.168.88.2'],
    }),
    wanted: [
      'info ros-route-missing: hex.rsc line @name=site@ allows 192.168.5.0/24 for a peer, and no route leads there through wireguard1',
    ],
  },
  {
    name: 'no MSS clamp, or one for another interface',
    text: router({
      peers: [SITE],
      routes: SITE_ROUTE,
      mangle: CLAMP.map((rule) => rule.replace('wireguard1', 'pppoe-out1')),
    }),
    wanted: [
      'info ros-mss-clamp-missing: hex.rsc forwards between 192.168.88.0/24 and wireguard1, whose MTU is 1420, and no rule lowers the MSS of TCP',
    ],
  },
];

function short(key: string): string {
  return `${key.slice(0, 6)}…${key.slice(-4)}`;
}

test.each(FAULTS)('$name', async ({ text, wanted }) => {
  const findings = await findingsOf(RULES, { confs: { 'hex.rsc': text } });
  expect(said(findings)).toEqual(
    wanted.map((line) => line.replace(/@([^@]+)@/g, (_, part: string) => `${lineOf(text, part)}`)),
  );
  for (const { fix, rule } of findings) expect([rule.name, fix.routeros?.length]).not.toEqual([rule.name, 0]);
  expect(JSON.stringify(findings.map(({ message, notes, fix, facts }) => [message, notes, fix, facts]))).not.toContain(
    SERVER.secret,
  );
});

test('thousands of rules and interfaces are judged within bounds', async () => {
  const many = (n: number, line: (i: number) => string): string[] => Array.from({ length: n }, (_, i) => line(i));
  const text = [
    HEADER,
    '/interface wireguard',
    ...many(500, (i) => `add listen-port=${20_000 + i} name=wg${i}`),
    '/ip firewall filter',
    ...many(3000, (i) => `add action=drop chain=forward dst-port=${i + 1} protocol=udp`),
    ...many(3000, (i) => `add action=accept chain=forward dst-port=${i + 1} in-interface=wg1 protocol=tcp`),
  ].join('\n');
  const findings = await findingsOf(RULES, { confs: { 'hex.rsc': text } });
  expect(findings.length).toBeLessThan(1000);
});
