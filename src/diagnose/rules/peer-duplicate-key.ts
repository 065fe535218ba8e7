/** The same PublicKey in several [Peer] sections of one file. */

import type { ConfEntry } from '../../analyze/key-set.ts';
import type { Prefix } from '../../base/address.ts';
import { toBase64 } from '../../base/base64.ts';
import { networkText } from '../../base/prefix.ts';
import type { WgPeer } from '../../config/wg-conf.ts';
import { fileSubject, settings } from '../config-evidence.ts';
import { allowedIpsEdit } from '../edit.ts';
import { defineRule, type Facts, type Found } from '../rule.ts';

const LISTED = 6;

interface DuplicateFacts extends Facts {
  readonly file: string;
  readonly lines: readonly string[];
  readonly lost: readonly string[];
  readonly last: number;
  readonly all: string;
}

export const peerDuplicateKey = defineRule({
  name: 'peer-duplicate-key',
  severity: 'warning',
  on: 'files',
  group: 'config',
  explain: {
    what: 'two [Peer] sections of one interface have the same PublicKey',
    why: 'a public key is one peer: `wg` sets it twice, and the AllowedIPs of the last section take the place of those before, whose networks are no longer reached; what only an earlier section sets, as Endpoint, stays',
    fix: 'put all AllowedIPs of the peer into one [Peer] section; two devices need a key pair each',
  },
  check: (world): Found<DuplicateFacts>[] => settings(world).flatMap(duplicates),
  message({ file, lines, lost }) {
    const sections = `${file} has one PublicKey in ${lines.length} [Peer] sections (lines ${lines.join(', ')})`;
    return lost.length === 0
      ? `${sections}: it is one peer, and nothing is lost by it`
      : `${sections}: the AllowedIPs of the last replace the others, ${lost.join(', ')} ${lost.length === 1 ? 'is' : 'are'} lost`;
  },
  fix: ({ file, last, all }) => ({
    linux: [
      `in ${file}: one [Peer] section with AllowedIPs = ${all}`,
      `the section at line ${last} is the one that counts; to see what was loaded: wg show INTERFACE allowed-ips`,
    ],
    routeros: [
      '/interface wireguard peers print; /interface wireguard peers remove NUMBER',
      `/interface wireguard peers set NUMBER allowed-address=${all.replaceAll(' ', '')}`,
    ],
  }),
});

function duplicates(entry: ConfEntry): Found<DuplicateFacts>[] {
  const byKey = new Map<string, WgPeer[]>();
  for (const peer of entry.conf.peers) {
    if (peer.publicKey === undefined) continue;
    const key = toBase64(peer.publicKey.value);
    const list = byKey.get(key);
    if (list === undefined) byKey.set(key, [peer]);
    else list.push(peer);
  }
  return [...byKey.values()].flatMap((peers) => {
    const last = peers.at(-1);
    return peers.length < 2 || last === undefined ? [] : [found(entry, peers, last)];
  });
}

function found(entry: ConfEntry, peers: readonly WgPeer[], last: WgPeer): Found<DuplicateFacts> {
  const byText = new Map<string, Prefix>();
  for (const { value } of [...last.allowedIps, ...peers.flatMap(({ allowedIps }) => allowedIps)]) {
    const text = networkText(value);
    if (!byText.has(text)) byText.set(text, value);
  }
  const all = [...byText.values()];
  const kept = new Set(last.allowedIps.map(({ value }) => networkText(value)));
  const lost = all.filter((prefix) => !kept.has(networkText(prefix)));
  const texts = lost.map(networkText);
  return {
    facts: {
      file: entry.name,
      lines: peers.map(({ line }) => `${line}`),
      lost: texts.length > LISTED ? [...texts.slice(0, LISTED), `${texts.length - LISTED} more`] : texts,
      last: last.line,
      all: all
        .slice(0, 2 * LISTED)
        .map(networkText)
        .join(', '),
    },
    certainty: entry.origin.kind === 'wg-quick' ? 'proven' : 'suspected',
    ...(lost.length === 0 ? { severity: 'info' as const } : {}),
    frames: [],
    subject: fileSubject(entry),
    edits: lost.length === 0 ? [] : allowedIpsEdit(entry, last, all),
  };
}
