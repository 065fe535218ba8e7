/** The initiator names a key whose private half it does not have. */
import { firstInitiation, initiationFrames, keyLabel, refusedAs, subjectOf } from '../evidence.ts';
import { defineRule } from '../rule.ts';

export const timestampUnsealable = defineRule({
  name: 'timestamp-unsealable',
  severity: 'error',
  on: 'attempt',
  group: 'wire',
  spec: 'wp §5.4.2',
  hides: ['no-response', 'responder-silent'],
  explain: {
    what: 'the static key in the initiation opens, the timestamp under it does not',
    why: 'the timestamp is sealed with the static-static secret: the sender claims a public key that does not belong to its private key, or the message was altered',
    fix: 'derive the public key again from the initiator’s private key (wg pubkey) and compare; suspect an impersonation if the sender is not yours',
  },
  check(attempt) {
    const { refused, sight } = refusedAs(attempt, 'timestamp-unsealable');
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
    `the initiation from ${from} to ${responder} claims a key that its sender cannot prove: the timestamp does not open`,
});
