/** Counters that hold nothing but initiations sent: not one message of the other end was ever taken in. */
import type { World } from '../../analyze/world.ts';
import { captureLinux, captureRouterOs } from '../advice.ts';
import { fileSubject, placeOf, settings } from '../config-evidence.ts';
import { type Counters, countersOf, onlyAnswered, onlyInitiated, otherSide, pskOfBoth } from '../counter-evidence.ts';
import { endpointText } from '../endpoint-evidence.ts';
import { defineRule, type Facts, type Found } from '../rule.ts';

interface NeverFacts extends Facts {
  readonly place: string;
  readonly initiations: number;
  readonly sentBytes: number;
  readonly to: string | null;
  readonly port: number | null;
  /** What the counters of the other end, where they are here, say of it. */
  readonly otherEnd: OtherEnd;
}

type OtherEnd = 'not-here' | 'unlisted' | 'took-nothing' | 'answered' | 'counts-more';

/** A single initiation may just be on its way. */
const SURE = 2;

export const countersNeverReceived = defineRule({
  name: 'counters-never-received',
  severity: 'warning',
  on: 'files',
  group: 'config',
  spec: 'wp §5.4.2',
  explain: {
    what: 'the counters of a peer show n·148 bytes sent, 0 received and no handshake: n initiations and nothing else',
    why: 'received bytes are counted only after a message was authenticated, so 0 does not mean that nothing came back: an answer that cannot be opened, as with another PresharedKey, counts as nothing too',
    fix: 'compare with the counters of the other end: if it received nothing either, the initiations are lost on the way or refused there; if it received n·148, its answers are lost or cannot be opened here',
  },
  check: (world): Found<NeverFacts>[] =>
    world.keys.confs.flatMap((entry) =>
      [...countersOf(entry).values()].flatMap((counters): Found<NeverFacts>[] => {
        const initiations = onlyInitiated(counters);
        return initiations === undefined ? [] : [found(counters, initiations, world)];
      }),
    ),
  message({ place, initiations, sentBytes, to, otherEnd }) {
    const sent = `${initiations} initiation${initiations === 1 ? '' : 's'} (${sentBytes} bytes)`;
    return `${place}: ${sent} went to ${to ?? 'this peer'}, and nothing was taken in from there${SHORT[otherEnd]}`;
  },
  fix: ({ port }) => ({
    linux: [
      ...(port === null ? [] : [`to see whether anything comes back: ${captureLinux(port)}`]),
      'on the other end, to compare the counters: wg show INTERFACE dump',
      'a real handshake, which nc and nmap cannot make: wgwhy probe CONFIGURATION-OF-THIS-END',
    ],
    routeros: [
      ...(port === null ? [] : [captureRouterOs(port)]),
      'on the other end: /interface wireguard peers print detail',
    ],
  }),
});

const SHORT: Readonly<Record<OtherEnd, string>> = {
  'not-here': '',
  unlisted: '; the other end has no such peer',
  'took-nothing': '; the other end took in nothing from here either',
  answered: '; the other end took them and answered',
  'counts-more': '',
};

function found(counters: Counters, initiations: number, world: World): Found<NeverFacts> {
  const { entry, peer, line, tx } = counters;
  const other = otherSide(counters, world);
  const { otherEnd, notes, missing } = compare(counters, other, initiations);
  const to = peer.endpoint?.value;
  const known = peer.publicKey === undefined ? undefined : world.keys.find(peer.publicKey.value);
  const isHere = known !== undefined && settings(world).some(({ own }) => own === known);
  return {
    facts: {
      place: placeOf(entry, line),
      initiations,
      sentBytes: tx.bytes,
      to: to === undefined ? null : endpointText(to),
      port: to?.port ?? null,
      otherEnd,
    },
    certainty: 'proven',
    ...(initiations < SURE ? { severity: 'info' as const } : {}),
    frames: [],
    subject: fileSubject(entry),
    notes: [...(initiations < SURE ? ['with one attempt it may just have begun: look again in 10 s'] : []), ...notes],
    missing: [
      ...missing,
      ...(isHere || other !== undefined
        ? []
        : [{ key: 'configuration of the other end', wouldSettle: 'whether the keys of the two fit' }]),
    ],
  };
}

const CAPTURE_THERE = {
  key: 'capture at the other end',
  wouldSettle: 'whether the initiations arrive, and why they are refused',
} as const;

function compare(
  counters: Counters,
  other: ReturnType<typeof otherSide>,
  initiations: number,
): Pick<NeverFacts, 'otherEnd'> & {
  readonly notes: readonly string[];
  readonly missing: readonly { readonly key: string; readonly wouldSettle: string }[];
} {
  if (other === undefined) {
    return {
      otherEnd: 'not-here',
      notes: [
        'the counters of one end do not tell a firewall, a wrong address or port, a wrong key at either end, a clock that went back and another PresharedKey apart: those of the other end tell some of it',
      ],
      missing: [
        {
          key: '‘wg show’ of the other end, of the same minute',
          wouldSettle: 'whether it took any of them: then only the way back and the PresharedKey are left',
        },
      ],
    };
  }
  if (other.kind === 'unlisted') {
    const notes = [`${other.entry.name} has no peer with the key of ${counters.entry.name}: it drops them unanswered`];
    return { otherEnd: 'unlisted', notes, missing: [] };
  }
  const there = other.counters;
  const at = placeOf(there.entry, there.line);
  const answered = onlyAnswered(there);
  if (answered !== undefined) {
    return {
      otherEnd: 'answered',
      notes: [
        `${at} counts ${answered.answered} initiation${answered.answered === 1 ? '' : 's'} taken and answered: the way there is open, and the keys fit`,
        ...answeredNotes(pskOfBoth(counters, there)),
      ],
      missing: [
        {
          key: 'capture at this end',
          wouldSettle: 'whether the answers come back: if they do, it is the PresharedKey',
        },
      ],
    };
  }
  if (there.rx.bytes === 0) {
    return {
      otherEnd: 'took-nothing',
      notes: [
        `${at} took in nothing: the ${initiations} initiations are lost on the way, dropped by a firewall there, altered, sent to another host or port, or carry a timestamp that is not newer than one before`,
        'the two have each other’s keys, so these are not the reason; the PresharedKeys do not matter before the answer',
      ],
      missing: [CAPTURE_THERE],
    };
  }
  return {
    otherEnd: 'counts-more',
    notes: [`${at} counts more than handshakes: the two texts are of different times, or a third end has this key`],
    missing: [],
  };
}

/** What is left when answers were sent and none was taken. */
export function answeredNotes(psk: ReturnType<typeof pskOfBoth>): string[] {
  switch (psk) {
    case 'same':
      return [
        'the PresharedKeys are the same: what is left is the way back, on which the answers are lost, dropped by the firewall of the end that asked, altered, or more than 5 s late',
      ];
    case 'differs':
      return ['the PresharedKeys differ: answers arrive and cannot be opened'];
    case 'unknown':
      return [
        'what is left is that the answers are lost on the way back, or that the PresharedKeys differ: the counters are the same for both',
      ];
  }
}
