/** A good initiation reached the responder's host, and nothing left it. */

import { silenceMeans } from '../../analyze/world.ts';
import { initiationFrames, keyLabel, lastView, sightAtResponder, subjectOf, unheard, vantages } from '../evidence.ts';
import { defineRule } from '../rule.ts';

export const responderSilent = defineRule({
  name: 'responder-silent',
  severity: 'error',
  on: 'attempt',
  group: 'wire',
  fromSilence: true,
  spec: 'wp §5.4.3',
  hides: ['no-response'],
  explain: {
    what: 'initiations reach the responder’s host, nothing is wrong with them as far as the keys show, and no answer leaves',
    why: 'a capture sees packets before the host’s own firewall: what WireGuard never gets, it cannot answer',
    fix: 'let the port in on the responder: its own firewall, the right interface or VRF, a service that really listens there',
  },
  check(attempt, world) {
    const first = unheard(attempt, world);
    if (first === undefined) return undefined;
    const seenAt = vantages(attempt);
    const arrived = attempt.exchanges.filter((merged) => {
      const view = lastView(merged);
      if (view === undefined || !silenceMeans(view)) return false;
      return view.vantage === 'responder' || (view.vantage === 'unknown' && merged.views.length > 1);
    });
    const [one] = arrived;
    if (one === undefined) return undefined;
    const sight = sightAtResponder(one);
    if (sight === undefined || sight.verdict.kind === 'refused' || sight.mac1.kind === 'none') {
      // a refusal with a reason, or a MAC1 for a key that is not here: other findings, unless there is none to be had
      if (sight?.verdict.kind === 'refused') return undefined;
    }
    const known = seenAt.has('responder');
    const right = sight?.verdict.kind === 'accepted';
    const place = known ? '' : 'if the last capture was taken on the responder: ';
    const notes: string[] = [];
    if (right)
      notes.push(
        'a greater timestamp that was accepted before the capture began would look the same; restarting the responder’s interface would then help',
      );
    const ruledOut =
      right && sight?.mac1.kind === 'known'
        ? [
            { rule: 'wrong-responder-key', because: `MAC1 is right for ${keyLabel(sight.mac1.key)}` },
            { rule: 'unknown-initiator', because: 'the static key opens and is a configured peer' },
            { rule: 'timestamp-replayed', because: 'its timestamp is greater than every one accepted in this capture' },
          ]
        : [];
    return {
      facts: { to: first.to.text, port: first.to.port, initiations: arrived.length, right, place },
      certainty: known && right ? 'deduced' : 'suspected',
      frames: initiationFrames(arrived),
      subject: subjectOf(attempt),
      notes,
      ruledOut,
      missing: right
        ? []
        : [
            {
              key: 'the responder’s configuration (its private key)',
              wouldSettle: 'whether key, peer or timestamp is the reason',
            },
          ],
    };
  },
  message: ({ place, initiations, to, right }) =>
    right
      ? `${place}${initiations} initiation${initiations === 1 ? '' : 's'} that the responder would accept reached ${to}, and nothing left it: its own firewall, or nothing listens there`
      : `${place}${initiations} initiation${initiations === 1 ? '' : 's'} reached ${to}, and nothing left it: without the responder’s key the reason stays open`,
  fix: ({ port }) => ({
    linux: [
      `nft list ruleset, or iptables -L INPUT -n -v: accept udp dport ${port} before the drop`,
      `nft insert rule inet filter input udp dport ${port} accept   (or: iptables -I INPUT -p udp --dport ${port} -j ACCEPT; ufw allow ${port}/udp)`,
      `wg show: is the interface up, does it listen on ${port}?`,
    ],
    routeros: [
      `/ip firewall filter add chain=input protocol=udp dst-port=${port} action=accept place-before=[find where chain=input action=drop]`,
      '/interface wireguard print: is it running, is listen-port right?',
    ],
  }),
});
