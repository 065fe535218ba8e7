/** The router that has the Endpoint's address passes the port on to nobody, to another port, or to another host. */
import type { ConfEntry } from '../../analyze/key-set.ts';
import type { Machine } from '../../analyze/machine.ts';
import type { World } from '../../analyze/world.ts';
import { formatIp, type IpBytes, parseIp } from '../../base/address.ts';
import { equal } from '../../base/bytes.ts';
import type { FilterRule } from '../../config/host/packet-filter.ts';
import type { RosConfig } from '../../config/routeros/export.ts';
import type { RosRule } from '../../config/routeros/firewall.ts';
import type { ConfEndpoint } from '../../config/wg-conf.ts';
import { type Listing, listings, placeOf, settings } from '../config-evidence.ts';
import { setEndpoint } from '../endpoint-evidence.ts';
import type { Probe } from '../first-match.ts';
import { fitsRule } from '../linux-filter.ts';
import { hosts, listenPort } from '../machine-evidence.ts';
import { outerAddresses } from '../ros-evidence.ts';
import { fitsRosRule, parameter, rosRuleText } from '../ros-filter.ts';
import { outsideOf } from '../ros-port.ts';
import { defineRule, type Facts, type Found } from '../rule.ts';

interface ForwardFacts extends Facts {
  readonly router: string;
  /** Where the router has the address. */
  readonly addressPlace: string;
  /** The Endpoint that leads there. */
  readonly endpoint: string;
  readonly endpointPlace: string;
  readonly end: string;
  readonly port: number;
  readonly listens: number | null;
  readonly fault: 'none' | 'port' | 'host';
  /** The rule that is there, and where it leads. */
  readonly rule: string | null;
  readonly ruleLine: number | null;
  readonly to: string | null;
}

export const portForwardMissing = defineRule({
  name: 'port-forward-missing',
  severity: 'warning',
  on: 'files',
  group: 'config',
  explain: {
    what: 'an Endpoint is the outer address of a router whose rules are here, and none of them passes the port on to the end behind it',
    why: 'the router takes packets to its own address for itself: without a rule for the port the end behind it never sees an initiation',
    fix: 'on the router, forward UDP of that port to the address and ListenPort of the end behind it; one rule, and only one',
  },
  check: (world): Found<ForwardFacts>[] => {
    const set = new Set(settings(world));
    return listings(world).flatMap((listing) =>
      set.has(listing.lister.entry) && set.has(listing.listed.entry) ? found(listing, world) : [],
    );
  },
  message({ router, endpoint, endpointPlace, end, port, listens, fault, rule, ruleLine, to }) {
    const leads = `${endpointPlace} writes to ${endpoint}, which is ${router}`;
    if (fault === 'none') return `${leads}, and no rule there forwards UDP port ${port} to ${end}`;
    const wrong =
      fault === 'port' ? `port ${to}, and ${end} listens on ${listens}` : `${to}, which is not an address of ${end}`;
    return `${leads}, and line ${ruleLine} there, “${rule}”, forwards it to ${wrong}`;
  },
  fix: ({ port, listens, fault, ruleLine }) => ({
    linux: [
      `iptables -t nat -A PREROUTING -p udp --dport ${port} -j DNAT --to-destination INSIDE:${listens ?? port}; iptables -I FORWARD -p udp -d INSIDE --dport ${listens ?? port} -j ACCEPT`,
    ],
    routeros:
      fault === 'none'
        ? [
            `/ip firewall nat add chain=dstnat action=dst-nat protocol=udp dst-port=${port} in-interface-list=WAN to-addresses=INSIDE to-ports=${listens ?? port}`,
          ]
        : [
            `/ip firewall nat print; /ip firewall nat set NUMBER to-addresses=INSIDE to-ports=${listens ?? port}   (the rule at line ${ruleLine})`,
          ],
  }),
});

/** A router whose rules were read, with one of its own addresses. */
interface Gate {
  readonly name: string;
  readonly line: number;
  readonly rules: readonly Forward[];
}

interface Forward {
  readonly line: number;
  readonly text: string;
  /** Without `to-addresses` or with a range, undefined. */
  readonly address: IpBytes | undefined;
  readonly port: number | undefined;
  readonly fits: 'yes' | 'maybe';
}

function found(listing: Listing, world: World): Found<ForwardFacts>[] {
  const { lister, listed, peer } = listing;
  const written = setEndpoint(lister.entry, peer);
  const ip = written?.value.ip;
  if (written === undefined || ip === undefined) return [];
  const gate = gateAt(written.value, ip, listed.entry, world);
  if (gate === undefined) return [];
  const listens = listenPort(listed.entry)?.value;
  const fault = faultOf(gate.rules, listens, written.value.port, addressesOf(listed.entry, world));
  if (fault === undefined) return [];
  const { rule } = fault;
  return [
    {
      facts: {
        router: gate.name,
        addressPlace: `${gate.name} line ${gate.line}`,
        endpoint: `${formatIp(ip)}:${written.value.port}`,
        endpointPlace: placeOf(lister.entry, written.line),
        end: listed.entry.name,
        port: written.value.port,
        listens: listens ?? null,
        fault: fault.kind,
        rule: rule?.text ?? null,
        ruleLine: rule?.line ?? null,
        to: fault.to ?? null,
      },
      certainty: 'deduced',
      frames: [],
      subject: `file:${gate.name}`,
      notes: [`the router has the address at line ${gate.line}`],
    },
  ];
}

