/** What iptables or nft does with a packet: base chains by priority, jumps, returns, policies; sure only where the text is. */
import type { FilterChain, FilterMatch, FilterRule, Hook, PacketFilter } from '../config/host/packet-filter.ts';
import {
  byAddress,
  byInterface,
  type Decider,
  every,
  type Fate,
  type Fits,
  MOST_STEPS,
  type Probe,
  some,
  turned,
} from './first-match.ts';

/** Where the tables of iptables stand among the chains of a hook (kernel netfilter_ipv4.h). */
const TABLE_PRIORITY: Readonly<Record<string, number>> = {
  raw: -300,
  mangle: -150,
  nat: -100,
  filter: 0,
  security: 50,
};
const STAGES: Readonly<Record<Probe['hook'], readonly Hook[]>> = {
  input: ['prerouting', 'input'],
  forward: ['prerouting', 'forward'],
};
const DEEPEST = 16;

export function fitsRule({ matches, unknown }: FilterRule, probe: Probe): Fits {
  const known = every(matches.map((match) => fitsMatch(match, probe)));
  return known === 'yes' && unknown.length > 0 ? 'maybe' : known;
}

function fitsMatch(match: FilterMatch, probe: Probe): Fits {
  return turned(fitsPositive(match, probe), match.negated);
}

function fitsPositive(match: FilterMatch, probe: Probe): Fits {
  switch (match.kind) {
    case 'family':
      return match.family === probe.family ? 'yes' : 'no';
    case 'protocol':
      if (match.protocols.includes('all')) return 'yes';
      if (probe.protocol === undefined) return 'maybe';
      return match.protocols.includes(probe.protocol) ? 'yes' : 'no';
    case 'destination-port': {
      const { port } = probe;
      if (port === undefined) return 'maybe';
      return match.ranges.some(({ from, to }) => from <= port && port <= to) ? 'yes' : 'no';
    }
    case 'source-port':
      return 'maybe';
    case 'source':
      return byAddress(probe.sources, match.prefixes, probe.family);
    case 'destination':
      return byAddress(probe.destinations, match.prefixes, probe.family);
    case 'in-interface':
      return byInterface(probe.in, match.names);
    case 'out-interface':
      return probe.hook === 'input' ? 'no' : byInterface(probe.out, match.names);
    case 'connection-state':
      return match.states.includes(probe.state) ? 'yes' : 'no';
  }
}

/** Long sets of addresses take their time. */
function sizeOf(match: FilterMatch): number {
  return match.kind === 'source' || match.kind === 'destination' ? match.prefixes.length >> 4 : 0;
}

/** It is about this port, not about everything: what it asks for besides was meant for such packets. */
export function namesPort({ matches, unknown, verdict }: FilterRule, port: number): boolean {
  if (verdict.kind === 'other') return true;
  if (unknown.some((text) => new RegExp(`\\b${port}\\b`).test(text))) return true;
  return matches.some(
    (match) => match.kind === 'destination-port' && match.ranges.some(({ from, to }) => from <= port && port <= to),
  );
}

/** What a walk through a chain comes to; `end` is its end, or a `return`. */
type Outcome = 'accept' | 'refuse' | 'elsewhere' | 'end';

/** One packet on its way; used once. */
class Walk {
  readonly #probe: Probe;
  readonly #chains: ReadonlyMap<string, FilterChain>;
  readonly #path: FilterChain[] = [];
  #home = '';
  readonly unless: Decider[] = [];
  /** Something decides that is not understood here. */
  undecided = false;
  by: Decider | undefined;
  how: 'drop' | 'reject' = 'drop';
  #steps = 0;

  constructor(probe: Probe, chains: ReadonlyMap<string, FilterChain>) {
    this.#probe = probe;
    this.#chains = chains;
  }

  base(chain: FilterChain): Outcome {
    this.unless.length = 0;
    this.#home = `${chain.family} ${chain.table} ${chain.name}`;
    const outcome = this.#chain(chain, false);
    if (outcome !== 'end') return outcome;
    if (chain.policy !== 'drop') return 'accept';
    this.how = 'drop';
    this.by = {
      line: chain.line,
      text: `policy drop of ${chain.name}`,
      home: this.#home,
      kind: 'policy',
      ...(chain.policyPackets === undefined ? {} : { packets: chain.policyPackets }),
    };
    return 'refuse';
  }

