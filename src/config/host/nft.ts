/** Reads `nft list ruleset` and files for `nft -f`. */
import type { Problem } from '../../base/problem.ts';
import { type Pasted, pastedLines } from '../pasted.ts';
import { ProblemList } from '../text.ts';
import { type NftSet, type NftSets, nftRule } from './nft-rule.ts';
import { NftCursor, nftTokens } from './nft-tokens.ts';
import type { Family, FilterChain, FilterRule, Hook, PacketFilter } from './packet-filter.ts';

const HOOKS: readonly Hook[] = ['prerouting', 'input', 'forward', 'output', 'postrouting'];
const PRIORITIES: Readonly<Record<string, number>> = {
  raw: -300,
  mangle: -150,
  dstnat: -100,
  filter: 0,
  security: 50,
  srcnat: 100,
};

/** `filter`, `filter + 10`, `-5`. */
function priorityOf(words: readonly string[]): number | undefined {
  const [name = '', sign, number] = words;
  const base = PRIORITIES[name] ?? (/^-?\d{1,6}$/.test(name) ? Number(name) : undefined);
  if (base === undefined || (sign !== '+' && sign !== '-')) return base;
  return base + Number(number ?? 0) * (sign === '-' ? -1 : 1);
}

type Draft = { -readonly [K in keyof FilterChain]: FilterChain[K] } & { readonly rules: FilterRule[] };

/** Used for one text and thrown away. */
class RulesetReader {
  readonly problems = new ProblemList();
  readonly chains: Draft[] = [];
  readonly #cursor: NftCursor;

  constructor(cursor: NftCursor) {
    this.#cursor = cursor;
  }

  read(): void {
    const cursor = this.#cursor;
    while (!cursor.ended) {
      const line = cursor.line;
      const word = cursor.next();
      if (word === 'table') this.#table();
      else if (word !== ';' && word !== '}') {
        if (!/^(flush|delete|destroy|include|define|add|create)$/.test(word))
          this.problems.add({ line, column: 1 }, 'this stands in no table', 'hand over the whole `nft list ruleset`');
        while (!cursor.ended && cursor.peek() !== ';') {
          if (cursor.peek() === '{') cursor.skipBlock();
          else cursor.next();
        }
      }
    }
  }

  #table(): void {
    const cursor = this.#cursor;
    const first = cursor.next();
    const named = cursor.peek() !== '{';
    const name = named ? cursor.next() : first;
    const family = named ? first : 'ip';
    if (cursor.peek() !== '{') return;
    if (family !== 'ip' && family !== 'ip6' && family !== 'inet') {
      // Bridges, ARP and single devices see other packets.
      cursor.skipBlock();
      return;
    }
    cursor.next();
    const sets = new Map<string, NftSet>();
    while (!cursor.ended && cursor.peek() !== '}') {
      const word = cursor.next();
      if (word === 'chain') this.#chain(family, name, sets);
      else if (word === 'set') this.#set(sets);
      else if (cursor.peek() === '{') cursor.skipBlock();
    }
    cursor.next();
  }

  #set(sets: Map<string, NftSet>): void {
    const cursor = this.#cursor;
    const name = cursor.next();
    if (cursor.peek() !== '{') return;
    cursor.next();
    while (!cursor.ended && cursor.peek() !== '}') {
      const word = cursor.next();
      if (word === 'elements' && cursor.peek() === '=' && cursor.peek(1) === '{') {
        cursor.next();
        // An element may have a timeout or a comment after it.
        sets.set(name, { elements: cursor.braced().map((item) => item[0] ?? ''), read: new Map() });
      } else if (word === '{') cursor.skipBlock();
    }
    cursor.next();
  }

  #chain(family: Family, table: string, sets: NftSets): void {
    const cursor = this.#cursor;
    const line = cursor.line;
    const chain: Draft = { line, family, table, name: cursor.next(), rules: [] };
    if (cursor.peek() !== '{') return;
    cursor.next();
    this.chains.push(chain);
    while (!cursor.ended && cursor.peek() !== '}') {
      const word = cursor.peek();
      if (word === ';') cursor.next();
      else if (word === 'type' && cursor.peek(2) === 'hook') this.#type(chain);
      else if (word === 'policy') {
        cursor.next();
        const policy = cursor.next();
        if (policy === 'accept' || policy === 'drop') chain.policy = policy;
      } else chain.rules.push(...nftRule(cursor, sets));
    }
    cursor.next();
    // Without one a chain with a hook accepts.
    if (chain.hook !== undefined) chain.policy ??= 'accept';
  }

  /** `type filter hook input priority filter; policy drop;` */
  #type(chain: Draft): void {
    const cursor = this.#cursor;
    const words: string[] = [];
    while (!cursor.ended && cursor.peek() !== ';' && cursor.peek() !== '}') words.push(cursor.next());
    const hook = HOOKS.find((known) => known === words[3]);
    if (hook !== undefined) chain.hook = hook;
    const at = words.indexOf('priority');
    const priority = at < 0 ? undefined : priorityOf(words.slice(at + 1));
    if (priority !== undefined) chain.priority = priority;
  }
}

/** Never throws. */
export function parseNft(text: Pasted): { readonly filter: PacketFilter; readonly problems: readonly Problem[] } {
  const reader = new RulesetReader(new NftCursor(nftTokens(pastedLines(text))));
  reader.read();
  return { filter: { chains: reader.chains }, problems: reader.problems.done() };
}
