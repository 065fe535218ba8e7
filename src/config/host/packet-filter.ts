/** Rules of a Linux packet filter in their order, from iptables or nft: what is understood of each, and what is not. */
import { type IpBytes, type Prefix, parseIp, parsePrefix } from '../../base/address.ts';
import type { ByteCount } from '../quantities.ts';

export type Hook = 'prerouting' | 'input' | 'forward' | 'output' | 'postrouting';
export type Family = 'ip' | 'ip6' | 'inet';

export interface PortRange {
  readonly from: number;
  readonly to: number;
}

/** What a packet must fit; `negated` turns it round. */
export type FilterMatch = { readonly negated: boolean } & (
  | { readonly kind: 'family'; readonly family: 'ip' | 'ip6' }
  /** `udp`, `tcp`, `icmp`, …, or a number. */
  | { readonly kind: 'protocol'; readonly protocols: readonly string[] }
  | { readonly kind: 'source-port' | 'destination-port'; readonly ranges: readonly PortRange[] }
  | { readonly kind: 'source' | 'destination'; readonly prefixes: readonly Prefix[] }
  /** A `*` at the end stands for any ending. */
  | { readonly kind: 'in-interface' | 'out-interface'; readonly names: readonly string[] }
  /** Lower case: `new`, `established`, `related`, `invalid`, `untracked`. */
  | { readonly kind: 'connection-state'; readonly states: readonly string[] }
);

export type Verdict =
  | { readonly kind: 'accept' | 'drop' | 'return' | 'masquerade' }
  /** No verdict: logging, counting, marking; the next rule is asked. */
  | { readonly kind: 'continue' }
  | { readonly kind: 'reject'; readonly with?: string }
  | { readonly kind: 'jump' | 'goto'; readonly chain: string }
  /** Address translation; `to` as written. */
  | { readonly kind: 'dnat' | 'snat' | 'redirect'; readonly to?: string }
  /** A target that is not known here. */
  | { readonly kind: 'other'; readonly text: string };

export interface FilterRule {
  readonly line: number;
  /** As listed, at most LONGEST_RULE characters of it: what a finding quotes. */
  readonly text: string;
  readonly matches: readonly FilterMatch[];
  /** Conditions that are not understood: whether a packet fits is then open. */
  readonly unknown: readonly string[];
  readonly verdict: Verdict;
  readonly comment?: string;
  readonly packets?: number;
  readonly bytes?: ByteCount;
}

export interface FilterChain {
  readonly line: number;
  readonly family: Family;
  readonly table: string;
  readonly name: string;
  /** Absent for a chain that is only jumped to. */
  readonly hook?: Hook;
  /** nft only; chains of one hook run from the lowest. */
  readonly priority?: number;
  /** What happens at the end of a chain with a hook. */
  readonly policy?: 'accept' | 'drop';
  /** Packets that met the policy, where the listing counts. */
  readonly policyPackets?: number;
  readonly rules: readonly FilterRule[];
}

export interface PacketFilter {
  readonly chains: readonly FilterChain[];
}

const LONGEST_RULE = 160;

/** One line, runs of white space as one space. */
export function ruleText(text: string): string {
  const plain = text
    .slice(0, 4 * LONGEST_RULE)
    .replace(/\s+/g, ' ')
    .trim();
  return plain.length > LONGEST_RULE ? `${plain.slice(0, LONGEST_RULE)}…` : plain;
}

/** The chains that iptables has from the beginning. */
export function builtInHook(chain: string): Hook | undefined {
  switch (chain) {
    case 'PREROUTING':
      return 'prerouting';
    case 'INPUT':
      return 'input';
    case 'FORWARD':
      return 'forward';
    case 'OUTPUT':
      return 'output';
    case 'POSTROUTING':
      return 'postrouting';
    default:
      return undefined;
  }
}

/** `51820`, `1000:2000`, `1000-2000`; undefined for a name. */
export function portRange(text: string): PortRange | undefined {
  const match = /^(\d{1,5})?(?:([:-])(\d{1,5})?)?$/.exec(text);
  if (match === null || text === '' || /^[:-]$/.test(text)) return undefined;
  const from = match[1] === undefined ? 0 : Number(match[1]);
  const to = match[2] === undefined ? from : match[3] === undefined ? 65535 : Number(match[3]);
  return to > 65535 || from > to ? undefined : { from, to };
}

/** Every item read, or undefined when one is not understood. */
export function all<T>(items: readonly string[], read: (item: string) => T | undefined): readonly T[] | undefined {
  const out: T[] = [];
  for (const item of items) {
    const value = read(item);
    if (value === undefined) return undefined;
    out.push(value);
  }
  return out;
}

function maskBits(mask: IpBytes): number | undefined {
  let bits = 0;
  while (bits < mask.length * 8 && ((mask[bits >> 3] ?? 0) & (0x80 >> (bits & 7))) !== 0) bits++;
  const rest = mask.some((byte, i) =>
    i * 8 >= bits ? byte !== 0 : i * 8 + 8 > bits && (byte << (bits & 7)) % 256 !== 0,
  );
  return rest ? undefined : bits;
}

/** `10.0.0.0/8`, `10.0.0.1`, `10.0.0.0/255.0.0.0`, `anywhere`. */
export function filterPrefix(text: string): Prefix | undefined {
  if (text === 'anywhere') return parsePrefix('0.0.0.0/0');
  const plain = parsePrefix(text);
  if (plain !== undefined) return plain;
  const [address, netmask] = text.split('/');
  const ip = parseIp(address ?? '');
  const mask = parseIp(netmask ?? '');
  const bits = mask === undefined ? undefined : maskBits(mask);
  return ip === undefined || mask?.length !== ip.length || bits === undefined ? undefined : { ip, bits };
}

const PROTOCOLS: ReadonlyMap<string, string> = new Map([
  ['0', 'all'],
  ['1', 'icmp'],
  ['2', 'igmp'],
  ['6', 'tcp'],
  ['17', 'udp'],
  ['47', 'gre'],
  ['50', 'esp'],
  ['51', 'ah'],
  ['58', 'icmpv6'],
  ['132', 'sctp'],
  ['136', 'udplite'],
  ['ipv6-icmp', 'icmpv6'],
]);

/** One word for a protocol, by whatever name or number. */
export function protocolName(text: string): string {
  const word = text.toLowerCase();
  return PROTOCOLS.get(word) ?? word;
}

/** iptables writes `wg+`, nft `wg*`. */
export function interfaceName(text: string): string {
  return text.endsWith('+') ? `${text.slice(0, -1)}*` : text;
}
