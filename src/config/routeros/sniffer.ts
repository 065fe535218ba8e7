/** The table of `/tool sniffer quick`: one packet a line, with sizes that tell WireGuard messages apart. */
import { type Endpoint, endpoint, parseIp } from '../../base/address.ts';
import type { Problem } from '../../base/problem.ts';
import { given } from '../given.ts';
import { type Pasted, pastedLines } from '../pasted.ts';
import { ProblemList } from '../text.ts';

export interface SniffedPacket {
  readonly line: number;
  readonly interface: string;
  /** Since the sniffer began. */
  readonly timeMs: number;
  readonly number: number;
  /** `rx` is `<-`: it came in on the interface. */
  readonly direction: 'rx' | 'tx';
  readonly from: SniffedAddress;
  readonly to: SniffedAddress;
  /** `ip:udp`, `ip:icmp`, `arp`, … */
  readonly protocol: string;
  /** Of the whole frame: with Ethernet and IPv4 an initiation has 190, a response 134, a cookie reply 106, a keepalive 74. */
  readonly sizeBytes: number;
  readonly vlan?: number;
}

export interface SniffedAddress {
  readonly text: string;
  /** Where it is an address with a port. */
  readonly endpoint?: Endpoint;
}

const MAC = '(?:[0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}';
const ADDRESS = '[0-9A-Fa-f.:]+(?: \\([a-z0-9-]+\\))?';
const ROW = new RegExp(
  `^\\s*(\\S+)\\s+(\\d{1,7}(?:\\.\\d{1,6})?)\\s+(\\d{1,9})\\s+(<-|->)\\s+(?:${MAC}\\s+${MAC}\\s+)?(?:(\\d{1,4})\\s+)?` +
    `(?:(${ADDRESS})\\s+(${ADDRESS})\\s+)?([a-z][a-z0-9:.-]*)\\s+(\\d{1,6})(?:\\s|$)`,
);
/** Rows of packets without addresses are as wide as the table, and are of no use here. */
const ANY_ROW = /^\s*\S+\s+\d+(?:\.\d+)?\s+\d+\s+(?:<-|->)\s/;

/** RouterOS puts a port after the last colon, for IPv6 as well. */
function sniffedAddress(text: string, ports: boolean): SniffedAddress {
  const plain = text.replace(/ \(.*$/, '');
  const colon = plain.lastIndexOf(':');
  const ip = ports && colon > 0 ? parseIp(plain.slice(0, colon)) : undefined;
  const port = plain.slice(colon + 1);
  if (ip === undefined || !/^\d{1,5}$/.test(port) || Number(port) > 65535) return { text: plain };
  return { text: plain, endpoint: endpoint(ip, Number(port)) };
}

/** Never throws. Lines that are no packets are passed over; packets that cannot be read are counted in one problem. */
export function parseRosSniffer(text: Pasted): {
  readonly packets: readonly SniffedPacket[];
  readonly problems: readonly Problem[];
} {
  const packets: SniffedPacket[] = [];
  const problems = new ProblemList();
  for (const line of pastedLines(text)) {
    const match = ROW.exec(line.text);
    if (match === null) {
      const cut = ANY_ROW.test(line.text) && /\bip:|\bipv6:/.test(line.text);
      if (cut) problems.add({ line: line.number, column: 1 }, 'this packet of the sniffer table cannot be read');
      continue;
    }
    const [, name = '', time = '', number = '', arrow, vlan, from, to, protocol = '', size = ''] = match;
    if (from === undefined || to === undefined) continue;
    const ports = /:(udp|tcp)$/.test(protocol);
    packets.push(
      given({
        line: line.number,
        interface: name,
        timeMs: Math.round(Number(time) * 1000),
        number: Number(number),
        direction: arrow === '<-' ? ('rx' as const) : ('tx' as const),
        from: sniffedAddress(from, ports),
        to: sniffedAddress(to, ports),
        protocol,
        sizeBytes: Number(size),
        vlan: vlan === undefined ? undefined : Number(vlan),
      }),
    );
  }
  return { packets, problems: problems.done() };
}
