/** A RouterOS `/export`, or commands for one, read into what concerns a tunnel and its way through the router. */
import type { Problem } from '../../base/problem.ts';
import { given } from '../given.ts';
import { type Pasted, pastedLines } from '../pasted.ts';
import type { Located, ProblemList } from '../text.ts';
import type { RosRow } from './fields.ts';
import {
  type RosAddressListItem,
  type RosFirewallTable,
  type RosRule,
  rosAddressListItem,
  rosRule,
} from './firewall.ts';
import { type RosHeader, rosHeader } from './header.ts';
import {
  type RosAddress,
  type RosListMember,
  type RosPppoeClient,
  type RosQueue,
  type RosRoute,
  rosAddress,
  rosListMember,
  rosPppoeClient,
  rosQueue,
  rosRoute,
} from './network.ts';
import type { RosFault, RosFaults } from './row-reader.ts';
import { RowReader } from './row-reader.ts';
import { rowsOf, settingsOf } from './rows.ts';
import { type RosScript, rosScript } from './script.ts';
import {
  type RosClock,
  type RosCloud,
  type RosConnectionTracking,
  type RosNtpClient,
  type RosService,
  rosClock,
  rosCloud,
  rosConnectionTracking,
  rosNtpClient,
  rosService,
} from './system.ts';
import { type RosPeer, type RosWireguard, rosPeer, rosWireguard } from './wireguard.ts';

export interface RosConfig {
  readonly header?: RosHeader;
  readonly identity?: Located<string>;
  readonly wireguard: readonly RosWireguard[];
  readonly peers: readonly RosPeer[];
  readonly addresses: readonly RosAddress[];
  readonly routes: readonly RosRoute[];
  /** All tables of both families, each table in its own order. */
  readonly rules: readonly RosRule[];
  readonly addressLists: readonly RosAddressListItem[];
  readonly interfaceLists: readonly Located<string>[];
  readonly listMembers: readonly RosListMember[];
  readonly pppoeClients: readonly RosPppoeClient[];
  readonly queues: readonly RosQueue[];
  readonly services: readonly RosService[];
  readonly clock?: RosClock;
  readonly ntpClient?: RosNtpClient;
  readonly cloud?: RosCloud;
  readonly connectionTracking?: RosConnectionTracking;
  readonly faults: readonly RosFault[];
}

const FAMILIES = ['ip', 'ipv6'] as const;
const TABLES: readonly RosFirewallTable[] = ['filter', 'nat', 'mangle', 'raw'];

class ConfigReader {
  readonly #script: RosScript;
  readonly #problems: ProblemList;
  readonly said: RosFaults;

  constructor(script: RosScript, problems: ProblemList) {
    this.#script = script;
    this.#problems = problems;
    this.said = { problems, faults: [] };
  }

  #rows<T>(path: string, read: (row: RosRow, said: RosFaults) => T | undefined): T[] {
    return rowsOf(this.#script, path, this.#problems).flatMap((row) => read(row, this.said) ?? []);
  }

  #settings<T>(path: string, read: (row: RosRow, said: RosFaults) => T): T | undefined {
    const row = settingsOf(this.#script, path);
    return row === undefined ? undefined : read(row, this.said);
  }

  config(header: RosHeader | undefined): RosConfig {
    const servers = rowsOf(this.#script, 'system ntp client servers', this.#problems);
    return given({
      header,
      identity: this.#settings('system identity', (row, said) => new RowReader(row, said).text('name')),
      wireguard: this.#rows('interface wireguard', rosWireguard),
      peers: this.#rows('interface wireguard peers', rosPeer),
      addresses: [...this.#rows('ip address', rosAddress), ...this.#rows('ipv6 address', rosAddress)],
      routes: FAMILIES.flatMap((family) => this.#rows(`${family} route`, (row, said) => rosRoute(family, row, said))),
      rules: FAMILIES.flatMap((family) =>
        TABLES.flatMap((table) =>
          this.#rows(`${family} firewall ${table}`, (row, said) => rosRule(family, table, row, said)),
        ),
      ),
      addressLists: FAMILIES.flatMap((family) => this.#rows(`${family} firewall address-list`, rosAddressListItem)),
      interfaceLists: this.#rows('interface list', (row, said) => new RowReader(row, said).text('name')),
      listMembers: this.#rows('interface list member', rosListMember),
      pppoeClients: this.#rows('interface pppoe-client', rosPppoeClient),
      queues: [
        ...this.#rows('queue simple', (row, said) => rosQueue('simple', row, said)),
        ...this.#rows('queue tree', (row, said) => rosQueue('tree', row, said)),
      ],
      services: this.#rows('ip service', rosService),
      clock: this.#settings('system clock', rosClock),
      ntpClient: this.#settings('system ntp client', (row, said) => rosNtpClient(row, servers, said)),
      cloud: this.#settings('ip cloud', rosCloud),
      connectionTracking: this.#settings('ip firewall connection tracking', rosConnectionTracking),
      faults: this.said.faults,
    });
  }
}

/**
 * Reads an export of any version with or without show-sensitive, and commands in its form. Never throws; what cannot
 * be read is left out and named in `problems`.
 */
export function parseRosExport(text: Pasted): { readonly config: RosConfig; readonly problems: readonly Problem[] } {
  const lines = pastedLines(text);
  const { script, problems } = rosScript(lines);
  const config = new ConfigReader(script, problems).config(rosHeader(lines));
  return { config, problems: problems.done() };
}