  #chain(chain: FilterChain, conditional: boolean): Outcome {
    if (this.#path.length >= DEEPEST || this.#path.includes(chain)) {
      this.undecided = true;
      return 'end';
    }
    this.#path.push(chain);
    const outcome = this.#rules(chain, conditional);
    this.#path.pop();
    return outcome;
  }

  #rules(chain: FilterChain, conditional: boolean): Outcome {
    let unsure = conditional;
    for (const rule of chain.rules) {
      this.#steps += 1 + rule.matches.reduce((sum, match) => sum + sizeOf(match), 0);
      if (this.#steps > MOST_STEPS) this.undecided = true;
      if (this.undecided) return 'end';
      const fits = fitsRule(rule, this.#probe);
      if (fits === 'no') continue;
      const outcome = this.#rule(rule, chain, unsure || fits === 'maybe');
      if (outcome === 'returned-maybe') unsure = true;
      else if (outcome === 'returned') return 'end';
      else if (outcome !== 'end') return outcome;
    }
    return 'end';
  }

  #rule(rule: FilterRule, chain: FilterChain, unsure: boolean): Outcome | 'returned' | 'returned-maybe' {
    const { verdict } = rule;
    switch (verdict.kind) {
      case 'accept':
        return this.#accept(rule, unsure);
      case 'drop':
      case 'reject':
        // one that may refuse changes nothing where the sure way leads to a refusal, and is no proof where it does not
        if (unsure) return 'end';
        this.by = this.#decider(rule);
        this.how = verdict.kind;
        return 'refuse';
      case 'return':
        return unsure ? 'returned-maybe' : 'returned';
      case 'jump':
      case 'goto': {
        const target = this.#chains.get(keyOf(chain, verdict.chain));
        if (target === undefined) {
          this.undecided = true;
          return 'end';
        }
        const outcome = this.#chain(target, unsure);
        if (outcome !== 'end') return outcome;
        if (verdict.kind === 'jump') return 'end';
        return unsure ? 'returned-maybe' : 'returned';
      }
      case 'dnat':
      case 'redirect':
        if (unsure) return 'end';
        return 'elsewhere';
      case 'other':
        this.undecided = true;
        return 'end';
      default:
        return 'end';
    }
  }

  #decider({ line, text, packets }: FilterRule): Decider {
    return { line, text, home: this.#home, kind: 'rule', ...(packets === undefined ? {} : { packets }) };
  }

  #accept(rule: FilterRule, unsure: boolean): Outcome {
    if (!unsure) {
      this.by = this.#decider(rule);
      return 'accept';
    }
    // a rule for this very port that asks for more than is known here: nobody can say
    if (this.#probe.port !== undefined && namesPort(rule, this.#probe.port)) this.undecided = true;
    else this.unless.push(this.#decider(rule));
    return 'end';
  }
}

const keyOf = ({ family, table }: FilterChain, name: string): string => `${family} ${table} ${name}`;

function priorityOf({ priority, table }: FilterChain): number {
  return priority ?? TABLE_PRIORITY[table] ?? 0;
}

/** An accepting base chain lets the next one judge; a refusing one ends it. */
export function filterFate({ chains }: PacketFilter, probe: Probe): Fate {
  const ours = chains.filter(({ family }) => family === 'inet' || family === probe.family);
  const byKey = new Map(ours.map((chain) => [keyOf(chain, chain.name), chain]));
  const walk = new Walk(probe, byKey);
  for (const hook of STAGES[probe.hook]) {
    const base = ours.filter((chain) => chain.hook === hook).sort((a, b) => priorityOf(a) - priorityOf(b));
    for (const chain of base) {
      const outcome = walk.base(chain);
      if (walk.undecided || outcome === 'elsewhere') return { kind: 'open' };
      if (outcome === 'refuse' && walk.by !== undefined)
        return { kind: 'refused', how: walk.how, by: walk.by, unless: [...walk.unless] };
    }
  }
  return { kind: 'accepted', ...(walk.by === undefined ? {} : { by: walk.by }) };
}

/** There are chains that packets of this kind meet: on their way, or where the way ends. */
export function hasHook({ chains }: PacketFilter, { hook, family }: Probe, where: 'anywhere' | 'at-end'): boolean {
  const hooks: readonly (Hook | undefined)[] = where === 'at-end' ? [hook] : STAGES[hook];
  return chains.some((chain) => hooks.includes(chain.hook) && (chain.family === 'inet' || chain.family === family));
}

/** Whether packets from one of these leave with another source by some way. */
export function translatesSource({ chains }: PacketFilter, probe: Probe): Fits {
  return some(
    chains
      .filter(({ family }) => family === 'inet' || family === probe.family)
      .flatMap(({ rules }) =>
        rules
          .filter(({ verdict }) => verdict.kind === 'masquerade' || verdict.kind === 'snat' || verdict.kind === 'other')
          .map((rule): Fits => {
            const fits = fitsRule(rule, probe);
            return rule.verdict.kind === 'other' && fits === 'yes' ? 'maybe' : fits;
          }),
      ),
  );
}
