/** A public key that becomes a known one when l, 1, I and O, 0 are read as each other. */

import type { ConfEntry, KnownKey } from '../../analyze/key-set.ts';
import type { World } from '../../analyze/world.ts';
import { shortKey } from '../../base/keys.ts';
import type { WgPeer } from '../../config/wg-conf.ts';
import { fileSubject, placeOf, secretKeys } from '../config-evidence.ts';
import { settingEdit } from '../edit.ts';
import { hasAnswered } from '../endpoint-evidence.ts';
import { plainKey } from '../key-distance.ts';
import { defineRule, type Facts, type Found } from '../rule.ts';

interface ConfusableFacts extends Facts {
  readonly place: string;
  readonly written: string;
  readonly wanted: string;
  readonly wantedShort: string;
  readonly owner: string;
  /** `character 8: l for I` */
  readonly differs: readonly string[];
}

export const keyConfusable = defineRule({
  name: 'key-confusable',
  severity: 'warning',
  on: 'files',
  group: 'config',
  explain: {
    what: 'a public key is like another one that is known, but for characters that look alike: l, 1 and I, or O and 0',
    why: 'two keys made by chance are never that close: it was typed off a screen or a picture, and nobody has the private key of the result',
    fix: 'copy the key as text, and compare it with what `wg show INTERFACE public-key` prints on the other end',
  },
  check(world): Found<ConfusableFacts>[] {
    const alike = new Map<string, KnownKey[]>();
    for (const known of world.keys.publics.values()) {
      const list = alike.get(plainKey(known.text));
      if (list === undefined) alike.set(plainKey(known.text), [known]);
      else list.push(known);
    }
    const secrets = secretKeys(world);
    const groups = [...alike.values()].filter((group) => group.length > 1);
    // what stands in a file as a public key may be somebody’s private key: key-role-swap says that
    const told = groups.filter((group) => group.every(({ text }) => !secrets.has(text)));
    return told.flatMap((group) => judge(group, world));
  },
  message: ({ place, owner, wantedShort, differs }) =>
    `the PublicKey at ${place} is like that of ${owner}, ${wantedShort}, but for characters that look alike (${differs.join(', ')})`,
  fix: ({ place, wanted }) => ({
    linux: [
      `at ${place}: PublicKey = ${wanted}`,
      'then load it, the tunnel staying up: wg syncconf INTERFACE <(wg-quick strip INTERFACE)',
    ],
    routeros: [`/interface wireguard peers print; /interface wireguard peers set NUMBER public-key="${wanted}"`],
  }),
});

/** The right one is who owns it or gives it by name; among peers of files alone it is the one that more files have. */
function judge(group: readonly KnownKey[], world: World): Found<ConfusableFacts>[] {
  const right = group.filter((known) => isOwned(known) || hasAnswered(world, known.key));
  const [most] = [...(right.length > 0 ? right : group)].sort((a, b) => b.sources.length - a.sources.length);
  if (most === undefined) return [];
  return group
    .filter((known) => !right.includes(known) && known !== most)
    .flatMap((known) => world.keys.confs.flatMap((entry) => found(entry, known, most, right.length > 0)));
}

/** It has another source than a [Peer]: an own key, or one that was given by name. */
function isOwned({ sources }: KnownKey): boolean {
  return sources.some((source) => !source.includes(' [Peer] '));
}

function found(entry: ConfEntry, wrong: KnownKey, right: KnownKey, owned: boolean): Found<ConfusableFacts>[] {
  const peer: WgPeer | undefined = entry.peers.get(wrong.text);
  if (peer === undefined) return [];
  return [
    {
      facts: {
        place: placeOf(entry, peer.publicKey?.line),
        written: shortKey(wrong.key),
        wanted: right.text,
        wantedShort: shortKey(right.key),
        owner: right.sources[0] ?? 'a known key',
        differs: differences(wrong.text, right.text),
      },
      certainty: owned ? 'deduced' : 'suspected',
      frames: [],
      subject: fileSubject(entry),
      edits: owned ? settingEdit(entry, peer.publicKey?.line, 'PublicKey', right.text) : [],
      notes: owned ? [] : ['which of the two is right is not shown: neither is the own key of an end that is here'],
    },
  ];
}

function differences(wrong: string, right: string): string[] {
  return [...wrong].flatMap((character, i) => {
    const other = right.charAt(i);
    return character === other ? [] : [`character ${i + 1}: ${character} for ${other}`];
  });
}
