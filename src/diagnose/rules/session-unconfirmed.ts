/** Every initiation is answered, and no session ever begins: the vague parent of a lost response and of a PSK mismatch. */

import type { MergedExchange } from '../../analyze/merge.ts';
import { initiationOf, isAnswered, SILENCE_AFTER_MS } from '../../analyze/world.ts';
import { msBetween } from '../../base/time.ts';
import { captureOtherEnd } from '../advice.ts';
import { onlyCrossings } from '../crossings.ts';
import { attemptFrames, firstInitiation, spanText, subjectOf, vantages, workedBefore } from '../evidence.ts';
import { defineRule } from '../rule.ts';

export const sessionUnconfirmed = defineRule({
  name: 'session-unconfirmed',
  severity: 'error',
  on: 'attempt',
  group: 'wire',
  fromSilence: true,
  spec: 'wp §5.4.3',
  explain: {
    what: 'each new initiation is answered, and no data ever comes for the index of the answer',
    why: 'either the response does not reach the initiator, or the initiator refuses it: with different preshared keys it opens nothing and is dropped without a word',
    fix: 'capture at the initiator: if the response arrives there, compare the preshared keys; if not, look at the way back',
  },
  check(attempt) {
    const first = firstInitiation(attempt);
    const answered = attempt.exchanges.filter(isAnswered);
    if (first === undefined || answered.length === 0 || onlyCrossings(attempt)) return undefined;
    const seenAt = vantages(attempt);
    const atInitiator = seenAt.has('initiator');
    const before = workedBefore(attempt);
    const retried = asksAgainSoon(answered);
    return {
      facts: {
        initiations: attempt.exchanges.length,
        answers: answered.length,
        from: first.from.text,
        port: first.from.port,
        atInitiator,
        workedBefore: before !== undefined,
        retried,
      },
      certainty: atInitiator || seenAt.has('unknown') || !retried ? 'suspected' : 'deduced',
      frames: attemptFrames(attempt),
      subject: subjectOf(attempt),
      notes: [
        atInitiator
          ? 'the responses reach the initiator’s capture: a firewall behind it, a wrong checksum, or a preshared key that differs from the files'
          : 'a response that is lost on the way back and a preshared key that differs look the same from this end, in the counters as well',
        ...(atInitiator || retried
          ? []
          : ['its first data may be lost on the way here as well: it did not ask again within 6 s of any answer']),
        ...(before === undefined
          ? []
          : [
              `a session of these two began ${spanText(before)} earlier: the preshared keys were the same then, so one was changed since, or none is to blame`,
            ]),
      ],
      ruledOut: [
        {
          rule: 'unknown-initiator',
          because: 'the responder answers: key, peer and timestamp are right',
          frames: attemptFrames(attempt).slice(0, 2),
        },
        ...(retried && !atInitiator
          ? [
              {
                rule: 'path-filtered',
                because: 'it asks again after 5 s, as one that took no answer does: its data is not what is lost',
              },
            ]
          : []),
      ],
      missing: [
        ...(atInitiator
          ? []
          : [
              {
                key: 'a capture at the initiator',
                wouldSettle: 'whether the responses arrive (then it is the preshared key) or not (then it is the path)',
              },
            ]),
        {
          key: 'the initiator’s configuration, or its key log',
          wouldSettle: 'whether the preshared keys are the same',
        },
      ],
    };
  },
  message: ({ answers, from, atInitiator, workedBefore, retried }) => {
    if (atInitiator) return `${answers} response${answers === 1 ? '' : 's'} reached ${from}, and it never used one`;
    const cause = workedBefore
      ? ['it no longer gets them', 'a preshared key was changed']
      : ['it does not get them', 'the preshared keys differ'];
    const why = (retried ? cause : [...cause, 'its data does not arrive here']).join(', or ');
    return `the responder answered ${answers} initiation${answers === 1 ? '' : 's'} of ${from}, which never used an answer: ${why}`;
  },
  fix: ({ port }) => {
    const advice = captureOtherEnd({ port: Number(port) });
    return {
      linux: [
        ...advice.linux,
        'compare PresharedKey in both [Peer] sections: the same line on both ends, or on neither',
      ],
      routeros: [
        ...advice.routeros,
        'compare preshared-key of both peers: /interface wireguard peers print detail show-sensitive',
      ],
    };
  },
});

/** Whoever takes an answer stops its retries, which come every REKEY_TIMEOUT: one that goes on took none (wp §6.4). */
function asksAgainSoon(answered: readonly MergedExchange[]): boolean {
  const times = answered.map((merged) => initiationOf(merged)?.at.time);
  return times.some((time, i) => {
    const next = times[i + 1];
    return time !== undefined && next !== undefined && msBetween(time, next) <= SILENCE_AFTER_MS;
  });
}
