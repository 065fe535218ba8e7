/** What the filter of RouterOS does with a packet: rules in order, jumps, lists that rules fill, interface lists. */
import { type IpBytes, type Prefix, parsePrefix } from '../base/address.ts';
import type { RosConfig } from '../config/routeros/export.ts';
import type { RosField } from '../config/routeros/fields.ts';
import type { RosRule } from '../config/routeros/firewall.ts';
import {
  byAddress,
  byInterface,
  every,
  type Fits,
  MOST_STEPS,
  not,
  type Probe,
  some,
  turned,
  type Way,
} from './first-match.ts';

export interface RosFate {
  readonly kind: 'accepted' | 'refused' | 'open';
  /** The rule that decided; undefined for the end of the chain, which accepts. */
  readonly by?: RosRule;
  /** The rule of the first chain by which it got there: itself, or the one that jumped. */
  readonly via?: RosRule;
  /** Rules before it that may let the packet in. */
  readonly unless: readonly RosRule[];
  /** Address lists that the packet's source was added to on the way, and by which rule. */
  readonly added: ReadonlyMap<string, RosRule>;
}

/** Lists that the source is in already, as an earlier packet left them. */
export type Listed = ReadonlyMap<string, RosRule>;

const DEEPEST = 16;
const REFUSES = new Set(['drop', 'reject', 'tarpit']);

/** `chain=input action=drop in-interface-list=!LAN comment="…"`, as it would be typed. */
export function rosRuleText({ chain, action, matchers, parameters, comment }: RosRule): string {
  const shown = [...matchers, ...parameters].map((field) =>
    field.kind === 'text' ? `${field.name}=${quoted(field.value)}` : `${field.name}=…`,
  );
  const all = [`chain=${chain?.value ?? '?'}`, `action=${action.value}`, ...shown];
  const text = [...all, ...(comment === undefined ? [] : [`comment="${comment.value}"`])].join(' ');
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}

