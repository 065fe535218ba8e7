/** Counters that hold nothing but initiations taken and answers sent: no session ever came of it. */
import type { World } from '../../analyze/world.ts';
import { captureLinux, captureRouterOs } from '../advice.ts';
import { fileSubject, placeOf } from '../config-evidence.ts';
import { type Counters, countersOf, onlyAnswered, onlyInitiated, otherSide, pskOfBoth } from '../counter-evidence.ts';
import { endpointText } from '../endpoint-evidence.ts';
import { defineRule, type Facts, type Found } from '../rule.ts';
import { answeredNotes } from './counters-never-received.ts';

interface UnconfirmedFacts extends Facts {
  readonly place: string;
  readonly answered: number;
  readonly receivedBytes: number;
  readonly sentBytes: number;
  /** Initiations of its own among what was sent. */
  readonly initiated: number;
  readonly to: string | null;
  readonly port: number | null;
  readonly otherEnd: 'not-here' | 'took-nothing' | 'other';
}

/** A single answer may just be on its way. */
const SURE = 2;

export const countersUnconfirmed = defineRule({
  name: 'counters-unconfirmed',
  severity: 'warning',
  on: 'files',
  group: 'config',
  spec: 'wp §5.4.3',
  explain: {
    what: 'the counters of a peer show n·148 bytes received, n·92 sent and no handshake: n initiations, each answered, and no data after any',
    why: 'the initiations were right, or they would not be counted; so the answers are lost on the way back, or the other end cannot open them because its PresharedKey is another one',
    fix: 'compare the PresharedKey lines of both ends, then capture at the other end: if answers arrive there it is the key, if not it is the way back',
  },
  check: (world): Found<UnconfirmedFacts>[] =>
    world.keys.confs.flatMap((entry) =>
      [...countersOf(entry).values()].flatMap((counters): Found<UnconfirmedFacts>[] => {
        const counted = onlyAnswered(counters);
        return counted === undefined ? [] : [found(counters, counted, world)];
      }),
    ),
  message({ place, answered, receivedBytes, to }) {
    const taken = `${answered} initiation${answered === 1 ? '' : 's'} (${receivedBytes} bytes)`;
    const whose = to === null ? '' : ` of ${to}`;
    return `${place}: ${taken}${whose} ${answered === 1 ? 'was' : 'were'} taken and answered, and no session came of ${answered === 1 ? 'it' : 'any'}`;
  },
  fix: ({ port }) => ({
    linux: [
      'at both ends, to compare without showing it: wg show INTERFACE preshared-keys | cut -f2 | sha256sum   (where there is one peer)',
      ...(port === null ? [] : [`to see where the answers go: ${captureLinux(port)}`]),
    ],
    routeros: [
      'at both ends: /interface wireguard peers print detail show-sensitive   (compare preshared-key)',
      ...(port === null ? [] : [captureRouterOs(port)]),
    ],
  }),
});

function found(
  counters: Counters,
  { answered, initiated }: { readonly answered: number; readonly initiated: number },
  world: World,
): Found<UnconfirmedFacts> {
  const { entry, peer, line, rx, tx } = counters;
  const other = otherSide(counters, world);
  const there = other?.kind === 'counted' ? other.counters : undefined;
  const tookNothing = there !== undefined && onlyInitiated(there) !== undefined;
  const crossing = initiated > 0 && there !== undefined && (onlyAnswered(there)?.initiated ?? 0) > 0;
  const to = peer.endpoint?.value;
  return {
    facts: {
      place: placeOf(entry, line),
      answered,
      receivedBytes: rx.bytes,
      sentBytes: tx.bytes,
      initiated,
      to: to === undefined ? null : endpointText(to),
      port: entry.conf.interface.listenPort?.value ?? null,
      otherEnd: there === undefined ? 'not-here' : tookNothing ? 'took-nothing' : 'other',
    },
    certainty: 'proven',
    ...(answered < SURE ? { severity: 'info' as const } : {}),
    frames: [],
    subject: fileSubject(entry),
    notes: [
      ...(answered < SURE ? ['with one attempt it may just have begun: look again in 10 s'] : []),
      'the keys of both ends fit, the clock is in order and the way here is open: all this an initiation has to pass before it is counted',
      ...(tookNothing && there !== undefined
        ? [
            `${placeOf(there.entry, there.line)} counts nothing taken in, so it is not that it stays silent after the answer`,
          ]
        : []),
      ...(crossing
        ? [
            `both ends begin (${initiated} initiations of its own are among what it sent) and both answer: when they do so at the same moment, each forgets its own initiation and refuses the answer to it`,
          ]
        : answeredNotes(there === undefined ? 'unknown' : pskOfBoth(counters, there))),
      ...(initiated > 0 && !crossing
        ? [
            `${initiated} initiation${initiated === 1 ? '' : 's'} of its own ${initiated === 1 ? 'is' : 'are'} among what it sent, and no answer to ${initiated === 1 ? 'it' : 'them'} was taken in`,
          ]
        : []),
    ],
    missing: [
      {
        key: 'capture at the other end',
        wouldSettle: 'whether the answers arrive: if they do, it is the PresharedKey',
      },
    ],
  };
}
