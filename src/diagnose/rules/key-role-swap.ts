/** A key in the wrong place: the own public key as a peer, or somebody's private key where a public one belongs. */

import type { ConfEntry } from '../../analyze/key-set.ts';
import type { World } from '../../analyze/world.ts';
import { toBase64 } from '../../base/base64.ts';
import { ends, fileSubject, placeOf } from '../config-evidence.ts';
import { defineRule, type Facts, type Found } from '../rule.ts';

interface SwapFacts extends Facts {
  readonly swap: 'own-key-as-peer' | 'private-as-public';
  readonly place: string;
  readonly owner: string;
}

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
        ),
      ];
    });
    return [...own, ...privateAsPublic(world)];
  },
  message: ({ swap, place, owner }) =>
    swap === 'own-key-as-peer'
      ? `the PublicKey at ${place} is the own public key of this interface (${owner}), not that of another end`
      : `the PublicKey at ${place} is a private key, that of ${owner}`,
  fix: ({ swap, place }) => ({
    linux: [
      `at ${place}: PublicKey = what ‘wg show INTERFACE public-key’ prints on the other end`,
      ...(swap === 'own-key-as-peer'
        ? []
        : ['umask 077; wg genkey > new.key; wg pubkey < new.key   (a new pair for the key that was shown)']),
    ],
    routeros: ['on the other end: /interface wireguard print proplist=name,public-key'],
  }),
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
      return [found('private-as-public', entry, peer.publicKey?.line ?? peer.line, at)];
    }),
  );
}

function found(swap: SwapFacts['swap'], entry: ConfEntry, line: number, owner: string): Found<SwapFacts> {
  return {
    facts: { swap, place: placeOf(entry, line), owner },
    certainty: 'proven',
    frames: [],
    subject: fileSubject(entry),
  };
}
