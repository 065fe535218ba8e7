/** Nothing is wrong: whatever is reported here beyond information is a false alarm. */
import { freshPair, newKeyPair, TUNNEL } from '../plan.ts';
import type { Scenario } from '../scenario.ts';
import { sleep } from '../shell.ts';
import { everywhere, WELL, wellWith } from '../truth.ts';

export const GOES_WELL: readonly Scenario[] = [
  {
    id: 'ipv6-outer',
    story: 'The tunnel runs over IPv6; nothing is wrong.',
    truth: everywhere(WELL),
    async run(lab) {
      lab.addIpv6();
      await sleep(3);
      await lab.start(freshPair({ clientPeer: { endpoint: '[2001:db8:2::10]:51820' } }));
      await lab.ping('client', TUNNEL.server, { count: 6 }).ended;
      await lab.ping('client', TUNNEL.server, { count: 3, size: 1392 }).ended;
    },
  },
  {
    id: 'two-clients-one-nat',
    story: 'Two clients with keys of their own behind one NAT: one outer address, two ports; nothing is wrong.',
    truth: everywhere(WELL),
    async run(lab) {
      lab.addMachine();
      lab.masquerade();
      const pair = freshPair();
      const keys = newKeyPair();
      const neighbour = { publicKey: keys.publicKey, allowedIps: '10.66.66.3/32' };
      await lab.start({ ...pair, server: { ...pair.server, peers: [...pair.server.peers, neighbour] } });
      await lab.second('other', { ...pair.client, privateKey: keys.privateKey, address: '10.66.66.3/24' });
      const ping = lab.ping('client', TUNNEL.server, { count: 12 });
      await lab.ping('other', TUNNEL.server, { count: 12 }).ended;
      await ping.ended;
    },
  },
  {
    id: 'any-interface',
    story: 'tcpdump -i any on both hosts: each ping also shows in the clear on the tunnel device; nothing is wrong.',
    truth: everywhere(WELL),
    async run(lab) {
      await lab.start(freshPair(), []);
      for (const side of ['client', 'server'] as const) {
        await lab.endCapture(side);
        await lab.capture(side, 'any', side);
      }
      await lab.up('server');
      await lab.up('client');
      await lab.ping('client', TUNNEL.server, { count: 6 }).ended;
    },
  },
  {
    id: 'reordered',
    story: 'The path puts packets out of order by up to 30 ms; none is lost, the replay window holds.',
    truth: everywhere(WELL),
    async run(lab) {
      await lab.impair({ jitter: 0.03 });
      await lab.start(freshPair());
      await lab.ping('client', TUNNEL.server, { count: 1000, interval: 0.01 }).ended;
    },
  },
  {
    id: 'tcp-bulk',
    story: 'Two megabytes over TCP through the tunnel; nothing is wrong.',
    truth: everywhere(WELL),
    async run(lab) {
      await lab.start(freshPair());
      const serve = lab.python('server', 'transfer.py', 'serve', TUNNEL.server, '2000000');
      await sleep(1);
      await lab.python('client', 'transfer.py', 'fetch', TUNNEL.server).ended;
      await serve.ended;
    },
  },
  {
    id: 'idle-then-resume',
    story: 'Pings, 200 s of silence past the life of the session, pings again: a new handshake, nothing is wrong.',
    truth: everywhere(WELL),
    async run(lab) {
      await lab.start(freshPair());
      await lab.ping('client', TUNNEL.server, { count: 4 }).ended;
      await sleep(200);
      await lab.ping('client', TUNNEL.server, { count: 4 }).ended;
    },
  },
  {
    id: 'keepalive-only',
    story: 'PersistentKeepalive and no traffic at all: keepalives one way, as it should be.',
    truth: everywhere(wellWith('keepalive-only')),
    async run(lab) {
      await lab.start(freshPair({ clientPeer: { keepalive: 25 } }));
      await sleep(110);
    },
  },
  {
    id: 'first-response-lost',
    story: 'The first response is lost on the way; the retry five seconds later succeeds.',
    truth: { both: WELL, client: wellWith('handshake-retried'), server: WELL },
    async run(lab) {
      lab.routerDrops('udp sport 51820');
      await lab.start(freshPair());
      const ping = lab.ping('client', TUNNEL.server, { count: 12 });
      await sleep(3);
      lab.routerDrops();
      await ping.ended;
    },
  },
  {
    id: 'capture-began-late',
    story: 'The captures begin in mid-session; nothing is wrong, the handshake is just not in them.',
    truth: everywhere(wellWith('handshake-not-captured')),
    async run(lab) {
      await lab.start(freshPair());
      const ping = lab.ping('client', TUNNEL.server, { count: 12 });
      await sleep(4);
      await lab.endCapture('client');
      await lab.endCapture('server');
      await lab.capture('client', 'c', 'client');
      await lab.capture('server', 's', 'server');
      await ping.ended;
    },
  },
  {
    id: 'server-first-then-client',
    story:
      'The server has data before the client ever spoke and cannot send it; then the client speaks and all is well.',
    truth: everywhere(WELL),
    async run(lab) {
      await lab.start(freshPair());
      const server = lab.ping('server', TUNNEL.client, { count: 14 });
      await sleep(6);
      await lab.ping('client', TUNNEL.server, { count: 6 }).ended;
      await server.ended;
    },
  },
];
