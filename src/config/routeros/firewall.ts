/** Firewall rules and address lists of RouterOS: every matcher kept as written, in order, for a first-match reading. */
import type { Prefix } from '../../base/address.ts';
import { parsePrefix } from '../../base/address.ts';
import { given } from '../given.ts';
import type { ByteCount } from '../quantities.ts';
import type { Located } from '../text.ts';
import type { RosField, RosRow } from './fields.ts';
import { type RosFaults, RowReader } from './row-reader.ts';

export type RosFirewallTable = 'filter' | 'nat' | 'mangle' | 'raw';

export interface RosRule {
  readonly family: 'ip' | 'ipv6';
  readonly table: RosFirewallTable;
  /** As `print` counts, from 0, over all chains of the table. */
  readonly number: number;
  readonly line: number;
  readonly chain?: Located<string>;
  /** `accept` where none is written. */
  readonly action: Located<string>;
  readonly disabled: boolean;
  /** RouterOS says that it cannot take effect. */
  readonly invalid: boolean;
  /** Made by the router itself. */
  readonly dynamic: boolean;
  readonly comment?: Located<string>;
  readonly remark?: Located<string>;
  /** What a packet must fit, in the order written. A value may begin with `!`. */
  readonly matchers: readonly RosField[];
  /** What the action needs, and logging: `jump-target`, `to-addresses`, `new-mss`, `place-before`, … */
  readonly parameters: readonly RosField[];
  readonly packets?: Located<number>;
  readonly bytes?: Located<ByteCount>;
}

export interface RosAddressListItem {
  readonly line: number;
  readonly list: Located<string>;
  /** A prefix, a range or a name. */
  readonly address: Located<string>;
  /** Where it is one. */
  readonly prefix?: Prefix;
  readonly disabled: boolean;
  readonly dynamic: boolean;
  readonly comment?: Located<string>;
}

const OWN = new Set(['chain', 'action', 'disabled', 'comment', 'packets', 'bytes', 'invalid', 'dynamic']);
const PARAMETERS =
  /^(log|log-prefix|jump-target|reject-with|to-(addresses|ports|address)|address-list(-timeout)?|new-.*|passthrough|place-before|randomise-ports|same-not-by-dst|sniff-.*|route-dst|hw-offload|copy-from|realm)$/;

export function rosRule(family: 'ip' | 'ipv6', table: RosFirewallTable, row: RosRow, said: RosFaults): RosRule {
  const read = new RowReader(row, said);
  const others = row.fields.filter(({ name }) => !OWN.has(name));
  const packets = read.bytes('packets');
  return given({
    family,
    table,
    number: row.number,
    line: row.line,
    chain: read.text('chain'),
    action: read.text('action') ?? { value: 'accept', line: row.line, column: 1 },
    disabled: read.disabled,
    invalid: read.flag('I') ?? false,
    dynamic: read.flag('D') ?? false,
    comment: read.text('comment'),
    remark: row.remark,
    matchers: others.filter(({ name }) => !PARAMETERS.test(name)),
    parameters: others.filter(({ name }) => PARAMETERS.test(name)),
    packets: packets === undefined ? undefined : { ...packets, value: packets.value.bytes },
    bytes: read.bytes('bytes'),
  });
}

export function rosAddressListItem(row: RosRow, said: RosFaults): RosAddressListItem | undefined {
  const read = new RowReader(row, said);
  const list = read.text('list');
  const address = read.text('address');
  if (list === undefined || address === undefined) return undefined;
  return given({
    line: row.line,
    list,
    address,
    prefix: parsePrefix(address.value),
    disabled: read.disabled,
    dynamic: read.flag('D') ?? false,
    comment: read.text('comment'),
  });
}
