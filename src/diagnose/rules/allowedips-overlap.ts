/** The same prefix stands on two peers of one file. */

import type { ConfEntry } from '../../analyze/key-set.ts';
import { formatPrefix, maskIp } from '../../base/address.ts';
import { toBase64 } from '../../base/base64.ts';
import { fileSubject } from '../config-evidence.ts';
import { defineRule, type Facts, type Found } from '../rule.ts';

const PREFIXES = 20;
const LINES = 8;

interface OverlapFacts extends Facts {
  readonly file: string;
  readonly prefix: string;
  readonly lines: readonly string[];
  readonly peers: number;
  readonly winner: string;
}

interface Holder {
  readonly line: number;
  readonly key: string;
}

export const allowedipsOverlap = defineRule({
  name: 'allowedips-overlap',
  severity: 'error',
  on: 'files',
  group: 'config',
  spec: 'wp §2',
  explain: {
    what: 'exactly the same prefix is in the AllowedIPs of two peers of one interface',
    why: 'a prefix belongs to one peer: on Linux the last one that is configured takes it, the earlier ones show `allowed ips: (none)` for it, receive nothing and have what they send dropped; handshakes still succeed',
    fix: 'give each peer prefixes of its own; for clients of a server their tunnel address alone, /32 or /128',
  },
  check: (world): Found<OverlapFacts>[] => world.keys.confs.flatMap((entry) => overlaps(entry)),
  message({ file, prefix, lines, peers, winner }) {
    const more = peers > lines.length ? ` and ${peers - lines.length} more` : '';
    return `${prefix} is in the AllowedIPs of ${peers} peers of ${file} (lines ${lines.join(', ')}${more}): on Linux only the last, line ${winner}, has it`;
  },
  fix: ({ prefix }) => ({
    linux: ['wg show INTERFACE allowed-ips', `who has it now: wg show INTERFACE allowed-ips | grep -F '${prefix}'`],
    routeros: [
      '/interface wireguard peers print proplist=interface,public-key,allowed-address',
      `who has it: /interface wireguard peers print where allowed-address~"${prefix}"`,
    ],
  }),
});

function overlaps(entry: ConfEntry): Found<OverlapFacts>[] {
  const holders = new Map<string, Holder[]>();
  for (const peer of entry.conf.peers) {
    if (peer.publicKey === undefined) continue;
    const key = toBase64(peer.publicKey.value);
    for (const { value, line } of peer.allowedIps) {
      const prefix = formatPrefix({ ip: maskIp(value.ip, value.bits), bits: value.bits });
      const list = holders.get(prefix);
      if (list === undefined) holders.set(prefix, [{ line, key }]);
      // the same prefix again on the same peer changes nothing
      else if (list.at(-1)?.key !== key) list.push({ line, key });
    }
  }
  const out: Found<OverlapFacts>[] = [];
  for (const [prefix, list] of holders) {
    const last = list.at(-1);
    if (last === undefined || new Set(list.map(({ key }) => key)).size < 2) continue;
    if (out.length === PREFIXES) break;
    out.push({
      facts: {
        file: entry.name,
        prefix,
        lines: list.slice(0, LINES).map(({ line }) => `${line}`),
        peers: list.length,
        winner: `${last.line}`,
      },
      certainty: 'proven',
      frames: [],
      subject: fileSubject(entry),
    });
  }
  return out;
}
