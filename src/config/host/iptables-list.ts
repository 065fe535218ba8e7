/** Reads `iptables -L`, with `-n`, `-v` and `--line-numbers` or without; `-n -v` is needed to be sure of a rule. */
import type { Problem } from '../../base/problem.ts';
import { given } from '../given.ts';
import { type Pasted, pastedLines } from '../pasted.ts';
import { parseByteCount } from '../quantities.ts';
import { type Line, ProblemList } from '../text.ts';
import { iptablesVerdict } from './iptables-target.ts';
import {
  all,
  builtInHook,
  type FilterChain,
  type FilterMatch,
  type FilterRule,
  filterPrefix,
  interfaceName,
  type PacketFilter,
  portRange,
  protocolName,
  ruleText,
} from './packet-filter.ts';

interface Layout {
  readonly numbered: boolean;
  /** Counters and interfaces are shown. */
  readonly verbose: boolean;
}

const ADDRESS = /^!?(?:anywhere|[0-9]+\.[0-9.]+(?:\/[0-9.]+)?|[0-9a-f]*:[0-9a-f:.]*(?:\/[0-9a-f:]+)?)$/i;

/** Where source and destination stand; the columns before them may be empty. */
function addressesAt(words: readonly string[]): number {
  const option = words.slice(0, 7).findIndex((word) => /^(--|-f|!f)$/.test(word));
  if (option >= 0) {
    const after = words.slice(option + 1);
    const source = after.findIndex((word, i) => i < 3 && ADDRESS.test(word));
    if (source >= 0) return option + 1 + source;
  }
  return words.findIndex((word, i) => ADDRESS.test(word) && ADDRESS.test(words[i + 1] ?? ''));
}

/** What is printed after the addresses, by the match modules and by the target. */
interface Extras {
  readonly matches: FilterMatch[];
  readonly unknown: string[];
  to?: string;
  how?: string;
  comment?: string;
}

const NOTHING_ASKED = /^(udp|tcp|all|icmp|ipv6-icmp|icmpv6|sctp)$/;

function portMatch(kind: 'source-port' | 'destination-port', text: string): FilterMatch | undefined {
  const negated = text.startsWith('!');
  const ranges = all((negated ? text.slice(1) : text).split(','), portRange);
  return ranges === undefined ? undefined : { kind, ranges, negated };
}

/** Comments stand in `/*`; the last is kept. One that is not closed is none. */
function withoutComments(text: string): { readonly rest: string; readonly comment?: string } {
  let rest = '';
  let comment: string | undefined;
  let at = 0;
  for (;;) {
    const start = text.indexOf('/* ', at);
    const end = start < 0 ? -1 : text.indexOf(' */', start + 3);
    if (end < 0) break;
    comment = text.slice(start + 3, end);
    rest += `${text.slice(at, start)} `;
    at = end + 3;
  }
  return given({ rest: rest + text.slice(at), comment });
}

function extras(text: string): Extras {
  const out: Extras = { matches: [], unknown: [] };
  const bare = withoutComments(text);
  if (bare.comment !== undefined) out.comment = bare.comment;
  let { rest } = bare;
  // What a target prints of itself is no condition.
  rest = rest
    .replace(/\b(?:LOG|NFLOG) (?:flags|level|prefix).*$/, '')
    .replace(/\bTCPMSS (?:clamp to PMTU|set \d+)/, '');
  rest = rest
    .replace(/\b(?:MARK|CONNMARK) (?:set|and|or|xset|save|restore)\b.*$/, '')
    .replace(/\bredir ports? (\S+)/, 'to:$1');
  const words = rest.split(/\s+/).filter((word) => word !== '');
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? '';
    const next = words[i + 1] ?? '';
    const port = /^([sd])pts?:(\S+)$/.exec(word);
    const multi = word === 'multiport' ? /^([sd])ports$/.exec(next) : null;
    let match: FilterMatch | undefined;
    if (port !== null) match = portMatch(port[1] === 's' ? 'source-port' : 'destination-port', port[2] ?? '');
    else if (multi !== null) {
      match = portMatch(multi[1] === 's' ? 'source-port' : 'destination-port', words[i + 2] ?? '');
      i += 2;
    } else if (word === 'state' || word === 'ctstate') {
      match = { kind: 'connection-state', states: next.toLowerCase().split(','), negated: false };
      i++;
    } else if (word === 'reject-with') {
      out.how = next;
      i++;
      continue;
    } else if (word.startsWith('to:')) {
      out.to = word.slice(3);
      continue;
    } else if (NOTHING_ASKED.test(word)) continue;
    if (match !== undefined) out.matches.push(match);
    else out.unknown.push(word);
  }
  return out;
}

