/** MAC1 is right, and yet the initiator’s static key does not open. */
import { firstInitiation, initiationFrames, keyLabel, refusedAs, subjectOf } from '../evidence.ts';
import { defineRule } from '../rule.ts';

export const staticUnsealable = defineRule({
  name: 'static-unsealable',
  severity: 'error',
  on: 'attempt',
  group: 'wire',
  spec: 'wp §5.4.2',
  hides: ['no-response', 'responder-silent'],
  explain: {
    what: 'the initiation is for this responder (MAC1 fits), but the encrypted static key in it does not open',
    why: 'whoever wrote it used other inputs than the paper: a changed construction string, a faulty X25519, or bytes altered on the way with MAC1 made anew, as obfuscating proxies do',
    fix: 'look at what stands between the two ends and at the initiator’s implementation: plain WireGuard on both ends does not produce this',
  },
  check(attempt) {
    const { refused, sight } = refusedAs(attempt, 'static-unsealable');
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
    `the initiation from ${from} is for ${responder}, but the static key in it does not open`,
});
