/** Handshake messages vanish between two captures while data of the same flow passes: something tells them apart. */
import type { Run } from '../../analyze/counter-runs.ts';
import { endNames, halfPairs } from '../../analyze/session-pairs.ts';
import { initiationOf, isAnswered } from '../../analyze/world.ts';
import { msBetween, type Time } from '../../base/time.ts';
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
  check(attempt, world) {
    const first = firstInitiation(attempt);
    const lost = attempt.exchanges.filter((merged) => !isAnswered(merged) && merged.views.length === 1);
    if (first === undefined || lost.length < 3 || attempt.outcome === 'established') return undefined;
    const here = lost[0]?.views[0]?.timeline;
    const last = lost.at(-1);
    const begin = lost[0] === undefined ? undefined : initiationOf(lost[0])?.at.time;
    const end = last === undefined ? undefined : initiationOf(last)?.at.time;
    if (here === undefined || begin === undefined || end === undefined) return undefined;
    if (lost.some(({ views }) => views[0]?.timeline !== here)) return undefined;
    const asker = lost[0]?.views[0]?.exchange.initiatorName;
    const other = halfPairs(attempt.tunnel, world).find(({ sent, received }) => {
      if (sent.view.timeline !== here || endNames(sent).sender !== asker) return false;
      const there = (time: Time): Time =>
        world.translate(time, here.capture, received.view.timeline.capture)?.time ?? time;
      return seenBetween(received.half.runs.runs, there(begin), there(end)) >= PASSING;
    })?.received.view;
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

/** Of a run that reaches beyond the two moments, a share as if it were evenly spread. */
function seenBetween(runs: readonly Run[], begin: Time, end: Time): number {
  let sum = 0;
  for (const { first, last, seen } of runs) {
    const lasts = Math.max(1, msBetween(first.time, last.time));
    const before = Math.max(0, msBetween(first.time, begin));
    const after = Math.max(0, msBetween(end, last.time));
    sum += seen * Math.max(0, 1 - (before + after) / lasts);
  }
  return sum;
}
