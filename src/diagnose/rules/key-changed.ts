/** A tunnel worked with one key, and fails with another from a moment on. */

import { isAnswered, type World } from '../../analyze/world.ts';
import { toBase64 } from '../../base/base64.ts';
import type { PublicKey } from '../../base/keys.ts';
import { firstInitiation, initiationFrames, keyName, sightAtResponder, subjectOf } from '../evidence.ts';
import { defineRule } from '../rule.ts';

export const keyChanged = defineRule({
  name: 'key-changed',
  severity: 'warning',
  on: 'attempt',
  group: 'wire',
  fromSilence: true,
  explain: {
    what: 'the tunnel worked with one key earlier in the capture, and its later, unanswered initiations use another',
    why: 'keys were made anew on one end, and the other end was not told',
    fix: 'put the new public key into the other end’s [Peer], or go back to the old private key',
  },
  check(attempt, world) {
    const now = attempt.exchanges[0] === undefined ? undefined : sightAtResponder(attempt.exchanges[0]);
    const before = attempt.before === undefined ? undefined : sightAtResponder(attempt.before);
    const first = firstInitiation(attempt);
    // one that was altered on the way was made for the same key
    if (
      now === undefined ||
      now.alteredFor !== undefined ||
      before === undefined ||
      first === undefined ||
      attempt.exchanges.some(isAnswered)
    )
      return undefined;
    if (attempt.before?.views[0]?.exchange.initiatorName !== attempt.exchanges[0]?.views[0]?.exchange.initiatorName)
      return undefined;
    const ownerChanged =
      before.mac1.kind !== 'untried' && now.mac1.kind !== 'untried' && ownerOf(before.mac1) !== ownerOf(now.mac1);
    const identityChanged =
      before.identity !== undefined &&
      now.identity !== undefined &&
      toBase64(before.identity) !== toBase64(now.identity);
    if (!ownerChanged && !identityChanged) return undefined;
    const name = (mac1: typeof now.mac1): string =>
      mac1.kind === 'known' ? keyName(world, mac1.key.key) : 'a key that is not here';
    return {
      facts: {
        which: ownerChanged ? 'responder' : 'initiator',
        before: ownerChanged ? name(before.mac1) : nameOf(world, before.identity),
        now: ownerChanged ? name(now.mac1) : nameOf(world, now.identity),
        from: first.from.text,
      },
      certainty: 'proven',
      frames: [
        ...initiationFrames(attempt.before === undefined ? [] : [attempt.before]),
        ...initiationFrames(attempt.exchanges),
      ],
      subject: subjectOf(attempt),
    };
  },
  message: ({ which, before, now, from }) =>
    which === 'responder'
      ? `${from} made its initiations for ${before} while the tunnel worked, and now makes them for ${now}`
      : `the initiator showed ${before} while the tunnel worked, and now shows ${now}`,
});

function ownerOf(mac1: { kind: string; key?: { text: string } }): string {
  return mac1.key?.text ?? mac1.kind;
}

function nameOf(world: World, key: PublicKey | undefined): string {
  return key === undefined ? 'a key that is not here' : keyName(world, key);
}
