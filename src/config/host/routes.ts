/** Routes of a host: `ip route` in any table, and `route print` of Windows, in one form. */
import { type IpBytes, type Prefix, parseIp, parsePrefix } from '../../base/address.ts';
import { given } from '../given.ts';
import { type Pasted, pastedLines } from '../pasted.ts';
import { filterPrefix } from './packet-filter.ts';

export interface HostRoute {
  readonly line: number;
  readonly destination: Prefix;
  /** Absent where the destination is on the link itself. */
  readonly gateway?: IpBytes;
  /** Linux: its name. Windows: the address it has, or its number for IPv6. */
  readonly interface?: string;
  readonly source?: IpBytes;
  readonly metric?: number;
  /** `main` where none is written. */
  readonly table?: string;
  /** `blackhole`, `unreachable`, `prohibit`, `throw`: nothing goes there. `local`, `broadcast`, `multicast`: own. */
  readonly type?: string;
  /** Kept over restarts (Windows). */
  readonly persistent?: boolean;
}

const TYPES = /^(unicast|local|broadcast|multicast|anycast|blackhole|unreachable|prohibit|throw|nat)$/;
const TAKES_VALUE =
  /^(via|dev|src|metric|table|proto|scope|onlink|pref|mtu|advmss|window|rtt|expires|error|initcwnd|initrwnd|hoplimit|realm|weight|nhid|features|congctl)$/;

function destinationOf(word: string, ipv6: boolean): Prefix | undefined {
  if (word === 'default') return parsePrefix(ipv6 ? '::/0' : '0.0.0.0/0');
  const short = /^(\d{1,3}(?:\.\d{1,3}){0,2})\/(\d{1,2})$/.exec(word);
  // Old versions write `10/8`.
  return parsePrefix(
    short === null ? word : `${short[1]}${'.0'.repeat(4 - (short[1] ?? '').split('.').length)}/${short[2]}`,
  );
}

/** undefined for a line that is no route. */
function linuxRoute(line: number, text: string, shown: HostRoute | undefined): HostRoute | undefined {
  const words = text.trim().split(/\s+/);
  const hop = words[0] === 'nexthop';
  const typed = TYPES.test(words[0] ?? '');
  const values = new Map<string, string>();
  for (let i = hop || typed ? 1 : 0; i < words.length - 1; i++) {
    const word = words[i] ?? '';
    if (TAKES_VALUE.test(word) && word !== 'onlink' && !values.has(word)) values.set(word, words[i + 1] ?? '');
  }
  const via =
    values.get('via') === 'inet6' || values.get('via') === 'inet' ? words[words.indexOf('via') + 2] : values.get('via');
  const gateway = via === undefined ? undefined : parseIp(via);
  const source = values.get('src');
  const ipv6 = gateway?.length === 16 || source?.includes(':') === true || words.includes('pref');
  const destination = hop ? shown?.destination : destinationOf(words[typed ? 1 : 0] ?? '', ipv6);
  if (destination === undefined || (values.size === 0 && !typed)) return undefined;
  return given({
    line,
    destination,
    gateway,
    interface: values.get('dev'),
    source: source === undefined ? undefined : parseIp(source),
    metric: /^\d{1,10}$/.test(values.get('metric') ?? '')
      ? Number(values.get('metric'))
      : shown !== undefined && hop
        ? shown.metric
        : undefined,
    table: values.get('table') ?? (hop ? shown?.table : undefined),
    type: typed ? words[0] : undefined,
  });
}

/** `default proto static metric 100` with hops on the next lines is one route for each of them. */
export function parseIpRoute(text: Pasted): readonly HostRoute[] {
  const out: HostRoute[] = [];
  let shown: HostRoute | undefined;
  for (const line of pastedLines(text)) {
    const route = linuxRoute(line.number, line.text, shown);
    if (route === undefined) continue;
    const hop = /^\s*nexthop\b/.test(line.text);
    // The line above only introduced the hops.
    if (hop && shown !== undefined && out.at(-1) === shown) out.pop();
    if (!hop) shown = route;
    out.push(route);
  }
  return out;
}

const WINDOWS_4 =
  /^\s*(\d+\.\d+\.\d+\.\d+)\s+(\d+\.\d+\.\d+\.\d+)\s+(\S+)\s+(?:(\d+\.\d+\.\d+\.\d+)\s+)?(\d{1,10}|Default)\s*$/;
const WINDOWS_6 = /^\s*(\d{1,4})\s+(\d{1,6})\s+([0-9a-f:]+\/\d{1,3})(?:\s+(\S+))?\s*$/i;

/** The tables for IPv4 and IPv6, and the persistent routes. Never throws. */
export function parseRoutePrint(text: Pasted): readonly HostRoute[] {
  const out: HostRoute[] = [];
  let persistent = false;
  for (const { number, text: line } of pastedLines(text)) {
    if (/^(Active|Persistent) Routes:/i.test(line)) persistent = /^Persistent/i.test(line);
    else if (/Route Table$/.test(line.trim())) persistent = false;
    const v4 = WINDOWS_4.exec(line);
    const v6 = v4 === null ? WINDOWS_6.exec(line) : null;
    const destination = v4 !== null ? filterPrefix(`${v4[1]}/${v4[2]}`) : parsePrefix(v6?.[3] ?? '');
    if (destination === undefined) continue;
    const metric = v4 === null ? v6?.[2] : v4[5];
    out.push(
      given({
        line: number,
        destination,
        gateway: parseIp((v4 === null ? v6?.[4] : v4[3]) ?? ''),
        interface: v4 === null ? v6?.[1] : v4[4],
        metric: metric === undefined || metric === 'Default' ? undefined : Number(metric),
        persistent: persistent || undefined,
      }),
    );
  }
  return out;
}
