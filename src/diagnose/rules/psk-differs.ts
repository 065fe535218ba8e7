/** Both files list each other, and their preshared keys are not the same. */

import type { ConfEntry } from '../../analyze/key-set.ts';
import { equalSecret, isZero } from '../../base/bytes.ts';
import type { WgPeer } from '../../config/wg-conf.ts';
import { eitherWay, fileSubject, mutualPairs, oncePerPair, placeOf, unlessConfirmed } from '../config-evidence.ts';
import { defineRule, type Facts, type Found } from '../rule.ts';

interface PskFacts extends Facts {
  readonly has: string;
  /** The other place with another PSK; null where the other file has none. */
  readonly differs: string | null;
  readonly without: string | null;
  /** Public key to name the peer by, where the PSK is missing or to be set again. */
  readonly peer: string;
}

export const pskDiffers = defineRule({
  name: 'psk-differs',
  severity: 'error',
  on: 'files',
  group: 'config',
  spec: 'wp §5.2',
  explain: {
    what: 'two files list each other, and their PresharedKeys differ, or only one of them has one',
    why: 'the PSK goes into the response: the responder answers, the initiator cannot open the answer and drops it, and both show no handshake although packets flow',
    fix: 'put the same PresharedKey (`wg genpsk`) into the [Peer] sections of both files, or take it out of both',
  },
  check(world): Found<PskFacts>[] {
    return oncePerPair(
      mutualPairs(world),
      ({ lister, listed, peer, back }): Found<PskFacts>[] => {
        if (unreadable(lister.entry, peer) || unreadable(listed.entry, back)) return [];
        const here = pskOf(peer);
        const there = pskOf(back);
        if (here === undefined && there === undefined) return [];
        if (here !== undefined && there !== undefined && equalSecret(here, there)) return [];
        const a = placeOf(lister.entry, peer.presharedKey?.line ?? peer.line);
        const b = placeOf(listed.entry, back.presharedKey?.line ?? back.line);
        const confirmed = unlessConfirmed(world, lister.own, listed.own);
        return [
          {
            facts: {
              has: here === undefined ? b : a,
              differs: here !== undefined && there !== undefined ? b : null,
              without: here === undefined ? a : there === undefined ? b : null,
              peer: here === undefined ? listed.own.text : lister.own.text,
            },
            certainty: 'proven',
            ...confirmed,
            subject: fileSubject(here === undefined ? lister.entry : listed.entry),
          },
        ];
      },
      eitherWay,
    );
  },
  message: ({ has, differs, without }) =>
    differs === null
      ? `${has} has a PresharedKey, and the [Peer] for the other end at ${without} has none`
      : `the PresharedKeys of one tunnel differ: ${has} and ${differs}`,
  fix: ({ peer, differs, without }) => ({
    linux: [
      `at ${without ?? differs}: the same PresharedKey line as in the other file`,
      `at once, until restart: wg set INTERFACE peer ${peer} preshared-key FILE-WITH-THE-PSK`,
    ],
    routeros: [
      `/interface wireguard peers set [find public-key="${peer}"] preshared-key="…the same as at the other end"`,
    ],
  }),
});

/** All zero means no PSK (wp §5.2). */
function pskOf({ presharedKey }: WgPeer): Uint8Array | undefined {
  return presharedKey === undefined || isZero(presharedKey.value) ? undefined : presharedKey.value;
}

/** There is one that could not be read, which is another fault, or the text keeps it to itself: nothing to compare. */
function unreadable({ conf }: ConfEntry, peer: WgPeer): boolean {
  if (peer.hidesPsk === true) return true;
  const index = conf.peers.indexOf(peer);
  return conf.faults.some(
    (fault) => fault.kind === 'key-malformed' && fault.setting === 'PresharedKey' && fault.peer === index,
  );
}
