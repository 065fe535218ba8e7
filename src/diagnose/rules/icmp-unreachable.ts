/** A host or router on the way says with ICMP why the initiation cannot be delivered. */

import type { IcmpSeen } from '../../analyze/timeline.ts';
import type { Attempt } from '../../analyze/world.ts';
import { formatIp } from '../../base/address.ts';
import { compareTime } from '../../base/time.ts';
import { addressLearned, firstInitiation, hasIcmp, initiationFrames, subjectOf } from '../evidence.ts';
import { ICMP_MEANING } from '../icmp-meaning.ts';
import { defineRule } from '../rule.ts';

export const icmpUnreachable = defineRule({
  name: 'icmp-unreachable',
  severity: 'error',
  on: 'attempt',
  group: 'wire',
  spec: 'RFC 792, RFC 4443',
  hides: ['no-response', 'responder-silent', 'peer-went-away', 'rekey-failed'],
  explain: {
    what: 'an ICMP error quotes the initiation',
    why: 'somebody on the way could not or would not deliver it, and says so: the one case in which the silence is broken',
    fix: 'port unreachable: start the listener or correct the port in Endpoint · host or net unreachable: correct the address · prohibited: ask whoever runs the device that sent the error · an address that was only learned: nothing, if that peer may be off',
  },
  check(attempt, world) {
    const first = firstInitiation(attempt);
    const errors = attempt.exchanges
      .flatMap(({ views }) => views.flatMap(({ exchange }) => exchange.icmp))
      .filter(({ error }) => error !== 'fragmentation-needed');
    const [one] = errors;
    if (one === undefined || first === undefined) return undefined;
    const worked = attempt.outcome !== 'failed' && attempt.outcome !== 'open';
    // the same silence without ICMP is peer-went-away: an end that is off is no fault of the tunnel
    const learned = addressLearned(attempt, world) && !heardAfter(attempt, one);
    const elsewhere = asksInVain(attempt);
    const byTarget = one.from === formatIp(first.to.ip);
    return {
      facts: {
        error: one.error,
        type: one.type,
        code: one.code,
        sender: one.from,
        to: one.quotedTo.text,
        port: one.quotedTo.port,
        errors: errors.length,
        meaning: learned && one.error === 'host-unreachable' ? NOT_THERE : ICMP_MEANING[one.error],
        learned,
        superseded: worked,
      },
      certainty: 'proven',
      ...(worked || learned ? { severity: 'info' as const } : {}),
      frames: [...errors.map((e: IcmpSeen) => e.at), ...initiationFrames(attempt.exchanges)],
      subject: subjectOf(attempt),
      later: elsewhere,
      notes: [
        byTarget
          ? `the error comes from the addressed host itself: the path to it is open`
          : `the error comes from ${one.from}, not from the addressed host${learned ? '' : ': look there'}`,
        ...(learned
          ? [
              'that address was only learned from the peer’s own packets: the peer is found again when it sends something',
            ]
          : []),
        ...(attempt.before === undefined || !byTarget
          ? []
          : ['this end has answered before in this capture: it was stopped, or its NAT forgot the mapping']),
        ...(elsewhere ? ['the asked end is alive: it asks itself, and gets no answer either'] : []),
        ...(worked ? ['a later handshake succeeded: it is over'] : []),
      ],
      ruledOut: [{ rule: 'no-response', because: 'the ICMP error is an answer', frames: [one.at] }],
    };
  },
  message: ({ error, type, code, sender, to, meaning, learned }) =>
    `${sender} answers the initiations to ${to} with ICMP ${error.replace(/-/g, ' ')} (type ${type}, code ${code}): ${meaning}${learned ? '; the peer that was seen there has gone, it may simply be off' : ''}`,
  fix: ({ port, error, learned }) => {
    if (learned) {
      return {
        linux: [
          'wg show INTERFACE latest-handshakes; wg show INTERFACE endpoints',
          'on the peer, if it should be up: ping this end through the tunnel, and watch whether it comes back',
        ],
        routeros: ['/interface wireguard peers print detail: last-handshake, current-endpoint-address'],
      };
    }
    return error === 'port-unreachable'
      ? {
          linux: [
            `on the responder: wg show INTERFACE listen-port, ss -ulnp | grep ${port}: which port is it?`,
            'start it: systemctl start wg-quick@INTERFACE; or correct Endpoint = HOST:PORT on the initiator',
          ],
          routeros: [
            'on the responder: /interface wireguard print (listen-port; RouterOS defaults to 13231)',
            'on the initiator: /interface wireguard peers set [find …] endpoint-port=…',
          ],
        }
      : {
          linux: [
            'check the Endpoint address: dig +short NAME, wg show INTERFACE endpoints',
            'on the host that sent the error: its firewall and routes',
          ],
          routeros: [
            '/interface wireguard peers print detail: endpoint-address, current-endpoint-address',
            'on the router that sent the error: /ip firewall filter print, /ip route print',
          ],
        };
  },
});

const NOT_THERE = 'the last router cannot reach that host';

/** The asked end is alive: what keeps it from an answer is nearer to the cause than the address where it is not. */
function asksInVain({ tunnel, initiator }: Attempt): boolean {
  return tunnel.attempts.some(
    (other) => other.initiator !== initiator && other.outcome === 'failed' && !hasIcmp(other),
  );
}

/** The asked end still sent from that address after the error: it is there. */
function heardAfter({ tunnel, exchanges }: Attempt, { at }: IcmpSeen): boolean {
  const asked = exchanges[0]?.views.find(({ timeline }) => timeline.capture === at.capture)?.exchange.responder.text;
  return tunnel.sessions.some(({ session: { toInitiator, toResponder } }) =>
    [toInitiator, toResponder].some(
      (half) =>
        half !== undefined &&
        half.sender.text === asked &&
        half.last.capture === at.capture &&
        compareTime(half.last.time, at.time) > 0,
    ),
  );
}
