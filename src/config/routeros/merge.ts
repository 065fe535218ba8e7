/** Prints of several menus, and exports beside them, as the one configuration that they are parts of. */
import { given } from '../given.ts';
import type { RosConfig } from './export.ts';
import type { RosPrintTable } from './print.ts';
import type { RosFault } from './row-reader.ts';

const EMPTY: RosConfig = {
  wireguard: [],
  peers: [],
  addresses: [],
  routes: [],
  rules: [],
  addressLists: [],
  interfaceLists: [],
  listMembers: [],
  pppoeClients: [],
  queues: [],
  services: [],
  faults: [],
};

export function configOfPrints(tables: readonly RosPrintTable[], faults: readonly RosFault[]): RosConfig {
  const items = <K extends RosPrintTable['kind']>(kind: K) =>
    tables.filter((table): table is Extract<RosPrintTable, { readonly kind: K }> => table.kind === kind);
  return given({
    ...EMPTY,
    wireguard: items('wireguard').flatMap((table) => table.items),
    peers: items('peers').flatMap((table) => table.items),
    rules: items('firewall').flatMap((table) => (table.complete ? table.items : [])),
    addresses: items('addresses').flatMap((table) => table.items),
    routes: items('routes').flatMap((table) => table.items),
    addressLists: items('address-list').flatMap((table) => table.items),
    services: items('services').flatMap((table) => table.items),
    clock: items('clock')[0]?.clock,
    ntpClient: items('ntp-client')[0]?.ntpClient,
    cloud: items('cloud')[0]?.cloud,
    faults,
  });
}

/** What only one of them shows, and the first of what both show. */
export function mergeRosConfigs(a: RosConfig, b: RosConfig): RosConfig {
  const either = <T>(one: readonly T[], other: readonly T[]): readonly T[] => (one.length > 0 ? one : other);
  return given({
    header: a.header ?? b.header,
    identity: a.identity ?? b.identity,
    wireguard: either(a.wireguard, b.wireguard),
    peers: either(a.peers, b.peers),
    addresses: either(a.addresses, b.addresses),
    routes: either(a.routes, b.routes),
    rules: either(a.rules, b.rules),
    addressLists: either(a.addressLists, b.addressLists),
    interfaceLists: either(a.interfaceLists, b.interfaceLists),
    listMembers: either(a.listMembers, b.listMembers),
    pppoeClients: either(a.pppoeClients, b.pppoeClients),
    queues: either(a.queues, b.queues),
    services: either(a.services, b.services),
    clock: a.clock ?? b.clock,
    ntpClient: a.ntpClient ?? b.ntpClient,
    cloud: a.cloud ?? b.cloud,
    connectionTracking: a.connectionTracking ?? b.connectionTracking,
    faults: [...a.faults, ...b.faults],
  });
}
