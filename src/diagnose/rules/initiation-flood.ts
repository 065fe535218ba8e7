/** Initiations of one peer closer together than a responder takes them. */
import { initiationFrames, keyLabel, refusedAs, subjectOf } from '../evidence.ts';
import { defineRule } from '../rule.ts';

export const initiationFlood = defineRule({
  name: 'initiation-flood',
  severity: 'warning',
  on: 'attempt',
  group: 'wire',
  spec: 'wp §5.3',
  explain: {
    what: 'two different initiations of one peer arrived within 20 milliseconds',
    why: 'the kernel and wireguard-go take at most 50 initiations a second of each peer and drop the rest',
    fix: 'look for two devices with one key, or a program that restarts its tunnel in a loop',
  },
  check(attempt) {
    const { refused, sight } = refusedAs(attempt, 'initiation-flood');
    const drop = sight?.verdict.kind === 'refused' ? sight.verdict.drop : undefined;
    if (drop?.kind !== 'initiation-flood' || sight?.mac1.kind !== 'known') return undefined;
    return {
      facts: { gapMs: Math.round(drop.gapMs * 10) / 10, dropped: refused.length, responder: keyLabel(sight.mac1.key) },
      certainty: 'proven',
      frames: initiationFrames(refused),
      subject: subjectOf(attempt),
    };
  },
  message: ({ gapMs, dropped, responder }) =>
    `${dropped} initiation${dropped === 1 ? '' : 's'} to ${responder} came ${gapMs} ms after one it had just accepted: less than 20 ms is dropped as a flood`,
});
