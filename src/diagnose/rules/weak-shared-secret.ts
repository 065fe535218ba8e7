/** A point of low order: the shared secret is all zero. */
import { firstInitiation, initiationFrames, keyLabel, refusedAs, subjectOf } from '../evidence.ts';
import { defineRule } from '../rule.ts';

export const weakSharedSecret = defineRule({
  name: 'weak-shared-secret',
  severity: 'error',
  on: 'attempt',
  group: 'wire',
  spec: 'RFC 7748 §6.1',
  hides: ['no-response', 'responder-silent'],
  explain: {
    what: 'a Diffie-Hellman result of the handshake is all zero, because a public key is a point of low order',
    why: 'every careful implementation refuses such a handshake: it would use a secret that anybody knows',
    fix: 'no healthy implementation sends this: look for a broken random number generator, a key of zeros, or an attack',
  },
  check(attempt) {
    const { refused, sight } = refusedAs(attempt, 'weak-shared-secret');
    const from = firstInitiation(attempt)?.from.text;
    if (sight?.mac1.kind !== 'known' || from === undefined) return undefined;
    return {
      facts: { responder: keyLabel(sight.mac1.key), from, initiations: refused.length },
      certainty: 'proven',
      frames: initiationFrames(refused),
      subject: subjectOf(attempt),
      ruledOut: [{ rule: 'wrong-responder-key', because: `MAC1 is right for ${keyLabel(sight.mac1.key)}` }],
    };
  },
  message: ({ responder, from }) =>
    `the initiation from ${from} to ${responder} carries a point of low order: the shared secret would be zero`,
});
