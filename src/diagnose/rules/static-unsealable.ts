/** MAC1 is right, and yet the initiator’s static key does not open. */
import { refusedCheck } from '../refused-check.ts';
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
  check: refusedCheck('static-unsealable'),
  message: ({ responder, from }) =>
    `the initiation from ${from} is for ${responder}, but the static key in it does not open`,
});