const quoted = (value: string): string => (/[\s"]/.test(value) ? `"${value}"` : value);

/** Rules that are asked, in their order. */
export function askedRules({ rules }: RosConfig, family: 'ip' | 'ipv6', table: 'filter' | 'raw'): RosRule[] {
  return rules.filter(
    (rule) =>
      rule.family === family && rule.table === table && !rule.disabled && !rule.invalid && rule.chain !== undefined,
  );
}

export function parameter({ parameters }: RosRule, name: string): string | undefined {
  const field = parameters.find((one) => one.name === name);
  return field?.kind === 'text' ? field.value : undefined;
}

/** One packet on its way; used once. */
class Walk {
  readonly #config: RosConfig;
  readonly #probe: Probe;
  readonly #chains = new Map<string, RosRule[]>();
  readonly #adders: ReadonlySet<string>;
  readonly added: Map<string, RosRule>;
  readonly unless: RosRule[] = [];
  by: RosRule | undefined;
  via: RosRule | undefined;
  open = false;
  #steps = 0;
  #depth = 0;

  constructor(config: RosConfig, probe: Probe, rules: readonly RosRule[], listed: Listed) {
    this.#config = config;
    this.#probe = probe;
    this.added = new Map(listed);
    for (const rule of rules) {
      const chain = rule.chain?.value ?? '';
      const list = this.#chains.get(chain);
      if (list === undefined) this.#chains.set(chain, [rule]);
      else list.push(rule);
    }
    this.#adders = new Set(
      config.rules.flatMap((rule) =>
        rule.action.value.startsWith('add-') && !rule.disabled ? (parameter(rule, 'address-list') ?? []) : [],
      ),
    );
  }

  chain(name: string, conditional: boolean): 'accepted' | 'refused' | 'end' {
    if (this.#depth >= DEEPEST) this.open = true;
    if (this.open) return 'end';
    this.#depth++;
    const outcome = this.#rules(this.#chains.get(name) ?? [], conditional);
    this.#depth--;
    return outcome;
  }

  #rules(rules: readonly RosRule[], conditional: boolean): 'accepted' | 'refused' | 'end' {
    let unsure = conditional;
    for (const rule of rules) {
      if (++this.#steps > MOST_STEPS) this.open = true;
      if (this.open) return 'end';
      if (this.#depth === 1) this.via = rule;
      const fits = this.#fits(rule);
      if (fits === 'no') continue;
      const sure = !unsure && fits === 'yes';
      const action = rule.action.value;
      if (action === 'accept' || action === 'fasttrack-connection') {
        if (sure) {
          this.by = rule;
          return 'accepted';
        }
        if (this.#probe.port !== undefined && namesRosPort(rule, this.#probe.port)) this.open = true;
        else this.unless.push(rule);
      } else if (REFUSES.has(action)) {
        if (!sure) continue;
        this.by = rule;
        return 'refused';
      } else if (action === 'return') {
        if (sure) return 'end';
        unsure = true;
      } else if (action === 'jump') {
        const outcome = this.chain(parameter(rule, 'jump-target') ?? '', !sure);
        if (outcome !== 'end') return outcome;
      } else if (action === 'add-src-to-address-list' && sure) {
        const list = parameter(rule, 'address-list');
        if (list !== undefined && !this.added.has(list)) this.added.set(list, rule);
      }
    }
    return 'end';
  }

  #fits(rule: RosRule): Fits {
    let all: Fits = 'yes';
    for (const matcher of rule.matchers) {
      const fits = this.#matcher(matcher);
      if (fits === 'no') return 'no';
      if (fits === 'maybe') all = 'maybe';
    }
    return all;
  }

  #matcher(matcher: RosField): Fits {
    if (matcher.kind !== 'text') return 'maybe';
    const negated = matcher.value.startsWith('!');
    const value = negated ? matcher.value.slice(1) : matcher.value;
    if (matcher.name === 'src-address-list') return turned(this.#listed(value), negated);
    return turned(fitsRosMatcher(matcher.name, value, this.#probe, this.#config), negated);
  }

  #listed(list: string): Fits {
    if (this.added.has(list)) return 'yes';
    const members = this.#config.addressLists.filter((item) => item.list.value === list && !item.disabled);
    const prefixes = members.flatMap(({ prefix }) => prefix ?? []);
    const byMembers = prefixes.length === 0 ? 'no' : byAddress(this.#probe.sources, prefixes, this.#probe.family);
    if (byMembers === 'yes') return 'yes';
    const others = prefixes.length < members.length;
    return others || byMembers === 'maybe' ? 'maybe' : this.#filledBefore(list);
  }

  /** A list that some rule fills may hold the source by now; one that nothing fills holds nobody. */
  #filledBefore(list: string): Fits {
    return this.#adders.has(list) ? 'maybe' : 'no';
  }
}

/** It asks for this port: what it asks for besides was meant for such packets. */
export function namesRosPort({ matchers }: RosRule, port: number): boolean {
  return matchers.some(
    (matcher) =>
      matcher.kind === 'text' &&
      (matcher.name === 'dst-port' || matcher.name === 'port') &&
      inPorts(matcher.value, port),
  );
}

function inPorts(text: string, port: number): boolean {
  return text.split(',').some((item) => {
    const [from = '', to = from] = item.trim().split('-');
    return Number(from) <= port && port <= Number(to);
  });
}

function interfacesOf(list: string, { listMembers }: RosConfig): string[] {
  return listMembers.flatMap(({ list: of, interface: name, disabled }) =>
    of.value === list && !disabled ? name.value : [],
  );
}

/** A list whose members are not in the text is taken by the name that RouterOS gives it from the beginning. */
function byList(way: Way, list: string, config: RosConfig): Fits {
  if (list === 'all') return 'yes';
  if (list === 'none') return 'no';
  const members = interfacesOf(list, config);
  if (members.length > 0) return byInterface(way, members);
  if (list === 'WAN') return way.outside === true ? 'yes' : 'no';
  return list === 'LAN' ? 'no' : 'maybe';
}

function addresses(value: string, possible: readonly IpBytes[], family: Probe['family']): Fits {
  const prefix: Prefix | undefined = parsePrefix(value);
  return prefix === undefined ? 'maybe' : byAddress(possible, [prefix], family);
}

function fitsRosMatcher(name: string, value: string, probe: Probe, config: RosConfig): Fits {
  switch (name) {
    case 'protocol':
      if (probe.protocol === undefined) return 'maybe';
      return value === probe.protocol || value === '17' ? 'yes' : 'no';
    case 'dst-port':
      return probe.port === undefined ? 'maybe' : inPorts(value, probe.port) ? 'yes' : 'no';
    case 'port':
      return probe.port !== undefined && inPorts(value, probe.port) ? 'yes' : 'maybe';
    case 'connection-state':
      return value.split(',').includes(probe.state) ? 'yes' : 'no';
    case 'in-interface':
      return value === 'all' ? 'yes' : byInterface(probe.in, [value]);
    case 'out-interface':
      return value === 'all' ? 'yes' : byInterface(probe.out, [value]);
    case 'in-interface-list':
      return byList(probe.in, value, config);
    case 'out-interface-list':
      return byList(probe.out, value, config);
    case 'src-address':
      return addresses(value, probe.sources, probe.family);
    case 'dst-address':
      return addresses(value, probe.destinations, probe.family);
    case 'dst-address-type':
      return probe.hook === 'forward' ? 'maybe' : some(value.split(',').map((one) => (one === 'local' ? 'yes' : 'no')));
    case 'connection-nat-state':
      return probe.hook === 'input' ? 'no' : 'maybe';
    case 'ipsec-policy':
      return value.endsWith('none') ? 'yes' : 'no';
    case 'tcp-flags':
    case 'icmp-options':
    case 'hotspot':
    case 'fragment':
      return name === 'fragment' && value === 'no' ? 'yes' : 'no';
    default:
      return 'maybe';
  }
}

/** The tables that a packet to the router, or through it, meets; the end of a chain accepts. */
export function rosFate(config: RosConfig, probe: Probe, listed: Listed = new Map()): RosFate {
  const family = probe.family === 'ip' ? 'ip' : 'ipv6';
  let added: ReadonlyMap<string, RosRule> = listed;
  for (const [table, chain] of [
    ['raw', 'prerouting'],
    ['filter', probe.hook],
  ] as const) {
    const rules = askedRules(config, family, table);
    const walk = new Walk(config, probe, rules, added);
    const outcome = walk.chain(chain, false);
    added = walk.added;
    if (walk.open) return { kind: 'open', unless: [], added };
    if (outcome === 'refused' && walk.by !== undefined)
      return {
        kind: 'refused',
        by: walk.by,
        ...(walk.via === undefined ? {} : { via: walk.via }),
        unless: walk.unless,
        added,
      };
    if (table === 'filter')
      return { kind: 'accepted', ...(walk.by === undefined ? {} : { by: walk.by }), unless: [], added };
  }
  return { kind: 'accepted', unless: [], added };
}

const TRANSLATES = new Set(['masquerade', 'src-nat', 'netmap', 'same']);

/** Whether such packets leave with another source. */
export function rosTranslates(config: RosConfig, probe: Probe): Fits {
  const family = probe.family === 'ip' ? 'ip' : 'ipv6';
  return some(
    config.rules
      .filter(
        ({ table, chain, disabled, invalid, action, family: of }) =>
          table === 'nat' &&
          of === family &&
          chain?.value === 'srcnat' &&
          !disabled &&
          !invalid &&
          (TRANSLATES.has(action.value) || action.value === 'jump'),
      )
      .map((rule): Fits => (rule.action.value === 'jump' ? 'maybe' : fitsRosRule(rule, probe, config))),
  );
}

/** By itself: lists that other rules fill may hold anything. */
export function fitsRosRule({ matchers }: RosRule, probe: Probe, config: RosConfig): Fits {
  return every(
    matchers.map((matcher): Fits => {
      if (matcher.kind !== 'text') return 'maybe';
      const negated = matcher.value.startsWith('!');
      return turned(
        fitsRosMatcher(matcher.name, negated ? matcher.value.slice(1) : matcher.value, probe, config),
        negated,
      );
    }),
  );
}

/** The list by which a packet is dropped, where the packet itself or the one before it put its source there. */
export function ownList({ kind, by, added }: RosFate): { readonly list: string; readonly add: RosRule } | undefined {
  if (kind !== 'refused' || by === undefined) return undefined;
  for (const matcher of by.matchers) {
    if (matcher.kind !== 'text' || matcher.name !== 'src-address-list') continue;
    const add = added.get(matcher.value);
    if (add !== undefined) return { list: matcher.value, add };
  }
  return undefined;
}

/** Whether every packet that fits `later` has met `earlier` before. */
export function covers(earlier: RosRule, later: RosRule, config: RosConfig): boolean {
  return earlier.matchers.every((asked) => later.matchers.some((known) => implies(known, asked, config)));
}

function implies(known: RosField, asked: RosField, config: RosConfig): boolean {
  if (known.kind !== 'text' || asked.kind !== 'text') return false;
  if (known.name === asked.name && known.value === asked.value) return true;
  if (known.value.startsWith('!')) return false;
  if (asked.name === 'dst-port' && known.name === 'dst-port')
    return known.value.split(',').every((item) => item.split('-').every((port) => inPorts(asked.value, Number(port))));
  if (asked.name === 'connection-state' && known.name === 'connection-state') {
    const wanted = new Set(asked.value.split(','));
    return !asked.value.startsWith('!') && known.value.split(',').every((state) => wanted.has(state));
  }
  for (const way of ['in', 'out'] as const) {
    if (asked.name !== `${way}-interface-list` || known.name !== `${way}-interface`) continue;
    const member: Fits = byList({ names: [known.value], never: [] }, asked.value.replace(/^!/, ''), config);
    return (asked.value.startsWith('!') ? not(member) : member) === 'yes';
  }
  return false;
}
