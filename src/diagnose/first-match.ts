/** A packet as far as it is known, and what becomes of it where rules are asked in order and the first that fits decides. */
import { type IpBytes, inPrefix, type Prefix } from '../base/address.ts';
import { scopeOf } from '../base/address-scope.ts';

/** `maybe`: the text does not decide it. */
export type Fits = 'yes' | 'no' | 'maybe';

/** The interface that a packet comes in or goes out by. */
export interface Way {
  /** It is one of these; undefined where that is not known. */
  readonly names?: readonly string[];
  /** None of these, `*` at the end for any ending. */
  readonly never: readonly string[];
  /** It leads to the internet. */
  readonly outside?: true;
}

/** What a firewall is asked about. */
export interface Probe {
  readonly hook: 'input' | 'forward';
  readonly family: 'ip' | 'ip6';
  /** Undefined for traffic of any kind, as in a tunnel. */
  readonly protocol?: 'udp';
  readonly port?: number;
  readonly state: 'new' | 'established';
  readonly in: Way;
  readonly out: Way;
  /** Possible sources; empty where any may be. */
  readonly sources: readonly IpBytes[];
  readonly destinations: readonly IpBytes[];
}

/** What decided, as its own text has it. */
export interface Decider {
  readonly line: number;
  readonly text: string;
  /** Where a rule would have to stand to come first: `inet filter input`; the zone of firewalld. */
  readonly home: string;
  /** Packets that it has met so far, where the listing counts. */
  readonly packets?: number;
  readonly kind: 'rule' | 'policy';
}

export type Fate =
  | { readonly kind: 'accepted'; readonly by?: Decider }
  /** `unless`: rules before it that may let the packet in, if what they ask for is so. */
  | {
      readonly kind: 'refused';
      readonly how: 'drop' | 'reject';
      readonly by: Decider;
      readonly unless: readonly Decider[];
    }
  /** The text does not tell. */
  | { readonly kind: 'open' };

/** Rules asked about one packet: chains that jump to each other may multiply. */
export const MOST_STEPS = 100_000;

export function not(fits: Fits): Fits {
  if (fits === 'maybe') return fits;
  return fits === 'yes' ? 'no' : 'yes';
}

export function turned(fits: Fits, negated: boolean): Fits {
  return negated ? not(fits) : fits;
}

/** All of them. */
export function every(answers: Iterable<Fits>): Fits {
  let all: Fits = 'yes';
  for (const answer of answers) {
    if (answer === 'no') return 'no';
    if (answer === 'maybe') all = 'maybe';
  }
  return all;
}

/** One of them. */
export function some(answers: Iterable<Fits>): Fits {
  let any: Fits = 'no';
  for (const answer of answers) {
    if (answer === 'yes') return 'yes';
    if (answer === 'maybe') any = 'maybe';
  }
  return any;
}

/** Any of the ways a packet may have, where all of them must fit to be sure. */
function overAll<T>(possible: readonly T[], fits: (one: T) => boolean): Fits {
  const fitting = possible.filter(fits).length;
  if (fitting === possible.length) return 'yes';
  return fitting === 0 ? 'no' : 'maybe';
}

/** `eth*` of nft, `eth+` as read from iptables. */
export function namesInterface(pattern: string, name: string): boolean {
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : pattern === name;
}

export function byInterface({ names, never }: Way, patterns: readonly string[]): Fits {
  if (names !== undefined) return overAll(names, (name) => patterns.some((pattern) => namesInterface(pattern, name)));
  if (patterns.includes('*')) return 'yes';
  const possible = patterns.filter(
    (pattern) => !never.some((name) => namesInterface(pattern, name) || namesInterface(name, pattern)),
  );
  return possible.length === 0 ? 'no' : 'maybe';
}

export function byAddress(possible: readonly IpBytes[], prefixes: readonly Prefix[], family: Probe['family']): Fits {
  const length = family === 'ip' ? 4 : 16;
  const ours = prefixes.filter(({ ip }) => ip.length === length);
  if (ours.length === 0) return 'no';
  if (ours.some(({ bits }) => bits === 0)) return 'yes';
  if (possible.length > 0) return overAll(possible, (ip) => ours.some((prefix) => inPrefix(ip, prefix)));
  return ours.every(isOwnHost) ? 'no' : 'maybe';
}

/** Nothing comes from there over a network. */
const isOwnHost = ({ ip, bits }: Prefix): boolean => bits >= 8 && scopeOf(ip) === 'loopback';
