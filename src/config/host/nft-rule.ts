/** One rule of an nft chain: conditions and verdict; a verdict map becomes one rule for each of its items. */
import { given } from '../given.ts';
import { type ByteCount, parseByteCount } from '../quantities.ts';
import type { NftCursor } from './nft-tokens.ts';
import {
  all,
  type FilterMatch,
  type FilterRule,
  filterPrefix,
  interfaceName,
  portRange,
  protocolName,
  ruleText,
  type Verdict,
} from './packet-filter.ts';

/** A named set of a table; what a reader makes of it is kept, since any number of rules may ask for it. */
export interface NftSet {
  readonly elements: readonly string[];
  readonly read: Map<Reader, FilterMatch | undefined>;
}

export type NftSets = ReadonlyMap<string, NftSet>;

/** Conditions of one rule, and items of one map, that are read: each item becomes a rule with all the conditions. */
const MOST_CONDITIONS = 32;
const MOST_ITEMS = 512;

type Reader = (values: readonly string[], negated: boolean) => FilterMatch | undefined;

const protocol: Reader = (values, negated) => ({ kind: 'protocol', protocols: values.map(protocolName), negated });
const states: Reader = (values, negated) => ({ kind: 'connection-state', states: values, negated });
const prefixes =
  (kind: 'source' | 'destination'): Reader =>
  (values, negated) => {
    const read = all(values, filterPrefix);
    return read === undefined ? undefined : { kind, prefixes: read, negated };
  };
const ports =
  (kind: 'source-port' | 'destination-port'): Reader =>
  (values, negated) => {
    const ranges = all(values, portRange);
    return ranges === undefined ? undefined : { kind, ranges, negated };
  };
const names =
  (kind: 'in-interface' | 'out-interface'): Reader =>
  (values, negated) => ({ kind, names: values.map(interfaceName), negated });

const CONDITIONS: ReadonlyMap<string, Reader> = new Map([
  ['iifname', names('in-interface')],
  ['iif', names('in-interface')],
  ['oifname', names('out-interface')],
  ['oif', names('out-interface')],
  ['meta iifname', names('in-interface')],
  ['meta iif', names('in-interface')],
  ['meta oifname', names('out-interface')],
  ['meta oif', names('out-interface')],
  ['meta l4proto', protocol],
  ['ip protocol', protocol],
  ['ip6 nexthdr', protocol],
  [
    'meta nfproto',
    (values, negated) =>
      values.length === 1 && /^ipv[46]$/.test(values[0] ?? '')
        ? { kind: 'family', family: values[0] === 'ipv6' ? 'ip6' : 'ip', negated }
        : undefined,
  ],
  ['ip saddr', prefixes('source')],
  ['ip6 saddr', prefixes('source')],
  ['ip daddr', prefixes('destination')],
  ['ip6 daddr', prefixes('destination')],
  ['udp sport', ports('source-port')],
  ['tcp sport', ports('source-port')],
  ['th sport', ports('source-port')],
  ['udp dport', ports('destination-port')],
  ['tcp dport', ports('destination-port')],
  ['th dport', ports('destination-port')],
  ['ct state', states],
]);

/** What these words ask for besides: `udp dport 53` is UDP, `ip saddr` is IPv4. */
function implied(words: string): FilterMatch[] {
  if (words.startsWith('udp ') || words.startsWith('tcp '))
    return [{ kind: 'protocol', protocols: [words.slice(0, 3)], negated: false }];
  if (words.startsWith('ip ') || words.startsWith('ip6 '))
    return [{ kind: 'family', family: words.startsWith('ip6') ? 'ip6' : 'ip', negated: false }];
  return [];
}

