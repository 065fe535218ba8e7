/** A private-key on a RouterOS peer, from which the router makes another public key than the one that is written beside it. */
import type { ConfEntry } from '../../analyze/key-set.ts';
import type { World } from '../../analyze/world.ts';
import { toBase64 } from '../../base/base64.ts';
import { equal } from '../../base/bytes.ts';
import { shortKey } from '../../base/keys.ts';
import type { RosPeer } from '../../config/routeros/wireguard.ts';
import { fileSubject, placeOf, settings } from '../config-evidence.ts';
import { routerOf } from '../ros-evidence.ts';
import { defineRule, type Facts, type Found } from '../rule.ts';

interface AutoFacts extends Facts {
  readonly place: string;
  readonly auto: boolean;
  readonly publicKey: string;
  /** What the private key amounts to; null where the router makes it up. */
  readonly derived: string | null;
  readonly find: string;
}

export const rosAutoPrivateKey = defineRule({
  name: 'ros-auto-private-key',
  severity: 'warning',
  on: 'files',
  group: 'config',
  explain: {
    what: 'a peer of RouterOS has both a public-key and a private-key, auto or one that does not belong to it',
    why: 'a private-key on a peer is that of the other end, kept to make a configuration for it: the router takes the public key from it and forgets the one that was written, so the real other end is unknown to it',
    fix: 'take the private-key out of the peer and set its public-key again',
  },
  check: (world): Found<AutoFacts>[] => settings(world).flatMap((entry) => found(entry, world)),
  message: ({ place, auto, publicKey, derived }) =>
    auto
      ? `${place} sets private-key=auto on a peer with the public-key ${publicKey}: the router makes up a key pair for it, and that public-key is lost`
      : `${place} has a private-key on the peer with the public-key ${publicKey}, which belongs to ${derived ?? 'another key'}: the router takes that one`,
  fix: ({ find }) => ({
    linux: ['at the other end, the key that is right: wg show INTERFACE public-key'],
    routeros: [
      `/interface wireguard peers set [find public-key="${find}"] private-key=none   (or remove the peer and add it with its public-key alone)`,
      `/interface wireguard peers set NUMBER public-key="${find}"; /interface wireguard peers print   (it has to show this key then)`,
    ],
  }),
});

function found(entry: ConfEntry, world: World): Found<AutoFacts>[] {
  return (routerOf(entry)?.end.peers ?? []).flatMap((peer): Found<AutoFacts>[] => {
    const { publicKey, privateKey } = peer;
    if (publicKey === undefined || privateKey === undefined || privateKey.value.kind === 'none') return [];
    const derived = derivedKey(peer, world);
    const auto = privateKey.value.kind === 'auto';
    if (!auto && (derived === undefined || derived === toBase64(publicKey.value))) return [];
    const known = derived === undefined ? undefined : world.keys.publics.get(derived);
    return [
      {
        facts: {
          place: placeOf(entry, privateKey.line),
          auto,
          publicKey: shortKey(publicKey.value),
          derived: known === undefined ? null : shortKey(known.key),
          find: toBase64(publicKey.value),
        },
        certainty: auto ? 'suspected' : 'deduced',
        frames: [],
        subject: fileSubject(entry),
      },
    ];
  });
}

/** Base64 of the public key that belongs to the peer's private one. */
function derivedKey({ privateKey }: RosPeer, { keys }: World): string | undefined {
  if (privateKey?.value.kind !== 'key') return undefined;
  const { key } = privateKey.value;
  for (const known of keys.publics.values()) {
    if (known.private !== undefined && equal(known.private, key)) return known.text;
  }
  return undefined;
}
