/** A point of low order: the shared secret is all zero. */
import { refusedCheck } from '../refused-check.ts';
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
  check: refusedCheck('weak-shared-secret'),
  message: ({ responder, from }) =>
    `the initiation from ${from} to ${responder} carries a point of low order: the shared secret would be zero`,
});
