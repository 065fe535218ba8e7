/** A key in the wrong place: the own public key as a peer, or somebody's private key where a public one belongs. */

import type { ConfEntry } from '../../analyze/key-set.ts';
import type { World } from '../../analyze/world.ts';
import { toBase64 } from '../../base/base64.ts';
import { shortKey } from '../../base/keys.ts';
import { type End, ends, fileSubject, missingPeer, placeOf } from '../config-evidence.ts';
import { settingEdit } from '../edit.ts';
import { defineRule, type Facts, type Fix, type Found } from '../rule.ts';

interface SwapFacts extends Facts {
  readonly swap: 'own-key-as-peer' | 'private-as-public' | 'public-as-private';
  readonly place: string;
  readonly owner: string;
  /** The public key that belongs there, and the file that it is derived from. */
  readonly wanted: string | null;
  readonly wantedFrom: string | null;
}

const NEW_PAIR: Fix = {
  linux: [
    'umask 077; wg genkey > new.key; wg pubkey < new.key   (new.key into PrivateKey, what is printed to the other end)',
  ],
  routeros: ['/interface wireguard set INTERFACE private-key=…, then /interface wireguard print shows the public one'],
};

export const keyRoleSwap = defineRule({
  name: 'key-role-swap',
  severity: 'error',
  on: 'files',
  group: 'config',
  spec: 'wp §2',
  explain: {
    what: 'a [Peer] has the interface’s own public key, or a private key stands where a public key belongs',
    why: 'Linux leaves out a peer with its own key without a word; a private key in a PublicKey line is a public key that nobody has, and it is no secret any more',
    fix: 'a [Peer] takes the public key of the other end, derived from its private key by `wg pubkey`; a private key that was shown to others is to be replaced',
  },
  check(world): Found<SwapFacts>[] {
    const own = ends(world).flatMap(({ entry, own: key }): Found<SwapFacts>[] => {
      const peer = entry.peers.get(key.text);
      if (peer === undefined) return [];
      return [
        found(
          'own-key-as-peer',
          entry,
          peer.publicKey?.line ?? peer.line,
          placeOf(entry, entry.conf.interface.privateKey?.line),
          missingPeer(entry, world),
        ),
      ];
    });
    return [...own, ...privateAsPublic(world), ...publicAsPrivate(world)];
  },
  message: ({ swap, place, owner }) =>
    swap === 'public-as-private'
      ? `the PrivateKey at ${place} is the public key of ${owner}: the private one of this end belongs there`
      : swap === 'own-key-as-peer'
        ? `the PublicKey at ${place} is the own public key of this interface (${owner}), not that of another end`
        : `the PublicKey at ${place} is a private key, that of ${owner}`,
  fix: ({ swap, place, wanted }) =>
    swap === 'public-as-private'
      ? NEW_PAIR
      : {
          linux: [
            `at ${place}: PublicKey = ${wanted ?? 'what ‘wg show INTERFACE public-key’ prints on the other end'}`,
            ...(swap === 'own-key-as-peer'
              ? []
              : ['umask 077; wg genkey > new.key; wg pubkey < new.key   (a new pair for the key that was shown)']),
          ],
          routeros: ['on the other end: /interface wireguard print proplist=name,public-key'],
        },
});

function privateAsPublic(world: World): Found<SwapFacts>[] {
  const owners = new Map<string, ConfEntry>();
  for (const entry of world.keys.confs) {
    const secret = entry.conf.interface.privateKey?.value;
    if (secret !== undefined) owners.set(toBase64(secret), entry);
  }
  return world.keys.confs.flatMap((entry) =>
    [...entry.peers].flatMap(([text, peer]): Found<SwapFacts>[] => {
      const owner = owners.get(text);
      if (owner === undefined) return [];
      const at = placeOf(owner, owner.conf.interface.privateKey?.line);
      return [found('private-as-public', entry, peer.publicKey?.line ?? peer.line, at, derivedFrom(owner))];
    }),
  );
}

/** Derived from its own private key, a public key stands as the private one of another file. */
function publicAsPrivate(world: World): Found<SwapFacts>[] {
  const publics = new Map(ends(world).map((end) => [end.own.text, end]));
  return world.keys.confs.flatMap((entry): Found<SwapFacts>[] => {
    const secret = entry.conf.interface.privateKey;
    const owner = secret === undefined ? undefined : publics.get(toBase64(secret.value));
    if (secret === undefined || owner === undefined || owner.entry === entry) return [];
    const at = placeOf(owner.entry, owner.entry.conf.interface.privateKey?.line);
    return [found('public-as-private', entry, secret.line, at, undefined)];
  });
}

/** The private half stands where the public one belongs. */
function derivedFrom(owner: ConfEntry): Pick<End, 'entry' | 'own'> | undefined {
  return owner.own === undefined ? undefined : { entry: owner, own: owner.own };
}

function found(
  swap: SwapFacts['swap'],
  entry: ConfEntry,
  line: number,
  owner: string,
  meant: Pick<End, 'entry' | 'own'> | undefined,
): Found<SwapFacts> {
  // a file’s own key in the wrong place of that same file says nothing of the other end
  const wanted = meant === undefined || meant.own === entry.own ? undefined : meant;
  return {
    facts: {
      swap,
      place: placeOf(entry, line),
      owner,
      wanted: wanted?.own.text ?? null,
      wantedFrom: wanted?.entry.name ?? null,
    },
    certainty: 'proven',
    frames: [],
    subject: fileSubject(entry),
    edits: wanted === undefined ? [] : settingEdit(entry, line, 'PublicKey', wanted.own.text),
    notes:
      wanted === undefined
        ? []
        : [`the key that fits is the public key of ${wanted.entry.name}, ${shortKey(wanted.own.key)}`],
  };
}
