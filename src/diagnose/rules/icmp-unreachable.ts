/** A host or router on the way says with ICMP why the initiation cannot be delivered. */

import type { IcmpSeen } from '../../analyze/timeline.ts';
import { formatIp } from '../../base/address.ts';
import { firstInitiation, initiationFrames, subjectOf } from '../evidence.ts';
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
    fix: 'port unreachable: start the listener or correct the port in Endpoint · host or net unreachable: correct the address · prohibited: ask whoever runs the device that sent the error',
  },
  check(attempt) {
    const first = firstInitiation(attempt);
    const errors = attempt.exchanges
      .flatMap(({ views }) => views.flatMap(({ exchange }) => exchange.icmp))
      .filter(({ error }) => error !== 'fragmentation-needed');
    const [one] = errors;
    if (one === undefined || first === undefined) return undefined;
    const worked = attempt.outcome !== 'failed' && attempt.outcome !== 'open';
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
        meaning: ICMP_MEANING[one.error],
        superseded: worked,
      },
      certainty: 'proven',
      ...(worked ? { severity: 'info' as const } : {}),
      frames: [...errors.map((e: IcmpSeen) => e.at), ...initiationFrames(attempt.exchanges)],
      subject: subjectOf(attempt),
      notes: [
        byTarget
          ? `the error comes from the addressed host itself: the path to it is open`
          : `the error comes from ${one.from}, not from the addressed host: look there`,
        ...(attempt.before === undefined || !byTarget
          ? []
          : ['this end has answered before in this capture: it was stopped, or its NAT forgot the mapping']),
        ...(worked ? ['a later handshake succeeded: it is over'] : []),
      ],
      ruledOut: [{ rule: 'no-response', because: 'the ICMP error is an answer', frames: [one.at] }],
    };
  },
  message: ({ error, type, code, sender, to, meaning }) =>
    `${sender} answers the initiations to ${to} with ICMP ${error.replace(/-/g, ' ')} (type ${type}, code ${code}): ${meaning}`,
  fix: ({ port, error }) =>
    error === 'port-unreachable'
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
        },
});
