/**
 * Facts that public guides get wrong (E1 to E23 of the list this project began with): an input that tempts one to repeat
 * them, what is true and has to be said, and what must not be said.
 */
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { utf8 } from '../../src/base/bytes.ts';
import { nodeCrypto } from '../../src/crypto/node.ts';
import { rules } from '../../src/diagnose/registry.ts';
import { diagnose } from '../../src/report/diagnose.ts';
import { renderText } from '../../src/report/text.ts';
import { type AskOptions, ask } from '../diagnose/handshakes.ts';
import { CLIENT, fittingFiles, OTHER, SERVER } from '../diagnose/keys.ts';
import { quick, ros, show } from '../diagnose/texts.ts';
import { running, tries, works } from '../diagnose/told.ts';
import { capture, type Sent } from '../diagnose/traffic.ts';
import { SHARED_ABSENT, shared } from '../shared.ts';
import { diagnoseLab, LAB_CASES } from './lab.ts';

type Texts = Readonly<Record<string, string>>;

/** 1.45 KiB are ten initiations. */
const SENT_ONLY = show(CLIENT.public, 51821, {
  key: SERVER.public,
  endpoint: '203.0.113.10:51820',
  allowed: '10.66.66.0/24',
  transfer: '0 B received, 1.45 KiB sent',
});

interface Tempting {
  readonly texts?: Texts;
  readonly packets?: readonly Sent[];
  readonly at?: 'initiator' | 'responder';
  /** Of the lab, instead. */
  readonly lab?: string;
  /** Of the public captures, kept outside. */
  readonly shared?: readonly string[];
}

const source = (name: string, bytes: Uint8Array) => ({
  name,
  async *open() {
    yield bytes;
  },
});

/** Everything that is printed on these inputs: the report in full, and the page of each of its findings. */
async function printed({ texts = {}, packets, at, lab, shared: outside = [] }: Tempting): Promise<string> {
  const one = LAB_CASES.find(({ id }) => id === lab);
  const sources = [
    ...(packets === undefined ? [] : [source('a.pcap', capture(packets))]),
    ...Object.entries(texts).map(([name, text]) => source(name, utf8(text))),
    ...outside.map((name) => source(name, new Uint8Array(readFileSync(shared(name))))),
  ];
  const report =
    one === undefined
      ? (await diagnose(sources, { crypto: nodeCrypto, ...(at === undefined ? {} : { at }) })).report
      : await diagnoseLab(one, { crypto: nodeCrypto });
  const pages = report.findings.flatMap((finding) => {
    const rule = rules.find(({ name }) => name === finding.rule);
    return rule === undefined ? [] : Object.values(rule.explain);
  });
  return [renderText(report, { verbose: true, width: 10_000 }), ...pages].join('\n');
}

const { 'server.conf': server = '' } = fittingFiles();
const skewed: AskOptions = { ahead: -300 };
const ROS_INTERFACE = `/interface wireguard\nadd listen-port=13231 name=wireguard1 private-key="${SERVER.secret}"\n/interface wireguard peers\nadd allowed-address=10.66.66.2/32 interface=wireguard1 public-key="${CLIENT.public}"`;
const FLOOD_RULES =
  '/ip firewall filter\nadd chain=input action=add-src-to-address-list address-list=wg_flood address-list-timeout=1m connection-state=new dst-port=13231 protocol=udp\nadd chain=input action=drop src-address-list=wg_flood\nadd chain=input action=accept dst-port=13231 protocol=udp\nadd chain=input action=drop';
const SOCKETS =
  'State  Recv-Q Send-Q Local Address:Port Peer Address:Port Process\nUNCONN 0 0 0.0.0.0:51820 0.0.0.0:*\n10.66.66.0/24 dev wg0 proto kernel scope link src 10.66.66.1\n';

interface Fact {
  readonly id: string;
  readonly temptation: string;
  readonly given: Tempting;
  readonly says: readonly RegExp[];
  readonly never?: readonly RegExp[];
}

