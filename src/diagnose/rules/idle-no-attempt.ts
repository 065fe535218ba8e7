/** Captures that were running, configurations that fit, and not a single attempt: there was nothing to send. */
import { messageCount } from '../capture-evidence.ts';
import { defineRule } from '../rule.ts';

export const idleNoAttempt = defineRule({
  name: 'idle-no-attempt',
  severity: 'info',
  on: 'files',
  group: 'capture',
  hides: ['initiation-never-arrives'],
  explain: {
    what: 'the captures hold no WireGuard message at all, not even an initiation',
    why: 'WireGuard is silent until there is data for a peer: without traffic into the tunnel, without PersistentKeepalive, or without an Endpoint on either end, nobody begins',
    fix: 'send something into the tunnel while the capture runs (ping the other end’s tunnel address); see that one end has an Endpoint and that AllowedIPs cover the destination',
  },
  check({ timelines, keys }) {
    if (
      timelines.length < 2 ||
      keys.confs.length === 0 ||
      timelines.some((t) => messageCount(t) > 0 || t.damage.length > 0)
    )
      return undefined;
    if (timelines.some(({ variants, foreign }) => variants.size + foreign.size > 0)) return undefined;
    const ends = keys.confs.filter(({ conf }) => conf.peers.some((peer) => peer.endpoint !== undefined));
    return {
      facts: { captures: timelines.map(({ name }) => name), endpoints: ends.map(({ name }) => name) },
      certainty: 'suspected',
      frames: [],
      subject: 'files',
      notes: ends.length === 0 ? ['neither configuration has an Endpoint: neither end knows where to begin'] : [],
    };
  },
  message: ({ captures }) =>
    `${captures.join(' and ')} hold no WireGuard message: nobody had anything to send, or nobody knows where to send it`,
});
