/** Two who start at once, and two who share one key. */
import { freshPair, TUNNEL } from '../plan.ts';
import type { Scenario } from '../scenario.ts';
import { everywhere, proven, suspected } from '../truth.ts';

const KNOWS_CLIENT = { serverPeer: { endpoint: '10.99.1.2:51821' } } as const;

export const TWOFOLD: readonly Scenario[] = [
  {
    id: 'both-initiate',
    story:
      'Both sides start within one round trip: the initiations cross, both responses are refused; a later attempt wins.',
    // how often they cross is chance; of five times in a row it warns
    truth: everywhere(proven(['crossing-initiations', null], { info: ['crossing-initiations'] })),
    async run(lab) {
      await lab.impair({ up: 0.15, down: 0.15 });
      await lab.start(freshPair(KNOWS_CLIENT));
      const at = Date.now() / 1000 + 1;
      const server = lab.ping('server', TUNNEL.client, { count: 16, interval: 1.37, at });
      await lab.ping('client', TUNNEL.server, { count: 22, at }).ended;
      await server.ended;
    },
  },
  {
    id: 'both-initiate-twice',
    story: 'On a satellite path the initiations cross twice; then one side has nothing more to say and the other wins.',
    truth: everywhere(proven(['crossing-initiations', null])),
    async run(lab) {
      await lab.impair({ up: 0.4, down: 0.4 });
      await lab.start(freshPair(KNOWS_CLIENT));
      const at = Date.now() / 1000 + 1;
      const server = lab.ping('server', TUNNEL.client, { count: 8, at });
      await lab.ping('client', TUNNEL.server, { count: 20, at }).ended;
      await server.ended;
    },
  },
  {
    id: 'both-initiate-never',
    story:
      'A satellite path and two machines that ping in step: the initiations cross each time, no session ever comes.',
    truth: everywhere(proven(['crossing-initiations'])),
    async run(lab) {
      await lab.impair({ up: 0.4, down: 0.4 });
      await lab.start(freshPair(KNOWS_CLIENT));
      const at = Date.now() / 1000 + 1;
      const server = lab.ping('server', TUNNEL.client, { count: 32, at });
      await lab.ping('client', TUNNEL.server, { count: 32, at }).ended;
      await server.ended;
    },
  },
  {
    id: 'duplicate-client-key',
    story: "The client's configuration was copied to a second machine; both ping, each handshake steals the tunnel.",
    truth: {
      both: proven(['duplicate-identity'], { allowed: ['peer-restarted', 'packet-loss', 'rekey-failed'] }),
      client: suspected(['duplicate-identity', 'peer-restarted', null], { allowed: ['packet-loss', 'peer-restarted'] }),
      server: proven(['duplicate-identity'], { allowed: ['peer-restarted', 'packet-loss'] }),
    },
    async run(lab) {
      lab.addMachine();
      const pair = freshPair();
      await lab.start(pair);
      const first = lab.ping('client', TUNNEL.server, { count: 75 });
      const copy = await lab.second('other', pair.client);
      await lab.ping('other', TUNNEL.server, { count: 72 }).ended;
      await first.ended;
      await copy.stop();
    },
  },
];
