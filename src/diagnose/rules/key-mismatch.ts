/** Two files mean each other, and one of them has another key for the other end. */
import type { KnownKey } from '../../analyze/key-set.ts';
import type { World } from '../../analyze/world.ts';
import { equal } from '../../base/bytes.ts';
import { shortKey } from '../../base/keys.ts';
import type { WgPeer } from '../../config/wg-conf.ts';
import {
  covered,
  type End,
  ends,
  fileSubject,
  type Listing,
  listings,
  oncePerPair,
  ownAddresses,
  placeOf,
  secretKeys,
  settings,
  unlessConfirmed,
} from '../config-evidence.ts';
import { settingEdit } from '../edit.ts';
import { differingCharacters, nearestKey, plainKey } from '../key-distance.ts';
import { defineRule, type Facts, type Found } from '../rule.ts';

/** Characters of 44 that may differ between two keys that are the same one, mistyped. */
const MISTYPED = 4;

interface MismatchFacts extends Facts {
  /** The file at fault, and the place in it; the place is only the file where no [Peer] could be meant. */
  readonly file: string;
  readonly place: string;
  /** Shortened: what stands in a file as a public key may be somebody’s private key. */
  readonly written: string | null;
  readonly other: string;
  readonly otherPlace: string;
  readonly wanted: string;
  readonly wantedShort: string;
  readonly listedAt: string;
  readonly distance: number | null;
}

export const keyMismatch = defineRule({
  name: 'key-mismatch',
  severity: 'error',
  on: 'files',
  group: 'config',
  spec: 'wp §2',
  explain: {
    what: 'one file has the other end’s public key as a [Peer], the other file has no [Peer] with the key of the first',
    why: 'each end must know the other’s public key: with a wrong key of the responder its MAC1 check fails, with a wrong key of the initiator the responder finds no such peer; both are dropped in silence',
    fix: 'derive the public key from each PrivateKey (`wg pubkey`) and put it into the [Peer] of the other file',
  },
  check(world): Found<MismatchFacts>[] {
    const all = listings(world);
    const settled = new Set(
      all.flatMap(({ lister, peer, back }) => (back === undefined ? [] : [`${lister.entry.input} ${peer.line}`])),
    );
    const secrets = secretKeys(world);
    const between = oncePerPair(all, (listing) => {
      const found = listing.back === undefined ? mismatch(listing, settled, secrets, world) : undefined;
      return found === undefined ? [] : [found];
    });
    const told = new Set(between.map(({ facts }) => facts.place));
    return [...between, ...mistyped(secrets, world).filter(({ facts }) => !told.has(facts.place))];
  },
  message({ place, written, other, otherPlace, wantedShort, listedAt, distance }) {
    if (written === null) {
      return `${listedAt} has ${place} as its peer, which has no [Peer] with the key of ${other}, ${wantedShort}`;
    }
    const slip =
      distance === null ? '' : ` (${distance === 1 ? 'one character differs' : `${distance} characters differ`})`;
    return `${place} has the key ${written} where the key of ${other} is meant, which by ${otherPlace} is ${wantedShort}${slip}`;
  },
  fix: ({ place, written, wanted, other }) => ({
    linux: [
      `at ${place}: PublicKey = ${wanted}`,
      'then load it, the tunnel staying up: wg syncconf INTERFACE <(wg-quick strip INTERFACE)',
      `to compare, on the host of ${other}: wg show INTERFACE public-key`,
    ],
    routeros: [
      written === null
        ? `/interface wireguard peers add interface=INTERFACE public-key="${wanted}" allowed-address=…`
        : `/interface wireguard peers print; /interface wireguard peers set NUMBER public-key="${wanted}"`,
      'to compare: /interface wireguard print proplist=name,public-key',
    ],
  }),
});