interface Fault {
  readonly kind: ForwardFacts['fault'];
  readonly rule?: Forward;
  readonly to?: string;
}

/** The first rule that surely fits decides; those that may fit leave it open. */
function faultOf(
  rules: readonly Forward[],
  listens: number | undefined,
  asked: number,
  own: readonly IpBytes[],
): Fault | undefined {
  const [rule] = rules;
  if (rule === undefined) return { kind: 'none' };
  if (rule.fits === 'maybe') return undefined;
  const port = rule.port ?? asked;
  if (listens !== undefined && port !== listens) return { kind: 'port', rule, to: `${port}` };
  const { address } = rule;
  if (address !== undefined && own.length > 0 && !own.some((ip) => equal(ip, address)))
    return { kind: 'host', rule, to: formatIp(address) };
  return undefined;
}

/** Outer addresses of the machine that an end runs on, where its routes show them. */
function addressesOf(entry: ConfEntry, world: World): IpBytes[] {
  return hosts(world)
    .filter((host) => host.entry === entry && host.sure)
    .flatMap(({ machine }) => ownAddresses(machine).map(({ ip }) => ip));
}

function ownAddresses({ routes }: Machine): { readonly ip: IpBytes; readonly line: number }[] {
  return routes.flatMap(({ source, type, destination, line }) => {
    if (type === 'local' && destination.bits === destination.ip.length * 8) return [{ ip: destination.ip, line }];
    return source === undefined ? [] : [{ ip: source, line }];
  });
}

/** The machine with this outer address, where it is not the end itself. */
function gateAt({ port }: ConfEndpoint, ip: IpBytes, end: ConfEntry, world: World): Gate | undefined {
  const own = new Set(hosts(world).flatMap(({ entry, machine, sure }) => (entry === end && sure ? [machine] : [])));
  for (const machine of world.keys.machines) {
    if (own.has(machine) || machine.input === end.input) continue;
    const { name, ros } = machine;
    if (ros !== undefined) {
      const address = outerAddresses(ros).find(({ address: { value } }) => equal(value.ip, ip));
      if (address !== undefined && (ros.header !== undefined || ros.rules.some(({ table }) => table === 'nat')))
        return { name, line: address.line, rules: rosForwards(ros, port, ip) };
      continue;
    }
    // a host with the Endpoint's address is the end itself, unless that is known to be another
    if (own.size === 0) continue;
    const address = ownAddresses(machine).find((one) => equal(one.ip, ip));
    const chains = machine.filters.flatMap(({ filter }) => filter.chains).filter(({ hook }) => hook === 'prerouting');
    if (address === undefined || chains.length === 0) continue;
    const probe: Probe = { ...probeTo(port, ip), in: { never: ['lo'] } };
    const rules = machine.filters.flatMap(({ filter }) => filter.chains.flatMap((chain) => chain.rules));
    return { name, line: address.line, rules: rules.flatMap((rule) => linuxForward(rule, probe) ?? []) };
  }
  return undefined;
}

function probeTo(port: number, ip: IpBytes): Probe {
  return {
    hook: 'input',
    family: ip.length === 4 ? 'ip' : 'ip6',
    protocol: 'udp',
    port,
    state: 'new',
    in: { never: [] },
    out: { never: [] },
    sources: [],
    destinations: [ip],
  };
}

function linuxForward(rule: FilterRule, probe: Probe): Forward | undefined {
  const { verdict, line, text } = rule;
  if (verdict.kind !== 'dnat' && verdict.kind !== 'redirect') return undefined;
  const fits = fitsRule(rule, probe);
  if (fits === 'no') return undefined;
  const [, host = '', port] = /^(\d+\.\d+\.\d+\.\d+)?:?(\d+)?$/.exec(verdict.to ?? '') ?? [];
  return { line, text, fits, address: parseIp(host), port: port === undefined ? undefined : Number(port) };
}

function rosForwards(config: RosConfig, port: number, ip: IpBytes): Forward[] {
  const probe: Probe = { ...probeTo(port, ip), in: outsideOf(config, undefined) };
  return config.rules.flatMap((rule): Forward[] => {
    if (rule.table !== 'nat' || rule.chain?.value !== 'dstnat' || rule.disabled || rule.invalid) return [];
    const { action } = rule;
    const fits = fitsRosRule(rule, probe, config);
    if (fits === 'no' || !/^(dst-nat|netmap|redirect|jump|same)$/.test(action.value)) return [];
    return [rosForward(rule, action.value === 'dst-nat' ? fits : 'maybe')];
  });
}

function rosForward(rule: RosRule, fits: Forward['fits']): Forward {
  const port = parameter(rule, 'to-ports');
  return {
    line: rule.line,
    text: rosRuleText(rule),
    fits,
    address: parseIp(parameter(rule, 'to-addresses') ?? parameter(rule, 'to-address') ?? ''),
    port: port === undefined || !/^\d+$/.test(port) ? undefined : Number(port),
  };
}
