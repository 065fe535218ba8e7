/** An end that was heard before is silent now, and only its last address is known: it may simply be off. */
import type { FrameId } from '../../analyze/timeline.ts';
import type { Attempt, Tunnel, World } from '../../analyze/world.ts';
import { asksLearnedEndpoint, secondsOf, targetOf } from '../data-evidence.ts';
import { attemptFrames, attemptSeconds, firstInitiation, hasIcmp, tunnelSubject, unanswered } from '../evidence.ts';
import { defineRule } from '../rule.ts';
import { atTarget, livesElsewhere, meaningful, refusals, silentMs } from '../silence-evidence.ts';

interface Gone {
  readonly target: string;
  readonly packets: number;
  readonly initiations: number;
  readonly seconds: number;
  readonly frames: readonly FrameId[];
}

export const peerWentAway = defineRule({
  name: 'peer-went-away',
  severity: 'info',
  on: 'tunnel',
  group: 'wire',
  spec: 'wp §6.5',
  explain: {
    what: 'data or initiations to an address that was learned from the peer’s own packets stay unanswered, and the peer shows no sign of life any more',
    why: 'WireGuard has no goodbye: a peer that is switched off, asleep or in another network just stops answering; the side that knows only its last address cannot find it',
    fix: 'nothing, if that peer may be off; it comes back when it sends something itself. If it should be reachable, see whether it is up, and PersistentKeepalive = 25 on it if it is behind a NAT',
  },
  check(tunnel, world) {
    const gone = bySilence(tunnel, world) ?? byAttempt(tunnel);
    if (gone === undefined) return undefined;
    const { target, packets, initiations, seconds, frames } = gone;
    return {
      facts: { target, packets, initiations, seconds },
      certainty: 'suspected',
      frames,
      subject: tunnelSubject(tunnel),
      notes: ['a path or a NAT that no longer leads to it looks the same from here'],
      missing: [{ key: `a capture at ${target} at the same time`, wouldSettle: 'whether it is alive' }],
    };
  },
  message: ({ target, packets, initiations, seconds }) =>
    `${[packets > 0 ? `${packets} data packet${packets === 1 ? '' : 's'}` : '', initiations > 0 ? `${initiations} initiation${initiations === 1 ? '' : 's'}` : ''].filter((part) => part !== '').join(' and ')} to ${target} within ${seconds} s stayed unanswered to the end: the peer has gone, it may simply be off`,
  fix: ({ target }) => ({
    linux: [
      'wg show wg0 latest-handshakes; wg show wg0 endpoints',
      `on the peer seen as ${target}: ping 10.x.y.z through the tunnel, and watch whether it comes back`,
    ],
    routeros: ['/interface wireguard peers print detail where last-handshake>3m'],
  }),
});

function bySilence(tunnel: Tunnel, world: World): Gone | undefined {
  for (const each of tunnel.silences) {
    const { silence, timeline } = each;
    if (silence.end !== undefined || !meaningful(each) || atTarget(each) || targetOf(silence, timeline) !== 'learned')
      continue;
    if (refusals(silence).length > 0 || livesElsewhere(each, tunnel, world)) continue;
    return {
      target: silence.target.text,
      packets: silence.packets,
      initiations: silence.initiationCount,
      seconds: secondsOf(silentMs(each)),
      frames: [...(silence.heardBefore === undefined ? [] : [silence.heardBefore]), ...silence.frames],
    };
  }
  return undefined;
}

/** Without data only initiations show it: each capture must know nothing of a later session. */
function byAttempt(tunnel: Tunnel): Gone | undefined {
  const attempt = tunnel.attempts.findLast((each: Attempt) => each.outcome === 'failed');
  const first = attempt === undefined ? undefined : firstInitiation(attempt);
  if (attempt === undefined || first === undefined || !asksLearnedEndpoint(attempt) || hasIcmp(attempt))
    return undefined;
  if (unanswered(attempt).length < attempt.exchanges.length) return undefined;
  // the other end goes on trying: it is there
  if (tunnel.attempts.some((other) => other.initiator !== attempt.initiator && other.outcome === 'failed'))
    return undefined;
  const captures = new Set(attempt.exchanges.flatMap(({ views }) => views.map(({ timeline }) => timeline)));
  const heard = tunnel.sessions.some(({ session, timeline }) =>
    [session.toInitiator, session.toResponder].some(
      (half) =>
        half !== undefined &&
        captures.has(timeline) &&
        half.sender.text === first.to.text &&
        half.last.time.sec > first.at.time.sec,
    ),
  );
  if (heard) return undefined;
  return {
    target: first.to.text,
    packets: 0,
    initiations: attempt.exchanges.length,
    seconds: attemptSeconds(attempt),
    frames: attemptFrames(attempt),
  };
}