/** Statements that neither ask nor decide, and how far they go. */
const STATEMENTS: ReadonlyMap<string, RegExp> = new Map([
  [
    'log',
    /^(prefix|level|flags|group|snaplen|queue-threshold|all|skuid|ether|\d+|"[\s\S]*|emerg|alert|crit|err|warn|notice|info|debug|audit)$/,
  ],
  ['counter', /^(packets|bytes|\d+)$/],
  ['notrack', /^$/],
]);

interface Draft {
  readonly matches: FilterMatch[];
  readonly unknown: string[];
  verdict: Verdict;
  comment?: string;
  packets?: number;
  bytes?: ByteCount;
}

function simpleVerdict(word: string): Verdict | undefined {
  switch (word) {
    case 'accept':
    case 'drop':
    case 'return':
    case 'masquerade':
      return { kind: word };
    case 'continue':
      return { kind: 'continue' };
    case 'queue':
    case 'tproxy':
    case 'synproxy':
      return { kind: 'other', text: word };
    default:
      return undefined;
  }
}

function mapVerdict(words: readonly string[]): Verdict {
  const [word = '', chain = ''] = words;
  return (
    simpleVerdict(word) ??
    (word === 'jump' || word === 'goto' ? { kind: word, chain } : { kind: 'other', text: words.join(' ') })
  );
}

/** Before all of its words are read. */
type Untold = Omit<FilterRule, 'text'>;

/** Used for one rule and thrown away. */
class RuleReader {
  readonly #cursor: NftCursor;
  readonly #sets: NftSets;
  readonly #line: number;
  readonly #start: number;
  readonly #draft: Draft = { matches: [], unknown: [], verdict: { kind: 'continue' } };
  readonly #rules: Untold[] = [];

  constructor(cursor: NftCursor, sets: NftSets) {
    this.#cursor = cursor;
    this.#sets = sets;
    this.#line = cursor.line;
    this.#start = cursor.at;
  }

  #atEnd(): boolean {
    const token = this.#cursor.peek();
    return token === ';' || token === '}' || token === '';
  }

  read(): readonly FilterRule[] {
    while (!this.#atEnd()) this.#step();
    // After a map whose every packet found its verdict nothing is left to decide.
    if (this.#rules.length === 0 || this.#draft.verdict.kind !== 'continue')
      this.#rules.push(this.#rule([], this.#draft.verdict));
    const text = ruleText(this.#cursor.since(this.#start));
    return this.#rules.map((rule) => ({ ...rule, text }));
  }

  #rule(more: readonly FilterMatch[], verdict: Verdict): Untold {
    const { matches, unknown, comment, packets, bytes } = this.#draft;
    return given({
      line: this.#line,
      matches: [...matches, ...more],
      unknown: [...unknown],
      verdict,
      comment,
      packets,
      bytes,
    });
  }

  #step(): void {
    const cursor = this.#cursor;
    const word = cursor.peek();
    const two = `${word} ${cursor.peek(1)}`;
    const condition = CONDITIONS.get(two) === undefined ? word : two;
    const reader = CONDITIONS.get(condition);
    if (reader !== undefined) this.#condition(condition, reader);
    else if (STATEMENTS.has(word)) this.#statement(word);
    else if (word === 'comment') {
      cursor.next();
      this.#draft.comment = cursor.next();
    } else if (simpleVerdict(word) !== undefined) {
      this.#draft.verdict = simpleVerdict(cursor.next()) ?? this.#draft.verdict;
    } else if (word === 'jump' || word === 'goto') {
      cursor.next();
      this.#draft.verdict = { kind: word, chain: cursor.next() };
    } else if (word === 'reject') {
      cursor.next();
      const how = this.#rest();
      this.#draft.verdict = how === '' ? { kind: 'reject' } : { kind: 'reject', with: how.replace(/^with /, '') };
    } else if (word === 'dnat' || word === 'snat' || word === 'redirect') {
      cursor.next();
      const to = this.#rest().replace(/^(ip6? )?to /, '');
      this.#draft.verdict = to === '' ? { kind: word } : { kind: word, to };
    } else this.#other();
  }

  /** Words up to the end or a comment. */
  #rest(): string {
    const words: string[] = [];
    while (!this.#atEnd() && this.#cursor.peek() !== 'comment') words.push(this.#cursor.next());
    return words.join(' ');
  }

  #condition(words: string, read: Reader): void {
    const cursor = this.#cursor;
    for (const _ of words.split(' ')) cursor.next();
    if (cursor.peek() === 'vmap') {
      this.#map(words, read);
      return;
    }
    const negated = cursor.peek() === '!=';
    if (negated || cursor.peek() === '==') cursor.next();
    const shown = cursor.value();
    const match = this.#match(read, negated);
    if (this.#draft.matches.length >= MOST_CONDITIONS) {
      if (this.#draft.unknown.length === 0) this.#draft.unknown.push('more conditions than are read');
      return;
    }
    this.#draft.matches.push(...implied(words));
    if (match !== undefined) this.#draft.matches.push(match);
    else this.#draft.unknown.push(`${words} ${negated ? '!= ' : ''}${shown}`);
  }

  /** Of the value that comes next. */
  #match(read: Reader, negated: boolean): FilterMatch | undefined {
    const values = this.#values();
    const [first = ''] = values ?? [];
    if (!first.startsWith('@')) return values === undefined ? undefined : read(values, negated);
    const set = this.#sets.get(first.slice(1));
    if (set === undefined) return undefined;
    if (!set.read.has(read)) set.read.set(read, read(set.elements, false));
    const match = set.read.get(read);
    return match === undefined ? undefined : { ...match, negated };
  }

  /** A value, `a, b`, `{ a, b }` or `@set`. */
  #values(): readonly string[] | undefined {
    const cursor = this.#cursor;
    if (cursor.peek() === '{') {
      const items = cursor.braced();
      return items.every((item) => item.length === 1) ? items.map((item) => item[0] ?? '') : undefined;
    }
    const values = [cursor.next()];
    while (cursor.peek() === ',') {
      cursor.next();
      values.push(cursor.next());
    }
    return values;
  }

  #map(words: string, read: Reader): void {
    const cursor = this.#cursor;
    cursor.next();
    if (cursor.peek() !== '{') {
      this.#draft.unknown.push(`${words} vmap ${cursor.next()}`);
      this.#draft.verdict = { kind: 'other', text: 'vmap' };
      return;
    }
    const items = cursor.braced();
    if (items.length > MOST_ITEMS) this.#draft.unknown.push('more items than are read');
    for (const item of items.slice(0, MOST_ITEMS)) {
      const colon = item.indexOf(':');
      const key = item.slice(0, colon);
      const verdict = mapVerdict(item.slice(colon + 1));
      const match = colon === 1 ? read(key, false) : undefined;
      this.#rules.push(
        match === undefined
          ? { ...this.#rule(implied(words), verdict), unknown: [...this.#draft.unknown, `${words} ${key.join(' ')}`] }
          : this.#rule([...implied(words), match], verdict),
      );
    }
  }

  #statement(word: string): void {
    const cursor = this.#cursor;
    const more = STATEMENTS.get(word) ?? /^$/;
    cursor.next();
    while (!this.#atEnd() && more.test(cursor.peek())) {
      const token = cursor.next();
      if (word !== 'counter') continue;
      if (token === 'packets') this.#draft.packets = Number(cursor.peek());
      const bytes = token === 'bytes' ? parseByteCount(cursor.peek()) : undefined;
      if (bytes !== undefined) this.#draft.bytes = bytes;
    }
  }

  /** Up to the next thing that is understood: a condition that is not, or a change to the packet, which asks nothing. */
  #other(): void {
    const cursor = this.#cursor;
    const words: string[] = [];
    do {
      if (cursor.peek() === '{') {
        const items = cursor.braced().map((item) => item.join(' '));
        words.push(`{ ${items.join(', ')} }`);
      } else words.push(cursor.next());
    } while (!this.#atEnd() && !this.#understood());
    const text = words.join(' ');
    const asks = text.replace(/ ?\b(tcp option|meta|ct|ip6?|ether) .{0,100}?\bset\b.*$/, '');
    const limited = /\blimit\b/.test(text);
    if (asks === '' || (/^(flow|update|add) /.test(asks) && !limited)) return;
    const protocol = /^(icmp|icmpv6|tcp|udp|sctp|esp|ah)\b/.exec(asks)?.[1];
    if (protocol !== undefined) this.#draft.matches.push({ kind: 'protocol', protocols: [protocol], negated: false });
    this.#draft.unknown.push(asks);
  }

  #understood(): boolean {
    const word = this.#cursor.peek();
    return (
      CONDITIONS.has(word) ||
      CONDITIONS.has(`${word} ${this.#cursor.peek(1)}`) ||
      STATEMENTS.has(word) ||
      simpleVerdict(word) !== undefined ||
      /^(comment|jump|goto|reject|dnat|snat|redirect)$/.test(word)
    );
  }
}

/** From the first word of a rule to the `;` or `}` behind it, which stays. */
export function nftRule(cursor: NftCursor, sets: NftSets): readonly FilterRule[] {
  return new RuleReader(cursor, sets).read();
}
