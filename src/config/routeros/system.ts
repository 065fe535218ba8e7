/** RouterOS settings about the router itself: clock, time sources, services, connection tracking. */
import { given } from '../given.ts';
import type { Located } from '../text.ts';
import type { RosRow } from './fields.ts';
import { type RosFaults, RowReader } from './row-reader.ts';

export interface RosClock {
  readonly line: number;
  readonly timeZone?: Located<string>;
  readonly timeZoneAutodetect?: Located<boolean>;
  /** Only a print tells them: `2026-01-02` or `jan/02/2026`, and `03:04:05`. */
  readonly date?: Located<string>;
  readonly time?: Located<string>;
}

export interface RosNtpClient {
  readonly line: number;
  readonly enabled?: Located<boolean>;
  readonly servers: readonly Located<string>[];
  /** Only a print tells: `synchronized`, `waiting`, `stopped`. */
  readonly status?: Located<string>;
}

/** `/ip cloud` sets the clock too, once the internet can be reached. */
export interface RosCloud {
  readonly line: number;
  readonly ddnsEnabled?: Located<boolean>;
  readonly updateTime?: Located<boolean>;
}

export interface RosService {
  readonly line: number;
  readonly name: Located<string>;
  readonly port?: Located<number>;
  /** Sources it is open to; all where none is written. */
  readonly addresses: readonly Located<string>[];
  readonly disabled: boolean;
}

export interface RosConnectionTracking {
  readonly line: number;
  readonly enabled?: Located<string>;
  readonly udpTimeoutMs?: Located<number>;
  readonly udpStreamTimeoutMs?: Located<number>;
}

function commaList(found: Located<string> | undefined): readonly Located<string>[] {
  if (found === undefined) return [];
  return found.value
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
    .map((value) => ({ ...found, value }));
}

export function rosClock(row: RosRow, said: RosFaults): RosClock {
  const read = new RowReader(row, said);
  return given({
    line: row.line,
    timeZone: read.text('time-zone-name'),
    timeZoneAutodetect: read.yes('time-zone-autodetect'),
    date: read.text('date'),
    time: read.text('time'),
  });
}

export function rosNtpClient(row: RosRow, servers: readonly RosRow[], said: RosFaults): RosNtpClient {
  const read = new RowReader(row, said);
  const listed = servers.flatMap((server) => new RowReader(server, said).text('address') ?? []);
  const own = ['servers', 'server-dns-names', 'primary-ntp', 'secondary-ntp'].flatMap((name) =>
    commaList(read.text(name)),
  );
  return given({
    line: row.line,
    enabled: read.yes('enabled'),
    servers: [...own, ...listed],
    status: read.text('status'),
  });
}

export function rosCloud(row: RosRow, said: RosFaults): RosCloud {
  const read = new RowReader(row, said);
  const ddns = read.text('ddns-enabled');
  return given({
    line: row.line,
    // `auto` stands for "when back to home needs it".
    ddnsEnabled: ddns === undefined || ddns.value === 'auto' ? undefined : read.yes('ddns-enabled'),
    updateTime: read.yes('update-time'),
  });
}

export function rosService(row: RosRow, said: RosFaults): RosService | undefined {
  const read = new RowReader(row, said);
  const name = read.text('name');
  if (name === undefined) return undefined;
  return given({
    line: row.line,
    name,
    port: read.port('port'),
    addresses: commaList(read.text('address')),
    disabled: read.disabled,
  });
}

export function rosConnectionTracking(row: RosRow, said: RosFaults): RosConnectionTracking {
  const read = new RowReader(row, said);
  return given({
    line: row.line,
    enabled: read.text('enabled'),
    udpTimeoutMs: read.durationMs('udp-timeout'),
    udpStreamTimeoutMs: read.durationMs('udp-stream-timeout'),
  });
}
