/** Nobody answered: the vague finding that every sharper one replaces. */

import { captureOtherEnd } from '../advice.ts';
import {
  attemptSeconds,
  initiationFrames,
  keyLabel,
  sightAtResponder,
  subjectOf,
  unheard,
  vantages,
} from '../evidence.ts';
import { defineRule } from '../rule.ts';

export const noResponse = defineRule({
  name: 'no-response',
  severity: 'error',
  on: 'attempt',
  group: 'wire',
  fromSilence: true,
  spec: 'wp §6.4',
  explain: {
    what: 'initiations leave every five seconds and nothing comes back: no response, no cookie, no ICMP error',
    why: 'WireGuard is silent by design: a lost packet, a firewall, a wrong key, an unknown peer and a replayed timestamp all look the same from here',
    fix: 'capture on the other end as well, or hand over the responder’s configuration: with both, the finding becomes a sharper one',
  },
  check(attempt, world) {
    const first = unheard(attempt, world);
    if (first === undefined) return undefined;
    const seenAt = vantages(attempt);
    if (seenAt.has('responder')) return undefined;
    const mac1 = attempt.exchanges[0] === undefined ? undefined : sightAtResponder(attempt.exchanges[0])?.mac1;
    const notes = [
      'from this side these look alike: the path drops it, a firewall on the other end, a wrong key on either end, an unknown peer, a clock that went back',
    ];
    if (mac1?.kind === 'known') notes.push(`the initiations were made for ${keyLabel(mac1.key)}`);
    if (seenAt.has('unknown'))
      notes.push('where this was captured is unknown: --at initiator, responder or between would sharpen it');
    const taken = attempt.exchanges.some((merged) => sightAtResponder(merged)?.verdict.kind === 'accepted');
    const taker = taken && mac1?.kind === 'known' ? world.keys.confOf(mac1.key) : undefined;
    if (taker !== undefined && seenAt.has('unknown')) {
      notes.push(
        `${taker.name} would accept them: if this was captured on that host, its own firewall is in the way (--at responder says that it was)`,
      );
    }
    const haveResponder = mac1?.kind === 'known' && mac1.key.private !== undefined;
    return {
      facts: {
        to: first.to.text,
        from: first.from.text,
        initiations: attempt.exchanges.length,
        seconds: attemptSeconds(attempt),
        port: first.to.port,
      },
      certainty: seenAt.has('initiator') || seenAt.has('between') ? 'deduced' : 'suspected',
      frames: initiationFrames(attempt.exchanges),
      subject: subjectOf(attempt),
      notes,
      ruledOut: [
        { rule: 'icmp-unreachable', because: 'no ICMP error quotes these initiations' },
        { rule: 'under-load-cookie', because: 'no cookie reply came' },
        ...(attempt.before === undefined ? [] : [{ rule: 'key-changed', because: 'the same tunnel worked before' }]),
      ],
      missing: [
        ...(haveResponder
          ? []
          : [
              {
                key: 'the responder’s configuration (its private key)',
                wouldSettle: 'whether it would accept these initiations at all',
              },
            ]),
        ...(world.timelines.length > 1
          ? []
          : [{ key: 'a capture on the responder at the same time', wouldSettle: 'whether the initiations arrive' }]),
      ],
    };
  },
  message: ({ initiations, to, seconds }) =>
    `${initiations} initiation${initiations === 1 ? '' : 's'} to ${to} within ${seconds} s, and nothing came back`,
  fix: ({ to, port }) => {
    const advice = captureOtherEnd({ port: Number(port) });
    return {
      linux: [
        ...advice.linux,
        `on the responder: wg show; ss -ulnp | grep ${port}; nft list ruleset | grep ${port}`,
        `check the Endpoint ${to} and the port forwarding on the way`,
        'a real handshake, which nc and nmap cannot make: wgwhy probe CONFIGURATION-OF-THIS-END',
      ],
      routeros: [
        ...advice.routeros,
        `on the responder: /ip firewall filter print where dst-port=${port}; /interface wireguard print`,
      ],
    };
  },
});
