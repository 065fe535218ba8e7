/** Handshake messages vanish between two captures while data of the same flow passes: something tells them apart. */
import { initiationOf, isAnswered } from '../../analyze/world.ts';
import { msBetween } from '../../base/time.ts';
import { firstInitiation, initiationFrames, subjectOf } from '../evidence.ts';
import { defineRule } from '../rule.ts';

/** Data messages of the same sender that arrive while its initiations vanish. */
const PASSING = 3;

export const pathFiltered = defineRule({
  name: 'path-filtered',
  severity: 'warning',
  on: 'attempt',
  group: 'wire',
  explain: {
    what: 'between two captures only messages of certain types or sizes vanish, while others of the same flow pass',
    why: 'deep packet inspection recognises WireGuard handshakes by their first byte and their exact sizes of 148 and 92 bytes',
    fix: 'try from another network; if it works there, the network in between filters WireGuard: an obfuscating transport is the way around',
  },
  check(attempt) {
    const first = firstInitiation(attempt);
    const lost = attempt.exchanges.filter((merged) => !isAnswered(merged) && merged.views.length === 1);
    if (first === undefined || lost.length < 3 || attempt.outcome === 'established') return undefined;
    const here = lost[0]?.views[0]?.timeline;
    const begin = first.at.time;
    const last = lost.at(-1);
    const end = last === undefined ? undefined : initiationOf(last)?.at.time;
    if (here === undefined || end === undefined) return undefined;
    const passing = attempt.tunnel.sessions.filter(({ timeline, session }) => {
      const runs = [session.toInitiator, session.toResponder].flatMap((half) =>
        half?.sender.text === first.from.text ? half.runs.runs : [],
      );
      const inside = runs.filter((run) => msBetween(begin, run.first.time) > 0 && msBetween(run.last.time, end) > 0);
      return timeline !== here && inside.reduce((sum, run) => sum + run.seen, 0) >= PASSING;
    });
    const other = passing[0];
    if (other === undefined) return undefined;
    return {
      facts: { lost: lost.length, missingIn: other.timeline.name, to: first.to.text },
      certainty: 'suspected',
      frames: initiationFrames(lost),
      subject: subjectOf(attempt),
      notes: ['data of the same two ends reaches the other capture in that time'],
    };
  },
  message: ({ lost, missingIn, to }) =>
    `${lost} initiations to ${to} never reach ${missingIn} while data of the same tunnel does: the path filters by type or size`,
});
