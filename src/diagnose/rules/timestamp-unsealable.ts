/** The initiator names a key whose private half it does not have. */
import { refusedCheck } from '../refused-check.ts';
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
  check: refusedCheck('timestamp-unsealable'),
  message: ({ responder, from }) =>
    `the initiation from ${from} to ${responder} claims a key that its sender cannot prove: the timestamp does not open`,
});
