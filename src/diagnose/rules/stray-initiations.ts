/** Initiations of somebody who is no initiator: an open port hears such things. */
import { initiationOf } from '../../analyze/world.ts';
import { initiationFrames } from '../evidence.ts';
import { defineRule } from '../rule.ts';

export const strayInitiations = defineRule({
  name: 'stray-initiations',
  severity: 'info',
  on: 'files',
  group: 'wire',
  spec: 'wp §6.4',
  explain: {
    what: 'initiations that no known key fits, that nothing answers, and whose sender does not try again after five seconds',
    why: 'scanners send to every open port; whoever wants a tunnel tries again every five seconds with a new ephemeral, so nobody waits for an answer here',
    fix: 'nothing has to be done: WireGuard stays silent to whoever does not know its public key',
  },
  check(world) {
    return world.noise.flatMap(({ exchanges }) => {
      const asked = exchanges.filter((merged) => initiationOf(merged) !== undefined);
      const [first] = asked;
      const seen = first === undefined ? undefined : initiationOf(first);
      if (first === undefined || seen === undefined) return [];
      return [
        {
          facts: { from: seen.from.text, to: seen.to.text, initiations: asked.length },
          certainty: 'deduced' as const,
          frames: initiationFrames(asked),
          subject: `handshake:${first.id}`,
        },
      ];
    });
  },
  message: ({ from, to, initiations }) =>
    `${initiations} initiation${initiations === 1 ? '' : 's'} from ${from} to ${to} ${initiations === 1 ? 'is' : 'are'} of nobody who waits for an answer, as a scanner sends them: no known key fits, and nothing is tried again after five seconds`,
});
