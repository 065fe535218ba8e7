/** Reads `iptables-save`, `ip6tables-save` and `iptables -S`. */
import type { Problem } from '../../base/problem.ts';
import { type Pasted, pastedLines } from '../pasted.ts';
import { ProblemList } from '../text.ts';
import { iptablesRule } from './iptables-rule.ts';
import { builtInHook, type Family, type FilterChain, type FilterRule, type PacketFilter } from './packet-filter.ts';

interface OpenChain {
  readonly chain: Omit<FilterChain, 'rules' | 'family'>;
  readonly family: Family | undefined;
  readonly rules: FilterRule[];
}

const MAX_CHAINS = 10_000;

/** IPv6 is told by the header of ip6tables-save, else by the addresses. */
function hasIpv6(rules: readonly FilterRule[]): boolean {
  return rules.some(({ matches }) =>
    matches.some(
      (m) => (m.kind === 'source' || m.kind === 'destination') && m.prefixes.some((p) => p.ip.length === 16),
    ),
  );
}

/** Used for one text and thrown away. */
class SaveReader {
  readonly problems = new ProblemList();
  readonly #chains = new Map<string, OpenChain>();
  #family: Family | undefined;
  /** `iptables -S` lists one table and does not name it: without `-t` it is this one. */
  #table = 'filter';

  header(text: string): void {
    if (/by ip6tables-save/.test(text)) this.#family = 'ip6';
    else if (/by iptables-save/.test(text)) this.#family = 'ip';
  }

  table(name: string): void {
    this.#table = name;
  }

  chain(name: string, policy: string | undefined, line: number, counted?: string): OpenChain {
    const key = `${this.#family ?? ''} ${this.#table} ${name}`;
    const known = this.#chains.get(key);
    if (known !== undefined) return known;
    const hook = builtInHook(name);
    const made: OpenChain = {
      family: this.#family,
      rules: [],
      chain: {
        line,
        table: this.#table,
        name,
        ...(hook === undefined ? {} : { hook }),
        ...(policy === 'ACCEPT' ? { policy: 'accept' } : policy === 'DROP' ? { policy: 'drop' } : {}),
        ...(counted === undefined ? {} : { policyPackets: Number(counted) }),
      },
    };
    if (this.#chains.size < MAX_CHAINS) this.#chains.set(key, made);
    return made;
  }

  done(): PacketFilter {
    const open = [...this.#chains.values()];
    const guess: Family = open.some(({ rules }) => hasIpv6(rules)) ? 'ip6' : 'ip';
    return { chains: open.map(({ chain, family, rules }) => ({ ...chain, family: family ?? guess, rules })) };
  }
}

/** Never throws. */
export function parseIptablesSave(text: Pasted): {
  readonly filter: PacketFilter;
  readonly problems: readonly Problem[];
} {
  const reader = new SaveReader();
  for (const line of pastedLines(text)) {
    const body = line.text.trim();
    if (body.startsWith('#')) {
      reader.header(body);
      continue;
    }
    const table = /^\*(\S{1,32})$/.exec(body)?.[1];
    const declared = /^(?::|-P |-N )(\S{1,64})(?: (ACCEPT|DROP|-))?(?: \[(\d{1,18}):)?/.exec(body);
    const rule = /^(?:\[(\d{1,18}:\d{1,18})\] )?-A (\S{1,64})\s?(.*)$/.exec(body);
    if (table !== undefined) reader.table(table);
    else if (declared !== null) reader.chain(declared[1] ?? '', declared[2], line.number, declared[3]);
    else if (rule !== null) {
      const [, counters, name = '', rest = ''] = rule;
      reader.chain(name, undefined, line.number).rules.push(iptablesRule(line, rest, counters));
    } else if (body !== '' && body !== 'COMMIT') {
      reader.problems.add(
        { line: line.number, column: 1 },
        'this is no line of iptables-save',
        'hand over the output as it was printed',
      );
    }
  }
  return { filter: reader.done(), problems: reader.problems.done() };
}
