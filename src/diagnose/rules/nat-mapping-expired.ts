/** A NAT has forgotten the end behind it: packets to its outer address reach nobody until it speaks of itself. */

import type { World } from '../../analyze/world.ts';
import { addressOf, secondsOf, targetName, targetOf } from '../data-evidence.ts';
import { spanText, tunnelSubject } from '../evidence.ts';
import { endNamed } from '../inner-evidence.ts';
import { keepaliveDoubt, keepaliveSet, natTimeout, timeoutNote } from '../nat-timeout.ts';
import { type Certainty, defineRule, type RuledOut } from '../rule.ts';
import {
  atTarget,
  hostRefuses,
  meaningful,
  moments,
  type OtherSide,
  otherSide,
  refusals,
  silentMs,
  type TunnelSilence,
} from '../silence-evidence.ts';

/** No NAT forgets a UDP mapping sooner (RFC 4787 REQ-5 asks for two minutes; ten seconds occur). */
const LEAST_IDLE_MS = 10_000;

export const natMappingExpired = defineRule({
  name: 'nat-mapping-expired',
  severity: 'error',
  on: 'tunnel',
  group: 'wire',
  spec: 'RFC 4787 §4.3, wp §6.5',
  hides: ['peer-restarted', 'packet-loss', 'no-response'],
  explain: {
    what: 'after a pause, packets to the outer address of an end behind a NAT stay unanswered or are refused, until that end sends something itself',
    why: 'a NAT keeps a UDP mapping for 10 to 180 seconds without traffic; WireGuard is silent when idle, so the mapping expires and the other end writes to an address that leads nowhere',
    fix: 'PersistentKeepalive on the end behind the NAT, not on the other one: 25 seconds, less where the NAT forgets sooner',
  },
  check(tunnel, world) {
    for (const each of tunnel.silences) {
      const { silence, timeline } = each;
      if (!meaningful(each) || atTarget(each) || targetOf(silence, timeline) !== 'learned') continue;
      // it came back from another network: endpoint-roamed
      if (silence.end !== undefined && addressOf(silence.end.from.text) !== addressOf(silence.target.text)) continue;
      // an answer to what was sent: it did arrive
      if (silence.end?.kind === 'response' || silence.end?.kind === 'cookie-reply') continue;
      const signs = signsOf(each, otherSide(each, tunnel, world), world);
      const certainty = judge(signs);
      if (certainty === undefined) continue;
      // a lossy path swallows a burst, or the one keepalive that answers it, by chance
      if (!signs.refused && !signs.otherPort && moments(silence) < LEAST_MOMENTS) continue;
      const { side } = signs;
      const timeout = natTimeout(silence, tunnel.silences);
      const behind = endNamed(targetName(silence), timeline, tunnel, world);
      const asker = endNamed(silence.senderName, timeline, tunnel, world);
      const { note, edits } = keepaliveSet(behind, asker, timeout);
      const idle = signs.idle ? [timeoutNote(timeout)] : [];
      return {
        facts: {
          target: silence.target.text,
          sender: silence.sender.text,
          idleSeconds: secondsOf(silence.idleMs),
          idle: spanText(silence.idleMs),
          silentSeconds: secondsOf(silentMs(each)),
          packets: silence.packets,
          initiations: silence.initiationCount,
          refused: signs.refused,
          lost: side?.lost ?? 0,
          endedBy: silence.end?.from.text ?? null,
          certain: certainty !== 'suspected',
          forgetsWithinSeconds: signs.idle ? timeout.within : null,
          forgetsNotBeforeSeconds: signs.idle && timeout.over > 0 ? timeout.over : null,
          keepalive: signs.idle ? timeout.keepalive : 25,
          doubt: signs.idle ? keepaliveDoubt(timeout) : '',
          key: asker.key?.text ?? 'PUBLIC_KEY_OF_THE_OTHER_END',
        },
        certainty,
        ...(certainty === 'suspected' && silence.end === undefined ? { severity: 'warning' as const } : {}),
        frames: [
          ...(silence.heardBefore === undefined ? [] : [silence.heardBefore]),
          ...silence.frames,
          ...silence.icmp.slice(0, 4).map(({ at }) => at),
          ...(silence.end === undefined ? [] : [silence.end.at]),
        ],
        subject: tunnelSubject(tunnel),
        notes: [...notesOf(each, signs, certainty), ...idle, ...(note === undefined ? [] : [note])],
        edits: certainty === 'suspected' ? [] : edits,
        ruledOut: ruledOut(each, signs),
        ...(side === undefined
          ? {
              missing: [
                {
                  key: `a capture at ${silence.target.text} at the same time`,
                  wouldSettle: 'whether it was alive and received nothing',
                },
              ],
            }
          : {}),
      };
    }
    return undefined;
  },
  message({ target, idle, packets, initiations, refused, endedBy, certain }) {
    const sent = `${packets} data packet${packets === 1 ? '' : 's'}${initiations > 0 ? ` and ${initiations} initiation${initiations === 1 ? '' : 's'}` : ''}`;
    const fate = refused ? 'were refused' : 'stayed unanswered';
    const until =
      endedBy === null ? '' : endedBy === target ? ', until it spoke of itself' : `, until it spoke from ${endedBy}`;
    return `${sent} to ${target} ${fate} after ${idle} without traffic${until}: ${certain ? 'the NAT in front of it had forgotten the mapping' : 'a NAT in front of it may have forgotten the mapping'}`;
  },
  fix: ({ target, keepalive, key, doubt }) => ({
    linux: [
      `behind the NAT (the end seen as ${target}): wg set wg0 peer ${key} persistent-keepalive ${keepalive}${doubt}`,
      `and PersistentKeepalive = ${keepalive} under [Peer] in its wg0.conf`,
    ],
    routeros: [
      `behind the NAT: /interface wireguard peers set [find public-key="${key}"] persistent-keepalive=${keepalive}s`,
      'the router that translates: /ip firewall connection tracking print shows udp-timeout and udp-stream-timeout',
    ],
  }),
});

