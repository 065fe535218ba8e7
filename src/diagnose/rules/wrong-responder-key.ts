/** The initiation was made for some other key than the one the addressed responder has. */
import { isAnswered } from '../../analyze/world.ts';
import {
  attemptFrames,
  firstInitiation,
  initiationFrames,
  keyLabel,
  responderOf,
  sightAtResponder,
  subjectOf,
  vantages,
} from '../evidence.ts';
import { defineRule } from '../rule.ts';

export const wrongResponderKey = defineRule({
  name: 'wrong-responder-key',
  severity: 'error',
  on: 'attempt',
  group: 'wire',
  spec: 'wp §5.4.4',
  hides: ['no-response', 'responder-silent', 'key-changed', 'rekey-failed', 'peer-restarted'],
  ofPair: true,
  explain: {
    what: 'the initiation carries a MAC1 made for some other public key than the responder’s',
    why: 'a responder stays silent unless MAC1 matches its own key: it drops the message before any decryption and before any log line that is on by default',
    fix: 'put this responder’s public key into the initiator’s [Peer] section; `wg show INTERFACE public-key` on the responder prints it',
  },
  check(attempt, world) {
    if (attempt.outcome === 'established' || attempt.outcome === 'parallel') return undefined;
    const first = firstInitiation(attempt);
    const responder = responderOf(attempt, world);
    if (first === undefined || responder === undefined || attempt.exchanges.some(isAnswered)) return undefined;
    const wrong = attempt.exchanges.filter((merged) => {
      const mac1 = sightAtResponder(merged)?.mac1;
      return mac1?.kind === 'none' || (mac1?.kind === 'known' && mac1.key !== responder.key);
    });
    const [one] = wrong;
    const mac1 = one === undefined ? undefined : sightAtResponder(one)?.mac1;
    if (one === undefined || mac1 === undefined) return undefined;
    const owner = mac1.kind === 'known' ? mac1.key : undefined;
    if (
      owner !== undefined &&
      world.keys.confOf(owner)?.conf.interface.listenPort?.value === first.to.port &&
      !responder.paired
    )
      return undefined;
    const atResponder = vantages(attempt).has('responder');
    const certainty = atResponder || responder.paired ? ('proven' as const) : ('suspected' as const);
    const notes = [`${responder.because}, and its key is ${keyLabel(responder.key)}`];
    if (certainty === 'suspected')
      notes.push(`this holds if ${first.to.text} is the host that ${responder.entry.name} belongs to`);
    if (owner === undefined && one.views.length === 1)
      notes.push('a message that was altered on the way would look the same; a capture at the initiator would tell');
    if (owner !== undefined && world.keys.confOf(owner) !== undefined)
      notes.push('that key is the own key of another file that was handed over');
    return {
      facts: {
        madeFor: owner === undefined ? null : keyLabel(owner),
        madeForKey: owner?.text ?? null,
        responder: keyLabel(responder.key),
        responderKey: responder.key.text,
        to: first.to.text,
        initiations: wrong.length,
      },
      certainty,
      frames: initiationFrames(wrong),
      subject: subjectOf(attempt),
      notes,
      ruledOut: atResponder
        ? [
            {
              rule: 'initiation-lost-on-path',
              because: 'the initiation reached the responder’s capture',
              frames: attemptFrames(attempt, 'initiations').slice(0, 3),
            },
          ]
        : [],
      missing:
        owner === undefined && !responder.paired
          ? [{ key: 'the initiator’s configuration', wouldSettle: 'which key it was made for' }]
          : [],
    };
  },
  message: ({ madeFor, responder, to }) =>
    `the initiations to ${to} were made for ${madeFor ?? 'a key that is not here'}, not for ${responder}: the responder drops them unread`,
  fix: ({ responderKey }) => ({
    linux: [
      `on the initiator, in [Peer]: PublicKey = ${responderKey}`,
      'on the responder, to compare: wg show INTERFACE public-key',
    ],
    routeros: [
      `on the initiator: /interface wireguard peers set [find endpoint-address=…] public-key="${responderKey}"`,
      'on the responder, to compare: /interface wireguard print proplist=name,public-key',
    ],
  }),
});
