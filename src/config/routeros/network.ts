/** What of a RouterOS configuration lies around its tunnels: addresses, routes, interface lists, PPPoE, queues. */
import type { Prefix } from '../../base/address.ts';
import { given } from '../given.ts';
import type { Located } from '../text.ts';
import type { RosField, RosRow } from './fields.ts';
import { type RosFaults, RowReader } from './row-reader.ts';

export interface RosAddress {
  readonly line: number;
  /** As written: the host part is the router's own. */
  readonly address: Located<Prefix>;
  readonly interface?: Located<string>;
  readonly disabled: boolean;
  readonly invalid: boolean;
  readonly dynamic: boolean;
  readonly comment?: Located<string>;
}

export interface RosRoute {
  readonly line: number;
  readonly family: 'ip' | 'ipv6';
  /** 0.0.0.0/0 or ::/0 where none is written. */
  readonly destination?: Located<Prefix>;
  /** An address, an interface, `address%interface`, or several by commas. */
  readonly gateway?: Located<string>;
  readonly distance?: Located<number>;
  readonly routingTable?: Located<string>;
  readonly blackhole: boolean;
  readonly disabled: boolean;
  readonly dynamic: boolean;
  /** Only a print tells. */
  readonly active?: boolean;
  readonly comment?: Located<string>;
}

export interface RosListMember {
  readonly line: number;
  readonly list: Located<string>;
  readonly interface: Located<string>;
  readonly disabled: boolean;
}

export interface RosPppoeClient {
  readonly line: number;
  readonly name?: Located<string>;
  readonly interface?: Located<string>;
  readonly maxMtu?: Located<number>;
  readonly maxMru?: Located<number>;
  readonly mrru?: Located<number>;
  readonly addDefaultRoute?: Located<boolean>;
  readonly disabled: boolean;
}

export interface RosQueue {
  readonly line: number;
  readonly kind: 'simple' | 'tree';
  readonly name?: Located<string>;
  readonly target?: Located<string>;
  readonly maxLimit?: Located<string>;
  readonly disabled: boolean;
  readonly fields: readonly RosField[];
}

export function rosAddress(row: RosRow, said: RosFaults): RosAddress | undefined {
  const read = new RowReader(row, said);
  const [address] = read.prefixes('address');
  if (address === undefined) return undefined;
  return given({
    line: row.line,
    address,
    interface: read.text('interface', 'actual-interface'),
    disabled: read.disabled,
    invalid: read.flag('I') ?? false,
    dynamic: read.flag('D') ?? false,
    comment: read.text('comment'),
  });
}

export function rosRoute(family: 'ip' | 'ipv6', row: RosRow, said: RosFaults): RosRoute {
  const read = new RowReader(row, said);
  const type = read.text('type')?.value;
  return given({
    line: row.line,
    family,
    destination: read.prefixes('dst-address')[0],
    gateway: read.text('gateway'),
    distance: read.number(0, 255, 'distance'),
    routingTable: read.text('routing-table', 'routing-mark'),
    blackhole: type === 'blackhole' || row.fields.some(({ name }) => name === 'blackhole'),
    disabled: read.disabled,
    dynamic: read.flag('D') ?? false,
    active: read.flag('A'),
    comment: read.text('comment'),
  });
}

export function rosListMember(row: RosRow, said: RosFaults): RosListMember | undefined {
  const read = new RowReader(row, said);
  const list = read.text('list');
  const member = read.text('interface');
  return list === undefined || member === undefined
    ? undefined
    : { line: row.line, list, interface: member, disabled: read.disabled };
}

/** `auto` and `disabled` are no numbers, and no faults. */
function size(read: RowReader, name: string): Located<number> | undefined {
  return /^[0-9]/.test(read.text(name)?.value ?? '') ? read.number(0, 65535, name) : undefined;
}

export function rosPppoeClient(row: RosRow, said: RosFaults): RosPppoeClient {
  const read = new RowReader(row, said);
  const defaultRoute = read.text('add-default-route');
  return given({
    line: row.line,
    name: read.text('name'),
    interface: read.text('interface'),
    maxMtu: size(read, 'max-mtu'),
    maxMru: size(read, 'max-mru'),
    mrru: size(read, 'mrru'),
    addDefaultRoute: defaultRoute === undefined ? undefined : { ...defaultRoute, value: defaultRoute.value === 'yes' },
    disabled: read.disabled,
  });
}

export function rosQueue(kind: 'simple' | 'tree', row: RosRow, said: RosFaults): RosQueue {
  const read = new RowReader(row, said);
  return given({
    line: row.line,
    kind,
    name: read.text('name'),
    target: read.text('target', 'parent'),
    maxLimit: read.text('max-limit'),
    disabled: read.disabled,
    fields: row.fields,
  });
}
