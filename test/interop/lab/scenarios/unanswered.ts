/** Initiations that get no WireGuard answer. */
import type { Lab } from '../network.ts';
import { freshPair, TUNNEL } from '../plan.ts';
import type { Scenario } from '../scenario.ts';
import { sleep } from '../shell.ts';
import { deduced, everywhere, proven, WELL, wellWith } from '../truth.ts';

export const UNANSWERED: readonly Scenario[] = [
  {
    id: 'admin-prohibited',
    story: 'The router rejects UDP 51820 with ICMP admin-prohibited.',
    truth: {
      both: proven(['icmp-unreachable'], { allowed: ['initiation-lost-on-path'] }),
      client: proven(['icmp-unreachable']),
      server: deduced(['initiation-never-arrives', null]),
    },
    async run(lab) {
      const reject = 'udp dport 51820 reject with icmp type admin-prohibited';
      lab.nft('router', `chain forward { type filter hook forward priority 0; ${reject}\n}`);
      await lab.start(freshPair());
      await lab.ping('client', TUNNEL.server, { count: 14 }).ended;
    },
  },
  {
    id: 'endpoint-gone',
    story: "The client's Endpoint is an address nobody has any more: the last router answers ICMP host unreachable.",
    truth: {
      both: proven(['icmp-unreachable'], { allowed: ['endpoint-address-mismatch', 'initiation-lost-on-path'] }),
      client: proven(['icmp-unreachable']),
      server: deduced(['initiation-never-arrives', null]),
    },
    async run(lab) {
      await lab.start(freshPair({ clientPeer: { endpoint: '203.0.113.99:51820' } }));
      await lab.ping('client', TUNNEL.server, { count: 14 }).ended;
    },
  },
  {
    id: 'ipv6-port-unreachable',
    story: "Over IPv6 the client's Endpoint names a port nobody listens on; the host answers ICMPv6 port unreachable.",
    truth: everywhere(proven(['icmp-unreachable'], { allowed: ['endpoint-port-mismatch'] })),
    async run(lab) {
      lab.addIpv6();
      await sleep(3);
      await lab.start(freshPair({ clientPeer: { endpoint: '[2001:db8:2::10]:51999' } }));
      await lab.ping('client', TUNNEL.server, { count: 14 }).ended;
    },
  },
  {
    id: 'wrong-port-no-icmp',
    story: "The client's Endpoint names port 51999; the server's firewall swallows it, so no ICMP tells.",
    truth: {
      both: proven(['endpoint-port-mismatch', 'responder-silent'], {
        allowed: ['endpoint-port-mismatch', 'responder-silent'],
      }),
      client: deduced(['no-response']),
      server: proven(['endpoint-port-mismatch', 'responder-silent'], { allowed: ['endpoint-port-mismatch'] }),
    },
    async run(lab) {
      lab.nft('server', 'chain input { type filter hook input priority 0; udp dport 51999 drop\n}');
      await lab.start(freshPair({ clientPeer: { endpoint: '203.0.113.10:51999' } }));
      await lab.ping('client', TUNNEL.server, { count: 14 }).ended;
    },
  },
  {
    id: 'give-up',
    story:
      'No WireGuard runs on the server and its firewall drops silently: one ping, twenty initiations, then silence.',
    truth: {
      both: deduced(['responder-silent', 'no-response'], { info: ['handshake-gave-up'] }),
      client: deduced(['no-response'], { info: ['handshake-gave-up'] }),
      server: deduced(['responder-silent']),
    },
    async run(lab) {
      lab.nft('server', 'chain input { type filter hook input priority 0; meta l4proto udp drop\n}');
      await lab.start(freshPair(), ['client']);
      await lab.ping('client', TUNNEL.server).ended;
      await sleep(112);
    },
  },
  {
    id: 'corrupted-initiation',
    story:
      "A box in the path changes one byte of the initiation's ephemeral and keeps the UDP checksum right: MAC1 fails.",
    truth: {
      both: proven(['modified-in-transit'], { allowed: ['wrong-responder-key'] }),
      client: deduced(['no-response']),
      server: proven(['modified-in-transit', 'wrong-responder-key']),
    },
    async run(lab) {
      await lab.impair({ flip: '148:20:1' });
      await lab.start(freshPair());
      await lab.ping('client', TUNNEL.server, { count: 14 }).ended;
    },
  },
  {
    id: 'corrupted-initiation-index',
    story:
      "Only the initiation's sender index is changed on the way: MAC1 fails, yet the static still opens to the client.",
    truth: {
      both: proven(['modified-in-transit']),
      client: deduced(['no-response']),
      server: deduced(['modified-in-transit']),
    },
    async run(lab) {
      await lab.impair({ flip: '148:4:1' });
      await lab.start(freshPair());
      await lab.ping('client', TUNNEL.server, { count: 14 }).ended;
    },
  },
  {
    id: 'three-captures',
    story:
      'A NAT router sends the initiations on, a switch behind it loses them; the router was captured on its WAN side.',
    truth: {
      both: deduced(['initiation-lost-on-path']),
      client: deduced(['no-response']),
      server: deduced(['initiation-never-arrives', null]),
      between: deduced(['no-response', null]),
    },
    async run(lab) {
      insertSwitch(lab);
      lab.masquerade();
      lab.nft(
        'other',
        'chain ingress { type filter hook ingress device "x0" priority 0; udp dport 51820 drop\n}',
        'netdev',
      );
      await lab.capture('router', 'rs', 'router');
      await lab.start(freshPair());
      await lab.ping('client', TUNNEL.server, { count: 14 }).ended;
    },
  },
  {
    id: 'server-first-no-endpoint',
    story: 'Only the server pings, and it has never heard from the client: it knows no endpoint and sends nothing.',
    truth: { both: wellWith('idle-no-attempt'), client: WELL, server: WELL },
    async run(lab) {
      await lab.start(freshPair());
      await lab.ping('server', TUNNEL.client, { count: 12 }).ended;
    },
  },
  {
    id: 'cookie-under-load',
    story:
      'Someone floods the server with initiations right in MAC1: the client gets a cookie, its retry passes under load.',
    truth: {
      both: proven(['initiation-flood', 'static-unsealable'], {
        info: ['under-load-cookie'],
        allowed: ['static-unsealable', 'under-load-cookie'],
      }),
      client: wellWith('under-load-cookie'),
      server: proven(['initiation-flood', 'static-unsealable'], {
        info: ['under-load-cookie'],
        allowed: ['static-unsealable', 'under-load-cookie'],
      }),
    },
    async run(lab) {
      lab.addMachine();
      const pair = freshPair();
      await lab.start(pair);
      const publicKey = pair.client.peers[0]?.publicKey ?? '';
      lab.python('other', 'flood.py', '203.0.113.10', '51820', publicKey);
      await sleep(0.7);
      const ping = lab.ping('client', TUNNEL.server, { count: 9 });
      await sleep(4.5);
      lab.python('other', 'flood.py', '203.0.113.10', '51820', publicKey);
      await ping.ended;
    },
  },
];

/** A switch between the router and the server, in a namespace of its own. */
export function insertSwitch(lab: Lab): void {
  lab.exec('router', 'ip', 'link', 'del', 'rs');
  lab.addNamespace('other');
  lab.link('router', 'rs', 'other', 'x0');
  lab.link('server', 's', 'other', 'x1');
  lab.exec('other', 'ip', 'link', 'add', 'switch', 'type', 'bridge', 'mcast_snooping', '0');
  for (const port of ['x0', 'x1']) lab.exec('other', 'ip', 'link', 'set', port, 'master', 'switch');
  lab.exec('other', 'ip', 'link', 'set', 'switch', 'up');
  lab.address('router', 'rs', '203.0.113.1/24');
  lab.address('server', 's', '203.0.113.10/24');
  lab.exec('server', 'ip', 'route', 'add', 'default', 'via', '203.0.113.1');
}
