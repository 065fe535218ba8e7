/** The responder answers, and still no session comes of it. */
import { freshPair, newPresharedKey, TUNNEL } from '../plan.ts';
import type { Scenario } from '../scenario.ts';
import { deduced, proven, suspected, wellWith } from '../truth.ts';

/** What a responder sees whose answers are of no use, whatever the reason. */
const UNCONFIRMED = ['session-unconfirmed', 'psk-mismatch', 'response-lost-on-path'] as const;
const SECOND_ADDRESS = `chain out { type filter hook postrouting priority 0;
  udp sport 51820 ip saddr 203.0.113.10 ip saddr set 203.0.113.11
}`;
const STATEFUL = `chain input { type filter hook input priority 0;
  ct state established,related accept
  iifname "c" meta l4proto udp drop
}`;

export const ANSWERED: readonly Scenario[] = [
  {
    id: 'psk-one-side',
    story: 'Only the server has a preshared key: responses arrive, the empty AEAD fails at the client.',
    truth: {
      both: deduced(['psk-mismatch'], { allowed: ['psk-differs'] }),
      client: suspected(['psk-mismatch'], { allowed: ['psk-differs'] }),
      server: deduced(['session-unconfirmed', 'psk-mismatch'], { allowed: ['psk-differs'] }),
    },
    async run(lab) {
      await lab.start(freshPair({ serverPeer: { presharedKey: newPresharedKey() } }));
      await lab.ping('client', TUNNEL.server, { count: 14 }).ended;
    },
  },
  {
    id: 'client-firewall-drops-response',
    story: "The client's own firewall drops each response behind the capture point; both files hold the same keys.",
    truth: {
      both: deduced(['session-unconfirmed', 'psk-mismatch']),
      client: suspected(['psk-mismatch', 'session-unconfirmed']),
      server: deduced(['session-unconfirmed', 'psk-mismatch', 'response-lost-on-path']),
    },
    async run(lab) {
      lab.nft('client', 'chain input { type filter hook input priority 0; udp dport 51821 drop\n}');
      await lab.start(freshPair());
      await lab.ping('client', TUNNEL.server, { count: 14 }).ended;
    },
  },
  {
    id: 'late-response',
    story: 'The way back takes six seconds: each response comes after the client has started over with a new index.',
    truth: {
      both: proven(['response-late']),
      client: proven(['response-late']),
      server: deduced(['session-unconfirmed', 'response-late', 'psk-mismatch', 'response-lost-on-path']),
    },
    async run(lab) {
      await lab.impair({ down: 6 });
      await lab.start(freshPair());
      await lab.ping('client', TUNNEL.server, { count: 24 }).ended;
    },
  },
  {
    id: 'corrupted-response',
    story: "A box in the path changes one byte of the response's ephemeral and keeps the UDP checksum right.",
    truth: {
      both: proven(['modified-in-transit']),
      client: deduced(['modified-in-transit', 'no-response']),
      server: deduced([...UNCONFIRMED, 'modified-in-transit']),
    },
    async run(lab) {
      await lab.impair({ flip: '92:20:1' });
      await lab.start(freshPair());
      await lab.ping('client', TUNNEL.server, { count: 14 }).ended;
    },
  },
  {
    id: 'multihomed-reply',
    story:
      "The server answers from its second address; the client's stateful firewall drops that, the capture shows it.",
    truth: {
      both: deduced(['reply-from-other-address']),
      client: deduced(['reply-from-other-address']),
      server: deduced(['reply-from-other-address', 'session-unconfirmed']),
    },
    async run(lab) {
      lab.address('server', 's', '203.0.113.11/24');
      lab.nft('server', SECOND_ADDRESS);
      lab.nft('client', STATEFUL);
      await lab.start(freshPair());
      await lab.ping('client', TUNNEL.server, { count: 14 }).ended;
    },
  },
  {
    id: 'multihomed-reply-accepted',
    story: 'The server answers from its second address and nothing filters: the client takes it and follows.',
    truth: {
      both: wellWith('reply-from-other-address'),
      client: wellWith('reply-from-other-address'),
      server: wellWith('reply-from-other-address'),
    },
    async run(lab) {
      lab.address('server', 's', '203.0.113.11/24');
      lab.nft('server', SECOND_ADDRESS);
      await lab.start(freshPair());
      await lab.ping('client', TUNNEL.server, { count: 5 }).ended;
    },
  },
  {
    id: 'multihomed-reply-nat',
    story:
      'The server answers from its second address; the NAT in front of the client knows no such flow and rejects it.',
    truth: {
      both: deduced(['reply-from-other-address', 'response-lost-on-path'], { allowed: ['icmp-unreachable'] }),
      client: deduced(['no-response']),
      server: proven(['reply-from-other-address', 'icmp-unreachable', 'session-unconfirmed'], {
        allowed: ['icmp-unreachable', 'session-unconfirmed'],
      }),
    },
    async run(lab) {
      lab.masquerade();
      lab.address('server', 's', '203.0.113.11/24');
      lab.nft('server', SECOND_ADDRESS);
      await lab.start(freshPair());
      await lab.ping('client', TUNNEL.server, { count: 14 }).ended;
    },
  },
];
