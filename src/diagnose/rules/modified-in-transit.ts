/** One message, two captures, different bytes. */
import { differingBytes, type MergedExchange } from '../../analyze/merge.ts';
import type { Seen } from '../../analyze/timeline.ts';
import { type Attempt, isConfirmed, type World } from '../../analyze/world.ts';
import { keyLabel } from '../evidence.ts';
import { defineRule, type Found } from '../rule.ts';

/** Where what stands, for the first byte that differs (wp §5.4.2, §5.4.3). */
const INITIATION: readonly (readonly [number, string])[] = [
  [4, 'type and reserved'],
  [8, 'sender index'],
  [40, 'ephemeral'],
  [88, 'sealed static'],
  [116, 'sealed timestamp'],
  [132, 'MAC1'],
  [148, 'MAC2'],
];
const RESPONSE: readonly (readonly [number, string])[] = [
  [4, 'type and reserved'],
  [8, 'sender index'],
  [12, 'receiver index'],
  [44, 'ephemeral'],
  [60, 'sealed empty'],
  [76, 'MAC1'],
  [92, 'MAC2'],
];

type ModifiedFacts = {
  message: string;
  index: string;
  offsets: readonly string[];
  field: string;
  bytes: number;
  captures: readonly string[];
};

export const modifiedInTransit = defineRule({
  name: 'modified-in-transit',
  severity: 'error',
  on: 'exchange',
  group: 'wire',
  hides: [
    'wrong-responder-key',
    'no-response',
    'responder-silent',
    'initiation-lost-on-path',
    'response-unsealable',
    'psk-mismatch',
    'session-unconfirmed',
    'static-unsealable',
    'timestamp-unsealable',
    'key-missing',
    'unknown-initiator',
  ],
  explain: {
    what: 'the same message has different bytes in two captures',
    why: 'every byte of a handshake message is authenticated: one that was changed on the way is dropped without a word',
    fix: 'find the device between the two capture points that rewrites UDP payloads: an ALG, an obfuscator, a broken checksum offload, faulty memory',
  },
  check({ merged, attempt }, world): Found<ModifiedFacts> | undefined {
    for (const [kind, list] of [
      ['initiation', merged.views.map(({ exchange }) => exchange.initiation)],
      ['response', merged.views.map(({ exchange }) => exchange.responses[0]?.seen)],
    ] as const) {
      const seen = list.filter((s): s is Seen => s !== undefined && !s.cut);
      const [a] = seen;
      const b = seen.find((other) => a !== undefined && differingBytes(a, other).length > 0);
      if (a === undefined || b === undefined || (kind === 'response' && a.sender !== b.sender)) continue;
      const at = differingBytes(a, b);
      const names = merged.views.map(({ timeline }) => timeline.name);
      return {
        facts: {
          message: kind,
          index: merged.id,
          offsets: at.slice(0, 16).map(String),
          field: fieldAt(kind, at[0] ?? 0),
          bytes: at.length,
          captures: names,
        },
        certainty: 'proven',
        ...(isConfirmed(merged) ? { severity: 'info' as const } : {}),
        frames: [a.at, b.at],
        subject: `handshake:${merged.id}`,
        notes: [
          `byte ${at.slice(0, 8).join(', ')}${at.length > 8 ? ' and more' : ''} of the UDP payload, counted from 0`,
        ],
        ruledOut: [{ rule: 'wrong-responder-key', because: 'MAC1 fails only because the bytes changed' }],
      };
    }
    return fromOneCapture(merged, attempt, world);
  },
  message: ({ message, index, bytes, field, captures }) =>
    captures.length > 1
      ? `the ${message} of handshake ${index} was altered between ${captures.join(' and ')}: ${bytes} byte${bytes === 1 ? '' : 's'}, first in the ${field}`
      : `the ${message} of handshake ${index} is damaged: ${field}`,
  fix: () => ({
    linux: ['on routers between: nft list ruleset | grep -e mangle -e payload; ethtool -K DEV tx off rx off as a test'],
    routeros: ['/ip firewall mangle print; /ip firewall service-port print: switch off helpers that touch UDP'],
  }),
});

function fieldAt(kind: 'initiation' | 'response', offset: number): string {
  const fields = kind === 'initiation' ? INITIATION : RESPONSE;
  return fields.find(([end]) => offset < end)?.[1] ?? 'rest';
}

/** One capture and keys: a message that cannot have left its sender as it stands. */
function fromOneCapture(
  merged: MergedExchange,
  attempt: Attempt | undefined,
  world: World,
): Found<ModifiedFacts> | undefined {
  const [view] = merged.views;
  if (view === undefined || attempt?.outcome !== 'failed') return undefined;
  const facts = { index: merged.id, offsets: [], bytes: 0, captures: [view.timeline.name] };
  const { initiation, sight, responses } = view.exchange;
  const subject = `handshake:${merged.id}`;
  if (initiation !== undefined && sight?.alteredFor !== undefined) {
    const field = `its static key opens for ${keyLabel(sight.alteredFor)}, its MAC1 does not verify`;
    const notes = ['what Noise authenticates is whole: the change is in the type, the sender index, MAC1 or MAC2'];
    const ruledOut = [
      {
        rule: 'wrong-responder-key',
        because: 'the initiation was made for this responder: the static key in it opens',
      },
    ];
    return {
      facts: { ...facts, message: 'initiation', field },
      certainty: 'deduced',
      frames: [initiation.at],
      subject,
      notes,
      ruledOut,
    };
  }
  const answer = responses[0];
  const asked = sight?.mac1.kind === 'known' ? sight.mac1.key.text : undefined;
  const askers = world.keys.confs.filter((conf) => asked !== undefined && conf.peers.has(asked));
  const [asker] = askers;
  if (answer?.sight.mac1.kind !== 'none' || askers.length !== 1 || asker?.own === undefined) return undefined;
  return {
    facts: { ...facts, message: 'response', field: `its MAC1 is not for ${keyLabel(asker.own)}` },
    certainty: 'suspected',
    frames: [answer.seen.at],
    subject,
    notes: [`if ${asker.name} is what the initiator runs on; else the response is for another key`],
    missing: [{ key: 'a capture at the responder', wouldSettle: 'whether it left there as it arrived here' }],
  };
}
