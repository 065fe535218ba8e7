/** The session's ephemeral is known, and no preshared key opens the response. */
import { attemptFrames, firstInitiation, subjectOf } from '../evidence.ts';
import { defineRule } from '../rule.ts';

export const responseUnsealable = defineRule({
  name: 'response-unsealable',
  severity: 'error',
  on: 'attempt',
  group: 'wire',
  spec: 'wp §5.4.3',
  hides: ['session-unconfirmed', 'no-response'],
  explain: {
    what: 'an ephemeral private key of this handshake is known, and the response opens with none of the known preshared keys, nor without one',
    why: 'the response was altered, the key log belongs to another moment, or the preshared key that was used is in none of the files',
    fix: 'hand over both configurations; if the preshared keys are the same there, look for what alters the packets',
  },
  check(attempt) {
    if (attempt.outcome === 'established') return undefined;
    const bad = attempt.exchanges.flatMap(({ views }) =>
      views.flatMap(({ exchange }) =>
        exchange.responses.filter(
          ({ sight }) => sight.ephemeralKnown && sight.tried > 0 && sight.opensWith === undefined,
        ),
      ),
    );
    const first = firstInitiation(attempt);
    const [one] = bad;
    if (one === undefined || first === undefined) return undefined;
    return {
      facts: { tried: one.sight.tried, from: one.seen.from.text, responses: bad.length },
      certainty: 'proven',
      frames: [...bad.map(({ seen }) => seen.at), ...attemptFrames(attempt, 'initiations').slice(0, 4)],
      subject: subjectOf(attempt),
      notes: [
        'what remains: a preshared key that is in none of the files, bytes altered on the way, or a key log of another session',
      ],
      missing: [
        { key: 'the configurations of both ends', wouldSettle: 'whether a preshared key that is not here was used' },
      ],
    };
  },
  message: ({ from, tried }) =>
    tried === 1
      ? `the response from ${from} does not open without a preshared key, and no other is known`
      : `the response from ${from} opens with none of the ${tried} preshared keys that were tried, zero among them`,
});
