/** Two PublicKeys in one [Peer]: the header between two peers was left out. */

import type { ConfEntry } from '../../analyze/key-set.ts';
import type { World } from '../../analyze/world.ts';
import { toBase64 } from '../../base/base64.ts';
import { equal } from '../../base/bytes.ts';
import type { PublicKey } from '../../base/keys.ts';
import { fileSubject, placeOf, secretKeys } from '../config-evidence.ts';
import { defineRule, type Facts, type Found } from '../rule.ts';

interface HeaderFacts extends Facts {
  readonly file: string;
  readonly header: number;
  readonly first: number;
  readonly second: number;
  readonly lost: string | null;
}

export const peerHeaderMissing = defineRule({
  name: 'peer-header-missing',
  severity: 'error',
  on: 'files',
  group: 'config',
  explain: {
    what: 'one [Peer] section has two PublicKeys',
    why: '`wg` takes the last key and joins the AllowedIPs of both: the first peer does not exist, and its initiations are dropped as from an unknown peer',
    fix: 'write a [Peer] line above the second PublicKey, with the settings of each peer in its own section',
  },
  check: (world): Found<HeaderFacts>[] =>
    world.keys.confs.flatMap((entry) =>
      entry.conf.faults.flatMap((fault): Found<HeaderFacts>[] => {
        if (fault.kind !== 'second-public-key') return [];
        const { first, second } = fault;
        // the same key twice changes nothing
        if (first !== undefined && second !== undefined && equal(first, second)) return [];
        return [
          {
            facts: {
              file: entry.name,
              header: entry.conf.peers[fault.peer]?.line ?? fault.firstLine,
              first: fault.firstLine,
              second: fault.line,
              lost: first === undefined ? null : ownerOf(first, entry, world),
            },
            certainty: 'proven',
            frames: [],
            subject: fileSubject(entry),
            edits:
              entry.origin.kind === 'wg-quick'
                ? [{ input: entry.input, line: fault.line - 1, kind: 'insert-after', text: '[Peer]' }]
                : [],
          },
        ];
      }),
    ),
  message({ file, header, first, second, lost }) {
    const whose = lost === null ? '' : `, that of ${lost},`;
    return `the [Peer] at ${file} line ${header} has two PublicKeys (lines ${first} and ${second}): the first${whose} is lost`;
  },
  fix: ({ file, second }) => ({
    linux: [`in ${file}: a [Peer] line above line ${second}`, 'to see what was loaded: wg show INTERFACE peers'],
  }),
});

function ownerOf(key: PublicKey, entry: ConfEntry, world: World): string | null {
  const text = toBase64(key);
  if (secretKeys(world).has(text)) return null;
  const owner = world.keys.confs.find(({ own }) => own?.text === text);
  return owner === undefined || owner === entry ? null : placeOf(owner, undefined);
}