function named(kind: 'in-interface' | 'out-interface', word: string | undefined): FilterMatch[] {
  if (word === undefined || word === '*' || word === 'any') return [];
  const negated = word.startsWith('!');
  return [{ kind, names: [interfaceName(negated ? word.slice(1) : word)], negated }];
}

/** undefined where it asks for nothing. */
function addressMatch(kind: 'source' | 'destination', word: string): FilterMatch | undefined {
  const negated = word.startsWith('!');
  const prefix = filterPrefix(negated ? word.slice(1) : word);
  return prefix === undefined || prefix.bits === 0 ? undefined : { kind, prefixes: [prefix], negated };
}

function ruleOf(line: Line, layout: Layout): FilterRule | undefined {
  const words = line.text.trim().split(/\s+/);
  let lead = layout.numbered ? 1 : 0;
  const counters = layout.verbose ? words.slice(lead, lead + 2) : [];
  lead += counters.length;
  const source = addressesAt(words);
  if (source < lead) return undefined;
  const between = words.slice(lead, source);
  const [into, out] = layout.verbose ? between.splice(-2) : [];
  if (/^(--|-f|!f)$/.test(between.at(-1) ?? '')) between.pop();
  const protocol = between.pop() ?? 'all';
  const target = between.pop() ?? '';
  const goto = words[source + 2] === '[goto]';
  const rest = extras(words.slice(source + (goto ? 3 : 2)).join(' '));
  const name = protocolName(protocol.replace(/^!/, ''));
  const asked: FilterMatch[] =
    name === 'all' ? [] : [{ kind: 'protocol', protocols: [name], negated: protocol.startsWith('!') }];
  const addresses = [
    addressMatch('source', words[source] ?? ''),
    addressMatch('destination', words[source + 1] ?? ''),
  ].flatMap((match) => match ?? []);
  return given({
    line: line.number,
    text: ruleText(line.text),
    matches: [...asked, ...named('in-interface', into), ...named('out-interface', out), ...addresses, ...rest.matches],
    unknown: rest.unknown,
    verdict: goto ? { kind: 'goto' as const, chain: target } : iptablesVerdict(target, rest.to, rest.how),
    comment: rest.comment,
    packets: counters[0] === undefined ? undefined : parseByteCount(counters[0])?.bytes,
    bytes: counters[1] === undefined ? undefined : parseByteCount(counters[1]),
  });
}

/** Never throws. Without `-v` no rule tells its interfaces: such rules have `interfaces` among their unknown conditions. */
export function parseIptablesList(text: Pasted): {
  readonly filter: PacketFilter;
  readonly problems: readonly Problem[];
} {
  const problems = new ProblemList();
  const chains: (Omit<FilterChain, 'rules' | 'family'> & { readonly rules: FilterRule[] })[] = [];
  let layout: Layout = { numbered: false, verbose: false };
  let ipv6 = false;
  for (const line of pastedLines(text)) {
    const head = /^\s*Chain (\S{1,64}) \((?:policy (ACCEPT|DROP)(?: (\d{1,18}[KMGT]?) packets)?|\d+ references)/.exec(
      line.text,
    );
    if (head !== null) {
      const [, name = '', policy, counted] = head;
      const hook = builtInHook(name);
      const policyPackets = counted === undefined ? undefined : parseByteCount(counted)?.bytes;
      chains.push({
        ...given({ line: line.number, table: 'filter', name, hook, policyPackets }),
        ...(policy === 'ACCEPT' ? { policy: 'accept' as const } : policy === 'DROP' ? { policy: 'drop' as const } : {}),
        rules: [],
      });
    } else if (/^\s*(num\s+)?(pkts\s+bytes\s+)?target\s+prot\b/.test(line.text)) {
      layout = { numbered: /^\s*num/.test(line.text), verbose: /pkts/.test(line.text) };
    } else if (line.text.trim() !== '' && !line.text.startsWith('#')) {
      const rule = ruleOf(line, layout);
      const chain = chains.at(-1);
      if (rule === undefined || chain === undefined) {
        problems.add(
          { line: line.number, column: 1 },
          'this is no rule of iptables -L',
          'iptables-save prints the rules in full',
        );
        continue;
      }
      ipv6 ||= /(^|\s)!?(::|[0-9a-f]+:[0-9a-f:]*)\//.test(line.text);
      chain.rules.push(layout.verbose ? rule : { ...rule, unknown: [...rule.unknown, 'interfaces'] });
    }
  }
  return {
    filter: { chains: chains.map((chain) => ({ ...chain, family: ipv6 ? 'ip6' : 'ip' })) },
    problems: problems.done(),
  };
}
