/** The WireGuard port of a RouterOS interface, and how the packets of peers meet the router's own filter. */

import type { ConfEntry } from '../analyze/key-set.ts';
import type { World } from '../analyze/world.ts';
import { inPrefix } from '../base/address.ts';
import { oncePer } from '../base/once-per.ts';
import type { RosConfig } from '../config/routeros/export.ts';
import type { RosRule } from '../config/routeros/firewall.ts';
import type { Located } from '../config/text.ts';
import { settings } from './config-evidence.ts';
import type { Probe, Way } from './first-match.ts';
import { type Dialer, dialers, listenPort } from './machine-evidence.ts';
import { lanNetworks, type Router, routerOf, staticWan } from './ros-evidence.ts';
import { askedRules, namesRosPort, ownList, type RosFate, rosFate } from './ros-filter.ts';

export interface RosPort {
  readonly entry: ConfEntry;
  readonly router: Router;
  readonly port: Located<number>;
  /** Empty where this end always begins. */
  readonly by: readonly Dialer[];
  /** Its first packet, and one of a connection that is known. */
  readonly probe: Probe;
  readonly fate: RosFate;
  /** The same without a pair of rules that blocks whoever writes, which is told by itself. */
  readonly settled: RosFate;
}

/** Every WireGuard interface of a RouterOS text that shows rules for packets to the router. */
export const rosPorts = oncePer<World, readonly RosPort[]>((world) =>
  settings(world)
    .filter((entry) => routerOf(entry) !== undefined)
    .slice(0, MOST_PORTS)
    .flatMap((entry) => rosPort(entry, world) ?? []),
);

/** Each is led through all rules: more interfaces than this no router has. */
const MOST_PORTS = 50;

function rosPort(entry: ConfEntry, world: World): RosPort | undefined {
  const router = routerOf(entry);
  const port = listenPort(entry);
  if (router === undefined || port === undefined) return undefined;
  const by = dialers(entry, world);
  const probe = inboundProbe(router, port.value, by);
  const fate = rosFate(router.config, probe);
  return { entry, router, port, by, probe, fate, settled: withoutOwnList(router.config, probe, fate) };
}

function withoutOwnList(config: RosConfig, probe: Probe, fate: RosFate): RosFate {
  const own = ownList(fate);
  if (own === undefined) return fate;
  return rosFate({ ...config, rules: config.rules.filter((rule) => rule !== own.add && rule !== fate.by) }, probe);
}

export function established(probe: Probe): Probe {
  return { ...probe, state: 'established' };
}

function inboundProbe({ config, end }: Router, port: number, by: readonly Dialer[]): Probe {
  const targets = by.flatMap(({ endpoint }) => endpoint?.ip ?? []);
  const six = targets.length > 0 && targets.every((ip) => ip.length === 16);
  const inside = lanNetworks(config).find(({ address }) => targets.some((ip) => inPrefix(ip, address.value)));
  const lan = inside?.interface?.value;
  return {
    hook: 'input',
    family: six ? 'ip6' : 'ip',
    protocol: 'udp',
    port,
    state: 'new',
    in: lan === undefined ? outsideOf(config, end.name) : { names: [lan], never: [] },
    out: { never: [] },
    sources: [],
    destinations: [],
  };
}

/** By which interfaces the internet comes in, as far as lists, PPPoE and the default route show it. */
export function outsideOf(config: RosConfig, tunnel: string | undefined): Way {
  const tunnels = config.wireguard.flatMap(({ name }) => name?.value ?? []);
  const wan = config.listMembers.flatMap(({ list, interface: name, disabled }) =>
    list.value === 'WAN' && !disabled ? [name.value] : [],
  );
  const pppoe = config.pppoeClients.flatMap(({ name, disabled }) => (disabled ? [] : (name?.value ?? [])));
  const routed = staticWan(config)?.interface?.value;
  const names = [...new Set([...wan, ...pppoe, ...(routed === undefined ? [] : [routed])])];
  const inside = config.listMembers.flatMap(({ list, interface: name }) => (list.value === 'LAN' ? [name.value] : []));
  const never = [...new Set([...tunnels, ...(tunnel === undefined ? [] : [tunnel]), ...inside])];
  return { never, outside: true, ...(names.length === 0 ? {} : { names }) };
}

/** Rules of the input chain that would let the port in; `behind` the rule that decided, or all of them. */
export function acceptsOf({ router, port, probe }: RosPort, behind?: RosFate): RosRule[] {
  const rules = askedRules(router.config, probe.family === 'ip' ? 'ip' : 'ipv6', 'filter');
  // what raw drops has met no rule of the filter: indexOf is -1 then
  const from = behind?.via === undefined ? 0 : rules.indexOf(behind.via) + 1;
  return rules
    .slice(from)
    .filter((rule) => rule.chain?.value === 'input' && rule.action.value === 'accept' && namesRosPort(rule, port.value))
    .filter(({ matchers }) =>
      matchers.some(
        (one) => one.kind === 'text' && one.name === 'protocol' && (one.value === 'udp' || one.value === '17'),
      ),
    );
}
