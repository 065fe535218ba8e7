/** Tunnels that worked and then broke. */
import { freshPair, newKeyPair, TUNNEL } from '../plan.ts';
import type { Scenario } from '../scenario.ts';
import { sleep } from '../shell.ts';
import { deduced, everywhere, proven, suspected, WELL, wellWith } from '../truth.ts';

export const BROKEN: readonly Scenario[] = [
  {
    id: 'server-restart',
    story: "The server's WireGuard is killed and started again at once: the old session's data vanishes for 15 s.",
    truth: everywhere(suspected(['peer-restarted', null])),
    async run(lab) {
      await lab.start(freshPair());
      const ping = lab.ping('client', TUNNEL.server, { count: 34 });
      await sleep(6.4);
      await lab.kill('server');
      await lab.up('server');
      await ping.ended;
    },
  },
  {
    id: 'server-restart-slow',
    story:
      "The server's WireGuard is down for four seconds: ICMP port unreachable in mid-session, then 15 s of silence.",
    truth: everywhere(deduced(['peer-restarted', 'icmp-unreachable', null])),
    async run(lab) {
      await lab.start(freshPair());
      const ping = lab.ping('client', TUNNEL.server, { count: 36 });
      await sleep(6.4);
      await lab.kill('server');
      await sleep(4);
      await lab.up('server');
      await ping.ended;
    },
  },
  {
    id: 'client-restart',
    story: "The client's WireGuard is killed and started again while only the server has something to say.",
    truth: everywhere(suspected(['peer-restarted', null])),
    async run(lab) {
      await lab.start(freshPair());
      await lab.ping('client', TUNNEL.server, { count: 3 }).ended;
      const ping = lab.ping('server', TUNNEL.client, { count: 34 });
      await sleep(6.4);
      await lab.kill('client');
      await lab.up('client');
      await ping.ended;
    },
  },
  {
    id: 'server-key-changed',
    story:
      'The server gets a new private key in mid-session; the client still has the old public key, the file the new one.',
    truth: {
      both: proven(['wrong-responder-key', 'key-changed', 'rekey-failed'], {
        allowed: ['key-changed', 'key-mismatch'],
      }),
      client: deduced(['rekey-failed', 'no-response']),
      server: proven(['wrong-responder-key', 'key-changed', 'rekey-failed'], { allowed: ['key-changed'] }),
    },
    async run(lab) {
      const pair = freshPair();
      await lab.start(pair);
      const ping = lab.ping('client', TUNNEL.server, { count: 40 });
      await sleep(6.4);
      lab.reconfigure('server', { ...pair.server, privateKey: newKeyPair().privateKey });
      await ping.ended;
    },
  },
  {
    id: 'periodic-block-3min',
    story: 'The router drops all UDP for 40 s every 180 s; in between the tunnel is well.',
    truth: {
      both: deduced(['handshake-lost-periodically'], { allowed: ['packet-loss', 'initiation-lost-on-path'] }),
      client: deduced(['handshake-lost-periodically'], { allowed: ['packet-loss'] }),
      server: deduced(['handshake-lost-periodically', 'packet-loss'], { allowed: ['packet-loss'] }),
    },
    async run(lab) {
      await lab.start(freshPair());
      const ping = lab.ping('client', TUNNEL.server, { count: 390 });
      for (const quiet of [100, 140]) {
        await sleep(quiet);
        lab.routerDrops('meta l4proto udp');
        await sleep(40);
        lab.routerDrops();
      }
      await ping.ended;
    },
  },
  {
    id: 'rekey-failed',
    story: 'The tunnel works for 60 s, then the path drops everything for good; the client goes on trying.',
    truth: {
      both: proven(['rekey-failed', 'initiation-lost-on-path'], { allowed: ['initiation-lost-on-path'] }),
      client: deduced(['rekey-failed', 'no-response']),
      server: suspected([null, 'rekey-failed'], { info: ['peer-went-away'] }),
    },
    async run(lab) {
      await lab.start(freshPair());
      const ping = lab.ping('client', TUNNEL.server, { count: 130, interval: 2 });
      await sleep(60);
      lab.routerDrops('meta l4proto udp');
      await ping.ended;
    },
  },
  {
    id: 'peer-process-killed',
    story:
      "The client's WireGuard is killed; the server goes on sending to the learned endpoint and gets ICMP from it.",
    truth: {
      both: proven(['icmp-unreachable', null]),
      client: proven(['icmp-unreachable', null]),
      server: proven(['icmp-unreachable', 'nat-mapping-expired', null]),
    },
    async run(lab) {
      await lab.start(freshPair());
      await lab.ping('client', TUNNEL.server, { count: 3 }).ended;
      const ping = lab.ping('server', TUNNEL.client, { count: 34 });
      await sleep(4.4);
      await lab.kill('client');
      await ping.ended;
    },
  },
  {
    id: 'peer-went-away',
    story:
      'The client machine is switched off and its capture ends; the server goes on to the learned endpoint, unanswered.',
    truth: { both: wellWith('peer-went-away'), client: WELL, server: wellWith('peer-went-away') },
    async run(lab) {
      await lab.start(freshPair());
      await lab.ping('client', TUNNEL.server, { count: 3 }).ended;
      const ping = lab.ping('server', TUNNEL.client, { count: 34 });
      await sleep(4.4);
      lab.exec('router', 'ip', 'route', 'add', 'blackhole', '10.99.1.2/32');
      await lab.endCapture('client');
      await lab.kill('client');
      await ping.ended;
    },
  },
  {
    id: 'nat-mapping-lost',
    story:
      "The NAT router restarts while the client is idle: the server's packets meet ICMP until the client speaks again.",
    truth: {
      both: deduced(['nat-mapping-expired'], { allowed: ['icmp-unreachable'] }),
      client: WELL,
      server: deduced(['nat-mapping-expired', 'icmp-unreachable', null], { allowed: ['icmp-unreachable'] }),
    },
    async run(lab) {
      lab.masquerade('masquerade to :40001');
      await lab.start(freshPair());
      await lab.ping('client', TUNNEL.server, { count: 3 }).ended;
      await sleep(16);
      lab.masquerade('masquerade to :40002');
      lab.exec('router', 'ip', 'link', 'set', 'rs', 'down');
      lab.exec('router', 'ip', 'link', 'set', 'rs', 'up');
      await lab.ping('server', TUNNEL.client, { count: 22 }).ended;
      await sleep(4);
      await lab.ping('client', TUNNEL.server, { count: 4 }).ended;
    },
  },
];
