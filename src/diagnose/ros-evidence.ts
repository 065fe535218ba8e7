/** What a RouterOS text shows of the router around its tunnels: outer addresses, networks behind it, routes, NAT. */
import type { ConfEntry } from '../analyze/key-set.ts';
import { inPrefix, type Prefix, parseIp, parsePrefix } from '../base/address.ts';
import { scopeOf } from '../base/address-scope.ts';
import { oncePer } from '../base/once-per.ts';
import { overlapping, within } from '../base/prefix.ts';
import type { RosInterface } from '../config/routeros/as-conf.ts';
import type { RosConfig } from '../config/routeros/export.ts';
import type { RosField } from '../config/routeros/fields.ts';
import type { RosRule } from '../config/routeros/firewall.ts';
import type { RosAddress, RosRoute } from '../config/routeros/network.ts';

export interface Router {
  readonly config: RosConfig;
  readonly end: RosInterface;
}

export function routerOf({ origin }: ConfEntry): Router | undefined {
  return origin.kind === 'routeros' ? origin : undefined;
}

// A router may have thousands of interfaces, and each asks for these.

/** Addresses on what is no WireGuard interface. */
export const outerAddresses = oncePer<RosConfig, readonly RosAddress[]>(({ wireguard, addresses }) => {
  const tunnels = new Set(wireguard.flatMap(({ name }) => name?.value ?? []));
  return addresses.filter(
    (address) => !address.disabled && !address.invalid && !tunnels.has(address.interface?.value ?? ''),
  );
});

/** Routes that are on, in the main table; `dst-address` absent stands for everything. */
export const mainRoutes = oncePer<RosConfig, readonly (RosRoute & { readonly to: Prefix })[]>(({ routes }) =>
  routes.flatMap((route) => {
    if (route.disabled || (route.routingTable?.value ?? 'main') !== 'main') return [];
    const to = route.destination?.value ?? parsePrefix(route.family === 'ip' ? '0.0.0.0/0' : '::/0');
    return to === undefined ? [] : [{ ...route, to }];
  }),
);

/** Gateways of a route: interfaces by name, addresses as addresses. */
function gateways({ gateway }: RosRoute): string[] {
  return (gateway?.value ?? '').split(',').flatMap((part) => part.trim().split('%'));
}

/** The route leads into this interface: by its name, or by an address that is on it. */
export function leadsInto(route: RosRoute, { config, end }: Router): boolean {
  if (end.name === undefined) return false;
  const networks = config.addresses.filter(({ interface: on, disabled }) => on?.value === end.name && !disabled);
  return gateways(route).some((gateway) => {
    const ip = parseIp(gateway);
    return gateway === end.name || (ip !== undefined && networks.some(({ address }) => inPrefix(ip, address.value)));
  });
}

/** The address towards the internet, where it is written down and there is but one way out. */
export function staticWan(config: RosConfig): RosAddress | undefined {
  return wans(config)[0];
}

/** At most one. */
const wans = oncePer<RosConfig, readonly RosAddress[]>((config) => {
  if (config.pppoeClients.some(({ disabled }) => !disabled)) return [];
  const [way, ...others] = mainRoutes(config).filter(
    ({ to, blackhole }) => to.bits === 0 && to.ip.length === 4 && !blackhole,
  );
  if (way === undefined || others.length > 0) return [];
  const next = gateways(way).flatMap((gateway) => parseIp(gateway) ?? []);
  return outerAddresses(config)
    .filter(({ address }) => next.some((ip) => inPrefix(ip, address.value)))
    .slice(0, 1);
});

/** Private networks behind the router: connected, and not towards the internet. */
export const lanNetworks = oncePer<RosConfig, readonly RosAddress[]>((config) => {
  const wan = staticWan(config);
  const outside = new Set([
    ...config.listMembers.flatMap((member) =>
      member.list.value === 'WAN' && !member.disabled ? member.interface.value : [],
    ),
    ...config.pppoeClients.flatMap(({ name, interface: on }) => [name?.value ?? '', on?.value ?? '']),
  ]);
  return outerAddresses(config).filter(
    (one) =>
      one !== wan &&
      !outside.has(one.interface?.value ?? '') &&
      one.address.value.bits < one.address.value.ip.length * 8 &&
      scopeOf(one.address.value.ip) === 'private',
  );
});

/** PPPoE towards the internet: what its packets may be, bytes. */
export function pppoeMtu(config: RosConfig): { readonly bytes: number; readonly line: number } | undefined {
  const client = config.pppoeClients.find(
    ({ disabled, addDefaultRoute }) => !disabled && addDefaultRoute?.value === true,
  );
  return client === undefined ? undefined : { bytes: client.maxMtu?.value ?? PPPOE_MTU, line: client.line };
}

/** 1500 less the header of PPPoE and PPP (RFC 2516 §7). */
const PPPOE_MTU = 1492;

/**
 * Whether packets from this network get another source on the way into the interface: the first rule of srcnat that
 * they meet decides. `unknown` where a rule asks for something that the text does not decide.
 */
export function translated(from: Prefix, { config, end }: Router): 'yes' | 'no' | 'unknown' {
  for (const rule of config.rules) {
    if (rule.family !== 'ip' || rule.table !== 'nat' || rule.chain?.value !== 'srcnat' || rule.disabled) continue;
    const meets = meetsRule(rule, from, { config, end });
    if (meets === 'no') continue;
    if (meets === 'unknown') return 'unknown';
    const action = rule.action.value;
    if (action === 'masquerade' || action === 'src-nat' || action === 'netmap' || action === 'same') return 'yes';
    if (action === 'accept') return 'no';
    if (action === 'log' || action === 'passthrough') continue;
    return 'unknown';
  }
  return 'no';
}

function meetsRule(rule: RosRule, from: Prefix, router: Router): 'yes' | 'no' | 'unknown' {
  let all: 'yes' | 'unknown' = 'yes';
  for (const matcher of rule.matchers) {
    const meets = meetsMatcher(matcher, from, router);
    if (meets === 'no') return 'no';
    if (meets === 'unknown') all = 'unknown';
  }
  return all;
}

function meetsMatcher(matcher: RosField, from: Prefix, { config, end }: Router): 'yes' | 'no' | 'unknown' {
  if (matcher.kind !== 'text') return 'unknown';
  const not = matcher.value.startsWith('!');
  const value = not ? matcher.value.slice(1) : matcher.value;
  const decided = (fits: boolean): 'yes' | 'no' => (fits !== not ? 'yes' : 'no');
  switch (matcher.name) {
    case 'out-interface':
      return value === 'all' ? 'unknown' : decided(value === end.name);
    case 'out-interface-list':
      if (value === 'all') return decided(true);
      return decided(
        config.listMembers.some(
          ({ list, interface: on, disabled }) => !disabled && list.value === value && on.value === end.name,
        ),
      );
    case 'src-address': {
      const prefix = parsePrefix(value);
      if (prefix === undefined || (overlapping(prefix, from) && !within(from, prefix))) return 'unknown';
      return decided(within(from, prefix));
    }
    case 'ipsec-policy':
      return value === 'out,none' && !not ? 'yes' : 'unknown';
    default:
      return 'unknown';
  }
}
