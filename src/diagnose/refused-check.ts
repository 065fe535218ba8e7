/** The check that several refusals of an initiation share: unanswered, and a responder with the known keys refuses it so. */
import type { Attempt } from '../analyze/world.ts';
import type { DropKind } from '../wg/drop.ts';
import { firstInitiation, initiationFrames, keyLabel, refusedAs, subjectOf } from './evidence.ts';
import type { Found } from './rule.ts';

type RefusedFacts = { responder: string; from: string; initiations: number };

export function refusedCheck(kind: DropKind): (attempt: Attempt) => Found<RefusedFacts> | undefined {
  return (attempt) => {
    const { refused, sight } = refusedAs(attempt, kind);
    const from = firstInitiation(attempt)?.from.text;
    if (sight?.mac1.kind !== 'known' || from === undefined) return undefined;
    const responder = keyLabel(sight.mac1.key);
    return {
      facts: { responder, from, initiations: refused.length },
      certainty: 'proven',
      frames: initiationFrames(refused),
      subject: subjectOf(attempt),
      ruledOut: [{ rule: 'wrong-responder-key', because: `MAC1 is right for ${responder}` }],
    };
  };
}
