/** The handshake is well; the data is not. */
import { freshPair, newKeyPair, TUNNEL } from '../plan.ts';
import type { Scenario } from '../scenario.ts';
import { deduced, everywhere, proven, suspected } from '../truth.ts';

export const CARRIED: readonly Scenario[] = [
  {
    id: 'mtu-fragmented',
    story: 'Path MTU 1400, ICMP passes: the sender learns it and sends each full packet as two outer fragments.',
    truth: everywhere(proven(['outer-fragmentation'], { allowed: ['mtu-too-large', 'packet-loss'] })),
    async run(lab) {
      lab.exec('router', 'ip', 'link', 'set', 'rs', 'mtu', '1400');
      lab.exec('server', 'ip', 'link', 'set', 's', 'mtu', '1400');
      await lab.start(freshPair());
      await lab.ping('client', TUNNEL.server, { count: 3, interval: 0.5 }).ended;
      await lab.ping('client', TUNNEL.server, { count: 10, interval: 0.5, size: 1392 }).ended;
      await lab.ping('client', TUNNEL.server, { count: 3, interval: 0.5 }).ended;
    },
  },
  {
    id: 'allowedips-server-drops',
    story:
      "The server's AllowedIPs for the client do not hold its tunnel address: all inner packets are dropped after decryption.",
    truth: {
      both: deduced(['source-not-allowed'], { allowed: ['allowedips-missing-address'] }),
      client: suspected(['inner-unanswered', 'source-not-allowed', null]),
      server: suspected(['source-not-allowed', 'inner-unanswered', null]),
    },
    async run(lab) {
      await lab.start(freshPair({ serverPeer: { allowedIps: '10.66.66.9/32' } }));
      await lab.ping('client', TUNNEL.server, { count: 28 }).ended;
    },
  },
  {
    id: 'overlapping-allowedips',
    story: 'Two peers of the server have the same AllowedIPs: the last one has them, the client has none.',
    truth: {
      both: proven(['source-not-allowed', 'allowedips-overlap'], { allowed: ['allowedips-overlap'] }),
      client: suspected(['inner-unanswered', 'source-not-allowed', null]),
      server: proven(['source-not-allowed', 'allowedips-overlap'], { allowed: ['allowedips-overlap'] }),
    },
    async run(lab) {
      const pair = freshPair({ serverPeer: { allowedIps: '10.66.66.0/24' } });
      const absent = { publicKey: newKeyPair().publicKey, allowedIps: '10.66.66.0/24' };
      await lab.start({ ...pair, server: { ...pair.server, peers: [...pair.server.peers, absent] } });
      await lab.ping('client', TUNNEL.server, { count: 28 }).ended;
    },
  },
  {
    id: 'forwarding-off',
    story: 'The server answers pings, but ip_forward is off: nothing behind it can be reached through the tunnel.',
    truth: everywhere(suspected(['inner-unanswered', null])),
    async run(lab) {
      lab.addNamespace('other');
      lab.link('server', 'lan', 'other', 'o');
      lab.address('server', 'lan', '192.168.50.1/24');
      lab.address('other', 'o', '192.168.50.10/24');
      lab.exec('other', 'ip', 'route', 'add', 'default', 'via', '192.168.50.1');
      await lab.start(freshPair({ clientPeer: { allowedIps: '10.66.66.0/24, 192.168.50.0/24' } }));
      await lab.ping('client', TUNNEL.server, { count: 3 }).ended;
      await lab.ping('client', '192.168.50.10', { count: 25 }).ended;
    },
  },
  {
    id: 'corrupted-data',
    story:
      'A box in the path changes one byte of each ping and keeps the UDP checksum right; handshake and keepalives pass.',
    truth: {
      both: proven(['modified-in-transit'], {
        allowed: ['packet-unsealable', 'session-unconfirmed', 'peer-restarted'],
      }),
      client: suspected(['modified-in-transit', 'peer-restarted', 'inner-unanswered', null]),
      server: suspected(['modified-in-transit', 'peer-restarted', 'session-unconfirmed', 'inner-unanswered', null]),
    },
    async run(lab) {
      await lab.impair({ flip: '128:40:1' });
      await lab.start(freshPair());
      await lab.ping('client', TUNNEL.server, { count: 36 }).ended;
    },
  },
  {
    id: 'lossy-path',
    story: 'The path loses three packets in a hundred, each way; the tunnel holds.',
    truth: everywhere(proven(['packet-loss'])),
    async run(lab) {
      lab.routerDrops('meta l4proto udp numgen random mod 1000 < 30');
      await lab.start(freshPair());
      await lab.ping('client', TUNNEL.server, { count: 1200, interval: 0.05 }).ended;
    },
  },
];