function mismatch(
  listing: Listing,
  settled: ReadonlySet<string>,
  secrets: ReadonlySet<string>,
  world: World,
): Found<MismatchFacts> | undefined {
  const { lister, listed, peer } = listing;
  const meant = meantPeer(listing, settled);
  const key = meant?.publicKey?.value === undefined ? undefined : world.keys.find(meant.publicKey.value);
  // nobody writes first, and no [Peer] looks as if it was for this one: two files of different tunnels
  if (meant === undefined && peer.endpoint === undefined) return undefined;
  // key-role-swap and peer-header-missing say it better, and a private key is never shown
  if (key !== undefined && (key === listed.own || secrets.has(key.text))) return undefined;
  if (lostWithHeader(lister, listed)) return undefined;
  const apart = key === undefined ? Number.POSITIVE_INFINITY : differingCharacters(key.text, lister.own.text);
  const confirmed = unlessConfirmed(world, lister.own, listed.own);
  return {
    facts: {
      file: listed.entry.name,
      place: placeOf(listed.entry, key === undefined ? undefined : meant?.publicKey?.line),
      written: key === undefined ? null : shortKey(key.key),
      other: lister.entry.name,
      otherPlace: placeOf(lister.entry, lister.entry.conf.interface.privateKey?.line),
      wanted: lister.own.text,
      wantedShort: shortKey(lister.own.key),
      listedAt: placeOf(lister.entry, peer.publicKey?.line ?? peer.line),
      distance: apart <= MISTYPED ? apart : null,
    },
    certainty: key === undefined ? 'proven' : 'deduced',
    ...confirmed,
    subject: fileSubject(listed.entry),
    edits: key === undefined ? [] : settingEdit(listed.entry, meant?.publicKey?.line, 'PublicKey', lister.own.text),
    notes: [
      ...(key === undefined
        ? []
        : [
            `${placeOf(lister.entry, peer.publicKey?.line ?? peer.line)} has the key of ${listed.entry.name}, so the two files mean each other`,
          ]),
      ...(key === undefined ? [] : ownerNote(key)),
      ...confirmed.notes,
    ],
  };
}

/** Two keys made by chance are never that close; key-confusable has those of which the characters look alike. */
function mistyped(secrets: ReadonlySet<string>, world: World): Found<MismatchFacts>[] {
  const owned = new Map(ends(world).flatMap((end) => (end.presumed ? [] : [[end.own.text, end] as const])));
  return settings(world).flatMap((entry) =>
    [...entry.peers].flatMap(([text, { publicKey, line }]): Found<MismatchFacts>[] => {
      if (publicKey === undefined || owned.has(text) || secrets.has(text)) return [];
      const near = nearestKey(text, [...owned.keys()]);
      const end = near === undefined ? undefined : owned.get(near.key);
      if (near === undefined || end === undefined || plainKey(near.key) === plainKey(text)) return [];
      return [
        {
          facts: {
            file: entry.name,
            place: placeOf(entry, publicKey.line),
            written: shortKey(publicKey.value),
            other: end.entry.name,
            otherPlace: placeOf(end.entry, end.entry.conf.interface.privateKey?.line),
            wanted: end.own.text,
            wantedShort: shortKey(end.own.key),
            listedAt: placeOf(entry, line),
            distance: near.distance,
          },
          certainty: 'deduced',
          frames: [],
          subject: fileSubject(entry),
          edits: settingEdit(entry, publicKey.line, 'PublicKey', end.own.text),
          notes: [
            'two keys made by chance are never that close: it was mistyped, and nobody has the private key of it',
          ],
        },
      ];
    }),
  );
}

/** It is there, and a missing [Peer] line makes wg forget it. */
function lostWithHeader(lister: End, listed: End): boolean {
  return listed.entry.conf.faults.some(
    (fault) => fault.kind === 'second-public-key' && fault.first !== undefined && equal(fault.first, lister.own.key),
  );
}

function ownerNote(key: KnownKey): string[] {
  const owner = key.sources.find((source) => source.endsWith('[Interface]'));
  return owner === undefined ? [] : [`that is the key of ${owner}`];
}

/** The [Peer] in the listed file that was written for the lister: mistyped, at its port, or with its address. */
function meantPeer({ lister, listed, peer }: Listing, settled: ReadonlySet<string>): WgPeer | undefined {
  const port = lister.entry.conf.interface.listenPort?.value ?? 0;
  const addresses = ownAddresses(lister);
  let best: { readonly peer: WgPeer; readonly score: number } | undefined;
  for (const [text, candidate] of listed.entry.peers) {
    if (settled.has(`${listed.entry.input} ${candidate.line}`)) continue;
    let score = 0;
    if (differingCharacters(text, lister.own.text) <= MISTYPED) score += 8;
    if (port !== 0 && candidate.endpoint?.value.port === port) score += 2;
    if (addresses.some((ip) => covered(ip, candidate))) score += 2;
    if (peer.endpoint !== undefined && listed.entry.peers.size === 1) score += 1;
    if (score > (best?.score ?? 0)) best = { peer: candidate, score };
  }
  return best?.peer;
}
