/** A point of low order: the shared secret is all zero. */
import type { Attempt } from '../../analyze/world.ts';
import { firstInitiation, initiationFrames, keyLabel, refusedAs, subjectOf } from '../evidence.ts';
import { defineRule, type Found } from '../rule.ts';

export const weakSharedSecret = defineRule({
  name: 'weak-shared-secret',
  severity: 'error',
  on: 'attempt',
  group: 'wire',
  spec: 'RFC 7748 §6.1',
  hides: ['no-response', 'responder-silent', 'session-unconfirmed', 'psk-mismatch'],
  ofPair: true,
  explain: {
    what: 'a Diffie-Hellman result of the handshake is all zero, because a public key is a point of low order',
    why: 'every careful implementation refuses such a handshake: it would use a secret that anybody knows',
    fix: 'no healthy implementation sends this: look for a broken random number generator, a key of zeros, or an attack',
  },
  check(attempt) {
    const found = ofInitiation(attempt) ?? ofResponse(attempt);
    return found === undefined ? undefined : { ...found, subject: subjectOf(attempt) };
  },
  message: ({ message, to, from }) =>
    `the ${message} from ${from} to ${to} carries a point of low order: the shared secret would be zero`,
});

type WeakFacts = { message: 'initiation' | 'response'; from: string; to: string; messages: number };
type Weak = Omit<Found<WeakFacts>, 'subject'>;

function ofInitiation(attempt: Attempt): Weak | undefined {
  const { refused, sight } = refusedAs(attempt, 'weak-shared-secret');
  const from = firstInitiation(attempt)?.from.text;
  if (sight?.mac1.kind !== 'known' || from === undefined) return undefined;
  const to = keyLabel(sight.mac1.key);
  return {
    facts: { message: 'initiation', from, to, messages: refused.length },
    certainty: 'proven',
    frames: initiationFrames(refused),
    ruledOut: [{ rule: 'wrong-responder-key', because: `MAC1 is right for ${to}` }],
  };
}

function ofResponse(attempt: Attempt): Weak | undefined {
  if (attempt.outcome === 'established') return undefined;
  const weak = attempt.exchanges.flatMap(({ views }) =>
    views.flatMap(({ exchange }) =>
      exchange.responses.filter(
        ({ sight: { verdict } }) => verdict.kind === 'refused' && verdict.drop.kind === 'weak-shared-secret',
      ),
    ),
  );
  const [one] = weak;
  if (one === undefined) return undefined;
  return {
    facts: { message: 'response', from: one.seen.from.text, to: one.seen.to.text, messages: weak.length },
    certainty: 'proven',
    frames: weak.map(({ seen }) => seen.at),
  };
}
