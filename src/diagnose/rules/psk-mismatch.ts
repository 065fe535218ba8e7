/** The two ends mix different preshared keys: the response opens nothing at the initiator. */

import type { KnownPsk } from '../../analyze/key-set.ts';
import type { View } from '../../analyze/merge.ts';
import { type Attempt, isAnswered, type World } from '../../analyze/world.ts';
import { equal } from '../../base/bytes.ts';
import { msBetween } from '../../base/time.ts';
import { onlyCrossings } from '../crossings.ts';
import { attemptFrames, firstInitiation, keyLabel, spanText, subjectOf, workedBefore } from '../evidence.ts';
import { defineRule, type Found } from '../rule.ts';

type Facts = {
  how: 'opened' | 'files' | 'pattern';
  opensWith: string | null;
  configured: string | null;
  other: string | null;
  answers: number;
  from: string;
};

/** A response that takes longer than this is late, and refused for that (wp §6.4: REKEY_TIMEOUT). */
const IN_TIME_MS = 5000;

export const pskMismatch = defineRule({
  name: 'psk-mismatch',
  severity: 'error',
  on: 'attempt',
  group: 'wire',
  spec: 'wp §5.4.3',
  hides: ['session-unconfirmed', 'response-unsealable', 'no-response'],
  ofPair: true,
  explain: {
    what: 'the preshared keys of the two ends differ, or only one end has one',
    why: 'the responder mixes its PSK into the response; the initiator, with another one, cannot open it and drops it. The responder believes all is well, the initiator retries every five seconds, and neither shows a handshake',
    fix: 'put the same PresharedKey into both [Peer] sections, or remove it from both',
  },
  check(attempt, world) {
    if (attempt.outcome !== 'failed' || onlyCrossings(attempt)) return undefined;
    const answered = attempt.exchanges.filter(isAnswered);
    const first = firstInitiation(attempt);
    if (answered.length === 0 || first === undefined) return undefined;
    return (
      opened(attempt, world, first.from.text, answered.length) ??
      byPattern(attempt, world, first.from.text, answered.length)
    );
  },
  message: ({ how, opensWith, configured, other, from, answers }) => {
    if (how === 'opened')
      return `the response opens with ${opensWith}, not with ${configured} that the initiator has: the preshared keys differ`;
    if (how === 'files')
      return `the preshared keys differ (${configured} against ${other}): the response reaches ${from} and cannot be opened there`;
    return `${answers} good response${answers === 1 ? '' : 's'} reached ${from}, which never used one: the preshared keys differ, most likely`;
  },
  fix: () => ({
    linux: [
      'on both ends, in [Peer]: the same PresharedKey = … line, or none; wg genpsk makes a new one',
      'then: wg syncconf INTERFACE <(wg-quick strip INTERFACE)',
    ],
    routeros: [
      'on both ends: /interface wireguard peers set [find …] preshared-key="…" (the same), or preshared-key=""',
    ],
  }),
});

function found(
  attempt: Attempt,
  facts: Facts,
  rest: Pick<Found<Facts>, 'certainty' | 'notes' | 'ruledOut' | 'missing'>,
): Found<Facts> {
  return { facts, frames: attemptFrames(attempt), subject: subjectOf(attempt), ...rest };
}

/** An ephemeral is known: the response itself says which PSK it was made with. */
function opened(attempt: Attempt, world: World, from: string, answers: number): Found<Facts> | undefined {
  for (const merged of attempt.exchanges) {
    for (const { exchange } of merged.views) {
      for (const { sight } of exchange.responses) {
        const configured = configuredAtInitiator(exchange, world);
        if (sight.opensWith === undefined || configured === undefined || equal(configured.psk, sight.opensWith.psk))
          continue;
        const facts: Facts = {
          how: 'opened',
          opensWith: sight.opensWith.where,
          configured: configured.where,
          other: null,
          answers,
          from,
        };
        return found(attempt, facts, { certainty: 'proven', ruledOut: RESPONSE_IS_GOOD });
      }
    }
  }
  return undefined;
}

const RESPONSE_IS_GOOD = [
  { rule: 'modified-in-transit', because: 'the response opens as it stands, with the other key' },
];

