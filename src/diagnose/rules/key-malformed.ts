/** A key that cannot be read: cut, quoted, in hexadecimal, or with characters that no key has. */

import type { ConfEntry } from '../../analyze/key-set.ts';
import type { World } from '../../analyze/world.ts';
import type { KeyFaultKind } from '../../config/key-text.ts';
import type { ConfFault } from '../../config/wg-conf.ts';
import { fileSubject, missingPeer, placeOf } from '../config-evidence.ts';
import { settingEdit } from '../edit.ts';
import { defineRule, type Facts, type Found } from '../rule.ts';

type Malformed = Extract<ConfFault, { readonly kind: 'key-malformed' }>;

interface MalformedFacts extends Facts {
  readonly setting: Malformed['setting'];
  readonly place: string;
  readonly fault: KeyFaultKind;
  /** The public key that belongs there, where only one end can be meant. */
  readonly wanted: string | null;
}

const WORDS: Readonly<Record<Exclude<KeyFaultKind, 'placeholder'>, string>> = {
  missing: 'has no value',
  quoted: 'stands in quotation marks',
  hexadecimal: 'is written in hexadecimal, not in base64',
  character: 'contains a character that base64 does not have',
  length: 'does not have the 44 characters of a key',
  padding: "does not end with '='",
  'trailing-bits': "ends with a character that no key has before its '='",
};

const ROUTEROS = { PrivateKey: 'private-key', PublicKey: 'public-key', PresharedKey: 'preshared-key' } as const;

export const keyMalformed = defineRule({
  name: 'key-malformed',
  severity: 'error',
  on: 'files',
  group: 'config',
  explain: {
    what: 'a PrivateKey, PublicKey or PresharedKey is not the base64 of 32 bytes: 44 characters, the last one =',
    why: '`wg` refuses the whole file because of it (“Key is not the correct length or format”), so the tunnel does not come up, or goes on with what was set before',
    fix: 'copy the key again from where it was made, all 44 characters of it, without quotation marks and line breaks',
  },
  check: (world): Found<MalformedFacts>[] =>
    world.keys.confs.flatMap((entry) =>
      entry.conf.faults.flatMap((fault) => {
        // taken out before the file was handed over: not what runs
        if (fault.kind !== 'key-malformed' || fault.fault === 'placeholder') return [];
        return [found(entry, fault, world)];
      }),
    ),
  message: ({ setting, place, fault }) =>
    `the ${setting} at ${place} ${fault === 'placeholder' ? 'is a placeholder' : WORDS[fault]}`,
  fix: ({ setting, place, wanted }) => ({
    linux: linuxFix(setting, place, wanted),
    routeros: [
      setting === 'PrivateKey'
        ? '/interface wireguard set INTERFACE private-key="…"'
        : `/interface wireguard peers set NUMBER ${ROUTEROS[setting]}="${wanted ?? '…'}"`,
    ],
  }),
});

function found(entry: ConfEntry, fault: Malformed, world: World): Found<MalformedFacts> {
  const { setting, line } = fault;
  const wanted = setting === 'PublicKey' ? meantKey(entry, world) : undefined;
  const takenOut = fault.fault === 'missing' && setting !== 'PublicKey';
  return {
    facts: { setting, place: placeOf(entry, line), fault: fault.fault, wanted: wanted ?? null },
    certainty: 'proven',
    ...(takenOut ? { severity: 'info' as const } : {}),
    frames: [],
    subject: fileSubject(entry),
    edits: wanted === undefined ? [] : settingEdit(entry, line, setting, wanted),
    notes: [
      ...(takenOut ? ['if it was not taken out for handing the file over, `wg` refuses the file'] : []),
      ...(entry.origin.kind === 'routeros'
        ? ['RouterOS takes no such key, so the text was changed on its way here, or the command that sets it fails']
        : []),
    ],
  };
}

/** Where one key only cannot be read, there is no doubt which of them is the other end’s. */
function meantKey(entry: ConfEntry, world: World): string | undefined {
  const unread = entry.conf.faults.filter((fault) => fault.kind === 'key-malformed' && fault.setting === 'PublicKey');
  return unread.length === 1 ? missingPeer(entry, world)?.own.text : undefined;
}

function linuxFix(setting: Malformed['setting'], place: string, wanted: string | null): string[] {
  switch (setting) {
    case 'PublicKey':
      return [`at ${place}: PublicKey = ${wanted ?? 'what ‘wg show INTERFACE public-key’ prints on the other end'}`];
    case 'PrivateKey':
      return [
        `at ${place}: PrivateKey = the whole key again, 44 characters with the = at the end`,
        'where it is lost: umask 077; wg genkey > new.key; wg pubkey < new.key   (the other end needs the new public key)',
      ];
    case 'PresharedKey':
      return [
        `at ${place}: the same PresharedKey line as at the other end`,
        'where it is lost: wg genpsk   (the new one at both ends)',
      ];
  }
}
