/** UDP sockets that a host has open: `ss -ulnp`, `ss -uanp`, `netstat -anu` of Linux, BSD and Windows. */
import { type IpBytes, parseIp } from '../../base/address.ts';
import { given } from '../given.ts';
import { type Pasted, pastedLines } from '../pasted.ts';

export interface UdpSocket {
  readonly line: number;
  /** Absent for all addresses of a family, or of both. */
  readonly address?: IpBytes;
  readonly port: number;
  readonly ipv6: boolean;
  /** `10.0.0.1%eth0`: bound to it. */
  readonly interface?: string;
  /** A connected socket hears one other end only. */
  readonly peer?: string;
  /** The kernel's own WireGuard socket has none. */
  readonly program?: string;
  /** Bytes that nobody has taken yet. */
  readonly receiveQueueBytes?: number;
}

interface LocalAddress {
  readonly address?: IpBytes;
  readonly port: number;
  readonly ipv6: boolean;
  readonly interface?: string;
}

/** `0.0.0.0:51820`, `[::]:51820`, `*:51820`, `:::51820`, `*.51820`, `10.0.0.1%eth0:68`. */
function localAddress(text: string): LocalAddress | undefined {
  const match = /^(.*)[:.](\d{1,5})$/.exec(text);
  if (match === null || Number(match[2]) > 65535) return undefined;
  const [host = '', zone] = (match[1] ?? '')
    .replace(/^\[|\]$/g, '')
    .replace(/\](?=%)/, '')
    .split('%');
  const port = Number(match[2]);
  if (host === '*' || host === '') return given({ port, ipv6: false, interface: zone });
  const ip = parseIp(host);
  if (ip === undefined) return undefined;
  const any = ip.every((byte) => byte === 0);
  return given({ address: any ? undefined : ip, port, ipv6: ip.length === 16, interface: zone });
}

function isAny(text: string): boolean {
  return /^(\*|0\.0\.0\.0|\[::\]|::|)[:.]\*$/.test(text) || text === '*';
}

const SS = /^(?:udp\s+)?(UNCONN|ESTAB)\s+(\d+)\s+(\d+)\s+(\S+)\s+(\S+)(?:\s+users:\(\((.*?)\)\))?/;
const NETSTAT =
  /^(udp\d{0,2})\s+(\d+)\s+(\d+)\s+(\S+)\s+(\S+)(?:\s+(ESTABLISHED))?(?:\s+(?:\d+\s+\d+\s+)?(-|\d+\/\S+))?/i;
const WINDOWS = /^UDP\s+(\S+)\s+(\*:\*|\S+:\d+)(?:\s+(\d+))?$/;

function socketOf(line: number, body: string): UdpSocket | undefined {
  const ss = SS.exec(body);
  const windows = ss === null ? WINDOWS.exec(body) : null;
  const netstat = ss === null && windows === null ? NETSTAT.exec(body) : null;
  const found = ss ?? netstat;
  const local = localAddress((found === null ? windows?.[1] : found[4]) ?? '');
  if (local === undefined) return undefined;
  const peer = (found === null ? windows?.[2] : found[5]) ?? '';
  const program = ss?.[6] ?? netstat?.[7] ?? (windows?.[3] === undefined ? undefined : `pid ${windows[3]}`);
  return given({
    line,
    ...local,
    // `udp6` of Linux hears IPv4 as well, unless told otherwise.
    ipv6: local.ipv6 || /^udp6$/i.test(netstat?.[1] ?? ''),
    peer: isAny(peer) ? undefined : peer,
    program: program === '-' ? undefined : program?.replace(/^"([^"]*)",/, '$1,'),
    receiveQueueBytes: found === null ? undefined : Number(found[2]),
  });
}

/** Other protocols are passed over. Never throws. */
export function parseUdpSockets(text: Pasted): readonly UdpSocket[] {
  return pastedLines(text).flatMap((line) => socketOf(line.number, line.text.trim()) ?? []);
}
