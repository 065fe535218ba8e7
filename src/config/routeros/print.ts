/** Output of RouterOS print commands, read into the same items as an export, with what only a print tells. */
import type { Problem } from '../../base/problem.ts';
import type { Pasted } from '../pasted.ts';
import { ProblemList } from '../text.ts';
import type { RosRow } from './fields.ts';
import {
  type RosAddressListItem,
  type RosFirewallTable,
  type RosRule,
  rosAddressListItem,
  rosRule,
} from './firewall.ts';
import { type RosAddress, type RosRoute, rosAddress, rosRoute } from './network.ts';
import { type RosPrintRows, rosPrintRows } from './print-rows.ts';
import type { RosFault, RosFaults } from './row-reader.ts';
import {
  type RosClock,
  type RosCloud,
  type RosNtpClient,
  type RosService,
  rosClock,
  rosCloud,
  rosNtpClient,
  rosService,
} from './system.ts';
import { type RosPeer, type RosWireguard, rosPeer, rosWireguard } from './wireguard.ts';

/** `line` is that of the first item. */
export type RosPrintTable = { readonly line: number } & (
  | { readonly kind: 'wireguard'; readonly items: readonly RosWireguard[] }
  | { readonly kind: 'peers'; readonly items: readonly RosPeer[] }
  | {
      readonly kind: 'firewall';
      readonly items: readonly RosRule[];
      /** False where columns show some settings only, as `print stats` does: a rule may then match less than it seems. */
      readonly complete: boolean;
    }
  | { readonly kind: 'addresses'; readonly items: readonly RosAddress[] }
  | { readonly kind: 'routes'; readonly items: readonly RosRoute[] }
  | { readonly kind: 'address-list'; readonly items: readonly RosAddressListItem[] }
  | { readonly kind: 'services'; readonly items: readonly RosService[] }
  | { readonly kind: 'clock'; readonly clock: RosClock }
  | { readonly kind: 'ntp-client'; readonly ntpClient: RosNtpClient }
  | { readonly kind: 'cloud'; readonly cloud: RosCloud }
  /** A menu that is not read; its items as they stand. */
  | { readonly kind: 'other'; readonly items: readonly RosRow[] }
);

/** `/interface/wireguard/peers print detail` → `interface wireguard peers`. */
function menuOf(command: string): string {
  const words = command.split(/[\s/]+/).filter((word) => word !== '');
  const print = words.indexOf('print');
  return words.slice(0, print < 0 ? undefined : print).join(' ');
}

/** What a table is of, by the settings that its items have. */
function menuOfFields(rows: RosPrintRows): string {
  const names = new Set(rows.rows.flatMap(({ fields }) => fields.map(({ name }) => name)));
  const all = (...wanted: readonly string[]): boolean => wanted.every((name) => names.has(name));
  if (all('chain', 'action')) return 'ip firewall';
  if (names.has('allowed-address') || all('public-key', 'interface')) return 'interface wireguard peers';
  if (names.has('listen-port') || all('private-key', 'public-key', 'name')) return 'interface wireguard';
  if (all('list', 'address')) return 'ip firewall address-list';
  if (all('dst-address', 'gateway')) return 'ip route';
  if (all('address', 'network') || all('address', 'interface')) return 'ip address';
  if (names.has('time-zone-name')) return 'system clock';
  if (all('enabled', 'servers') || all('enabled', 'synced-server')) return 'system ntp client';
  if (names.has('ddns-enabled')) return 'ip cloud';
  return '';
}

/** Without the command a rule tells by itself which table it is in, or it is taken for a filter rule. */
function tableOf(rows: RosPrintRows): RosFirewallTable {
  const values = rows.rows.flatMap(({ fields }) => fields.map((field) => (field.kind === 'text' ? field.value : '')));
  if (values.some((value) => /^(srcnat|dstnat|masquerade|src-nat|dst-nat)$/.test(value))) return 'nat';
  if (values.some((value) => /^(change-mss|mark-(routing|packet|connection)|postrouting)$/.test(value)))
    return 'mangle';
  return 'filter';
}

function firewallTable(menu: string, rows: RosPrintRows): RosFirewallTable {
  const named = /firewall (filter|nat|mangle|raw)\b/.exec(menu)?.[1];
  return named === 'filter' || named === 'nat' || named === 'mangle' || named === 'raw' ? named : tableOf(rows);
}

function typed(rows: RosPrintRows, command: string, said: RosFaults): RosPrintTable {
  const line = rows.rows[0]?.line ?? rows.line;
  const asked = menuOf(command);
  const found = menuOfFields(rows);
  // The items decide: what was asked may have been printed by another command in between.
  const menu = found === 'ip firewall' ? asked : found === '' ? asked : found;
  const family = asked.startsWith('ipv6') ? 'ipv6' : 'ip';
  const items = <T>(read: (row: RosRow, said: RosFaults) => T | undefined): T[] =>
    rows.rows.flatMap((row) => read(row, said) ?? []);
  const [first] = rows.rows;
  if (found === 'ip firewall') {
    const table = firewallTable(asked, rows);
    const complete = rows.layout === 'items';
    return { kind: 'firewall', line, complete, items: items((row) => rosRule(family, table, row, said)) };
  }
  switch (menu) {
    case 'interface wireguard':
      return { kind: 'wireguard', line, items: items(rosWireguard) };
    case 'interface wireguard peers':
      return { kind: 'peers', line, items: items(rosPeer) };
    case 'ip address':
    case 'ipv6 address':
      return { kind: 'addresses', line, items: items(rosAddress) };
    case 'ip route':
    case 'ipv6 route':
      return { kind: 'routes', line, items: items((row) => rosRoute(family, row, said)) };
    case 'ip firewall address-list':
    case 'ipv6 firewall address-list':
      return { kind: 'address-list', line, items: items(rosAddressListItem) };
    case 'ip service':
      return { kind: 'services', line, items: items(rosService) };
  }
  if (first !== undefined && rows.layout === 'settings') {
    if (menu === 'system clock') return { kind: 'clock', line, clock: rosClock(first, said) };
    if (menu === 'system ntp client') return { kind: 'ntp-client', line, ntpClient: rosNtpClient(first, [], said) };
    if (menu === 'ip cloud') return { kind: 'cloud', line, cloud: rosCloud(first, said) };
  }
  return { kind: 'other', line, items: rows.rows };
}

/**
 * `command` is what was typed, if that is known: it tells filter from nat and IPv4 from IPv6. Never throws; what is no
 * print is passed over.
 */
export function parseRosPrint(
  text: Pasted,
  command = '',
): {
  readonly tables: readonly RosPrintTable[];
  readonly faults: readonly RosFault[];
  readonly problems: readonly Problem[];
} {
  const said: RosFaults = { problems: new ProblemList(), faults: [] };
  const tables = rosPrintRows(text).map((rows) => typed(rows, command, said));
  return { tables, faults: said.faults, problems: said.problems.done() };
}
