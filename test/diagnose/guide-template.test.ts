/**
 * A published pair of templates, a cloud server and a RouterOS router behind a NAT, with its rule for the port and its
 * rules against floods: judged by every rule there is. Addresses and figures are the guide's, the keys are of these tests.
 */
import { expect, test } from 'vitest';
import { rules } from '../../src/diagnose/registry.ts';
import { CLIENT, SERVER } from './keys.ts';
import { findingsOf, said } from './world.ts';

const LINUX = `[Interface]
PrivateKey = ${SERVER.secret}
Address = 10.200.0.1/24
ListenPort = 51820
MTU = 1420
PostUp = iptables -A FORWARD -i wg0 -j ACCEPT; iptables -t nat -A POSTROUTING -o eth0 -j MASQUERADE
PostDown = iptables -D FORWARD -i wg0 -j ACCEPT; iptables -t nat -D POSTROUTING -o eth0 -j MASQUERADE

[Peer]
PublicKey = ${CLIENT.public}
AllowedIPs = 10.200.0.2/32, 192.168.88.0/24
PersistentKeepalive = 25
`;

const ROUTEROS = `/interface wireguard
add listen-port=51820 mtu=1420 name=wg-cloud private-key="${CLIENT.secret}" comment="tunnel to the cloud"
/interface wireguard peers
add interface=wg-cloud public-key="${SERVER.public}" endpoint-address=198.51.100.45 endpoint-port=51820 \\
    allowed-address=10.200.0.0/24,10.10.0.0/24 persistent-keepalive=25s
/ip address
add address=10.200.0.2/24 interface=wg-cloud
add address=192.168.88.1/24 interface=bridge
/ip route
add dst-address=10.10.0.0/24 gateway=wg-cloud
/ip firewall filter
add chain=forward action=accept in-interface=wg-cloud
add chain=forward action=accept out-interface=wg-cloud
/ip firewall mangle
add chain=forward action=change-mss new-mss=clamp-to-pmtu out-interface=wg-cloud passthrough=yes protocol=tcp tcp-flags=syn
`;

/** How the guide opens the port, as it is typed at the router. */
const OPENED = `/ip firewall filter
add chain=input protocol=udp dst-port=51820 action=accept place-before=1 comment="allow WireGuard"
`;
const FLOOD = `/ip firewall filter
add chain=input protocol=udp dst-port=51820 connection-state=new src-address-list=!wg_peers action=add-src-to-address-list address-list=wg_flood address-list-timeout=1m
add chain=input src-address-list=wg_flood action=drop
`;

const judged = async (linux: string, routeros: string) =>
  (await findingsOf(rules, { confs: { 'wg0.conf': linux, 'hex.rsc': routeros } })).filter(
    ({ severity }) => severity !== 'info',
  );

const MISSING_WAY_BACK =
  'warning forward-rule-missing: PostUp at wg0.conf line 6 lets wg0.conf forward what comes in by the tunnel, and nothing that goes out by it: where FORWARD drops by default, what comes back into the tunnel from 10.10.0.0/24 (hex.rsc line 5) is lost';
const PLACED_BY_NUMBER =
  'warning ros-input-rule-missing: the rule that should let in UDP port 51820 of wg-cloud is placed by a number, “chain=input action=accept protocol=udp dst-port=51820 place-before=1 comment="allow WireGuard"” (hex.rsc line 17): in a script, or before a print, that fails and the rule is not there';

test('the pair fits, but for the way back through the server', async () => {
  expect(said(await judged(LINUX, ROUTEROS))).toEqual([MISSING_WAY_BACK]);
  const mended = LINUX.replace(
    '-i wg0 -j ACCEPT; iptables -t',
    '-i wg0 -j ACCEPT; iptables -A FORWARD -o wg0 -j ACCEPT; iptables -t',
  );
  expect(said(await judged(mended, ROUTEROS))).toEqual([]);
});

test('a rule with its place as a number may never be there', async () => {
  expect(said(await judged(LINUX, `${ROUTEROS}${OPENED}`))).toEqual([PLACED_BY_NUMBER, MISSING_WAY_BACK]);
});

test('the rules against floods drop the first packet that they count', async () => {
  const findings = await judged(LINUX, `${ROUTEROS}${FLOOD}${OPENED.replace(' place-before=1', '')}`);
  expect(findings.map(({ rule }) => rule.name)).toContain('ros-flood-rule-blocks-peers');
  const flood = findings.find(({ rule }) => rule.name === 'ros-flood-rule-blocks-peers');
  expect(flood?.message).toBe(
    'the first packet of every peer to UDP port 51820 is dropped: hex.rsc line 17 puts its source into the list wg_flood, and line 18 drops what is in it',
  );
  expect(flood?.certainty).toBe('proven');
  expect(said(findings)).toHaveLength(2);
});

test('the smaller MTU that the guide sets on one end in an earlier step is told, and no more', async () => {
  const findings = await findingsOf(rules, {
    confs: { 'wg0.conf': LINUX, 'hex.rsc': ROUTEROS.replace('mtu=1420', 'mtu=1360') },
  });
  expect(findings.map(({ rule, severity }) => `${severity} ${rule.name}`)).toEqual([
    'warning forward-rule-missing',
    'info mtu-differs',
  ]);
});