interface Signs {
  readonly idle: boolean;
  /** It came back from another port of the same address. */
  readonly otherPort: boolean;
  /** It came back with data of the session it had before: it had lost nothing. */
  readonly sameSession: boolean;
  readonly refused: boolean;
  readonly side: OtherSide | undefined;
  readonly translated: boolean;
}

/** Separate moments at which packets vanished before that is more than chance. */
const LEAST_MOMENTS = 4;

function signsOf(each: TunnelSilence, side: OtherSide | undefined, world: World): Signs {
  const { silence, timeline } = each;
  const { end, target } = silence;
  const refused = refusals(silence).length > 0 && (side?.translated === true || !hostRefuses(each, world));
  return {
    idle: silence.idleMs >= LEAST_IDLE_MS,
    otherPort:
      end !== undefined && end.from.text !== target.text && addressOf(end.from.text) === addressOf(target.text),
    sameSession: end?.kind === 'data',
    refused,
    side,
    translated: side?.translated === true || timeline.duplicates.nat.has(target.text),
  };
}

/** Without a pause it must be a NAT that was restarted: then nearly everything has to be seen. */
function judge({ idle, otherPort, sameSession, refused, side, translated }: Signs): Certainty | undefined {
  // it got what was sent: no NAT lost it
  if (side !== undefined && side.arrived > 0) return undefined;
  // it has the same address in both captures: there is no NAT
  if (side !== undefined && !translated && !otherPort) return undefined;
  const lostThere = side !== undefined && side.lost > 0 && translated;
  if (lostThere && (idle || otherPort || refused)) return 'deduced';
  if (otherPort && (idle || (refused && sameSession))) return 'deduced';
  if (refused && idle && (sameSession || translated)) return 'deduced';
  return idle ? 'suspected' : undefined;
}

function notesOf({ silence }: TunnelSilence, signs: Signs, certainty: Certainty): string[] {
  const notes: string[] = [];
  if (signs.side?.translated === true)
    notes.push('the two captures show this end with different addresses: there is a NAT between them');
  if (signs.side !== undefined && signs.side.lost > 0)
    notes.push(`its own capture was running and holds none of ${signs.side.lost} of these packets`);
  if (signs.otherPort) notes.push('it came back from another port of the same address: the NAT made a new mapping');
  if (signs.refused)
    notes.push(
      `${addressOf(silence.target.text)} answers “port unreachable”, and it had sent authentic packets before`,
    );
  if (certainty === 'suspected')
    notes.push('a peer that was switched off, asleep or without network for that time looks the same');
  return notes;
}

function ruledOut({ silence }: TunnelSilence, { sameSession, side }: Signs): RuledOut[] {
  const out: RuledOut[] = [];
  if (sameSession && silence.end !== undefined) {
    out.push({
      rule: 'peer-restarted',
      because: 'it went on with the session it had before',
      frames: [silence.end.at],
    });
  }
  if (silence.end !== undefined || side !== undefined) {
    out.push({
      rule: 'peer-went-away',
      because: silence.end === undefined ? 'its own capture was running' : 'it was heard again later',
    });
  }
  return out;
}