function configuredAtInitiator(exchange: View['exchange'], world: World): KnownPsk | undefined {
  const identity =
    exchange.sight?.identity ??
    (exchange.responses[0]?.sight.mac1.kind === 'known' ? exchange.responses[0].sight.mac1.key.key : undefined);
  const owner = exchange.sight?.mac1;
  const conf = identity === undefined ? undefined : world.keys.confOf(world.keys.find(identity));
  return conf === undefined || owner?.kind !== 'known' ? undefined : world.keys.configuredPsk(conf, owner.key.text);
}

function configuredAtResponder(exchange: View['exchange'], world: World): KnownPsk | undefined {
  const owner = exchange.sight?.mac1;
  const conf = owner?.kind === 'known' ? world.keys.confOf(owner.key) : undefined;
  const initiator = exchange.responses[0]?.sight.mac1;
  const key = exchange.sight?.identity ?? (initiator?.kind === 'known' ? initiator.key.key : undefined);
  const known = key === undefined ? undefined : world.keys.find(key);
  return conf === undefined || known === undefined ? undefined : world.keys.configuredPsk(conf, known.text);
}

/** A response right in every way that can be seen, and never used. */
function byPattern(attempt: Attempt, world: World, from: string, answers: number): Found<Facts> | undefined {
  const exchange = attempt.exchanges
    .find(isAnswered)
    ?.views.find((view) => view.exchange.responses.length > 0)?.exchange;
  if (exchange === undefined) return undefined;
  const mine = configuredAtInitiator(exchange, world);
  const theirs = configuredAtResponder(exchange, world);
  const differ = mine !== undefined && theirs !== undefined && !equal(mine.psk, theirs.psk);
  if (mine !== undefined && theirs !== undefined && !differ) return undefined;
  const arrived = attempt.exchanges.some((merged) =>
    merged.views.some((view) => view.vantage === 'initiator' && goodResponse(view)),
  );
  if (!arrived && !differ) return undefined;
  if (differ) {
    const facts: Facts = { how: 'files', opensWith: null, configured: mine.where, other: theirs.where, answers, from };
    return found(attempt, facts, {
      certainty: 'deduced',
      notes: [
        'the configuration files differ, and the wire shows what such a difference does: answered every time, never used',
      ],
      ruledOut: arrived
        ? [{ rule: 'response-lost-on-path', because: 'the responses are in the initiator’s own capture' }]
        : [],
      missing: [
        {
          key: 'an ephemeral private key of either end (a key log)',
          wouldSettle: 'it: the response would be opened with each preshared key',
        },
      ],
    });
  }
  const owner = exchange.responses[0]?.sight.mac1;
  const facts: Facts = {
    how: 'pattern',
    opensWith: null,
    configured: mine?.where ?? null,
    other: theirs?.where ?? null,
    answers,
    from,
  };
  const before = workedBefore(attempt);
  return found(attempt, facts, {
    certainty: 'suspected',
    notes: [
      'a firewall on the initiator behind the capture point, or a wrong UDP checksum, would look the same',
      ...(before === undefined
        ? []
        : [`a session of these two began ${spanText(before)} earlier: one preshared key was changed after that`]),
    ],
    ruledOut: [
      ...(owner?.kind === 'known'
        ? [
            {
              rule: 'response-unexpected',
              because: `MAC1 of the response is right for ${keyLabel(owner.key)}, the index and the address too`,
            },
          ]
        : []),
      { rule: 'response-late', because: 'it came in time' },
      { rule: 'response-lost-on-path', because: 'it is in the initiator’s own capture' },
    ],
    missing: [
      {
        key: `the ${mine === undefined ? 'initiator' : 'responder'}’s configuration`,
        wouldSettle: 'whether the preshared keys differ',
      },
      {
        key: 'an ephemeral private key of either end (a key log)',
        wouldSettle: 'it for certain: the response would be opened with each preshared key',
      },
    ],
  });
}

/** In time, to the index that asked, from the address that was asked, with a MAC1 that is not wrong. */
function goodResponse({ exchange }: View): boolean {
  const { initiation } = exchange;
  if (initiation === undefined) return false;
  return exchange.responses.some(({ seen, sight }) => {
    const right = sight.mac1.kind !== 'none' && seen.from.text === initiation.to.text;
    return right && !seen.cut && msBetween(initiation.at.time, seen.at.time) < IN_TIME_MS;
  });
}