const FACTS: readonly Fact[] = [
  {
    id: 'E1',
    temptation: 'a name in Endpoint that now means another address',
    given: {
      texts: {
        'client.conf': quick(
          CLIENT.secret,
          `[Peer] ${SERVER.public}`,
          'Endpoint = vpn.example.net:51820',
          'AllowedIPs = 10.66.66.0/24',
        ),
        'status.txt': show(CLIENT.public, 40123, {
          key: SERVER.public,
          allowed: '10.66.66.0/24',
          endpoint: '198.51.100.70:51820',
          handshake: '5 hours ago',
          transfer: '14.20 MiB received, 15.00 MiB sent',
        }),
        'new.txt': show(OTHER.public, 40124, {
          key: SERVER.public,
          allowed: '10.66.66.0/24',
          endpoint: '203.0.113.77:51820',
          handshake: '40 seconds ago',
          transfer: '1.20 MiB received, 1.00 MiB sent',
        }),
      },
    },
    says: [/a name in Endpoint is looked up once/, /reresolve-dns/],
    never: [/re-?resolves? (it )?(on|with) each handshake/i],
  },
  {
    id: 'E2',
    temptation: 'a clock that is five minutes behind',
    given: { texts: { 'server.conf': server }, packets: [...works(0, 1, skewed), running(170)], at: 'responder' },
    says: [/5 min 0 s behind .* harmless/, /never with its own clock/],
    never: [/^(why|warning):/m, /rejected as stale/],
  },
  {
    id: 'E3',
    temptation: 'a silent responder, which every guide asks with nc or nmap',
    given: { packets: [...tries(0, 1), running(60)], at: 'initiator' },
    says: [/a real handshake, which nc and nmap cannot make: wgwhy probe/],
    never: [/nc -[zvu]*u/, /nmap -/],
  },
  {
    id: 'E4',
    temptation: 'packets in fragments: what WireGuard adds',
    given: { lab: 'lab-more/mtu-fragmented both' },
    says: [/less 60/],
    never: [/\b(76|96|100) bytes/],
  },
  {
    id: 'E5',
    temptation: 'the rules against floods that a guide gives',
    given: { texts: { 'router.rsc': ros(ROS_INTERFACE, FLOOD_RULES) } },
    says: [/ros-flood-rule-blocks-peers/, /adding to a list is no verdict/],
  },
  {
    id: 'E6',
    temptation: 'a socket that no process has',
    given: { texts: { ...fittingFiles(), 'server.txt': SOCKETS } },
    says: [/^ok: /m],
    never: [/wg-crypt/, /port-not-listening/],
  },
  {
    id: 'E7',
    temptation: 'a kernel log with one line of it: are the others missing?',
    given: {
      texts: { 'server.log': '[1.5] wireguard: wg0: Invalid handshake initiation from 203.0.113.5:51820\n' },
    },
    says: [/say it only with debugging switched on/],
    never: [/wg-quick (warns|prints|says)/],
  },
  {
    id: 'E8',
    temptation: '`wg show` without a handshake: it has no line for it',
    given: {
      texts: { 'status.txt': SENT_ONLY },
    },
    says: [/10 initiations .* nothing was taken in/],
    never: [/latest handshake: (never|\(none\))/],
  },
  {
    id: 'E9',
    temptation: 'both ends of a site-to-site tunnel have an Endpoint',
    given: { texts: fittingFiles({ serverPeer: { endpoint: '198.51.100.7:51821' } }) },
    says: [/^ok: /m],
    never: [/endpoint-on-server/],
  },
  {
    id: 'E10',
    temptation: 'no answer, and AllowedIPs that are wrong',
    given: {
      texts: fittingFiles({ serverPeer: { allowed: '10.9.9.9/32' } }),
      packets: [...tries(0, 1), running(60)],
      at: 'initiator',
    },
    says: [/^why: 3 initiations/m, /the handshake succeeds all the same/],
    never: [/^why: .*AllowedIPs/m],
  },
  {
    id: 'E11',
    temptation: '0 B received: did nothing come back?',
    given: {
      texts: { 'status.txt': SENT_ONLY },
    },
    says: [/0 does not mean that nothing came back/, /another PresharedKey/],
    never: [/never came back/],
  },
  {
    id: 'E12',
    temptation: 'one prefix at two peers: does the handshake fail?',
    given: {
      texts: {
        'wg0.conf': quick(
          SERVER.secret,
          `[Peer] ${CLIENT.public}`,
          'AllowedIPs = 10.66.66.0/24',
          `[Peer] ${OTHER.public}`,
          'AllowedIPs = 10.66.66.0/24',
        ),
      },
    },
    says: [/on Linux only the last/, /handshakes still succeed/],
  },
  {
    id: 'E13',
    temptation: 'no peer for a destination: silence on the inside as well?',
    given: { texts: { 'client.log': '[1.5] wireguard: wg0: No peer has allowed IPs matching 10.9.0.7\n' } },
    says: [/No peer has allowed IPs matching 10\.9\.0\.7/],
    never: [/no ICMP/i],
  },
  {
    id: 'E14',
    temptation: 'a flood: does MAC1 keep it off?',
    given: { lab: 'lab-more/cookie-under-load server' },
    says: [/proves its address with MAC2/],
    never: [/MAC1 (prevents|protects)/],
  },
  {
    id: 'E15',
    temptation: 'a wrong key: one fault or two?',
    given: { lab: 'lab/wrong-server-key both' },
    says: [/MAC1/, /before any decryption/],
    never: [/fails to decrypt/],
  },
  {
    id: 'E15',
    temptation: 'a wrong key at the other end',
    given: { lab: 'lab/unknown-client-key both' },
    says: [/unknown-initiator/],
    never: [/mac1-invalid/],
  },
  {
    id: 'E16',
    temptation: 'one peer with several prefixes',
    given: {
      texts: {
        'wg0.conf': quick(
          SERVER.secret,
          `[Peer] ${CLIENT.public}`,
          'AllowedIPs = 10.66.66.2/32, 192.168.1.0/24, fd00::2/128',
        ),
      },
    },
    says: [/^ok: /m],
  },
  {
    id: 'E17',
    temptation: 'large packets vanish: does the inner DF bit matter?',
    given: { lab: 'lab/mtu-blackhole both' },
    says: [/mtu-blackhole/],
    never: [/don.t.fragment .*default in TCP/i],
  },
  {
    id: 'E18',
    temptation: 'an outer address that is another one than the Endpoint, and not of a provider’s NAT',
    given: {
      texts: {
        ...fittingFiles({ clientPeer: { endpoint: '100.72.3.4:51820' } }),
      },
    },
    says: [/100\.64\.0\.0\/10/],
    never: [/differs? significantly/],
  },
  {
    id: 'E19',
    temptation: 'n initiations sent, nothing received: did they not arrive?',
    given: {
      texts: { 'status.txt': SENT_ONLY },
    },
    says: [/do not tell a firewall, .* and another PresharedKey apart/],
    never: [/never reached/],
  },
  {
    id: 'E20',
    temptation: 'nothing comes back, and the key is wrong: which first?',
    given: { lab: 'lab/wrong-server-key both' },
    says: [/^why: the initiations .* were made for/m],
    never: [/^why: .*(firewall|lost)/m],
  },
  {
    id: 'E21',
    temptation: 'an Endpoint of IPv6 that stays silent',
    given: { lab: 'lab-more/ipv6-port-unreachable both' },
    says: [/icmp6|ICMPv6|\[?fd|2001:db8/],
    never: [/0\.0\.0\.0\/0/],
  },
  {
    id: 'E22',
    temptation: 'where a rule goes: place-before=1',
    given: {
      texts: {
        'router.rsc': ros(
          ROS_INTERFACE,
          '/ip firewall filter\nadd action=accept chain=input connection-state=established\nadd action=drop chain=input',
        ),
      },
    },
    says: [/place-before=\[find where/, /a number counts only after print/],
  },
];

test('each fact has its temptation', () => {
  const last = SHARED_ABSENT
    ? 23
    : (readFileSync(shared('reference/causes.md'), 'utf8').match(/^\**E\d+/gm)?.length ?? 0);
  const ids = Array.from({ length: last }, (_, i) => `E${i + 1}`);
  expect([...new Set([...FACTS.map(({ id }) => id), 'E23'])]).toEqual(ids);
});

describe.each(FACTS.map((fact) => [`${fact.id}: ${fact.temptation}`, fact] as const))(
  '%s',
  (_, { given, says, never = [] }) => {
    test('what is true is said, and nothing else', async () => {
      const text = await printed(given);
      for (const statement of says) expect(text).toMatch(statement);
      for (const statement of never) expect(text).not.toMatch(statement);
    });
  },
);

describe.skipIf(SHARED_ABSENT)('E23: a handshake 140 s after the first, in a capture of a kernel', () => {
  test('it is the first sending after 120 s, by the end that began the session', async () => {
    const names = ['captures/public/wireguard-ping-tcp.pcap', 'captures/public/full_initiator.keys'];
    expect(names.every((name) => existsSync(shared(name)))).toBe(true);
    const text = await printed({ shared: names });
    expect(text).toMatch(/140\.\d s/);
    expect(text).toMatch(/120 s/);
    expect(text).not.toMatch(/^(why|warning):/m);
  });
});

// the first message of a made handshake carries a stamp that the skew of E2 rests on
test('a skew is a skew', () => {
  expect(ask(1, 1, skewed).payload).not.toEqual(ask(1, 1).payload);
});
