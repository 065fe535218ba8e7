/** AllowedIPs: looking up the source inside a packet, and filling the table, at three sizes. */
import type { Prefix } from '../src/base/address.ts';
import type { Bytes } from '../src/base/bytes.ts';
import { AllowedIps, type IpLength } from '../src/wg/allowed-ips.ts';
import { type Group, must, numbers, randomBytes, type Subject, type Task } from './subject.ts';

const SIZES = [10, 1_000, 100_000];
const OPS = 4096;
/** Where the source stands in an inner packet (RFC 791 §3.1, RFC 8200 §3). */
const SOURCE_AT = { 4: 12, 16: 8 } as const;

/** Like a big hub's: mostly whole addresses and small subnets, in a few large networks. */
function prefixes(count: number, length: IpLength): readonly Prefix[] {
  const next = numbers(count);
  return Array.from({ length: count }, () => {
    const ip = randomBytes(next, length);
    ip[0] = 0x20 + (next() & 3);
    return { ip, bits: length * 8 - ((next() & 1) === 0 ? 0 : next() % (length * 4)) };
  });
}

function filled(rows: readonly Prefix[]): AllowedIps<number> {
  const table = new AllowedIps<number>();
  for (const [i, prefix] of rows.entries()) table.insert(prefix, i >>> 1);
  return table;
}

/** Packets from addresses in the table, since those are what a tunnel carries. */
function packets(rows: readonly Prefix[], length: IpLength): readonly Bytes[] {
  const next = numbers(7);
  return Array.from({ length: OPS }, () => {
    const packet = new Uint8Array(64);
    packet.set(rows[next() % rows.length]?.ip ?? [], SOURCE_AT[length]);
    return packet;
  });
}

function looking(count: number, length: IpLength): Task {
  const rows = prefixes(count, length);
  const table = filled(rows);
  const ring = packets(rows, length);
  const at = SOURCE_AT[length];
  const run = (): void => {
    let found = 0;
    for (const packet of ring) if (table.lookup(packet, at, length) !== undefined) found++;
    must(found === OPS);
  };
  return { name: `${count} prefixes`, run, ops: OPS };
}

function filling(count: number): Task {
  const rows = prefixes(count, 4);
  return { name: `${count} prefixes`, run: () => must(filled(rows).size > 0), ops: count };
}

const groups = (): readonly Group[] => [
  { name: 'look up IPv4', tasks: SIZES.map((count) => looking(count, 4)) },
  { name: 'look up IPv6', tasks: SIZES.map((count) => looking(count, 16)) },
  { name: 'insert IPv4', tasks: SIZES.map(filling) },
];

export const allowedIps: Subject = { name: 'allowed-ips', groups };
